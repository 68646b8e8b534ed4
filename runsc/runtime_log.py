"""`--log FILE --log-format FORMAT`: what a command of a container engine has to report.

The formats are those of runc: engines read the last line for the reason of a failure.
"""

from __future__ import annotations

import os
import time

from runsc_py.runsc.config import Config
from runsc_py.runsc.errors import RunscError
from runsc_py.runsc.json_text import encode
from runsc_py.runsc.log import DEBUG, INFO, REPORT, WARNING

TYPE_CHECKING = False
if TYPE_CHECKING:
    from runsc_py.runsc.log import TextLog

LEVELS = {DEBUG: "debug", INFO: "info", WARNING: "warning", REPORT: "error"}


class RuntimeLog:
    """Lines to a file; also what the sentry takes for a log."""

    __slots__ = ("_format", "_level", "_stderr_level", "debug_log", "descriptor", "standard_error")

    def __init__(
        self, descriptor: int, line_format: str, level: int, stderr_level: int | None
    ) -> None:
        #: -1 for none
        self.descriptor = descriptor
        self._format = line_format
        self._level = level
        self._stderr_level = stderr_level
        self.standard_error = 2
        #: what gets everything, whatever its level
        self.debug_log: TextLog | RuntimeLog | None = None

    def write(self, level: int, message: str) -> None:
        """A message of a level, DEBUG to REPORT."""
        name = LEVELS[level]
        if self.debug_log is not None:
            self.debug_log.write(level, message)
        if self.descriptor >= 0 and level >= self._level:
            _write_all(self.descriptor, format_line(self._format, name, message))
        if self._stderr_level is not None and self._stderr_level <= level < REPORT:
            _write_all(self.standard_error, format_line("text", name, message))

    def debug(self, message: str) -> None:
        """What only a developer wants to know."""
        self.write(DEBUG, message)

    def info(self, message: str) -> None:
        """What explains a run that went wrong."""
        self.write(INFO, message)

    def warning(self, message: str) -> None:
        """What is not as asked for."""
        self.write(WARNING, message)

    def report(self, message: str) -> None:
        """Why the command failed; on standard error it is told anyway (cli.py)."""
        self.write(REPORT, message)

    def line(self, message: str) -> bytes:
        """What `report` would write, for somebody else to write it."""
        return format_line(self._format, LEVELS[REPORT], message)


def open_runtime_log(config: Config, command: str = "") -> RuntimeLog:
    """The log that the options ask for, of a command.  Raises RunscError."""
    descriptor = -1
    if config.log:
        flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_NOCTTY | os.O_CLOEXEC
        try:
            descriptor = os.open(config.log, flags, 0o644)
        except OSError as error:
            raise RunscError(f"--log {config.log}: {error.strerror}") from None
    level = DEBUG if config.debug else INFO
    log = RuntimeLog(descriptor, config.log_format, level, _stderr_level(config, level))
    if config.debug_log and command:
        from runsc_py.runsc.debug_log import lines_to, open_debug_log

        file = open_debug_log(config, command)
        if file >= 0:
            log.debug_log = lines_to(file, config.debug_log_format)
    return log


def _stderr_level(config: Config, level: int) -> int | None:
    """From which level on standard error is told; it hears of errors in any case (cli.py)."""
    if config.alsologtostderr or (config.debug and not config.log):
        return level
    return None if config.log else WARNING


def format_line(line_format: str, level: str, message: str) -> bytes:
    """One line of a log in one of the formats."""
    stamp = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
    if line_format == "text":
        quoted = _quote(message)
        return f'time="{stamp}" level={level} msg={quoted}\n'.encode(errors="backslashreplace")
    name = "msg" if line_format == "json" else "log"
    return encode({"level": level, name: message, "time": stamp}).encode() + b"\n"


def _quote(message: str) -> str:
    escaped = message.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{escaped}"'


def _write_all(descriptor: int, line: bytes) -> None:
    try:
        os.write(descriptor, line)
    except OSError:
        # Nobody listens, or the disk is full: no reason to fail a command that works.
        return
