"""`linux.resources` as control files of both versions, in runc's conversion."""

from pathlib import Path
from typing import Any

import pytest

from runsc_py.runsc.containers import cgroups
from runsc_py.runsc.containers.resource_settings import (
    MEMORY_OVERHEAD,
    OVERHEAD,
    cpu_weight,
    merge,
    settings,
    swap_alone,
)
from runsc_py.runsc.errors import RunscError

MIB = 1 << 20

CASES: list[tuple[dict[str, Any], dict[str, str], dict[str, str]]] = [
    (
        {"memory": {"limit": MIB, "swap": 3 * MIB, "reservation": 4096}},
        {
            "memory.limit_in_bytes": str(MIB + MEMORY_OVERHEAD),
            "memory.memsw.limit_in_bytes": str(3 * MIB + MEMORY_OVERHEAD),
            "memory.soft_limit_in_bytes": "4096",
        },
        {
            "memory.max": str(MIB + MEMORY_OVERHEAD),
            "memory.swap.max": str(2 * MIB),
            "memory.low": "4096",
        },
    ),
    (
        {"memory": {"limit": -1}},
        {"memory.limit_in_bytes": "-1", "memory.memsw.limit_in_bytes": "-1"},
        {"memory.max": "max", "memory.swap.max": "max"},
    ),
    ({"memory": {"limit": 0, "swap": 0, "reservation": 0}}, {}, {}),
    (
        {"memory": {"limit": -1, "swap": MIB, "reservation": -1}},
        {
            "memory.limit_in_bytes": "-1",
            "memory.memsw.limit_in_bytes": str(MIB + MEMORY_OVERHEAD),
            "memory.soft_limit_in_bytes": "-1",
        },
        {"memory.max": "max", "memory.swap.max": str(MIB), "memory.low": "max"},
    ),
    (
        {"memory": {"swappiness": 0, "disableOOMKiller": True}},
        {"memory.swappiness": "0", "memory.oom_control": "1"},
        {},
    ),
    (
        {"cpu": {"shares": 1024, "quota": 5000, "period": 10000, "cpus": "0-1", "mems": "0"}},
        {
            "cpuset.cpus": "0-1",
            "cpuset.mems": "0",
            "cpu.shares": "1024",
            "cpu.cfs_period_us": "10000",
            "cpu.cfs_quota_us": "5000",
        },
        {
            "cpuset.cpus": "0-1",
            "cpuset.mems": "0",
            "cpu.weight": "100",
            "cpu.max": "5000 10000",
        },
    ),
    ({"cpu": {"quota": -1}}, {"cpu.cfs_quota_us": "-1"}, {"cpu.max": "max 100000"}),
    ({"cpu": {"period": 7000}}, {"cpu.cfs_period_us": "7000"}, {"cpu.max": "max 7000"}),
    (
        {"cpu": {"burst": 0, "idle": 0, "shares": 0, "quota": 0}},
        {"cpu.cfs_burst_us": "0", "cpu.idle": "0"},
        {"cpu.max.burst": "0", "cpu.idle": "0"},
    ),
    (
        {"cpu": {"realtimePeriod": 10, "realtimeRuntime": 5}},
        {"cpu.rt_period_us": "10", "cpu.rt_runtime_us": "5"},
        {},
    ),
    ({"pids": {"limit": 10}}, *[{"pids.max": str(10 + OVERHEAD)}] * 2),
    ({"pids": {"limit": 0}}, *[{"pids.max": str(1 + OVERHEAD)}] * 2),
    ({"pids": {"limit": -1}}, *[{"pids.max": "max"}] * 2),
    (
        {
            "blockIO": {
                "weight": 100,
                "weightDevice": [{"major": 7, "minor": 0, "weight": 333, "leafWeight": 5}],
                "throttleReadBpsDevice": [{"major": 8, "minor": 0, "rate": 10}],
                "throttleWriteIOPSDevice": [{"major": 8, "minor": 0}],
            }
        },
        {
            "blkio.weight": "100",
            "blkio.weight_device": "7:0 333",
            "blkio.bfq.weight": "100",
            "blkio.bfq.weight_device": "7:0 333",
            "blkio.leaf_weight_device": "7:0 5",
            "blkio.throttle.read_bps_device": "8:0 10",
            "blkio.throttle.write_iops_device": "8:0 0",
        },
        # The last one counts here: each is a write of its own.
        {"io.bfq.weight": "7:0 333", "io.weight": "910", "io.max": "8:0 wiops=max"},
    ),
    (
        {"hugepageLimits": [{"pageSize": "2MB", "limit": 4096}]},
        {"hugetlb.2MB.limit_in_bytes": "4096", "hugetlb.2MB.rsvd.limit_in_bytes": "4096"},
        {"hugetlb.2MB.max": "4096", "hugetlb.2MB.rsvd.max": "4096"},
    ),
    (
        {"network": {"classID": 17, "priorities": [{"name": "eth0", "priority": 3}]}},
        {"net_cls.classid": "17", "net_prio.ifpriomap": "eth0 3"},
        {},
    ),
    (
        {"rdma": {"mlx5_1": {"hcaHandles": 3}}},
        *[{"rdma.max": "mlx5_1 hca_handle=3 hca_object=max"}] * 2,
    ),
]


@pytest.mark.parametrize(("resources", "first", "second"), CASES)
def test_settings(resources: dict[str, Any], first: dict[str, str], second: dict[str, str]) -> None:
    """What is written in version 1 and in version 2."""
    assert dict(settings(1, resources)) == first
    assert dict(settings(2, resources)) == second


@pytest.mark.parametrize(
    ("shares", "weight"),
    [(2, 1), (3, 2), (100, 17), (512, 59), (1024, 100), (262144, 10000), (1 << 30, 10000)],
)
def test_cpu_weight(shares: int, weight: int) -> None:
    """The smallest, usual and largest values of both versions are each other's."""
    assert cpu_weight(shares) == weight


@pytest.mark.parametrize(
    ("swap", "memory", "alone"),
    [(0, 0, None), (0, 5, None), (-1, 5, -1), (0, -1, -1), (7, -1, 7), (7, 5, 2), (5, 5, 0)],
)
def test_swap_alone(swap: int, memory: int, alone: int | None) -> None:
    """Memory and swap together, less memory."""
    assert swap_alone(swap, memory) == alone


@pytest.mark.parametrize(
    ("version", "resources", "message"),
    [
        (1, {"unified": {"memory.high": "1"}}, "cannot use unified on cgroup v1"),
        (1, {"memory": {"swappiness": 101}}, "invalid memory swappiness value: 101"),
        (2, {"memory": {"swap": 5}}, "unable to set swap limit without memory limit"),
        (2, {"memory": {"swap": 5, "limit": 6}}, "memory\\+swap limit should be >= memory limit"),
        (2, {"memory": {"swap": 5, "limit": -2}}, "invalid memory value: -2"),
        (2, {"unified": {"a/b": "1"}}, r"must be a file name \(no slashes\)"),
        (2, {"unified": {"high": "1"}}, "must be in the form CONTROLLER.PARAMETER"),
    ],
)
def test_what_makes_no_sense(version: int, resources: dict[str, Any], message: str) -> None:
    """Told in runc's words."""
    with pytest.raises(RunscError, match=message):
        settings(version, resources)


def test_unified() -> None:
    """Each line is written by itself."""
    assert settings(2, {"unified": {"io.max": "8:0 rbps=1\n8:1 rbps=2\n"}}) == [
        ("io.max", "8:0 rbps=1"),
        ("io.max", "8:1 rbps=2"),
    ]


def _group(path: Path, *files: str) -> str:
    path.mkdir()
    for name in files:
        (path / name).touch()
    return str(path)


def test_apply(tmp_path: Path) -> None:
    """Each file of the hierarchy that has it; what none has is told."""
    memory = _group(tmp_path / "m", "memory.limit_in_bytes")
    other = _group(tmp_path / "p", "pids.max")
    unified = _group(tmp_path / "u", "cgroup.controllers", "cpu.max")
    resources = {
        "memory": {"limit": MIB},
        "pids": {"limit": 5},
        "cpu": {"quota": 9, "burst": 1},
        "blockIO": {"weight": 10},
    }
    assert cgroups.apply([memory, other, unified], resources) == [
        "cgroup: cpu.cfs_quota_us = 9: this host has no such control file"
    ]
    assert (tmp_path / "m/memory.limit_in_bytes").read_text() == str(MIB + MEMORY_OVERHEAD)
    assert (tmp_path / "p/pids.max").read_text() == str(5 + OVERHEAD)
    assert (tmp_path / "u/cpu.max").read_text() == ""


def test_what_the_host_refuses(tmp_path: Path) -> None:
    """An error that names the file and the reason, with runc's words."""
    group = tmp_path / "g"
    group.mkdir()
    (group / "pids.max").symlink_to("/dev/full")
    with pytest.raises(RunscError, match=f'failed to write "74": write {group}/pids.max: no space'):
        cgroups.apply([str(group)], {"pids": {"limit": 10}})


def test_merge() -> None:
    """Members replace members, devices devices; the rest stays."""
    old = {
        "memory": {"limit": 5, "swap": 7},
        "blockIO": {"throttleReadBpsDevice": [{"major": 1, "minor": 2, "rate": 3}]},
    }
    new = {
        "memory": {"limit": 6},
        "cpu": {"quota": 1},
        "blockIO": {
            "throttleReadBpsDevice": [
                {"major": 1, "minor": 2, "rate": 4},
                {"major": 1, "minor": 3, "rate": 5},
            ]
        },
    }
    assert merge(old, new) == {
        "memory": {"limit": 6, "swap": 7},
        "cpu": {"quota": 1},
        "blockIO": {
            "throttleReadBpsDevice": [
                {"major": 1, "minor": 2, "rate": 4},
                {"major": 1, "minor": 3, "rate": 5},
            ]
        },
    }
    assert merge({}, new) == new and old["memory"] == {"limit": 5, "swap": 7}
