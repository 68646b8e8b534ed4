"""Advisory locks: flock(2), and record locks of processes and descriptions (fcntl_locking(2)).

All locks of an inode are in one `FileLocks`, kept in `Inode.file_locks` from the first lock on.
Owners are compared by identity: the descriptor table for POSIX locks (as Linux's fl_owner), the
open file description for OFD locks and flock.  Nothing blocks here: a request that
conflicts raises EAGAIN, and who wants to wait stands in `wait_queue`.
"""

from runsc_py.sentry.errors import EAGAIN, ENOLCK
from runsc_py.sentry.kernel.waiting import WaitQueue

TYPE_CHECKING = False
if TYPE_CHECKING:
    from runsc_py.sentry.vfs.inode import Inode
    from runsc_py.sentry.vfs.open_file import OpenFile

#: ranges locked in one file; every request looks at all of them
MAXIMUM_RECORDS = 8192

#: one past the largest offset: a lock "to the end of the file"
OFFSET_MAX = (1 << 63) - 1


class RecordLock:
    """A byte range [start, end] that `owner` holds; inclusive, as Linux keeps it."""

    __slots__ = ("end", "exclusive", "owner", "process", "start")

    def __init__(self, start: int, end: int, exclusive: bool, owner: object, process: int) -> None:
        self.start = start
        self.end = end
        self.exclusive = exclusive
        self.owner = owner
        #: the process that took it, in the root PID namespace; -1 for a lock of a description
        self.process = process

    def overlaps(self, start: int, end: int) -> bool:
        """Whether a byte of [start, end] is in it."""
        return self.start <= end and start <= self.end


class Lease:
    """What an open file description was promised (vfs/leases.py)."""

    __slots__ = ("breaking", "deadline", "exclusive")

    def __init__(self, exclusive: bool) -> None:
        #: F_WRLCK: nobody else opens the file; otherwise nobody else opens it for writing
        self.exclusive = exclusive
        #: F_RDLCK or F_UNLCK: what it is to become, once somebody wants to open the file
        self.breaking: int | None = None
        #: when that happens in any case, ns of CLOCK_MONOTONIC
        self.deadline = 0


class FileLocks:
    """The locks of one inode."""

    __slots__ = ("flocks", "leases", "records", "wait_queue")

    def __init__(self) -> None:
        self.leases: dict[OpenFile, Lease] = {}
        #: open file description → whether its flock is exclusive
        self.flocks: dict[object, bool] = {}
        #: ascending by start; ranges of one owner do not overlap
        self.records: list[RecordLock] = []
        #: notified whenever something is unlocked
        self.wait_queue = WaitQueue()

    # -- flock -------------------------------------------------------------------

    def flock(self, owner: object, exclusive: bool) -> None:
        """Take, or convert to, a lock on the whole file.

        A conversion is not atomic: the old lock is lost even when this fails (flock(2)).
        Errors: EAGAIN.
        """
        if self.flocks.get(owner) == exclusive:
            return
        if self.flocks.pop(owner, None) is not None:
            self.wait_queue.notify()
        if self.flocks and (exclusive or any(self.flocks.values())):
            raise EAGAIN
        self.flocks[owner] = exclusive

    def release_flock(self, owner: object) -> None:
        """Drop the owner's lock, if any."""
        if self.flocks.pop(owner, None) is not None:
            self.wait_queue.notify()

    # -- record locks ----------------------------------------------------------------

    def conflict(self, start: int, end: int, exclusive: bool, owner: object) -> RecordLock | None:
        """The first lock of somebody else that does not go together with the given one."""
        for lock in self.records:
            if (
                lock.owner is not owner
                and lock.overlaps(start, end)
                and (exclusive or lock.exclusive)
            ):
                return lock
        return None

    def lock(self, wanted: RecordLock) -> None:
        """Take a range, in the place of what its owner has there.  Errors: EAGAIN, ENOLCK."""
        if self.conflict(wanted.start, wanted.end, wanted.exclusive, wanted.owner) is not None:
            raise EAGAIN
        if len(self.records) >= MAXIMUM_RECORDS:
            raise ENOLCK
        weaker = self._cut(wanted.start, wanted.end, wanted.owner)
        merged = self._merge(wanted)
        self.records.append(merged)
        self.records.sort(key=lambda lock: lock.start)
        if weaker and not wanted.exclusive:
            self.wait_queue.notify()

    def unlock(self, start: int, end: int, owner: object) -> None:
        """Drop what the owner has in [start, end]."""
        if self._cut(start, end, owner):
            self.records.sort(key=lambda lock: lock.start)
            self.wait_queue.notify()

    def _cut(self, start: int, end: int, owner: object) -> bool:
        """Take [start, end] out of the owner's ranges; whether there was something."""
        found = False
        kept: list[RecordLock] = []
        for lock in self.records:
            if lock.owner is not owner or not lock.overlaps(start, end):
                kept.append(lock)
                continue
            found = True
            if lock.start < start:
                kept.append(RecordLock(lock.start, start - 1, lock.exclusive, owner, lock.process))
            if lock.end > end:
                kept.append(RecordLock(end + 1, lock.end, lock.exclusive, owner, lock.process))
        self.records = kept
        return found

    def _merge(self, wanted: RecordLock) -> RecordLock:
        """Join ranges of the same owner and kind that touch `wanted`; they leave the list."""
        start, end = wanted.start, wanted.end
        kept: list[RecordLock] = []
        for lock in self.records:
            touches = lock.start <= end + 1 and start <= lock.end + 1
            if lock.owner is wanted.owner and lock.exclusive == wanted.exclusive and touches:
                start, end = min(start, lock.start), max(end, lock.end)
            else:
                kept.append(lock)
        self.records = kept
        return RecordLock(start, end, wanted.exclusive, wanted.owner, wanted.process)


def locks_of(inode: "Inode") -> FileLocks:
    """The locks of an inode, made when there are none yet."""
    locks = inode.file_locks
    if locks is None:
        locks = inode.file_locks = FileLocks()
    assert isinstance(locks, FileLocks)
    return locks


def release_process_locks(owner: object, inode: "Inode") -> None:
    """A process closed a descriptor of the file: all its record locks go (fcntl_locking(2))."""
    locks = inode.file_locks
    if isinstance(locks, FileLocks):
        locks.unlock(0, OFFSET_MAX, owner)


def release_description_locks(description: "OpenFile", inode: "Inode") -> None:
    """An open file description ends: its flock, OFD locks and lease go."""
    locks = inode.file_locks
    if isinstance(locks, FileLocks):
        locks.release_flock(description)
        if locks.leases.pop(description, None) is not None:
            locks.wait_queue.notify()
        locks.unlock(0, OFFSET_MAX, description)
