"""`--debug-log`: everything, of the commands that are wanted and of the sandbox."""

from __future__ import annotations

import os
import time

from runsc_py.runsc.errors import RunscError
from runsc_py.runsc.log import DEBUG, TextLog

TYPE_CHECKING = False
if TYPE_CHECKING:
    from runsc_py.runsc.config import Config
    from runsc_py.runsc.runtime_log import RuntimeLog

#: the sandbox's process among the commands; "boot" is gVisor's word for it
SANDBOX = "sandbox"
_BOOT = "boot"


def check_commands(text: str) -> None:
    """`create,start` or `!boot,events`.  Raises RunscError for what is no command."""
    from runsc_py.runsc.cli import CONTAINER_COMMANDS

    known = {SANDBOX, _BOOT, "run", *(name for name, _, _ in CONTAINER_COMMANDS)}
    for name in _names(text):
        if name not in known:
            raise RunscError(f"--debug-command {name!r}: no command about containers, nor sandbox")


def _names(text: str) -> list[str]:
    return text.removeprefix("!").split(",") if text else []


def is_wanted(commands: str, command: str) -> bool:
    """Whether `--debug-command` includes this one; empty: all are."""
    names = [SANDBOX if name == _BOOT else name for name in _names(commands)]
    return not names or (command in names) != commands.startswith("!")


def open_debug_log(config: Config, command: str, identifier: str = "") -> int:
    """The file for a command; -1 when none is wanted.  Raises RunscError."""
    if not config.debug_log or not is_wanted(config.debug_command, command):
        return -1
    return open_log_file("--debug-log", config.debug_log, identifier, command)


def open_log_file(option: str, pattern: str, identifier: str, command: str = SANDBOX) -> int:
    """A file to append to; -1 when none is asked for.  Raises RunscError.

    %ID%, %COMMAND% and %TIMESTAMP% are filled in; a pattern that ends in / is a directory.
    """
    if not pattern:
        return -1
    if pattern.endswith("/"):
        pattern += "runsc-py.log.%TIMESTAMP%.%ID%.%COMMAND%.txt"
    path = (
        pattern.replace("%ID%", identifier)
        .replace("%COMMAND%", command)
        .replace("%TIMESTAMP%", time.strftime("%Y%m%d-%H%M%S"))
    )
    flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_NOCTTY | os.O_CLOEXEC
    try:
        os.makedirs(os.path.dirname(os.path.abspath(path)), exist_ok=True)
        return os.open(path, flags, 0o644)
    except OSError as error:
        raise RunscError(f"{option} {path}: {error.strerror}") from None


def lines_to(descriptor: int, line_format: str) -> TextLog | RuntimeLog:
    """What writes lines of a format to a file, whatever their level."""
    if line_format == "text":
        return TextLog(descriptor, DEBUG, stamped=True)
    from runsc_py.runsc.runtime_log import RuntimeLog

    return RuntimeLog(descriptor, line_format, DEBUG, None)
