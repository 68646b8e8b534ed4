"""Limits of single containers of a sandbox: each meets its own, and the others live on."""

import json
import time
from typing import Any

import pytest

from harness.pod import LIMIT, ROOT, SLEEP, Pod
from runsc_py.runsc.control.calls import EventMessage

MIB = 1 << 20
HOG = ["sh", "-c", "exec awk 'BEGIN { s = \"x\"; while (1) s = s s }'"]
#: a file system in memory of the container's own
MOUNT = {"destination": "/filled", "type": "tmpfs", "source": "tmpfs"}
FILL = ["sh", "-c", "dd if=/dev/zero of=/filled/file bs=1M count=200; sleep 600"]


def resources(**limits: Any) -> dict[str, Any]:
    """Changes of a bundle; control groups of the host have nothing to do with it."""
    return {"linux": {"resources": {name: {"limit": one} for name, one in limits.items()}}}


def limited_by_us(pod: Pod) -> Pod:
    """No control groups: what limits is the sandbox."""
    pod.runtime.prefix.append("--ignore-cgroups")
    return pod


def state(pod: Pod, name: str) -> str:
    """The container's status."""
    return str(json.loads(pod("state", name).stdout)["status"])


@pytest.mark.parametrize("program", [HOG, FILL])
def test_memory(empty: Pod, program: list[str]) -> None:
    """More memory than it may have ends one container, with an event that says so."""
    pod = limited_by_us(empty)
    pod.running(ROOT, SLEEP)
    pod.running("other", SLEEP, resources(memory=64 * MIB))
    changes = {**resources(memory=32 * MIB), "mounts+": [MOUNT]}
    created = pod.create("hog", program, changes)
    assert created.status == 0, created
    with pod.client() as client:
        request = client.subscribe("hog")
        assert pod("start", "hog").status == 0
        heard: list[EventMessage] = []
        for event in client.events(request):
            heard.append(event)
            if event.kind == "exited":
                break
    assert [event.kind for event in heard] == ["started", "oom", "exited"]
    assert heard[1].data == {"message": "memory limit of 32 MiB reached"}
    assert pod.ended("hog") == 137
    assert [state(pod, name) for name in ("hog", "other", ROOT)] == [
        "stopped",
        "running",
        "running",
    ]
    assert pod("exec", "other", "true").status == 0


def test_what_a_container_sees(empty: Pod) -> None:
    """Programs size themselves by their own container's limits."""
    pod = limited_by_us(empty)
    pod.running(ROOT, SLEEP, resources(memory=512 * MIB))
    changes = resources(memory=64 * MIB, pids=7)
    changes["linux"]["resources"]["cpu"] = {"quota": 50000, "period": 100000}
    script = (
        "cd /sys/fs/cgroup; cat memory.max pids.max cpu.max; "
        "awk '/MemTotal/ { print $2 }' /proc/meminfo"
    )
    pod.running("a", SLEEP, changes)
    pod.running("b", SLEEP)
    assert pod("exec", "a", "sh", "-c", script).stdout.split("\n") == [
        str(64 * MIB),
        "7",
        "50000 100000",
        str(64 << 10),
        "",
    ]
    assert pod("exec", "b", "sh", "-c", script).stdout.split("\n") == [
        str(512 * MIB),
        "max",
        "max 100000",
        str(512 << 10),
        "",
    ]
    assert pod("update", "--memory", "96M", "--cpu-quota", "20000", "a").status == 0
    assert pod("exec", "a", "sh", "-c", script).stdout.startswith(f"{96 * MIB}\n7\n20000 100000\n")
    assert pod("update", "--memory", "-1", "--cpu-quota", "-1", "a").status == 0
    assert pod("exec", "a", "sh", "-c", script).stdout.startswith(f"{512 * MIB}\n7\nmax 100000\n")


def test_processes(empty: Pod) -> None:
    """Its own processes count, and nobody else's."""
    pod = limited_by_us(empty)
    pod.running(ROOT, SLEEP)
    pod.running("many", ["sh", "-c", "sleep 600 & sleep 600 & wait"])
    pod.running("few", SLEEP, resources(pids=3))
    assert pod("exec", "few", "sh", "-c", "true; (true); echo $?").stdout == "0\n"
    full = pod("exec", "few", "sh", "-c", "sleep 600 & sleep 600 & wait")
    assert full.status != 0 and "fork" in full.stderr
    deadline = time.monotonic() + LIMIT
    while len(json.loads(pod("ps", "--format", "json", "few").stdout)) < 2:
        assert time.monotonic() < deadline
    assert pod("exec", "few", "true").status == 0
    assert pod("update", "--pids-limit", "1", "few").status == 0
    refused = pod("exec", "few", "true")
    assert refused.status != 0 and "too many processes in the container" in refused.stderr
    assert pod("exec", "many", "true").status == 0


def test_an_update_before_the_start(empty: Pod) -> None:
    """The sandbox learns of it when the container starts."""
    pod = limited_by_us(empty)
    pod.running(ROOT, SLEEP)
    assert pod.create("a", SLEEP).status == 0
    assert pod("update", "--memory", "64M", "a").status == 0
    assert pod("start", "a").status == 0
    assert pod("exec", "a", "cat", "/sys/fs/cgroup/memory.max").stdout == f"{64 * MIB}\n"
