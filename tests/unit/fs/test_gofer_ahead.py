"""Names that the gofer is asked for before the guest asks: how many requests, what stays true."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from harness.file_world import FileWorld, fake_kernel
from harness.gofer import Served
from runsc_py.gofer import protocol
from runsc_py.sentry.errors import ENOENT
from runsc_py.sentry.fs.gofer import GoferFileSystem

FILES = 200


class CountingWorld(FileWorld):
    """A world that counts the requests of its file system's client."""

    def __init__(self, served: Served, shared: bool = False) -> None:
        self.requests = 0
        client = served.client
        send = client._send

        def counted(data: bytes, flags: int) -> int:
            self.requests += 1
            return send(data, flags)

        client._send = counted  # type: ignore[assignment]
        super().__init__(GoferFileSystem(fake_kernel(), client, 0, shared=shared))

    @property
    def gofer(self) -> GoferFileSystem:
        assert isinstance(self.filesystem, GoferFileSystem)
        return self.filesystem


@pytest.fixture
def world(tree: Path, served: Served) -> Iterator[CountingWorld]:
    for number in range(FILES):
        (tree / f"{number:03}").write_text("x" * number)
    yield CountingWorld(served)


def test_a_tree_that_is_listed_and_looked_at(world: CountingWorld) -> None:
    names = world.listdir(b"/")
    before = world.requests
    for name in names:
        assert world.stat(name).size == int(name)
    assert world.requests - before <= FILES / 10


def test_a_small_directory_that_nobody_lists(tree: Path, served: Served) -> None:
    """As git status asks: every name it knows, in its own order."""
    for number in range(50):
        (tree / f"{number:03}").write_text("x" * number)
    world = CountingWorld(served)
    before = world.requests
    for number in range(50):
        assert world.stat(b"%03d" % number).size == number
    assert world.requests - before <= 20


def test_one_name_costs_one_request(world: CountingWorld) -> None:
    before = world.requests
    world.stat(b"007")
    assert world.requests == before + 1
    assert len(world.gofer._inodes) == 2


def test_only_directories_are_guessed_for_who_wants_directories(tree: Path, served: Served) -> None:
    for number in range(20):
        (tree / f"directory{number}").mkdir()
        (tree / f"file{number}").write_text("")
    world = CountingWorld(served)
    world.listdir(b"/")
    before = served.descriptors()
    world.stat(b"directory7")
    assert before < served.descriptors() <= before + 16
    waiting = world.gofer.ahead._found
    assert waiting and all(name.startswith(b"directory") for _, name in waiting)


def test_what_waits_follows_what_the_sandbox_does(tree: Path, world: CountingWorld) -> None:
    """Removed, replaced and made again behind a dentry that was there all the time."""
    world.listdir(b"/")
    for number in range(FILES):
        name = b"%03d" % number
        world.stat(name)
        if number % 3 == 0:
            world.unlink(name)
            world.write(name, b"new")
        elif number % 3 == 1:
            world.rename(name, b"moved%03d" % number)
        else:
            world.write(b"%03d" % ((number + 1) % FILES), b"longer than before" * 50)
    world.forget_everything()
    for path in tree.iterdir():
        shown = world.stat(os.fsencode(path.name))
        assert (shown.inode, shown.size) == (path.stat().st_ino, path.stat().st_size)
    for number in range(1, FILES, 3):
        if not (tree / f"{number:03}").exists():
            with pytest.raises(ENOENT):
                world.stat(b"%03d" % number)


def test_nothing_waits_of_a_file_with_several_names(tree: Path, served: Served) -> None:
    (tree / "a").write_text("x")
    for number in range(10):
        (tree / f"b{number}").hardlink_to(tree / "a")
    world = CountingWorld(served)
    world.listdir(b"/")
    world.stat(b"a")
    assert not world.gofer.ahead._found
    world.write(b"a", b"longer")
    world.forget_everything()
    assert {world.stat(b"b%d" % number).size for number in range(10)} == {6}


def test_all_nodes_are_given_back(tree: Path, served: Served, world: CountingWorld) -> None:
    before = served.descriptors()
    world.listdir(b"/")
    for number in range(0, FILES, 7):
        world.stat(b"%03d" % number)
    assert served.descriptors() > before
    world.forget_everything()
    world.gofer.reclaim()
    assert served.descriptors() == before


def test_a_gofer_without_room_is_not_asked_in_vain(
    tree: Path, world: CountingWorld, served: Served
) -> None:
    """Guesses that found no room fail silently; the name that is wanted is found."""
    world.listdir(b"/")
    room = 100  # more than what the cache of dentries keeps in any case
    held = []
    try:
        while True:
            held.append(served.client.lookup(served.root, b"000")[0])
    except OSError:
        for node in held[-room:]:
            served.client.close_node(node)
    del held[-room:]
    for number in range(FILES):
        assert world.stat(b"%03d" % number).size == number
    for node in held:
        served.client.close_node(node)


def test_one_question_for_a_whole_path(tree: Path, served: Served) -> None:
    """Where the host may change the files, and notices every change of any component."""
    (tree / "a" / "b" / "c").mkdir(parents=True)
    (tree / "a" / "b" / "c" / "file").write_text("x")
    world = CountingWorld(served, shared=True)
    assert world.stat(b"a/b/c/file").size == 1
    before = world.requests
    assert world.stat(b"a/b/c/file").size == 1
    with pytest.raises(ENOENT):
        world.stat(b"a/b/c/missing")
    assert world.requests == before + 2
    (tree / "a" / "b" / "c" / "file").write_text("xyz")
    assert world.stat(b"a/b/c/file").size == 3
    (tree / "a" / "b").rename(tree / "a" / "old")
    with pytest.raises(ENOENT):
        world.stat(b"a/b/c/file")
    (tree / "a" / "b" / "c").mkdir(parents=True)
    (tree / "a" / "b" / "c" / "file").write_text("another")
    assert world.stat(b"a/b/c/file").size == 7
    assert world.stat(b"a/old/c/file").size == 3
    (tree / "a" / "b" / "c" / "file").unlink()
    (tree / "a" / "b" / "c" / "file").mkdir()
    assert world.walk(b"a/b/c/file").inode.is_directory
    (tree / "a" / "link").symlink_to("b/c")
    (tree / "a" / "b" / "c" / "file" / "end").write_text("")
    for _ in range(2):
        assert world.stat(b"a/link/../c/./file/end").size == 0
    (tree / "a" / "link").unlink()
    (tree / "a" / "link").symlink_to("old/c/file")
    assert world.stat(b"a/link").size == 3


def test_each_of_several_names(tree: Path, served: Served) -> None:
    (tree / "file").write_text("four")
    (tree / "link").symlink_to("file")
    (tree / "directory").mkdir()
    names = [b"file", b"missing", b"link", b"directory"]
    found = served.client.lookup_each(served.root, names)
    assert [entry is not None for entry in found] == [True, False, True, True]
    assert found[0] is not None and found[0][1][protocol.SIZE] == 4
    for bad in (b"..", b"a/b", b"", b"\0"):
        with pytest.raises(OSError):
            served.client.lookup_each(served.root, [b"file", bad])
    for entry in found:
        if entry is not None:
            served.client.close_node(entry[0])


def test_a_name_that_the_listing_lacks(tree: Path, served: Served) -> None:
    """The directory is read because much of it was asked for, and the next name is not in it."""
    for number in range(20):
        (tree / f"{number:03}").write_text("x")
    world = CountingWorld(served)
    for number in range(8):
        assert world.stat(b"%03d" % number).size == 1
    with pytest.raises(ENOENT):
        world.stat(b"none")
