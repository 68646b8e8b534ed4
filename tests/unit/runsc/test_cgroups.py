"""Control groups: which hierarchies count, where a group is, what is written into it."""

import os
from pathlib import Path
from typing import Any

import pytest

from runsc_py.runsc.containers import cgroups
from runsc_py.runsc.errors import RunscError

VERSION_1 = (
    "30 24 0:26 / /cg/memory rw,relatime - cgroup cgroup rw,memory\n"
    "31 24 0:27 / /cg/cpu rw - cgroup cgroup rw,cpu,cpuacct\n"
    "32 24 0:28 / /cg/systemd rw - cgroup cgroup rw,xattr,name=systemd\n"
    "33 24 0:29 / /cg/unified rw shared:1 - cgroup2 cgroup2 rw\n"
)
VERSION_2 = "33 24 0:29 / /sys/fs/cgroup rw shared:1 - cgroup2 cgroup2 rw,nsdelegate\n"


def test_hierarchies() -> None:
    """Version 2 counts where version 1 has no controllers."""
    first = cgroups.hierarchies(VERSION_1)
    assert [(one.version, one.mount_point) for one in first] == [(1, "/cg/memory"), (1, "/cg/cpu")]
    assert first[1].controllers == {"cpu", "cpuacct"}
    second = cgroups.hierarchies(VERSION_2)
    assert [(one.version, one.mount_point) for one in second] == [(2, "/sys/fs/cgroup")]
    assert cgroups.hierarchies("20 1 0:5 / / rw - ext4 /dev/sda rw\n") == []


@pytest.mark.parametrize(
    ("path", "systemd", "group"),
    [
        ("", False, "runsc-py/a-202578ce"),
        ("/parent/a", False, "parent/a"),
        ("../../x/a", False, "x/a"),
        ("machine.slice:libpod:a", True, "machine.slice/libpod-a.scope"),
        ("a-b.slice:crio:x", True, "a.slice/a-b.slice/crio-x.scope"),
        ("user.slice::pod.slice", True, "user.slice/pod.slice"),
        (":crio:x", True, "system.slice/crio-x.scope"),
    ],
)
def test_group_path(path: str, systemd: bool, group: str) -> None:
    """Never above the hierarchy."""
    assert cgroups.group_path(path, "a", "/no/such/root", systemd=systemd) == group


@pytest.mark.parametrize(("path", "systemd"), [("/", False), ("..", False), ("/a/b", True)])
def test_group_paths_that_are_none(path: str, systemd: bool) -> None:
    """A container cannot be in the root group; systemd's form has three parts."""
    with pytest.raises(RunscError, match="cgroupsPath"):
        cgroups.group_path(path, "a", "/no/such/root", systemd=systemd)


RESOURCES: dict[str, Any] = {
    "memory": {"limit": 1 << 20, "swap": 3 << 20, "reservation": 4096, "swappiness": 10},
    "cpu": {"shares": 1024, "quota": 5000, "period": 10000, "cpus": "0", "mems": "0"},
    "pids": {"limit": 10},
    "blockIO": {"weight": 100},
    "unified": {"memory.high": "77"},
}


def make_group(path: Path, files: str, version: int) -> str:
    """A directory with control files, empty as /dev/null."""
    path.mkdir()
    for name in files.split() + (["cgroup.controllers"] if version == 2 else []):
        (path / name).touch()
    return str(path)


def test_apply_version_1(tmp_path: Path) -> None:
    """Each file of the hierarchy that has it."""
    memory = make_group(
        tmp_path / "m", "memory.limit_in_bytes memory.memsw.limit_in_bytes memory.swappiness", 1
    )
    cpu = make_group(tmp_path / "c", "cpu.shares cpu.cfs_quota_us cpu.cfs_period_us pids.max", 1)
    assert cgroups.apply([memory, cpu], RESOURCES) == []
    content = {path.name: path.read_text() for path in tmp_path.glob("*/*")}
    assert content == {
        "memory.limit_in_bytes": str((1 << 20) + cgroups.MEMORY_OVERHEAD),
        "memory.memsw.limit_in_bytes": str((3 << 20) + cgroups.MEMORY_OVERHEAD),
        "memory.swappiness": "10",
        "cpu.shares": "1024",
        "cpu.cfs_quota_us": "5000",
        "cpu.cfs_period_us": "10000",
        "pids.max": "74",
    }


def test_apply_version_2(tmp_path: Path) -> None:
    """Swap without memory, shares as weight, quota and period together."""
    files = (
        "memory.max memory.swap.max memory.low memory.high cpu.weight cpu.max pids.max io.weight"
    )
    group = make_group(tmp_path / "g", files, 2)
    assert cgroups.apply([group], RESOURCES) == []
    content = {path.name: path.read_text() for path in tmp_path.glob("g/*") if path.read_text()}
    assert content == {
        "memory.max": str((1 << 20) + cgroups.MEMORY_OVERHEAD),
        "memory.swap.max": "2097152",
        "memory.low": "4096",
        "memory.high": "77",
        "cpu.weight": "39",
        "cpu.max": "5000 10000",
        "pids.max": "74",
        "io.weight": "default 100",
    }


def test_no_limits(tmp_path: Path) -> None:
    """-1 takes a limit away."""
    group = make_group(tmp_path / "g", "memory.max pids.max cpu.max", 2)
    cgroups.apply([group], {"memory": {"limit": -1}, "pids": {"limit": -1}, "cpu": {"quota": -1}})
    assert [(tmp_path / "g" / name).read_text() for name in ("memory.max", "pids.max")] == [
        "max",
        "max",
    ]
    assert (tmp_path / "g" / "cpu.max").read_text() == "max 100000"


def test_what_the_host_refuses(tmp_path: Path) -> None:
    """A line that names the file and the reason."""
    group = tmp_path / "g"
    group.mkdir()
    (group / "pids.max").symlink_to("/dev/full")
    assert cgroups.apply([str(group)], RESOURCES) == [
        "cgroup: pids.max = 74: No space left on device"
    ]


@pytest.mark.parametrize(
    ("resources", "limits"),
    [
        ({}, (None, None)),
        ({"memory": {"limit": 5}, "pids": {"limit": 6}}, (5, 6)),
        ({"memory": {"limit": -1}, "pids": {"limit": 0}}, (None, None)),
    ],
)
def test_sentry_limits(resources: dict[str, Any], limits: tuple[int | None, int | None]) -> None:
    """What the sandbox enforces by itself."""
    assert cgroups.sentry_limits(resources) == limits


def test_make_join_remove() -> None:
    """On the host's own hierarchies, where this machine lets us."""
    found = cgroups.host_hierarchies()
    name = f"runsc-py-test-{os.getpid()}"
    if not found or not all(os.access(one.mount_point, os.W_OK) for one in found):
        pytest.skip("control groups cannot be made here")
    try:
        groups = cgroups.plan_groups(found, f"{name}/a")
        cgroups.make_groups(found, f"{name}/a")
    except OSError as error:
        pytest.skip(f"control groups cannot be made here: {error}")
    try:
        assert len(groups) == len(found) and all(map(os.path.isdir, groups))
        pid = os.fork()
        if pid == 0:
            import signal

            signal.pause()
        try:
            cgroups.join(groups, pid)
            assert all(cgroups.processes(group) == [pid] for group in groups)
        finally:
            os.kill(pid, 9)
            os.waitpid(pid, 0)
    finally:
        assert cgroups.remove_groups(groups) == []
        assert cgroups.remove_groups([os.path.dirname(group) for group in groups]) == []
    assert not any(map(os.path.exists, groups))


def test_out_of_memory_kills(tmp_path: Path) -> None:
    """Both versions tell; groups that are gone, or of other controllers, do not count."""
    make_group(tmp_path / "1", "memory.oom_control", 1)
    make_group(tmp_path / "2", "memory.events", 2)
    (tmp_path / "1" / "memory.oom_control").write_text("oom_kill_disable 0\noom_kill 2\n")
    (tmp_path / "2" / "memory.events").write_text("low 0\nmax 9\noom_kill 1\n")
    groups = [str(tmp_path / name) for name in ("1", "2", "3")]
    assert cgroups.out_of_memory_kills(groups) == 3


def test_the_same_name_in_two_state_directories() -> None:
    """Those are two containers, and two groups."""
    paths = {cgroups.group_path("", "a", root, systemd=False) for root in ("/r1", "/r2")}
    assert len(paths) == 2
