"""containerManager.StartSubcontainer and its companions, called as a client may call them.

The numbers are those of the steps: 1 arguments, 2 the sandbox's state, 3 the descriptors, 5 their
ownership, 6 the start itself.  Each test sends a real call to a sandbox that runs.
"""

import json
import os
import socket
from collections.abc import Iterator
from typing import Any

import pytest

from harness.pod import INSIDE, ROOT, SLEEP, Pod
from runsc_py.runsc.config import Config
from runsc_py.runsc.control.calls import (
    Call,
    ContainerRuntimeState,
    CreateSubcontainer,
    StartRoot,
    StartSubcontainer,
)
from runsc_py.runsc.control.errors import ControlError

CONFIG: dict[str, object] = dict(Config().to_dict())
LAYERS = ["lisafs:none"]


def spec(pod: Pod, **process: Any) -> bytes:
    """A specification as `start` sends it."""
    bundle = pod.bundle(SLEEP, {"annotations": INSIDE, "process": process})
    document = json.loads((bundle / "config.json").read_text())
    document["root"]["path"] = str(bundle / "rootfs")
    return json.dumps(document).encode()


@pytest.fixture
def reserved(pod: Pod) -> Iterator[str]:
    """A container that waits for its start, and is forgotten afterwards."""
    with pod.client() as client:
        client.create_subcontainer("reserved")
        yield "reserved"
        client.destroy_subcontainer("reserved")


def refusal(pod: Pod, call: Call, count: int = 0) -> ControlError:
    """What a call with `count` descriptors is refused with; the sandbox keeps none of them."""
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    with ours, theirs, pod.client() as client:
        client.call(ContainerRuntimeState(ROOT), str)
        before = pod.descriptors()
        with pytest.raises(ControlError) as refused:
            client.call(call, type(None), [theirs.fileno()] * count)
        pod.closed(before)
        return refused.value


def test_step_1_a_specification_is_needed(pod: Pod, reserved: str) -> None:
    """None at all."""
    assert "start arguments missing spec" in str(
        refusal(pod, StartSubcontainer(reserved, None, CONFIG, LAYERS), 4)
    )


def test_step_1_a_configuration_is_needed(pod: Pod, reserved: str) -> None:
    """The options of the runtime, which decide about rights."""
    call = StartSubcontainer(reserved, spec(pod), None, LAYERS)
    assert "start arguments missing config" in str(refusal(pod, call, 4))


def test_step_1_a_name_is_needed(pod: Pod) -> None:
    """Of the container."""
    call = StartSubcontainer("", spec(pod), CONFIG, LAYERS)
    assert "start argument missing container ID" in str(refusal(pod, call, 4))


def test_step_1_a_process_is_needed(pod: Pod, reserved: str) -> None:
    """The specification may leave it out; a start may not."""
    document = json.loads(spec(pod))
    del document["process"]
    call = StartSubcontainer(reserved, json.dumps(document).encode(), CONFIG, LAYERS)
    assert "process" in str(refusal(pod, call, 4))


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b'{"ociVersion": 1}', b"\xff"])
def test_step_1_a_specification_that_is_none(pod: Pod, reserved: str, content: bytes) -> None:
    """It is decoded again on this side."""
    assert refusal(pod, StartSubcontainer(reserved, content, CONFIG, LAYERS), 4).message


@pytest.mark.parametrize("config", [{"nothing": 1}, {"network": 3}, {"debug": [1]}])
def test_step_1_a_configuration_that_is_none(
    pod: Pod, reserved: str, config: dict[str, object]
) -> None:
    """Unknown options and wrong types."""
    assert refusal(pod, StartSubcontainer(reserved, spec(pod), config, LAYERS), 4).message


def test_step_2_the_first_container_must_run(empty: Pod) -> None:
    """A sandbox that is created and not started takes no other containers."""
    assert empty.create(ROOT, SLEEP).status == 0
    with empty.client() as client:
        client.create_subcontainer("early")
    call = StartSubcontainer("early", spec(empty), CONFIG, LAYERS)
    error = refusal(empty, call, 4)
    assert "sandbox is not in started state, cannot start subcontainer: state=created" in str(error)
    assert error.code == "state"


@pytest.mark.parametrize("count", [0, 1, 3])
def test_step_3_too_few_descriptors(pod: Pod, reserved: str, count: int) -> None:
    """Three standard files and the gofer."""
    call = StartSubcontainer(reserved, spec(pod), CONFIG, LAYERS)
    expected = f"start arguments must contain at least 4 FDs, but only got {count}"
    assert expected in str(refusal(pod, call, count))


@pytest.mark.parametrize("count", [5, 9])
def test_step_3_too_many_descriptors(pod: Pod, reserved: str, count: int) -> None:
    """gVisor ignores what is too much; nobody would ever close it."""
    call = StartSubcontainer(reserved, spec(pod), CONFIG, LAYERS)
    assert f"must contain 4 FDs, but got {count}" in str(refusal(pod, call, count))


def test_step_3_a_terminal_takes_no_standard_files(pod: Pod, reserved: str) -> None:
    """With a terminal, only the gofer's connection comes."""
    call = StartSubcontainer(reserved, spec(pod, terminal=True), CONFIG, LAYERS)
    assert "must contain 1 FDs, but got 4" in str(refusal(pod, call, 4))


@pytest.mark.parametrize("count", [-1, 1, 1 << 40])
def test_step_3_announced_file_stores_agree_with_the_layers(
    pod: Pod, reserved: str, count: int
) -> None:
    """None of the layers has one; a negative number is one that does not agree."""
    call = StartSubcontainer(reserved, spec(pod), CONFIG, LAYERS, filestore_count=count)
    assert f"0 gofer filestore files needed, {count} announced" in str(refusal(pod, call, 4))


@pytest.mark.parametrize("layers", [[], ["none:none"], ["lisafs"], ["lisafs:other"], [""]])
def test_step_3_layers_that_are_none(pod: Pod, reserved: str, layers: list[str]) -> None:
    """gVisor indexes an empty list; here the root directory's entry is asked for."""
    assert refusal(pod, StartSubcontainer(reserved, spec(pod), CONFIG, layers), 4).message


def test_step_5_what_was_refused_can_be_tried_again(pod: Pod) -> None:
    """A refused call leaves the reservation, and no descriptor."""
    with pod.client() as client:
        client.create_subcontainer("again")
    refusal(pod, StartSubcontainer("again", None, CONFIG, LAYERS), 4)
    with pod.client() as client:
        assert client.state("again") == "creating"
        client.destroy_subcontainer("again")
        assert client.state("again") == "stopped"


def test_step_6_a_gofer_that_does_not_answer_fails_the_start(pod: Pod) -> None:
    """The connection's other end is closed: the container is stopped, the sandbox runs on."""
    with pod.client() as client:
        client.create_subcontainer("silent")
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    ours.close()
    null = os.open("/dev/null", os.O_RDWR)
    try:
        call = StartSubcontainer("silent", spec(pod), CONFIG, LAYERS)
        with theirs, pod.client() as client:
            with pytest.raises(ControlError):
                client.start_subcontainer(call, [null, null, null, theirs.fileno()])
            assert client.state("silent") == "stopped"
            client.destroy_subcontainer("silent")
            assert client.state(ROOT) == "running"
    finally:
        os.close(null)


def test_step_6_a_gofer_that_is_none(pod: Pod, reserved: str) -> None:
    """What cannot be waited for is refused, and closed; the sandbox runs on."""
    null = os.open("/dev/null", os.O_RDWR)
    try:
        with pod.client() as client:
            client.call(ContainerRuntimeState(ROOT), str)
            before = pod.descriptors()
            call = StartSubcontainer(reserved, spec(pod), CONFIG, LAYERS)
            with pytest.raises(ControlError, match="is no socket"):
                client.start_subcontainer(call, [null] * 4)
            client.destroy_subcontainer(reserved)
            pod.closed(before)
            assert client.state(ROOT) == "running"
    finally:
        os.close(null)


def test_step_6_a_container_that_was_never_created(pod: Pod) -> None:
    """Or was deleted meanwhile."""
    call = StartSubcontainer("deleted", spec(pod), CONFIG, LAYERS)
    assert 'trying to start a deleted container "deleted"' in str(refusal(pod, call, 4))


def test_start_root_happens_once(pod: Pod) -> None:
    """The root container runs already."""
    error = refusal(pod, StartRoot(ROOT))
    expected = "sandbox is not in created state, cannot start root container: state=started"
    assert expected in str(error)


def test_start_root_names_the_root_container(empty: Pod) -> None:
    """Another name is a mistake of the caller."""
    assert empty.create(ROOT, SLEEP).status == 0
    assert "is not the root container" in str(refusal(empty, StartRoot("other")))
    assert empty("start", ROOT).status == 0


def test_create_reserves_a_name_once(pod: Pod, reserved: str) -> None:
    """Also that of the root container."""
    for name in (reserved, ROOT):
        error = refusal(pod, CreateSubcontainer(name))
        assert f'container "{name}" already exists' in str(error) and error.code == "exists"


@pytest.mark.parametrize("count", [2, 4])
def test_create_takes_a_terminal_or_three_files(pod: Pod, count: int) -> None:
    """What does not fit is closed again."""
    error = refusal(pod, CreateSubcontainer("odd"), count)
    assert "no files, a TTY, or three files" in str(error)


def test_create_needs_a_name(pod: Pod) -> None:
    """An empty one would be everybody."""
    assert "container ID missing" in str(refusal(pod, CreateSubcontainer("")))


def test_destroy_happens_as_often_as_one_likes(pod: Pod) -> None:
    """Of what never ran, and of what is unknown."""
    with pod.client() as client:
        client.create_subcontainer("twice")
        for _ in range(2):
            client.destroy_subcontainer("twice")
        client.create_subcontainer("twice")
        client.destroy_subcontainer("twice")
