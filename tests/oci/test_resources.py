"""What runc and runsc-py write into control groups for the same `linux.resources` and `update`.

Memory and processes are limited a little above what is asked for: our own processes are in the
group, and the sandbox enforces the exact limit.
"""

import os
from pathlib import Path
from typing import Any

import pytest

from harness.oci_bundle import busybox, make_bundle
from harness.oci_runtime import Runtime, ours, peers
from runsc_py.runsc.containers.cgroups import host_hierarchies
from runsc_py.runsc.containers.resource_settings import MEMORY_OVERHEAD, OVERHEAD

RESOURCES: dict[str, Any] = {
    "memory": {"limit": 64 << 20, "swap": 96 << 20, "reservation": 32 << 20, "swappiness": 7},
    "cpu": {"shares": 100, "quota": 30000, "period": 60000, "cpus": "0", "mems": "0"},
    "pids": {"limit": 20},
    "devices": [{"allow": True, "access": "rwm"}],
}
FILES = (
    *("memory.limit_in_bytes", "memory.memsw.limit_in_bytes", "memory.soft_limit_in_bytes"),
    *("memory.swappiness", "cpu.shares", "cpu.cfs_quota_us", "cpu.cfs_period_us", "cpu.idle"),
    *("cpu.cfs_burst_us", "cpuset.cpus", "cpuset.mems", "pids.max", "blkio.weight"),
    *("cpu.weight", "cpu.max", "cpu.max.burst", "memory.max", "memory.swap.max", "memory.low"),
)
EXTRA = {
    "memory.limit_in_bytes": MEMORY_OVERHEAD,
    "memory.memsw.limit_in_bytes": MEMORY_OVERHEAD,
    "memory.max": MEMORY_OVERHEAD,
    "pids.max": OVERHEAD,
}
UPDATES = (
    ("--cpu-quota", "20000"),
    ("--cpu-period", "80000", "--cpu-quota", "40000"),
    ("--cpu-quota", "-1"),
    ("--memory", "128M", "--memory-swap", "256M"),
    ("--memory", "48M", "--memory-swap", "50M", "--memory-reservation", "40M"),
    ("--memory", "-1"),
    ("--pids-limit", "30"),
    ("--pids-limit", "-1"),
    ("--cpuset-cpus", "0", "--cpuset-mems", "0"),
    ("--cpu-share", "300"),
)

pytestmark = [
    pytest.mark.skipif(busybox() is None, reason="Debian: busybox-static"),
    pytest.mark.skipif(os.geteuid() != 0, reason="runc needs root"),
]


def _groups(path: str) -> list[Path]:
    return [Path(one.mount_point, path) for one in host_hierarchies()]


def _content(groups: list[Path], overhead: bool) -> dict[str, str]:
    """What the control files say; `overhead` is taken off."""
    found = {}
    for group in groups:
        for name in FILES:
            if (group / name).exists():
                text = (group / name).read_text().strip()
                if overhead and text.isdigit() and int(text) < 1 << 60:
                    text = str(int(text) - EXTRA.get(name, 0))
                found[name] = text
    return found


def _seen(runtime: Runtime, bundle: Path) -> list[dict[str, str]]:
    path = f"runsc-py-test-{os.getpid()}/{runtime.name}"
    make_bundle(
        bundle,
        {
            "process": {"args": ["sleep", "600"]},
            "linux": {"cgroupsPath": f"/{path}", "resources": RESOURCES},
        },
    )
    groups, overhead = _groups(path), runtime.name == "runsc-py"
    try:
        done = runtime.call("run", "--detach", "--bundle", bundle, "limited", stdout=2, stderr=2)
        assert done.status == 0
        seen = [_content(groups, overhead)]
        for words in UPDATES:
            done = runtime.call("update", *words, "limited")
            assert done.status == 0, f"{runtime.name} {words}: {done}"
            seen.append(_content(groups, overhead))
    finally:
        runtime.call("delete", "--force", "limited")
    assert not [group for group in groups if group.exists()]
    return seen


def test_values(tmp_path: Path) -> None:
    """The same in every file, at first and after each update."""
    found = host_hierarchies()
    runtimes = [runtime for runtime in peers(tmp_path / "state") if runtime.name == "runc"]
    if not runtimes or not found or not all(os.access(one.mount_point, os.W_OK) for one in found):
        pytest.skip("runc, and control groups that can be made")
    try:
        expected = _seen(runtimes[0], tmp_path / "runc")
        seen = _seen(ours(tmp_path / "state" / "ours"), tmp_path / "ours")
    finally:
        for group in _groups(f"runsc-py-test-{os.getpid()}"):
            if group.exists():
                group.rmdir()
    for words, one, other in zip(("run", *UPDATES), expected, seen, strict=True):
        assert other == one, words
    assert expected[0]["pids.max"] == "20"
