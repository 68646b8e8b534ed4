"""A client that does not keep to the protocol: errno for an answer, no crash, no leak."""

import errno
import os
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from harness.gofer import Served, serving_directory
from runsc_py.gofer import protocol
from runsc_py.gofer.process import MountSpec, start_gofer

CLIMBING = [b"..", b".", b"", b"/", b"/etc", b"../../etc/passwd", b"a/../..", b"..\0", b"\0", b"a/"]
#: messages whose first field is no node
OF_NO_NODE = (
    protocol.MOUNT, protocol.TELL_ACLS, protocol.NODES, protocol.LEAVE, protocol.SHUTDOWN,
)  # fmt: skip


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Served]:
    (tmp_path / "tree" / "a").mkdir(parents=True)
    (tmp_path / "tree" / "file").write_text("x")
    (tmp_path / "beside").write_text("x")
    with serving_directory(tmp_path / "tree") as running:
        before = running.descriptors()
        yield running
        assert running.ask(protocol.STAT, running.root)[0] == 0
        assert running.descriptors() <= before
    assert (tmp_path / "beside").read_text() == "x"
    assert sorted(os.listdir(tmp_path)) == ["beside", "tree"]


def test_unknown_messages(served: Served) -> None:
    for message in (0, 2, 11, 12, 1000, -1, 2**63, 2**64 - 1):
        assert served.ask(message, 1, 2, 3) == [errno.EOPNOTSUPP]


def test_what_is_no_request(served: Served) -> None:
    packets = [b"\xc1", b"\x90", b"\x91\x03", b"\xc0", b"\x80", b"\0", b"\xff" * 100]
    packets += [b"\x92\xa1a\x90", b"\x92\xc3\x90", b"\x92\x03\x03", b"\x92\x03\xc4\x01a"]
    for packet in packets:
        assert served.raw(packet) == [errno.EIO]


@pytest.mark.parametrize("message", protocol.MESSAGES)
def test_wrong_fields(served: Served, message: int) -> None:
    types = protocol.MESSAGES[message][1]
    samples: dict[type, list[object]] = {
        int: [b"1", [], None, 1.5, True, {}],
        bytes: [1, [b"a"], None, False],
        tuple: [1, b"ab", None, {}],
    }
    good: dict[type, object] = {int: 1, bytes: b"a", tuple: []}
    fields = [good[kind] for kind in types]
    assert served.ask(message, *fields, 1) == [errno.EIO]
    if fields:
        assert served.ask(message, *fields[:-1]) == [errno.EIO]
    for position, kind in enumerate(types):
        for bad in samples[kind]:
            wrong = [*fields[:position], bad, *fields[position + 1 :]]
            assert served.ask(message, *wrong) == [errno.EIO]


@pytest.mark.parametrize("number", [-(2**63), -1, 0, 999_999, 2**31, 2**63, 2**64 - 1])
def test_nodes_that_are_not_there(served: Served, number: int) -> None:
    for message, (_, types, _) in protocol.MESSAGES.items():
        if message in OF_NO_NODE:
            continue
        if message == protocol.CLOSE:
            fields: list[object] = [[number]]
        else:
            good: dict[type, object] = {int: 0, bytes: b"user.a", tuple: [b"a"]}
            fields = [number, *(good[kind] for kind in types[1:])]
        assert served.ask(message, *fields) == [errno.EBADF], message
    assert served.ask(protocol.STAT, served.root, closed=[number]) == [errno.EBADF]


@pytest.mark.parametrize("name", CLIMBING)
def test_names_that_climb(served: Served, name: bytes) -> None:
    root = served.root
    owner = (protocol.NO_ID, protocol.NO_ID)
    file = served.ask(protocol.WALK, root, [b"file"])[2][0][0]  # type: ignore[index]
    requests: list[tuple[object, ...]] = [
        (protocol.WALK, root, [name]),
        (protocol.WALK, root, [b"a", name]),
        (protocol.WALK, root, [name] * 3),
        (protocol.WALK_STAT, root, [b"a", name]),
        (protocol.CREATE, root, name, 0o600, *owner, 0, os.O_RDWR),
        (protocol.MKDIR, root, name, 0o700, *owner, 0),
        (protocol.MKNOD, root, name, 0o600, 0, *owner, 0),
        (protocol.SYMLINK, root, name, b"x", *owner),
        (protocol.LINK, file, root, name),
        (protocol.UNLINK, root, name, 0),
        (protocol.UNLINK, root, name, 0x200),
        (protocol.RENAME, root, name, root, b"new", 0),
        (protocol.RENAME, root, b"file", root, name, 0),
    ]
    for message, *fields in requests:
        assert isinstance(message, int)
        assert served.ask(message, *fields) == [errno.EINVAL]
    served.ask(protocol.CLOSE, [file])


def test_names_that_are_no_bytes(served: Served) -> None:
    names: list[object] = [1, None, [b"a"], 1.5, {}]
    for name in names:
        reply = served.ask(protocol.WALK, served.root, [name])
        assert reply in ([errno.EINVAL], [errno.EIO])
    assert served.ask(protocol.WALK, served.root, ["text"]) == [errno.EIO]


def test_long_requests(served: Served) -> None:
    assert served.ask(protocol.WALK, served.root, [b"a"] * 1000) == [errno.EIO]
    assert served.ask(protocol.CLOSE, [served.root] * 1000) == [errno.EIO]
    assert served.ask(protocol.STAT, served.root, closed=[1] * 257) == [errno.EIO]
    assert served.ask(protocol.READLINK, b"x" * 150_000) == [errno.EIO]


def test_a_node_closed_twice(served: Served) -> None:
    node = served.ask(protocol.WALK, served.root, [b"file"])[2][0][0]  # type: ignore[index]
    assert served.ask(protocol.CLOSE, [node, node]) == [errno.EBADF]
    assert served.ask(protocol.CLOSE, [node]) == [errno.EBADF]


def test_descriptors_are_not_taken(served: Served) -> None:
    """A client must not be able to fill the gofer, or to hand it a directory to walk in."""
    stat = protocol.encode((protocol.STAT, (), served.root))
    connected = socket.socket(fileno=served.connection.socket.fileno())
    directory = os.open("/", os.O_RDONLY | os.O_DIRECTORY)
    for _ in range(50):
        socket.send_fds(connected, [stat], [directory] * 100)
        assert connected.recv(1000)
    os.close(directory)
    connected.detach()


def test_an_empty_packet_ends_it(tmp_path: Path) -> None:
    connection = start_gofer([MountSpec(str(tmp_path))])
    connection.socket.send(b"")
    assert connection.wait() == 0
    connection.close()


def test_requests_whose_answers_nobody_takes(tmp_path: Path) -> None:
    """It waits for room, with bounded memory, and ends when the client does."""
    connection = start_gofer([MountSpec(str(tmp_path))])
    connection.socket.setblocking(False)
    request = protocol.encode((protocol.MOUNT, (), 0))
    sent = 0
    try:
        while sent < 100_000:
            connection.socket.send(request)
            sent += 1
    except BlockingIOError:
        assert sent > 0
    assert sent < 100_000
    connection.close()
    assert connection.wait() == 0
