"""The overlay: copy-up, whiteouts, merged directories, identity."""

import os
from pathlib import Path

import pytest

from harness.file_world import FileWorld, fake_kernel, make_file_system
from harness.gofer import Served
from runsc_py.sentry.errors import (
    EINVAL,
    ELOOP,
    ENODATA,
    ENOENT,
    ENOTEMPTY,
    EPERM,
    EROFS,
)
from runsc_py.sentry.fs.gofer import GoferFileSystem
from runsc_py.sentry.fs.overlay import Overlay
from runsc_py.sentry.fs.overlay.changes import DELETED, find_changes
from runsc_py.sentry.fs.overlay.directory import OverlayDirectory
from runsc_py.sentry.fs.overlay.mounting import OverlayType
from runsc_py.sentry.fs.overlay.whiteout import is_opaque, make_opaque, make_whiteout
from runsc_py.sentry.fs.tmpfs import Tmpfs
from runsc_py.sentry.vfs.attributes import S_IFCHR
from runsc_py.sentry.vfs.parameters import Refusal


def overlay_of(world: FileWorld) -> Overlay:
    assert isinstance(world.filesystem, Overlay)
    return world.filesystem


def changes(world: FileWorld) -> dict[bytes, str]:
    """Changed paths, and whether they were added, changed or deleted."""
    found = list(find_changes(overlay_of(world)))
    assert all((change.inode is None) == (change.kind == DELETED) for change in found)
    assert [change.path for change in found] == sorted(change.path for change in found)
    return {change.path: change.kind for change in found}


# -- copy-up -----------------------------------------------------------------------------


def test_the_host_is_never_changed(tree: Path, overlay: FileWorld) -> None:
    (tree / "f").write_text("host")
    (tree / "d").mkdir()
    overlay.write(b"f", b"guest", os.O_TRUNC)
    overlay.write(b"d/new", b"")
    overlay.chmod(b"d", 0o700)
    assert overlay.read(b"f") == b"guest"
    assert (tree / "f").read_text() == "host"
    assert list((tree / "d").iterdir()) == []


def test_identity_survives_copy_up(tree: Path, overlay: FileWorld) -> None:
    (tree / "f").write_text("x")
    before = overlay.stat(b"f")
    file = overlay.open(b"f")
    overlay.write(b"f", b"y", os.O_APPEND)
    after = overlay.stat(b"f")
    assert (after.device, after.inode) == (before.device, before.inode)
    assert before.inode == (tree / "f").stat().st_ino
    assert file.inode is overlay.walk(b"f").inode
    assert file.read(10) == b"xy", "what was open for reading sees the change"
    file.drop()


def test_copy_up_keeps_everything(tree: Path, overlay: FileWorld) -> None:
    host = tree / "f"
    host.write_bytes(b"x" * 100_000)
    os.truncate(host, 10_000_000)
    host.chmod(0o4751)
    os.utime(host, ns=(10**18, 2 * 10**18))
    os.setxattr(host, "user.a", b"1")
    before = overlay.stat(b"f")
    directory = overlay.stat(b"/")
    inode = overlay.walk(b"f").inode
    inode.set_xattr(b"user.b", b"2", 0)
    after = overlay.stat(b"f")
    assert inode.get_xattr(b"user.a") == b"1"
    for name in ("mode", "uid", "gid", "size", "links", "access_time", "modification_time"):
        assert getattr(after, name) == getattr(before, name), name
    assert after.blocks < 1000, "the hole is still one"
    assert overlay.read(b"f") == host.read_bytes()
    assert overlay.stat(b"/").modification_time == directory.modification_time


def test_hard_links_stay_one_file(tree: Path, overlay: FileWorld) -> None:
    (tree / "a").write_text("x")
    (tree / "b").hardlink_to(tree / "a")
    overlay.write(b"a", b"y", os.O_TRUNC)
    assert overlay.read(b"b") == b"y"
    assert overlay.stat(b"b").links == 2
    overlay.link(b"b", b"c")
    overlay.unlink(b"a")
    assert overlay.stat(b"b").links == 2
    overlay.write(b"c", b"z", os.O_APPEND)
    assert overlay.read(b"b") == b"yz"
    overlay.rename(b"b", b"d")
    overlay.unlink(b"c")
    assert overlay.stat(b"d").links == 1
    assert overlay.read(b"d") == b"yz"


def test_forgotten_dentries_lose_nothing(tree: Path, overlay: FileWorld) -> None:
    (tree / "d").mkdir()
    (tree / "d/a").write_text("x")
    (tree / "d/b").hardlink_to(tree / "d/a")
    overlay.write(b"d/a", b"y", os.O_TRUNC)
    overlay.rename(b"d", b"e")
    overlay.forget_everything()
    assert overlay.read(b"e/b") == b"y"
    assert sorted(overlay.listdir(b"e")) == [b"a", b"b"]


def test_open_for_writing_with_truncation_copies_nothing(tree: Path, overlay: FileWorld) -> None:
    (tree / "f").write_bytes(b"x" * 1_000_000)
    overlay.open(b"f", os.O_WRONLY | os.O_TRUNC).drop()
    assert overlay.stat(b"f").blocks == 0
    (tree / "g").write_bytes(b"x" * 1_000_000)
    overlay.truncate(b"g", 10)
    assert overlay.read(b"g") == b"x" * 10


def test_removed_but_open_file_can_still_be_changed(tree: Path, overlay: FileWorld) -> None:
    (tree / "f").write_text("x")
    file = overlay.open(b"f")
    overlay.unlink(b"f")
    assert file.inode.get_attributes().links == 0
    file.inode.set_xattr(b"user.a", b"1", 0)
    assert file.read(10) == b"x"
    file.drop()


# -- whiteouts and merged directories -------------------------------------------------------


def test_whiteouts(tree: Path, overlay: FileWorld) -> None:
    for name in "abc":
        (tree / name).write_text(name)
    overlay.unlink(b"a")
    with pytest.raises(ENOENT):
        overlay.stat(b"a")
    assert sorted(overlay.listdir(b"/")) == [b"b", b"c"]
    overlay.write(b"a", b"again")
    assert sorted(overlay.listdir(b"/")) == [b"a", b"b", b"c"]
    assert overlay.read(b"a") == b"again"
    with pytest.raises(EPERM):
        overlay.mknod(b"w", S_IFCHR, 0)


def test_directory_over_a_removed_one_is_empty(tree: Path, overlay: FileWorld) -> None:
    (tree / "d").mkdir()
    (tree / "d/f").write_text("x")
    with pytest.raises(ENOTEMPTY):
        overlay.rmdir(b"d")
    overlay.unlink(b"d/f")
    overlay.rmdir(b"d")
    overlay.mkdir(b"d")
    assert overlay.listdir(b"d") == []
    overlay.forget_everything()
    with pytest.raises(ENOENT):
        overlay.stat(b"d/f")


def test_directories_of_the_host_can_be_renamed(tree: Path, overlay: FileWorld) -> None:
    (tree / "d/sub").mkdir(parents=True)
    (tree / "d/sub/f").write_text("x")
    (tree / "other").mkdir()
    number = overlay.stat(b"d/sub").inode
    overlay.rename(b"d", b"other/e")
    assert overlay.read(b"other/e/sub/f") == b"x"
    assert overlay.stat(b"other/e/sub").inode == number
    overlay.write(b"other/e/sub/f", b"y", os.O_TRUNC)
    overlay.rename(b"other/e/sub", b"d")
    assert overlay.read(b"d/f") == b"y"
    assert overlay.listdir(b"other/e") == []
    assert (tree / "d/sub/f").read_text() == "x"


def test_listing_is_stable_while_things_change(tree: Path, overlay: FileWorld) -> None:
    for number in range(20):
        (tree / f"l{number}").write_text("")
    for number in range(20):
        overlay.write(b"u%d" % number, b"")
    expected = overlay.listdir(b"/", batch=100)
    file = overlay.open(b"/", os.O_DIRECTORY)
    seen = []
    while entries := file.directory_entries(overlay.task)[:3]:
        file.position = entries[-1].next_offset
        for entry in entries:
            if entry.name not in (b".", b".."):
                seen.append(entry.name)
                overlay.unlink(entry.name)
                if len(seen) % 3 == 0:
                    overlay.write(entry.name, b"again")
    assert seen[:40] == expected
    file.drop()


def test_entries_have_the_numbers_that_stat_shows(tree: Path, overlay: FileWorld) -> None:
    (tree / "d").mkdir()
    (tree / "f").write_text("")
    overlay.write(b"g", b"")
    overlay.chmod(b"f", 0o600)
    file = overlay.open(b"/", os.O_DIRECTORY)
    for entry in file.directory_entries(overlay.task)[2:]:
        assert entry.inode == overlay.stat(entry.name).inode, entry.name
    file.drop()


def test_layers(served: Served, tree: Path) -> None:
    """Two lower layers with marks of their own."""
    kernel = fake_kernel()
    (tree / "d").mkdir()
    (tree / "o").mkdir()
    for name in ("d/bottom", "d/hidden", "o/hidden", "gone"):
        (tree / name).write_text("bottom")
    bottom = GoferFileSystem(kernel, served.client, 0)
    middle = FileWorld(Tmpfs(kernel, mode=0o755))
    middle.mkdir(b"d")
    middle.mkdir(b"o")
    middle.write(b"d/middle", b"middle")
    make_whiteout(middle.walk(b"d").inode, b"hidden")
    make_whiteout(middle.filesystem.root, b"gone")
    make_opaque(middle.walk(b"o").inode)
    lowers = (middle.filesystem.root, bottom.root)
    world = FileWorld(Overlay(kernel, Tmpfs(kernel, mode=0o755).root, lowers))
    assert sorted(world.listdir(b"/")) == [b"d", b"o"]
    assert sorted(world.listdir(b"d")) == [b"bottom", b"middle"]
    assert world.listdir(b"o") == []
    with pytest.raises(ENOENT):
        world.stat(b"o/hidden")
    world.write(b"d/bottom", b"+", os.O_APPEND)
    assert world.read(b"d/bottom") == b"bottom+"


def test_mount_options(overlay: FileWorld, memory: FileWorld) -> None:
    for name in (b"l1", b"l2", b"up", b"work"):
        memory.mkdir(name)
    memory.write(b"l1/f", b"one")
    memory.write(b"l2/f", b"two")
    memory.write(b"l2/g", b"two")
    memory.write(b"file", b"")
    options = b"lowerdir=/l1:/l2,upperdir=/up,workdir=/work"
    merged = FileWorld(make_file_system(memory.task, OverlayType(), options))
    assert (merged.read(b"f"), merged.read(b"g")) == (b"one", b"two")
    merged.unlink(b"f")
    merged.write(b"new", b"")
    again = FileWorld(make_file_system(memory.task, OverlayType(), options))
    assert sorted(again.listdir(b"/")) == [b"g", b"new"]
    assert overlay_of(again).options() == options.decode().split(",")

    read_only = FileWorld(make_file_system(memory.task, OverlayType(), b"lowerdir=/l1:/l2"))
    assert read_only.read(b"f") == b"one"
    for change in (lambda: read_only.unlink(b"f"), lambda: read_only.write(b"x", b"")):
        with pytest.raises(EROFS):
            change()

    for wrong in (b"", b"lowerdir=/l1", b"lowerdir=/l1,upperdir=/up"):
        with pytest.raises(EINVAL):
            make_file_system(memory.task, OverlayType(), wrong)
    for wrong in (b"lowerdir=/l1:/file", b"lowerdir=/l1:/l2,x=y", b"xino=maybe"):
        with pytest.raises(Refusal):
            make_file_system(memory.task, OverlayType(), wrong)
    with pytest.raises(ELOOP):
        make_file_system(memory.task, OverlayType(), b"lowerdir=/l1:/l1")
    overlay.mkdir(b"up")
    overlay.mkdir(b"work")
    with pytest.raises(EINVAL):
        make_file_system(overlay.task, OverlayType(), b"lowerdir=/,upperdir=/up,workdir=/work")


# -- what was changed ---------------------------------------------------------------------------


def test_changes(tree: Path, overlay: FileWorld) -> None:
    (tree / "d/sub").mkdir(parents=True)
    (tree / "d/sub/f").write_text("x")
    for name in ("old", "touched", "replaced"):
        (tree / name).write_text("x")
    assert changes(overlay) == {}
    overlay.stat(b"d/sub/f")
    overlay.unlink(b"old")
    overlay.write(b"new", b"")
    overlay.chmod(b"touched", 0o600)
    overlay.write(b"other", b"")
    overlay.rename(b"other", b"replaced")
    flat = {b"/new": "A", b"/old": "D", b"/replaced": "C", b"/touched": "C"}
    assert changes(overlay) == flat
    overlay.rename(b"d", b"moved")
    assert changes(overlay) == flat | {
        b"/d": "D",
        b"/moved": "A",
        b"/moved/sub": "A",
        b"/moved/sub/f": "A",
    }


def test_changes_of_a_replaced_directory(tree: Path, overlay: FileWorld) -> None:
    """What it hides is listed as deleted, deeper down too."""
    (tree / "d/both/x").mkdir(parents=True)
    for name in ("d/gone", "d/kept", "d/both/x/f", "d/both/y"):
        (tree / name).write_text("x")
    for name in (b"d/both/x/f", b"d/both/y", b"d/gone", b"d/kept"):
        overlay.unlink(name)
    for name in (b"d/both/x", b"d/both", b"d"):
        overlay.rmdir(name)
    for name in (b"d", b"d/both", b"d/new"):
        overlay.mkdir(name)
    overlay.write(b"d/kept", b"new")
    assert changes(overlay) == {
        b"/d": "C",
        b"/d/both": "C",
        b"/d/both/x": "D",
        b"/d/both/y": "D",
        b"/d/gone": "D",
        b"/d/kept": "C",
        b"/d/new": "A",
    }


def test_changes_of_types(tree: Path, overlay: FileWorld) -> None:
    """A directory for a file, and the other way round."""
    (tree / "d").mkdir()
    (tree / "d/f").write_text("x")
    (tree / "file").write_text("x")
    overlay.unlink(b"d/f")
    overlay.rmdir(b"d")
    overlay.write(b"d", b"")
    overlay.unlink(b"file")
    overlay.mkdir(b"file")
    overlay.write(b"file/in", b"")
    assert changes(overlay) == {b"/d": "C", b"/file": "C", b"/file/in": "A"}


def test_own_marks_are_not_shown(tree: Path, overlay: FileWorld) -> None:
    (tree / "d").mkdir()
    overlay.rmdir(b"d")
    overlay.mkdir(b"d")
    inode = overlay.walk(b"d").inode
    assert inode.list_xattrs() == []
    with pytest.raises(ENODATA):
        inode.get_xattr(b"trusted.overlay.opaque")
    inode.set_xattr(b"trusted.overlay.opaque", b"n", 0)
    assert inode.list_xattrs() == [b"trusted.overlay.opaque"]
    assert inode.get_xattr(b"trusted.overlay.opaque") == b"n"
    assert isinstance(inode, OverlayDirectory)
    assert inode.upper is not None and is_opaque(inode.upper)
