"""Copies of mounts: for bind mounts, for CLONE_NEWNS, and for those that receive from others.

A copy of a shared mount is its peer and a copy of a slave another slave, unless the caller
says otherwise.
"""

from runsc_py.sentry.abi.mount_flags import MS_NODEV, MS_NOEXEC, MS_NOSUID, MS_RDONLY
from runsc_py.sentry.errors import EINVAL, EPERM
from runsc_py.sentry.vfs.mount import ACCESS_TIME_FLAGS, Mount, MountNamespace, MountNumbers
from runsc_py.sentry.vfs.path import Dentry
from runsc_py.sentry.vfs.propagation import make_shared

TYPE_CHECKING = False
if TYPE_CHECKING:
    from runsc_py.sentry.auth.user_namespace import UserNamespace

#: copy unbindable mounts too
COPY_UNBINDABLE = 1
#: the copy is in a peer group, its own if it has no other
MAKE_SHARED = 2
#: the copy receives from the original instead of being its peer
MAKE_SLAVE = 4
#: the same, where the original is shared
SHARED_TO_SLAVE = 8

_LOCKABLE_FLAGS = MS_RDONLY | MS_NODEV | MS_NOSUID | MS_NOEXEC


def copy_mount(
    numbers: MountNumbers, original: Mount, root: Dentry | None = None, how: int = 0
) -> Mount:
    """A detached copy of one mount, from its dentry `root` on."""
    copy = Mount(numbers.new_mount(), original.filesystem, root or original.root, original.flags)
    copy.locked_flags = original.locked_flags
    copy.locked = original.locked
    copy.source = original.source
    if how & MAKE_SLAVE or (how & SHARED_TO_SLAVE and original.group is not None):
        copy.set_master(original.group)
    else:
        copy.set_master(original.master)
        if original.group is not None:
            copy.join_group(original.group)
    if how & MAKE_SHARED:
        make_shared(copy, numbers)
    return copy


def copy_tree(
    numbers: MountNumbers, mount: Mount, root: Dentry | None = None, how: int = 0
) -> Mount:
    """A detached copy of a mount (from `root` on) and of those below it.

    Unbindable ones are left out unless `how` has COPY_UNBINDABLE.
    Errors: EINVAL (the mount itself is unbindable), EPERM (one below is, and covers something).
    """
    if mount.unbindable and not how & COPY_UNBINDABLE:
        raise EINVAL
    copy = copy_mount(numbers, mount, root, how)
    try:
        for point, child in mount.children.items():
            if not copy.root.is_ancestor_of(point):
                continue
            if not child.unbindable or how & COPY_UNBINDABLE:
                copy_tree(numbers, child, None, how).put_on(copy, point)
            elif child.locked:
                raise EPERM
    except EPERM:
        dissolve(copy)
        raise
    return copy


def copy_namespace(
    namespace: MountNamespace, user_namespace: "UserNamespace", inode_number: int
) -> tuple[MountNamespace, dict[Mount, Mount]]:
    """CLONE_NEWNS: a namespace with copies of all mounts, and which copy is of which.

    Who owns the new namespace but not the old one receives mounts and gives none, and cannot
    take the mounts apart.
    """
    how = COPY_UNBINDABLE
    foreign = user_namespace is not namespace.user_namespace
    if foreign:
        how |= SHARED_TO_SLAVE
    root = copy_tree(namespace.numbers, namespace.root, None, how)
    if foreign:
        lock_tree(root)
    copies = dict(zip(namespace.root.subtree(), root.subtree(), strict=True))
    return MountNamespace(root, user_namespace, inode_number, namespace.numbers), copies


def lock_tree(tree: Mount) -> None:
    """A less privileged user namespace gets these mounts: as one piece, with their flags."""
    for mount in tree.subtree():
        mount.locked_flags |= ACCESS_TIME_FLAGS | mount.flags & _LOCKABLE_FLAGS
        if mount is not tree:
            mount.locked = True


def has_locked_children(mount: Mount, root: Dentry) -> bool:
    """Whether a copy from `root` on without what is mounted there would reveal something."""
    return any(
        child.locked and root.is_ancestor_of(point) for point, child in mount.children.items()
    )


def dissolve(tree: Mount) -> None:
    """Undo a detached copy."""
    for mount in list(tree.subtree()):
        mount.make_private()
        mount.take_off()
