"""chmod(2), chown(2), truncate(2), fallocate(2), utimensat(2) and their relatives."""

from runsc_py.sentry.abi.files import (
    AT_EMPTY_PATH,
    AT_FDCWD,
    AT_SYMLINK_NOFOLLOW,
    UTIMBUF,
    UTIME_NOW,
    UTIME_OMIT,
)
from runsc_py.sentry.abi.inotify import IN_MODIFY
from runsc_py.sentry.abi.time import NANOSECONDS, TIMESPEC, TIMEVAL
from runsc_py.sentry.auth.user_namespace import NO_ID
from runsc_py.sentry.errors import EBADF, EFAULT, EFBIG, EINVAL, ENODEV, EOPNOTSUPP, ESPIPE
from runsc_py.sentry.kernel.task import Task
from runsc_py.sentry.syscalls.blocking import without_lease
from runsc_py.sentry.syscalls.places import place_at
from runsc_py.sentry.syscalls.table import syscall
from runsc_py.sentry.syscalls.types import (
    Address,
    AtFlags,
    DirectoryFd,
    FallocateMode,
    Fd,
    InTimespecs2,
    InTimevals2,
    Mode,
    Offset,
    PathAddress,
    Uid,
)
from runsc_py.sentry.vfs.attribute_operations import (
    change_mode,
    change_owner,
    check_file_size,
    remove_set_ids,
    set_times,
    touch,
    truncate,
)
from runsc_py.sentry.vfs.attributes import S_IFIFO, S_IFMT, S_IFREG
from runsc_py.sentry.vfs.notification import notify_path
from runsc_py.sentry.vfs.path import Path
from runsc_py.sentry.vfs.protection import check_not_immutable, check_overwritable

_OFFSET_MAX = (1 << 63) - 1
_TIME_MAX = (1 << 63) - 1
_FALLOC_FL_KEEP_SIZE = 1
_FALLOC_FL_PUNCH_HOLE = 2
_FALLOC_FL_COLLAPSE_RANGE = 8
_FALLOC_FL_ZERO_RANGE = 0x10
_FALLOC_FL_INSERT_RANGE = 0x20
_FALLOC_FL_UNSHARE_RANGE = 0x40
#: what may be asked for, whatever a file system can do of it
_FALLOCATE_MODES = frozenset(
    (
        0,
        _FALLOC_FL_KEEP_SIZE,
        _FALLOC_FL_PUNCH_HOLE | _FALLOC_FL_KEEP_SIZE,
        _FALLOC_FL_ZERO_RANGE,
        _FALLOC_FL_ZERO_RANGE | _FALLOC_FL_KEEP_SIZE,
        _FALLOC_FL_UNSHARE_RANGE,
        _FALLOC_FL_UNSHARE_RANGE | _FALLOC_FL_KEEP_SIZE,
        _FALLOC_FL_COLLAPSE_RANGE,
        _FALLOC_FL_INSERT_RANGE,
    )
)

# -- mode ---------------------------------------------------------------------------


@syscall(90, "chmod")
def chmod(task: Task, path: PathAddress, mode: Mode) -> int:
    """chmod(2)"""
    change_mode(task, place_at(task, AT_FDCWD, path, 0, follow=True), mode)
    return 0


@syscall(91, "fchmod")
def fchmod(task: Task, fd: Fd, mode: Mode) -> int:
    """fchmod(2)"""
    change_mode(task, task.files.get_io(fd).path, mode)
    return 0


@syscall(268, "fchmodat")
def fchmodat(task: Task, directory: DirectoryFd, path: PathAddress, mode: Mode) -> int:
    """fchmodat(2) as the kernel has it: without flags."""
    change_mode(task, place_at(task, directory, path, 0, follow=True), mode)
    return 0


@syscall(452, "fchmodat2")
def fchmodat2(
    task: Task, directory: DirectoryFd, path: PathAddress, mode: Mode, flags: AtFlags
) -> int:
    """fchmodat2(2)"""
    if flags & ~(AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH):
        raise EINVAL
    follow = not flags & AT_SYMLINK_NOFOLLOW
    change_mode(task, place_at(task, directory, path, flags, follow=follow), mode)
    return 0


# -- owner ---------------------------------------------------------------------------


@syscall(92, "chown")
def chown(task: Task, path: PathAddress, uid: Uid, gid: Uid) -> int:
    """chown(2)"""
    return _chown(task, place_at(task, AT_FDCWD, path, 0, follow=True), uid, gid)


@syscall(94, "lchown")
def lchown(task: Task, path: PathAddress, uid: Uid, gid: Uid) -> int:
    """lchown(2)"""
    return _chown(task, place_at(task, AT_FDCWD, path, 0, follow=False), uid, gid)


@syscall(93, "fchown")
def fchown(task: Task, fd: Fd, uid: Uid, gid: Uid) -> int:
    """fchown(2)"""
    return _chown(task, task.files.get_io(fd).path, uid, gid)


@syscall(260, "fchownat")
def fchownat(
    task: Task, directory: DirectoryFd, path: PathAddress, uid: Uid, gid: Uid, flags: AtFlags
) -> int:
    """fchownat(2)"""
    if flags & ~(AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH):
        raise EINVAL
    follow = not flags & AT_SYMLINK_NOFOLLOW
    return _chown(task, place_at(task, directory, path, flags, follow=follow), uid, gid)


def _chown(task: Task, place: Path, uid: int, gid: int) -> int:
    namespace = task.credentials.user_namespace
    global_uid = global_gid = None
    if uid & 0xFFFFFFFF != NO_ID:
        global_uid = namespace.uid_map.to_global(uid & 0xFFFFFFFF)
        if global_uid is None:
            raise EINVAL
    if gid & 0xFFFFFFFF != NO_ID:
        global_gid = namespace.gid_map.to_global(gid & 0xFFFFFFFF)
        if global_gid is None:
            raise EINVAL
    change_owner(task, place, global_uid, global_gid)
    return 0


# -- size ----------------------------------------------------------------------------


@syscall(76, "truncate")
async def truncate_(task: Task, path: PathAddress, size: Offset) -> int:
    """truncate(2)"""
    if size < 0:
        raise EINVAL
    place = place_at(task, AT_FDCWD, path, 0, follow=True)
    await without_lease(task, lambda: truncate(task, place, size))
    return 0


@syscall(77, "ftruncate")
def ftruncate(task: Task, fd: Fd, size: Offset) -> int:
    """ftruncate(2)"""
    if size < 0:
        raise EINVAL
    file = task.files.get_io(fd)
    if file.inode.mode & S_IFMT != S_IFREG or not file.writable:
        raise EINVAL
    check_overwritable(file.inode)
    check_file_size(task, size)
    file.truncate(size)
    notify_path(file.path, IN_MODIFY)
    remove_set_ids(task, file.inode)
    return 0


@syscall(285, "fallocate")
def fallocate(task: Task, fd: Fd, mode: FallocateMode, offset: Offset, size: Offset) -> int:
    """fallocate(2)"""
    file = task.files.get_io(fd)
    if offset < 0 or size <= 0:
        raise EINVAL
    if mode not in _FALLOCATE_MODES:
        raise EOPNOTSUPP
    if not file.writable:
        raise EBADF
    if mode & ~_FALLOC_FL_KEEP_SIZE:
        check_overwritable(file.inode)
    check_not_immutable(file.inode)
    kind = file.inode.mode & S_IFMT
    if kind == S_IFIFO:
        raise ESPIPE
    if kind != S_IFREG:
        raise ENODEV
    if offset + size > _OFFSET_MAX:
        raise EFBIG
    if not mode & _FALLOC_FL_KEEP_SIZE:
        check_file_size(task, offset + size)
    file.allocate(mode, offset, size)
    notify_path(file.path, IN_MODIFY)
    remove_set_ids(task, file.inode)
    return 0


# -- times ----------------------------------------------------------------------------


@syscall(280, "utimensat")
def utimensat(
    task: Task, directory: DirectoryFd, path: PathAddress, times: InTimespecs2, flags: AtFlags
) -> int:
    """utimensat(2); a null path is the descriptor itself (futimens(3))."""
    pair = None
    if times:
        data = task.memory.copy_in(times, 2 * TIMESPEC.size)
        pair = (_from_timespec(task, data, 0), _from_timespec(task, data, TIMESPEC.size))
        if pair[0] is None and pair[1] is None:
            return 0  # before the path is even looked at
        if _is_now(data, 0) and _is_now(data, TIMESPEC.size):
            pair = None
    if flags & ~(AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH):
        raise EINVAL
    if not path and directory != AT_FDCWD:
        if flags:
            raise EINVAL
        place = task.files.get_io(directory).path
    else:
        follow = not flags & AT_SYMLINK_NOFOLLOW
        place = place_at(task, directory, path, flags, follow=follow)
    return _set_times(task, place, pair)


def _is_now(data: bytes, offset: int) -> bool:
    return bool(TIMESPEC.unpack_from(data, offset)[1] == UTIME_NOW)


def _from_timespec(task: Task, data: bytes, offset: int) -> int | None:
    """Nanoseconds since the epoch; None for UTIME_OMIT.  Errors: EINVAL."""
    seconds, nanoseconds = TIMESPEC.unpack_from(data, offset)
    if nanoseconds == UTIME_OMIT:
        return None
    if nanoseconds == UTIME_NOW:
        return task.kernel.clock.realtime()
    if not 0 <= nanoseconds < NANOSECONDS:
        raise EINVAL
    return _clamp(seconds * NANOSECONDS + nanoseconds)


def _clamp(nanoseconds: int) -> int:
    """Into what file systems here keep (1677 to 2262), as Linux does with what its ones do not."""
    return max(-_TIME_MAX, min(nanoseconds, _TIME_MAX))


def _set_times(task: Task, place: Path, pair: tuple[int | None, int | None] | None) -> int:
    if pair is None:
        touch(task, place)
    else:
        set_times(task, place, *pair)
    return 0


@syscall(132, "utime")
def utime(task: Task, path: PathAddress, times: Address) -> int:
    """utime(2)"""
    pair = None
    if times:
        access, modification = UTIMBUF.unpack(task.memory.copy_in(times, UTIMBUF.size))
        pair = (_clamp(access * NANOSECONDS), _clamp(modification * NANOSECONDS))
    return _set_times(task, place_at(task, AT_FDCWD, path, 0, follow=True), pair)


@syscall(235, "utimes")
def utimes(task: Task, path: PathAddress, times: InTimevals2) -> int:
    """utimes(2)"""
    pair = _copy_in_timevals(task, times)
    return _set_times(task, place_at(task, AT_FDCWD, path, 0, follow=True), pair)


@syscall(261, "futimesat")
def futimesat(task: Task, directory: DirectoryFd, path: PathAddress, times: InTimevals2) -> int:
    """futimesat(2)"""
    pair = _copy_in_timevals(task, times)
    if path:
        place = place_at(task, directory, path, 0, follow=True)
    elif directory == AT_FDCWD:
        raise EFAULT
    else:
        place = task.files.get_io(directory).path
    return _set_times(task, place, pair)


def _copy_in_timevals(task: Task, address: int) -> tuple[int, int] | None:
    """struct timeval[2] in ns; None for NULL.  Errors: EFAULT, EINVAL."""
    if not address:
        return None
    data = task.memory.copy_in(address, 2 * TIMEVAL.size)
    times: list[int] = []
    for offset in (0, TIMEVAL.size):
        seconds, microseconds = TIMEVAL.unpack_from(data, offset)
        if not 0 <= microseconds < 1_000_000:
            raise EINVAL
        times.append(_clamp(seconds * NANOSECONDS + microseconds * 1000))
    return times[0], times[1]
