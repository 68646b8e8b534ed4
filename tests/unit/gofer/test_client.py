"""The client against a gofer that answers garbage: GoferError, no descriptor left."""

import os
import signal
import socket
import types
from collections.abc import Callable, Iterator
from typing import Any

import msgpack
import pytest

from harness.file_world import open_descriptors
from runsc_py.gofer import protocol
from runsc_py.gofer.client import GoferClient, GoferError

Call = Callable[[GoferClient], object]

ATTRIBUTES = bytes(protocol.ATTRIBUTES.size)


class Rogue:
    """The far end of a client's connection: answers are put there before the question."""

    def __init__(self) -> None:
        self.near, self.far = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self.client = GoferClient(self.near)

    def answer(self, reply: Any, fds: list[int] | None = None) -> None:
        data = reply if isinstance(reply, bytes) else msgpack.packb(reply)
        socket.send_fds(self.far, [data], fds or [])


@pytest.fixture
def rogue() -> Iterator[Rogue]:
    before = open_descriptors()
    made = Rogue()
    yield made
    made.near.close()
    made.far.close()
    assert open_descriptors() == before


def stat(client: GoferClient) -> object:
    return client.stat(1)


@pytest.mark.parametrize(
    ("call", "reply"),
    [
        (stat, b"\xc1"),
        (stat, b"\x92\x00"),
        (stat, []),
        (stat, 0),
        (stat, {}),
        (stat, [b"0"]),
        (stat, [True]),
        (stat, [None, ATTRIBUTES]),
        (stat, [0]),
        (stat, [0, 5]),
        (stat, [0, b"short"]),
        (stat, [0, ATTRIBUTES + b"x"]),
        (stat, [0, ATTRIBUTES, 1]),
        (stat, [-2]),
        (stat, [4096]),
        (stat, [2**63]),
        (stat, [2, ATTRIBUTES]),
        (stat, [protocol.FATAL, 5]),
        (lambda client: client.mount(0), [0, 1, ATTRIBUTES, b"", []]),
        (lambda client: client.lookup(1, b"a"), [0, 0, []]),
        (lambda client: client.lookup(1, b"a"), [0, 0, [5]]),
        (lambda client: client.lookup(1, b"a"), [0, 0, [[1, b""]]]),
        (lambda client: client.lookup(1, b"a"), [0, 0, [[1, ATTRIBUTES], [2, ATTRIBUTES]]]),
        (lambda client: client.walk(1, [b"a"]), [0, 0, [[1]]]),
        (lambda client: client.walk(1, [b"a"]), [0, 0, [[1, ATTRIBUTES]] * 2]),
        (lambda client: client.walk(1, [b"a"]), [0, -1, []]),
        (lambda client: client.walk_stat(1, [b"a"]), [0, 0, [1]]),
        (lambda client: client.walk_stat(1, [b"a"]), [0, 0, [ATTRIBUTES] * 2]),
        (lambda client: client.readlink(1), [0, 7]),
        (lambda client: client.readdir(1), [0, 1, [b"a"], [1], [4]]),
        (lambda client: client.readdir(1), [0, 1, [b"a"], [1], [4], []]),
        (lambda client: client.readdir(1), [0, 1, [], [1], [4], [1]]),
        (lambda client: client.readdir(1), [0, 1, [b"a"], [b"1"], [4], [1]]),
        (lambda client: client.readdir(1), [0, 1, [1], [1], [4], [1]]),
        (lambda client: client.readdir(1), [0, 1, [b"a", None], [1, 1], [4, 4], [1, 1]]),
        (lambda client: client.readdir(1), [0, 1, [b"b", b"a/b"], [1, 1], [4, 4], [1, 1]]),
        (lambda client: client.readdir(1), [0, 1, [b"b", b".."], [1, 1], [4, 4], [1, 1]]),
        (lambda client: client.readdir(1), [0, 1, [b"a\0"], [1], [4], [1]]),
        (lambda client: client.readdir(1), [0, 1, [b""], [1], [4], [1]]),
        (lambda client: client.readdir(1), [0, 0, [], [], [], []]),
        (lambda client: client.listxattr(1), [0, [1]]),
        (lambda client: client.open(1, 0), [0]),
        (lambda client: client.open(1, 0), [0, 1]),
        (lambda client: client.create(1, b"a", 0, 0), [0, 1, ATTRIBUTES]),
    ],
)
def test_garbage_is_a_gofer_error(rogue: Rogue, call: Call, reply: object) -> None:
    rogue.answer(reply)
    with pytest.raises(GoferError, match="the gofer is gone"):
        call(rogue.client)
    assert rogue.client.broken
    rogue.answer([0, ATTRIBUTES])
    with pytest.raises(GoferError):
        rogue.client.stat(1)


def test_the_gofers_own_words_are_passed_on(rogue: Rogue) -> None:
    rogue.answer([protocol.FATAL, b"MemoryError"])
    with pytest.raises(GoferError, match="MemoryError"):
        rogue.client.stat(1)


@pytest.mark.parametrize("count", [0, 2, 3, 50])
def test_one_descriptor_and_no_more(rogue: Rogue, count: int) -> None:
    rogue.answer([0], [rogue.far.fileno()] * count)
    before = open_descriptors()
    with pytest.raises(GoferError, match="descriptors"):
        rogue.client.open(1, os.O_RDONLY)
    assert open_descriptors() == before


@pytest.mark.parametrize("reply", [[2], [0, 1], b"\xc1", [0, b"junk", 1]])
def test_a_descriptor_that_comes_with_an_error_is_closed(rogue: Rogue, reply: object) -> None:
    rogue.answer(reply, [rogue.far.fileno()])
    before = open_descriptors()
    with pytest.raises((GoferError, FileNotFoundError)):
        rogue.client.open(1, os.O_RDONLY)
    assert open_descriptors() == before


def test_a_descriptor_with_bad_attributes_is_closed(rogue: Rogue) -> None:
    rogue.answer([0, 1, b"junk"], [rogue.far.fileno()])
    before = open_descriptors()
    with pytest.raises(GoferError):
        rogue.client.create(1, b"a", 0o600, os.O_RDWR)
    assert open_descriptors() == before


def test_descriptors_nobody_asked_for_do_not_arrive(rogue: Rogue) -> None:
    rogue.answer([0, ATTRIBUTES], [rogue.far.fileno()] * 10)
    before = open_descriptors()
    assert rogue.client.stat(1) == (0,) * 17
    assert open_descriptors() == before


def test_donated_descriptors_are_not_inherited(rogue: Rogue) -> None:
    rogue.answer([0], [rogue.far.fileno()])
    fd = rogue.client.open(1, os.O_RDONLY)
    assert not os.get_inheritable(fd)
    os.close(fd)


def test_an_errno_is_an_oserror_and_no_end(rogue: Rogue) -> None:
    rogue.answer([2])
    with pytest.raises(FileNotFoundError):
        rogue.client.stat(1)
    rogue.answer([0, ATTRIBUTES])
    assert rogue.client.stat(1)


def test_a_request_that_cannot_be_sent_does_no_harm(rogue: Rogue) -> None:
    rogue.client.close_node(7)
    with pytest.raises(OverflowError):
        rogue.client.stat(2**64)
    with pytest.raises(OSError):
        rogue.client.symlink(1, b"a", b"x" * protocol.MAX_REQUEST)
    assert not rogue.client.broken
    rogue.answer([0, ATTRIBUTES])
    rogue.client.stat(1)
    assert msgpack.unpackb(rogue.far.recv(1000)) == [protocol.STAT, [7], 1]


def test_closed_nodes_are_sent_when_many_wait(rogue: Rogue) -> None:
    rogue.answer([0])
    for node in range(1, 150):
        rogue.client.close_node(node)
    assert msgpack.unpackb(rogue.far.recv(10_000)) == [protocol.CLOSE, list(range(1, 101)), []]
    rogue.answer([0])
    rogue.client.flush_closed()
    assert msgpack.unpackb(rogue.far.recv(10_000)) == [protocol.CLOSE, list(range(101, 150)), []]
    rogue.client.flush_closed()


def test_an_exception_in_the_middle_ends_the_client(rogue: Rogue) -> None:
    """Else the next request would take the answer of this one."""

    def interrupt(number: int, frame: types.FrameType | None) -> None:
        raise KeyboardInterrupt

    previous = signal.signal(signal.SIGALRM, interrupt)
    try:
        signal.setitimer(signal.ITIMER_REAL, 0.02)
        with pytest.raises(KeyboardInterrupt):
            rogue.client.stat(1)
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, previous)
    with pytest.raises(GoferError, match="interrupted"):
        rogue.client.stat(1)
