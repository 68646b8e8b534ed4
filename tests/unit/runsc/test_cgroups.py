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
    """All there are; version 2 hands controllers down where version 1 does not have them."""
    first = cgroups.hierarchies(VERSION_1)
    assert [(one.version, one.mount_point, one.hands_down) for one in first] == [
        (1, "/cg/memory", False),
        (1, "/cg/cpu", False),
        (1, "/cg/systemd", False),
        (2, "/cg/unified", False),
    ]
    assert first[1].controllers == {"cpu", "cpuacct"}
    second = cgroups.hierarchies(VERSION_2)
    assert [(one.version, one.hands_down) for one in second] == [(2, True)]
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


@pytest.mark.parametrize(
    ("resources", "limits"),
    [
        ({}, (None, None)),
        ({"memory": {"limit": 5}, "pids": {"limit": 6}}, (5, 6)),
        ({"memory": {"limit": -1}, "pids": {"limit": -1}}, (-1, -1)),
        ({"memory": {"limit": 0}, "pids": {"limit": 0}}, (None, 1)),
    ],
)
def test_sentry_limits(resources: dict[str, Any], limits: tuple[int | None, int | None]) -> None:
    """What the sandbox enforces by itself."""
    assert cgroups.sentry_limits(resources) == limits


def make_group(path: Path, files: str, version: int) -> str:
    """A directory with control files, empty as /dev/null."""
    path.mkdir()
    for name in files.split() + (["cgroup.controllers"] if version == 2 else []):
        (path / name).touch()
    return str(path)


def test_unused(tmp_path: Path) -> None:
    """A group with processes, or frozen, is somebody else's."""
    group = tmp_path / "g"
    cgroups.check_unused([str(group)])
    group.mkdir()
    (group / "cgroup.procs").write_text("")
    cgroups.check_unused([str(group)])
    (group / "freezer.state").write_text("FROZEN\n")
    with pytest.raises(RunscError, match="container's cgroup unexpectedly frozen"):
        cgroups.check_unused([str(group)])
    (group / "cgroup.procs").write_text("1\n7\n")
    with pytest.raises(RunscError, match=r"is not empty: 2 process\(es\) found"):
        cgroups.check_unused([str(group)])


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
