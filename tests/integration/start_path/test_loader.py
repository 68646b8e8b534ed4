"""Loader.startSubcontainer and its neighbours, seen from containers that start beside each other.

The numbers are those of the steps: 1 failed starts, 3 rights, 4 PID namespaces, 5 names, 7 what a
process is made of, 8 standard files.
"""

import os
import resource
import time
from collections.abc import Iterator
from typing import Any

import pytest

from harness.pod import ROOT, SLEEP, Pod
from runsc_py.runsc.control.calls import TO_ALL, TO_FOREGROUND, TO_PROCESS, TO_PROCESS_GROUP
from runsc_py.runsc.control.errors import ControlError

NAME = "io.kubernetes.cri.container-name"
WRONG: dict[str, Any] = {"process": {"cwd": "/bin/sh"}}
"""A working directory that is none: it is found out when the process is made."""
OURS = f"/proc/{os.getpid()}"
"""Paths of PID namespaces that exist, and that no container was started with before."""


def namespaces(path: str | None) -> dict[str, Any]:
    """The PID namespace of a specification: None leaves it out, an empty path is a new one."""
    kinds: list[dict[str, str]] = [{"type": kind} for kind in ("network", "ipc", "uts", "mount")]
    if path is not None:
        kinds.append({"type": "pid", **({"path": path} if path else {})})
    return {"linux": {"namespaces": kinds}}


@pytest.fixture
def neighbour(pod: Pod) -> Iterator[str]:
    """A second container that runs."""
    pod.running("neighbour", SLEEP)
    yield "neighbour"
    assert pod("delete", "--force", "neighbour").status == 0


def test_step_1_a_failed_start_is_an_end(pod: Pod) -> None:
    """It says so, instead of being created for ever, and is deleted like any other."""
    started = pod.start("wrong", SLEEP, WRONG)
    assert started.status != 0 and "working directory" in started.stderr
    with pod.client() as client:
        assert client.state("wrong") == "stopped"
    again = pod("start", "wrong")
    assert again.status != 0
    assert pod("delete", "wrong").status == 0
    pod.running("wrong", SLEEP)
    assert pod("delete", "--force", "wrong").status == 0


@pytest.mark.parametrize("kind", ["bounding", "permitted", "effective", "inheritable", "ambient"])
def test_step_3_raw_sockets_are_taken_from_every_set(pod: Pod, kind: str) -> None:
    """Without --net-raw nobody has CAP_NET_RAW (13), whatever the specification says."""
    sets = {"process": {"capabilities": {kind: ["CAP_CHOWN", "CAP_NET_RAW"]}}}
    status = pod.shown("grep Cap /proc/self/status", sets)
    assert all(int(line.split()[1], 16) & 1 << 13 == 0 for line in status.splitlines())


def test_step_3_additional_groups_are_kept(pod: Pod) -> None:
    """With the user and the group of the specification."""
    user = {"process": {"user": {"uid": 7, "gid": 8, "additionalGids": [30, 20]}}}
    assert pod.shown("id -u; id -g; id -G", user).split() == ["7", "8", "8", "20", "30"]


def test_step_4_no_pid_namespace_is_the_sandboxs(pod: Pod) -> None:
    """Its processes see those of the first container."""
    shown = pod.shown("ps -o pid,args", namespaces(None))
    assert any(line.split()[:2] == ["1", "sleep"] for line in shown.splitlines())


def test_step_4_a_namespace_without_a_path_is_new(pod: Pod) -> None:
    """Its first process has the number 1, and sees nobody else."""
    shown = pod.shown("echo $$; set -- /proc/[0-9]*; echo $#", namespaces(""))
    assert shown.split() == ["1", "1"]


def test_step_4_the_same_path_is_the_same_namespace(pod: Pod) -> None:
    """The second container sees the first one's process."""
    path = f"{OURS}/ns/pid"
    pod.running("joined", ["sleep", "1234"], namespaces(path))
    try:
        assert "sleep 1234" in pod.shown("ps -o args", namespaces(path))
    finally:
        assert pod("delete", "--force", "joined").status == 0


def test_step_4_a_failed_start_leaves_no_namespace_to_join(pod: Pod) -> None:
    """gVisor remembers the path and then joins nobody's namespace (a nil pointer)."""
    path = f"{OURS}/ns/pid_for_children"
    assert pod.start("failed", SLEEP, {**namespaces(path), **WRONG}).status != 0
    assert pod.shown("echo $$", namespaces(path)) == "1\n"
    assert pod("delete", "failed").status == 0


def test_step_4_a_created_container_is_not_joined(pod: Pod) -> None:
    """It has the path and no process yet."""
    path = f"{OURS}/task/{os.getpid()}/ns/pid"
    assert pod.create("waiting", SLEEP, namespaces(path)).status == 0
    assert pod.shown("echo $$", namespaces(path)) == "1\n"
    assert pod("delete", "waiting").status == 0


def test_step_4_the_namespace_of_who_has_ended_is_not_joined(pod: Pod) -> None:
    """Nothing can be started there; gVisor answers that it has no memory for that."""
    path = f"{OURS}/task/{os.getpid()}/ns/pid_for_children"
    pod.running("over", ["true"], namespaces(path))
    assert pod.ended("over") == 0
    assert pod.shown("echo $$", namespaces(path)) == "1\n"
    assert pod("delete", "over").status == 0


def test_step_5_a_renamed_container(pod: Pod) -> None:
    """The new name is the one that others cannot have."""
    renamed = {NAME: "web", "dev.gvisor.container-name-remap.0": "web=site"}
    pod.running("first", SLEEP, {"annotations": renamed})
    try:
        refused = pod.start("second", SLEEP, {"annotations": {NAME: "site"}})
        assert "container name 'site' is held by 'first'" in refused.stderr
        assert pod("delete", "second").status == 0
    finally:
        assert pod("delete", "--force", "first").status == 0


def test_step_5_a_name_is_held_by_one(pod: Pod) -> None:
    """gVisor lets the second one overwrite the first."""
    named = {"annotations": {NAME: "web"}}
    pod.running("first", SLEEP, named)
    try:
        refused = pod.start("second", SLEEP, named)
        assert refused.status != 0
        assert "container name 'web' is held by 'first'" in refused.stderr
        assert pod("delete", "second").status == 0
    finally:
        assert pod("delete", "--force", "first").status == 0
    assert pod.shown("echo free", named) == "free\n"


def test_step_5_a_failed_start_gives_its_name_back(pod: Pod) -> None:
    """gVisor keeps it."""
    named = {"annotations": {NAME: "lost"}}
    assert pod.start("failed", SLEEP, {**named, **WRONG}).status != 0
    assert pod.shown("echo mine", named) == "mine\n"
    assert pod("delete", "failed").status == 0


def test_step_7a_limits_are_a_containers_own(pod: Pod) -> None:
    """gVisor changes a table that the next container gets."""
    limits = {"process": {"rlimits": [{"type": "RLIMIT_NOFILE", "soft": 17, "hard": 17}]}}
    assert pod.shown("ulimit -n", limits) == "17\n"
    # Without a limit of its own it has the sandbox's, which is as high as the host lets it be.
    hard = min(resource.getrlimit(resource.RLIMIT_NOFILE)[1], 1 << 20)
    assert pod.shown("ulimit -n", {"process": {"rlimits": []}}) == f"{hard}\n"


def test_step_7b_the_last_value_of_a_variable_wins(pod: Pod) -> None:
    """In the order of the last ones; HOME comes after them."""
    env = {"process": {"env": ["PATH=/bin", "B=1", "A=2", "B=3=4"]}}
    shown = pod.shown("tr '\\0' '\\n' < /proc/self/environ", env).splitlines()
    assert [line for line in shown if line[:2] in ("A=", "B=")] == ["A=2", "B=3=4"]
    assert "HOME=/root" in shown


def test_step_7c_directory_and_mask(pod: Pod) -> None:
    """Of the specification; the mask is 022 otherwise, and has no more than nine bits."""
    given = {"process": {"cwd": "/tmp", "user": {"uid": 0, "gid": 0, "umask": 0o1027}}}
    assert pod.shown("pwd; umask", given) == "/tmp\n0027\n"
    assert pod.shown("pwd; umask") == "/\n0022\n"


def test_step_8_a_terminal_is_asked_for_at_create(pod: Pod) -> None:
    """There is no console socket here, and no terminal in its place."""
    created = pod.create("terminal", SLEEP, {"process": {"terminal": True}})
    assert created.status != 0 and "console socket" in created.stderr


def test_step_11_the_event_says_what_was_started(pod: Pod) -> None:
    """Directory, arguments and whether it has a terminal; the environment is nobody's business."""
    assert pod.create("told", ["sleep", "600"]).status == 0
    with pod.client() as client:
        events = client.events(client.subscribe("told"))
        assert pod("start", "told").status == 0
        started = next(events)
    assert (started.kind, started.container_id) == ("started", "told")
    assert started.data == {"cwd": "/", "args": ["sleep", "600"], "terminal": False}
    assert pod("delete", "--force", "told").status == 0


def test_a_containers_end_leaves_the_others_alone(pod: Pod, neighbour: str) -> None:
    """Also an end by a signal."""
    pod.running("short", SLEEP)
    assert pod("kill", "short", "KILL").status == 0
    assert pod.ended("short") == 137
    assert pod("delete", "short").status == 0
    with pod.client() as client:
        assert [client.state(name) for name in (ROOT, neighbour)] == ["running", "running"]


def test_the_end_of_the_first_container_ends_all(empty: Pod) -> None:
    """They are one sandbox."""
    empty.running(ROOT, SLEEP)
    empty.running("other", SLEEP)
    assert empty("kill", ROOT, "KILL").status == 0
    assert (empty.ended(ROOT), empty.ended("other")) == (137, 137)


def test_exec_waits_for_no_start(pod: Pod) -> None:
    """What is not started, or has ended, takes no more processes."""
    assert pod.create("idle", SLEEP).status == 0
    refused = pod("exec", "idle", "true")
    assert refused.status != 0 and 'container "idle" not started' in refused.stderr
    assert pod("delete", "idle").status == 0
    pod.running("over", ["true"])
    assert pod.ended("over") == 0
    refused = pod("exec", "over", "true")
    assert refused.status != 0 and "stopped" in refused.stderr
    assert pod("delete", "over").status == 0


def test_waiting_begins_before_the_start(pod: Pod) -> None:
    """The process that stands for the container is there from `create` on."""
    assert pod.create("late", ["sh", "-c", "exit 5"]).status == 0
    pid = int((pod.folder / "late.pid").read_text())
    time.sleep(0.05)
    assert os.waitpid(pid, os.WNOHANG) == (0, 0)
    assert pod("start", "late").status == 0
    assert pod.ended("late") == 5
    assert pod("delete", "late").status == 0


def test_a_process_of_exec_is_reaped_once(pod: Pod, neighbour: str) -> None:
    """Who waits first gets the status; a second one is told that there is no such process."""
    executed = pod("exec", "--detach", "--internal-pid-file", "inside", neighbour, "sleep", "0.1")
    assert executed.status == 0, executed
    pid = int((pod.folder / "inside").read_text())
    with pod.client() as client, pytest.raises(ControlError, match="has no process"):
        client.wait_pid(ROOT, pid)
    with pod.client() as client:
        try:
            status = client.wait_pid(neighbour, pid)
        except ControlError as error:  # the process that stands for it was faster
            assert "has no process" in str(error)
        else:
            assert status == 0
        with pytest.raises(ControlError, match="has no process"):
            client.wait_pid(neighbour, pid)


@pytest.mark.parametrize("pid", [0, -1])
def test_waiting_for_no_process(pod: Pod, pid: int) -> None:
    """Numbers begin at one."""
    with pod.client() as client, pytest.raises(ControlError, match=f"invalid PID {pid}"):
        client.wait_pid(ROOT, pid)


@pytest.mark.parametrize(
    ("mode", "pid", "message"),
    [
        (TO_ALL, 1, "PID must be 0 when signalling all processes: 1"),
        (TO_PROCESS_GROUP, 0, "no process group 0"),
        (TO_PROCESS_GROUP, 4242, "no process group 4242"),
        (TO_FOREGROUND, 0, "no TTY attached"),
        (TO_PROCESS, 4242, "has no process 4242"),
        ("sideways", 0, "unknown signal mode"),
    ],
)
def test_signals_that_nobody_gets(
    pod: Pod, neighbour: str, mode: str, pid: int, message: str
) -> None:
    """And the container runs on."""
    with pod.client() as client:
        with pytest.raises(ControlError, match=message):
            client.signal(neighbour, 9, pid, mode)
        assert client.state(neighbour) == "running"


@pytest.mark.parametrize("number", [0, -1, 65])
def test_signals_that_are_none(pod: Pod, neighbour: str, number: int) -> None:
    """By number."""
    with pod.client() as client, pytest.raises(ControlError, match=f"invalid signal {number}"):
        client.signal(neighbour, number, 0, TO_PROCESS)


def test_a_process_group_of_another_container(pod: Pod, neighbour: str) -> None:
    """It is not reached through a container that shares the PID namespace."""
    pod.running("third", SLEEP, namespaces(None))
    try:
        with pod.client() as client:
            with pytest.raises(ControlError, match="is not of container"):
                client.signal("third", 9, 1, TO_PROCESS_GROUP)
            assert client.state(ROOT) == "running"
    finally:
        assert pod("delete", "--force", "third").status == 0


def test_a_signal_to_all_reaches_what_forks(pod: Pod) -> None:
    """Nothing of a container escapes by having children meanwhile."""
    script = "while :; do sh -c 'sleep 100 & sleep 100 &' & usleep 1000; done"
    pod.running("forks", ["sh", "-c", script])
    time.sleep(0.2)
    with pod.client() as client:
        client.signal("forks", 9, 0, TO_ALL)
    assert pod.ended("forks") == 137
    with pod.client() as client:
        left = [entry for entry in client.processes("") if entry.command in ("sh", "sleep")]
        # Of the sandbox's processes only the sleeping first one is left.
        assert [entry.pid for entry in left] == [1]
    assert pod("delete", "forks").status == 0


def test_the_state_of_nobody_is_stopped(pod: Pod) -> None:
    """Who is gone and who never was cannot be told apart."""
    with pod.client() as client:
        assert client.state("nobody") == "stopped"
