"""tmpfs: what the random comparison with the host does not look at."""

import mmap
import os

import pytest

from harness.file_world import FileWorld, fake_kernel, open_descriptors
from runsc_py.sentry.abi.mount_flags import MS_NOATIME
from runsc_py.sentry.auth.user_namespace import UserNamespace
from runsc_py.sentry.errors import EEXIST, ENODATA, ENOENT, ENOSPC, EOPNOTSUPP
from runsc_py.sentry.fs.tmpfs import Tmpfs
from runsc_py.sentry.fs.tmpfs.filesystem import memory_pages
from runsc_py.sentry.fs.tmpfs.mounting import parse_size, parse_tmpfs
from runsc_py.sentry.fs.tmpfs.regular import INLINE_LIMIT, TmpfsFile
from runsc_py.sentry.vfs.parameters import Refusal

PAGE = 4096


def limited(**options: int) -> FileWorld:
    return FileWorld(Tmpfs(fake_kernel(), **options))


def tmpfs_of(world: FileWorld) -> Tmpfs:
    assert isinstance(world.filesystem, Tmpfs)
    return world.filesystem


# -- where the bytes are ---------------------------------------------------------------


def test_small_files_cost_no_descriptor(memory: FileWorld) -> None:
    before = open_descriptors()
    for number in range(100):
        memory.write(b"f%d" % number, b"x" * 1000)
    assert open_descriptors() == before


def test_what_grows_moves_to_a_memfd_and_gives_it_back(memory: FileWorld) -> None:
    before = open_descriptors()
    memory.write(b"f", b"a" * INLINE_LIMIT)
    memory.write(b"f", b"b", os.O_APPEND)
    assert open_descriptors() == before + 1
    assert memory.read(b"f") == b"a" * INLINE_LIMIT + b"b"
    memory.unlink(b"f")
    assert open_descriptors() == before
    assert tmpfs_of(memory).pages_used == 0


def test_unlinked_file_lives_on_while_open(memory: FileWorld) -> None:
    memory.write(b"f", b"content")
    file = memory.open(b"f", os.O_RDWR)
    memory.unlink(b"f")
    assert file.read(100) == b"content"
    assert file.inode.get_attributes().links == 0
    assert tmpfs_of(memory).inodes_used == 2
    file.drop()
    del file
    assert tmpfs_of(memory).inodes_used == 1


def test_mapping_shows_what_is_written(memory: FileWorld) -> None:
    memory.write(b"f", b"before")
    file = memory.open(b"f", os.O_RDWR)
    with mmap.mmap(file.map_descriptor(memory.task, 3, True), 6) as mapping:
        file.write_at(b"after!", 0)
        assert mapping[:] == b"after!"
        mapping[:5] = b"guest"
    assert file.read(6) == b"guest!"
    file.drop()


def test_read_only_shared_mapping_cannot_become_writable(memory: FileWorld) -> None:
    memory.write(b"f", b"x")
    file = memory.open(b"f", os.O_RDONLY)
    descriptor = file.map_descriptor(memory.task, 1, True)
    with pytest.raises(PermissionError):
        mmap.mmap(descriptor, 1, mmap.MAP_SHARED, mmap.PROT_WRITE)
    file.drop()


def test_holes(memory: FileWorld) -> None:
    file = memory.open(b"f", os.O_RDWR | os.O_CREAT)
    file.write_at(b"x", 10 * PAGE)
    assert file.inode.get_attributes().blocks == 8
    assert file.seek(0, os.SEEK_DATA) == 10 * PAGE
    assert file.seek(0, os.SEEK_HOLE) == 0
    assert file.read_at(4, 0) == bytes(4)
    file.allocate(3, 10 * PAGE, PAGE)
    assert file.inode.get_attributes().blocks == 0
    with pytest.raises(EOPNOTSUPP):
        file.allocate(2, 0, PAGE)
    file.drop()


# -- accounts ------------------------------------------------------------------------


@pytest.mark.parametrize("piece", [1000, PAGE, 100_000])
def test_size_limit(piece: int) -> None:
    world = limited(size=100 * PAGE)
    file = world.open(b"f", os.O_RDWR | os.O_CREAT)
    written = 0
    with pytest.raises(ENOSPC):
        while True:
            written += file.write(b"x" * piece)
    assert written == 100 * PAGE
    assert tmpfs_of(world).statfs()[2] == 0
    file.truncate(PAGE)
    assert tmpfs_of(world).statfs()[2] == 99
    file.drop()


def test_sparse_files_are_charged_for_what_they_have() -> None:
    world = limited(size=10 * PAGE)
    file = world.open(b"f", os.O_RDWR | os.O_CREAT)
    file.truncate(1 << 40)
    for page in (5, 3, 5, 1000):
        assert file.write_at(b"x" * PAGE, page * PAGE) == PAGE
    assert tmpfs_of(world).pages_used == 3
    file.write_at(b"x" * 7 * PAGE, 100 * PAGE)
    assert file.write_at(b"over there", 5 * PAGE) == 10
    with pytest.raises(ENOSPC):
        file.write_at(b"x", 50 * PAGE)
    with pytest.raises(ENOSPC):
        file.allocate(0, 0, 20 * PAGE)
    file.drop()


def test_inode_limit() -> None:
    world = limited(inodes=3)
    world.mkdir(b"d")
    world.write(b"f", b"")
    with pytest.raises(ENOSPC):
        world.symlink(b"f", b"l")
    world.unlink(b"f")
    world.symlink(b"d", b"l")


def test_options() -> None:
    kernel = fake_kernel()
    kernel.root_user_namespace = UserNamespace.initial()
    parsed = parse_tmpfs(kernel, b"size=64k,nr_inodes=2k,mode=700,uid=5")
    assert parsed.options() == ["size=64k", "nr_inodes=2048", "mode=700", "uid=5"]
    for wrong in (b"size=x", b"colour=red", b"mode=9", b"size"):
        with pytest.raises(Refusal):
            parse_tmpfs(kernel, wrong)
    assert Tmpfs(kernel, size=65536, mode=0o700).options() == ["size=64k", "mode=700"]


def test_sizes() -> None:
    kernel = fake_kernel()
    memory = memory_pages(kernel) * PAGE
    sizes = {b"0x10": 16, b"010": 8, b"2G": 2 << 30, b"k": 0, b"50%": memory // 2}
    for text, size in sizes.items():
        assert parse_size(kernel, b"size", text) == size
    for wrong in (b"-1", b"1kk", b"1 k", b"50%%", b"0x"):
        with pytest.raises(Refusal):
            parse_size(kernel, b"size", wrong)


# -- times -----------------------------------------------------------------------------


def times(world: FileWorld, path: bytes) -> tuple[int, int, int]:
    attributes = world.lstat(path)
    return attributes.access_time, attributes.modification_time, attributes.change_time


def test_times_move_as_they_must(memory: FileWorld) -> None:
    memory.write(b"f", b"x")
    created = times(memory, b"f")
    memory.read(b"f")
    read = times(memory, b"f")
    assert read[0] > created[0] and read[1:] == created[1:]
    memory.read(b"f")
    assert times(memory, b"f") == read, "relatime: the second read is not noted"
    memory.chmod(b"f", 0o600)
    changed = times(memory, b"f")
    assert changed[:2] == read[:2] and changed[2] > read[2]
    directory = times(memory, b"/")
    memory.rename(b"f", b"g")
    assert times(memory, b"g")[2] > changed[2]
    assert times(memory, b"/")[1] > directory[1]
    memory.utime(b"g", 5, 7)
    assert times(memory, b"g")[:2] == (5, 7)


def test_noatime() -> None:
    world = FileWorld(Tmpfs(fake_kernel()), flags=MS_NOATIME)
    world.write(b"f", b"x")
    before = times(world, b"f")
    world.read(b"f")
    assert times(world, b"f") == before


# -- names -------------------------------------------------------------------------------


def test_listing_survives_removal_while_it_is_read(memory: FileWorld) -> None:
    names = [b"%d" % number for number in range(50)]
    for name in names:
        memory.write(name, b"")
    file = memory.open(b"/", os.O_DIRECTORY)
    seen = []
    while entries := file.directory_entries(memory.task)[:5]:
        file.position = entries[-1].next_offset
        for entry in entries:
            if entry.name not in (b".", b".."):
                seen.append(entry.name)
                memory.unlink(entry.name)
        memory.write(b"new%d" % len(seen), b"") if len(seen) < 20 else None
    assert [name for name in seen if not name.startswith(b"new")] == names
    file.drop()


def test_whiteout_rename(memory: FileWorld) -> None:
    memory.write(b"a", b"x")
    memory.rename(b"a", b"b", 4)
    assert memory.lstat(b"a").mode & 0o170000 == 0o020000
    assert memory.lstat(b"a").special_device == 0


def test_unnamed_file_gets_a_name(memory: FileWorld) -> None:
    file = memory.open(b"/", os.O_TMPFILE | os.O_RDWR)
    file.write(b"x")
    memory.filesystem.root.link(b"named", file.inode)
    assert memory.read(b"named") == b"x"
    memory.unlink(b"named")
    with pytest.raises(ENOENT):
        memory.filesystem.root.link(b"again", file.inode)
    file.drop()


def test_extended_attributes(memory: FileWorld) -> None:
    memory.write(b"f", b"")
    inode = memory.walk(b"f").inode
    with pytest.raises(ENODATA):
        inode.get_xattr(b"user.a")
    with pytest.raises(EOPNOTSUPP):
        inode.set_xattr(b"other.a", b"", 0)
    inode.set_xattr(b"user.a", b"1", 1)
    with pytest.raises(EEXIST):
        inode.set_xattr(b"user.a", b"2", 1)
    with pytest.raises(ENODATA):
        inode.set_xattr(b"user.b", b"2", 2)
    assert inode.list_xattrs() == [b"user.a"]
    inode.remove_xattr(b"user.a")
    assert inode.list_xattrs() == []


def test_large_offsets(memory: FileWorld) -> None:
    file = memory.open(b"f", os.O_RDWR | os.O_CREAT)
    assert isinstance(file, TmpfsFile)
    file.write_at(b"end", 5 << 30)
    assert file.size == (5 << 30) + 3
    assert file.seek(-3, os.SEEK_END) == 5 << 30
    assert file.read(10) == b"end"
    file.drop()
