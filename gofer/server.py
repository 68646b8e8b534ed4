"""The gofer's loop: one packet in, one packet out.

The client is taken for hostile.  Whatever it sends is answered with a reply or ends this
process; nothing it sends is a path.  Descriptors that it sends are never received.

Neighbours: protocol.py (what is on the wire), reading.py and changing.py (the handlers),
process.py (how the process is started).
"""

import errno
import os
from _socket import MSG_NOSIGNAL, MSG_TRUNC, SCM_RIGHTS, SOL_SOCKET
from _socket import socket as Socket
from struct import Struct

from runsc_py.gofer import changing, reading
from runsc_py.gofer.nodes import Gofer
from runsc_py.gofer.protocol import (
    FATAL,
    MAX_CLOSED,
    MAX_MESSAGE,
    MESSAGES,
    decode_request,
    encode,
    types_of,
)

_HANDLERS = {
    message: (handler, MESSAGES[message][1])
    for message, handler in (reading.HANDLERS | changing.HANDLERS).items()
}
_DESCRIPTOR = Struct("=i")


def serve(gofer: Gofer, connection: Socket) -> None:
    """Answer requests until the client closes the connection or asks for the end.

    What it raises is the end of the process: BrokenPipeError or ConnectionResetError when the
    client went, anything else is a bug of ours that left nobody knows what state behind.
    """
    buffer = bytearray(MAX_MESSAGE)
    view = memoryview(buffer)
    receive = connection.recv_into
    send = connection.send
    while gofer.running:
        # With MSG_TRUNC the kernel tells the packet's real length; 0 is the end of the stream.
        length = receive(buffer, MAX_MESSAGE, MSG_TRUNC)
        if length == 0:
            return
        reply = answer(gofer, view[:length] if length <= MAX_MESSAGE else b"")
        if gofer.donated < 0:
            send(encode(reply), MSG_NOSIGNAL)
        else:
            _send_with_descriptor(connection, encode(reply), gofer)


def _send_with_descriptor(connection: Socket, data: bytes, gofer: Gofer) -> None:
    fd, gofer.donated = gofer.donated, -1
    rights = [(SOL_SOCKET, SCM_RIGHTS, _DESCRIPTOR.pack(fd))]
    try:
        connection.sendmsg([data], rights, MSG_NOSIGNAL)
    finally:
        os.close(fd)


def answer(gofer: Gofer, data: bytes | memoryview) -> tuple[object, ...]:
    """The reply to one request.  Raises nothing, however the request looks, but for bugs."""
    try:
        request = decode_request(data)
    except ValueError:
        return (errno.EIO,)
    if type(request) is not tuple or len(request) < 2:
        return (errno.EIO,)
    message, closed = request[:2]
    if type(message) is not int or type(closed) is not tuple or len(closed) > MAX_CLOSED:
        return (errno.EIO,)
    fields = request[2:]
    try:
        if closed:
            reading.close(gofer, closed)
        known = _HANDLERS.get(message)
        if known is None:
            return (errno.EOPNOTSUPP,)
        handler, types = known
        if types_of(fields) != types:
            return (errno.EIO,)
        return (0, *handler(gofer, *fields))
    except OSError as error:
        return (error.errno or errno.EIO,)
    except OverflowError:
        return (errno.EINVAL,)  # an integer that no argument of a system call can hold


def report(connection: Socket, error: Exception) -> None:
    """The gofer's last words to its client: a bug in one line, what and where."""
    place = error.__traceback__
    while place is not None and place.tb_next is not None:
        place = place.tb_next
    where = ""
    if place is not None:
        where = f" ({os.path.basename(place.tb_frame.f_code.co_filename)}:{place.tb_lineno})"
    text = f"{type(error).__name__}: {error}{where}"
    connection.send(encode((FATAL, text.encode(errors="replace"))), MSG_NOSIGNAL)
