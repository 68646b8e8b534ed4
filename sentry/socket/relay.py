"""Bytes or packets passed both ways between a socket of the sandbox and one of the host.

Each direction ends by itself, as with a proxy: the end of one stream shuts down the other's sending
side.  Descriptors that come along with a message are not passed on, either way.
"""

from __future__ import annotations

from _socket import MSG_NOSIGNAL, MSG_PEEK, MSG_TRUNC, SHUT_WR
from _socket import socket as HostDescriptor
from collections import deque

from runsc_py.sentry.abi.sockets import SOCK_SEQPACKET
from runsc_py.sentry.errors import EAGAIN, KernelError
from runsc_py.sentry.kernel.waiting import POLLHUP, POLLIN, POLLOUT, WaitQueue
from runsc_py.sentry.socket.messages import Outgoing, SocketCredentials

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from runsc_py.sentry.kernel.task import Task
    from runsc_py.sentry.socket.socket import Socket

#: bytes that wait in each direction at most
BUFFER = 1 << 17
#: pieces passed on until guests have their turn
PIECES = 16


class _Direction:
    """What is on its way to one side."""

    __slots__ = ("ended", "pieces", "shut", "size")

    def __init__(self) -> None:
        self.pieces: deque[bytes] = deque()
        self.size = 0
        #: nothing more comes
        self.ended = False
        #: the end was passed on
        self.shut = False

    @property
    def has_room(self) -> bool:
        return not self.ended and self.size < BUFFER

    def put(self, data: bytes) -> None:
        """What was received; nothing is the end."""
        if data:
            self.pieces.append(data)
            self.size += len(data)
        else:
            self.ended = True

    def taken(self, count: int) -> None:
        """The other side took so much of the first piece."""
        rest = self.pieces.popleft()[count:]
        if rest:
            self.pieces.appendleft(rest)
        self.size -= count


class Relay:
    """One connection: `inner` of the sandbox, which it takes over, and `outer` of the host."""

    def __init__(
        self,
        task: Task,
        inner: Socket,
        outer: HostDescriptor,
        *,
        credentials: SocketCredentials | None = None,
        forget: Callable[[Relay], None] | None = None,
    ) -> None:
        """`task` moves the bytes; guests see `credentials` as those of the sender.

        `forget` is called when both sides have ended.
        """
        self._task = task
        self._kernel = task.kernel
        self._inner = inner
        self._outer = outer
        self._credentials = credentials
        self._forget = forget
        self._in_packets = inner.kind == SOCK_SEQPACKET
        self._inward, self._outward = _Direction(), _Direction()
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
        self._kernel.current_task = self._task
        try:
            moved = True
            for _ in range(PIECES):
                moved = moved and self._turn()
            self._pass_ends_on()
        except (KernelError, OSError):
            # A reset of one side is one for the other.
            self._close()
            return
        if (self._inward.shut or self._inner.poll() & POLLHUP) and self._outward.shut:
            self._close()
        elif moved:
            self.wake(0)
        else:
            self._watch()

    def _turn(self) -> bool:
        """A piece in each direction; False when nothing moved."""
        moved = False
        if self._inward.has_room:
            moved |= self._receive_outer()
        if self._inward.pieces and not self._inward.shut:
            moved |= self._send_inner()
        if self._outward.has_room:
            moved |= self._receive_inner()
        if self._outward.pieces and not self._outward.shut:
            moved |= self._send_outer()
        return moved

    def _receive_outer(self) -> bool:
        try:
            if self._in_packets:
                # How long the next one is, MSG_PEEK tells without cutting it.
                size = self._outer.recv_into(bytearray(1), 1, MSG_PEEK | MSG_TRUNC)
                data = self._outer.recv(size) if size else b""
            else:
                data = self._outer.recv(BUFFER - self._inward.size)
        except BlockingIOError:
            return False
        self._inward.put(data)
        return True

    def _send_inner(self) -> bool:
        message = Outgoing(self._inward.pieces[0], credentials=self._credentials)
        try:
            self._inner.finish_connecting()
            count = self._inner.send(self._task, message)
        except EAGAIN:
            return False
        self._inward.taken(count)
        return count > 0

    def _receive_inner(self) -> bool:
        try:
            self._inner.finish_connecting()
            message = self._inner.receive(self._task, BUFFER - self._outward.size, 0)
        except EAGAIN:
            return False
        message.drop_rights()
        self._outward.put(message.data)
        return True

    def _send_outer(self) -> bool:
        try:
            count = self._outer.send(self._outward.pieces[0], MSG_NOSIGNAL)
        except BlockingIOError:
            return False
        self._outward.taken(count)
        return True

    def _pass_ends_on(self) -> None:
        if self._inward.ended and not self._inward.pieces and not self._inward.shut:
            self._inward.shut = True
            self._inner.shutdown(SHUT_WR)
        if self._outward.ended and not self._outward.pieces and not self._outward.shut:
            self._outward.shut = True
            self._outer.shutdown(SHUT_WR)

    def _watch(self) -> None:
        """Be told by the host what we wait for, and of nothing else."""
        wanted = POLLIN if self._inward.has_room else 0
        if self._outward.pieces:
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
        if self._forget is not None:
            self._forget(self)
