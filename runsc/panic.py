"""The last words of a sandbox that broke down, for whoever repairs it: `--panic-log`.

A line of JSON has the error and every stack.  The exit record says so too, so that `wait` and
`state` of what is gone have a reason, and the engine's log has one line.
"""

from __future__ import annotations

import os
from contextlib import suppress

from runsc_py.runsc.errors import EXIT_FAILURE
from runsc_py.runsc.exit_record import ExitRecord
from runsc_py.runsc.json_text import encode

TYPE_CHECKING = False
if TYPE_CHECKING:
    from runsc_py.runsc.sandbox_log import SandboxLog


class PanicReport:
    """Of one sandbox; may be written from any thread and from a signal's handler."""

    __slots__ = ("_descriptor", "_exit_record", "_identifier", "_log")

    def __init__(self, identifier: str, descriptor: int, exit_record: int, log: SandboxLog) -> None:
        """`descriptor`: of --panic-log, `exit_record`: of runsc/exit_record.py; -1 for none."""
        self._identifier = identifier
        self._descriptor = descriptor
        self._exit_record = exit_record
        self._log = log

    def write(self, error: str, stack: list[str]) -> None:
        """It cannot go on."""
        self._log.warning(f"{error}\n" + "".join(stack))
        if self._descriptor >= 0:
            document = {"id": self._identifier, "error": error, "traceback": stack}
            with suppress(OSError):
                os.write(self._descriptor, encode(document).encode() + b"\n")
        if self._exit_record >= 0:
            ExitRecord(EXIT_FAILURE, "internal", error).write(self._exit_record)

    def write_exception(self, error: Exception) -> None:
        """A bug of ours that nobody has caught."""
        from traceback import format_exception  # takes longer to import than a sandbox has

        self.write(f"{type(error).__name__}: {error}", format_exception(error))

    def panic(self, error: str, stack: list[str]) -> None:
        """Write, and end at once, whatever the process is at; guests end with their tracer."""
        self.write(error, stack)
        os._exit(EXIT_FAILURE)
