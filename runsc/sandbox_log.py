"""What a sandbox for containers has to report, and where that goes.

`--debug-log FILE` gets everything.  What an operator wants to know goes to the engine's
`--log` as well, in its format: the sandbox appends its lines itself, and needs nobody to forward
them.  `create --user-log FILE` is for the container's user.  The last warnings are kept for the
error of a failed start.
"""

from __future__ import annotations

import os
from collections import deque

from runsc_py.runsc.debug_log import lines_to
from runsc_py.runsc.log import DEBUG, INFO, REPORT, WARNING
from runsc_py.runsc.runtime_log import format_line

TYPE_CHECKING = False
if TYPE_CHECKING:
    from runsc_py.runsc.log import TextLog
    from runsc_py.runsc.runtime_log import RuntimeLog

STANDARD_ERROR = 2
#: of the log, in the error of a failed start
TAIL_LINES = 10
#: by the names that Logging.Change has
LEVELS = {"debug": DEBUG, "info": INFO, "warning": WARNING}


class SandboxLog:
    """The log of one sandbox; also what the sentry takes for a log."""

    __slots__ = (
        "_engine", "_files", "_format", "_identifier", "_tail", "_trace", "descriptor", "level",
    )  # fmt: skip

    def __init__(
        self,
        identifier: str,
        descriptor: int,
        engine: RuntimeLog | None,
        line_format: str = "text",
        user: RuntimeLog | None = None,
    ) -> None:
        """`descriptor`, `line_format`: of --debug-log, -1 for none; `user`: create --user-log."""
        self._identifier = identifier
        self.descriptor = descriptor
        self._format = line_format
        self._files: list[TextLog | RuntimeLog] = []
        if descriptor >= 0:
            self._files.append(lines_to(descriptor, line_format))
        if user is not None:
            self._files.append(user)
        self._engine = engine
        self._tail: deque[str] = deque(maxlen=TAIL_LINES)
        #: of a trace what has no end of line yet
        self._trace = ""
        #: less important lines are not written
        self.level = DEBUG

    def _write(self, level: int, message: str) -> None:
        if level >= WARNING:
            prefix = "warning: " if level == WARNING else ""
            self._tail.append(f"{prefix}{message}")
        elif level < self.level:
            return
        for file in self._files:
            file.write(level, message)
        if self._engine is not None:
            self._engine.write(level, f"sandbox {self._identifier}: {message}")

    def debug(self, message: str) -> None:
        """What only a developer wants to know."""
        self._write(DEBUG, message)

    def info(self, message: str) -> None:
        """What explains a run that went wrong."""
        self._write(INFO, message)

    def warning(self, message: str) -> None:
        """What should not happen."""
        self._write(WARNING, message)

    def report(self, message: str) -> None:
        """Why the sandbox ended, when it was not the program's own doing."""
        self._write(REPORT, message)

    def write_trace(self, data: bytes) -> None:
        """Lines of a trace, into --debug-log only; as they are where that is text.

        Raises OSError.
        """
        if self._format != "text":
            *lines, self._trace = (self._trace + data.decode(errors="backslashreplace")).split("\n")
            data = b"".join(format_line(self._format, "debug", line) for line in lines)
        while data:
            data = data[os.write(self.descriptor, data) :]

    def last_words(self, message: str) -> tuple[int, bytes]:
        """A line, and where it goes, for a moment when no more Python runs."""
        if self._engine is not None and self._engine.descriptor >= 0:
            named = f"sandbox {self._identifier}: {message}"
            return self._engine.descriptor, self._engine.line(named)
        descriptor = self.descriptor if self.descriptor >= 0 else STANDARD_ERROR
        return descriptor, format_line(self._format, "error", message)

    def tail(self) -> str:
        """The last warnings."""
        return "\n".join(self._tail)
