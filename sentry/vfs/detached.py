"""Trees of mounts that only an open file keeps: what open_tree(2) makes and move_mount(2) moves.

A detached tree is the whole of an anonymous mount namespace, which ends with the file, and the
tree with it, unless move_mount(2) has put it somewhere.
"""

from runsc_py.sentry.auth.capabilities import CAP_SYS_ADMIN
from runsc_py.sentry.errors import EBUSY, EINVAL, ELOOP, ENOENT, EPERM
from runsc_py.sentry.vfs.filesystem_context import AWAITING_MOUNT
from runsc_py.sentry.vfs.mount import Mount, MountNamespace
from runsc_py.sentry.vfs.mount_copies import has_locked_children
from runsc_py.sentry.vfs.mounting import attach_moved, copied_place, may_use
from runsc_py.sentry.vfs.open_file import O_PATH
from runsc_py.sentry.vfs.opening import PlaceFile
from runsc_py.sentry.vfs.path import Path
from runsc_py.sentry.vfs.propagation import receivers
from runsc_py.sentry.vfs.revealing import locked_by_others

TYPE_CHECKING = False
if TYPE_CHECKING:
    from runsc_py.sentry.kernel.task import Task
    from runsc_py.sentry.vfs.filesystem_context import FileSystemContext


class DetachedTreeFile(PlaceFile):
    """The root of a detached tree, which goes with the last descriptor."""

    __slots__ = ("namespace",)

    def __init__(self, namespace: MountNamespace) -> None:
        super().__init__(namespace.root.root_path, O_PATH)
        self.namespace: MountNamespace | None = namespace

    def release(self) -> None:
        self.namespace = None


def open_detached_copy(task: "Task", source: Path, *, recursive: bool) -> DetachedTreeFile:
    """OPEN_TREE_CLONE: a copy of what is seen at a place.  Errors: EINVAL, EPERM."""
    return _detached(task, copied_place(task, source, recursive))


def mount_detached(task: "Task", context: "FileSystemContext", flags: int) -> DetachedTreeFile:
    """fsmount(2).  Errors: EINVAL (nothing was made), EPERM, EBUSY (it has been mounted)."""
    filesystem = context.filesystem
    if filesystem is None:
        raise EINVAL
    locked = locked_by_others(task, filesystem, flags)
    if context.phase != AWAITING_MOUNT:
        raise EBUSY
    numbers = task.namespaces.mount.numbers
    mount = Mount(numbers.new_mount(), filesystem, None, flags)
    mount.locked_flags = locked
    mount.source = context.shown_source
    context.start_again()
    return _detached(task, mount)


def _detached(task: "Task", tree: Mount) -> DetachedTreeFile:
    ours = task.namespaces.mount
    number = task.kernel.new_inode_number()
    namespace = MountNamespace(tree, ours.user_namespace, number, ours.numbers, anonymous=True)
    return DetachedTreeFile(namespace)


def move_tree(task: "Task", source: Path, place: Path, *, beneath: bool) -> None:
    """Put a mount of ours or a detached tree at a place, or beneath the mount that is there.

    Errors: EINVAL (no mount point, of different kinds, not to be moved, not ours), ENOENT, ELOOP.
    """
    mount, ours = source.mount, task.namespaces.mount
    if source.dentry is not mount.root:
        raise EINVAL
    if place.inode.is_directory != source.inode.is_directory:
        raise EINVAL
    if place.dentry.unlinked:
        raise ENOENT
    _check_both(ours, mount, place.mount)
    parent = place.mount
    if beneath:
        _check_beneath(task, mount, place)
        assert parent.parent is not None
        parent = parent.parent
    if parent.group is not None and any(member.unbindable for member in mount.subtree()):
        raise EINVAL
    if mount.is_above(parent):
        raise ELOOP
    attach_moved(task, mount, place, beneath=beneath)


def _check_both(ours: MountNamespace, mount: Mount, target: Mount) -> None:
    """Whether the caller may take a mount from where it is, and mount something on the other."""
    namespace, other = mount.namespace, target.namespace
    if namespace is ours:
        if mount.parent is None or mount.locked or mount.parent.group is not None:
            raise EINVAL
        if other is not ours:
            raise EINVAL
        return
    if namespace is None or not namespace.anonymous or mount is not namespace.root:
        raise EINVAL
    if other is namespace or not may_use(ours, other):
        raise EINVAL


def set_group(task: "Task", source: Path, place: Path) -> None:
    """MOVE_MOUNT_SET_GROUP: a private mount becomes a peer of another, and receives as that does.

    Errors: EINVAL, EPERM.
    """
    origin, mount = source.mount, place.mount
    for namespace in (origin.namespace, mount.namespace):
        if namespace is None:
            raise EINVAL
        if not task.credentials.has_capability(CAP_SYS_ADMIN, namespace.user_namespace):
            raise EPERM
    if source.dentry is not origin.root or place.dentry is not mount.root:
        raise EINVAL
    if origin.filesystem is not mount.filesystem or not origin.root.is_ancestor_of(mount.root):
        raise EINVAL
    if has_locked_children(origin, mount.root):
        raise EINVAL
    if mount.group is not None or mount.master is not None:
        raise EINVAL
    if origin.group is None and origin.master is None:
        raise EINVAL
    mount.set_master(origin.master)
    if origin.group is not None:
        mount.join_group(origin.group)


def _check_beneath(task: "Task", mount: Mount, place: Path) -> None:
    """Whether something can come between a mount and what it covers.  Errors: EINVAL."""
    top = place.mount
    parent, point = top.parent, top.mount_point
    if place.dentry is not top.root or parent is None or top.locked:
        raise EINVAL
    if top is task.file_context.root.mount or top.is_above(mount):
        raise EINVAL
    # The copy that such a receiver gets would cover the whole of it.
    for receiver in (top, mount):
        if receiver.root is point and receiver in receivers(parent):
            raise EINVAL
