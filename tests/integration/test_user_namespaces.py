"""Id maps of containers: their own, those of another container's namespace, those of a process."""

import os
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from harness.containers import BUSYBOX, WAIT, Engine
from runsc_py.sentry.errors import EOVERFLOW
from runsc_py.sentry.fs.gofer.identity import RangeIdMapper

pytestmark = [
    pytest.mark.skipif(BUSYBOX is None, reason="Debian: busybox-static"),
    pytest.mark.skipif(os.geteuid() != 0, reason="the bundle's files are root's or nobody's"),
]
MAPS = {
    "uidMappings": [
        {"containerID": 0, "hostID": 0, "size": 1},
        {"containerID": 1, "hostID": 5001, "size": 70000},
    ],
    "gidMappings": [{"containerID": 0, "hostID": 0, "size": 3000}],
}
SHOWN = [["0", "0", "1"], ["1", "5001", "70000"], ["0", "0", "3000"]]
SCRIPT = "busybox cat /proc/self/uid_map /proc/self/gid_map"


def _change(path: str = "", maps: "dict[str, Any] | None" = None) -> Any:
    def change(document: Any) -> None:
        document["linux"]["namespaces"].append({"type": "user", "path": path})
        document["linux"].update(maps or {})

    return change


def _maps(engine: Engine, change: Any) -> list[list[str]]:
    """What a container with this change reads."""
    done = engine("run", "--bundle", engine.bundle("/bin/sh", "-c", SCRIPT, change=change), "b")
    assert done.returncode == 0, done.stderr
    return [line.split() for line in done.stdout.splitlines()]


def _error(engine: Engine, change: Any) -> str:
    """What is said of it."""
    done = engine("run", "--bundle", engine.bundle("/bin/sh", change=change), "b")
    assert done.returncode != 0
    return str(done.stderr)


def test_maps_of_its_own(engine: Engine) -> None:
    """They are what the guest reads."""
    assert _maps(engine, _change(maps=MAPS)) == SHOWN


def test_the_namespace_of_another_container(engine: Engine) -> None:
    """Named by its process, which is ours and has no namespace on the host."""
    bundle = engine.bundle(*WAIT, change=_change(maps=MAPS))
    pid_file = engine.folder / "pid"
    assert engine("create", "--bundle", bundle, "--pid-file", pid_file, "a").returncode == 0
    path = f"/proc/{pid_file.read_text()}/ns/user"
    assert _maps(engine, _change(path)) == SHOWN
    assert _maps(engine, _change(path, MAPS)) == SHOWN
    other = {**MAPS, "gidMappings": [{"containerID": 0, "hostID": 0, "size": 4}]}
    assert "non-matching mapping specified" in _error(engine, _change(path, other))


@pytest.fixture
def stranger(tmp_path: Path) -> Iterator[int]:
    """A process of the host in a user namespace of its own."""
    try:
        process = subprocess.Popen(["unshare", "--user", "sleep", "600"])
    except FileNotFoundError:
        pytest.skip("Debian: util-linux")
    try:
        mine = os.readlink("/proc/self/ns/user")
        deadline = time.monotonic() + 30
        while os.readlink(f"/proc/{process.pid}/ns/user") == mine:
            if process.poll() is not None:
                pytest.skip("the host lets nobody have a user namespace")
            assert time.monotonic() < deadline
        for name in ("uid", "gid"):
            Path(f"/proc/{process.pid}/{name}_map").write_text("0 0 10\n20 20 5\n")
        yield process.pid
    finally:
        process.kill()
        process.wait()


def test_the_namespace_of_a_process(engine: Engine, stranger: int) -> None:
    """Named by its process, and by a file."""
    expected = [["0", "0", "10"], ["20", "20", "5"]] * 2
    assert _maps(engine, _change(f"/proc/{stranger}/ns/user")) == expected
    # The same namespace by a name that says nothing of a process.
    link = engine.folder / "namespace"
    link.symlink_to(f"/proc/{stranger}/ns/user")
    assert _maps(engine, _change(str(link))) == expected


def test_the_namespace_of_the_host(engine: Engine) -> None:
    """As if nothing had been said."""
    assert _maps(engine, _change(f"/proc/{os.getpid()}/ns/user")) == [["0", "0", "4294967295"]] * 2


@pytest.mark.parametrize(
    ("maps", "message"),
    [
        ({}, "no namespace path to join nor mappings to apply specified"),
        ({"uidMappings": MAPS["uidMappings"]}, "no gid mappings found"),
        (
            {**MAPS, "uidMappings": [{"containerID": 1, "hostID": 0, "size": 9}]},
            "user namespaces enabled, but no mapping found for uid 0",
        ),
    ],
)
def test_maps_that_are_none(engine: Engine, maps: dict[str, Any], message: str) -> None:
    """In runc's words."""
    assert message in _error(engine, _change(maps=maps))


def test_ids_without_a_mapping() -> None:
    """Nobody owns what belongs to somebody else on the host; nothing becomes anybody else's."""
    ids = RangeIdMapper([(0, 0, 1), (1, 5001, 70000)], [(0, 0, 3000)])
    assert [ids.guest_uid(number) for number in (0, 1, 5000, 5001, 75000, 75001)] == [
        *(0, 65534, 65534, 1, 70000, 65534)
    ]
    assert (ids.guest_gid(2999), ids.guest_gid(3000)) == (2999, 65534)
    assert (ids.host_uid(1), ids.host_uid(70000), ids.host_gid(7)) == (5001, 75000, 7)
    for refused in (lambda: ids.host_uid(70001), lambda: ids.host_gid(3000)):
        with pytest.raises(EOVERFLOW):
            refused()
