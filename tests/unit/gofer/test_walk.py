"""mount, walk, walk_stat, stat, close."""

import errno
import os
import resource
import socket
from pathlib import Path

import pytest

from harness.gofer import Served, serving, serving_directory
from runsc_py.gofer import process, protocol
from runsc_py.gofer.process import MountSpec


def expected(path: Path) -> tuple[int, ...]:
    """What the attributes of a path must be, without the birth time that os.stat lacks."""
    st = os.lstat(path)
    return (
        st.st_ino,
        os.major(st.st_dev),
        os.minor(st.st_dev),
        st.st_mode,
        st.st_nlink,
        st.st_uid,
        st.st_gid,
        os.major(st.st_rdev),
        os.minor(st.st_rdev),
        st.st_size,
        st.st_blksize,
        st.st_blocks,
        st.st_atime_ns,
        st.st_mtime_ns,
        st.st_ctime_ns,
    )


def test_mount_gives_the_root(served: Served, tree: Path) -> None:
    node, attributes, read_only = served.client.mount(0)
    assert attributes[:15] == expected(tree)
    assert not read_only
    assert node != served.root


def test_a_mount_may_be_a_file(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_bytes(b"bytes")
    with serving(MountSpec(str(file))) as served:
        fd = served.client.open(served.root, os.O_RDONLY)
        assert os.read(fd, 10) == b"bytes"
        os.close(fd)
        with pytest.raises(NotADirectoryError):
            served.client.lookup(served.root, b"x")
        with pytest.raises(NotADirectoryError):
            served.client.readdir(served.root)


def test_a_mount_that_cannot_be_opened_says_why(tmp_path: Path) -> None:
    specs = [MountSpec(str(tmp_path)), MountSpec(str(tmp_path / "none"), read_only=False)]
    with serving(*specs) as served:
        with pytest.raises(FileNotFoundError):
            served.client.mount(1)
        for index in (2, -1, 2**63):
            with pytest.raises(OSError) as caught:
                served.client.mount(index)
            assert caught.value.errno == errno.EINVAL


def test_walk_gives_a_node_for_each_name(served: Served, tree: Path) -> None:
    (tree / "a" / "b").mkdir(parents=True)
    (tree / "a" / "b" / "c").write_text("x")
    found, error = served.client.walk(served.root, [b"a", b"b", b"c"])
    assert error == 0
    paths = [tree / "a", tree / "a/b", tree / "a/b/c"]
    assert [attributes[:15] for _, attributes in found] == [expected(path) for path in paths]
    assert len({node for node, _ in found}) == 3
    for (node, _), path in zip(found, paths, strict=True):
        assert served.client.stat(node)[:15] == expected(path)


def test_walk_of_nothing_is_empty(served: Served) -> None:
    assert served.client.walk(served.root, []) == ([], 0)


def test_walk_ends_behind_a_symbolic_link(served: Served, tree: Path) -> None:
    (tree / "real").mkdir()
    (tree / "link").symlink_to("real")
    found, error = served.client.walk(served.root, [b"link", b"x"])
    assert error == 0
    assert len(found) == 1
    assert found[0][1][:15] == expected(tree / "link")
    with pytest.raises(NotADirectoryError):
        served.client.lookup(found[0][0], b"x")


def test_walk_ends_before_what_is_missing(served: Served, tree: Path) -> None:
    (tree / "a").mkdir()
    (tree / "file").write_text("")
    assert served.client.walk(served.root, [b"a", b"none", b"x"])[1] == errno.ENOENT
    assert len(served.client.walk(served.root, [b"a", b"none", b"x"])[0]) == 1
    assert served.client.walk(served.root, [b"file", b"x"])[1] == errno.ENOTDIR
    with pytest.raises(FileNotFoundError):
        served.client.lookup(served.root, b"none")


def test_a_walk_may_be_longer_than_a_message(served: Served, tree: Path) -> None:
    depth = protocol.MAX_WALK + 44
    fd = os.open(tree, os.O_RDONLY)
    for _ in range(depth):
        os.mkdir("d", dir_fd=fd)
        deeper = os.open("d", os.O_RDONLY, dir_fd=fd)
        os.close(fd)
        fd = deeper
    inode = os.fstat(fd).st_ino
    os.close(fd)
    found, error = served.client.walk(served.root, [b"d"] * depth)
    assert (len(found), error) == (depth, 0)
    assert found[-1][1][protocol.INODE] == inode
    found, error = served.client.walk(served.root, [b"d"] * (depth + 1))
    assert (len(found), error) == (depth, errno.ENOENT)


def test_walk_stat_leaves_no_node(served: Served, tree: Path) -> None:
    (tree / "a").mkdir()
    (tree / "a" / "b").write_text("b")
    before = served.descriptors()
    found, error = served.client.walk_stat(served.root, [b"a", b"b", b"c"])
    assert error == errno.ENOTDIR
    assert [attributes[:15] for attributes in found] == [
        expected(tree / "a"),
        expected(tree / "a/b"),
    ]
    assert served.descriptors() == before


@pytest.mark.parametrize("name", [b"\xff\xfe\x80", b" ", b"\n", b"a" * 255, b"\\", b"..."])
def test_names_are_any_bytes(served: Served, tree: Path, name: bytes) -> None:
    Path(os.fsdecode(os.path.join(os.fsencode(tree), name))).write_bytes(name)
    node, _ = served.client.lookup(served.root, name)
    fd = served.client.open(node, os.O_RDONLY)
    assert os.read(fd, 300) == name
    os.close(fd)
    assert [entry[0] for entry in served.client.read_directory(served.root)] == [name]


@pytest.mark.parametrize(
    ("name", "number"),
    [
        (b"", errno.EINVAL),
        (b".", errno.EINVAL),
        (b"..", errno.EINVAL),
        (b"/", errno.EINVAL),
        (b"/etc", errno.EINVAL),
        (b"a/b", errno.EINVAL),
        (b"a/..", errno.EINVAL),
        (b"a\0b", errno.EINVAL),
        (b"a" * 256, errno.ENAMETOOLONG),
    ],
)
def test_bad_names_are_refused_wherever_they_stand(
    served: Served, name: bytes, number: int
) -> None:
    for names in ([name], [b"none", name]):
        for walk in (served.client.walk, served.client.walk_stat):
            with pytest.raises(OSError) as caught:
                walk(served.root, names)
            assert caught.value.errno == number


def test_file_types(served: Served, tree: Path) -> None:
    os.mkfifo(tree / "fifo")
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(tree / "socket"))
    for name in ("fifo", "socket"):
        _, attributes = served.client.lookup(served.root, name.encode())
        assert attributes[:15] == expected(tree / name)


def test_block_devices_are_not_served(served: Served, tree: Path) -> None:
    try:
        os.mknod(tree / "block", 0o060600, os.makedev(7, 0))
    except PermissionError:
        pytest.skip("may not make device nodes")
    before = served.descriptors()
    with pytest.raises(PermissionError):
        served.client.lookup(served.root, b"block")
    assert served.descriptors() == before


def test_a_node_keeps_its_file_through_rename_and_unlink(served: Served, tree: Path) -> None:
    (tree / "old").write_text("kept")
    node, attributes = served.client.lookup(served.root, b"old")
    (tree / "old").rename(tree / "new")
    (tree / "old").write_text("other")
    assert served.client.stat(node)[protocol.INODE] == attributes[protocol.INODE]
    (tree / "new").unlink()
    assert served.client.stat(node)[protocol.LINKS] == 0
    fd = served.client.open(node, os.O_RDONLY)
    assert os.read(fd, 10) == b"kept"
    os.close(fd)


def test_kernel_file_systems_are_empty_directories() -> None:
    """/proc/PID/mem of the sentry must not be within reach, even if a guest unmounts /proc."""
    with serving_directory(Path("/"), read_only=True) as served:
        for name in (b"proc", b"sys"):
            node, attributes = served.client.lookup(served.root, name)
            assert attributes[protocol.MODE] & 0o170000 == 0o040000
            assert served.client.read_directory(node) == []
            for inside in (b"self", b"1", b"kernel"):
                with pytest.raises(FileNotFoundError):
                    served.client.lookup(node, inside)


@pytest.mark.parametrize("source", ["/proc", "/proc/self/status", "/sys"])
def test_kernel_file_systems_are_no_mounts(tmp_path: Path, source: str) -> None:
    with (
        serving(MountSpec(str(tmp_path)), MountSpec(source)) as served,
        pytest.raises(PermissionError),
    ):
        served.client.mount(1)


def test_closed_nodes_ride_along(served: Served, tree: Path) -> None:
    (tree / "file").write_text("")
    before = served.descriptors()
    nodes = [served.client.lookup(served.root, b"file")[0] for _ in range(250)]
    assert served.descriptors() == before + 250
    for node in nodes:
        served.client.close_node(node)
    served.client.stat(served.root)
    assert served.descriptors() == before
    with pytest.raises(OSError) as caught:
        served.client.stat(nodes[0])
    assert caught.value.errno == errno.EBADF


def test_an_unknown_node_is_ebadf(served: Served) -> None:
    for node in (0, served.root + 1000, -1, 2**64 - 1):
        with pytest.raises(OSError) as caught:
            served.client.stat(node)
        assert caught.value.errno == errno.EBADF


def test_too_many_nodes_is_emfile(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").write_text("still")
    monkeypatch.setattr(process, "raise_descriptor_limit", lambda: 100)
    with serving_directory(tmp_path) as served:
        nodes: list[int] = []
        with pytest.raises(OSError) as caught:
            while len(nodes) < 100:
                nodes.append(served.client.lookup(served.root, b"file")[0])
        assert caught.value.errno == errno.EMFILE
        os.close(served.client.open(nodes[0], os.O_RDONLY))
        assert served.client.read_directory(served.root)
        served.client.close_node(nodes.pop())
        assert served.client.lookup(served.root, b"file")


def test_the_descriptor_limit_is_the_hosts(served: Served) -> None:
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    assert resource.prlimit(served.pid, resource.RLIMIT_NOFILE) == (hard, hard)
