"""Leases: fcntl(2), "Leases".  Who holds one is told before others open the file.

A lease belongs to an open file description and is kept with the locks of the inode.  An open
that conflicts starts to break it: the holder gets its signal, the opener waits until the lease
is given back or weakened, and after `FileSettings.lease_break_time` that is done for the holder.
"""

from runsc_py.sentry.abi.files import F_RDLCK, F_UNLCK, F_WRLCK
from runsc_py.sentry.auth.capabilities import CAP_LEASE
from runsc_py.sentry.errors import EACCES, EAGAIN, EINVAL
from runsc_py.sentry.vfs.attributes import S_IFMT, S_IFREG
from runsc_py.sentry.vfs.locks import FileLocks, Lease, locks_of
from runsc_py.sentry.vfs.open_file import O_NONBLOCK
from runsc_py.sentry.vfs.usage import open_files

TYPE_CHECKING = False
if TYPE_CHECKING:
    from runsc_py.sentry.kernel.task import Task
    from runsc_py.sentry.kernel.waiting import WaitQueue
    from runsc_py.sentry.vfs.inode import Inode
    from runsc_py.sentry.vfs.open_file import OpenFile

#: poll(2): what stands for si_code POLL_MSG
POLLMSG = 0x400


class LeaseHeld(EAGAIN):  # type: ignore[misc, valid-type] # classes made by errors.py
    """An open has to wait for a lease; who cannot wait fails with EAGAIN."""

    def __init__(self, queue: "WaitQueue", deadline: int) -> None:
        super().__init__()
        self.queue = queue
        #: CLOCK_MONOTONIC, ns: when the lease ends in any case
        self.deadline = deadline


def get_lease(file: "OpenFile") -> int:
    """F_GETLEASE: what is held, or will be when the break is over."""
    locks = file.inode.file_locks
    lease = locks.leases.get(file) if isinstance(locks, FileLocks) else None
    if lease is None:
        return F_UNLCK
    if lease.breaking is not None:
        return lease.breaking
    return F_WRLCK if lease.exclusive else F_RDLCK


def set_lease(task: "Task", descriptor: int, file: "OpenFile", kind: int) -> None:
    """F_SETLEASE.  Errors: EINVAL, EACCES, EAGAIN (others have the file open)."""
    inode = file.inode
    if kind not in (F_RDLCK, F_WRLCK, F_UNLCK) or inode.mode & S_IFMT != S_IFREG:
        raise EINVAL
    _, uid, gid = inode.permission_ids()
    credentials = task.credentials
    if credentials.fsuid != uid and not credentials.has_capability_over_inode(CAP_LEASE, uid, gid):
        raise EACCES
    locks = locks_of(inode)
    if kind == F_UNLCK:
        if file not in locks.leases:
            raise EAGAIN
        del locks.leases[file]
        locks.wait_queue.notify()
        return
    _check_others(task, file, kind, locks)
    locks.leases[file] = Lease(kind == F_WRLCK)
    locks.wait_queue.notify()
    from runsc_py.sentry.kernel.file_owner import ensure_owner

    ensure_owner(task, descriptor, file)


def _check_others(task: "Task", file: "OpenFile", kind: int, locks: FileLocks) -> None:
    """Whether the lease can be given while others have the file open.  Errors: EAGAIN."""
    inode = file.inode
    for other in open_files(task.kernel):
        if other.inode is not inode:
            continue
        if kind == F_RDLCK and other.writable or kind == F_WRLCK and other is not file:
            raise EAGAIN
    for holder, lease in locks.leases.items():
        if lease.breaking == F_UNLCK or holder is not file and kind == F_WRLCK:
            raise EAGAIN


def break_leases(task: "Task", inode: "Inode", flags: int, *, writing: bool) -> None:
    """An open with `flags` is about to happen.  Errors: EAGAIN (O_NONBLOCK), LeaseHeld."""
    locks = inode.file_locks
    if not isinstance(locks, FileLocks) or not locks.leases:
        return
    now = task.kernel.clock.monotonic()
    target = F_UNLCK if writing else F_RDLCK
    deadline = 0
    for holder, lease in list(locks.leases.items()):
        if not writing and not lease.exclusive:
            continue
        if lease.breaking is None or lease.breaking != F_UNLCK and writing:
            lease.breaking = target
            if not lease.deadline:
                lease.deadline = now + task.kernel.file_settings.lease_break_time * 10**9
            if holder.owner is not None:
                holder.owner.wake(POLLMSG)
        if now >= lease.deadline:
            _end_break(locks, holder, lease)
        else:
            deadline = max(deadline, lease.deadline)
    if deadline:
        if flags & O_NONBLOCK:
            raise EAGAIN
        raise LeaseHeld(locks.wait_queue, deadline)


def _end_break(locks: FileLocks, holder: "OpenFile", lease: Lease) -> None:
    """The time is over: take the lease away, or weaken it."""
    if lease.breaking == F_UNLCK:
        del locks.leases[holder]
    else:
        locks.leases[holder] = Lease(exclusive=False)
    locks.wait_queue.notify()
