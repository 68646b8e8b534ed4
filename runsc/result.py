"""The record of a finished run: what `--result` writes and the Python API returns."""

from __future__ import annotations

import os

from runsc_py.runsc.errors import EXIT_SIGNAL_BASE, EXIT_TIME_LIMIT, RunscError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

MILLISECOND = 1_000_000
SIGKILL = 9


class RunResult:
    """How a run ended.

    `reason` is "exited" (`exit_code` tells with what), "signal" (`signal` tells which), "wall",
    "cpu" or "memory" (a limit ended it, by SIGKILL), or "internal": our own failure, the command
    that could not be run included.
    """

    def __init__(self, reason: str, exit_status: int) -> None:
        self.reason = reason
        #: what `runsc-py run` exits with
        self.exit_status = exit_status
        self.exit_code: int | None = None
        self.signal: int | None = None
        #: one line for a person; empty when the program ended by itself
        self.message = ""
        self.wall_ns = 0
        #: processor time in the guest's code, and in the sentry on its behalf
        self.cpu_user_ns = 0
        self.cpu_system_ns = 0
        #: bytes; None when it was not measured
        self.memory_peak: int | None = None
        self.processes_peak = 0
        #: system calls by number that the sentry does not have, and how often each was tried
        self.unsupported: dict[int, int] = {}
        #: names that were added, changed or deleted; None when nobody asked
        self.files_changed: int | None = None
        #: why there is no export; None when there is one, or was to be none
        self.export_error: str | None = None
        #: limits that the program ran into without being ended, and how often
        self.limits_reached: dict[str, int] = {}

    @classmethod
    def of_status(cls, status: int) -> RunResult:
        """The end of the first process, by its wait status (wait(2))."""
        code = os.waitstatus_to_exitcode(status & ~0x80)
        if code < 0:
            result = cls("signal", EXIT_SIGNAL_BASE - code)
            result.signal = -code
        else:
            result = cls("exited", code)
            result.exit_code = code
        return result

    @classmethod
    def of_limit(cls, reason: str, message: str) -> RunResult:
        """A limit of the sandbox ended everything."""
        is_time = reason in ("wall", "cpu")
        result = cls(reason, EXIT_TIME_LIMIT if is_time else EXIT_SIGNAL_BASE + SIGKILL)
        result.signal = SIGKILL
        result.message = message
        return result

    @classmethod
    def of_failure(cls, error: RunscError) -> RunResult:
        """The program did not run, or we failed under it."""
        result = cls("internal", error.status)
        result.message = str(error)
        return result

    def as_dict(self) -> dict[str, Any]:
        """The JSON document; names are stable, readers ignore members they do not know."""
        return {
            "version": 1,
            "reason": self.reason,
            "exit_status": self.exit_status,
            "exit_code": self.exit_code,
            "signal": self.signal,
            "message": self.message,
            "wall_ms": self.wall_ns // MILLISECOND,
            "cpu_user_ms": self.cpu_user_ns // MILLISECOND,
            # The rest of the whole, so that both add up to what was used.
            "cpu_system_ms": (self.cpu_user_ns + self.cpu_system_ns) // MILLISECOND
            - self.cpu_user_ns // MILLISECOND,
            "memory_peak_bytes": self.memory_peak,
            "processes_peak": self.processes_peak,
            "files_changed": self.files_changed,
            "export_error": self.export_error,
            "limits_reached": self.limits_reached,
            "unsupported": self._unsupported_names(),
        }

    def _unsupported_names(self) -> dict[str, int]:
        if not self.unsupported:
            return {}
        from runsc_py.sentry.syscalls.numbers import syscall_name

        return {syscall_name(number): count for number, count in self.unsupported.items()}
