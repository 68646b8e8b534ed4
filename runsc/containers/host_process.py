"""Processes of the host that belong to containers: which one is meant, and whether it lives.

A process id alone says nothing once the process has ended, since it is given out again; together
with the time the process started it is never reused.
"""

import os
import time

#: of signal(7); the module `signal` takes longer to import than a signal to be sent
SIGKILL = 9
#: seconds between two looks where there is no pidfd
INTERVAL = 0.01


class HostProcess:
    """A process by its id and the time it started, in clock ticks since the host booted."""

    __slots__ = ("pid", "start_time")

    def __init__(self, pid: int, start_time: int) -> None:
        self.pid = pid
        self.start_time = start_time

    @classmethod
    def find(cls, pid: int) -> "HostProcess | None":
        """The process that has this id now; None when there is none, or only its remains."""
        found = _read_stat(pid)
        return cls(pid, found) if found is not None else None

    def is_alive(self) -> bool:
        """Whether it still runs.  A zombie does not."""
        return _read_stat(self.pid) == self.start_time

    def kill(self, number: int = SIGKILL) -> bool:
        """Send a signal; False when it has ended before."""
        if not self.is_alive():
            return False
        try:
            os.kill(self.pid, number)
        except ProcessLookupError:
            return False
        return True

    def wait(self, timeout: float) -> bool:
        """Wait until it has ended, reaped or not; False when it has not in `timeout` seconds."""
        if not self.is_alive():
            return True
        try:
            descriptor = os.pidfd_open(self.pid)
        except OSError:  # it just ended, or the host has no pidfd
            return self._poll(timeout)
        import select

        try:
            poller = select.poll()
            poller.register(descriptor, select.POLLIN)
            poller.poll(timeout * 1000)
        finally:
            os.close(descriptor)
        return not self.is_alive()

    def _poll(self, timeout: float) -> bool:
        deadline = time.monotonic() + timeout
        while self.is_alive():
            if time.monotonic() > deadline:
                return False
            time.sleep(INTERVAL)
        return True


def _read_stat(pid: int) -> int | None:
    """The start time of a process that is neither gone nor a zombie."""
    if pid <= 0:
        return None
    try:
        with open(f"/proc/{pid}/stat", "rb") as file:
            fields = file.read().rpartition(b")")[2].split()
    except OSError:
        return None
    if not fields or fields[0] in (b"Z", b"X"):
        return None
    return int(fields[19])
