"""Messages that change something, on a real directory, looked at with os.*."""

import errno
import os
import socket
import stat
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from harness.gofer import Served, serving
from runsc_py.gofer import protocol
from runsc_py.gofer.process import MountSpec

ROOT = os.geteuid() == 0
need_root = pytest.mark.skipif(not ROOT, reason="only root gives files away")


def test_create(served: Served, tree: Path) -> None:
    before = served.descriptors()
    node, attributes, fd = served.client.create(served.root, b"\xff", 0o642, os.O_RDWR)
    os.write(fd, b"bytes")
    path = Path(os.fsdecode(os.fsencode(tree) + b"/\xff"))
    st = path.stat()
    assert (st.st_mode, st.st_size) == (0o100642, 5)
    assert attributes[protocol.INODE] == st.st_ino == os.fstat(fd).st_ino
    assert served.client.stat(node)[protocol.SIZE] == 5
    assert not os.get_inheritable(fd)
    os.close(fd)
    assert served.descriptors() == before + 1


@pytest.mark.parametrize("mode", [0o000, 0o777, 0o4755, 0o2755, 0o1777, 0o7777])
def test_modes_are_exact(served: Served, tree: Path, mode: int) -> None:
    client = served.client
    _, attributes, fd = client.create(served.root, b"file", mode, os.O_RDONLY)
    os.close(fd)
    _, of_directory = client.mkdir(served.root, b"directory", mode)
    _, of_fifo = client.mknod(served.root, b"fifo", stat.S_IFIFO | mode)
    for name, found in (("file", attributes), ("directory", of_directory), ("fifo", of_fifo)):
        native = (tree / name).stat().st_mode
        assert found[protocol.MODE] == native
        assert stat.S_IMODE(native) == mode


def test_create_is_exclusive(served: Served, tree: Path) -> None:
    (tree / "file").write_text("old")
    (tree / "dangling").symlink_to("target")
    for name in (b"file", b"dangling"):
        with pytest.raises(FileExistsError):
            served.client.create(served.root, name, 0o600, os.O_RDWR | os.O_TRUNC)
    assert (tree / "file").read_text() == "old"
    assert not (tree / "target").exists()


def test_create_unnamed(served: Served, tree: Path) -> None:
    try:
        os.close(os.open(tree, os.O_TMPFILE | os.O_RDWR))
    except OSError:
        pytest.skip("no O_TMPFILE here")
    node, attributes, fd = served.client.create_unnamed(served.root, 0o4640, os.O_RDWR)
    os.write(fd, b"unnamed")
    assert attributes[protocol.LINKS] == 0
    assert attributes[protocol.MODE] == 0o104640
    assert os.listdir(tree) == []
    served.client.link(node, served.root, b"named")
    assert (tree / "named").read_bytes() == b"unnamed"
    os.close(fd)
    with pytest.raises(OSError) as caught:
        served.client.create_unnamed(served.root, 0o600, os.O_RDONLY)
    assert caught.value.errno == errno.EINVAL


@need_root
def test_new_files_get_the_owner_asked_for(served: Served, tree: Path) -> None:
    client = served.client
    owner = {"uid": 1234, "gid": 4321}
    _, _, fd = client.create(served.root, b"file", 0o6711, os.O_RDONLY, **owner)
    os.close(fd)
    client.mkdir(served.root, b"directory", 0o2750, **owner)
    client.mknod(served.root, b"fifo", stat.S_IFIFO | 0o600, **owner)
    _, attributes = client.symlink(served.root, b"link", b"file", **owner)
    assert attributes[protocol.UID : protocol.GID + 1] == (1234, 4321)
    for name in ("file", "directory", "fifo", "link"):
        st = os.lstat(tree / name)
        assert (st.st_uid, st.st_gid) == (1234, 4321)
    assert stat.S_IMODE((tree / "file").stat().st_mode) == 0o6711
    assert stat.S_IMODE((tree / "directory").stat().st_mode) == 0o2750


@pytest.mark.skipif(ROOT, reason="root may give files away")
def test_what_cannot_be_given_away_is_not_made(served: Served, tree: Path) -> None:
    client = served.client
    before = served.descriptors()
    with pytest.raises(PermissionError):
        client.create(served.root, b"file", 0o600, os.O_RDWR, uid=os.geteuid() + 1)
    with pytest.raises(PermissionError):
        client.mkdir(served.root, b"directory", 0o700, uid=os.geteuid() + 1)
    with pytest.raises(PermissionError):
        client.symlink(served.root, b"link", b"x", uid=os.geteuid() + 1)
    assert os.listdir(tree) == []
    assert served.descriptors() == before


def test_mkdir(served: Served, tree: Path) -> None:
    node, _ = served.client.mkdir(served.root, b"a", 0o755)
    served.client.mkdir(node, b"b", 0o700)
    assert (tree / "a" / "b").is_dir()
    with pytest.raises(FileExistsError):
        served.client.mkdir(served.root, b"a", 0o755)
    (tree / "a" / "b").rmdir()
    (tree / "a").rmdir()
    with pytest.raises(FileNotFoundError):
        served.client.mkdir(node, b"c", 0o755)


def test_mknod(served: Served, tree: Path) -> None:
    client = served.client
    client.mknod(served.root, b"plain", 0o640)
    client.mknod(served.root, b"regular", stat.S_IFREG | 0o604)
    client.mknod(served.root, b"socket", stat.S_IFSOCK | 0o600)
    modes = {name: (tree / name).stat().st_mode for name in ("plain", "regular", "socket")}
    assert modes == {"plain": 0o100640, "regular": 0o100604, "socket": 0o140600}
    for kind in (stat.S_IFDIR, stat.S_IFLNK):
        with pytest.raises(PermissionError):
            client.mknod(served.root, b"other", kind | 0o666, os.makedev(1, 3))
    assert not (tree / "other").exists()


@pytest.mark.parametrize("kind", [stat.S_IFCHR, stat.S_IFBLK])
def test_devices_are_marked_empty_files(served: Served, tree: Path, kind: int) -> None:
    """The host has no device node; the client sees one, with everything a name can do."""
    client = served.client
    try:
        os.setxattr(tree, "user.test", b"")
    except OSError:
        pytest.skip("no extended attributes here")
    before = served.descriptors()
    node, attributes = client.mknod(served.root, b"device", kind | 0o4604, os.makedev(300, 70000))
    native = (tree / "device").stat()
    assert (native.st_mode, native.st_size) == (stat.S_IFREG | 0o4604, 0)
    numbers = slice(protocol.SPECIAL_MAJOR, protocol.SPECIAL_MINOR + 1)
    assert (attributes[protocol.MODE], attributes[numbers]) == (kind | 0o4604, (300, 70000))
    client.setattr(node, protocol.SET_MODE, mode=0)
    client.link(node, served.root, b"second")
    client.rename(served.root, b"device", served.root, b"moved")
    for name in (b"second", b"moved"):
        found, shown = client.lookup(served.root, name)
        assert (shown[protocol.MODE], shown[numbers]) == (kind, (300, 70000))
        for flags in (os.O_RDONLY, os.O_WRONLY, os.O_RDWR | os.O_TRUNC):
            with pytest.raises(PermissionError):
                client.open(found, flags)
        assert client.setattr(found, protocol.SET_SIZE, size=1)[1] == errno.EINVAL
        assert client.listxattr(found) == []
        for act in (client.getxattr, client.removexattr):
            with pytest.raises(OSError):
                act(found, b"user.runsc.device")
        client.close_node(found)
    client.close_node(node)
    client.flush_closed()
    assert served.descriptors() == before
    with pytest.raises(FileExistsError):
        client.mknod(served.root, b"moved", kind | 0o600, os.makedev(1, 3))


def test_marks_are_only_made_by_mknod(served: Served, tree: Path) -> None:
    node, _, fd = served.client.create(served.root, b"file", 0o666, os.O_RDWR)
    os.close(fd)
    with pytest.raises(PermissionError):
        served.client.setxattr(node, b"user.runsc.device", b"c 1:3")


@pytest.mark.parametrize(
    "mark", [b"", b"c", b"c 1", b"x 1:3", b"c 1:3 ", b"c 1:3" + b"0" * 40, b"\0"]
)
def test_what_is_no_mark_changes_nothing(served: Served, tree: Path, mark: bytes) -> None:
    (tree / "file").touch()
    try:
        os.setxattr(tree / "file", "user.runsc.device", mark)
    except OSError:
        pytest.skip("no extended attributes here")
    _, attributes = served.client.lookup(served.root, b"file")
    assert stat.S_ISREG(attributes[protocol.MODE])


def test_symlink(served: Served, tree: Path) -> None:
    target = b"../../\xff/etc"
    _, attributes = served.client.symlink(served.root, b"link", target)
    assert os.readlink(os.fsencode(tree / "link")) == target
    assert attributes[protocol.MODE] == 0o120777
    for bad, number in (
        (b"", errno.ENOENT),
        (b"a\0b", errno.EINVAL),
        (b"a" * 4096, errno.ENAMETOOLONG),
    ):
        with pytest.raises(OSError) as caught:
            served.client.symlink(served.root, b"bad", bad)
        assert caught.value.errno == number


def test_link(served: Served, tree: Path) -> None:
    (tree / "file").write_text("x")
    (tree / "link").symlink_to("/etc/passwd")
    (tree / "directory").mkdir()
    directory = served.node("directory")
    served.client.link(served.node("file"), directory, b"second")
    assert (tree / "file").stat().st_nlink == 2
    served.client.link(served.node("link"), served.root, b"second-link")
    assert os.lstat(tree / "second-link").st_ino == os.lstat(tree / "link").st_ino
    with pytest.raises(PermissionError):
        served.client.link(directory, served.root, b"no")
    with pytest.raises(FileExistsError):
        served.client.link(served.node("file"), directory, b"second")


def test_unlink(served: Served, tree: Path) -> None:
    (tree / "file").write_text("x")
    (tree / "directory").mkdir()
    (tree / "full" / "x").mkdir(parents=True)
    client = served.client
    cases = [
        (b"directory", 0, errno.EISDIR),
        (b"file", 0x200, errno.ENOTDIR),
        (b"full", 0x200, errno.ENOTEMPTY),
        (b"none", 0, errno.ENOENT),
        (b"file", 1, errno.EINVAL),
    ]
    for name, flags, number in cases:
        with pytest.raises(OSError) as caught:
            client.unlink(served.root, name, flags)
        assert caught.value.errno == number
    client.unlink(served.root, b"file")
    client.unlink(served.root, b"directory", 0x200)
    assert os.listdir(tree) == ["full"]


def test_rename(served: Served, tree: Path) -> None:
    (tree / "a").write_text("a")
    (tree / "b").write_text("b")
    (tree / "directory").mkdir()
    client, root = served.client, served.root
    directory = served.node("directory")
    client.rename(root, b"a", directory, b"moved")
    assert (tree / "directory" / "moved").read_text() == "a"
    with pytest.raises(FileExistsError):
        client.rename(root, b"b", directory, b"moved", 1)
    client.rename(root, b"b", directory, b"moved", 2)
    assert (tree / "b").read_text() == "a"
    client.rename(root, b"b", directory, b"moved")
    assert (tree / "directory" / "moved").read_text() == "a"
    with pytest.raises(OSError) as caught:
        client.rename(root, b"directory", directory, b"inside")
    assert caught.value.errno == errno.EINVAL
    for flags in (3, 4, 8, -1):
        with pytest.raises(OSError) as caught:
            client.rename(root, b"directory", root, b"x", flags)
        assert caught.value.errno == errno.EINVAL


def test_nothing_moves_between_mounts(tmp_path: Path) -> None:
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
    (tmp_path / "one" / "file").write_text("x")
    specs = [MountSpec(str(tmp_path / name), read_only=False) for name in ("one", "two")]
    with serving(*specs) as served:
        other, _, _ = served.client.mount(1)
        attempts: list[Callable[[], object]] = [
            lambda: served.client.rename(served.root, b"file", other, b"file"),
            lambda: served.client.link(served.node("file"), other, b"file"),
        ]
        for attempt in attempts:
            with pytest.raises(OSError) as caught:
                attempt()
            assert caught.value.errno == errno.EXDEV


def test_setattr_mode_size_and_times(served: Served, tree: Path) -> None:
    (tree / "file").write_bytes(b"0123456789")
    node = served.node("file")
    mask = protocol.SET_MODE | protocol.SET_SIZE | protocol.SET_ATIME | protocol.SET_MTIME
    failed, number, attributes = served.client.setattr(
        node, mask, mode=0o4640, size=4, access_time=-1, modification_time=1_500_000_000_123_456_789
    )
    st = (tree / "file").stat()
    assert (failed, number) == (0, 0)
    assert stat.S_IMODE(st.st_mode) == 0o4640
    assert st.st_size == 4
    assert (st.st_atime_ns, st.st_mtime_ns) == (-1, 1_500_000_000_123_456_789)
    assert attributes[protocol.SIZE] == 4
    assert attributes[protocol.ACCESS_TIME] == -1


def test_setattr_sets_only_what_is_asked(served: Served, tree: Path) -> None:
    (tree / "file").write_text("x")
    os.utime(tree / "file", ns=(5, 7))
    node = served.node("file")
    served.client.setattr(node, protocol.SET_MTIME, access_time=99, modification_time=11)
    st = (tree / "file").stat()
    assert (st.st_atime_ns, st.st_mtime_ns) == (5, 11)
    start = time.time_ns() - 10**9
    now = protocol.SET_ATIME | protocol.SET_ATIME_NOW
    served.client.setattr(node, now, access_time=99)
    st = (tree / "file").stat()
    assert st.st_atime_ns > start
    assert st.st_mtime_ns == 11
    assert served.client.setattr(node, 0)[:2] == (0, 0)


def test_setattr_of_a_symbolic_link_does_not_follow_it(served: Served, tree: Path) -> None:
    (tree / "file").write_text("x")
    os.utime(tree / "file", ns=(5, 7))
    (tree / "file").chmod(0o600)
    (tree / "link").symlink_to("file")
    mask = protocol.SET_MODE | protocol.SET_MTIME | protocol.SET_ATIME | protocol.SET_SIZE
    failed, _, attributes = served.client.setattr(
        served.node("link"), mask, mode=0o777, access_time=3, modification_time=3
    )
    assert failed == protocol.SET_MODE | protocol.SET_SIZE
    assert attributes[protocol.MODIFICATION_TIME] == 3
    assert os.lstat(tree / "link").st_mtime_ns == 3
    st = (tree / "file").stat()
    assert (st.st_mode, st.st_size, st.st_mtime_ns) == (0o100600, 1, 7)


def test_setattr_fails_field_by_field(served: Served, tree: Path) -> None:
    (tree / "directory").mkdir()
    node = served.node("directory")
    mask = protocol.SET_SIZE | protocol.SET_MODE
    failed, number, attributes = served.client.setattr(node, mask, mode=0o711, size=0)
    assert (failed, number) == (protocol.SET_SIZE, errno.EISDIR)
    assert stat.S_IMODE(attributes[protocol.MODE]) == 0o711
    (tree / "file").write_text("x")
    for size in (-1, 2**63, 2**64 - 1):
        failed, number, _ = served.client.setattr(served.node("file"), protocol.SET_SIZE, size=size)
        assert (failed, number) == (protocol.SET_SIZE, errno.EINVAL)


@need_root
def test_setattr_owner(served: Served, tree: Path) -> None:
    (tree / "file").write_text("x")
    (tree / "link").symlink_to("file")
    client = served.client
    client.setattr(served.node("file"), protocol.SET_UID, uid=7, gid=8)
    client.setattr(served.node("link"), protocol.SET_GID, uid=7, gid=8)
    assert ((tree / "file").stat().st_uid, (tree / "file").stat().st_gid) == (7, 0)
    assert (os.lstat(tree / "link").st_uid, os.lstat(tree / "link").st_gid) == (0, 8)


def test_fallocate(served: Served, tree: Path) -> None:
    (tree / "file").write_text("x")
    node = served.node("file")
    served.client.fallocate(node, 0, 0, 8192)
    assert (tree / "file").stat().st_size == 8192
    for offset, length in ((-1, 5), (0, 0), (2**63, 1)):
        with pytest.raises(OSError) as caught:
            served.client.fallocate(node, 0, offset, length)
        assert caught.value.errno == errno.EINVAL


def test_every_change_of_a_read_only_mount_is_erofs(tree: Path) -> None:
    """At the server: the client asks as if nothing were known."""
    (tree / "file").write_text("x")
    (tree / "directory").mkdir()
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(tree / "socket"))
    before = {path.name: os.lstat(path).st_mtime_ns for path in tree.iterdir()}
    with serving(MountSpec(str(tree), read_only=True)) as served:
        client, root = served.client, served.root
        assert client.mount(0)[2]
        file = served.node("file")
        attempts: list[Callable[[], object]] = [
            lambda: client.open(file, os.O_WRONLY),
            lambda: client.open(file, os.O_RDWR),
            lambda: client.open(file, os.O_RDONLY | os.O_TRUNC),
            lambda: client.create(root, b"new", 0o600, os.O_RDONLY),
            lambda: client.create_unnamed(root, 0o600, os.O_RDWR),
            lambda: client.mkdir(root, b"new", 0o700),
            lambda: client.mknod(root, b"new", stat.S_IFIFO | 0o600),
            lambda: client.symlink(root, b"new", b"x"),
            lambda: client.link(file, root, b"new"),
            lambda: client.unlink(root, b"file"),
            lambda: client.unlink(root, b"directory", 0x200),
            lambda: client.rename(root, b"file", root, b"new"),
            lambda: client.setattr(file, protocol.SET_MODE, mode=0o777),
            lambda: client.setattr(file, 0),
            lambda: client.fallocate(file, 0, 0, 100),
            lambda: client.setxattr(file, b"user.x", b""),
            lambda: client.removexattr(file, b"user.x"),
        ]
        for attempt in attempts:
            with pytest.raises(OSError) as caught:
                attempt()
            assert caught.value.errno == errno.EROFS
        os.close(client.open(file, os.O_RDONLY))
        client.fsync(file)
    assert {path.name: os.lstat(path).st_mtime_ns for path in tree.iterdir()} == before


@pytest.mark.parametrize("name", [b"", b".", b"..", b"a/b", b"/tmp/x", b"../x", b"a\0", b"x" * 256])
def test_bad_names_are_refused_by_every_message(served: Served, tree: Path, name: bytes) -> None:
    (tree / "file").write_text("x")
    client, root = served.client, served.root
    file = served.node("file")
    attempts: list[Callable[[], object]] = [
        lambda: client.create(root, name, 0o600, os.O_RDWR),
        lambda: client.mkdir(root, name, 0o700),
        lambda: client.mknod(root, name, 0o600),
        lambda: client.symlink(root, name, b"x"),
        lambda: client.link(file, root, name),
        lambda: client.unlink(root, name),
        lambda: client.unlink(root, name, 0x200),
        lambda: client.rename(root, name, root, b"new"),
        lambda: client.rename(root, b"file", root, name),
    ]
    before = served.descriptors()
    for attempt in attempts:
        with pytest.raises(OSError) as caught:
            attempt()
        assert caught.value.errno == (errno.ENAMETOOLONG if len(name) > 255 else errno.EINVAL)
    assert os.listdir(tree) == ["file"]
    assert served.descriptors() == before


def bound_by(served: Served, name: bytes, kind: int = socket.SOCK_STREAM) -> socket.socket:
    """A socket of the host that the gofer has bound."""
    _, _, descriptor = served.client.bind(served.root, name, kind, 0o777, umask=0o022)
    return socket.socket(fileno=descriptor)


def test_bind_is_off_by_default(served: Served, tree: Path) -> None:
    """And never on a read-only mount."""
    with pytest.raises(OSError) as caught:
        bound_by(served, b"socket")
    assert caught.value.errno == errno.EOPNOTSUPP
    with serving(MountSpec(str(tree), read_only=True, allow_bind=True)) as read_only:
        with pytest.raises(OSError) as caught:
            bound_by(read_only, b"socket")
        assert caught.value.errno == errno.EROFS
    assert not (tree / "socket").exists()


@pytest.mark.parametrize(
    "kind", [socket.SOCK_STREAM, socket.SOCK_DGRAM, socket.SOCK_SEQPACKET], ids=str
)
def test_bind(tree: Path, kind: int) -> None:
    """A name that the host's programs can use; the umask counts, no descriptor stays."""
    with serving(MountSpec(str(tree), read_only=False, allow_bind=True)) as served:
        before = served.descriptors()
        with bound_by(served, b"socket", kind) as bound, socket.socket(socket.AF_UNIX, kind) as we:
            assert stat.S_IMODE((tree / "socket").stat().st_mode) == 0o755
            if kind != socket.SOCK_DGRAM:
                bound.listen(1)
            we.connect(str(tree / "socket"))
            if kind == socket.SOCK_DGRAM:
                we.send(b"hello")
                assert bound.recv(10) == b"hello"
        assert served.descriptors() == before + 1  # of the node


def test_bind_stays_where_it_is(tree: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    """No name leads out of the directory, and no link is followed."""
    outside = tmp_path_factory.mktemp("outside")
    (tree / "link").symlink_to(outside / "socket")
    (tree / "up").symlink_to("../socket")
    expected = {
        b"link": errno.EEXIST,
        b"up": errno.EEXIST,
        b"../socket": errno.EINVAL,
        b"..": errno.EINVAL,
        b".": errno.EINVAL,
        b"": errno.EINVAL,
        b"\0abstract": errno.EINVAL,
        b"/tmp/socket": errno.EINVAL,
        b"a" * 107: errno.ENAMETOOLONG,
        b"a" * 256: errno.ENAMETOOLONG,
    }
    with serving(MountSpec(str(tree), read_only=False, allow_bind=True)) as served:
        for name, number in expected.items():
            with pytest.raises(OSError) as caught:
                bound_by(served, name)
            assert caught.value.errno == number, name
        with pytest.raises(OSError) as caught:
            bound_by(served, b"socket", socket.SOCK_RAW)
        assert caught.value.errno == errno.EINVAL
    assert not list(outside.iterdir()) and not (tree.parent / "socket").exists()
