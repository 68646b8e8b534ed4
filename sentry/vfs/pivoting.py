"""pivot_root(2)."""

from runsc_py.sentry.errors import EBUSY, EINVAL, ENOENT
from runsc_py.sentry.vfs.naming import is_reachable
from runsc_py.sentry.vfs.path import Path
from runsc_py.sentry.vfs.usage import living_tasks

TYPE_CHECKING = False
if TYPE_CHECKING:
    from runsc_py.sentry.kernel.task import Task
    from runsc_py.sentry.vfs.mount import Mount


def pivot_root(task: "Task", new_root: Path, put_old: Path) -> None:
    """Another mount becomes the root, and the root goes to a place in it.

    What Linux has below every namespace's root (its initial RAM disk) is not there: the top of the
    tree may be pivoted away.  Errors: EINVAL, ENOENT, EBUSY.
    """
    root = task.file_context.root
    _check(task, new_root, put_old, root)
    namespace = task.namespaces.mount
    new_mount, old_mount = new_root.mount, root.mount
    parent, point = old_mount.parent, old_mount.mount_point
    new_mount.take_off()
    new_mount.locked, old_mount.locked = old_mount.locked, False
    old_mount.take_off()
    if parent is None or point is None:
        namespace.root = new_mount
    else:
        new_mount.put_on(parent, point)
    namespace.attach(old_mount, put_old)
    for other in living_tasks(task.kernel):
        context = other.file_context
        if context.root == root:
            context.root = new_root
        if context.working_directory == root:
            context.working_directory = new_root


def _check(task: "Task", new_root: Path, put_old: Path, root: Path) -> None:
    namespace = task.namespaces.mount
    new_mount, old_mount = new_root.mount, root.mount
    if put_old.dentry.unlinked:
        raise ENOENT
    if any(_is_shared(mount) for mount in (put_old.mount, new_mount.parent, old_mount.parent)):
        raise EINVAL
    if new_mount.namespace is not namespace or old_mount.namespace is not namespace:
        raise EINVAL
    if new_mount.locked:
        raise EINVAL
    if new_root.dentry.unlinked:
        raise ENOENT
    if old_mount in (new_mount, put_old.mount):
        raise EBUSY
    if new_root.dentry is not new_mount.root or root.dentry is not old_mount.root:
        raise EINVAL
    if new_mount.parent is None:
        raise EINVAL
    if not is_reachable(put_old, new_root) or not is_reachable(new_root, root):
        raise EINVAL


def _is_shared(mount: "Mount | None") -> bool:
    return mount is not None and mount.group is not None
