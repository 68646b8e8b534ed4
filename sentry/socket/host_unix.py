"""Unix sockets of the host, reached by way of a mount (`--host-uds`); the gofer decides which.

A guest that connects to a socket file of the host gets a connection of the sandbox, whose other end
is relayed to a socket that the gofer has connected.  One that binds in a mount where it may has its
socket and a host socket of the same name: whoever connects from outside becomes a connection of the
sandbox.  Guests never hold a descriptor of the host's, and files are not passed across.
"""

from __future__ import annotations

from _socket import AF_UNIX, MSG_NOSIGNAL
from _socket import socket as HostDescriptor

from runsc_py.sentry.errors import EAGAIN, ECONNREFUSED, EOPNOTSUPP, EPERM, error_for
from runsc_py.sentry.kernel.kernel_thread import KernelThread
from runsc_py.sentry.kernel.waiting import POLLIN, POLLOUT, WaitQueue
from runsc_py.sentry.socket.messages import SocketCredentials
from runsc_py.sentry.socket.queue import Segment
from runsc_py.sentry.socket.relay import Relay
from runsc_py.sentry.socket.stream import LISTENING
from runsc_py.sentry.socket.unix_datagram import UnixDatagram
from runsc_py.sentry.socket.unix_stream import UnixStream

TYPE_CHECKING = False
if TYPE_CHECKING:
    from runsc_py.sentry.kernel.task import Task
    from runsc_py.sentry.socket.socket import Socket
    from runsc_py.sentry.socket.stream import StreamSocket
    from runsc_py.sentry.vfs.inode import Inode

#: who guests see at the other end: no process of theirs (Linux's overflow ids)
OUTSIDE = SocketCredentials(None, 65534, 65534)
#: until somebody tries again whose host's server has no room in its queue, nanoseconds
RETRY = 10_000_000
#: longer than any datagram that Linux's default buffers let through
_DATAGRAM_ROOM = 1 << 18


def reach_host(task: Task, socket: Socket, inode: Inode, name: bytes) -> Socket | None:
    """What stands for the socket of the host at `inode`; None where there is none to be had.

    Errors: EAGAIN (its queue is full: try again when writable), EPROTOTYPE.
    """
    try:
        descriptor = inode.connect_socket(socket.kind)
    except (ECONNREFUSED, EPERM, EOPNOTSUPP):
        return None
    except EAGAIN:
        kernel = task.kernel
        kernel.timers.at(kernel.clock.monotonic() + RETRY, socket.wait_queue.notify)
        raise
    host = HostDescriptor(AF_UNIX, socket.kind, 0, descriptor)
    if isinstance(socket, UnixDatagram):
        return HostDatagrams(task, host, name)
    return HostServer(task, socket.kind, host, name)


def _mover(task: Task) -> KernelThread:
    """Who moves bytes when the guest's task may be gone."""
    return KernelThread(task.kernel, task.namespaces.copy(), task.file_context.root)


class HostServer(UnixStream):
    """A listener for one connection, which the host has accepted already."""

    __slots__ = ("_host",)

    def __init__(self, task: Task, kind: int, host: HostDescriptor, name: bytes) -> None:
        super().__init__(task)
        self.kind = kind
        self.state = LISTENING
        self.credentials = OUTSIDE
        self.name.name = name
        self._host = host

    def enqueue_connection(self, server_end: StreamSocket) -> None:
        server_end.acquire()
        Relay(_mover(self.kernel.current_task), server_end, self._host, credentials=OUTSIDE)


class HostDatagrams(UnixDatagram):
    """A socket of the host that takes datagrams."""

    __slots__ = ("_host", "_room")

    def __init__(self, task: Task, host: HostDescriptor, name: bytes) -> None:
        super().__init__(task)
        self.name.name = name
        host.setblocking(False)
        self._host = host
        self._room = WaitQueue()

    def deliver(self, segment: Segment) -> None:
        """Errors: EAGAIN while the server has no room, and those of send(2)."""
        segment.drop()
        try:
            self._host.send(segment.data, MSG_NOSIGNAL)
        except OSError as error:
            if isinstance(error, BlockingIOError) and isinstance(segment.sender, UnixDatagram):
                self.blocked_senders[segment.sender] = None
                if not self._room.waiters:
                    self._room.add(self)
                    self.kernel.events.watch(self._host.fileno(), POLLOUT, self._room)
            raise error_for(error.errno or 0) from None

    def wake(self, events: int) -> None:
        """There is room (Waiter protocol)."""
        self.kernel.events.unwatch(self._host.fileno(), self._room)
        self._room.remove(self)
        self.wake_senders()


class HostName:
    """The name on the host of a socket of the sandbox: what comes there is the socket's."""

    def __init__(self, task: Task, socket: UnixStream | UnixDatagram, descriptor: int) -> None:
        self._socket = socket
        self._kernel = task.kernel
        self._mover = _mover(task)
        self._host = HostDescriptor(AF_UNIX, socket.kind, 0, descriptor)
        self._host.setblocking(False)
        self._watched = False
        #: of the host's descriptor, and where we wait for room in the socket's queue
        self._arrivals, self.wait_queue = WaitQueue(), WaitQueue()
        self._arrivals.add(self)
        self.wait_queue.add(self)
        if isinstance(socket, UnixDatagram):
            self._watch()

    def listen(self, backlog: int) -> None:
        """listen(2).  Errors: those of the host."""
        try:
            self._host.listen(max(backlog, 0) & 0x7FFFFFFF)
        except OSError as error:
            raise error_for(error.errno or 0) from None
        self._watch()

    def _watch(self) -> None:
        if not self._watched and self._host.fileno() >= 0:
            self._watched = True
            self._kernel.events.watch(self._host.fileno(), POLLIN, self._arrivals)

    def _unwatch(self) -> None:
        if self._watched:
            self._watched = False
            self._kernel.events.unwatch(self._host.fileno(), self._arrivals)

    def wake(self, events: int) -> None:
        """Somebody came, or there is room again (Waiter protocol)."""
        socket = self._socket
        try:
            while self._has_room():
                if isinstance(socket, UnixStream):
                    self._accept(socket)
                else:
                    self._receive(socket)
        except OSError:
            # Nobody more; or the host has no descriptors left, and who waits there waits on.
            self._watch()
        else:
            self._unwatch()

    retry_connecting = _watch

    def _has_room(self) -> bool:
        """If not, we are told when there is."""
        socket = self._socket
        if isinstance(socket, UnixStream):
            if socket.backlog_is_full:
                socket.waiting_clients[self] = None
            return not socket.backlog_is_full
        if socket.is_full_for(self):
            socket.blocked_senders[self] = None
            return False
        return True

    def _accept(self, listener: UnixStream) -> None:
        descriptor, _ = self._host._accept()  # type: ignore[attr-defined]
        outer = HostDescriptor(AF_UNIX, listener.kind, 0, descriptor)
        server_end, client_end = type(listener)(self._mover), type(listener)(self._mover)
        server_end.namespace = listener.namespace
        server_end.name.name = client_end.remote_name = listener.name.name
        server_end.credentials = listener.credentials
        client_end.credentials = OUTSIDE
        client_end.join(server_end)
        client_end.acquire()
        Relay(self._mover, client_end, outer, credentials=OUTSIDE)
        listener.enqueue_connection(server_end)

    def _receive(self, socket: UnixDatagram) -> None:
        data = self._host.recv(_DATAGRAM_ROOM)
        if not socket.receive_closed:
            socket.deliver(Segment(data, credentials=OUTSIDE))

    @property
    def send_buffer(self) -> int:
        """How much of ours may wait in the queue of the socket."""
        return self._socket.receive_buffer

    def set_error(self, error: object) -> None:
        """The listener is gone; `close` comes next."""

    def close(self) -> None:
        """The socket is gone; the file stays."""
        self._unwatch()
        self._host.close()
