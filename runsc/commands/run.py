"""`runsc-py run [options] [--] COMMAND [ARG…]`."""

import gc
import os
import sys

from runsc_py.runsc.arguments import DIRECTORY, FILE, USER, Option, Parsed, Syntax, help_text, parse
from runsc_py.runsc.errors import RunscError
from runsc_py.runsc.options import (
    RunOptions,
    parse_count,
    parse_duration,
    parse_host_name,
    parse_size,
    parse_tmpfs,
    parse_volume,
)

FILES = (
    Option("--rootfs --root", "DIR", "root directory (default: /)", completes=DIRECTORY),
    Option(
        "--image", "IMAGE[#NAME]",
        "root directory, command, user and environment of an image: an OCI layout, what docker "
        "save wrote, a tar archive, a directory, or a name of runsc-py images", completes=FILE,
    ),
    Option(
        "-v --volume", "SRC:DST[:ro|rw][,exclusive]",
        "show a file or directory of the host; read-only unless rw; exclusive: nobody else changes "
        "it meanwhile, which makes it faster", repeats=True, completes=FILE,
    ),
    Option("--tmpfs", "DST[:SIZE]", "an empty file system in memory", repeats=True),
    Option(
        "-w --workdir --cwd", "DIR", "working directory (default: this one)",
        completes=DIRECTORY,
    ),
)  # fmt: skip
PROGRAM = (
    Option(
        "-e --env", "NAME[=VALUE]", "set a variable, or take it over from here", repeats=True
    ),
    Option("--entrypoint", "COMMAND", "instead of the image's; empty: none"),
    Option("--clean-env", help="start with PATH, HOME and TERM only"),
    Option(
        "-u --user", "USER[:GROUP]",
        "run as this user of the sandbox's /etc/passwd (default: root)", completes=USER,
    ),
    Option("--hostname", "NAME", "host name in the sandbox"),
    Option(
        "--network", "none|host", "none: a loopback interface only (default); host: the host's",
        choices=("none", "host"),
    ),
    Option("-i --interactive", help="accepted for docker's sake: standard input is always open"),
    Option("-t --tty", help="insist on a terminal; one that is there is always passed on"),
)  # fmt: skip
LIMITS = (
    Option("--wall --timeout", "TIME", "time to run: seconds, or as in 500ms, 2m, 1h"),
    Option("--cpu", "TIME", "processor time of all processes together"),
    Option("--memory", "SIZE", "memory of all processes and memory files, for example 256M"),
    Option("--pids", "N", "processes and threads at a time"),
    Option("--files", "N", "open files of each process"),
)
REPORTS = (
    Option(
        "--strace", "FILE", "print system calls as strace(1) does",
        optional=True, completes=FILE,
    ),
    Option(
        "--export", "DIR|FILE.tar", "hand back what was changed: a new or empty directory, or an "
        "archive (.tar, .tar.gz), which is a layer of an image", completes=FILE,
    ),
    Option(
        "--diff", "FILE", "list what was changed: A added, C changed, D deleted",
        optional=True, completes=FILE,
    ),
    Option("--result", "FILE|fd:N|-", "write how it ended, as JSON", completes=FILE),
    Option("--log", "FILE", "append what the sandbox has to report", completes=FILE),
    Option("--debug", help="report more; show tracebacks"),
    Option(
        "--placement", "POLICY", choices=("auto", "together", "spread"), hidden=True
    ),
)  # fmt: skip

SYNTAX = Syntax(
    "runsc-py run [options] [--] COMMAND [ARG…]",
    "Run a program in a sandbox, on this machine's own root file system or on that of an image.",
    (("files", FILES), ("program", PROGRAM), ("limits", LIMITS), ("reports", REPORTS)),
    epilog="""\
The program sees the host's files and cannot change them: what it writes stays in memory and is
gone afterwards, except below a volume mounted rw.

exit status: the program's own; 128+N when signal N ended it; 124 for a time limit, 137 for the
memory limit; 125 our own failure; 126 not executable; 127 not found.

examples:
  runsc-py run -- python3 script.py
  runsc-py run --wall 10 --memory 256M -v ./data:/data:rw -- make
  runsc-py run --strace -- ls /
  docker save alpine -o alpine.tar; runsc-py run --image alpine.tar -- cat /etc/os-release
""",
)


def _environment(options: RunOptions, parsed: Parsed) -> None:
    environment = options.environment
    if parsed.has("clean-env"):
        for name in environment.keys() - {"PATH", "HOME", "TERM"}:
            del environment[name]
    for assignment in parsed.all("env"):
        name, equals, value = assignment.partition("=")
        if not name:
            raise RunscError(f"--env {assignment!r}: use NAME=VALUE or NAME")
        if equals:
            options.assignments[name] = value
        elif name in os.environ:
            options.assignments[name] = os.environ[name]
        if name == "HOME":
            options.keeps_home = True
    environment.update(options.assignments)


def _image(options: RunOptions, parsed: Parsed) -> None:
    options.image = parsed.last("image")
    options.entrypoint = parsed.last("entrypoint")
    if options.image is None and options.entrypoint is not None:
        raise RunscError("--entrypoint takes the place of an image's; see --image")
    if options.image is not None and parsed.has("rootfs"):
        raise RunscError("--image has a root directory of its own; leave --rootfs out")


def _limits(options: RunOptions, parsed: Parsed) -> None:
    if (text := parsed.last("wall")) is not None:
        options.wall = parse_duration("--wall", text)
    if (text := parsed.last("cpu")) is not None:
        options.cpu = parse_duration("--cpu", text)
    if (text := parsed.last("memory")) is not None:
        options.memory = parse_size("--memory", text)
    if (text := parsed.last("pids")) is not None:
        options.pids = parse_count("--pids", text)
    if (text := parsed.last("files")) is not None:
        options.files = parse_count("--files", text)


def run_options(parsed: Parsed, name: str = "run") -> RunOptions:
    """The options of a parsed command line.  Raises RunscError."""
    if not parsed.operands and not parsed.has("image"):
        raise RunscError(f"no command given; for example: runsc-py {name} -- ls /")
    options = RunOptions(parsed.operands)
    _image(options, parsed)
    options.rootfs = os.path.abspath(parsed.last("rootfs") or "/")
    options.volumes = [parse_volume(text) for text in parsed.all("volume")]
    options.tmpfs = [parse_tmpfs(text) for text in parsed.all("tmpfs")]
    options.working_directory = parsed.last("workdir")
    _environment(options, parsed)
    options.user = parsed.last("user")
    if (host_name := parsed.last("hostname")) is not None:
        options.host_name = parse_host_name(host_name)
    _limits(options, parsed)
    options.network = parsed.last("network") or "none"
    options.strace = parsed.last("strace")
    options.diff = parsed.last("diff")
    options.export = parsed.last("export")
    options.measures_memory = parsed.has("result")
    # The parser has checked that it is one of the three.
    options.placement = parsed.last("placement") or "auto"  # type: ignore[assignment]
    if parsed.has("tty") and not os.isatty(0):
        raise RunscError("--tty: standard input is not a terminal; leave -t out")
    return options


def main(name: str, arguments: list[str]) -> int:
    """Run, and end the process with the status of the run.  Raises RunscError."""
    parsed = parse(SYNTAX, arguments, f"runsc-py {name}")
    if parsed.has("help"):
        sys.stdout.write(help_text(SYNTAX))
        return 0
    execute(run_options(parsed, name), parsed)
    return 0


def execute(options: RunOptions, parsed: Parsed) -> None:
    """Run, and end the process with the status of the run.  Raises RunscError."""
    # Nothing is garbage before the program runs (Sandbox turns collection on again).
    gc.disable()
    from runsc_py.runsc.running import run_and_report

    status = run_and_report(
        options,
        log_path=parsed.last("log"),
        debug=parsed.has("debug"),
        result_target=parsed.last("result"),
        quiet=parsed.has("quiet"),
    )
    # All is closed; taking the interpreter apart as well would be a tenth of a short run.
    os._exit(status)
