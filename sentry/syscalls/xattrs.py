"""Extended attributes: setxattr(2), getxattr(2), listxattr(2), removexattr(2) in three forms each.

Rights and names: `vfs/xattrs.py`.
"""

from runsc_py.sentry.abi.files import (
    AT_FDCWD,
    XATTR_CREATE,
    XATTR_NAME_MAX,
    XATTR_REPLACE,
    XATTR_SIZE_MAX,
)
from runsc_py.sentry.errors import E2BIG, EINVAL, ENAMETOOLONG, ERANGE
from runsc_py.sentry.kernel.task import Task
from runsc_py.sentry.syscalls.places import place_at
from runsc_py.sentry.syscalls.table import syscall
from runsc_py.sentry.syscalls.types import (
    Fd,
    InBuffer,
    OutBuffer,
    PathAddress,
    Size,
    StringAddress,
    XattrFlags,
)
from runsc_py.sentry.vfs.path import Path
from runsc_py.sentry.vfs.xattrs import get_xattr, list_xattrs, remove_xattr, set_xattr


def _name(task: Task, address: int) -> bytes:
    """The attribute's name.  Errors: ERANGE (empty or too long), EFAULT."""
    try:
        name = task.memory.copy_in_string(address, XATTR_NAME_MAX + 1)
    except ENAMETOOLONG:
        raise ERANGE from None
    if not name:
        raise ERANGE
    return name


def _place(task: Task, path: int, *, follow: bool) -> Path:
    return place_at(task, AT_FDCWD, path, 0, follow=follow)


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
    return _set(task, _place(task, path, follow=True), name, value, size, flags)


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
    return _set(task, _place(task, path, follow=False), name, value, size, flags)


@syscall(190, "fsetxattr")
def fsetxattr(
    task: Task, fd: Fd, name: StringAddress, value: InBuffer, size: Size, flags: XattrFlags
) -> int:
    """fsetxattr(2)"""
    return _set(task, task.files.get_io(fd).path, name, value, size, flags)


def _set(task: Task, place: Path, name: int, value: int, size: int, flags: int) -> int:
    if flags & ~(XATTR_CREATE | XATTR_REPLACE):
        raise EINVAL
    attribute = _name(task, name)
    if size > XATTR_SIZE_MAX:
        raise E2BIG
    data = task.memory.copy_in(value, size) if size else b""
    set_xattr(task.credentials, place, attribute, data, flags)
    return 0


# -- get ------------------------------------------------------------------------------


@syscall(191, "getxattr")
def getxattr(
    task: Task, path: PathAddress, name: StringAddress, value: OutBuffer, size: Size
) -> int:
    """getxattr(2)"""
    return _get(task, _place(task, path, follow=True), name, value, size)


@syscall(192, "lgetxattr")
def lgetxattr(
    task: Task, path: PathAddress, name: StringAddress, value: OutBuffer, size: Size
) -> int:
    """lgetxattr(2)"""
    return _get(task, _place(task, path, follow=False), name, value, size)


@syscall(193, "fgetxattr")
def fgetxattr(task: Task, fd: Fd, name: StringAddress, value: OutBuffer, size: Size) -> int:
    """fgetxattr(2)"""
    return _get(task, task.files.get_io(fd).path, name, value, size)


def _get(task: Task, place: Path, name: int, address: int, size: int) -> int:
    return _put(task, get_xattr(task.credentials, place, _name(task, name)), address, size)


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
    return _list(task, _place(task, path, follow=True), names, size)


@syscall(195, "llistxattr")
def llistxattr(task: Task, path: PathAddress, names: OutBuffer, size: Size) -> int:
    """llistxattr(2)"""
    return _list(task, _place(task, path, follow=False), names, size)


@syscall(196, "flistxattr")
def flistxattr(task: Task, fd: Fd, names: OutBuffer, size: Size) -> int:
    """flistxattr(2)"""
    return _list(task, task.files.get_io(fd).path, names, size)


def _list(task: Task, place: Path, names: int, size: int) -> int:
    return _put(task, list_xattrs(task.credentials, place), names, size)


# -- remove -----------------------------------------------------------------------------


@syscall(197, "removexattr")
def removexattr(task: Task, path: PathAddress, name: StringAddress) -> int:
    """removexattr(2)"""
    return _remove(task, _place(task, path, follow=True), name)


@syscall(198, "lremovexattr")
def lremovexattr(task: Task, path: PathAddress, name: StringAddress) -> int:
    """lremovexattr(2)"""
    return _remove(task, _place(task, path, follow=False), name)


@syscall(199, "fremovexattr")
def fremovexattr(task: Task, fd: Fd, name: StringAddress) -> int:
    """fremovexattr(2)"""
    return _remove(task, task.files.get_io(fd).path, name)


def _remove(task: Task, place: Path, name: int) -> int:
    remove_xattr(task.credentials, place, _name(task, name))
    return 0
