"""Where the sentry's reports go: standard error or a file, filtered by how much was asked for.

Not the standard library's logging: it costs more to import than the rest of the command line.
"""

import os
import time

from runsc_py.runsc.errors import RunscError
from runsc_py.runsc.text import printable

DEBUG, INFO, WARNING, REPORT = 10, 20, 30, 40
_NAMES = {DEBUG: "debug: ", WARNING: "warning: "}


class TextLog:
    """Lines of text to a descriptor; the `Log` that the sentry knows."""

    __slots__ = ("_descriptor", "_level", "_stamped")

    def __init__(self, descriptor: int, level: int, *, stamped: bool) -> None:
        self._descriptor = descriptor
        self._level = level
        self._stamped = stamped

    def write(self, level: int, message: str) -> None:
        """A message of a level, DEBUG to REPORT."""
        if level < self._level:
            return
        stamp = time.strftime("%Y-%m-%dT%H:%M:%S ") if self._stamped else ""
        line = f"{stamp}runsc-py: {_NAMES.get(level, '')}{printable(message)}\n"
        try:
            os.write(self._descriptor, line.encode(errors="backslashreplace"))
        except OSError:
            # Nobody listens, or the disk is full: no reason to end the program, and no errno
            # that one of its system calls should get.
            self._level = REPORT + 1

    def debug(self, message: str) -> None:
        """What only a developer wants to know."""
        self.write(DEBUG, message)

    def info(self, message: str) -> None:
        """What explains a run that went wrong."""
        self.write(INFO, message)

    def warning(self, message: str) -> None:
        """What should not happen."""
        self.write(WARNING, message)

    def report(self, message: str) -> None:
        """Why the run ended, when it was not the program's own doing."""
        self.write(REPORT, message)


def open_log(path: str | None, debug: bool, *, quiet: bool = False) -> TextLog:
    """`--log FILE` takes everything; without it standard error gets warnings, or all by --debug.
    `quiet`: or nothing.  Raises RunscError.
    """
    if path is None:
        level = REPORT + 1 if quiet else DEBUG if debug else WARNING
        return TextLog(2, level, stamped=False)
    flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_NOCTTY | os.O_CLOEXEC
    try:
        descriptor = os.open(path, flags, 0o644)
    except OSError as error:
        raise RunscError(f"--log {path}: {error.strerror}") from None
    return TextLog(descriptor, DEBUG if debug else INFO, stamped=True)
