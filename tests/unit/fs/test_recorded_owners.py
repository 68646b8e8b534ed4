"""Owners of an image that an ordinary user unpacked: recorded beside it, shown instead of his."""

import io
import os
import struct
from pathlib import Path

import pytest

from harness.file_world import FileWorld, fake_kernel
from harness.gofer import serving_directory
from harness.images import archive, directory, entry, symlink
from runsc_py.runsc.archive.reader import TarReader
from runsc_py.runsc.archive.unpacker import Unpacker
from runsc_py.runsc.errors import RunscError
from runsc_py.runsc.images.owners import read_owners, write_owners
from runsc_py.sentry.fs.gofer import GoferFileSystem
from runsc_py.sentry.fs.gofer.identity import IdMapper, RecordedOwners
from runsc_py.sentry.vfs.acl import ACCESS, AccessControlList
from runsc_py.sentry.vfs.attributes import S_IFDIR, S_IFREG


@pytest.fixture
def image(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Unpacked as if by an ordinary user, whoever we are."""
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    root = tmp_path / "root"
    root.mkdir()
    layers = [
        [
            directory("d", uid=3, gid=4, mode=0),
            entry("d/f", b"x", uid=5, mode=0),
            entry("gone", b"", uid=9, gid=9),
            entry("plain", b""),
            symlink("l", "plain", gid=7),
        ],
        [entry(".wh.gone"), entry("new1", b""), entry("new2", b""), entry("d/g", b"", uid=6)],
    ]
    descriptors = [os.open(path, os.O_RDONLY) for path in (tmp_path, root)]
    unpacker = Unpacker(descriptors[1])
    for layer in layers:
        unpacker.unpack(TarReader(io.BytesIO(archive(layer))), layered=True)
    unpacker.finish()
    write_owners(*descriptors, unpacker.owners)
    for descriptor in descriptors:
        os.close(descriptor)
    return tmp_path


def test_files_are_ours(image: Path) -> None:
    """On the host they can be read and entered, and belong to us."""
    assert (image / "root/d").stat().st_mode & 0o7777 == 0o700
    assert (image / "root/d/f").stat().st_mode & 0o7777 == 0o400
    assert (image / "root/d/f").stat().st_uid == os.getuid()


def test_what_is_shown(image: Path) -> None:
    """Modes and owners of the image; a number that was used again has the new file's."""
    owners = read_owners(str(image), str(image / "root"))
    assert owners is not None
    with serving_directory(image / "root") as served:
        kernel = fake_kernel()
        world = FileWorld(GoferFileSystem(kernel, served.client, 0, owners=RecordedOwners(owners)))
        shown = {
            name: (status.mode, status.uid, status.gid)
            for name in (b"d", b"d/f", b"d/g", b"new1", b"new2", b"plain")
            for status in (world.stat(name),)
        }
        assert shown == {
            b"d": (S_IFDIR, 3, 4),
            b"d/f": (S_IFREG, 5, 0),
            b"d/g": (S_IFREG | 0o644, 6, 0),
            b"new1": (S_IFREG | 0o644, 0, 0),
            b"new2": (S_IFREG | 0o644, 0, 0),
            b"plain": (S_IFREG | 0o644, 0, 0),
        }
        assert world.read(b"d/f") == b"x"


def test_a_copied_cache(image: Path) -> None:
    """Its inode numbers are others: refused, since owners would be anybody's."""
    (image / "copy").mkdir()
    with pytest.raises(RunscError, match="was copied"):
        read_owners(str(image), str(image / "copy"))


def test_files_with_their_real_owners(tmp_path: Path) -> None:
    assert read_owners(str(tmp_path), str(tmp_path)) is None


def test_access_control_lists_are_the_image_s(tmp_path: Path) -> None:
    """Ids in lists are those of the image, as the owners beside them: also our own."""
    (tmp_path / "f").touch()
    kept = AccessControlList(((1, 6, -1), (2, 4, 1000), (4, 0, -1), (16, 4, -1), (32, 0, -1)))
    value = struct.pack("<I", 2) + b"".join(struct.pack("<HHi", *entry) for entry in kept.entries)
    os.setxattr(tmp_path / "f", ACCESS, value)
    with serving_directory(tmp_path) as served:
        ids, owners = IdMapper.rootless(1000, 1000), RecordedOwners({})
        world = FileWorld(GoferFileSystem(fake_kernel(), served.client, 0, ids=ids, owners=owners))
        inode = world.walk(b"/f").inode
        assert inode.has_acl
        acl = inode.get_acl(ACCESS)
        assert acl is not None
        assert (2, 4, 1000) in acl.entries
