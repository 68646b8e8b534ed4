"""file_getattr(2), file_setattr(2), and the requests of ioctl(2) that do the same.

ioctl_iflags(2), ioctl_xfs_fsgetxattr(2).  What flags mean: `vfs/file_flags.py`.
"""

import struct

from runsc_py.sentry.abi.files import (
    AT_EMPTY_PATH,
    AT_SYMLINK_NOFOLLOW,
    FS_IOC_FSGETXATTR,
    FS_IOC_GETFLAGS,
    FS_IOC_SETFLAGS,
)
from runsc_py.sentry.errors import E2BIG, EINVAL, ENOTTY, EOPNOTSUPP
from runsc_py.sentry.kernel.task import Task
from runsc_py.sentry.syscalls.places import io_place_at
from runsc_py.sentry.syscalls.table import syscall
from runsc_py.sentry.syscalls.types import Address, AtFlags, DirectoryFd, PathAddress, Size
from runsc_py.sentry.vfs.file_flags import extended_flags, flags_of_extended, set_file_flags
from runsc_py.sentry.vfs.open_file import OpenFile
from runsc_py.sentry.vfs.path import Path

_FLAGS = struct.Struct("<I")
#: struct fsxattr: flags, extent size, extents, project, copy-on-write extent size
_FSXATTR = struct.Struct("<5I8x")
#: struct file_attr: the same, with wide flags
_FILE_ATTR = struct.Struct("<Q4I")
_PAGE_SIZE = 4096
#: every FS_XFLAG_… that Linux 6.18 knows
_KNOWN_EXTENDED = 0x8001FFFB
#: those that tell something and cannot be set: FS_XFLAG_PREALLOC, FS_XFLAG_HASATTR
_READ_ONLY_EXTENDED = 0x80000002
#: FS_XFLAG_EXTSIZE, FS_XFLAG_EXTSZINHERIT and FS_XFLAG_COWEXTSIZE, which a size of 0 turns off
_EXTENT_SIZE = 0x1800
_COW_EXTENT_SIZE = 0x10000


@syscall(468, "file_getattr")
def file_getattr(
    task: Task,
    directory: DirectoryFd,
    path: PathAddress,
    attributes: Address,
    size: Size,
    flags: AtFlags,
) -> int:
    """file_getattr(2)"""
    place = _place(task, directory, path, size, flags)
    try:
        known = place.inode.get_flags()
    except ENOTTY:
        raise EOPNOTSUPP from None
    value = _FILE_ATTR.pack(extended_flags(known), 0, 0, 0, 0)
    task.memory.copy_out(attributes, value.ljust(size, b"\0"))
    return 0


@syscall(469, "file_setattr")
def file_setattr(
    task: Task,
    directory: DirectoryFd,
    path: PathAddress,
    attributes: Address,
    size: Size,
    flags: AtFlags,
) -> int:
    """file_setattr(2)"""
    _check(size, flags)
    raw = task.memory.copy_in_extensible(attributes, size, _FILE_ATTR.size)
    extended, *others = _FILE_ATTR.unpack(raw)
    if extended & ~_KNOWN_EXTENDED:
        raise EINVAL
    place = _place(task, directory, path, size, flags)
    try:
        _set_extended(task, place, extended & ~_READ_ONLY_EXTENDED, others)
    except ENOTTY:
        raise EOPNOTSUPP from None
    return 0


def _check(size: int, flags: int) -> None:
    if flags & ~(AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH):
        raise EINVAL
    if size > _PAGE_SIZE:
        raise E2BIG
    if size < _FILE_ATTR.size:
        raise EINVAL


def _place(task: Task, directory: int, path: int, size: int, flags: int) -> Path:
    _check(size, flags)
    return io_place_at(task, directory, path, flags)


def _set_extended(task: Task, place: Path, extended: int, others: list[int]) -> None:
    """`others`: extent size, number of extents (ignored), project, copy-on-write extent size."""
    if not others[0]:
        extended &= ~_EXTENT_SIZE
    if not others[3]:
        extended &= ~_COW_EXTENT_SIZE
    flags = flags_of_extended(extended)
    if others[0] or others[2] or others[3]:
        place.inode.get_flags()
        raise EOPNOTSUPP
    set_file_flags(task.credentials, place, flags)


def flags_request(task: Task, file: OpenFile, request: int, argument: int) -> int:
    """One of FLAG_REQUESTS.  Errors: ENOTTY where the file system has no flags."""
    inode = file.inode
    if request == FS_IOC_GETFLAGS:
        task.memory.copy_out(argument, _FLAGS.pack(inode.get_flags()))
    elif request == FS_IOC_FSGETXATTR:
        value = _FSXATTR.pack(extended_flags(inode.get_flags()), 0, 0, 0, 0)
        task.memory.copy_out(argument, value)
    elif request == FS_IOC_SETFLAGS:
        (flags,) = _FLAGS.unpack(task.memory.copy_in(argument, _FLAGS.size))
        set_file_flags(task.credentials, file.path, flags)
    else:
        extended, *others = _FSXATTR.unpack(task.memory.copy_in(argument, _FSXATTR.size))
        _set_extended(task, file.path, extended & ~_READ_ONLY_EXTENDED, others)
    return 0
