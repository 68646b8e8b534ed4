"""Random calls to a living sandbox: an answer or a ControlError, and the sandbox goes on.

Arguments are of the right types, so that most get past the codec; descriptors are of every kind
that a client could send.
"""

import json
import os
import select
import socket
from collections.abc import Iterator
from pathlib import Path
from types import GenericAlias, NoneType, UnionType

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from harness.containers import BUSYBOX, WAIT, Engine
from runsc_py.runsc.control import wire
from runsc_py.runsc.control.calls import Call, calls
from runsc_py.runsc.control.client import ControlClient
from runsc_py.runsc.control.codec import encode
from runsc_py.runsc.control.errors import CLOSED, ControlError
from runsc_py.runsc.control.message import fields_of

pytestmark = pytest.mark.skipif(BUSYBOX is None, reason="Debian: busybox-static")
EXAMPLES = settings(
    max_examples=150,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
#: these end what is being looked at, as they should
ENDING = {
    "Lifecycle.Shutdown",
    "Lifecycle.SignalContainer",
    "Proc.SignalProcess",
    "containerManager.DestroySubcontainer",
    "containerManager.Signal",
    "containerManager.Update",  # no memory at all ends it, too
    "Cgroups.WriteControlFiles",
}
KINDS = {name: kind for name, kind in calls().items() if name not in ENDING}
LIMIT = 20.0

INTEGERS = st.one_of(
    st.sampled_from(
        [-(2**63), -(2**31), -1, 0, 1, 2, 3, 4096, 10_000_000, 2**31, 2**62, 2**63 - 1]
    ),
    st.integers(-5, 200),
)
PROCESS = {"args": ["/bin/busybox", "true"], "cwd": "/", "env": ["PATH=/bin"]}
TEXTS = st.one_of(
    st.sampled_from(
        ["", "a", "b", "/", "/bin", "/bin/busybox", "/nowhere", "/dev/shm", "/dev/null"]
    ),
    st.sampled_from(
        ["tmpfs", "bind", "proc", "ro", "process", "memory", "memory.max", "0:0", "root"]
    ),
    st.sampled_from(["\0", "..", "x" * 5000, "/" + "a/" * 3000, "\udcff", "lisafs:none", "debug"]),
    st.text(max_size=20),
)
#: by a field's name: mostly the container that there is, which is not to end with us
CHOSEN: dict[str, st.SearchStrategy[object]] = {
    "container_id": st.one_of(st.just("a"), st.just("a"), TEXTS),
    "ends_with_waiter": st.just(False),
}
BYTES = st.one_of(
    st.sampled_from([b"", b"{}", b"[]", b"\xff", json.dumps(PROCESS).encode()]),
    st.binary(max_size=40),
)
PLAIN: dict[object, st.SearchStrategy[object]] = {
    int: INTEGERS,
    str: TEXTS,
    bytes: BYTES,
    bool: st.booleans(),
    float: st.floats(allow_nan=False),
    object: st.one_of(INTEGERS, TEXTS, st.none()),
}
FILES = ("/dev/null", "pipe", "memfd", "socket", "stream", "directory", "path", "epoll")


def values(kind: object) -> st.SearchStrategy[object]:
    """Of a field's type."""
    if isinstance(kind, UnionType):
        return st.one_of(*(st.none() if one is NoneType else values(one) for one in kind.__args__))
    if isinstance(kind, GenericAlias):
        inner = values(kind.__args__[-1])
        if kind.__origin__ is list:
            return st.lists(inner, max_size=3)
        return st.dictionaries(TEXTS, inner, max_size=3)
    if kind in PLAIN:
        return PLAIN[kind]
    assert isinstance(kind, type), kind
    return arguments(kind)


def arguments(kind: type) -> st.SearchStrategy[object]:
    """A map with the fields of a message."""
    return st.fixed_dictionaries(
        {
            name: CHOSEN[name] if name in CHOSEN else values(field.kind)
            for name, field in (fields_of(kind) or {}).items()
        }
    )


@st.composite
def requests(draw: st.DrawFn) -> tuple[str, object, list[str]]:
    """A call, its arguments, and what kinds of files come along."""
    name = draw(st.sampled_from(sorted(KINDS)))
    return name, draw(arguments(KINDS[name])), draw(st.lists(st.sampled_from(FILES), max_size=4))


def opened(kind: str) -> list[int]:
    """A descriptor to send, first, and others that belong to it."""
    if kind == "pipe":
        return list(reversed(os.pipe()))
    if kind == "memfd":
        return [os.memfd_create("fuzz")]
    if kind in ("socket", "stream"):
        how = socket.SOCK_SEQPACKET if kind == "socket" else socket.SOCK_STREAM
        return [one.detach() for one in socket.socketpair(socket.AF_UNIX, how)]
    if kind == "epoll":
        with select.epoll() as made:
            return [os.dup(made.fileno())]
    flags = {"directory": os.O_RDONLY, "path": os.O_PATH}.get(kind, os.O_RDWR)
    return [os.open("/dev/null" if kind == "/dev/null" else "/", flags)]


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The socket of a sandbox whose container sleeps."""
    engine = Engine(tmp_path_factory.mktemp("fuzz"))
    engine.create("a", *WAIT)
    assert engine("start", "a").returncode == 0
    yield engine.root / "a.sock"
    assert engine.status("a") == "running"
    assert engine("exec", "a", "busybox", "echo", "well").stdout == "well\n"
    assert engine("delete", "--force", "a").returncode == 0


@EXAMPLES
@given(requests())
def test_calls(sandbox: Path, asked: tuple[str, dict[str, object], list[str]]) -> None:
    """Answered, or refused; the next client is served as if nothing had been."""
    method, values_, kinds = asked
    files = [opened(kind) for kind in kinds]
    try:
        with ControlClient(str(sandbox), 0.3) as client:
            frame = wire.encode((wire.REQUEST, 1, method, encode(values_)))
            wire.send(client._socket, frame, [one[0] for one in files])
            try:
                client.finish(1, object)
            except ControlError as error:
                assert error.code not in ("internal", CLOSED), error
    finally:
        for one in files:
            for descriptor in one:
                os.close(descriptor)
    with ControlClient(str(sandbox), LIMIT) as client:
        client.resume()
        assert client.state("a") == "running"


def test_every_call_is_tried_but_those_that_end() -> None:
    """What is left out is there."""
    assert calls().keys() > ENDING and len(KINDS) > 40
    assert all(issubclass(kind, Call) for kind in KINDS.values())
