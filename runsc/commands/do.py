"""`runsc-py do [options] [--] COMMAND [ARG…]`: `run` as gVisor's users know it."""

import os
import sys

from runsc_py.runsc.arguments import FILE, Option, Parsed, Syntax, help_text, parse
from runsc_py.runsc.commands import run
from runsc_py.runsc.errors import RunscError
from runsc_py.runsc.options import RunOptions

#: gVisor's, beside those that `run` has as well (--root, --cwd)
GVISOR = (
    Option("-q --quiet", help="no messages of ours on standard error but a failure to start"),
    Option(
        "--force-overlay", "true|false",
        "false: what is written to the root changes the host's files (default: true)",
        optional=True,
    ),
    Option(
        "--uid-map", "INSIDE HOST COUNT", "whose files of the host are shown as whose; for "
        "example '0 1000 1'", repeats=True,
    ),
    Option("--gid-map", "INSIDE HOST COUNT", "the same for groups", repeats=True),
    Option("--ip", "ADDRESS", hidden=True),
    Option("--erofs", "FILE", hidden=True),
)  # fmt: skip
FILES = tuple(
    Option(
        "-v --volume", "SRC[:DST[:ro|rw]][,exclusive]",
        "show a file or directory of the host, at the same place without DST; read-only unless rw",
        repeats=True, completes=FILE,
    ) if "--volume" in option.names else option
    for option in run.FILES
)  # fmt: skip

SYNTAX = Syntax(
    "runsc-py do [options] [--] COMMAND [ARG…]",
    "Run a program in a sandbox, on this machine's own root file system.",
    (
        ("gVisor", GVISOR),
        ("files", FILES),
        ("program", run.PROGRAM),
        ("limits", run.LIMITS),
        ("reports", run.REPORTS),
    ),
    epilog="""\
examples:
  runsc-py do ls /
  runsc-py do --cwd /tmp --volume /srv/data -- sh -c 'ls /srv/data > list'
  runsc-py do --root ./rootfs --uid-map '0 1000 1' --gid-map '0 1000 1' -- id
""",
)

#: what only gVisor has, and what does the same here
_ABSENT = (
    ("ip", "there is no network between host and sandbox; see --network"),
    ("erofs", "an image of that kind cannot be read; see --image"),
)


def do_options(parsed: Parsed) -> RunOptions:
    """The options of a parsed command line.  Raises RunscError."""
    for key, reason in _ABSENT:
        if parsed.has(key):
            raise RunscError(f"--{key}: {reason}")
    volumes = parsed.values.get("volume")
    if volumes is not None:
        parsed.values["volume"] = [_complete_volume(text) for text in volumes]
    options = run.run_options(parsed, "do")
    overlay = parsed.last("force-overlay")
    if overlay not in (None, "", "true", "false"):
        raise RunscError(f"--force-overlay {overlay!r}: use true or false")
    options.has_overlay = overlay != "false"
    if not options.has_overlay:
        for key in ("image", "export", "diff"):
            if parsed.has(key):
                raise RunscError(f"--force-overlay=false and --{key} exclude each other")
    if parsed.has("uid-map"):
        options.uids = _ids("uid-map", parsed.all("uid-map"))
    if parsed.has("gid-map"):
        options.gids = _ids("gid-map", parsed.all("gid-map"))
    return options


def _complete_volume(text: str) -> str:
    """A volume without a destination is shown where it is on the host."""
    if ":" in text:
        return text
    return f"{text}:{os.path.abspath(os.path.expanduser(text))}"


def _ids(key: str, texts: list[str]) -> list[tuple[int, int, int]]:
    ranges = []
    for text in texts:
        numbers = text.replace(",", " ").split()
        if len(numbers) != 3 or not all(one.isascii() and one.isdigit() for one in numbers):
            raise RunscError(f"--{key} {text!r}: use three numbers, for example '0 1000 1'")
        inside, host, count = map(int, numbers)
        if not count or max(inside, host) + count >= 1 << 32:
            raise RunscError(f"--{key} {text!r}: no such range of ids")
        ranges.append((inside, host, count))
    return ranges


def main(name: str, arguments: list[str]) -> int:
    """Run, and end the process with the status of the run.  Raises RunscError."""
    parsed = parse(SYNTAX, arguments, f"runsc-py {name}")
    if parsed.has("help"):
        sys.stdout.write(help_text(SYNTAX))
        return 0
    run.execute(do_options(parsed), parsed)
    return 0
