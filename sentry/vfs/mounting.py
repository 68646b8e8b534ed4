"""mount(2): what its forms check and do.

umount2(2) is in `vfs/unmounting.py`, pivot_root(2) in `vfs/pivoting.py`, the tree itself in
`vfs/mount.py`, what becomes of the options in `vfs/filesystem_context.py`.
"""

from runsc_py.sentry.abi.mount_flags import (
    MS_NOATIME,
    MS_NODIRATIME,
    MS_RDONLY,
    MS_RELATIME,
    MS_STRICTATIME,
)
from runsc_py.sentry.auth.capabilities import CAP_SYS_ADMIN
from runsc_py.sentry.errors import EBUSY, EINVAL, ELOOP, ENOENT, ENOTDIR, EPERM, KernelError
from runsc_py.sentry.vfs.attaching import attach_tree, attach_tree_beneath
from runsc_py.sentry.vfs.filesystem_context import (
    REMOUNTED_FLAGS,
    SUPER_BLOCK_FLAGS,
    FileSystemContext,
    check_may_configure,
    reconfigure,
    type_called,
    type_of,
)
from runsc_py.sentry.vfs.mount import ACCESS_TIME_FLAGS, MOUNT_FLAGS, Mount, MountNamespace
from runsc_py.sentry.vfs.mount_copies import copy_mount, copy_tree, dissolve, has_locked_children
from runsc_py.sentry.vfs.path import Path
from runsc_py.sentry.vfs.propagation import (
    MS_PRIVATE,
    MS_SHARED,
    MS_SLAVE,
    MS_UNBINDABLE,
    PROPAGATION_TYPES,
)
from runsc_py.sentry.vfs.propagation import change_propagation as change_type
from runsc_py.sentry.vfs.revealing import locked_by_others
from runsc_py.sentry.vfs.usage import open_files

TYPE_CHECKING = False
if TYPE_CHECKING:
    from runsc_py.sentry.kernel.task import Task

MS_REMOUNT = 32
MS_BIND = 4096
MS_MOVE = 8192
MS_REC = 16384
MS_SILENT = 32768
MS_MGC_VAL = 0xC0ED0000
MS_MGC_MASK = 0xFFFF0000
#: for mounts that the kernel keeps for itself
_MS_NOUSER = 1 << 31

_ANY_PROPAGATION = MS_SHARED | MS_PRIVATE | MS_SLAVE | MS_UNBINDABLE


def check_may_mount(task: "Task") -> None:
    """Raise EPERM unless the task may change its mount namespace."""
    namespace = task.namespaces.mount.user_namespace
    if not task.credentials.has_capability(CAP_SYS_ADMIN, namespace):
        raise EPERM


def plain_flags(flags: int) -> int:
    """The flags of mount(2) without the magic number of old.  Errors: EINVAL."""
    if flags & MS_MGC_MASK == MS_MGC_VAL:
        flags &= ~MS_MGC_MASK
    if flags & _MS_NOUSER:
        raise EINVAL
    return flags


def _kept_flags(flags: int) -> int:
    """What a mount keeps of the flags of mount(2); relatime is the default."""
    kept = flags & MOUNT_FLAGS
    if flags & MS_STRICTATIME:
        return kept & ~(MS_RELATIME | MS_NOATIME)
    if not flags & MS_NOATIME:
        kept |= MS_RELATIME
    return kept & ~MS_RELATIME if kept & MS_NOATIME else kept


def _remounted_flags(mount: Mount, flags: int) -> int:
    """The same for a remount, where times are kept when nothing is said of them."""
    kept = _kept_flags(flags)
    if not flags & (MS_NOATIME | MS_NODIRATIME | MS_RELATIME | MS_STRICTATIME):
        kept = kept & ~ACCESS_TIME_FLAGS | mount.flags & ACCESS_TIME_FLAGS
    return kept


def check_locked_flags(mount: Mount, flags: int) -> None:
    """Raise EPERM when new flags take back what a more privileged namespace has set."""
    locked = mount.locked_flags
    if locked & ~ACCESS_TIME_FLAGS & ~flags:
        raise EPERM
    if locked & ACCESS_TIME_FLAGS and (mount.flags ^ flags) & ACCESS_TIME_FLAGS:
        raise EPERM


# -- changes of what is mounted ----------------------------------------------------------


def is_propagation_change(flags: int) -> bool:
    """Whether mount(2) is asked for nothing but another propagation type."""
    return bool(flags & _ANY_PROPAGATION)


def change_propagation(task: "Task", place: Path, flags: int) -> None:
    """MS_SHARED, MS_PRIVATE, MS_SLAVE, MS_UNBINDABLE.  Errors: EINVAL, EPERM."""
    kind = flags & ~(MS_REC | MS_SILENT)
    if place.dentry is not place.mount.root or kind not in PROPAGATION_TYPES:
        raise EINVAL
    namespace = place.mount.namespace
    if namespace is None:
        raise EINVAL
    if not task.credentials.has_capability(CAP_SYS_ADMIN, namespace.user_namespace):
        raise EPERM
    mounts = list(place.mount.subtree()) if flags & MS_REC else [place.mount]
    for mount in mounts:
        change_type(mount, kind, namespace.numbers)


def remount(task: "Task", place: Path, flags: int, options: bytes) -> None:
    """MS_REMOUNT: other flags of a mount, and (without MS_BIND) flags and options of what it shows.

    Errors: EINVAL (it is no mount point of ours), EPERM (locked flags), those of the options.
    """
    mount = place.mount
    if mount.namespace is not task.namespaces.mount or place.dentry is not mount.root:
        raise EINVAL
    kept = _remounted_flags(mount, flags)
    check_locked_flags(mount, kept)
    if not flags & MS_BIND:
        filesystem = mount.filesystem
        context = FileSystemContext(task, type_of(task, filesystem), filesystem)
        context.flags, context.mask = flags & REMOUNTED_FLAGS, REMOUNTED_FLAGS
        context.parse(task, options)
        check_may_configure(task, filesystem)
        reconfigure(task, context, filesystem)
    elif kept & MS_RDONLY and not mount.flags & MS_RDONLY and is_written(task, mount):
        raise EBUSY
    mount.flags = kept


def is_written(task: "Task", mount: Mount) -> bool:
    """Whether a file that was opened through this mount can be written."""
    return any(file.writable and file.path.mount is mount for file in open_files(task.kernel))


# -- new mounts -----------------------------------------------------------------------------


def bind(task: "Task", source: Path, place: Path, recursive: bool) -> None:
    """MS_BIND: show a file or directory at another place.

    Errors: EINVAL (of another namespace, unbindable, would reveal what is hidden), ENOENT, ENOTDIR.
    """
    namespace = task.namespaces.mount
    check_is_ours(task, place)
    copy = copied_place(task, source, recursive)
    try:
        check_mount_point(place, source.inode.is_directory)
        attach_tree(namespace, copy, place)
    except KernelError:
        dissolve(copy)
        raise


def copied_place(task: "Task", source: Path, recursive: bool) -> Mount:
    """A detached copy of what is seen at a place.  Errors: EINVAL, EPERM, ENOSPC."""
    namespace = task.namespaces.mount
    original = source.mount
    if original.unbindable:
        raise EINVAL
    if not may_use(namespace, original.namespace) and not is_namespace_file(task, source):
        raise EINVAL
    if not recursive and has_locked_children(original, source.dentry):
        raise EINVAL
    copier = copy_tree if recursive else copy_mount
    copy = copier(namespace.numbers, original, source.dentry)
    copy.locked = False
    return copy


def may_use(ours: MountNamespace, other: MountNamespace | None) -> bool:
    """Whether mounts are the caller's, or in a detached tree of the same user namespace."""
    if other is None or other is ours:
        return other is ours
    return other.anonymous and other.user_namespace is ours.user_namespace


def is_namespace_file(task: "Task", place: Path) -> bool:
    """Whether it is /proc/PID/ns/NAME, which may be bound though it is mounted nowhere."""
    if place.mount is not task.kernel.anonymous_mount:
        return False
    from runsc_py.sentry.fs.namespace_files import NamespaceInode

    return isinstance(place.inode, NamespaceInode)


def move(task: "Task", source: Path, place: Path) -> None:
    """MS_MOVE.  Errors: EINVAL (see `check_may_move`), ENOENT, ELOOP (into itself)."""
    check_may_move(task, source, place)
    attach_moved(task, source.mount, place)


def check_may_move(task: "Task", source: Path, place: Path) -> None:
    """What mount(2) with MS_MOVE asks of a mount in the caller's own namespace.

    Errors: EINVAL (no mount point, locked, in a shared mount, of another kind than the place,
    unbindable ones to a shared mount), ENOENT, ELOOP.
    """
    namespace = task.namespaces.mount
    mount = source.mount
    if place.dentry.unlinked:
        raise ENOENT
    if mount.namespace is not namespace or place.mount.namespace is not namespace:
        raise EINVAL
    if mount.parent is None or mount.locked or mount.parent.group is not None:
        raise EINVAL
    check_tree_fits(source, place)


def check_tree_fits(source: Path, place: Path) -> None:
    """Whether a mounted tree can go to a place.  Errors: EINVAL, ELOOP."""
    mount = source.mount
    if source.dentry is not mount.root:
        raise EINVAL
    if place.inode.is_directory != source.inode.is_directory:
        raise EINVAL
    if place.mount.group is not None and any(member.unbindable for member in mount.subtree()):
        raise EINVAL
    if mount.is_above(place.mount):
        raise ELOOP


def attach_moved(task: "Task", mount: Mount, place: Path, *, beneath: bool = False) -> None:
    """Take a mount, or a detached tree, to a place or `beneath` what is there.  Errors: ENOSPC."""
    before = mount.parent, mount.mount_point
    origin = mount.namespace
    assert origin is not None
    if origin.anonymous:
        origin.abandon(mount)
    mount.take_off()
    try:
        if beneath:
            attach_tree_beneath(task.namespaces.mount, mount, place.mount)
        else:
            attach_tree(task.namespaces.mount, mount, place)
    except KernelError:
        if origin.anonymous:
            origin.adopt(mount)
        if before[0] is not None and before[1] is not None:
            mount.put_on(before[0], before[1])
        raise


def mount_new(
    task: "Task", source: bytes | None, place: Path, type_name: bytes, flags: int, options: bytes
) -> None:
    """Mount a file system.  Errors: ENODEV (unknown type), EBUSY (there already), ENOTDIR…"""
    context = FileSystemContext(task, type_called(task, type_name))
    context.flags = flags & SUPER_BLOCK_FLAGS
    context.source = source
    context.parse(task, options)
    filesystem = context.create(task)
    check_is_ours(task, place)
    if place.mount.filesystem is filesystem and place.dentry is place.mount.root:
        raise EBUSY
    check_mount_point(place, filesystem.root.is_directory)
    namespace = task.namespaces.mount
    kept = _kept_flags(flags)
    locked = locked_by_others(task, filesystem, kept)
    mount = Mount(namespace.numbers.new_mount(), filesystem, None, kept)
    mount.locked_flags = locked
    mount.source = context.shown_source
    attach_tree(namespace, mount, place)


def check_is_ours(task: "Task", place: Path) -> None:
    """Whether something can be mounted there.  Errors: ENOENT (unmounted), EINVAL (not ours)."""
    namespace = place.mount.namespace
    if namespace is None:
        raise ENOENT
    if namespace is not task.namespaces.mount:
        raise EINVAL


def check_mount_point(place: Path, is_directory: bool) -> None:
    """Errors: ENOENT (it was removed, or is no place for mounts), ENOTDIR (the kinds differ)."""
    if place.dentry.unlinked or not place.inode.can_be_mount_point:
        raise ENOENT
    if place.inode.is_directory != is_directory:
        raise ENOTDIR
