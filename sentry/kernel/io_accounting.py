"""What a task has read and written, as /proc/PID/io shows it (proc_pid_io(5)).

Characters and calls are counted where a handler's result is known, by the run loop or, for tasks
that somebody watches, in watched_call.py; only the calls that wait can transfer, so no other call
pays for it.  Storage is never touched: the host's page
cache and memory are all that is read and written, so read_bytes and write_bytes stay 0, as they do
on a tmpfs.
"""

#: what a call does, in its table entry
READS = 1
WRITES = 2

_EBADF, _ESPIPE = -9, -29


class IoAccounting:
    """Four counters."""

    __slots__ = ("characters_read", "characters_written", "reads", "writes")

    def __init__(self) -> None:
        self.characters_read = 0
        self.characters_written = 0
        self.reads = 0
        self.writes = 0

    def count(self, transfers: int, result: int) -> None:
        """A call of this kind has ended; one that found no such file does not count."""
        if result in (_EBADF, _ESPIPE):
            return
        if transfers & READS:
            self.reads += 1
            if result > 0:
                self.characters_read += result
        if transfers & WRITES:
            self.writes += 1
            if result > 0:
                self.characters_written += result

    def add(self, other: "IoAccounting") -> None:
        """What an ended thread or child has done counts here as well."""
        self.characters_read += other.characters_read
        self.characters_written += other.characters_written
        self.reads += other.reads
        self.writes += other.writes
