"""Another process swaps files for symbolic links while the gofer walks: it never gets out.

The same attack is first run against an ordinary open of the path, to show that it works.
"""

import os
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from harness.gofer import Served, serving_directory
from runsc_py.gofer import host
from runsc_py.gofer.protocol import SET_MODE

RENAME_EXCHANGE = 2
ATTEMPTS = 3000
NAIVE_ATTEMPTS = 1_000_000


@contextmanager
def swapping(directory: Path, first: bytes, second: bytes) -> Iterator[None]:
    """A second process that exchanges two names of a directory for as long as the block runs."""
    fd = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
    pid = os.fork()
    if pid == 0:
        try:
            while os.getppid() != 1:
                for _ in range(1000):
                    host.rename(fd, first, fd, second, RENAME_EXCHANGE)
        finally:
            os._exit(0)
    os.close(fd)
    try:
        yield
    finally:
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)


@pytest.fixture(params=["openat2", "openat"])
def way_of_opening(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """With openat2, and as on a host that lacks it."""
    way: str = request.param
    select = host.select_openat2
    monkeypatch.setattr(host, "select_openat2", lambda wanted: select(way == "openat2"))
    return way


class Scene:
    """A root to be served, a secret beside it, and bait inside that looks the same."""

    def __init__(self, directory: Path) -> None:
        self.root = directory / "root"
        self.outside = directory / "outside"
        for place, content in ((self.root / "bait", b"inside"), (self.outside, b"OUTSIDE")):
            place.mkdir(parents=True)
            (place / "secret").write_bytes(content)
        (self.root / "link").symlink_to("../outside")
        (self.root / "file").write_bytes(b"inside")
        (self.root / "link-to-file").symlink_to("../outside/secret")
        self.before = self._look()

    def _look(self) -> list[tuple[str, int, bytes]]:
        return [
            (path.name, path.stat().st_mode, path.read_bytes()) for path in self.outside.iterdir()
        ]

    def assert_untouched(self) -> None:
        assert self._look() == self.before


@pytest.fixture
def scene(tmp_path: Path) -> Scene:
    return Scene(tmp_path)


def _read(fd: int) -> bytes:
    try:
        return os.read(fd, 100)
    finally:
        os.close(fd)


def _naive_attack_works(path: Path) -> bool:
    return any(_read(os.open(path, os.O_RDONLY)) == b"OUTSIDE" for _ in range(NAIVE_ATTEMPTS))


def test_a_directory_swapped_for_a_link(scene: Scene, way_of_opening: str) -> None:
    outcomes = set()
    with (
        serving_directory(scene.root, read_only=True) as served,
        swapping(scene.root, b"bait", b"link"),
    ):
        assert _naive_attack_works(scene.root / "bait" / "secret")
        client = served.client
        for _ in range(ATTEMPTS):
            found, _ = client.walk(served.root, [b"bait", b"secret"])
            outcomes.add(len(found))
            if len(found) == 2:
                assert _read(client.open(found[1][0], os.O_RDONLY)) == b"inside"
            for node, _ in found:
                client.close_node(node)
    assert outcomes == {1, 2}  # the race was on: both sides of it were seen


def test_a_file_swapped_for_a_link(scene: Scene, way_of_opening: str) -> None:
    outcomes = set()
    with (
        serving_directory(scene.root, read_only=True) as served,
        swapping(scene.root, b"file", b"link-to-file"),
    ):
        assert _naive_attack_works(scene.root / "file")
        client = served.client
        for _ in range(ATTEMPTS):
            node, _ = client.lookup(served.root, b"file")
            try:
                assert _read(client.open(node, os.O_RDONLY)) == b"inside"
                outcomes.add("file")
            except OSError:
                assert client.readlink(node) == b"../outside/secret"
                outcomes.add("link")
            client.close_node(node)
    assert outcomes == {"file", "link"}


def _attempts(served: Served, node: int) -> list[Callable[[], object]]:
    """Every way to change something in a directory that may be a link by now."""
    client = served.client
    return [
        lambda: os.close(client.create(node, b"made", 0o600, os.O_RDWR)[2]),
        lambda: client.mkdir(node, b"made", 0o700),
        lambda: client.symlink(node, b"made", b"x"),
        lambda: client.unlink(node, b"secret"),
        lambda: client.rename(node, b"secret", served.root, b"stolen"),
        lambda: client.rename(served.root, b"mine", node, b"secret"),
        lambda: client.setattr(client.lookup(node, b"secret")[0], SET_MODE, mode=0o777),
        lambda: os.close(client.open(client.lookup(node, b"secret")[0], os.O_TRUNC)),
    ]


def test_no_change_reaches_the_outside(scene: Scene, way_of_opening: str) -> None:
    with (
        serving_directory(scene.root) as served,
        swapping(scene.root, b"bait", b"link"),
    ):
        for attempt in range(ATTEMPTS // 10):
            if attempt % 20 == 0:
                (scene.root / "mine").write_bytes(b"mine")
            node, _ = served.client.lookup(served.root, b"bait")
            for act in _attempts(served, node):
                try:
                    act()
                except OSError:
                    continue
        scene.assert_untouched()


def test_new_files_are_not_made_through_links(scene: Scene, way_of_opening: str) -> None:
    """The last name is a link outside and is created, opened, linked or changed at."""
    (scene.root / "dangling").symlink_to("../outside/new")
    with serving_directory(scene.root) as served:
        client = served.client
        for name in (b"dangling", b"link", b"link-to-file"):
            with pytest.raises(FileExistsError):
                client.create(served.root, name, 0o600, os.O_RDWR)
            with pytest.raises(FileExistsError):
                client.mkdir(served.root, name, 0o700)
            node, _ = client.lookup(served.root, name)
            with pytest.raises(NotADirectoryError):
                client.create(node, b"new", 0o600, os.O_RDWR)
            client.link(node, served.root, name + b"-2")
            client.setattr(node, SET_MODE, mode=0o777)
            client.unlink(served.root, name)
    scene.assert_untouched()


def test_a_directory_moved_out_of_the_root_gives_no_way_up(
    scene: Scene, way_of_opening: str
) -> None:
    """A node moves with its directory, as a working directory does; ".." is no name."""
    with serving_directory(scene.root) as served:
        node, _ = served.client.lookup(served.root, b"bait")
        (scene.root / "bait").rename(scene.outside / "bait")
        assert [entry[0] for entry in served.client.read_directory(node)] == [b"secret"]
        for name in (b"..", b"../secret", b"../../outside/secret", b"/"):
            with pytest.raises(OSError):
                served.client.lookup(node, name)
        (scene.outside / "bait").rename(scene.root / "bait")
    scene.assert_untouched()


def test_magic_links_lead_nowhere() -> None:
    """/dev/fd and /proc/self/root, in which the kernel would jump, are only text or not there."""
    with serving_directory(Path("/"), read_only=True) as served:
        client = served.client
        dev, _ = client.lookup(served.root, b"dev")
        found, error = client.walk(dev, [b"fd", b"0"])
        assert error == 0
        assert len(found) == 1
        assert client.readlink(found[0][0]) == b"/proc/self/fd"
        proc, _ = client.lookup(served.root, b"proc")
        assert client.walk(proc, [b"self", b"root"]) == ([], 2)
