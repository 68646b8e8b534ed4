"""The protocol's table and limits, and that both sides know all of it."""

import inspect
import re

import msgpack
import pytest

from runsc_py.gofer import changing, protocol, reading
from runsc_py.gofer._host import ffi
from runsc_py.gofer.client import GoferClient


def test_every_message_has_one_handler_with_its_fields() -> None:
    assert not reading.HANDLERS.keys() & changing.HANDLERS.keys()
    handlers = reading.HANDLERS | changing.HANDLERS
    assert handlers.keys() == protocol.MESSAGES.keys()
    for message, handler in handlers.items():
        parameters = list(inspect.signature(handler).parameters)
        assert len(parameters) == 1 + len(protocol.MESSAGES[message][1])


def test_every_message_is_asked_by_the_client() -> None:
    used = re.findall(r"\bprotocol\.([A-Z_]+)[,)]", inspect.getsource(GoferClient))
    assert protocol.MESSAGES.keys() <= {getattr(protocol, name) for name in used}


def test_attributes_have_the_layout_of_the_compiled_struct() -> None:
    fields = ffi.typeof("struct host_attributes").fields  # type: ignore[attr-defined]
    assert ffi.sizeof("struct host_attributes") == protocol.ATTRIBUTES.size  # type: ignore[attr-defined]
    assert [field.offset for _, field in fields] == [8 * index for index in range(17)]
    assert [name for name, _ in fields].index("mode") == protocol.MODE
    assert [name for name, _ in fields].index("birth_time") == protocol.BIRTH_TIME


def test_a_message_comes_back_as_it_was() -> None:
    message = (protocol.WALK, (1, 2**64 - 1), 7, (b"\xff\xfe", b"name"))
    assert protocol.decode_request(protocol.encode(message)) == message


@pytest.mark.parametrize(
    "packet",
    [
        b"",
        b"\xc1",
        msgpack.packb([3, [], 1]) + b"\0",
        msgpack.packb([3, [], 1])[:-1],
        msgpack.packb([3, [], {1: 2}]),
        msgpack.packb([3, [], "text"]),
        msgpack.packb([3, [], msgpack.ExtType(5, b"x")]),
        msgpack.packb([3, [], msgpack.Timestamp(1)]),
        msgpack.packb([3, [], list(range(10_000))]),
        b"\x91" * 5000,
        b"\xdd\xff\xff\xff\xff",
        b"\xc6\xff\xff\xff\xff",
    ],
    ids=lambda packet: packet[:8].hex() or "empty",
)
def test_what_is_no_message_is_refused(packet: bytes) -> None:
    with pytest.raises(ValueError):
        protocol.decode_request(packet)


def test_a_bool_is_no_integer() -> None:
    assert protocol.types_of((True,)) != (int,)
