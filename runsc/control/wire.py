"""Frames of the control socket.

A frame is four bytes of length (little endian) and one msgpack array; descriptors ride along with
its first byte (SCM_RIGHTS).  On a connection::

    [REQUEST, id, method, {argument: value}]     from the client, with the descriptors of the call
    [REPLY,   id, value]                         exactly one of these two
    [ERROR,   id, {code, errno, message, hint}]  for each request, in any order
    [EVENT,   id, value]                         of the subscription that request `id` has made

Only None, booleans, integers, floats, strings, byte strings, arrays and maps with string keys
travel.  Whatever else arrives, too much of it, or a descriptor too many, ends the connection.
"""

from __future__ import annotations

import os
from _socket import CMSG_SPACE, MSG_CMSG_CLOEXEC, MSG_CTRUNC, MSG_NOSIGNAL, SCM_RIGHTS, SOL_SOCKET
from _socket import socket as Socket
from struct import Struct, iter_unpack, pack

import msgpack

from runsc_py.runsc.control.errors import PROTOCOL, ControlError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

REQUEST, REPLY, ERROR, EVENT = range(4)

_LENGTH = Struct("<I")
#: bytes of one frame's array
MAXIMUM_FRAME = 4 << 20
#: descriptors of one frame (the host refuses more than 253)
MAXIMUM_DESCRIPTORS = 128
#: elements of an array, entries of a map
_MAXIMUM_ELEMENTS = 1 << 17

_pack = msgpack.Packer(use_bin_type=True, unicode_errors="surrogateescape").pack


def encode(message: Sequence[object]) -> bytes:
    """A frame.  Raises ControlError when it is too large."""
    data: bytes = _pack(message)
    if len(data) > MAXIMUM_FRAME:
        raise ControlError(f"a frame of {len(data)} bytes is too large", PROTOCOL)
    return _LENGTH.pack(len(data)) + data


def decode(data: bytes | bytearray) -> list[object]:
    """The array of a frame.  Raises ControlError."""
    try:
        message = msgpack.unpackb(
            data,
            raw=False,
            use_list=True,
            strict_map_key=True,
            unicode_errors="surrogateescape",
            max_str_len=MAXIMUM_FRAME,
            max_bin_len=MAXIMUM_FRAME,
            max_array_len=_MAXIMUM_ELEMENTS,
            max_map_len=_MAXIMUM_ELEMENTS,
            max_ext_len=0,
        )
    except ValueError:
        raise ControlError("a frame that is no msgpack", PROTOCOL) from None
    if type(message) is not list or len(message) < 3:
        raise ControlError("a frame that is no message", PROTOCOL)
    if type(message[0]) is not int or type(message[1]) is not int:
        raise ControlError("a frame that is no message", PROTOCOL)
    return message


class FrameReader:
    """Puts together the frames of one connection."""

    __slots__ = ("_buffer", "_descriptors", "_socket", "_wanted")

    def __init__(self, socket: Socket) -> None:
        self._socket = socket
        self._buffer = bytearray()
        #: bytes of the part that is being read: the length, then the array
        self._wanted = -1
        self._descriptors: list[int] = []

    def read(self) -> tuple[list[object], list[int]] | None:
        """The next frame, with its descriptors, which are the caller's from now on.

        None when the other side has closed.  BlockingIOError when a non-blocking socket has no
        whole frame yet.  Raises ControlError for what no frame can be.
        """
        while True:
            wanted = _LENGTH.size if self._wanted < 0 else self._wanted
            while len(self._buffer) < wanted:
                if not self._receive(wanted - len(self._buffer)):
                    if self._buffer or self._wanted >= 0:
                        raise ControlError("the connection ended within a frame", PROTOCOL)
                    return None
            if self._wanted >= 0:
                break
            (self._wanted,) = _LENGTH.unpack(self._buffer)
            self._buffer.clear()
            if self._wanted > MAXIMUM_FRAME:
                raise ControlError(f"a frame of {self._wanted} bytes is too large", PROTOCOL)
        message = decode(self._buffer)
        self._buffer.clear()
        self._wanted = -1
        descriptors, self._descriptors = self._descriptors, []
        return message, descriptors

    def _receive(self, size: int) -> int:
        room = CMSG_SPACE(MAXIMUM_DESCRIPTORS * 4)
        data, control, flags, _ = self._socket.recvmsg(size, room, MSG_CMSG_CLOEXEC)
        for level, kind, rights in control:
            if (level, kind) == (SOL_SOCKET, SCM_RIGHTS):
                whole = rights[: len(rights) // 4 * 4]
                self._descriptors.extend(number for (number,) in iter_unpack("=i", whole))
        if flags & MSG_CTRUNC or len(self._descriptors) > MAXIMUM_DESCRIPTORS:
            raise ControlError("too many descriptors", PROTOCOL)
        self._buffer += data
        return len(data)

    def close(self) -> None:
        """Close descriptors that came with an unfinished frame; the socket is the caller's."""
        descriptors, self._descriptors = self._descriptors, []
        for descriptor in descriptors:
            os.close(descriptor)


def send(socket: Socket, frame: bytes, descriptors: Sequence[int] = ()) -> None:
    """Send a whole frame on a blocking socket; the descriptors stay the caller's."""
    rights = []
    if descriptors:
        rights = [(SOL_SOCKET, SCM_RIGHTS, pack(f"={len(descriptors)}i", *descriptors))]
    sent = socket.sendmsg([frame], rights, MSG_NOSIGNAL)
    while sent < len(frame):
        sent += socket.send(frame[sent:], MSG_NOSIGNAL)
