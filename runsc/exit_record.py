"""How a container ended, on disk: who asks after the end still gets an answer.

The sandbox writes it for its root container, into a file that was opened before it began; for any
other container the process that waits for it on the host does.
"""

import os

from runsc_py.runsc.json_text import decode, encode


class ExitRecord:
    """The last word of a container."""

    __slots__ = ("message", "reason", "status")

    def __init__(self, status: int, reason: str = "exited", message: str = "") -> None:
        #: as a shell has it
        self.status = status
        #: "exited", or what ended the sandbox: "memory", "shutdown" …
        self.reason = reason
        self.message = message

    def encode(self) -> bytes:
        """As JSON."""
        document = {"status": self.status, "reason": self.reason, "message": self.message}
        return encode(document).encode()

    def write(self, descriptor: int) -> None:
        """Into a file that is empty; a full disk is no reason to fail an end."""
        try:
            os.pwrite(descriptor, self.encode(), 0)
        except OSError:
            return

    @classmethod
    def decode(cls, content: bytes) -> "ExitRecord | None":
        """What was written; None when the writer did not come to it."""
        try:
            document = decode(content)
            return cls(int(document["status"]), str(document["reason"]), str(document["message"]))
        except (ValueError, KeyError, TypeError):
            return None


def open_exit_record(path: str) -> int:
    """An empty file for the record.  Raises OSError."""
    flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW | os.O_CLOEXEC
    return os.open(path, flags, 0o600)
