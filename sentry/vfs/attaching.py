"""Mounting and unmounting where others follow: attach_tree, detach_tree, and who is in the way.

Linux's Documentation/filesystems/sharedsubtree.rst.  A mount that comes by propagation goes below
what is mounted at the place already.  Where an unmount cannot follow (something is mounted
below, or the mount is locked to what it covers) the receiver keeps its mount.
"""

from collections.abc import Callable, Container

from runsc_py.sentry.errors import ENOSPC
from runsc_py.sentry.vfs.mount import Mount, MountNamespace, PeerGroup
from runsc_py.sentry.vfs.mount_copies import (
    MAKE_SHARED,
    MAKE_SLAVE,
    copy_tree,
    dissolve,
    lock_tree,
)
from runsc_py.sentry.vfs.path import Dentry, Path
from runsc_py.sentry.vfs.propagation import make_shared, receivers, slave_groups

#: (receiver, the copy that it gets)
_Copies = list[tuple[Mount, Mount]]


def attach_tree(acting: MountNamespace, tree: Mount, place: Path) -> None:
    """Put a detached tree on top of a place, and copies of it wherever the place is shared with.

    `acting` is the caller's namespace.  A tree that comes to a shared mount is shared itself.
    Errors: ENOSPC.
    """
    parent, point = place.mount, place.dentry
    covering = parent.children.get(point)
    if covering is not None:
        parent = covering.topmost()
        point = parent.root
    copies = _prepare(acting, tree, parent, point)
    tree.put_on(parent, point)
    _owner(parent).adopt(tree)
    _attach_copies(acting, copies, point)


def attach_tree_beneath(acting: MountNamespace, tree: Mount, top: Mount) -> None:
    """The same at the place of the mount `top`, which stays on top.  Errors: ENOSPC."""
    parent, point = top.parent, top.mount_point
    assert parent is not None and point is not None
    copies = _prepare(acting, tree, parent, point)
    _owner(parent).attach_beneath(tree, parent, point)
    _attach_copies(acting, copies, point)


def _owner(mount: Mount) -> MountNamespace:
    namespace = mount.namespace
    assert namespace is not None
    return namespace


def _prepare(acting: MountNamespace, tree: Mount, parent: Mount, point: Dentry) -> _Copies:
    """Everything that may fail: room, and the copies for those that receive."""
    owner = _owner(parent)
    members = list(tree.subtree())
    owner.check_room(sum(member.namespace is not owner for member in members))
    copies: _Copies = []
    if parent.group is None:
        return copies
    unshared = [member for member in members if member.group is None]
    for member in members:
        make_shared(member, acting.numbers)
    try:
        _copy_to_group(parent.group, parent, point, tree, copies)
        needed: dict[MountNamespace, int] = {}
        for receiver, copy in copies:
            namespace = _owner(receiver)
            needed[namespace] = needed.get(namespace, 0) + sum(1 for _ in copy.subtree())
        for namespace, count in needed.items():
            namespace.check_room(count)
    except ENOSPC:
        for _, copy in copies:
            dissolve(copy)
        for member in unshared:
            member.leave_group()
        raise
    return copies


def _copy_to_group(
    group: PeerGroup, origin: Mount | None, point: Dentry, tree: Mount, copies: _Copies
) -> None:
    """Copies for the members of a group, peers of `tree`, and slaves of it for its slaves."""
    numbers = group.numbers
    for member in list(group.members):
        if member is not origin and _sees(member, point):
            copies.append((member, copy_tree(numbers, tree, None, MAKE_SHARED)))
    for slave_group in slave_groups(group):
        _copy_to_slave_group(slave_group, point, tree, copies)
    for slave in list(group.slaves):
        if slave.group is None and _sees(slave, point):
            copies.append((slave, copy_tree(numbers, tree, None, MAKE_SLAVE)))


def _copy_to_slave_group(group: PeerGroup, point: Dentry, tree: Mount, copies: _Copies) -> None:
    first = next((member for member in group.members if _sees(member, point)), None)
    if first is None:
        # Nobody here has the place; who receives from these receives from the source.
        _copy_to_group(group, None, point, tree, copies)
        return
    copy = copy_tree(group.numbers, tree, None, MAKE_SLAVE | MAKE_SHARED)
    copies.append((first, copy))
    _copy_to_group(group, first, point, copy, copies)


def _sees(mount: Mount, point: Dentry) -> bool:
    """Whether a mounted receiver shows the place."""
    return mount.namespace is not None and mount.root.is_ancestor_of(point)


def _attach_copies(acting: MountNamespace, copies: _Copies, point: Dentry) -> None:
    for receiver, copy in copies:
        owner = _owner(receiver)
        if owner.user_namespace is not acting.user_namespace:
            lock_tree(copy)
        copy.locked = False
        owner.attach_beneath(copy, receiver, point)


# -- unmounting ---------------------------------------------------------------------------------


def detach_tree(tree: Mount) -> None:
    """Unmount a tree, and whatever came by propagation to where its mounts are.

    The mounts are apart afterwards; who is in one stays there.
    """
    unmounted = dict.fromkeys(tree.subtree())
    followers = _followers(unmounted)
    for mount in followers:
        # What covers it as a whole stays, at the place itself.
        above = mount.children.get(mount.root)
        if above is not None and above not in unmounted and above not in followers:
            _sink(above, unmounted.keys() | followers.keys())
    for mount in (*unmounted, *followers):
        namespace = mount.namespace
        if namespace is not None:
            mount.namespace = None
            del namespace.mounts[mount]
    for mount in (*unmounted, *followers):
        mount.make_private()
        # A mount that is locked to what goes with it goes on hiding what it covers.
        if not (mount.locked and (mount.parent in unmounted or mount.parent in followers)):
            mount.take_off()


def _sink(mount: Mount, gone: Container[Mount]) -> None:
    """Put a mount where the ones below it are that go."""
    parent, point = mount.parent, mount.mount_point
    while parent in gone:
        assert parent is not None
        point, parent = parent.mount_point, parent.parent
    assert parent is not None and point is not None
    bottom = parent.children.get(point)
    mount.take_off()
    if bottom is not None:
        bottom.take_off()
    mount.put_on(parent, point)


def _followers(unmounted: dict[Mount, None]) -> dict[Mount, None]:
    """Those that are unmounted because others are."""
    candidates: dict[Mount, None] = {}
    queue = list(unmounted)
    for mount in queue:
        parent, point = mount.parent, mount.mount_point
        if parent is None or point is None:
            continue
        for receiver in receivers(parent):
            child = receiver.children.get(point)
            if child is not None and child not in unmounted and child not in candidates:
                candidates[child] = None
    changed = True
    while changed:
        changed = False
        for mount in list(candidates):
            if not _may_follow(mount, unmounted.keys() | candidates.keys()):
                del candidates[mount]
                changed = True
    return candidates


def _may_follow(mount: Mount, going: Container[Mount]) -> bool:
    if mount.locked and mount.parent not in going:
        return False
    return all(child in going or point is mount.root for point, child in mount.children.items())


def is_busy(mount: Mount, is_used: Callable[[Mount], bool]) -> bool:
    """Whether something is mounted below, or somebody is in it or in what would follow."""
    if mount.children or is_used(mount):
        return True
    parent, point = mount.parent, mount.mount_point
    assert parent is not None and point is not None
    for receiver in receivers(parent):
        child = receiver.children.get(point)
        if child is None or any(place is not child.root for place in child.children):
            continue
        if is_used(child):
            return True
    return False
