"""open_tree(2), move_mount(2), mount_setattr(2): mounts by descriptors.

What they do: `vfs/detached.py`, `vfs/mount_attributes.py`.
"""

from runsc_py.sentry.abi.files import (
    AT_EMPTY_PATH,
    AT_NO_AUTOMOUNT,
    AT_RECURSIVE,
    AT_SYMLINK_NOFOLLOW,
    MOUNT_ATTR,
)
from runsc_py.sentry.auth.capabilities import CAP_SYS_ADMIN
from runsc_py.sentry.auth.user_namespace import UserNamespace
from runsc_py.sentry.errors import E2BIG, EINVAL, EPERM
from runsc_py.sentry.fs.namespace_files import NamespaceFile
from runsc_py.sentry.kernel.task import Task
from runsc_py.sentry.syscalls.opening import install
from runsc_py.sentry.syscalls.places import place_at
from runsc_py.sentry.syscalls.table import Support, syscall
from runsc_py.sentry.syscalls.types import (
    Address,
    AtFlags,
    DirectoryFd,
    MoveMountFlags,
    OpenTreeFlags,
    PathAddress,
    Size,
)
from runsc_py.sentry.vfs.detached import move_tree, open_detached_copy, set_group
from runsc_py.sentry.vfs.mount_attributes import (
    MOUNT_ATTR_IDMAP,
    AttributeChange,
    set_mount_attributes,
)
from runsc_py.sentry.vfs.mounting import check_may_mount
from runsc_py.sentry.vfs.open_file import O_CLOEXEC, O_PATH, OpenFile
from runsc_py.sentry.vfs.opening import open_path

_PLACE_FLAGS = AT_EMPTY_PATH | AT_NO_AUTOMOUNT | AT_RECURSIVE | AT_SYMLINK_NOFOLLOW

_OPEN_TREE_CLONE = 1
_OPEN_TREE_CLOEXEC = O_CLOEXEC

_MOVE_MOUNT_F_SYMLINKS = 0x001
_MOVE_MOUNT_F_EMPTY_PATH = 0x004
_MOVE_MOUNT_T_SYMLINKS = 0x010
_MOVE_MOUNT_T_EMPTY_PATH = 0x040
_MOVE_MOUNT_SET_GROUP = 0x100
_MOVE_MOUNT_BENEATH = 0x200
#: those, and *_AUTOMOUNTS, which say nothing without automounts
_MOVE_MOUNT_FLAGS = 0x377

_PAGE_SIZE = 4096
_LARGEST_FD = (1 << 31) - 1


@syscall(428, "open_tree")
def open_tree(task: Task, directory: DirectoryFd, path: PathAddress, flags: OpenTreeFlags) -> int:
    """open_tree(2): a place, or a detached copy of what is mounted there."""
    file = _open_tree(task, directory, path, flags)
    return install(task, file, O_PATH | flags & _OPEN_TREE_CLOEXEC)


def _open_tree(task: Task, directory: int, path: int, flags: int) -> OpenFile:
    if flags & ~(_PLACE_FLAGS | _OPEN_TREE_CLONE | _OPEN_TREE_CLOEXEC):
        raise EINVAL
    clones = bool(flags & _OPEN_TREE_CLONE)
    if flags & AT_RECURSIVE and not clones:
        raise EINVAL
    if clones:
        check_may_mount(task)
    place = place_at(task, directory, path, flags, follow=not flags & AT_SYMLINK_NOFOLLOW)
    if clones:
        return open_detached_copy(task, place, recursive=bool(flags & AT_RECURSIVE))
    return open_path(task, place, O_PATH)


@syscall(467, "open_tree_attr")
def open_tree_attr(
    task: Task,
    directory: DirectoryFd,
    path: PathAddress,
    flags: OpenTreeFlags,
    attributes: Address,
    size: Size,
) -> int:
    """open_tree(2), and then mount_setattr(2)."""
    if not attributes and size:
        raise EINVAL
    file = _open_tree(task, directory, path, flags)
    if attributes:
        change = _attribute_change(task, attributes, size)
        if change is not None:
            recursive = bool(flags & AT_RECURSIVE)
            set_mount_attributes(task, file.path, change, recursive=recursive)
    return install(task, file, O_PATH | flags & _OPEN_TREE_CLOEXEC)


@syscall(442, "mount_setattr", support=Support.PARTIAL, note="no file system allows ID mapping")
def mount_setattr(
    task: Task,
    directory: DirectoryFd,
    path: PathAddress,
    flags: AtFlags,
    attributes: Address,
    size: Size,
) -> int:
    """mount_setattr(2)"""
    if flags & ~_PLACE_FLAGS:
        raise EINVAL
    change = _attribute_change(task, attributes, size)
    if change is None:
        return 0
    place = place_at(task, directory, path, flags, follow=not flags & AT_SYMLINK_NOFOLLOW)
    set_mount_attributes(task, place, change, recursive=bool(flags & AT_RECURSIVE))
    return 0


def _attribute_change(task: Task, address: int, size: int) -> AttributeChange | None:
    """The struct mount_attr; None when it asks for nothing.  Errors: E2BIG, EINVAL, EPERM…"""
    if size > _PAGE_SIZE:
        raise E2BIG
    if size < MOUNT_ATTR.size:
        raise EINVAL
    check_may_mount(task)
    data = task.memory.copy_in_extensible(address, size, MOUNT_ATTR.size)
    sets, clears, propagation, namespace = MOUNT_ATTR.unpack(data)
    if not (sets or clears or propagation):
        return None
    change = AttributeChange(sets, clears, propagation)
    if clears & MOUNT_ATTR_IDMAP:
        raise EINVAL
    if change.is_mapped:
        _check_mapping(task, namespace)
    return change


def _check_mapping(task: Task, descriptor: int) -> None:
    """The user namespace of MOUNT_ATTR_IDMAP.  Errors: EINVAL, EBADF, EPERM."""
    if descriptor > _LARGEST_FD:
        raise EINVAL
    file = task.files.get_io(descriptor)
    if not isinstance(file, NamespaceFile):
        raise EINVAL
    namespace = file.namespace_inode.namespace
    if not isinstance(namespace, UserNamespace):
        raise EINVAL
    if namespace.parent is None or not task.credentials.has_capability(CAP_SYS_ADMIN, namespace):
        raise EPERM


@syscall(429, "move_mount")
def move_mount(
    task: Task,
    from_directory: DirectoryFd,
    from_path: PathAddress,
    to_directory: DirectoryFd,
    to_path: PathAddress,
    flags: MoveMountFlags,
) -> int:
    """move_mount(2)"""
    check_may_mount(task)
    both = _MOVE_MOUNT_SET_GROUP | _MOVE_MOUNT_BENEATH
    if flags & ~_MOVE_MOUNT_FLAGS or flags & both == both:
        raise EINVAL
    place = place_at(
        task,
        to_directory,
        to_path,
        AT_EMPTY_PATH if flags & _MOVE_MOUNT_T_EMPTY_PATH else 0,
        follow=bool(flags & _MOVE_MOUNT_T_SYMLINKS),
    )
    source = place_at(
        task,
        from_directory,
        from_path,
        AT_EMPTY_PATH if flags & _MOVE_MOUNT_F_EMPTY_PATH else 0,
        follow=bool(flags & _MOVE_MOUNT_F_SYMLINKS),
    )
    if flags & _MOVE_MOUNT_SET_GROUP:
        set_group(task, source, place)
        return 0
    move_tree(task, source, place, beneath=bool(flags & _MOVE_MOUNT_BENEATH))
    return 0
