"""Shared subtrees: which mounts follow which (mount_namespaces(7)).

A mount is shared (in a peer group: what is mounted or unmounted in one member is in all), a slave
(it receives from a group), both, private (neither), or unbindable (private and not to be
copied).  Mounting and unmounting that follows these rules is in `vfs/attaching.py`.
"""

from collections.abc import Iterator

from runsc_py.sentry.vfs.mount import Mount, MountNumbers, PeerGroup
from runsc_py.sentry.vfs.naming import is_reachable
from runsc_py.sentry.vfs.path import Path

MS_UNBINDABLE = 1 << 17
MS_PRIVATE = 1 << 18
MS_SLAVE = 1 << 19
MS_SHARED = 1 << 20
#: one of these is asked for
PROPAGATION_TYPES = (MS_SHARED, MS_PRIVATE, MS_SLAVE, MS_UNBINDABLE)


def change_propagation(mount: Mount, kind: int, numbers: MountNumbers) -> None:
    """Give a mount one of PROPAGATION_TYPES."""
    if kind == MS_SHARED:
        make_shared(mount, numbers)
    elif kind == MS_SLAVE:
        _make_slave(mount)
    else:
        mount.make_private()
        mount.unbindable = kind == MS_UNBINDABLE


def make_shared(mount: Mount, numbers: MountNumbers) -> None:
    """Put a mount into a peer group of its own, unless it has one."""
    if mount.group is None:
        mount.join_group(PeerGroup(numbers))
    mount.unbindable = False


def _make_slave(mount: Mount) -> None:
    """Let a mount leave its peers and receive from them; private when it has none."""
    source = mount.master
    group = mount.group
    if group is not None:
        mount.leave_group()
        if group.members:
            source = group
    mount.set_master(source)


def receivers(mount: Mount) -> Iterator[Mount]:
    """The other mounts that get what is mounted in `mount`."""
    if mount.group is not None:
        for receiver in _members_and_slaves(mount.group):
            if receiver is not mount:
                yield receiver


def _members_and_slaves(group: PeerGroup) -> Iterator[Mount]:
    yield from list(group.members)
    for slave_group in slave_groups(group):
        yield from _members_and_slaves(slave_group)
    for slave in list(group.slaves):
        if slave.group is None:
            yield slave


def slave_groups(group: PeerGroup) -> list[PeerGroup]:
    """The peer groups whose members are slaves of `group`, each once."""
    return list({slave.group: None for slave in group.slaves if slave.group is not None})


def dominating_group(mount: Mount, root: Path) -> int | None:
    """mountinfo's propagate_from: the nearest group to receive from that `root` can see."""
    namespace = mount.namespace
    master = mount.master
    while master is not None:
        above: PeerGroup | None = None
        for member in master.members:
            above = member.master
            if member.namespace is namespace and is_reachable(member.root_path, root):
                return master.identifier
        master = above
    return None
