"""open, readlink, readdir, statfs, fsync, xattrs, connect: compared with os.*."""

import errno
import fcntl
import os
import socket
from pathlib import Path

import pytest

from harness.gofer import Served, serving
from runsc_py.gofer import protocol
from runsc_py.gofer.process import MountSpec


def test_open_donates_a_descriptor_of_its_own(served: Served, tree: Path) -> None:
    (tree / "file").write_bytes(b"0123456789")
    node = served.node("file")
    before = served.descriptors()
    first = served.client.open(node, os.O_RDWR)
    second = served.client.open(node, os.O_RDONLY)
    assert os.read(first, 4) == b"0123"
    assert os.read(second, 4) == b"0123"
    os.pwrite(first, b"X", 0)
    assert (tree / "file").read_bytes() == b"X123456789"
    for fd in (first, second):
        assert not os.get_inheritable(fd)
        os.close(fd)
    assert served.descriptors() == before


def test_open_flags_are_reduced(served: Served, tree: Path) -> None:
    (tree / "file").write_bytes(b"0123456789")
    node = served.node("file")
    flags = os.O_APPEND | os.O_NONBLOCK | os.O_DIRECTORY | os.O_CREAT | os.O_EXCL | os.O_PATH
    fd = served.client.open(node, os.O_WRONLY | flags)
    assert fcntl.fcntl(fd, fcntl.F_GETFL) & (os.O_ACCMODE | flags) == os.O_WRONLY
    os.close(fd)
    assert (tree / "file").stat().st_size == 10
    os.close(served.client.open(node, os.O_WRONLY | os.O_TRUNC))
    assert (tree / "file").stat().st_size == 0
    with pytest.raises(OSError) as caught:
        served.client.open(node, os.O_ACCMODE)
    assert caught.value.errno == errno.EINVAL


def test_only_regular_files_are_opened(served: Served, tree: Path) -> None:
    (tree / "directory").mkdir()
    (tree / "link").symlink_to("/etc/passwd")
    os.mkfifo(tree / "fifo")
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(tree / "socket"))
    errors = {
        "directory": errno.EISDIR,
        "link": errno.ELOOP,
        "fifo": errno.EPERM,
        "socket": errno.ENXIO,
    }
    before = served.descriptors()
    nodes = {name: served.node(name) for name in errors}
    for name, number in errors.items():
        for flags in (os.O_RDONLY, os.O_RDWR, os.O_WRONLY | os.O_TRUNC):
            with pytest.raises(OSError) as caught:
                served.client.open(nodes[name], flags)
            assert caught.value.errno == number
    assert served.descriptors() == before + len(nodes)


def test_devices_are_not_opened() -> None:
    with serving(MountSpec("/dev/null", read_only=False)) as served:
        with pytest.raises(OSError) as caught:
            served.client.open(served.root, os.O_RDONLY)
        assert caught.value.errno == errno.EACCES


def test_readlink(served: Served, tree: Path) -> None:
    for name, target in ((b"a", b"x"), (b"b", b"/abs/\xff"), (b"c", b"t/" * 2000)):
        os.symlink(target, os.path.join(os.fsencode(tree), name))
        assert served.client.readlink(served.node(name)) == target
    with pytest.raises(OSError) as caught:
        served.client.readlink(served.root)
    assert caught.value.errno == errno.EINVAL


def test_readdir_lists_what_scandir_lists(served: Served, tree: Path) -> None:
    (tree / "directory").mkdir()
    (tree / "file").write_text("")
    (tree / "link").symlink_to("x")
    os.mkfifo(tree / "fifo")
    kinds = {b"directory": 4, b"file": 8, b"link": 10, b"fifo": 1}
    entries, last = served.client.readdir(served.root)
    assert last
    assert {name: kind for name, _, kind, _ in entries} == kinds
    with os.scandir(tree) as found:
        assert {(os.fsencode(entry.name), entry.inode()) for entry in found} == {
            (name, inode) for name, inode, _, _ in entries
        }


def test_readdir_pages_and_seeks(served: Served, tree: Path) -> None:
    names = {b"%04d" % number + b"\xff" * 200 for number in range(1500)}
    for name in names:
        os.close(os.open(os.path.join(os.fsencode(tree), name), os.O_CREAT))
    before = served.descriptors()
    page, last = served.client.readdir(served.root)
    assert not last
    assert 0 < len(page) < 1500
    entries = served.client.read_directory(served.root)
    assert len(entries) == 1500
    assert {entry[0] for entry in entries} == names
    for start in (0, 700, 1499):
        rest = served.client.readdir(served.root, entries[start][3])[0]
        assert [entry[0] for entry in rest][:50] == [
            entry[0] for entry in entries[start + 1 : start + 51]
        ]
    assert served.descriptors() == before


def test_readdir_of_what_is_no_directory(served: Served, tree: Path) -> None:
    (tree / "file").write_text("")
    with pytest.raises(NotADirectoryError):
        served.client.readdir(served.node("file"))
    for cookie in (-1, 2**63, 2**64 - 1):
        with pytest.raises(OSError) as caught:
            served.client.readdir(served.root, cookie)
        assert caught.value.errno == errno.EINVAL


def test_readdir_of_a_removed_directory(served: Served, tree: Path) -> None:
    (tree / "gone").mkdir()
    node = served.node("gone")
    (tree / "gone").rmdir()
    with pytest.raises(FileNotFoundError):
        served.client.readdir(node)


def test_statfs(served: Served, tree: Path) -> None:
    native = os.statvfs(tree)
    result = served.client.statfs(served.root)
    assert result[1] == native.f_bsize
    assert result[2] == native.f_blocks
    assert result[5] == native.f_files
    assert result[7:] == (native.f_namemax, native.f_frsize)


def test_fsync(served: Served, tree: Path) -> None:
    (tree / "file").write_text("x")
    (tree / "link").symlink_to("x")
    before = served.descriptors()
    node = served.node("file")
    served.client.fsync(node)
    served.client.fsync(node, data_only=True)
    served.client.fsync(served.root)
    with pytest.raises(OSError) as caught:
        served.client.fsync(served.node("link"))
    assert caught.value.errno == errno.EINVAL
    assert served.descriptors() == before + 2


def _supports_user_xattrs(directory: Path) -> bool:
    try:
        os.setxattr(directory, "user.probe", b"")
        os.removexattr(directory, "user.probe")
    except OSError:
        return False
    return True


def test_xattrs(served: Served, tree: Path) -> None:
    if not _supports_user_xattrs(tree):
        pytest.skip("no user xattrs here")
    (tree / "file").write_text("")
    client = served.client
    node = served.node("file")
    client.setxattr(node, b"user.one", b"\0\xff")
    assert os.getxattr(tree / "file", "user.one") == b"\0\xff"
    os.setxattr(tree / "file", b"user.\xfe", b"two")
    assert client.getxattr(node, b"user.\xfe") == b"two"
    assert sorted(client.listxattr(node)) == [b"user.one", b"user.\xfe"]
    with pytest.raises(FileExistsError):
        client.setxattr(node, b"user.one", b"", os.XATTR_CREATE)
    client.removexattr(node, b"user.one")
    assert os.listxattr(os.fsencode(tree / "file")) == [os.fsdecode(b"user.\xfe")]
    for call in (client.getxattr, client.removexattr):
        with pytest.raises(OSError) as caught:
            call(node, b"user.one")
        assert caught.value.errno == errno.ENODATA
    big = os.urandom(3000)
    client.setxattr(served.root, b"user.big", big)
    assert os.getxattr(tree, "user.big") == big == client.getxattr(served.root, b"user.big")


def test_xattrs_of_a_symbolic_link_are_its_own(served: Served, tree: Path) -> None:
    if not _supports_user_xattrs(tree):
        pytest.skip("no user xattrs here")
    (tree / "file").write_text("")
    os.setxattr(tree / "file", "user.of-file", b"x")
    (tree / "link").symlink_to("file")
    node = served.node("link")
    assert served.client.listxattr(node) == []
    with pytest.raises(OSError):
        served.client.getxattr(node, b"user.of-file")
    with pytest.raises(PermissionError):
        served.client.setxattr(node, b"user.x", b"")
    assert os.listxattr(tree / "file") == ["user.of-file"]


@pytest.mark.parametrize(
    ("name", "value", "number"),
    [
        (b"security.capability", b"x", errno.EPERM),
        (b"trusted.overlay.opaque", b"y", errno.EPERM),
        (b"nonsense", b"", errno.EPERM),
        (b"", b"", errno.ERANGE),
        (b"user." + b"a" * 251, b"", errno.ERANGE),
        (b"user.a\0b", b"", errno.EINVAL),
        (b"user.a", b"x" * 65537, errno.E2BIG),
        (b"user.a", b"x" * 2_000_000, errno.E2BIG),
    ],
)
def test_xattrs_that_are_refused(
    served: Served, tree: Path, name: bytes, value: bytes, number: int
) -> None:
    with pytest.raises(OSError) as caught:
        served.client.setxattr(served.root, name, value)
    assert caught.value.errno == number
    assert served.client.stat(served.root)


def test_connect_is_off_by_default(served: Served, tree: Path) -> None:
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(tree / "socket"))
        listener.listen()
        with pytest.raises(PermissionError):
            served.client.connect(served.node("socket"), socket.SOCK_STREAM)


def test_connect(tree: Path) -> None:
    (tree / "file").write_text("")
    spec = MountSpec(str(tree), read_only=True, allow_connect=True)
    with serving(spec) as served, socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(tree / "socket"))
        node = served.node("socket")
        with pytest.raises(ConnectionRefusedError):
            served.client.connect(node, socket.SOCK_STREAM)
        listener.listen(1)
        before = served.descriptors()
        with socket.socket(fileno=served.client.connect(node, socket.SOCK_STREAM)) as ours:
            assert os.get_blocking(ours.fileno())
            theirs, _ = listener.accept()
            with theirs:
                ours.send(b"hello")
                assert theirs.recv(10) == b"hello"
        assert served.descriptors() == before
        with pytest.raises(OSError) as caught:
            served.client.connect(node, socket.SOCK_DGRAM)
        assert caught.value.errno == errno.EPROTOTYPE
        with pytest.raises(OSError) as caught:
            served.client.connect(node, socket.SOCK_STREAM | socket.SOCK_CLOEXEC)
        assert caught.value.errno == errno.EINVAL
        with pytest.raises(ConnectionRefusedError):
            served.client.connect(served.node("file"), socket.SOCK_STREAM)


def test_connect_does_not_wait_for_a_full_listener(tree: Path) -> None:
    spec = MountSpec(str(tree), allow_connect=True)
    with serving(spec) as served, socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(tree / "socket"))
        listener.listen(0)
        node = served.node("socket")
        fds: list[int] = []
        with pytest.raises(BlockingIOError):
            while len(fds) < 20:
                fds.append(served.client.connect(node, socket.SOCK_STREAM))
        for fd in fds:
            os.close(fd)


def test_messages_on_a_node_of_the_wrong_kind(served: Served) -> None:
    """A mount's root as everything: nothing but an errno comes of it."""
    with pytest.raises(OSError) as caught:
        served.client.fallocate(served.root, 0, 0, 10)
    assert caught.value.errno == errno.EISDIR
    failed, number, _ = served.client.setattr(served.root, protocol.SET_SIZE, size=0)
    assert (failed, number) == (protocol.SET_SIZE, errno.EISDIR)
