"""mount(2), umount2(2), pivot_root(2): what they check and do.  The tree itself: `vfs/mount.py`.

A file system type is registered in `kernel.file_systems` by name, as a `FileSystemType`.
Propagation types are accepted and mean private: nothing is shared between namespaces.
"""

from collections.abc import Callable

from runsc_py.sentry.auth.capabilities import CAP_SYS_ADMIN
from runsc_py.sentry.errors import EBUSY, EINVAL, ELOOP, ENODEV, ENOENT, ENOTDIR, EPERM
from runsc_py.sentry.vfs.inode import FileSystem
from runsc_py.sentry.vfs.mount import (
    MOUNT_FLAGS,
    MS_NOATIME,
    MS_RELATIME,
    MS_STRICTATIME,
    Mount,
)
from runsc_py.sentry.vfs.naming import is_reachable
from runsc_py.sentry.vfs.path import Path
from runsc_py.sentry.vfs.usage import living_tasks, places_in_use

TYPE_CHECKING = False
if TYPE_CHECKING:
    from runsc_py.sentry.kernel.task import Task

#: makes an instance from (task, source, options as the guest gave them).  Errors: EINVAL…
FileSystemType = Callable[["Task", bytes, bytes], FileSystem]

MS_REMOUNT = 32
MS_BIND = 4096
MS_MOVE = 8192
MS_REC = 16384
MS_SILENT = 32768
MS_UNBINDABLE = 1 << 17
MS_PRIVATE = 1 << 18
MS_SLAVE = 1 << 19
MS_SHARED = 1 << 20
MS_MGC_VAL = 0xC0ED0000
MS_MGC_MASK = 0xFFFF0000

_PROPAGATION = (MS_SHARED, MS_PRIVATE, MS_SLAVE, MS_UNBINDABLE)
_ANY_PROPAGATION = MS_SHARED | MS_PRIVATE | MS_SLAVE | MS_UNBINDABLE

MNT_FORCE = 1
MNT_DETACH = 2
MNT_EXPIRE = 4
UMOUNT_NOFOLLOW = 8


def check_may_mount(task: "Task") -> None:
    """Raise EPERM unless the task may change its mount namespace."""
    namespace = task.namespaces.mount.user_namespace
    if not task.credentials.has_capability(CAP_SYS_ADMIN, namespace):
        raise EPERM


def plain_flags(flags: int) -> int:
    """The flags of mount(2) without the magic number of old."""
    return flags & ~MS_MGC_MASK if flags & MS_MGC_MASK == MS_MGC_VAL else flags


def _kept_flags(flags: int) -> int:
    """What a mount keeps of the flags of mount(2); relatime is the default."""
    kept = flags & MOUNT_FLAGS
    if not kept & (MS_NOATIME | MS_STRICTATIME):
        kept |= MS_RELATIME
    return kept


def change_propagation(place: Path, flags: int) -> None:
    """MS_SHARED, MS_PRIVATE, MS_SLAVE, MS_UNBINDABLE: accepted.  Errors: EINVAL."""
    kind = flags & _ANY_PROPAGATION
    if kind not in _PROPAGATION or flags & ~(kind | MS_REC | MS_SILENT):
        raise EINVAL
    _check_is_mount_root(place)


def is_propagation_change(flags: int) -> bool:
    """Whether mount(2) is asked for nothing but another propagation type."""
    return bool(flags & _ANY_PROPAGATION)


def remount(place: Path, flags: int) -> None:
    """MS_REMOUNT: new flags for a mount.  Errors: EINVAL (it is no mount point)."""
    _check_is_mount_root(place)
    kept = _kept_flags(flags)
    if not flags & (MS_NOATIME | MS_STRICTATIME | MS_RELATIME):
        # Times are kept where nothing is said of them.
        times = MS_NOATIME | MS_STRICTATIME | MS_RELATIME
        kept = kept & ~times | place.mount.flags & times
    place.mount.flags = kept


def bind(task: "Task", source: Path, place: Path, recursive: bool) -> None:
    """MS_BIND: show a file or directory at another place.  Errors: EINVAL, ENOTDIR, ENOENT."""
    namespace = task.namespaces.mount
    if source.mount.namespace is not namespace:
        raise EINVAL
    _check_mount_point(task, place, source.inode.is_directory)
    if recursive:
        copy = namespace.copy_tree(source.mount, source.dentry)
    else:
        original = source.mount
        copy = Mount(
            next(namespace.identifiers), original.filesystem, source.dentry, original.flags
        )
    namespace.attach(copy, place)


def move(task: "Task", source: Path, place: Path) -> None:
    """MS_MOVE.  Errors: EINVAL (no mount point), ELOOP (into itself), ENOTDIR."""
    namespace = task.namespaces.mount
    _check_is_mount_root(source)
    mount = source.mount
    if mount.namespace is not namespace or mount.parent is None:
        raise EINVAL
    _check_mount_point(task, place, source.inode.is_directory)
    if mount.is_above(place.mount):
        raise ELOOP
    namespace.detach(mount)
    namespace.attach(mount, place)


def mount_new(
    task: "Task", source: bytes, place: Path, type_name: bytes, flags: int, options: bytes
) -> None:
    """Mount a new instance of a file system.  Errors: ENODEV (unknown type), ENOTDIR…"""
    file_system_type = task.kernel.file_systems.get(type_name.decode("latin-1"))
    if file_system_type is None:
        raise ENODEV
    make: FileSystemType = file_system_type  # type: ignore[assignment]
    filesystem = make(task, source, options)
    namespace = task.credentials.user_namespace
    filesystem.user_namespace = None if namespace.parent is None else namespace
    _check_mount_point(task, place, filesystem.root.is_directory)
    if source:
        filesystem.source = source.decode("utf-8", "surrogateescape")
    task.namespaces.mount.mount(filesystem, place, _kept_flags(flags))


def unmount(task: "Task", place: Path, flags: int) -> None:
    """umount2(2).  Errors: EINVAL (no mount point), EBUSY, EAGAIN."""
    namespace = task.namespaces.mount
    _check_is_mount_root(place)
    mount = place.mount
    if mount.namespace is not namespace or mount.parent is None:
        raise EINVAL
    if not flags & MNT_DETACH and (mount.children or _is_used(task, mount)):
        raise EBUSY
    namespace.detach(mount)
    for member in mount.subtree():
        if not any(other.filesystem is member.filesystem for other in namespace.mounts):
            _release_when_unused(task, member)


def pivot_root(task: "Task", new_root: Path, put_old: Path) -> None:
    """pivot_root(2).  Errors: EINVAL, EBUSY, ENOENT, ENOTDIR."""
    namespace = task.namespaces.mount
    root = task.file_context.root
    if not (new_root.inode.is_directory and put_old.inode.is_directory):
        raise ENOTDIR
    for mount in (new_root.mount, put_old.mount, root.mount):
        if mount.namespace is not namespace:
            raise EINVAL
    if new_root.dentry.unlinked:
        raise ENOENT
    if root.mount in (new_root.mount, put_old.mount):
        raise EBUSY
    if new_root.dentry is not new_root.mount.root or root.dentry is not root.mount.root:
        raise EINVAL
    if not is_reachable(put_old, new_root) or not is_reachable(new_root, root):
        raise EINVAL
    new_mount, old_mount = new_root.mount, root.mount
    above = old_mount.parent, old_mount.mount_point
    namespace.detach(new_mount)
    if above[0] is None or above[1] is None:
        # The old root was the top of the namespace: the new one is now.
        namespace.root = new_mount
        for member in new_mount.subtree():
            member.namespace = namespace
            namespace.mounts.append(member)
        for member in old_mount.subtree():
            member.namespace = None
            namespace.mounts.remove(member)
    else:
        namespace.detach(old_mount)
        namespace.attach(new_mount, Path(above[0], above[1]))
    namespace.attach(old_mount, put_old)
    for other in living_tasks(task.kernel):
        context = other.file_context
        if context.root == root:
            context.root = new_root
        if context.working_directory == root:
            context.working_directory = new_root


def _check_is_mount_root(place: Path) -> None:
    if place.dentry is not place.mount.root:
        raise EINVAL


def _check_mount_point(task: "Task", place: Path, is_directory: bool) -> None:
    """Errors: EINVAL (of another namespace), ENOENT (removed), ENOTDIR (the kinds differ)."""
    namespace = task.namespaces.mount
    if place.mount.namespace is not namespace:
        raise EINVAL
    namespace.check_room()
    if place.dentry.unlinked:
        raise ENOENT
    if place.inode.is_directory != is_directory:
        raise ENOTDIR


def _is_used(task: "Task", mount: Mount) -> bool:
    return any(place.mount is mount for place in places_in_use(task.kernel))


def _release_when_unused(task: "Task", mount: Mount) -> None:
    """Let the file system go with its last mount, unless somebody is still inside."""
    filesystem = mount.filesystem
    if not any(place.inode.filesystem is filesystem for place in places_in_use(task.kernel)):
        filesystem.release()
