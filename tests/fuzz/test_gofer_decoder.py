"""Random packets to the gofer and to its client: an errno or a GoferError, and nothing else."""

import os
import socket
from collections.abc import Iterator
from pathlib import Path

import msgpack
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from harness.gofer import Served, serving_directory
from runsc_py.gofer import protocol
from runsc_py.gofer.client import GoferClient, GoferError

EXAMPLES = settings(
    max_examples=400,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)

#: What could be a system call's argument gone wrong.  No size that fallocate could satisfy and
#: that would fill the disk.
INTEGERS = st.one_of(
    st.sampled_from([-(2**63), -(2**31), -1, 0, 1, 2, 3, 0x200, 0o1002, 0o100600, 0o010600, 4096]),
    st.sampled_from([2**31 - 1, 2**31, 2**32 - 1, 2**32, 2**62, 2**63 - 1, 2**63, 2**64 - 1]),
    st.integers(-10, 300),
)
NAMES = st.one_of(
    st.sampled_from([b"a", b"b", b"file", b"link", b"directory", b"user.a", b"new"]),
    st.sampled_from([b"", b".", b"..", b"/", b"../outside", b"/etc/passwd", b"a/b", b"a\0", b"\0"]),
    st.binary(max_size=300),
)
VALUES = st.recursive(
    st.one_of(INTEGERS, NAMES, st.none(), st.booleans(), st.floats(), st.text(max_size=5)),
    lambda inner: st.one_of(
        st.lists(inner, max_size=5), st.dictionaries(st.integers(0, 5), inner, max_size=3)
    ),
    max_leaves=20,
)
FIELDS: dict[type, st.SearchStrategy[object]] = {
    int: INTEGERS,
    bytes: NAMES,
    tuple: st.lists(st.one_of(NAMES, INTEGERS), max_size=5),
}
MESSAGES = sorted(protocol.MESSAGES.keys() - {protocol.SHUTDOWN})


@st.composite
def typed_requests(draw: st.DrawFn) -> list[object]:
    """A message with fields of the right types, most of which will reach the host's calls."""
    message = draw(st.sampled_from(MESSAGES))
    types = protocol.MESSAGES[message][1]
    return [message, [], *(draw(FIELDS[kind]) for kind in types)]


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    directory = tmp_path_factory.mktemp("fuzz")
    (directory / "outside").write_text("untouched")
    outside = os.stat(directory / "outside")
    tree = directory / "tree"
    (tree / "directory").mkdir(parents=True)
    (tree / "file").write_text("x")
    (tree / "link").symlink_to("../outside")
    with serving_directory(tree) as running:
        yield running
        assert running.ask(protocol.MOUNT, 0)[0] == 0
    assert sorted(os.listdir(directory)) == ["outside", "tree"]
    assert os.stat(directory / "outside") == outside
    _make_removable(tree)


def _make_removable(tree: Path) -> None:
    """pytest cleans up as this user, whatever modes a fuzzed request set.

    `os.walk` counts a link to a directory among the directories: a fuzzed link to `/` must not
    be followed.
    """
    for place, directories, _ in os.walk(tree):
        for path in (os.path.join(place, name) for name in directories):
            if not os.path.islink(path):
                os.chmod(path, 0o700)


def check(served: Served, reply: list[object]) -> None:
    """The reply is one of the protocol, and the gofer stays within its bounds."""
    status = reply[0]
    assert type(status) is int
    assert 0 <= status <= 4095, reply
    assert status == 0 or len(reply) == 1
    if status == 0:
        # Nodes given out pile up: hand them back, or EMFILE would hide what comes later.
        nodes = [value for value in _nodes(reply[1:]) if value > served.root + 200]
        for node in nodes:
            served.ask(protocol.CLOSE, [node])


def _nodes(fields: list[object]) -> list[int]:
    found = [fields[0]] if fields and type(fields[0]) is int else []
    if len(fields) == 2 and isinstance(fields[1], list):
        found += [entry[0] for entry in fields[1] if isinstance(entry, list)]
    return [value for value in found if type(value) is int]


@EXAMPLES
@given(packet=st.binary(min_size=1, max_size=200))
def test_random_bytes(served: Served, packet: bytes) -> None:
    check(served, served.raw(packet))


@EXAMPLES
@given(request=st.lists(VALUES, max_size=6))
def test_random_values(served: Served, request: list[object]) -> None:
    if request and request[0] == protocol.SHUTDOWN:
        request[0] = protocol.STAT
    try:
        packet = msgpack.packb(request)
    except OverflowError:
        return
    check(served, served.raw(packet))


@settings(EXAMPLES, max_examples=1500)
@given(request=typed_requests())
def test_messages_with_random_fields(served: Served, request: list[object]) -> None:
    check(served, served.raw(msgpack.packb(request)))


@EXAMPLES
@given(request=typed_requests(), data=st.data())
def test_damaged_messages(served: Served, request: list[object], data: st.DataObject) -> None:
    packet = bytearray(msgpack.packb(request))
    for _ in range(data.draw(st.integers(1, 4))):
        position = data.draw(st.integers(0, len(packet) - 1))
        packet[position] = data.draw(st.integers(0, 255))
    length = data.draw(st.integers(1, len(packet)))
    damaged = bytes(packet[:length])
    if damaged[:2] in (b"\x92\x41", b"\x93\x41"):  # by chance a good SHUTDOWN
        return
    check(served, served.raw(damaged))


@EXAMPLES
@given(packet=st.one_of(st.binary(max_size=200), st.lists(VALUES, max_size=4).map(msgpack.packb)))
def test_the_decoders_raise_nothing_but_valueerror(packet: bytes) -> None:
    for decode in (protocol.decode_request, protocol.decode_reply):
        try:
            decode(packet)
        except ValueError:
            continue


CALLS = [
    lambda client: client.mount(0),
    lambda client: client.stat(1),
    lambda client: client.lookup(1, b"a"),
    lambda client: client.walk(1, [b"a", b"b"]),
    lambda client: client.walk_stat(1, [b"a", b"b"]),
    lambda client: client.readdir(1),
    lambda client: client.read_directory(1),
    lambda client: client.setattr(1, 0),
    lambda client: client.listxattr(1),
    lambda client: client.open(1, 0),
    lambda client: client.create(1, b"a", 0, 0),
]
ANSWERS = st.one_of(
    st.binary(min_size=1, max_size=100),
    st.builds(
        lambda fields: msgpack.packb([0, *fields]),
        st.lists(
            st.one_of(
                VALUES,
                st.just(bytes(protocol.ATTRIBUTES.size)),
                st.lists(st.tuples(INTEGERS, st.just(bytes(protocol.ATTRIBUTES.size)))),
                st.lists(NAMES, max_size=2),
                st.lists(INTEGERS, max_size=2),
            ),
            max_size=5,
        ),
    ),
)


@settings(EXAMPLES, max_examples=800)
@given(call=st.sampled_from(CALLS), answer=ANSWERS)
def test_random_answers(call: object, answer: bytes) -> None:
    near, far = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    with near:
        far.send(answer)
        far.shutdown(socket.SHUT_WR)
        client = GoferClient(near)
        try:
            assert callable(call)
            call(client)
        except OSError as error:
            assert error.errno
        except GoferError as error:
            assert client.broken, error
        finally:
            far.close()
