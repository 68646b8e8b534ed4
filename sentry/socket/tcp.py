"""TCP over the loopback: tcp(7).

No segments, windows or timers: a connection is the in-memory one of `socket/stream.py`.  What is
TCP's own is here: addresses and ports, what each end sees when the other has closed or reset,
and the options that programs set.
"""

from runsc_py.sentry.abi.ioctl import INT
from runsc_py.sentry.abi.sockets import (
    IPPROTO_TCP,
    MSG_OOB,
    SHUT_RD,
    SHUT_WR,
    SO_LINGER,
    SO_RCVBUF,
    SO_SNDBUF,
    SOCK_STREAM,
    SOL_SOCKET,
    TCP_CLOSE,
    TCP_CLOSE_WAIT,
    TCP_CONGESTION,
    TCP_CORK,
    TCP_DEFER_ACCEPT,
    TCP_ESTABLISHED,
    TCP_FASTOPEN,
    TCP_FASTOPEN_CONNECT,
    TCP_INFO,
    TCP_KEEPCNT,
    TCP_KEEPIDLE,
    TCP_KEEPINTVL,
    TCP_LINGER2,
    TCP_LISTEN,
    TCP_MAXSEG,
    TCP_NODELAY,
    TCP_NOTSENT_LOWAT,
    TCP_QUICKACK,
    TCP_SYN_SENT,
    TCP_SYNCNT,
    TCP_USER_TIMEOUT,
    TCP_WINDOW_CLAMP,
)
from runsc_py.sentry.errors import (
    EADDRINUSE,
    EAGAIN,
    EALREADY,
    ECONNREFUSED,
    ECONNRESET,
    EINPROGRESS,
    EINVAL,
    EISCONN,
    ENOENT,
    ENOTCONN,
    EPIPE,
)
from runsc_py.sentry.kernel.waiting import (
    POLLHUP,
    POLLIN,
    POLLOUT,
    POLLRDHUP,
    POLLRDNORM,
    POLLWRNORM,
)
from runsc_py.sentry.socket.addresses import Endpoint, is_unspecified
from runsc_py.sentry.socket.inet import IP_OPTIONS, InetSocket
from runsc_py.sentry.socket.messages import Incoming, Outgoing, SocketCredentials
from runsc_py.sentry.socket.options import integer_of
from runsc_py.sentry.socket.socket import Socket
from runsc_py.sentry.socket.stream import (
    CONNECTED,
    CONNECTING,
    LISTENING,
    UNCONNECTED,
    StreamSocket,
)
from runsc_py.sentry.vfs.open_file import O_NONBLOCK

TYPE_CHECKING = False
if TYPE_CHECKING:
    from runsc_py.sentry.kernel.task import Task

_CONGESTION_CONTROL = b"cubic"
#: struct tcp_info, of which only the state is told
_INFO_SIZE = 104

#: options that are only kept, with their defaults
TCP_OPTIONS = {
    (IPPROTO_TCP, TCP_NODELAY): 0,
    (IPPROTO_TCP, TCP_MAXSEG): 65483,
    (IPPROTO_TCP, TCP_CORK): 0,
    (IPPROTO_TCP, TCP_KEEPIDLE): 7200,
    (IPPROTO_TCP, TCP_KEEPINTVL): 75,
    (IPPROTO_TCP, TCP_KEEPCNT): 9,
    (IPPROTO_TCP, TCP_SYNCNT): 6,
    (IPPROTO_TCP, TCP_LINGER2): 60,
    (IPPROTO_TCP, TCP_DEFER_ACCEPT): 0,
    (IPPROTO_TCP, TCP_WINDOW_CLAMP): 0,
    (IPPROTO_TCP, TCP_QUICKACK): 1,
    (IPPROTO_TCP, TCP_USER_TIMEOUT): 0,
    (IPPROTO_TCP, TCP_FASTOPEN): 0,
    (IPPROTO_TCP, TCP_FASTOPEN_CONNECT): 0,
    (IPPROTO_TCP, TCP_NOTSENT_LOWAT): 0,
}
#: booleans, shown as 0 or 1
_SWITCHES = (TCP_NODELAY, TCP_CORK, TCP_QUICKACK, TCP_FASTOPEN_CONNECT)
_POSITIVE = (TCP_KEEPIDLE, TCP_KEEPINTVL, TCP_KEEPCNT, TCP_SYNCNT)

#: net.ipv4.tcp_rmem and tcp_wmem, the middle ones
_DEFAULT_RECEIVE_BUFFER = 131072
_DEFAULT_SEND_BUFFER = 87040


class TcpSocket(StreamSocket, InetSocket):
    """A TCP socket."""

    __slots__ = ("connect_unreported", "end_received", "local", "remote", "target")

    kept_options = IP_OPTIONS | TCP_OPTIONS
    #: TCP packs small writes together
    segment_overhead = 32
    unconnected_receive_error = ENOTCONN
    unconnected_send_error = EPIPE

    def __init__(self, task: "Task", family: int, flags: int = 0) -> None:
        super().__init__(task, family, SOCK_STREAM, IPPROTO_TCP, flags)
        self.local = Endpoint(self.wildcard, 0)
        self.remote: Endpoint | None = None
        #: the other end will send nothing more (its FIN has come)
        self.end_received = False
        #: a connect that may not wait was answered EINPROGRESS; the next one tells how it went
        self.connect_unreported = False
        #: where a connect that waits for room in a backlog wants to
        self.target: Endpoint | None = None

    def set_local(self, endpoint: Endpoint) -> None:
        self.local = endpoint

    # -- connecting ---------------------------------------------------------------------

    def listen(self, task: "Task", backlog: int) -> None:
        if self.state not in (UNCONNECTED, LISTENING):
            raise EINVAL
        self.autobind()
        if self.state == UNCONNECTED:
            for other in self.ports.on(self.local.port):
                if other is not self and other.is_listening:
                    conflict = self.ports.conflict(self, self.local.host, self.local.port)
                    if conflict is not None:
                        raise EADDRINUSE
        self.start_listening(task, backlog)

    def accept(self, task: "Task") -> Socket:
        return self.take_connection(task)

    def connect(self, task: "Task", address: bytes) -> None:
        if is_unspecified(address):
            self._disconnect()
            return
        if self.state == CONNECTING:
            raise EALREADY
        if self.connect_unreported:
            self.connect_unreported = False
            self.raise_pending_error()
            if self.state == CONNECTED:
                return
        if self.state == CONNECTED:
            raise EISCONN
        if self.state == LISTENING:
            raise EISCONN
        self.raise_pending_error()
        target = self.route(address)
        bound_before = bool(self.local.port)
        self.autobind()
        self.credentials = SocketCredentials.of_task(task)
        may_wait = not self.flags & O_NONBLOCK
        self.connect_unreported = not may_wait
        try:
            self._connect_to(task, target)
        except ECONNREFUSED:
            if not bound_before:
                self.release_port()
                self.local = Endpoint(self.local.host, 0)
            if may_wait:
                raise
            self.set_error(ECONNREFUSED)
        if not may_wait:
            # The answer is here already, but who does not wait never gets it from connect(2).
            raise EINPROGRESS

    def _connect_to(self, task: "Task", target: Endpoint) -> None:
        """Errors: ECONNREFUSED, EINPROGRESS (the backlog is full)."""
        listener = self._find_listener(target)
        if listener is None:
            self.state = UNCONNECTED
            raise ECONNREFUSED
        if listener.backlog_is_full:
            self.state = CONNECTING
            self.target = target
            listener.waiting_clients[self] = None
            raise EINPROGRESS
        server_end = TcpSocket(task, listener.family)
        server_end.namespace = listener.namespace
        server_end.options = dict(listener.options)
        server_end.credentials = listener.credentials
        self.local = self.source_for(target)
        self.remote = target
        server_end.local = target
        server_end.remote = self.local
        self.ports.add_accepted(server_end, target.port)
        self.receive_closed = self.send_closed = self.end_received = False
        self.join(server_end)
        listener.enqueue_connection(server_end)

    def _find_listener(self, target: Endpoint) -> "TcpSocket | None":
        """The listener for a destination; a specific address comes before the wildcard."""
        found: TcpSocket | None = None
        for candidate in self.ports.on(target.port):
            if (
                isinstance(candidate, TcpSocket)
                and candidate.state == LISTENING
                and candidate.hears(target)
            ):
                if candidate.local.host == target.host:
                    return candidate
                found = found or candidate
        return found

    def retry_connecting(self) -> None:
        if self.state != CONNECTING:
            return
        assert self.target is not None
        try:
            if not self.pending_error:
                self._connect_to(self.kernel.current_task, self.target)
        except EINPROGRESS:
            return
        except ECONNREFUSED:
            self.set_error(ECONNREFUSED)
        if self.pending_error:
            self.state = UNCONNECTED
        self.wait_queue.notify()

    def finish_connecting(self) -> None:
        self.raise_pending_error()
        if self.state == CONNECTING:
            raise EAGAIN

    def _disconnect(self) -> None:
        """connect(2) with AF_UNSPEC."""
        if self.state == LISTENING or self.peer is not None:
            self._leave()
        self.state = UNCONNECTED
        self.remote = None

    # -- data ---------------------------------------------------------------------------

    @property
    def send_buffer(self) -> int:
        return self.options.get((SOL_SOCKET, SO_SNDBUF), _DEFAULT_SEND_BUFFER)

    @property
    def receive_buffer(self) -> int:
        return self.options.get((SOL_SOCKET, SO_RCVBUF), _DEFAULT_RECEIVE_BUFFER)

    @property
    def capacity(self) -> int:
        peer = self.peer
        receive_buffer = _DEFAULT_RECEIVE_BUFFER if peer is None else peer.receive_buffer
        # As in Linux, half of a buffer's size is for what is not payload.
        return (self.send_buffer + receive_buffer) // 2

    def is_writable(self) -> bool:
        peer = self.peer
        return peer is None or peer.queue.charged * 3 <= self.capacity * 2

    def send(self, task: "Task", message: Outgoing) -> int:
        if self.state == CONNECTING:
            raise EAGAIN
        self.raise_pending_error()
        if not message.data and self.state == CONNECTED and not self.send_closed:
            return 0
        peer = self.peer
        if peer is not None and peer.send_closed and peer.receive_closed and not self.send_closed:
            # Data for an end that has shut both directions resets the connection.
            self.peer = peer.peer = None
            peer.lose_peer(reset=True)
            peer = None
        if self.state == CONNECTED and not self.send_closed and peer is None:
            # The other end is closed: what arrives there is answered with a reset,
            # which makes the next call fail.
            self.set_error(EPIPE)
            self.send_closed = self.receive_closed = True
            self.wait_queue.notify()
            return len(message.data)
        return super().send(task, message)

    def _peer_that_listens(self) -> StreamSocket:
        # An end that has shut its reading down still takes data; it can even be read.
        if self.send_closed or self.peer is None:
            raise EPIPE
        return self.peer

    def receive(self, task: "Task", size: int, flags: int) -> Incoming:
        if flags & MSG_OOB and self.state != LISTENING:
            raise EINVAL  # nothing is urgent: MSG_OOB sends it with the rest
        if self.end_received and not self.queue and self.state == CONNECTED:
            return Incoming(b"")  # the end of the data comes before what a later reset says
        return super().receive(task, size, flags)

    def sender_credentials(self, task: "Task") -> SocketCredentials | None:
        return None

    # -- ending -------------------------------------------------------------------------

    def shutdown(self, how: int) -> None:
        if self.state not in (CONNECTED, LISTENING) or self.is_over:
            raise ENOTCONN
        if self.state == LISTENING:
            if how != SHUT_WR:
                self._leave()
                self.wait_queue.notify()
            return
        self.close_directions(how)
        if how != SHUT_RD and self.peer is not None:
            # Our FIN: the other end reads to the end and may go on sending.
            assert isinstance(self.peer, TcpSocket)
            self.peer.end_received = True
            self.peer.close_directions(SHUT_RD)

    @property
    def is_over(self) -> bool:
        """Both directions have ended, or the connection was reset."""
        return self.send_closed and (self.end_received or self.peer is None)

    def resets_on_close(self) -> bool:
        return self.options.get((SOL_SOCKET, SO_LINGER)) == 0

    def lose_peer(self, reset: bool) -> None:
        self.receive_closed = True
        if reset:
            # Who had heard the end of the data (CLOSE-WAIT) is told by a broken pipe.
            self.set_error(EPIPE if self.end_received and not self.send_closed else ECONNRESET)
            self.send_closed = True
        else:
            self.end_received = True
        self.wait_queue.notify()

    def _leave(self) -> None:
        """End the connection or the listening, keep the port."""
        super().release()

    def release(self) -> None:
        self.release_port()
        super().release()

    # -- readiness and options ----------------------------------------------------------------

    def poll(self) -> int:
        events = super().poll()
        if self.state == CONNECTED and self.send_closed and not events & POLLOUT:
            events |= POLLOUT | POLLWRNORM
        if self.state == UNCONNECTED and self.pending_error:
            events |= POLLOUT | POLLWRNORM | POLLIN | POLLRDNORM | POLLHUP | POLLRDHUP
        return events

    def get_option(self, task: "Task", level: int, name: int) -> bytes:
        if level == IPPROTO_TCP and name == TCP_CONGESTION:
            return _CONGESTION_CONTROL.ljust(16, b"\0")
        if level == IPPROTO_TCP and name == TCP_INFO:
            return self._state_number().to_bytes(1, "little").ljust(_INFO_SIZE, b"\0")
        return super().get_option(task, level, name)

    def _state_number(self) -> int:
        if self.state == CONNECTED:
            return TCP_CLOSE_WAIT if self.receive_closed else TCP_ESTABLISHED
        return {LISTENING: TCP_LISTEN, CONNECTING: TCP_SYN_SENT}.get(self.state, TCP_CLOSE)

    def set_option(self, task: "Task", level: int, name: int, value: bytes) -> None:
        if level == IPPROTO_TCP and name == TCP_CONGESTION:
            if value.rstrip(b"\0") != _CONGESTION_CONTROL:
                raise ENOENT
            return
        if level == IPPROTO_TCP and name in _SWITCHES:
            value = INT.pack(int(integer_of(value) != 0))
        if level == IPPROTO_TCP and name in _POSITIVE and not 0 < integer_of(value) <= 32767:
            raise EINVAL
        super().set_option(task, level, name, value)
