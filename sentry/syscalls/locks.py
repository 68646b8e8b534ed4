"""flock(2) and the record locks of fcntl(2).  The locks themselves: `vfs/locks.py`."""

from runsc_py.sentry.abi.files import (
    F_GETLK,
    F_OFD_GETLK,
    F_OFD_SETLKW,
    F_RDLCK,
    F_SETLK,
    F_SETLKW,
    F_UNLCK,
    F_WRLCK,
    FLOCK,
    LOCK_EX,
    LOCK_MAND,
    LOCK_NB,
    LOCK_SH,
    LOCK_UN,
    SEEK_CUR,
    SEEK_END,
    SEEK_SET,
)
from runsc_py.sentry.errors import EAGAIN, EBADF, EDEADLK, EINVAL, EOVERFLOW
from runsc_py.sentry.kernel.fd_table import FdTable
from runsc_py.sentry.kernel.task import Task
from runsc_py.sentry.kernel.waiting import ANY_EVENT, wait
from runsc_py.sentry.syscalls.table import syscall
from runsc_py.sentry.syscalls.types import Fd, FlockOperation
from runsc_py.sentry.vfs.locks import OFFSET_MAX, FileLocks, RecordLock, locks_of
from runsc_py.sentry.vfs.open_file import OpenFile


@syscall(73, "flock")
async def flock(task: Task, fd: Fd, operation: FlockOperation) -> int:
    """flock(2)"""
    if operation & LOCK_MAND:
        return 0
    kind = operation & ~LOCK_NB
    if kind not in (LOCK_SH, LOCK_EX, LOCK_UN):
        raise EINVAL
    file = task.files.get_io(fd)
    locks = locks_of(file.inode)
    if kind == LOCK_UN:
        locks.release_flock(file)
        return 0
    file.acquire()
    try:
        while True:
            try:
                locks.flock(file, kind == LOCK_EX)
                return 0
            except EAGAIN:
                if operation & LOCK_NB:
                    raise
            await wait(task, ((locks.wait_queue, ANY_EVENT),))
    finally:
        file.drop()


async def set_record_lock(task: Task, fd: int, file: OpenFile, command: int, address: int) -> int:
    """F_SETLK, F_SETLKW, F_OFD_SETLK, F_OFD_SETLKW.  Errors: EAGAIN, EBADF, EDEADLK, EINVAL."""
    kind, start, end = _copy_in_range(task, file, command, address)
    of_process = command in (F_SETLK, F_SETLKW)
    owner = task.files if of_process else file
    locks = locks_of(file.inode)
    if kind == F_UNLCK:
        locks.unlock(start, end, owner)
        return 0
    # Reading locks need a descriptor for reading, writing locks one for writing.
    if not (file.readable if kind == F_RDLCK else file.writable):
        raise EBADF
    process = task.thread_group.identifier if of_process else -1
    wanted = RecordLock(start, end, kind == F_WRLCK, owner, process)
    if command in (F_SETLKW, F_OFD_SETLKW):
        await _wait_for_range(task, file, locks, wanted)
    locks.lock(wanted)
    if of_process and not _is_open(task, fd, file):
        # Another thread closed the descriptor meanwhile: nobody would ever unlock.
        locks.unlock(start, end, owner)
        raise EBADF
    return 0


async def _wait_for_range(task: Task, file: OpenFile, locks: FileLocks, wanted: RecordLock) -> None:
    """Wait until nobody holds a conflicting lock.  Errors: EDEADLK (POSIX locks)."""
    owner = wanted.owner
    file.acquire()
    try:
        while True:
            conflict = locks.conflict(wanted.start, wanted.end, wanted.exclusive, owner)
            if conflict is None:
                return
            if isinstance(owner, FdTable) and isinstance(conflict.owner, FdTable):
                _check_deadlock(owner, conflict.owner)
                owner.lock_holder = conflict.owner
            await wait(task, ((locks.wait_queue, ANY_EVENT),))
    finally:
        if isinstance(owner, FdTable):
            owner.lock_holder = None
        file.drop()


def _check_deadlock(waiter: FdTable, holder: FdTable) -> None:
    """Whether the holder waits, through others, for who wants to wait for it.  Errors: EDEADLK."""
    current: FdTable | None = holder
    while current is not None:
        if current is waiter:
            raise EDEADLK
        current = current.lock_holder


def _is_open(task: Task, fd: int, file: OpenFile) -> bool:
    try:
        return task.files.get(fd) is file
    except EBADF:
        return False


def get_record_lock(task: Task, file: OpenFile, command: int, address: int) -> int:
    """F_GETLK, F_OFD_GETLK: the lock that is in the way, or F_UNLCK in the kind."""
    kind, start, end = _copy_in_range(task, file, command, address)
    if kind == F_UNLCK and command == F_GETLK:
        raise EINVAL
    owner = task.files if command == F_GETLK else file
    conflict = locks_of(file.inode).conflict(start, end, kind == F_WRLCK, owner)
    if conflict is None:
        rest = task.memory.copy_in(address, FLOCK.size)[2:]
        task.memory.copy_out(address, F_UNLCK.to_bytes(2, "little") + rest)
        return 0
    size = 0 if conflict.end == OFFSET_MAX else conflict.end - conflict.start + 1
    process = conflict.process
    if process > 0:
        group = task.kernel.root_pid_namespace.thread_group(process)
        process = group.identifier_in(task.pid_namespace) if group is not None else 0
    held = F_WRLCK if conflict.exclusive else F_RDLCK
    task.memory.copy_out(address, FLOCK.pack(held, SEEK_SET, conflict.start, size, process))
    return 0


def _copy_in_range(task: Task, file: OpenFile, command: int, address: int) -> tuple[int, int, int]:
    """(kind, first byte, last byte) of a struct flock.  Errors: EFAULT, EINVAL, EOVERFLOW."""
    kind, whence, start, size, process = FLOCK.unpack(task.memory.copy_in(address, FLOCK.size))
    if kind not in (F_RDLCK, F_WRLCK, F_UNLCK):
        raise EINVAL
    if command >= F_OFD_GETLK and process:
        raise EINVAL
    if whence == SEEK_CUR:
        start += file.position
    elif whence == SEEK_END:
        start += file.inode.get_attributes().size
    elif whence != SEEK_SET:
        raise EINVAL
    end = OFFSET_MAX
    if size > 0:
        end = start + size - 1
    elif size < 0:
        start, end = start + size, start - 1
    if start < 0:
        raise EINVAL
    if end > OFFSET_MAX or start > OFFSET_MAX:
        raise EOVERFLOW
    return kind, start, end
