"""The frame under proc and sysfs: numbers, listings, reads that follow what changes."""

import os

import pytest

from harness.file_world import FileWorld, fake_kernel
from runsc_py.sentry.errors import EACCES, EINVAL, ENOENT, EPERM, KernelError
from runsc_py.sentry.fs.synthetic import (
    DeclaredDirectory,
    File,
    Link,
    SyntheticFileSystem,
    TextOpenFile,
)
from runsc_py.sentry.kernel.task import Task


class Counter:
    """Content that is new at each reading, and can be set."""

    def __init__(self) -> None:
        self.value = 0

    def produce(self, task: Task) -> bytes:
        self.value += 1
        return b"%d\n" % self.value

    def consume(self, task: Task, data: bytes) -> None:
        if not data.strip().isdigit():
            raise EINVAL
        self.value = int(data)


@pytest.fixture
def counter() -> Counter:
    return Counter()


@pytest.fixture
def world(counter: Counter) -> FileWorld:
    filesystem = SyntheticFileSystem(fake_kernel())
    filesystem.root = DeclaredDirectory(
        filesystem,
        {
            b"constant": b"always\n",
            b"counter": File(counter.produce, counter.consume),
            b"link": Link(b"directory/inner"),
            b"directory": {b"inner": b"deep\n", b"empty": {}},
        },
    )
    return FileWorld(filesystem)


def read(world: FileWorld, path: bytes) -> bytes:
    file = world.open(path)
    try:
        return file.read(4096)
    finally:
        file.drop()


def test_content(world: FileWorld) -> None:
    assert read(world, b"/constant") == b"always\n"
    assert read(world, b"/link") == b"deep\n"
    assert world.readlink(b"/link") == b"directory/inner"
    assert world.stat(b"/constant").size == 0


def test_a_reader_at_the_start_sees_new_content(world: FileWorld) -> None:
    file = world.open(b"/counter", os.O_RDWR)
    assert (file.read(1), file.read(10), file.read(10)) == (b"1", b"\n", b"")
    assert file.seek(0, os.SEEK_SET) == 0
    assert file.read(10) == b"2\n"
    assert file.read_at(10, 0) == b"3\n"
    assert file.read_at(10, 1) == b"\n"
    assert file.write(b"41") == 2
    assert file.read_at(10, 0) == b"42\n"
    with pytest.raises(EINVAL):
        file.write(b"x")
    with pytest.raises(EINVAL):
        file.seek(0, os.SEEK_END)
    with pytest.raises(EINVAL):
        file.seek(-1, os.SEEK_SET)


def test_numbers_stay(world: FileWorld) -> None:
    numbers = {path: world.stat(path).inode for path in (b"/", b"/constant", b"/directory/inner")}
    assert len(set(numbers.values())) == 3
    world.mount.root.children.clear()
    assert all(world.stat(path).inode == number for path, number in numbers.items())


def test_listing(world: FileWorld) -> None:
    file = world.open(b"/")
    entries = file.directory_entries(world.task)
    assert [entry.name for entry in entries] == [
        b".", b"..", b"constant", b"counter", b"link", b"directory",
    ]  # fmt: skip
    cookies = [entry.next_offset for entry in entries]
    assert cookies == sorted(set(cookies))
    assert entries[2].inode == world.stat(b"/constant").inode
    for index, cookie in enumerate(cookies):
        file.position = cookie
        assert [entry.name for entry in file.directory_entries(world.task)] == [
            entry.name for entry in entries[index + 1 :]
        ]
    assert world.stat(b"/").links == 3
    assert world.stat(b"/directory").links == 3


@pytest.mark.parametrize(
    ("error", "call"),
    [
        (ENOENT, lambda world: world.open(b"/missing")),
        (EACCES, lambda world: world.open(b"/missing", os.O_CREAT | os.O_WRONLY)),
        (EPERM, lambda world: world.mkdir(b"/missing")),
        (EPERM, lambda world: world.symlink(b"x", b"/missing")),
        (EPERM, lambda world: world.unlink(b"/constant")),
        (EPERM, lambda world: world.rmdir(b"/directory")),
        (EPERM, lambda world: world.rename(b"/constant", b"/missing")),
        (EPERM, lambda world: world.chmod(b"/constant", 0o600)),
        (EPERM, lambda world: world.chown(b"/constant", 1, 1)),
    ],
)
def test_refusals(world: FileWorld, error: type[KernelError], call: object) -> None:
    assert callable(call)
    with pytest.raises(error):
        call(world)


def test_others_may_not_write(counter: Counter, world: FileWorld) -> None:
    other = FileWorld(world.filesystem, uid=1000)
    with pytest.raises(EACCES):
        other.open(b"/counter", os.O_WRONLY)
    assert isinstance(other.open(b"/counter"), TextOpenFile)
