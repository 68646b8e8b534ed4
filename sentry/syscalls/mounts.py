"""mount(2), umount2(2), pivot_root(2).  What they do: `vfs/mounting.py`,
`vfs/unmounting.py`, `vfs/pivoting.py`.

The newer calls are in `syscalls/mount_trees.py` and `syscalls/filesystem_contexts.py`.
"""

from runsc_py.sentry.abi.files import AT_FDCWD
from runsc_py.sentry.errors import EFAULT, EINVAL, ENAMETOOLONG, ENOTDIR
from runsc_py.sentry.kernel.task import Task
from runsc_py.sentry.syscalls.places import place_at
from runsc_py.sentry.syscalls.table import syscall
from runsc_py.sentry.syscalls.types import (
    MountFlags,
    PathAddress,
    StringAddress,
    UmountFlags,
)
from runsc_py.sentry.vfs import mounting
from runsc_py.sentry.vfs.path import Path
from runsc_py.sentry.vfs.pivoting import pivot_root as pivot
from runsc_py.sentry.vfs.unmounting import UMOUNT_FLAGS, UMOUNT_NOFOLLOW, unmount
from runsc_py.sentry.vfs.walk import cross_down, walk

_PAGE_SIZE = 4096


def _string(task: Task, address: int) -> bytes:
    """An argument that may be NULL.  Errors: EINVAL (longer than a page), EFAULT."""
    if not address:
        return b""
    try:
        return task.memory.copy_in_string(address, _PAGE_SIZE)
    except ENAMETOOLONG:
        raise EINVAL from None


def _options(task: Task, address: int) -> bytes:
    """The data argument: at most a page, cut at its NUL."""
    if not address:
        return b""
    room = _PAGE_SIZE - address % _PAGE_SIZE
    try:
        data = task.memory.copy_in_part(address, _PAGE_SIZE)
    except EFAULT:
        data = task.memory.copy_in_part(address, room)
    return data.partition(b"\0")[0]


@syscall(165, "mount")
def mount(
    task: Task,
    source: PathAddress,
    target: PathAddress,
    type_name: StringAddress,
    flags: MountFlags,
    data: StringAddress,
) -> int:
    """mount(2)"""
    kind = _string(task, type_name)
    source_name = _string(task, source) if source else None
    options = _options(task, data)
    place = place_at(task, AT_FDCWD, target, 0, follow=True)
    flags = mounting.plain_flags(flags)
    mounting.check_may_mount(task)
    if flags & mounting.MS_REMOUNT:
        mounting.remount(task, place, flags, options)
    elif flags & mounting.MS_BIND:
        mounting.bind(task, _source(task, source_name), place, bool(flags & mounting.MS_REC))
    elif mounting.is_propagation_change(flags):
        mounting.change_propagation(task, place, flags)
    elif flags & mounting.MS_MOVE:
        mounting.move(task, _source(task, source_name), place)
    else:
        if not type_name:
            raise EINVAL
        mounting.mount_new(task, source_name, place, kind, flags, options)
    return 0


def _source(task: Task, path: bytes | None) -> Path:
    if not path:
        raise EINVAL
    return walk(task, path)


@syscall(166, "umount2")
def umount2(task: Task, target: PathAddress, flags: UmountFlags) -> int:
    """umount2(2)"""
    if flags & ~UMOUNT_FLAGS:
        raise EINVAL
    # Finding the mount is no use of it.
    marked = {mount for mount in task.namespaces.mount.mounts if mount.expires}
    place = place_at(task, AT_FDCWD, target, 0, follow=not flags & UMOUNT_NOFOLLOW)
    # "." is what is mounted on the working directory, too: after pivot_root(".", ".") the old root.
    place = Path(*cross_down(place.mount, place.dentry))
    unmount(task, place, flags, marked)
    return 0


@syscall(155, "pivot_root")
def pivot_root(task: Task, new_root: PathAddress, put_old: PathAddress) -> int:
    """pivot_root(2)"""
    mounting.check_may_mount(task)
    new = place_at(task, AT_FDCWD, new_root, 0, follow=True)
    old = place_at(task, AT_FDCWD, put_old, 0, follow=True)
    if not (new.inode.is_directory and old.inode.is_directory):
        raise ENOTDIR
    pivot(task, new, old)
    return 0
