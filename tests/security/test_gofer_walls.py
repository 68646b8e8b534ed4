"""The gofer's walls, one by one: with the wall taken down the attack works, with it up it fails.

The gofer is a fork of this process, so a wall is taken down by replacing it here before the fork.
"""

import errno
import os
import random
import signal
import socket
import stat
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from harness.gofer import Served, serving, serving_directory
from runsc_py.gofer import changing, host, nodes, protocol, reading
from runsc_py.gofer.process import MountSpec
from runsc_py.gofer.protocol import NO_ID

RENAME_EXCHANGE = 2
SECRET = b"outside"

Wall = Callable[[], None]


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """What is served; a secret lies beside it."""
    tree = tmp_path / "tree"
    (tree / "directory").mkdir(parents=True)
    (tree / "file").write_bytes(b"inside")
    (tmp_path / "secret").write_bytes(SECRET)
    (tree / "link").symlink_to("..")
    return tree


def read(served: Served, node: int) -> bytes:
    """The content of a file that the gofer opens for us."""
    fd = served.client.open(node, os.O_RDONLY)
    try:
        return os.read(fd, 100)
    finally:
        os.close(fd)


def node_of(served: Served, directory: int, *names: object) -> int:
    """The node behind names that the client would never send, one request each."""
    for name in names:
        reply = served.ask(protocol.WALK, directory, [name])
        if reply[0] or reply[1]:
            raise OSError(reply[0] or reply[1], "refused")
        directory = reply[2][0][0]  # type: ignore[index]
    return directory


def let_every_name_pass(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (nodes, reading, changing):
        monkeypatch.setattr(module, "check_name", lambda name: name)


def use_plain_openat(monkeypatch: pytest.MonkeyPatch) -> None:
    select = host.select_openat2
    monkeypatch.setattr(host, "select_openat2", lambda wanted: select(False))


CLIMBS = [(b"..", b"secret"), (b"directory/../../secret",), (b"directory", b"../../secret")]


@pytest.mark.parametrize("names", CLIMBS)
def test_names(tree: Path, names: tuple[bytes, ...], monkeypatch: pytest.MonkeyPatch) -> None:
    """Two walls: the check of each name, and the host's openat2(2), which stays beneath."""
    with serving_directory(tree) as served, pytest.raises(OSError, match="refused") as refused:
        node_of(served, served.root, *names)
    assert refused.value.errno == 22
    let_every_name_pass(monkeypatch)
    with serving_directory(tree) as served, pytest.raises(OSError, match="refused") as refused:
        node_of(served, served.root, *names)
    assert refused.value.errno == 18
    use_plain_openat(monkeypatch)
    with serving_directory(tree) as served:
        assert read(served, node_of(served, served.root, *names)) == SECRET


def test_absolute_names(tree: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    secret = os.fsencode(tree.parent / "secret")
    with serving_directory(tree) as served, pytest.raises(OSError, match="refused"):
        node_of(served, served.root, secret)
    let_every_name_pass(monkeypatch)
    with serving_directory(tree) as served, pytest.raises(OSError, match="refused"):
        node_of(served, served.root, secret)
    use_plain_openat(monkeypatch)
    with serving_directory(tree) as served:
        assert read(served, node_of(served, served.root, secret)) == SECRET


def test_symbolic_links(tree: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A link is a node of its own, through which nothing can be walked."""
    with serving_directory(tree) as served:
        link = node_of(served, served.root, b"link")
        assert served.client.readlink(link) == b".."
        with pytest.raises(OSError, match="refused"):
            node_of(served, link, b"secret")
    monkeypatch.setattr(host, "walk", _walk_that_follows)
    with serving_directory(tree) as served:
        assert read(served, node_of(served, served.root, b"link", b"secret")) == SECRET


def _walk_that_follows(directory: int, name: bytes) -> tuple[int, bytes]:
    fd = os.open(name, os.O_PATH | os.O_CLOEXEC, dir_fd=directory)
    return fd, host.stat(fd)


def test_numbers_of_closed_nodes(tree: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A number that was given back never stands for another file, as a descriptor's would."""
    (tree / "other").write_bytes(b"another file")

    def reused(served: Served) -> bytes:
        node = node_of(served, served.root, b"file")
        served.client.close_node(node)
        served.client.flush_closed()
        node_of(served, served.root, b"other")
        return read(served, node)

    with serving_directory(tree) as served, pytest.raises(OSError, match="Bad file descriptor"):
        reused(served)
    add = nodes.Gofer.add

    def add_with_old_number(
        self: nodes.Gofer, fd: int, *rest: object, **more: object
    ) -> tuple[int, bytes]:
        number, attributes = add(self, fd, *rest, **more)  # type: ignore[arg-type]
        self._nodes[fd] = self._nodes.pop(number)
        return fd, attributes

    monkeypatch.setattr(nodes.Gofer, "add", add_with_old_number)
    with serving_directory(tree) as served:
        assert reused(served) == b"another file"


def test_read_only_mounts(tree: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The client's belief does not matter: this is where it is refused."""
    with serving_directory(tree, read_only=True) as served:
        with pytest.raises(OSError, match="Read-only"):
            served.client.mkdir(served.root, b"made", 0o700)
        with pytest.raises(OSError, match="Read-only"):
            served.client.open(node_of(served, served.root, b"file"), os.O_WRONLY)
    for module in (nodes, reading):
        monkeypatch.setattr(module, "check_writable", lambda node: None)
    with serving_directory(tree, read_only=True) as served:
        served.client.mkdir(served.root, b"made", 0o700)
        os.close(
            served.client.open(node_of(served, served.root, b"file"), os.O_WRONLY | os.O_TRUNC)
        )
    assert (tree / "made").is_dir() and (tree / "file").read_bytes() == b""


def test_the_hosts_proc(monkeypatch: pytest.MonkeyPatch) -> None:
    """What processes of the host have in their memory and environment."""
    names = (b"proc", b"%d" % os.getpid(), b"environ")
    root = Path("/")
    with serving_directory(root, True) as served, pytest.raises(OSError, match="refused"):
        node_of(served, served.root, *names)
    monkeypatch.setattr(nodes, "_KERNEL_FILESYSTEMS", frozenset())
    with serving_directory(root, True) as served:
        content = read(served, node_of(served, served.root, *names))
    assert content and Path(f"/proc/{os.getpid()}/environ").read_bytes().startswith(content)


def test_fifos(tree: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Opening one would hang the gofer, and with it everybody whom it serves."""
    os.mkfifo(tree / "fifo")
    with serving_directory(tree) as served:
        fifo = node_of(served, served.root, b"fifo")
        with pytest.raises(OSError, match="not permitted"):
            served.client.open(fifo, os.O_RDONLY)
    monkeypatch.setattr(reading, "check_open", lambda node, flags: None)
    with serving_directory(tree) as served:
        fifo = node_of(served, served.root, b"fifo")
        served.connection.socket.send(protocol.encode((protocol.OPEN, (), fifo, os.O_RDONLY)))
        fd = _open_when_somebody_waits(tree / "fifo")
        os.close(fd)
        served.connection.socket.recv(100)


def _open_when_somebody_waits(fifo: Path) -> int:
    """The writing end; without O_NONBLOCK's ENXIO there is a reader, hanging in open(2)."""
    deadline = time.monotonic() + 30
    while True:
        try:
            return os.open(fifo, os.O_WRONLY | os.O_NONBLOCK)
        except OSError:
            assert time.monotonic() < deadline, "nobody opened it"
            time.sleep(0.01)


# -- all at once, while others rename ----------------------------------------------------------


@contextmanager
def moving(tree: Path) -> Iterator[None]:
    """A second process that swaps directories, files and links that lead outside, for ever."""
    pairs = [("bait", "out"), ("bait/inner", "bait/up"), ("file", "secret-link"), ("a", "b/a")]
    pid = os.fork()
    if pid == 0:
        try:
            root = os.open(tree, os.O_RDONLY | os.O_DIRECTORY)
            while os.getppid() != 1:
                for old, new in pairs:
                    try:
                        host.rename(root, os.fsencode(old), root, os.fsencode(new), RENAME_EXCHANGE)
                    except OSError:
                        continue
        finally:
            os._exit(0)
    try:
        yield
    finally:
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)


def make_scene(tree: Path) -> None:
    (tree / "bait" / "inner").mkdir(parents=True)
    (tree / "a").mkdir()
    (tree / "b" / "a").mkdir(parents=True)
    for place in ("bait", "bait/inner", "a", "b/a"):
        (tree / place / "secret").write_bytes(b"inside")
    (tree / "out").symlink_to("..")
    (tree / "bait" / "up").symlink_to("../..")
    (tree / "secret-link").symlink_to("../secret")


NAMES = [b"bait", b"inner", b"a", b"b", b"out", b"up", b"file", b"secret", b"secret-link", b"new"]


def attack(served: Served, choose: random.Random, held: list[int]) -> int:
    """One request of any kind, about nodes that may be closed, moved or swapped by now.

    Which one worked, or -1.
    """
    client = served.client
    node = choose.choice(held)
    name = choose.choice(NAMES)
    names = choose.choices(NAMES, k=choose.randint(1, 4))
    acts: list[Callable[[], object]] = [
        lambda: held.extend(found[0] for found in client.walk(node, names)[0]),
        lambda: held.extend(found[0] for found in client.lookup_each(node, names) if found),
        lambda: client.walk_stat(node, names),
        lambda: client.read_directory(node),
        lambda: client.readlink(node),
        lambda: client.rename(node, name, choose.choice(held), choose.choice(NAMES)),
        lambda: held.append(client.mkdir(node, b"new", 0o700)[0]),
        lambda: client.link(choose.choice(held), node, b"new"),
        lambda: client.unlink(node, b"new", choose.choice((0, 0x200))),
        lambda: client.setattr(node, protocol.SET_MODE, mode=0o755),
        lambda: check_inside(client.open(node, os.O_RDWR)),
        lambda: held.append(make(served, node)),
        lambda: served.ask(protocol.CLOSE, [node] if node != served.root else []),
    ]
    act = choose.randrange(len(acts))
    try:
        acts[act]()
    except OSError:
        return -1  # whatever the host or the gofer says
    return act


def make(served: Served, directory: int) -> int:
    """The node of a new file."""
    node, _, fd = served.client.create(directory, b"new", 0o600, os.O_RDWR)
    check_inside(fd)
    return node


def check_inside(fd: int) -> None:
    """A donated descriptor is never of the secret."""
    try:
        assert os.pread(fd, 100, 0) != SECRET
    finally:
        os.close(fd)


def test_nothing_outside_is_held(tree: Path) -> None:
    """Whatever the gofer has open after each round lies beneath its root."""
    make_scene(tree)
    before = os.stat(tree.parent / "secret")
    choose = random.Random(4)
    with serving_directory(tree) as served, moving(tree):
        allowed = {os.readlink(f"/proc/{served.pid}/fd/{fd}") for fd in (0, 1, 2)}
        base = served.descriptors()
        worked: set[int] = set()
        for _ in range(12):
            held = [served.root]
            for _ in range(150):
                worked.add(attack(served, choose, held))
            served.descriptors()  # wait until it waits
            for fd in os.listdir(f"/proc/{served.pid}/fd"):
                target = os.readlink(f"/proc/{served.pid}/fd/{fd}")
                inside = target.startswith(f"{tree}/") or target == str(tree)
                ours = target in allowed or target.startswith(("socket:", f"/proc/{served.pid}/"))
                assert inside or ours, target
            for node in set(held) - {served.root}:
                served.ask(protocol.CLOSE, [node])
            assert served.descriptors() == base
    assert len(worked) > 9  # most acts work at some time: it was no shadow-boxing
    after = os.stat(tree.parent / "secret")
    assert (after.st_mtime_ns, after.st_mode) == (before.st_mtime_ns, before.st_mode)
    assert stat.S_ISREG(after.st_mode) and (tree.parent / "secret").read_bytes() == SECRET
    assert sorted(os.listdir(tree.parent)) == ["secret", "tree"]


def always(value: object) -> property:
    """An attribute that nobody can set otherwise."""
    return property(lambda self: value, lambda self, given: None)


def test_sockets_of_the_host(tree: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whether a client may connect is decided for each mount, and not by the client."""
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(tree / "socket"))
        listener.listen(1)
        with serving_directory(tree) as served, pytest.raises(PermissionError):
            served.client.connect(served.node("socket"), socket.SOCK_STREAM)
        monkeypatch.setattr(nodes.Mount, "allow_connect", always(True))
        with serving_directory(tree) as served:
            os.close(served.client.connect(served.node("socket"), socket.SOCK_STREAM))
            listener.accept()[0].close()


def test_names_of_sockets(tree: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A name that is bound climbs out of no directory, and is made only where that is allowed."""

    def bind(served: Served, name: bytes) -> int:
        fields = (served.root, name, int(socket.SOCK_STREAM), 0o777, NO_ID, NO_ID, 0)
        number = served.ask(protocol.BIND, *fields)[0]
        assert isinstance(number, int)
        return number

    with serving_directory(tree) as served:
        assert bind(served, b"socket") == errno.EOPNOTSUPP
    monkeypatch.setattr(nodes.Mount, "allow_bind", always(True))
    with serving_directory(tree) as served:
        assert bind(served, b"socket") == 0 and (tree / "socket").is_socket()
        assert bind(served, b"../socket") == errno.EINVAL
    assert not (tree.parent / "socket").exists()
    let_every_name_pass(monkeypatch)
    monkeypatch.setattr(changing, "_finish", lambda *_: (1, b""))
    with serving_directory(tree) as served:
        bind(served, b"../socket")
    assert (tree.parent / "socket").is_socket()


def test_stores(tree: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where upper layers are kept, a client has files of its own and sees no others."""
    with serving(MountSpec(str(tree), is_store=True)) as served:
        assert served.client.read_directory(served.root) == []
        with pytest.raises(FileNotFoundError):
            served.node("file")
        with pytest.raises(OSError, match="Read-only"):
            served.client.create(served.root, b"new", 0o600, os.O_RDWR)
        os.close(served.client.create_unnamed(served.root, 0o600, os.O_RDWR)[2])
    monkeypatch.setattr(nodes.Mount, "is_store", always(False))
    with serving(MountSpec(str(tree), is_store=True)) as served:
        assert read(served, served.node("file")) == b"inside"
