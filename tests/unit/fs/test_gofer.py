"""The gofer's file system: caching, descriptors, owners."""

import contextlib
import mmap
import os
import resource
import struct
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from harness.file_world import FileWorld, fake_kernel, open_descriptors
from harness.gofer import Served
from runsc_py.sentry.errors import EEXIST, EMFILE, ENOENT
from runsc_py.sentry.fs.gofer import GoferFileSystem, IdMapper
from runsc_py.sentry.vfs.acl import ACCESS, AccessControlList
from runsc_py.sentry.vfs.attribute_operations import change_owner

NOBODY = 0xFFFFFFFF
#: tag, permissions and id of the entries of an access control list
LIST = (1, 6, NOBODY, 2, 7, 1234, 4, 4, NOBODY, 16, 7, NOBODY, 32, 0, NOBODY)


class CountingClient:
    """The client with its requests counted."""

    def __init__(self, served: Served) -> None:
        self.client = served.client
        self.requests = 0

    def __getattr__(self, name: str) -> object:
        method = getattr(self.client, name)
        if name in ("close_node", "dead_nodes"):
            return method

        def counted(*arguments: object) -> object:
            self.requests += 1
            return method(*arguments)

        return counted


@pytest.fixture
def counted(served: Served) -> Iterator[tuple[FileWorld, CountingClient]]:
    client = CountingClient(served)
    ids = IdMapper.rootless(os.getuid(), os.getgid())
    yield FileWorld(GoferFileSystem(fake_kernel(), client, 0, ids=ids)), client  # type: ignore[arg-type]


# -- caching ---------------------------------------------------------------------------


def test_one_request_for_a_new_name_and_none_later(
    tree: Path, counted: tuple[FileWorld, CountingClient]
) -> None:
    world, client = counted
    (tree / "f").write_text("x")
    before = client.requests
    world.stat(b"f")
    assert client.requests == before + 1
    for _ in range(3):
        world.stat(b"f")
    assert client.requests == before + 1


def test_opening_again_costs_nothing(tree: Path, counted: tuple[FileWorld, CountingClient]) -> None:
    world, client = counted
    (tree / "f").write_text("x")
    world.read(b"f")
    before = client.requests
    files = [world.open(b"f") for _ in range(5)]
    assert len({file.host_descriptor() for file in files}) == 1
    for file in files:
        assert file.read(9) == b"x"
        file.drop()
    assert client.requests == before


def test_a_listed_directory_knows_what_is_missing(
    tree: Path, counted: tuple[FileWorld, CountingClient]
) -> None:
    world, client = counted
    (tree / "f").write_text("x")
    world.listdir(b"/")
    before = client.requests
    for name in (b"g", b"h"):
        with pytest.raises(ENOENT):
            world.stat(name)
    assert client.requests == before
    world.write(b"g", b"")
    assert world.listdir(b"/") == [b"f", b"g"]
    world.unlink(b"f")
    assert world.listdir(b"/") == [b"g"]


def test_many_misses_make_it_list_the_directory(
    tree: Path, counted: tuple[FileWorld, CountingClient]
) -> None:
    world, client = counted
    before = client.requests
    for number in range(50):
        with pytest.raises(ENOENT):
            world.stat(b"missing%d" % number)
    assert client.requests < before + 10


def test_shared_caching_sees_changes_of_the_host(tree: Path, shared_host: FileWorld) -> None:
    (tree / "f").write_text("x")
    assert shared_host.stat(b"f").size == 1
    (tree / "f").write_text("xyz")
    assert shared_host.stat(b"f").size == 3
    number = shared_host.stat(b"f").inode
    (tree / "new").write_text("other")
    (tree / "new").rename(tree / "f")
    assert shared_host.stat(b"f").inode != number
    assert shared_host.read(b"f") == b"other"
    (tree / "f").unlink()
    with pytest.raises(ENOENT):
        shared_host.stat(b"f")
    assert shared_host.listdir(b"/") == []
    (tree / "back").mkdir()
    assert shared_host.listdir(b"/") == [b"back"]
    assert shared_host.stat(b"back").mode == (tree / "back").stat().st_mode


def test_own_writes_are_seen_at_once(tree: Path, host: FileWorld) -> None:
    host.write(b"f", b"12345")
    assert host.stat(b"f").size == 5
    file = host.open(b"f", os.O_RDWR)
    file.write_at(b"x", 9)
    assert host.stat(b"f").size == 10
    file.truncate(2)
    assert host.stat(b"f").size == 2
    file.drop()
    host.truncate(b"f", 100)
    assert host.stat(b"f").size == 100
    assert (tree / "f").stat().st_size == 100
    host.utime(b"f", 5, 7)
    assert (tree / "f").stat().st_mtime_ns == 7


# -- what is given back ---------------------------------------------------------------------


def test_nothing_leaks(tree: Path, served: Served, host: FileWorld) -> None:
    for number in range(300):
        (tree / f"f{number}").write_text("x")
    before = served.descriptors()
    ours = open_descriptors()
    for number in range(300):
        host.read(b"f%d" % number)
    filesystem = host.filesystem
    assert isinstance(filesystem, GoferFileSystem)
    host.forget_everything()
    filesystem.reclaim()
    assert served.descriptors() == before
    assert open_descriptors() == ours


def test_a_file_that_is_made_and_never_opened(tree: Path, host: FileWorld) -> None:
    before = open_descriptors()
    for number in range(20):
        host.mknod(b"f%d" % number, 0o100644)
    assert open_descriptors() <= before + 1
    assert len(list(tree.iterdir())) == 20


def test_no_descriptor_left(tree: Path, host: FileWorld) -> None:
    """The host's limit is an error of the call, not the end of the gofer."""
    (tree / "f").write_text("x")
    host.stat(b"f")
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (open_descriptors(), hard))
    fillers = []
    try:
        with contextlib.suppress(OSError):
            while True:
                fillers.append(os.dup(0))
        with pytest.raises(EMFILE):
            host.open(b"f")
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
        for descriptor in fillers:
            os.close(descriptor)
    assert host.read(b"f") == b"x"


# -- files -----------------------------------------------------------------------------------


def test_hard_links_are_one_inode(tree: Path, host: FileWorld) -> None:
    (tree / "a").write_text("x")
    (tree / "b").hardlink_to(tree / "a")
    assert host.walk(b"a").inode is host.walk(b"b").inode
    host.link(b"a", b"c")
    assert host.stat(b"b").links == 3
    host.unlink(b"a")
    assert host.stat(b"b").links == 2


def test_appending_finds_the_end_that_the_host_made(tree: Path, shared_host: FileWorld) -> None:
    file = shared_host.open(b"log", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    file.write(b"guest")
    with open(tree / "log", "ab") as log:
        log.write(b"host")
    file.write(b"guest")
    assert (tree / "log").read_bytes() == b"guesthostguest"
    assert file.position == 14
    file.drop()


def test_shared_mapping(tree: Path, host: FileWorld) -> None:
    (tree / "f").write_text("before")
    file = host.open(b"f", os.O_RDWR)
    with mmap.mmap(file.map_descriptor(host.task, 3, True), 6) as mapping:
        mapping[:] = b"after!"
    assert (tree / "f").read_text() == "after!"
    file.drop()
    reader = host.open(b"f")
    with pytest.raises(PermissionError):
        mmap.mmap(reader.map_descriptor(host.task, 1, True), 6, mmap.MAP_SHARED, mmap.PROT_WRITE)
    reader.drop()


def test_exclusive_creation(tree: Path, shared_host: FileWorld) -> None:
    with pytest.raises(ENOENT):
        shared_host.stat(b"lock")
    (tree / "lock").write_text("")
    with pytest.raises(EEXIST):
        shared_host.open(b"lock", os.O_CREAT | os.O_EXCL | os.O_WRONLY)


def test_names_that_are_not_text(tree: Path, host: FileWorld) -> None:
    name = bytes(range(128, 255))
    host.write(name, b"x")
    assert host.listdir(b"/") == [name]
    assert os.listdir(os.fsencode(tree)) == [name]


def test_a_large_directory(tree: Path, host: FileWorld, shared_host: FileWorld) -> None:
    names = sorted(
        b"a rather long name, to fill the pages of the listing %d" % n for n in range(4000)
    )
    for name in names:
        os.close(os.open(os.fsencode(tree) + b"/" + name, os.O_CREAT))
    for world in (host, shared_host):
        assert sorted(world.listdir(b"/", batch=500)) == names


# -- owners ------------------------------------------------------------------------------------


def test_identities() -> None:
    ids = IdMapper.rootless(1000, 100)
    assert (ids.guest_uid(0), ids.guest_uid(1000), ids.guest_uid(5)) == (0, 0, 5)
    assert (ids.guest_gid(100), ids.host_gid(0)) == (0, 100)
    assert ids.host_uid(0) == 1000
    assert IdMapper().guest_uid(1000) == 1000


@pytest.mark.skipif(os.geteuid() != 0, reason="gives files away")
def test_owner_of_what_the_guest_makes(tree: Path, served: Served) -> None:
    ids = IdMapper({1234: 0, 0: 77}, {1234: 0, 0: 77})
    world = FileWorld(GoferFileSystem(fake_kernel(), served.client, 0, ids=ids))
    world.write(b"f", b"")
    assert (tree / "f").stat().st_uid == 1234
    assert world.stat(b"f").uid == 0
    world.chown(b"f", 77, 77)
    assert (tree / "f").stat().st_uid == 0


def test_access_control_lists_of_a_rootless_run(tree: Path, served: Served) -> None:
    """Who runs us is root in the lists too, both ways; the gofer tells only when asked."""
    ids = IdMapper.rootless(1000, 100)
    world = FileWorld(GoferFileSystem(fake_kernel(), served.client, 0, ids=ids))
    (tree / "f").touch()
    inode = world.walk(b"/f").inode
    kept = AccessControlList(
        ((1, 6, 0), (2, 4, 0), (2, 7, 5), (4, 4, 0), (8, 1, 0), (16, 7, 0), (32, 0, 0))
    )
    inode.set_acl(ACCESS, kept)
    assert inode.mode & 0o777 == 0o670 and inode.has_acl
    value = os.getxattr(tree / "f", ACCESS.decode())
    named = [entry for entry in struct.iter_unpack("<HHI", value[4:]) if entry[0] in (2, 8)]
    assert named == [(2, 4, 1000), (2, 7, 5), (8, 1, 100)]
    shown = inode.get_acl(ACCESS)
    assert shown is not None
    assert [entry for entry in shown.entries if entry[0] in (2, 8)] == [
        entry for entry in kept.entries if entry[0] in (2, 8)
    ]
    inode.set_acl(ACCESS, None)
    assert inode.get_acl(ACCESS) is None and not inode.has_acl
    assert os.listxattr(tree / "f") == []


def test_access_control_lists_that_the_host_changes(tree: Path, shared_host: FileWorld) -> None:
    """With shared caching a list that appears or goes is seen by the next walk."""
    (tree / "f").touch()
    (tree / "f").chmod(0o644)
    assert shared_host.walk(b"/f").inode.get_acl(ACCESS) is None
    value = struct.pack("<I" + "HHI" * 5, 2, *LIST)
    os.setxattr(tree / "f", ACCESS.decode(), value)
    inode = shared_host.walk(b"/f").inode
    assert inode.has_acl and inode.get_acl(ACCESS) is not None
    os.removexattr(tree / "f", ACCESS.decode())
    assert not shared_host.walk(b"/f").inode.has_acl


def test_a_new_owner_who_is_the_old_one(tree: Path, host: FileWorld) -> None:
    """chown(2) sets the change time, whether it changes an owner or not."""
    (tree / "f").touch()
    place = host.walk(b"/f")
    for uid, gid in ((None, None), (0, None), (None, 0)):
        before = os.stat(tree / "f").st_ctime_ns
        for _ in range(200):
            change_owner(host.task, place, uid, gid)
            if os.stat(tree / "f").st_ctime_ns > before:
                break
            time.sleep(0.01)  # the host's clock of files ticks some hundred times a second
        assert os.stat(tree / "f").st_ctime_ns > before
        assert place.inode.get_attributes().change_time == os.stat(tree / "f").st_ctime_ns
