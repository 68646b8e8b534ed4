"""umount2(2): what it checks and does."""

from runsc_py.sentry.abi.mount_flags import MS_RDONLY
from runsc_py.sentry.errors import EAGAIN, EBUSY, EINVAL
from runsc_py.sentry.vfs.attaching import detach_tree, is_busy
from runsc_py.sentry.vfs.filesystem_context import (
    FileSystemContext,
    check_may_configure,
    type_of,
)
from runsc_py.sentry.vfs.mount import Mount
from runsc_py.sentry.vfs.mounting import check_may_mount
from runsc_py.sentry.vfs.path import Path
from runsc_py.sentry.vfs.usage import places_in_use

TYPE_CHECKING = False
if TYPE_CHECKING:
    from runsc_py.sentry.kernel.task import Task

MNT_FORCE = 1
MNT_DETACH = 2
MNT_EXPIRE = 4
UMOUNT_NOFOLLOW = 8
UMOUNT_FLAGS = MNT_FORCE | MNT_DETACH | MNT_EXPIRE | UMOUNT_NOFOLLOW


def unmount(task: "Task", place: Path, flags: int, marked: set[Mount]) -> None:
    """Take a mount away; `marked` are those that nobody used since MNT_EXPIRE marked them.

    Errors: EPERM; EINVAL (no mount point of ours, locked, the namespace's root); EBUSY; EAGAIN
    (MNT_EXPIRE the first time).
    """
    mount = place.mount
    check_may_mount(task)
    if place.dentry is not mount.root or mount.namespace is not task.namespaces.mount:
        raise EINVAL
    if mount.locked:
        raise EINVAL
    if flags & MNT_FORCE:
        check_may_configure(task, mount.filesystem)
    is_root = mount is task.file_context.root.mount
    if flags & MNT_EXPIRE:
        if is_root or flags & (MNT_FORCE | MNT_DETACH):
            raise EINVAL
        if mount.children or _is_used(task, mount):
            raise EBUSY
        if mount not in marked:
            mount.expires = True
            raise EAGAIN
    if is_root and not flags & MNT_DETACH:
        _unmount_root(task, mount)
        return
    if mount.parent is None:
        raise EINVAL
    if not flags & MNT_DETACH and is_busy(mount, lambda member: _is_used(task, member)):
        raise EBUSY
    detach_tree(mount)


def _unmount_root(task: "Task", mount: Mount) -> None:
    """Unmounting one's root makes its file system read-only."""
    context = FileSystemContext(task, type_of(task, mount.filesystem), mount.filesystem)
    context.flags = context.mask = MS_RDONLY
    context.reconfigure(task)


def _is_used(task: "Task", mount: Mount) -> bool:
    return any(place.mount is mount for place in places_in_use(task.kernel))
