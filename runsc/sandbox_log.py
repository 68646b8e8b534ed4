"""What a sandbox for containers has to report, and where that goes.

`--debug-log FILE` gets everything as text.  What an operator wants to know goes to the engine's
`--log` as well, in its format: the sandbox appends its lines itself, and needs nobody to forward
them.  The last warnings are kept for the error of a failed start.
"""

import os
import time
from collections import deque

from runsc_py.runsc.errors import RunscError
from runsc_py.runsc.log import DEBUG, INFO, WARNING, TextLog

TYPE_CHECKING = False
if TYPE_CHECKING:
    from runsc_py.runsc.runtime_log import RuntimeLog

#: of the log, in the error of a failed start
TAIL_LINES = 10
#: by the names that Logging.Change has
LEVELS = {"debug": DEBUG, "info": INFO, "warning": WARNING}


class SandboxLog:
    """The log of one sandbox; also what the sentry takes for a log."""

    __slots__ = ("_engine", "_identifier", "_tail", "_text", "descriptor", "level")

    def __init__(self, identifier: str, descriptor: int, engine: "RuntimeLog | None") -> None:
        """`descriptor`: of --debug-log, -1 for none."""
        self._identifier = identifier
        self.descriptor = descriptor
        self._text = TextLog(descriptor, DEBUG, stamped=True) if descriptor >= 0 else None
        self._engine = engine
        self._tail: deque[str] = deque(maxlen=TAIL_LINES)
        #: less important lines are not written
        self.level = DEBUG

    def debug(self, message: str) -> None:
        """What only a developer wants to know."""
        if self.level <= DEBUG:
            if self._text is not None:
                self._text.debug(message)
            if self._engine is not None:
                self._engine.debug(self._named(message))

    def info(self, message: str) -> None:
        """What explains a run that went wrong."""
        if self.level <= INFO:
            if self._text is not None:
                self._text.info(message)
            if self._engine is not None:
                self._engine.info(self._named(message))

    def warning(self, message: str) -> None:
        """What should not happen."""
        self._tail.append(f"warning: {message}")
        if self._text is not None:
            self._text.warning(message)
        if self._engine is not None:
            self._engine.warning(self._named(message))

    def report(self, message: str) -> None:
        """Why the sandbox ended, when it was not the program's own doing."""
        self._tail.append(message)
        if self._text is not None:
            self._text.report(message)
        if self._engine is not None:
            self._engine.report(self._named(message))

    def _named(self, message: str) -> str:
        return f"sandbox {self._identifier}: {message}"

    def tail(self) -> str:
        """The last warnings."""
        return "\n".join(self._tail)


def open_sandbox_file(option: str, pattern: str, identifier: str) -> int:
    """A file of `--debug-log` or `--panic-log`, to append to; -1 when none is asked for.

    %ID%, %COMMAND% and %TIMESTAMP% are filled in; a pattern that ends in / is a directory.
    Raises RunscError.
    """
    if not pattern:
        return -1
    if pattern.endswith("/"):
        pattern += "runsc-py.log.%TIMESTAMP%.%ID%.%COMMAND%.txt"
    path = (
        pattern.replace("%ID%", identifier)
        .replace("%COMMAND%", "sandbox")
        .replace("%TIMESTAMP%", time.strftime("%Y%m%d-%H%M%S"))
    )
    flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_NOCTTY | os.O_CLOEXEC
    try:
        os.makedirs(os.path.dirname(os.path.abspath(path)), exist_ok=True)
        return os.open(path, flags, 0o644)
    except OSError as error:
        raise RunscError(f"{option} {path}: {error.strerror}") from None
