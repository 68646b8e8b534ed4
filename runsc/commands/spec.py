"""`runsc-py spec [ARG…]`: a config.json to begin with."""

import os
import sys

from runsc_py.runsc.arguments import DIRECTORY, Option, Syntax, help_text, parse
from runsc_py.runsc.config import Config
from runsc_py.runsc.errors import RunscError
from runsc_py.runsc.runtime_log import RuntimeLog

SYNTAX = Syntax(
    "runsc-py [options] spec [options] [--] [COMMAND [ARG…]]",
    "Write a config.json for a command (default: sh) in the bundle's directory.",
    (
        (
            "options",
            (
                Option("-b --bundle", "DIR", "where (default: here)", completes=DIRECTORY),
                Option("--cwd", "DIR", "working directory in the container (default: /)"),
                Option("--netns", "PATH", "network namespace to join"),
                Option("--rootless", help="with a user namespace in which you are root"),
            ),
        ),
    ),
    epilog="""\
example:
  runsc-py spec --bundle ./bundle -- /bin/sh -c 'echo hello'
""",
)


def main(name: str, words: list[str], config: Config, log: RuntimeLog) -> int:
    """Write it; one that is there is not replaced."""
    parsed = parse(SYNTAX, words, "runsc-py spec")
    if parsed.has("help"):
        sys.stdout.write(help_text(SYNTAX))
        return 0
    from runsc_py.runsc.oci.default import default_spec

    document = default_spec(
        parsed.operands or ["sh"],
        parsed.last("cwd") or "/",
        parsed.last("netns") or "",
        rootless=parsed.has("rootless"),
    )
    path = os.path.join(parsed.last("bundle") or ".", "config.json")
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
    try:
        with open(os.open(path, flags, 0o666), "wb") as file:
            file.write(document)
    except FileExistsError:
        raise RunscError(f"file {path} exists; remove it first") from None
    except OSError as error:
        raise RunscError(f"{path}: {error.strerror}") from None
    return 0
