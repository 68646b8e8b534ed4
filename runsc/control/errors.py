"""What a control call fails with, on both sides of the socket."""

from __future__ import annotations

import os

from runsc_py.runsc.errors import EXIT_FAILURE, RunscError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from runsc_py.sentry.errors import KernelError

#: codes, so that a client need not look at texts
INVALID = "invalid"  # the arguments are wrong
NOT_FOUND = "not-found"  # no such container or process
EXISTS = "exists"  # the name is taken
STATE = "state"  # not in the state that the call needs
NOT_EXECUTABLE = "not-executable"  # the program cannot be executed
COMMAND_NOT_FOUND = "command-not-found"  # there is no such program
GUEST = "guest"  # the sandbox's kernel answered with an errno
UNSUPPORTED = "unsupported"
PROTOCOL = "protocol"  # a frame that nobody sends
CLOSED = "closed"  # the sandbox is gone
TIMEOUT = "timeout"
INTERNAL = "internal"  # a bug of ours

#: what an errno means for a program that is to be executed
_PROGRAM_CODES = {2: COMMAND_NOT_FOUND, 20: COMMAND_NOT_FOUND, 13: NOT_EXECUTABLE}
_STATUSES = {NOT_EXECUTABLE: 126, COMMAND_NOT_FOUND: 127}


class ControlError(RunscError):
    """A call that failed.  `errno` is 0 when no errno says it; `hint` tells what to do."""

    def __init__(self, message: str, code: str = INVALID, errno: int = 0, hint: str = "") -> None:
        super().__init__(
            f"{message}; {hint}" if hint else message, _STATUSES.get(code, EXIT_FAILURE)
        )
        self.message = message
        self.code = code
        self.errno = errno
        self.hint = hint

    def as_map(self) -> dict[str, object]:
        """How it travels."""
        return {
            "code": self.code,
            "errno": self.errno,
            "message": self.message,
            "hint": self.hint,
        }

    def within(self, what: str) -> ControlError:
        """The same, told by whoever wanted more."""
        return ControlError(f"{what}: {self.message}", self.code, self.errno, self.hint)

    @classmethod
    def from_map(cls, value: object) -> ControlError:
        """The error that a reply holds; what cannot be one is a protocol error itself."""
        if isinstance(value, dict):
            code, number = value.get("code"), value.get("errno")
            message, hint = value.get("message"), value.get("hint")
            if (
                isinstance(code, str)
                and isinstance(number, int)
                and isinstance(message, str)
                and isinstance(hint, str)
            ):
                return cls(message, code, number, hint)
        return cls("the sandbox answered with an error that is none", PROTOCOL)

    @classmethod
    def of_creation(cls, message: str, number: int) -> ControlError:
        """A program that cannot be executed for the reason of an errno, 0 for none."""
        return cls(message, _PROGRAM_CODES.get(number, GUEST), number)

    @classmethod
    def of_kernel(cls, prefix: str, error: KernelError, code: str = GUEST) -> ControlError:
        """An errno of the sandbox's kernel, with what was tried."""
        return cls(f"{prefix}: {os.strerror(error.number)}", code, error.number)
