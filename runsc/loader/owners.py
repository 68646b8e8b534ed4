"""Whom a container sees as the owner of the host's files: id maps of the container and of mounts.

An id-mapped mount of Linux translates owners twice: from the ids on the disk to those that its map
gives them on the host, and from these to the container's.  Here both are one step.
"""

from __future__ import annotations

import os

from runsc_py.sentry.fs.gofer.identity import IdMapper, RangeIdMapper

TYPE_CHECKING = False
if TYPE_CHECKING:
    from runsc_py.runsc.oci.spec import IdMapping, Mount, Spec

    Ranges = list[tuple[int, int, int]]

#: a container without a user namespace
EVERYTHING = [(0, 0, 0xFFFFFFFF)]


def identities(spec: Spec) -> IdMapper:
    """Of the bundle's files, and of bind mounts without a map of their own."""
    linux = spec.linux
    if linux is not None and linux.uid_mappings and linux.namespace("user") is not None:
        return RangeIdMapper(_ranges(linux.uid_mappings), _ranges(linux.gid_mappings))
    uid = os.geteuid()
    return IdMapper() if uid == 0 else IdMapper.rootless(uid, os.getegid())


def mount_identities(spec: Spec, mount: Mount) -> IdMapper | None:
    """Of an id-mapped mount; None for others."""
    linux = spec.linux
    assert linux is not None or not mount.is_id_mapped
    if linux is None or not mount.is_id_mapped:
        return None
    uids = mount.uid_mappings or linux.uid_mappings
    gids = mount.gid_mappings or linux.gid_mappings
    return RangeIdMapper(
        composed(_ranges(linux.uid_mappings) or EVERYTHING, _ranges(uids)),
        composed(_ranges(linux.gid_mappings) or EVERYTHING, _ranges(gids)),
    )


def composed(container: Ranges, mount: Ranges) -> Ranges:
    """(id inside, id on the disk, count), of (inside, host, count) and (disk, host, count)."""
    found = []
    for inside, host, count in container:
        for disk, shown, size in mount:
            first, last = max(host, shown), min(host + count, shown + size)
            if first < last:
                found.append((inside + first - host, disk + first - shown, last - first))
    return found


def _ranges(mappings: list[IdMapping]) -> Ranges:
    return [(one.container_id, one.host_id, one.size) for one in mappings]
