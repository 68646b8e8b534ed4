"""fsopen(2), fsconfig(2), fsmount(2), fspick(2): a file system in steps.

What the steps do: `vfs/filesystem_context.py`; the mount that comes of it: `vfs/detached.py`.
"""

from runsc_py.sentry.abi.files import (
    AT_EMPTY_PATH,
    AT_FDCWD,
    FSCONFIG_CMD_CREATE,
    FSCONFIG_CMD_CREATE_EXCL,
    FSCONFIG_CMD_RECONFIGURE,
    FSCONFIG_SET_BINARY,
    FSCONFIG_SET_FD,
    FSCONFIG_SET_FLAG,
    FSCONFIG_SET_PATH,
    FSCONFIG_SET_PATH_EMPTY,
    FSCONFIG_SET_STRING,
)
from runsc_py.sentry.errors import EINVAL, ENAMETOOLONG, ENOENT, EOPNOTSUPP
from runsc_py.sentry.fs.context_file import ContextFile
from runsc_py.sentry.kernel.task import Task
from runsc_py.sentry.syscalls.opening import install
from runsc_py.sentry.syscalls.places import place_at
from runsc_py.sentry.syscalls.table import syscall
from runsc_py.sentry.syscalls.types import (
    Address,
    DirectoryFd,
    Fd,
    FsconfigCommand,
    FsmountFlags,
    FsopenFlags,
    FspickFlags,
    Int,
    MountAttributes,
    PathAddress,
    StringAddress,
)
from runsc_py.sentry.vfs.detached import mount_detached
from runsc_py.sentry.vfs.filesystem_context import FileSystemContext, type_called, type_of
from runsc_py.sentry.vfs.mount_attributes import flags_of_attributes
from runsc_py.sentry.vfs.mounting import check_may_mount
from runsc_py.sentry.vfs.open_file import O_CLOEXEC, O_PATH
from runsc_py.sentry.vfs.parameters import BINARY, FILE, FLAG, PATH, STRING, Given

_PAGE_SIZE = 4096
_LONGEST_STRING = 256
_LARGEST_BINARY = 1 << 20

_FSOPEN_CLOEXEC = 1
_FSMOUNT_CLOEXEC = 1
_FSPICK_CLOEXEC = 1
_FSPICK_SYMLINK_NOFOLLOW = 2
_FSPICK_NO_AUTOMOUNT = 4
_FSPICK_EMPTY_PATH = 8


@syscall(430, "fsopen")
def fsopen(task: Task, name: StringAddress, flags: FsopenFlags) -> int:
    """fsopen(2)"""
    check_may_mount(task)
    if flags & ~_FSOPEN_CLOEXEC:
        raise EINVAL
    kind = type_called(task, _string(task, name, _PAGE_SIZE))
    return _install(task, FileSystemContext(task, kind), bool(flags & _FSOPEN_CLOEXEC))


@syscall(433, "fspick")
def fspick(task: Task, directory: DirectoryFd, path: PathAddress, flags: FspickFlags) -> int:
    """fspick(2)"""
    check_may_mount(task)
    known = _FSPICK_CLOEXEC | _FSPICK_SYMLINK_NOFOLLOW | _FSPICK_NO_AUTOMOUNT | _FSPICK_EMPTY_PATH
    if flags & ~known:
        raise EINVAL
    place = place_at(
        task,
        directory,
        path,
        AT_EMPTY_PATH if flags & _FSPICK_EMPTY_PATH else 0,
        follow=not flags & _FSPICK_SYMLINK_NOFOLLOW,
    )
    if place.dentry is not place.mount.root:
        raise EINVAL
    filesystem = place.mount.filesystem
    context = FileSystemContext(task, type_of(task, filesystem), filesystem)
    return _install(task, context, bool(flags & _FSPICK_CLOEXEC))


def _install(task: Task, context: FileSystemContext, close_on_exec: bool) -> int:
    return task.files.add(ContextFile(task, context), close_on_exec)


@syscall(431, "fsconfig")
def fsconfig(
    task: Task, fd: Fd, command: FsconfigCommand, key: StringAddress, value: Address, auxiliary: Int
) -> int:
    """fsconfig(2)"""
    if fd < 0:
        raise EINVAL
    _check_arguments(command, key, value, auxiliary)
    file = task.files.get_io(fd)
    if not isinstance(file, ContextFile):
        raise EINVAL
    context = file.context
    if command == FSCONFIG_CMD_RECONFIGURE:
        context.reconfigure(task)
    elif command in (FSCONFIG_CMD_CREATE, FSCONFIG_CMD_CREATE_EXCL):
        context.create(task, exclusive=command == FSCONFIG_CMD_CREATE_EXCL)
    else:
        name = _string(task, key, _LONGEST_STRING)
        context.set(task, name, _given(task, command, value, auxiliary))
    return 0


def _check_arguments(command: int, key: int, value: int, auxiliary: int) -> None:
    """Which of the arguments each command has.  Errors: EINVAL, EOPNOTSUPP."""
    if command == FSCONFIG_SET_FLAG:
        fits = key and not value and not auxiliary
    elif command == FSCONFIG_SET_STRING:
        fits = key and value and not auxiliary
    elif command == FSCONFIG_SET_BINARY:
        fits = key and value and 0 < auxiliary <= _LARGEST_BINARY
    elif command in (FSCONFIG_SET_PATH, FSCONFIG_SET_PATH_EMPTY):
        fits = key and value and (auxiliary == AT_FDCWD or auxiliary >= 0)
    elif command == FSCONFIG_SET_FD:
        fits = key and not value and auxiliary >= 0
    elif command in (FSCONFIG_CMD_CREATE, FSCONFIG_CMD_CREATE_EXCL, FSCONFIG_CMD_RECONFIGURE):
        fits = not key and not value and not auxiliary
    else:
        raise EOPNOTSUPP
    if not fits:
        raise EINVAL


def _given(task: Task, command: int, value: int, auxiliary: int) -> Given:
    """The value of a parameter.  Errors: EFAULT, EINVAL (too long), ENOENT, EBADF."""
    if command == FSCONFIG_SET_FLAG:
        return Given(FLAG)
    if command == FSCONFIG_SET_STRING:
        return Given(STRING, _string(task, value, _LONGEST_STRING))
    if command == FSCONFIG_SET_BINARY:
        return Given(BINARY, task.memory.copy_in(value, auxiliary))
    if command == FSCONFIG_SET_FD:
        return Given(FILE, file=task.files.get(auxiliary))
    path = task.memory.copy_in_string(value)
    if not path and command == FSCONFIG_SET_PATH:
        raise ENOENT
    return Given(PATH, path)


def _string(task: Task, address: int, limit: int) -> bytes:
    """strndup_user().  Errors: EFAULT, EINVAL (too long)."""
    try:
        return task.memory.copy_in_string(address, limit)
    except ENAMETOOLONG:
        raise EINVAL from None


@syscall(432, "fsmount")
def fsmount(task: Task, fd: Fd, flags: FsmountFlags, attributes: MountAttributes) -> int:
    """fsmount(2): a detached mount of what was made."""
    check_may_mount(task)
    if flags & ~_FSMOUNT_CLOEXEC:
        raise EINVAL
    mount_flags = flags_of_attributes(attributes)
    file = task.files.get_io(fd)
    if not isinstance(file, ContextFile):
        raise EINVAL
    tree = mount_detached(task, file.context, mount_flags)
    return install(task, tree, O_PATH | (O_CLOEXEC if flags & _FSMOUNT_CLOEXEC else 0))
