"""open_tree(2), move_mount(2): mounts by descriptors.  What they do: `vfs/detached.py`."""

from runsc_py.sentry.abi.files import (
    AT_EMPTY_PATH,
    AT_NO_AUTOMOUNT,
    AT_RECURSIVE,
    AT_SYMLINK_NOFOLLOW,
)
from runsc_py.sentry.errors import EINVAL
from runsc_py.sentry.kernel.task import Task
from runsc_py.sentry.syscalls.opening import install
from runsc_py.sentry.syscalls.places import place_at
from runsc_py.sentry.syscalls.table import Support, syscall
from runsc_py.sentry.syscalls.types import (
    DirectoryFd,
    MoveMountFlags,
    OpenTreeFlags,
    PathAddress,
)
from runsc_py.sentry.vfs.detached import move_tree, open_detached_copy
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
_MOVE_MOUNT_BENEATH = 0x200
#: those, and *_AUTOMOUNTS, which say nothing without automounts
_MOVE_MOUNT_FLAGS = 0x277


@syscall(428, "open_tree")
def open_tree(task: Task, directory: DirectoryFd, path: PathAddress, flags: OpenTreeFlags) -> int:
    """open_tree(2): a place, or a detached copy of what is mounted there."""
    if flags & ~(_PLACE_FLAGS | _OPEN_TREE_CLONE | _OPEN_TREE_CLOEXEC):
        raise EINVAL
    clones = bool(flags & _OPEN_TREE_CLONE)
    if flags & AT_RECURSIVE and not clones:
        raise EINVAL
    if clones:
        check_may_mount(task)
    place = place_at(task, directory, path, flags, follow=not flags & AT_SYMLINK_NOFOLLOW)
    file: OpenFile
    if clones:
        file = open_detached_copy(task, place, recursive=bool(flags & AT_RECURSIVE))
    else:
        file = open_path(task, place, O_PATH)
    return install(task, file, O_PATH | flags & _OPEN_TREE_CLOEXEC)


@syscall(429, "move_mount", support=Support.PARTIAL, note="no MOVE_MOUNT_SET_GROUP")
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
    if flags & ~_MOVE_MOUNT_FLAGS:
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
    move_tree(task, source, place, beneath=bool(flags & _MOVE_MOUNT_BENEATH))
    return 0
