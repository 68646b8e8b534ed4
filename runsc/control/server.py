"""The control server: a socket that the sandbox's run loop watches with everything else.

Handlers run between two rounds of the run loop and do not block.  One that has to wait answers
later (`Deferred`).  Whoever connects must be root or the sandbox's own user.
"""

from __future__ import annotations

import os
import socket
import struct
import time
from collections.abc import Callable, Sequence

from runsc_py.runsc.control import codec, wire
from runsc_py.runsc.control.calls import Call
from runsc_py.runsc.control.errors import INTERNAL, INVALID, PROTOCOL, UNSUPPORTED, ControlError
from runsc_py.runsc.errors import RunscError
from runsc_py.sentry.errors import KernelError
from runsc_py.sentry.kernel.waiting import POLLHUP, POLLIN, POLLOUT, WaitQueue

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from runsc_py.sentry.kernel.kernel import Kernel

_CREDENTIALS = struct.Struct("=3i")
#: connections at a time
MAXIMUM_CONNECTIONS = 256
#: bytes of answers that a client has not read; more and it is disconnected
MAXIMUM_BACKLOG = 16 << 20


class Deferred:
    """An answer that comes later, and what to do when the client no longer waits for it."""

    __slots__ = ("_connection", "_number", "cancel", "done")

    def __init__(self, connection: Connection, number: int) -> None:
        self._connection = connection
        self._number = number
        self.done = False
        self.cancel: Callable[[], None] | None = None

    def answer(self, value: object) -> None:
        """The call's result."""
        if not self.done:
            self.done = True
            self._connection.finish(self)
            self._connection.reply(wire.REPLY, self._number, value)

    def confirm(self, cancel: Callable[[], None]) -> None:
        """Answer now, and have events follow until the client hangs up: call `cancel` then."""
        self.cancel = cancel
        self._connection.reply(wire.REPLY, self._number, None)

    def fail(self, error: ControlError) -> None:
        """Why there is no result."""
        if not self.done:
            self.done = True
            self._connection.finish(self)
            self._connection.reply(wire.ERROR, self._number, error.as_map())

    def event(self, value: object) -> None:
        """One event of a subscription, whose request is answered already."""
        self._connection.reply(wire.EVENT, self._number, value)


#: what a handler gets: the call, its descriptors, how to answer later
Handler = Callable[["Any", "list[int]", Deferred], object]
#: what a handler returns that answers later
LATER = object()


class ControlServer:
    """Listens, and hands calls to handlers."""

    def __init__(self, kernel: Kernel, listener: socket.socket) -> None:
        self.kernel = kernel
        self._listener = listener
        self._connections: set[Connection] = set()
        self._handlers: dict[str, tuple[type[Call], Handler]] = {}
        #: handlers of rare calls, asked for when the first of them is made
        self.late: Callable[[], Sequence[tuple[type[Call], Handler]]] | None = None
        listener.setblocking(False)
        self._queue = WaitQueue()
        self._queue.add(self)
        kernel.events.watch(listener.fileno(), POLLIN, self._queue)

    def register(self, kind: type[Call], handler: Handler) -> None:
        """Have a call answered."""
        self._handlers[kind.METHOD] = kind, handler

    def find(self, method: str) -> tuple[type[Call], Handler]:
        """A call and its handler.  Raises ControlError (UNSUPPORTED)."""
        if method not in self._handlers and self.late is not None:
            late, self.late = self.late, None
            for kind, handler in late():
                self.register(kind, handler)
        found = self._handlers.get(method)
        if found is None:
            from runsc_py.runsc.control.unsupported import hint_for

            raise ControlError(f"unknown method {method!r}", UNSUPPORTED, hint=hint_for(method))
        return found

    def wake(self, events: int) -> None:
        """Somebody wants to connect (Waiter protocol)."""
        while True:
            try:
                accepted, _ = self._listener.accept()
            except (BlockingIOError, ConnectionAbortedError):
                return
            if not _may_connect(accepted) or len(self._connections) >= MAXIMUM_CONNECTIONS:
                self.kernel.log.warning("control: connection refused")
                accepted.close()
                continue
            accepted.setblocking(False)
            self._connections.add(Connection(self, accepted))

    def forget(self, connection: Connection) -> None:
        """A connection is closed."""
        self._connections.discard(connection)

    def close(self, patience: float) -> None:
        """Send what is left of answers, for so many seconds at most, and end all connections."""
        deadline = time.monotonic() + patience
        for connection in list(self._connections):
            connection.drain(deadline - time.monotonic())
            connection.close()
        self.kernel.events.unwatch(self._listener.fileno(), self._queue)
        self._listener.close()

    def dispatch(
        self, method: str, arguments: object, descriptors: list[int], deferred: Deferred
    ) -> object:
        """Call the handler.  Raises ControlError; nothing else gets out."""
        kind, handler = self.find(method)
        try:
            call = codec.decode(kind, arguments, method)
            return handler(call, descriptors, deferred)
        except ControlError:
            raise
        except RunscError as error:
            raise ControlError(str(error)) from None
        except KernelError as error:
            raise ControlError.of_kernel(method, error) from None
        except ValueError as error:
            # A text that is no JSON, a name with a NUL: the arguments' fault.
            raise ControlError(f"{method}: {error}", INVALID) from None
        except OSError as error:
            raise ControlError(f"{method}: {error}", INTERNAL, error.errno or 0) from None


class Connection:
    """One client."""

    __slots__ = ("_deferred", "_fd", "_out", "_queue", "_reader", "_server", "_socket", "_wanted")

    def __init__(self, server: ControlServer, accepted: socket.socket) -> None:
        self._server = server
        self._socket = accepted
        self._fd = accepted.fileno()
        self._reader = wire.FrameReader(accepted)
        self._out = bytearray()
        self._deferred: set[Deferred] = set()
        self._queue = WaitQueue()
        self._queue.add(self)
        self._wanted = POLLIN
        server.kernel.events.watch(self._fd, POLLIN, self._queue)

    def wake(self, events: int) -> None:
        """The client has sent, reads again, or has gone (Waiter protocol)."""
        if self._fd < 0:
            return
        try:
            if events & POLLOUT:
                self._flush()
            while events & (POLLIN | POLLHUP) and self._fd >= 0:
                frame = self._reader.read()
                if frame is None:
                    self.close()
                    return
                self._serve(*frame)
        except BlockingIOError:
            return
        except ControlError as error:
            self._server.kernel.log.warning(f"control: {error}")
            self.close()
        except OSError:
            self.close()

    def _serve(self, message: Sequence[object], descriptors: list[int]) -> None:
        """Answer one request; its descriptors that nobody took are closed."""
        number = message[1]
        try:
            if len(message) != 4 or message[0] != wire.REQUEST or type(message[2]) is not str:
                raise ControlError("a frame that is no request", PROTOCOL)
            assert isinstance(number, int)
            deferred = Deferred(self, number)
            self._deferred.add(deferred)
            try:
                result = self._server.dispatch(message[2], message[3], descriptors, deferred)
            except ControlError as error:
                self.finish(deferred)
                self._server.kernel.log.debug(f"control: {message[2]}: {error}")
                self.reply(wire.ERROR, number, error.as_map())
            else:
                if result is not LATER:
                    deferred.answer(result)
        finally:
            for descriptor in descriptors:
                os.close(descriptor)

    def finish(self, deferred: Deferred) -> None:
        """A call is answered."""
        self._deferred.discard(deferred)

    def reply(self, what: int, number: int, value: object) -> None:
        """Send, or keep until the client reads."""
        if self._fd < 0:
            return
        self._out += wire.encode((what, number, codec.encode(value)))
        if len(self._out) > MAXIMUM_BACKLOG:
            self._server.kernel.log.warning("control: a client does not read its answers")
            self.close()
            return
        try:
            self._flush()
        except OSError:
            self.close()

    def _flush(self) -> None:
        while self._out:
            try:
                sent = self._socket.send(self._out, socket.MSG_NOSIGNAL)
            except BlockingIOError:
                break
            del self._out[:sent]
        wanted = POLLIN | POLLOUT if self._out else POLLIN
        if wanted != self._wanted:
            events = self._server.kernel.events
            events.unwatch(self._fd, self._queue)
            events.watch(self._fd, wanted, self._queue)
            self._wanted = wanted

    def drain(self, seconds: float) -> None:
        """The sandbox ends: a last chance for answers that are on their way."""
        if self._fd < 0 or not self._out or seconds <= 0:
            return
        self._socket.settimeout(seconds)
        try:
            self._socket.sendall(self._out)
        except OSError:
            return

    def close(self) -> None:
        """End the connection; nobody waits for its calls any more."""
        if self._fd < 0:
            return
        self._server.kernel.events.unwatch(self._fd, self._queue)
        self._fd = -1
        deferred, self._deferred = self._deferred, set()
        for one in deferred:
            one.done = True
            if one.cancel is not None:
                one.cancel()
        self._reader.close()
        self._socket.close()
        self._server.forget(self)


def _may_connect(accepted: socket.socket) -> bool:
    size = _CREDENTIALS.size
    _, uid, _ = _CREDENTIALS.unpack(
        accepted.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, size)
    )
    return uid in (0, os.geteuid())
