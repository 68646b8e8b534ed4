"""open(2), openat(2), openat2(2), creat(2), close(2), close_range(2).

What opening means: `vfs/opening.py`.
"""

from runsc_py.sentry.abi.files import (
    AT_FDCWD,
    CLOSE_RANGE_CLOEXEC,
    CLOSE_RANGE_UNSHARE,
    OPEN_HOW,
)
from runsc_py.sentry.errors import E2BIG, EAGAIN, EINVAL
from runsc_py.sentry.kernel.task import Task
from runsc_py.sentry.syscalls.blocking import without_lease
from runsc_py.sentry.syscalls.places import start_of
from runsc_py.sentry.syscalls.table import syscall
from runsc_py.sentry.syscalls.types import (
    CloseRangeFlags,
    DirectoryFd,
    Fd,
    InOpenHow,
    Mode,
    OpenFlags,
    PathAddress,
    Size,
    UnsignedInt,
)
from runsc_py.sentry.vfs.leases import LeaseHeld
from runsc_py.sentry.vfs.open_file import (
    O_ACCMODE,
    O_CLOEXEC,
    O_CREAT,
    O_DIRECTORY,
    O_EXCL,
    O_LARGEFILE,
    O_NOCTTY,
    O_NOFOLLOW,
    O_PATH,
    O_RDONLY,
    O_TMPFILE,
    O_TRUNC,
    O_WRONLY,
    OpenFile,
)
from runsc_py.sentry.vfs.opening import open_file
from runsc_py.sentry.vfs.walk import (
    RESOLVE_ALL,
    RESOLVE_BENEATH,
    RESOLVE_CACHED,
    RESOLVE_IN_ROOT,
)

#: every flag that open(2) knows; openat2(2) refuses others
_KNOWN_FLAGS = 0o37777703
_TMPFILE_BIT = O_TMPFILE & ~O_DIRECTORY
_PATH_FLAGS = O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC
#: flags that only the opening itself needs; the description does not keep them
_CREATION_FLAGS = O_CREAT | O_EXCL | O_NOCTTY | O_TRUNC
_PAGE_SIZE = 4096


@syscall(2, "open")
async def open(task: Task, path: PathAddress, flags: OpenFlags, mode: Mode) -> int:  # noqa: A001
    """open(2)"""
    return await _open(task, AT_FDCWD, task.memory.copy_in_string(path), flags, mode)


@syscall(257, "openat")
async def openat(
    task: Task, directory: DirectoryFd, path: PathAddress, flags: OpenFlags, mode: Mode
) -> int:
    """openat(2)"""
    return await _open(task, directory, task.memory.copy_in_string(path), flags, mode)


@syscall(85, "creat")
async def creat(task: Task, path: PathAddress, mode: Mode) -> int:
    """creat(2)"""
    flags = O_CREAT | O_WRONLY | O_TRUNC
    return await _open(task, AT_FDCWD, task.memory.copy_in_string(path), flags, mode)


@syscall(437, "openat2")
async def openat2(
    task: Task, directory: DirectoryFd, path: PathAddress, how: InOpenHow, size: Size
) -> int:
    """openat2(2): unknown flags are errors here, and `resolve` restricts the walk."""
    if size < OPEN_HOW.size:
        raise EINVAL
    if size > _PAGE_SIZE:
        raise E2BIG
    data = task.memory.copy_in_extensible(how, size, OPEN_HOW.size)
    flags, mode, resolve = OPEN_HOW.unpack(data)
    if flags & ~_KNOWN_FLAGS or resolve & ~RESOLVE_ALL:
        raise EINVAL
    both = RESOLVE_BENEATH | RESOLVE_IN_ROOT
    if resolve & both == both:
        raise EINVAL
    makes = flags & O_CREAT or flags & _TMPFILE_BIT
    if mode & ~0o7777 if makes else mode:
        raise EINVAL
    if flags & O_PATH and flags & ~_PATH_FLAGS:
        raise EINVAL
    if resolve & RESOLVE_CACHED and flags & (O_TRUNC | O_CREAT | _TMPFILE_BIT):
        raise EAGAIN
    return await _open(task, directory, task.memory.copy_in_string(path), flags, mode, resolve)


async def _open(
    task: Task, directory: int, path: bytes, flags: int, mode: int, resolve: int = 0
) -> int:
    """open(2) with the path copied in."""
    flags = checked_flags(flags)
    # As Linux, which reserves the descriptor first: EMFILE comes before what the walk finds.
    task.files.free_descriptor()
    start = start_of(task, directory, path)
    if resolve & (RESOLVE_BENEATH | RESOLVE_IN_ROOT) and directory != AT_FDCWD:
        start = task.files.get(directory).path  # it counts for absolute paths, too
    try:
        file = open_file(task, path, flags, mode, start, resolve)
    except LeaseHeld:
        file = await without_lease(task, lambda: open_file(task, path, flags, mode, start, resolve))
    if file.opening_waits:
        file.acquire()
        try:
            await file.wait_opened(task)
            return install(task, file, flags)
        finally:
            file.drop()
    return install(task, file, flags)


def install(task: Task, file: OpenFile, flags: int) -> int:
    """Give what was opened a descriptor; the flags of the opening itself are forgotten."""
    file.flags &= ~(_CREATION_FLAGS | O_CLOEXEC)
    return task.files.add(file, bool(flags & O_CLOEXEC))


def checked_flags(flags: int) -> int:
    """Open flags as Linux's build_open_flags leaves them.  Errors: EINVAL."""
    flags &= _KNOWN_FLAGS
    if flags & O_PATH:
        return flags & _PATH_FLAGS
    if flags & _TMPFILE_BIT:
        if flags & O_TMPFILE != O_TMPFILE or flags & O_CREAT or flags & O_ACCMODE == O_RDONLY:
            raise EINVAL
    elif flags & (O_CREAT | O_DIRECTORY) == O_CREAT | O_DIRECTORY:
        raise EINVAL  # since Linux 6.4
    return flags | O_LARGEFILE


@syscall(3, "close")
def close(task: Task, fd: Fd) -> int:
    """close(2)"""
    task.files.remove(task, fd)
    return 0


@syscall(436, "close_range")
def close_range(task: Task, first: UnsignedInt, last: UnsignedInt, flags: CloseRangeFlags) -> int:
    """close_range(2)"""
    if flags & ~(CLOSE_RANGE_UNSHARE | CLOSE_RANGE_CLOEXEC) or first > last:
        raise EINVAL
    if flags & CLOSE_RANGE_UNSHARE and task.files.users > 1:
        shared = task.files
        task.files = shared.fork()
        shared.release(task)
    task.files.close_range(task, first, last, only_mark=bool(flags & CLOSE_RANGE_CLOEXEC))
    return 0
