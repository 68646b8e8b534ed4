"""Extended attributes: setxattr(2), getxattr(2), listxattr(2), removexattr(2) in four forms each.

Names and values are copied in before the walk, as in Linux.  Rights: `vfs/xattrs.py`.
"""

import struct

from runsc_py.sentry.abi.files import (
    AT_EMPTY_PATH,
    AT_FDCWD,
    AT_SYMLINK_NOFOLLOW,
    XATTR_CREATE,
    XATTR_LIST_MAX,
    XATTR_NAME_MAX,
    XATTR_REPLACE,
    XATTR_SIZE_MAX,
)
from runsc_py.sentry.errors import E2BIG, EINVAL, ENAMETOOLONG, ERANGE
from runsc_py.sentry.kernel.task import Task
from runsc_py.sentry.syscalls.places import io_place_at
from runsc_py.sentry.syscalls.table import syscall
from runsc_py.sentry.syscalls.types import (
    Address,
    AtFlags,
    DirectoryFd,
    Fd,
    InBuffer,
    OutBuffer,
    PathAddress,
    Size,
    StringAddress,
    XattrFlags,
)
from runsc_py.sentry.vfs.xattrs import get_xattr, list_xattrs, remove_xattr, set_xattr

#: struct xattr_args: value, size, flags
_ARGUMENTS = struct.Struct("<QII")
_PAGE_SIZE = 4096


def _name(task: Task, address: int) -> bytes:
    """The attribute's name.  Errors: ERANGE (empty or too long), EFAULT."""
    try:
        name = task.memory.copy_in_string(address, XATTR_NAME_MAX + 1)
    except ENAMETOOLONG:
        raise ERANGE from None
    if not name:
        raise ERANGE
    return name


def _check_at_flags(flags: int) -> None:
    if flags & ~(AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH):
        raise EINVAL


def _arguments(task: Task, address: int, size: int) -> tuple[int, int, int]:
    """struct xattr_args as (value, size, flags).  Errors: EINVAL, E2BIG, EFAULT."""
    if size < _ARGUMENTS.size:
        raise EINVAL
    if size > _PAGE_SIZE:
        raise E2BIG
    raw = task.memory.copy_in_extensible(address, size, _ARGUMENTS.size)
    value, length, flags = _ARGUMENTS.unpack(raw)
    return value, length, flags


# -- set ------------------------------------------------------------------------------


@syscall(188, "setxattr")
def setxattr(
    task: Task,
    path: PathAddress,
    name: StringAddress,
    value: InBuffer,
    size: Size,
    flags: XattrFlags,
) -> int:
    """setxattr(2)"""
    return _set(task, AT_FDCWD, path, 0, name, value, size, flags)


@syscall(189, "lsetxattr")
def lsetxattr(
    task: Task,
    path: PathAddress,
    name: StringAddress,
    value: InBuffer,
    size: Size,
    flags: XattrFlags,
) -> int:
    """lsetxattr(2)"""
    return _set(task, AT_FDCWD, path, AT_SYMLINK_NOFOLLOW, name, value, size, flags)


@syscall(190, "fsetxattr")
def fsetxattr(
    task: Task, fd: Fd, name: StringAddress, value: InBuffer, size: Size, flags: XattrFlags
) -> int:
    """fsetxattr(2)"""
    return _set(task, fd, 0, AT_EMPTY_PATH, name, value, size, flags)


@syscall(463, "setxattrat")
def setxattrat(
    task: Task,
    directory: DirectoryFd,
    path: PathAddress,
    at_flags: AtFlags,
    name: StringAddress,
    arguments: Address,
    size: Size,
) -> int:
    """setxattrat(2)"""
    value, length, flags = _arguments(task, arguments, size)
    return _set(task, directory, path, at_flags, name, value, length, flags)


def _set(
    task: Task,
    directory: int,
    path: int,
    at_flags: int,
    name: int,
    value: int,
    size: int,
    flags: int,
) -> int:
    _check_at_flags(at_flags)
    if flags & ~(XATTR_CREATE | XATTR_REPLACE):
        raise EINVAL
    attribute = _name(task, name)
    if size > XATTR_SIZE_MAX:
        raise E2BIG
    data = task.memory.copy_in(value, size) if size else b""
    place = io_place_at(task, directory, path, at_flags)
    set_xattr(task.credentials, place, attribute, data, flags)
    return 0


# -- get ------------------------------------------------------------------------------


@syscall(191, "getxattr")
def getxattr(
    task: Task, path: PathAddress, name: StringAddress, value: OutBuffer, size: Size
) -> int:
    """getxattr(2)"""
    return _get(task, AT_FDCWD, path, 0, name, value, size)


@syscall(192, "lgetxattr")
def lgetxattr(
    task: Task, path: PathAddress, name: StringAddress, value: OutBuffer, size: Size
) -> int:
    """lgetxattr(2)"""
    return _get(task, AT_FDCWD, path, AT_SYMLINK_NOFOLLOW, name, value, size)


@syscall(193, "fgetxattr")
def fgetxattr(task: Task, fd: Fd, name: StringAddress, value: OutBuffer, size: Size) -> int:
    """fgetxattr(2)"""
    return _get(task, fd, 0, AT_EMPTY_PATH, name, value, size)


@syscall(464, "getxattrat")
def getxattrat(
    task: Task,
    directory: DirectoryFd,
    path: PathAddress,
    at_flags: AtFlags,
    name: StringAddress,
    arguments: Address,
    size: Size,
) -> int:
    """getxattrat(2)"""
    value, length, flags = _arguments(task, arguments, size)
    if flags:
        raise EINVAL
    return _get(task, directory, path, at_flags, name, value, length)


def _get(
    task: Task, directory: int, path: int, at_flags: int, name: int, address: int, size: int
) -> int:
    _check_at_flags(at_flags)
    attribute = _name(task, name)
    place = io_place_at(task, directory, path, at_flags)
    return _put(task, get_xattr(task.credentials, place, attribute), address, size)


def _put(task: Task, data: bytes, address: int, size: int) -> int:
    """Copy out what fits as a whole; size 0 asks for the length.  Errors: ERANGE."""
    if size:
        if len(data) > size:
            raise ERANGE
        if data:
            task.memory.copy_out(address, data)
    return len(data)


# -- list -----------------------------------------------------------------------------


@syscall(194, "listxattr")
def listxattr(task: Task, path: PathAddress, names: OutBuffer, size: Size) -> int:
    """listxattr(2)"""
    return _list(task, AT_FDCWD, path, 0, names, size)


@syscall(195, "llistxattr")
def llistxattr(task: Task, path: PathAddress, names: OutBuffer, size: Size) -> int:
    """llistxattr(2)"""
    return _list(task, AT_FDCWD, path, AT_SYMLINK_NOFOLLOW, names, size)


@syscall(196, "flistxattr")
def flistxattr(task: Task, fd: Fd, names: OutBuffer, size: Size) -> int:
    """flistxattr(2)"""
    return _list(task, fd, 0, AT_EMPTY_PATH, names, size)


@syscall(465, "listxattrat")
def listxattrat(
    task: Task,
    directory: DirectoryFd,
    path: PathAddress,
    at_flags: AtFlags,
    names: OutBuffer,
    size: Size,
) -> int:
    """listxattrat(2)"""
    return _list(task, directory, path, at_flags, names, size)


def _list(task: Task, directory: int, path: int, at_flags: int, names: int, size: int) -> int:
    _check_at_flags(at_flags)
    place = io_place_at(task, directory, path, at_flags, needs_descriptor=True)
    text = list_xattrs(task.credentials, place)
    if size >= XATTR_LIST_MAX < len(text):
        raise E2BIG
    return _put(task, text, names, size)


# -- remove -----------------------------------------------------------------------------


@syscall(197, "removexattr")
def removexattr(task: Task, path: PathAddress, name: StringAddress) -> int:
    """removexattr(2)"""
    return _remove(task, AT_FDCWD, path, 0, name)


@syscall(198, "lremovexattr")
def lremovexattr(task: Task, path: PathAddress, name: StringAddress) -> int:
    """lremovexattr(2)"""
    return _remove(task, AT_FDCWD, path, AT_SYMLINK_NOFOLLOW, name)


@syscall(199, "fremovexattr")
def fremovexattr(task: Task, fd: Fd, name: StringAddress) -> int:
    """fremovexattr(2)"""
    return _remove(task, fd, 0, AT_EMPTY_PATH, name)


@syscall(466, "removexattrat")
def removexattrat(
    task: Task, directory: DirectoryFd, path: PathAddress, at_flags: AtFlags, name: StringAddress
) -> int:
    """removexattrat(2)"""
    return _remove(task, directory, path, at_flags, name)


def _remove(task: Task, directory: int, path: int, at_flags: int, name: int) -> int:
    _check_at_flags(at_flags)
    attribute = _name(task, name)
    place = io_place_at(task, directory, path, at_flags, needs_descriptor=True)
    remove_xattr(task.credentials, place, attribute)
    return 0
