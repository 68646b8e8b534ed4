"""PortForward: a stream of the host connected to a TCP port inside.

The sandbox makes the connection itself, from a socket of its own network namespace to the loopback
address, and passes bytes both ways.  Each direction ends by itself, as with a proxy: the end of
one stream shuts down the other's sending side.
"""

from __future__ import annotations

import socket

from runsc_py.runsc.control.errors import STATE, ControlError
from runsc_py.runsc.services.walker import walker_in
from runsc_py.sentry.abi.sockets import AF_INET, AF_INET6, SHUT_WR, SOCK_STREAM
from runsc_py.sentry.errors import EAGAIN, ECONNREFUSED, EINPROGRESS, KernelError
from runsc_py.sentry.kernel.waiting import POLLIN, POLLOUT, WaitQueue
from runsc_py.sentry.socket.addresses import LOOPBACK4, LOOPBACK6, Endpoint, encode
from runsc_py.sentry.socket.families import make_socket
from runsc_py.sentry.socket.messages import Outgoing

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from runsc_py.runsc.control import calls
    from runsc_py.runsc.control.server import Deferred
    from runsc_py.runsc.loader.loader import Loader
    from runsc_py.sentry.kernel.kernel_thread import KernelThread
    from runsc_py.sentry.socket.socket import Socket

#: bytes that wait in each direction at most
BUFFER = 1 << 17
#: pieces passed on until guests have their turn
PIECES = 16
#: connections at a time, of the whole sandbox
MOST_FORWARDED = 256
#: where a server may listen
LOOPBACKS = ((AF_INET, LOOPBACK4), (AF_INET6, LOOPBACK6))


class PortForwarder:
    """Handler of PortForward, and the connections it has made."""

    def __init__(self, loader: Loader) -> None:
        self._loader = loader
        self._connections: set[_Forwarded] = set()

    def forward(self, call: calls.PortForward, files: list[int], later: Deferred) -> None:
        """Connect; the bytes then pass without anybody asking again."""
        if len(files) != 1:
            raise ControlError(f"port forward arguments must contain 1 FD, but got {len(files)}")
        if not 0 < call.port < 1 << 16:
            raise ControlError(f"invalid port {call.port}")
        if len(self._connections) >= MOST_FORWARDED:
            raise ControlError("too many forwarded connections", STATE, 11)
        walker = walker_in(self._loader, call.container_id)
        inner = _connect(walker, call.port)
        try:
            outer = socket.socket(fileno=files[0])
        except OSError as error:
            inner.drop()
            raise ControlError(f"the stream is no socket: {error.strerror}") from None
        files.clear()
        forwarded = _Forwarded(walker, inner, outer, self._connections.discard)
        self._connections.add(forwarded)


def _connect(walker: KernelThread, port: int) -> Socket:
    """A connection to the first loopback address that somebody listens at."""
    for family, host in LOOPBACKS:
        inner = make_socket(walker, family, SOCK_STREAM, 0, 0)
        inner.acquire()
        try:
            inner.connect(walker, encode(family, Endpoint(host, port)))
        except EINPROGRESS:
            return inner
        except ECONNREFUSED:
            inner.drop()
            continue
        except KernelError as error:
            inner.drop()
            raise ControlError.of_kernel(f"port {port}", error) from None
        return inner
    raise ControlError.of_kernel(f"port {port}", ECONNREFUSED())


class _Forwarded:
    """One connection: `inner` of the sandbox, `outer` of the host."""

    def __init__(
        self,
        walker: KernelThread,
        inner: Socket,
        outer: socket.socket,
        forget: Callable[[_Forwarded], None],
    ) -> None:
        self._walker = walker
        self._kernel = walker.kernel
        self._inner = inner
        self._outer = outer
        self._forget = forget
        #: on their way in, and out
        self._inward, self._outward = bytearray(), bytearray()
        self._outer_ended = self._inner_ended = False
        #: the end was passed on
        self._inner_shut = self._outer_shut = False
        self._scheduled = False
        self._wanted = 0
        self._queue = WaitQueue()
        self._queue.add(self)
        outer.setblocking(False)
        inner.wait_queue.add(self)
        self.wake(0)

    def wake(self, events: int) -> None:
        """Something happened on one side: look at it when the run loop comes round."""
        if not self._scheduled:
            self._scheduled = True
            self._kernel.timers.at(self._kernel.clock.monotonic(), self._run)

    def _run(self) -> None:
        """Pass on what there is."""
        self._scheduled = False
        if self._outer.fileno() < 0:
            return
        self._kernel.current_task = self._walker
        try:
            moved = True
            for _ in range(PIECES):
                moved = moved and self._turn()
            self._pass_ends_on()
        except (KernelError, OSError):
            # A reset of one side is one for the other.
            self._close()
            return
        if self._inner_shut and self._outer_shut:
            self._close()
        elif moved:
            self.wake(0)
        else:
            self._watch()

    def _turn(self) -> bool:
        """A piece in each direction; False when nothing moved."""
        moved = False
        if not self._outer_ended and len(self._inward) < BUFFER:
            moved |= self._receive_outer()
        if self._inward and not self._inner_shut:
            moved |= self._send_inner()
        if not self._inner_ended and len(self._outward) < BUFFER:
            moved |= self._receive_inner()
        if self._outward and not self._outer_shut:
            moved |= self._send_outer()
        return moved

    def _receive_outer(self) -> bool:
        try:
            data = self._outer.recv(BUFFER - len(self._inward))
        except BlockingIOError:
            return False
        self._inward += data
        self._outer_ended = not data
        return True

    def _send_inner(self) -> bool:
        try:
            self._inner.finish_connecting()
            count = self._inner.send(self._walker, Outgoing(bytes(self._inward)))
        except EAGAIN:
            return False
        del self._inward[:count]
        return count > 0

    def _receive_inner(self) -> bool:
        try:
            self._inner.finish_connecting()
            data = self._inner.receive(self._walker, BUFFER - len(self._outward), 0).data
        except EAGAIN:
            return False
        self._outward += data
        self._inner_ended = not data
        return True

    def _send_outer(self) -> bool:
        try:
            count = self._outer.send(self._outward, socket.MSG_NOSIGNAL)
        except BlockingIOError:
            return False
        del self._outward[:count]
        return True

    def _pass_ends_on(self) -> None:
        if self._outer_ended and not self._inward and not self._inner_shut:
            self._inner_shut = True
            self._inner.shutdown(SHUT_WR)
        if self._inner_ended and not self._outward and not self._outer_shut:
            self._outer_shut = True
            self._outer.shutdown(socket.SHUT_WR)

    def _watch(self) -> None:
        """Be told by the host what we wait for, and of nothing else."""
        wanted = 0
        if not self._outer_ended and len(self._inward) < BUFFER:
            wanted |= POLLIN
        if self._outward:
            wanted |= POLLOUT
        if wanted == self._wanted:
            return
        events, descriptor = self._kernel.events, self._outer.fileno()
        events.unwatch(descriptor, self._queue)
        if wanted:
            events.watch(descriptor, wanted, self._queue)
        self._wanted = wanted

    def _close(self) -> None:
        self._kernel.events.unwatch(self._outer.fileno(), self._queue)
        self._inner.wait_queue.remove(self)
        self._inner.drop()
        self._outer.close()
        self._forget(self)
