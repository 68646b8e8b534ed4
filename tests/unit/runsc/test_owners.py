"""Owners of the host's files: maps of a container, of a mount, and of both together."""

import pytest

from runsc_py.runsc.loader.owners import EVERYTHING, composed, identities, mount_identities
from runsc_py.runsc.oci.spec import IdMapping, Linux, Mount, Namespace, Spec

Ranges = list[tuple[int, int, int]]


def _mappings(ranges: Ranges) -> list[IdMapping]:
    return [IdMapping(container_id=one, host_id=two, size=size) for one, two, size in ranges]


def _spec(container: Ranges) -> Spec:
    maps = _mappings(container)
    linux = Linux(namespaces=[Namespace(type="user")] if container else [])
    linux.uid_mappings = linux.gid_mappings = maps
    return Spec(oci_version="1.2.0", linux=linux)


@pytest.mark.parametrize(
    ("container", "mount", "result"),
    [
        (EVERYTHING, [(1, 0, 1)], [(0, 1, 1)]),
        ([(0, 100000, 65536)], [(0, 100000, 65536)], [(0, 0, 65536)]),
        ([(0, 100000, 10)], [(5, 100008, 10)], [(8, 5, 2)]),
        ([(0, 100000, 10), (10, 200000, 5)], [(0, 100005, 3), (50, 200000, 99)],
         [(5, 0, 3), (10, 50, 5)]),
        ([(0, 100000, 10)], [(0, 0, 10)], []),
    ],
)  # fmt: skip
def test_composed(container: Ranges, mount: Ranges, result: Ranges) -> None:
    """From the disk to the host, and from the host to the container."""
    assert composed(container, mount) == result


def test_mounts() -> None:
    """A map of its own, the container's, or none."""
    plain = Mount(destination="/a", type="bind", source="/a")
    assert mount_identities(_spec([]), plain) is None
    mapped = Mount(destination="/a", type="bind", source="/a")
    mapped.uid_mappings = mapped.gid_mappings = _mappings([(1000, 0, 1), (7, 5, 2)])
    ids = mount_identities(_spec([]), mapped)
    assert ids is not None
    assert [ids.guest_uid(number) for number in (1000, 7, 8, 9, 0)] == [0, 5, 6, 65534, 65534]
    assert ids.host_gid(0) == 1000
    implied = Mount(destination="/a", type="bind", source="/a", options=["rbind", "ridmap"])
    spec = _spec([(0, 100000, 1000)])
    ids = mount_identities(spec, implied)
    assert ids is not None and (ids.guest_uid(3), ids.guest_uid(1000)) == (3, 65534)
    assert identities(spec).guest_uid(100003) == 3
