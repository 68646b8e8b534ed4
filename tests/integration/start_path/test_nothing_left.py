"""What containers leave in their sandbox when they are gone: nothing, however they ended."""

import json
from collections import Counter
from typing import Any

import pytest

from harness.pod import ROOT, SLEEP, Pod

BUSY = ["sh", "-c", "cat /etc/passwd; exec 3< /etc/group; sleep 600 & sleep 600"]
ROUNDS = 3


def running(pod: Pod) -> int:
    """How many processes the sandbox has."""
    with pod.client() as client:
        return len(client.processes(""))


def opened(pod: Pod) -> Counter[str]:
    """What the sandbox has open while nobody is connected."""
    running(pod)
    found = pod.descriptors()
    while (later := pod.descriptors()) != found:  # it closes behind its answers
        found = later
    return found


def live(pod: Pod, name: str) -> None:
    """From creation to deletion."""
    pod.running(name, BUSY)
    assert pod("exec", name, "true").status == 0
    assert pod("delete", "--force", name).status == 0


def test_containers_that_were_deleted(pod: Pod) -> None:
    """Neither descriptors nor processes, with files open and programs that run."""
    live(pod, "warm")
    processes, before = running(pod), opened(pod)
    for _ in range(ROUNDS):
        live(pod, "again")
    assert running(pod) == processes
    pod.closed(before)


def test_containers_that_were_never_started(pod: Pod) -> None:
    """What was given at creation is closed."""
    assert pod.create("idle", SLEEP).status == 0
    assert pod("delete", "idle").status == 0
    before = opened(pod)
    for _ in range(ROUNDS):
        assert pod.create("idle", SLEEP).status == 0
        assert pod("delete", "idle").status == 0
    pod.closed(before)


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"process": {"cwd": "/bin/sh/below"}}, "working directory"),
        ({"process": {"cwd": "/bin/sh"}}, "Not a directory"),
        ({"process": {"args": ["/missing"]}}, "failed to load /missing"),
        ({"process": {"args": ["missing"]}}, "not found in $PATH"),
        ({"process": {"args": ["/etc/passwd"]}}, "Permission denied"),
        ({"annotations": {"io.kubernetes.cri.container-name": "taken"}}, "is held by"),
        ({"mounts": [{"destination": "/x", "type": "tmpfs", "options": ["size=x"]}]}, "size"),
        (
            {"mounts": [{"destination": "/bin/sh/x", "type": "proc"}]},
            "cannot make the mount point",
        ),
    ],
)
def test_starts_that_fail(pod: Pod, changes: dict[str, Any], reason: str) -> None:
    """Whatever they fail at: no name, descriptor, process, mount; the next one is as the first."""
    holder = {"annotations": {"io.kubernetes.cri.container-name": "taken"}}
    pod.running("holder", SLEEP, holder)

    def fail() -> None:
        failed = pod.start("failing", SLEEP, changes)
        assert failed.status != 0 and reason in failed.stderr, failed
        assert pod("delete", "failing").status == 0

    try:
        fail()
        processes, before = running(pod), opened(pod)
        for _ in range(ROUNDS):
            fail()
        assert running(pod) == processes
        pod.closed(before)
    finally:
        assert pod("delete", "--force", "holder").status == 0


def test_exec_that_fails(pod: Pod) -> None:
    """Before its files are taken, or after: none of them stays open."""
    process = {"cwd": "/", "args": ["true"], "env": ["PATH=/bin"], "user": {"uid": 0, "gid": 0}}
    wrong = {
        "limits": {**process, "rlimits": [{"type": "RLIMIT_NOFILE", "soft": 9, "hard": 3}]},
        "environment": {**process, "env": ["PATH"]},
        "directory": {**process, "cwd": "/missing"},
        "program": {**process, "args": ["/missing"]},
    }
    for name, document in wrong.items():
        (pod.folder / name).write_text(json.dumps(document))

    def fail() -> None:
        for name in wrong:
            assert pod("exec", "--process", pod.folder / name, ROOT).status != 0, name

    fail()
    before = opened(pod)
    for _ in range(ROUNDS):
        fail()
    pod.closed(before)


def test_a_container_that_is_deleted_during_its_hook(pod: Pod) -> None:
    """The hook ends with it, and the next container is as the first."""
    hooks = {"hooks": {"startContainer": [{"path": "/bin/sleep", "args": ["sleep", "600"]}]}}

    def interrupt() -> None:
        pod.running("hooked", SLEEP, hooks)
        assert pod("delete", "--force", "hooked").status == 0
        assert pod.ended("hooked") == 137

    interrupt()
    processes, before = running(pod), opened(pod)
    for _ in range(ROUNDS):
        interrupt()
    assert running(pod) == processes
    pod.closed(before)
