"""Frames and arguments of the control socket: what is taken, and what ends the connection."""

import os
import socket
import struct

import pytest

from runsc_py.runsc.control import calls, codec, wire
from runsc_py.runsc.control.errors import ControlError


def test_a_frame_with_descriptors_arrives_whole() -> None:
    ours, theirs = socket.socketpair()
    reader = wire.FrameReader(theirs)
    with ours, theirs, open("/dev/null", "rb") as file:
        wire.send(ours, wire.encode((wire.REQUEST, 1, "method", {"a": b"x"})), (file.fileno(),))
        wire.send(ours, wire.encode((wire.REQUEST, 2, "method", {})))
        frame = reader.read()
        assert frame is not None
        message, (descriptor,) = frame
        assert message == [wire.REQUEST, 1, "method", {"a": b"x"}]
        assert os.path.samestat(os.fstat(descriptor), os.fstat(file.fileno()))
        os.close(descriptor)
        assert reader.read() == ([wire.REQUEST, 2, "method", {}], [])


@pytest.mark.parametrize(
    "data",
    [
        struct.pack("<I", 0xFFFFFFFF),
        struct.pack("<I", 1) + b"\xc1",
        struct.pack("<I", 1) + b"\x93",
        struct.pack("<I", 1) + b"\x05",
        struct.pack("<I", 4) + b"\x93\xa1a\x01\x01",
        struct.pack("<I", 8) + b"\x93",
    ],
    ids=["too large", "no msgpack", "cut short", "no array", "wrong types", "the end within"],
)
def test_what_is_no_frame_is_refused(data: bytes) -> None:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        ours.sendall(data)
        ours.shutdown(socket.SHUT_WR)
        with pytest.raises(ControlError):
            wire.FrameReader(theirs).read()


@pytest.mark.parametrize(
    "value",
    [
        None,
        {},
        {"container_id": 1, "signal": 1},
        {"container_id": "a", "signal": True},
        {"container_id": "a", "signal": 1, "more": 1},
    ],
    ids=["no map", "missing", "wrong type", "a bool is no int", "unknown"],
)
def test_wrong_arguments_are_refused(value: object) -> None:
    with pytest.raises(ControlError):
        codec.decode(calls.Signal, value)


def test_arguments_survive_the_wire() -> None:
    call = calls.StartContainer("a", argv=["x"], limits={"NOFILE": [1, 2]}, secret_envv=["K=v"])
    assert codec.decode(calls.StartContainer, codec.encode(call)) == call
    assert "K=v" not in repr(call) + call.masked()
