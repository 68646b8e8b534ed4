"""Connections in memory: what AF_UNIX streams and packets and loopback TCP have in common.

A connection is two `StreamSocket`s that know each other.  What one sends is appended to the
receive queue of the other.  A client's connect makes the server's end at once and puts it into
the listener's queue, so the client may send before anybody accepts::

    UNCONNECTED --listen--> LISTENING
    UNCONNECTED --connect, socketpair--> CONNECTED
    UNCONNECTED --connect while the backlog is full (TCP)--> CONNECTING --accept--> CONNECTED
    CONNECTED --the other end closes--> CONNECTED without a peer

The families differ in names, in a few errors and in what a half-closed connection still does.
"""

from collections import deque

from runsc_py.sentry.abi.ioctl import INT
from runsc_py.sentry.abi.sockets import (
    SHUT_RD,
    SHUT_WR,
    SIOCATMARK,
    SO_PASSCRED,
    SOCK_SEQPACKET,
    SOL_SOCKET,
    SOMAXCONN,
)
from runsc_py.sentry.errors import (
    EAGAIN,
    ECONNREFUSED,
    ECONNRESET,
    EINVAL,
    EMSGSIZE,
    ENOTCONN,
    EPIPE,
)
from runsc_py.sentry.kernel.waiting import (
    DATA,
    POLLERR,
    POLLHUP,
    POLLIN,
    POLLRDHUP,
    POLLRDNORM,
    SPACE,
)
from runsc_py.sentry.socket.messages import Incoming, Outgoing, SocketCredentials
from runsc_py.sentry.socket.queue import SEGMENT_OVERHEAD, ReceiveQueue, Segment
from runsc_py.sentry.socket.socket import Socket

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Protocol

    from runsc_py.sentry.errors import KernelError
    from runsc_py.sentry.kernel.task import Task
else:
    Protocol = object  # the real one is for type checkers, and slow to import

UNCONNECTED = 0
LISTENING = 1
CONNECTING = 2
CONNECTED = 3


class ConnectionSource(Protocol):
    """Who waits for room in a backlog: a client, or the listener's name on the host."""

    def retry_connecting(self) -> None: ...
    def set_error(self, error: "type[KernelError]") -> None: ...


class StreamSocket(Socket):
    """One end of a connection, or a listening socket."""

    __slots__ = (
        "accept_queue",
        "backlog",
        "credentials",
        "needs_space",
        "peer",
        "queue",
        "receive_closed",
        "remote_credentials",
        "send_closed",
        "state",
        "waiting_clients",
    )

    sends_sigpipe = True
    writes_whole = True

    #: what a segment costs in the buffer besides its bytes
    segment_overhead = SEGMENT_OVERHEAD
    #: whether every segment that was read makes an edge for a writable writer (Linux: AF_UNIX
    #: does, TCP only after the writer found no room)
    always_tells_of_room = False
    #: reading and sending before there is a connection
    unconnected_receive_error = EINVAL
    unconnected_send_error = ENOTCONN

    def __init__(self, task: "Task", family: int, kind: int, protocol: int, flags: int = 0) -> None:
        super().__init__(task, family, kind, protocol, flags)
        self.state = UNCONNECTED
        #: the other end; None before the connection and after that end was closed
        self.peer: StreamSocket | None = None
        #: what was sent here and is not read
        self.queue = ReceiveQueue()
        #: nothing more will arrive, or may be sent (shutdown, close of either end)
        self.receive_closed = False
        self.send_closed = False
        #: a sender found no room: tell it when there is
        self.needs_space = False
        #: connections that nobody accepted, and how many there may be
        self.accept_queue: deque[StreamSocket] = deque()
        self.backlog = 0
        #: clients that wait for room in the accept queue
        self.waiting_clients: dict[ConnectionSource, None] = {}
        #: who called connect, listen or socketpair here: SO_PEERCRED of the other end
        self.credentials: SocketCredentials | None = None
        self.remote_credentials: SocketCredentials | None = None

    # -- connecting -------------------------------------------------------------------------

    @property
    def is_listening(self) -> bool:
        return self.state == LISTENING

    def start_listening(self, task: "Task", backlog: int) -> None:
        """Become a listener, or change the backlog.  Negative ones count as huge (as in Linux)."""
        self.backlog = min(backlog & 0xFFFFFFFF, SOMAXCONN)
        self.credentials = SocketCredentials.of_task(task)
        self.state = LISTENING
        self.admit_waiting_clients()

    @property
    def backlog_is_full(self) -> bool:
        # One more than the backlog, as in Linux.
        return len(self.accept_queue) > self.backlog

    def join(self, other: "StreamSocket") -> None:
        """The two become a connection."""
        self.peer, other.peer = other, self
        self.state = other.state = CONNECTED
        self.remote_credentials = other.credentials
        other.remote_credentials = self.credentials

    def enqueue_connection(self, server_end: "StreamSocket") -> None:
        """A client has connected; `server_end` waits to be accepted."""
        self.accept_queue.append(server_end)
        self.wait_queue.notify(DATA)

    def take_connection(self, task: "Task") -> "StreamSocket":
        """accept(2).  Errors: EINVAL (it does not listen), EAGAIN."""
        if self.state != LISTENING:
            raise EINVAL
        if not self.accept_queue:
            if self.receive_closed:
                raise EINVAL
            self.raise_pending_error()
            raise EAGAIN
        server_end = self.accept_queue.popleft()
        server_end.adopt(task)
        self.admit_waiting_clients()
        return server_end

    def admit_waiting_clients(self) -> None:
        """There is room in the accept queue, or the listener is gone: who waits tries again."""
        waiting, self.waiting_clients = self.waiting_clients, {}
        for client in waiting:
            client.retry_connecting()

    def retry_connecting(self) -> None:
        """The listener whose backlog was full may have room."""
        self.wait_queue.notify(SPACE)

    def peer_credentials(self) -> SocketCredentials | None:
        return self.credentials if self.state == LISTENING else self.remote_credentials

    # -- sending ------------------------------------------------------------------------------

    @property
    def capacity(self) -> int:
        """What may be on its way to the other end, bytes with overhead."""
        return self.send_buffer

    def is_writable(self) -> bool:
        """Whether there is enough room that a writer should be woken (Linux's unix_writable)."""
        peer = self.peer
        return peer is None or peer.queue.charged * 4 <= self.capacity

    def send(self, task: "Task", message: Outgoing) -> int:
        if self.state != CONNECTED:
            raise self.unconnected_send_error
        peer = self._peer_that_listens()
        data = message.data
        if not data and self.kind != SOCK_SEQPACKET:
            return 0
        if self.kind == SOCK_SEQPACKET and len(data) > self.send_buffer - 32:
            raise EMSGSIZE
        room = self.capacity - peer.queue.charged
        if room <= 0:
            self.needs_space = True
            raise EAGAIN
        if self.kind != SOCK_SEQPACKET and len(data) > room:
            data = data[:room]
            self.needs_space = True
        if message.rights:
            for file in message.rights:
                file.acquire()
        peer.queue.append(
            Segment(
                bytes(data),
                rights=message.rights,
                credentials=message.credentials or self.sender_credentials(task),
                overhead=self.segment_overhead,
            )
        )
        peer.wait_queue.notify(DATA)
        return len(data)

    def sender_credentials(self, task: "Task") -> SocketCredentials | None:
        """What SCM_CREDENTIALS shows of a message that names nobody."""
        return SocketCredentials.of_sender(task)

    def _peer_that_listens(self) -> "StreamSocket":
        """The other end, which will read.  Errors: EPIPE, the pending one."""
        peer = self.peer
        if self.send_closed or peer is None or peer.receive_closed:
            raise EPIPE
        return peer

    # -- receiving ----------------------------------------------------------------------------

    def receive(self, task: "Task", size: int, flags: int) -> Incoming:
        if self.state != CONNECTED:
            raise self.unconnected_receive_error
        if not self.queue:
            self.raise_pending_error()
            if self.receive_closed:
                return Incoming(b"")
            raise EAGAIN
        charged = self.queue.charged
        if self.kind == SOCK_SEQPACKET:
            message = self.queue.take_message(size, flags)
        elif size:
            by_sender = bool(self.options.get((SOL_SOCKET, SO_PASSCRED)))
            message = self.queue.take_bytes(size, flags, by_sender)
        else:
            return Incoming(b"")
        if self.queue.charged != charged and self.peer is not None:
            self.peer.room_was_made()
        return message

    def room_was_made(self) -> None:
        """The other end has read something."""
        if (self.needs_space or self.always_tells_of_room) and self.is_writable():
            self.needs_space = False
            self.wait_queue.notify(SPACE)

    def pending_bytes(self) -> int:
        if self.state == LISTENING:
            raise EINVAL
        return self.queue.pending_bytes

    def ioctl(self, task: "Task", request: int, argument: int) -> int:
        """Streams know SIOCATMARK: there is no urgent data, and so never a mark."""
        if request != SIOCATMARK:
            return super().ioctl(task, request, argument)
        task.memory.copy_out(argument, INT.pack(0))
        return 0

    def unread_by_peer(self) -> int:
        if self.state == LISTENING:
            raise EINVAL
        return 0 if self.peer is None else self.peer.queue.pending_bytes

    # -- ending -------------------------------------------------------------------------------

    def close_directions(self, how: int) -> None:
        """Mark this end's directions closed and wake who waits on it."""
        if how != SHUT_WR:
            self.receive_closed = True
        if how != SHUT_RD:
            self.send_closed = True
        self.wait_queue.notify()

    def release(self) -> None:
        if self.state == LISTENING:
            self.state = UNCONNECTED
            while self.accept_queue:
                never_accepted = self.accept_queue.popleft()
                never_accepted.leave_peer(reset=True)
                never_accepted.acquire().drop()
            for client in self.waiting_clients:
                client.set_error(ECONNREFUSED)
            self.admit_waiting_clients()
        self.leave_peer(reset=bool(self.queue) or self.resets_on_close())
        self.queue.clear()

    def leave_peer(self, reset: bool) -> None:
        """End the connection; `reset`: the other end is to know that something was lost."""
        peer = self.peer
        if peer is not None:
            self.peer = peer.peer = None
            peer.lose_peer(reset)

    def resets_on_close(self) -> bool:
        """Whether closing throws the connection away instead of ending it."""
        return False

    def lose_peer(self, reset: bool) -> None:
        """The other end was closed; `reset`: without having read everything."""
        self.receive_closed = True
        self.send_closed = True
        if reset:
            self.set_error(ECONNRESET)
        self.wait_queue.notify()

    # -- readiness ------------------------------------------------------------------------------

    def poll(self) -> int:
        if self.state == LISTENING:
            return DATA if self.accept_queue else 0
        events = POLLERR if self.pending_error else 0
        if self.receive_closed:
            events |= POLLIN | POLLRDNORM | POLLRDHUP
            if self.send_closed:
                events |= POLLHUP
        if self.queue:
            events |= DATA
        if self.state == UNCONNECTED:
            events |= POLLHUP
        if self.state != CONNECTING:
            if self.is_writable():
                events |= SPACE
            else:
                self.needs_space = True
        return events
