"""Lifecycle.*: a process started in namespaces that were made before."""

import json
import os
import signal
import socket
import subprocess
from collections.abc import Iterator
from typing import Any

import pytest

from harness.pod import INSIDE, ROOT, SLEEP, Pod
from runsc_py.runsc.config import Config
from runsc_py.runsc.control.calls import (
    GetExitStatus,
    IsContainerRunning,
    PrepareNamespaces,
    Reap,
    SignalContainer,
    StartContainer,
)
from runsc_py.runsc.control.client import ControlClient
from runsc_py.runsc.control.errors import ControlError
from runsc_py.runsc.oci.reading import decode_spec
from runsc_py.runsc.sandbox_process import start_subcontainer_gofer

NOTHING = type(None)


@pytest.fixture
def client(pod: Pod) -> Iterator[ControlClient]:
    """A connection; the containers of a test are destroyed afterwards."""
    with pod.client() as connection:
        yield connection
        connection.destroy_subcontainer("one")


def prepare(pod: Pod, client: ControlClient) -> None:
    """Namespaces for a container called "one", with a PID namespace of its own."""
    bundle = pod.bundle(SLEEP, {"annotations": INSIDE})
    document = json.loads((bundle / "config.json").read_text())
    document["root"]["path"] = str(bundle / "rootfs")
    spec = json.dumps(document).encode()
    gofer = start_subcontainer_gofer(decode_spec(spec), Config(), {})
    try:
        call = PrepareNamespaces("one", spec, dict(Config().to_dict()), gofer.gofer_mounts)
        client.call(call, NOTHING, [gofer.descriptor])
    finally:
        os.close(gofer.descriptor)


def test_the_starter_keeps_its_environment(pod: Pod, client: ControlClient) -> None:
    """The gofer forgets it, in a process of its own."""
    prepare(pod, client)
    inherited = subprocess.run(["/usr/bin/env"], capture_output=True, check=True).stdout
    assert b"PATH=" in inherited


def start(client: ControlClient, script: str, **arguments: Any) -> str:
    """What a shell script prints, once it has ended."""
    ours, theirs = socket.socketpair()
    with ours:
        with theirs:
            call = StartContainer(
                "one", argv=["/bin/sh", "-c", script], donated_fds=[1], **arguments
            )
            client.call(call, NOTHING, [theirs.fileno()])
        with ours.makefile("rb") as output:
            return output.read().decode()


def refused(client: ControlClient, call: Any, descriptors: tuple[int, ...] = ()) -> str:
    """Why a call fails."""
    with pytest.raises(ControlError) as failed:
        client.call(call, NOTHING, descriptors)
    return str(failed.value)


def test_from_preparation_to_the_end(pod: Pod, client: ControlClient) -> None:
    """Started, seen running, signalled, ended, its status asked for."""
    assert "mount namespace is nil for one" in refused(client, StartContainer("one", argv=["sh"]))
    prepare(pod, client)
    assert client.call(IsContainerRunning("one"), bool) is False
    assert "hasn't exited" not in refused(client, GetExitStatus("one"))
    client.call(StartContainer("one", argv=["/bin/sleep", "600"]), NOTHING)
    assert client.call(IsContainerRunning("one"), bool) is True
    assert "hasn't exited yet" in refused(client, GetExitStatus("one"))
    assert "container id: one already exists" in refused(client, StartContainer("one"))
    client.call(SignalContainer("one", signal.SIGKILL), NOTHING)
    assert client.wait("one") == signal.SIGKILL
    assert client.call(GetExitStatus("one"), int) == signal.SIGKILL
    assert client.call(IsContainerRunning("one"), bool) is False
    assert "one container not running" in refused(client, SignalContainer("one", signal.SIGTERM))
    assert "no event emitters configured" in refused(client, Reap("one"))
    assert pod("exec", ROOT, "echo", "alive").stdout == "alive\n"


def test_a_name_is_prepared_once(pod: Pod, client: ControlClient) -> None:
    """And is nobody else's from then on."""
    prepare(pod, client)
    with pytest.raises(ControlError, match="is prepared already"):
        prepare(pod, client)
    with pytest.raises(ControlError, match='container "one" already exists'):
        client.create_subcontainer("one")


def test_environment_and_identity(pod: Pod, client: ControlClient) -> None:
    """Secrets come last; a user's name is looked up inside, and decides about the home."""
    prepare(pod, client)
    shown = start(
        client,
        "id -u; id -g; echo $A $HOME; ulimit -n; grep -c 'Eff:.0000000000000000' /proc/self/status",
        envv=["PATH=/bin", "A=1"],
        secret_envv=["A=2"],
        user="alice",
        resolve_home=True,
        limits={"NOFILE": [64, 128]},
    )
    assert shown.split() == ["1000", "1000", "2", "/home/alice", "64", "1"]


def test_root_has_the_capabilities_of_the_policy(pod: Pod, client: ControlClient) -> None:
    """All but CAP_NET_RAW, which --net-raw would give; the program is found by PATH."""
    prepare(pod, client)
    shown = start(
        client,
        "grep ^CapEff /proc/self/status; echo $$",
        filename="sh",
        resolve_binary_path=True,
        envv=["PATH=/nowhere:/bin"],
    )
    words = shown.split()
    assert int(words[1], 16) == (1 << 41) - 1 & ~(1 << 13)
    assert words[2] == "1"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"donated_fds": [0]}, "must have same number of elements (0 != 1)"),
        ({"user": "alice", "kuid": 5}, "both an explicit UID/GID and a user name"),
        ({"user": "nobody-of-that-name"}, "no user"),
        ({"limits": {"NOPE": [1, 1]}}, 'unknown limit "NOPE"'),
        ({"limits": {"CPU": [2, 1]}}, "soft limit 2 above hard limit 1"),
        ({"resolve_binary_path": True, "filename": "nope"}, "failed to resolve binary path"),
        ({"initial_cgroups": {"cpu": "a"}}, "controller: cpu err: no group 'a'"),
        ({"initial_cgroups": {"job": "/"}}, "controller: job err: no such controller"),
        ({"argv": ["/etc/passwd"]}, "failed to load /etc/passwd: Permission denied"),
        ({"argv": ["/bin"]}, "failed to load /bin: Permission denied"),
        ({"filename": "sh"}, "failed to load sh"),
        ({"wd": "/nowhere"}, 'failed to find initial working directory "/nowhere"'),
        ({"wd": "/etc/passwd"}, "Not a directory"),
    ],
)
def test_what_is_refused_leaves_it_prepared(
    pod: Pod, client: ControlClient, arguments: dict[str, Any], message: str
) -> None:
    """The message tells the step; the next start works, with the first number."""
    prepare(pod, client)
    call = StartContainer("one", **{"argv": ["/bin/true"], "envv": ["PATH=/bin"], **arguments})
    assert message in refused(client, call)
    assert start(client, "echo $$").split() == ["1"]


def test_descriptors_are_given_once(pod: Pod, client: ControlClient) -> None:
    """A number that comes twice is a mistake of whoever asks."""
    prepare(pod, client)
    null = os.open("/dev/null", os.O_RDWR)
    try:
        call = StartContainer("one", argv=["/bin/true"], donated_fds=[1, 1])
        assert "given twice" in refused(client, call, (null, null))
        call = StartContainer("one", argv=["/bin/true"], donated_fds=[-1])
        assert "must be 0 or greater" in refused(client, call, (null,))
    finally:
        os.close(null)


def test_the_containers_own_control_group(pod: Pod, client: ControlClient) -> None:
    """It has every controller, and is where its processes are."""
    prepare(pod, client)
    groups = {"cpu": "", "memory": "/", "pids": "."}
    assert start(client, "cat /proc/self/cgroup", initial_cgroups=groups) == "0::/\n"


def test_the_end_is_told_again(pod: Pod, client: ControlClient) -> None:
    """Reap sends the exit event once more, and none as long as the container runs."""
    prepare(pod, client)
    with pod.client() as listener:
        events = listener.events(listener.subscribe("one"))
        client.call(StartContainer("one", argv=["/bin/sleep", "600"]), NOTHING)
        assert next(events).kind == "started"
        client.call(Reap("one"), NOTHING)
        client.call(SignalContainer("one", signal.SIGTERM, all=True), NOTHING)
        client.call(SignalContainer("one", signal.SIGKILL), NOTHING)
        assert client.wait("one") == signal.SIGKILL
        client.call(Reap("one"), NOTHING)
        client.call(GetExitStatus("one"), int)
        told = [next(events) for _ in range(3)]
    assert {(event.kind, event.data["exit_status"]) for event in told} == {
        ("exited", signal.SIGKILL)
    }
    assert 'no container with id "two"' in _reap_of_nobody(pod)


def _reap_of_nobody(pod: Pod) -> str:
    with pod.client() as listener, pod.client() as client:
        listener.subscribe()
        return refused(client, Reap("two"))


def test_secrets_are_not_shown() -> None:
    """Neither in the log's text nor in the object's."""
    call = StartContainer("one", secret_envv=["TOKEN=hush", "KEY=hush"])
    assert "hush" not in call.masked() + repr(call)
    assert call.masked().count("(hidden)") == 2
