"""AF_UNIX sockets with connections: SOCK_STREAM, and SOCK_SEQPACKET, which keeps messages apart."""

from runsc_py.sentry.abi.sockets import (
    AF_UNIX,
    MSG_OOB,
    SHUT_RD,
    SHUT_WR,
    SO_PASSCRED,
    SOCK_SEQPACKET,
    SOCK_STREAM,
    SOL_SOCKET,
)
from runsc_py.sentry.errors import (
    EAGAIN,
    ECONNREFUSED,
    EINVAL,
    EISCONN,
    ENOTCONN,
    EOPNOTSUPP,
)
from runsc_py.sentry.socket.messages import Incoming, Outgoing, SocketCredentials
from runsc_py.sentry.socket.socket import Socket
from runsc_py.sentry.socket.stream import CONNECTED, LISTENING, UNCONNECTED, StreamSocket
from runsc_py.sentry.socket.unix_names import UnixName, address_of, find_socket, name_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from runsc_py.sentry.kernel.task import Task


class UnixStream(StreamSocket):
    """SOCK_STREAM."""

    __slots__ = ("name", "remote_name")

    type_number = SOCK_STREAM
    always_tells_of_room = True

    def __init__(self, task: "Task", flags: int = 0) -> None:
        super().__init__(task, AF_UNIX, self.type_number, 0, flags)
        self.name = UnixName(self)
        #: of the other end; stays after that was closed
        self.remote_name: bytes | None = None

    def descriptor_information(self) -> bytes:
        return b"scm_fds: %d\n" % self.queue.passed_files()

    def bind(self, task: "Task", address: bytes) -> None:
        self.name.bind(task, address)

    def listen(self, task: "Task", backlog: int) -> None:
        if self.name.name is None or self.state not in (UNCONNECTED, LISTENING):
            raise EINVAL
        self.start_listening(task, backlog)
        if self.name.host is not None:
            self.name.host.listen(backlog)

    def accept(self, task: "Task") -> Socket:
        return self.take_connection(task)

    def connect(self, task: "Task", address: bytes) -> None:
        name = name_of(address)
        if self.options.get((SOL_SOCKET, SO_PASSCRED)) and self.name.name is None:
            self.name.autobind()
        listener = find_socket(task, self, name)
        if self.state != UNCONNECTED:
            raise EISCONN if self.state == CONNECTED else EINVAL
        if (
            not isinstance(listener, UnixStream)
            or listener.state != LISTENING
            or listener.receive_closed
        ):
            raise ECONNREFUSED
        if listener.backlog_is_full:
            listener.waiting_clients[self] = None
            raise EAGAIN
        server_end = type(self)(task)
        server_end.namespace = listener.namespace
        server_end.name.name = self.remote_name = listener.name.name
        server_end.remote_name = self.name.name
        server_end.credentials = listener.credentials
        self.credentials = SocketCredentials.of_task(task)
        self.join(server_end)
        listener.enqueue_connection(server_end)

    def make_pair(self, task: "Task", other: "UnixStream") -> None:
        """socketpair(2)."""
        self.credentials = other.credentials = SocketCredentials.of_task(task)
        self.join(other)

    def shutdown(self, how: int) -> None:
        self.close_directions(how)
        if self.peer is not None:
            # What one end does not read any more the other may not send, and the reverse.
            self.peer.close_directions({SHUT_RD: SHUT_WR, SHUT_WR: SHUT_RD}.get(how, how))

    def local_address(self) -> bytes:
        return address_of(self.name.name)

    def peer_address(self) -> bytes:
        if self.state != CONNECTED:
            raise ENOTCONN
        return address_of(self.remote_name)

    def send(self, task: "Task", message: Outgoing) -> int:
        if message.flags & MSG_OOB:
            raise EOPNOTSUPP
        if message.address is not None and self.kind == SOCK_STREAM:
            raise EISCONN if self.state == CONNECTED else EOPNOTSUPP
        return super().send(task, message)

    def receive(self, task: "Task", size: int, flags: int) -> Incoming:
        if flags & MSG_OOB:
            raise EINVAL
        message = super().receive(task, size, flags)
        if self.remote_name is not None and message.data:
            message.address = address_of(self.remote_name)
        return message

    def release(self) -> None:
        # What an accepted socket has of its listener's name does not make it found.
        self.name.release()
        super().release()


class UnixSequencedPacket(UnixStream):
    """SOCK_SEQPACKET: a connection that keeps the boundaries of messages."""

    __slots__ = ()

    sends_sigpipe = False
    writes_whole = False
    type_number = SOCK_SEQPACKET
    unconnected_receive_error = ENOTCONN

    # Data moves as that of datagrams does, so a pending error comes before everything else.

    def send(self, task: "Task", message: Outgoing) -> int:
        self.raise_pending_error()
        return super().send(task, message)

    def receive(self, task: "Task", size: int, flags: int) -> Incoming:
        self.raise_pending_error()
        return super().receive(task, size, flags)
