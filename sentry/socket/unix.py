"""AF_UNIX sockets: unix(7).

A name is the bytes of sun_path: a file's path (without the closing NUL), or an abstract name that
begins with a NUL byte.  Path names lead to an inode, which the anonymous file system's registry
leads to the socket; abstract names belong to the network namespace.
"""

from runsc_py.sentry.abi.sockets import (
    AF_UNIX,
    AF_UNSPEC,
    MSG_DONTWAIT,
    MSG_OOB,
    MSG_PEEK,
    SHUT_RD,
    SHUT_WR,
    SO_PASSCRED,
    SOCK_DGRAM,
    SOCK_RAW,
    SOCK_SEQPACKET,
    SOCK_STREAM,
    SOCKADDR_UN_SIZE,
    SOL_SOCKET,
)
from runsc_py.sentry.errors import (
    EADDRINUSE,
    EAGAIN,
    ECONNREFUSED,
    ECONNRESET,
    EEXIST,
    EINVAL,
    EISCONN,
    EMSGSIZE,
    ENOTCONN,
    EOPNOTSUPP,
    EPERM,
    EPIPE,
    EPROTONOSUPPORT,
    EPROTOTYPE,
    ESOCKTNOSUPPORT,
    KernelError,
)
from runsc_py.sentry.fs.anonymous import anonymous_file_system
from runsc_py.sentry.kernel.waiting import (
    POLLERR,
    POLLHUP,
    POLLIN,
    POLLOUT,
    POLLRDHUP,
    POLLRDNORM,
    POLLWRBAND,
    POLLWRNORM,
)
from runsc_py.sentry.socket.messages import Incoming, Outgoing, SocketCredentials
from runsc_py.sentry.socket.queue import ReceiveQueue, Segment
from runsc_py.sentry.socket.socket import Socket
from runsc_py.sentry.socket.stream import CONNECTED, LISTENING, UNCONNECTED, StreamSocket
from runsc_py.sentry.vfs.attributes import S_IFMT, S_IFSOCK
from runsc_py.sentry.vfs.operations import make_socket_file
from runsc_py.sentry.vfs.permissions import MAY_WRITE, check
from runsc_py.sentry.vfs.walk import walk

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Protocol

    from runsc_py.sentry.kernel.task import Task
    from runsc_py.sentry.kernel.waiting import WaitQueue
    from runsc_py.sentry.socket.host_unix import HostName
    from runsc_py.sentry.vfs.inode import Inode
else:
    Protocol = object  # the real one is for type checkers, and slow to import

_FAMILY = AF_UNIX.to_bytes(2, "little")
_UNSPECIFIED = AF_UNSPEC.to_bytes(2, "little")
#: sizeof(sa_family_t)
_PATH_OFFSET = 2
#: /proc/sys/net/unix/max_dgram_qlen
MAXIMUM_DATAGRAMS = 10
#: names of autobind: five hexadecimal digits
_AUTOBIND_NAMES = 1 << 20

_DATA = POLLIN | POLLRDNORM
_SPACE = POLLOUT | POLLWRNORM | POLLWRBAND


def name_of(address: bytes) -> bytes:
    """The name in a struct sockaddr_un.  Errors: EINVAL."""
    if not _PATH_OFFSET < len(address) <= SOCKADDR_UN_SIZE or address[:2] != _FAMILY:
        raise EINVAL
    name = address[_PATH_OFFSET:]
    return name if name[0] == 0 else name.split(b"\0", 1)[0]


def address_of(name: bytes | None) -> bytes:
    """The struct sockaddr_un that shows a name; path names end with a NUL."""
    if not name:
        return _FAMILY
    return _FAMILY + name + (b"" if name[0] == 0 else b"\0")


class DatagramSender(Protocol):
    """Who may find the queue of a datagram socket full: another one, or its name on the host."""

    @property
    def send_buffer(self) -> int: ...
    @property
    def wait_queue(self) -> "WaitQueue": ...


class UnixName:
    """The name a socket is bound to, and what makes it found by it."""

    __slots__ = ("host", "inode", "name", "socket")

    def __init__(self, socket: "UnixSocket") -> None:
        self.socket = socket
        #: None while unbound
        self.name: bytes | None = None
        #: of a path name
        self.inode: Inode | None = None
        #: the same name on the host, where the mount has it
        self.host: HostName | None = None

    def bind(self, task: "Task", address: bytes) -> None:
        """Errors: EINVAL (bound already, a bad address), EADDRINUSE, those of mknod(2)."""
        if address == _FAMILY:
            if self.name is None:
                self.autobind()
            return
        name = name_of(address)
        if self.name is not None:
            raise EINVAL
        if name[0] == 0:
            self._bind_abstract(name)
        else:
            self._bind_path(task, name)

    def _bind_path(self, task: "Task", name: bytes) -> None:
        try:
            path, descriptor = make_socket_file(task, name, self.socket.kind)
        except EEXIST:
            raise EADDRINUSE from None
        self.name = name
        self.inode = path.inode
        anonymous_file_system(task.kernel).bound_sockets[path.inode] = self.socket
        if descriptor >= 0:
            from runsc_py.sentry.socket.host_unix import HostName

            self.host = HostName(task, self.socket, descriptor)

    def _bind_abstract(self, name: bytes) -> None:
        names = self.socket.namespace.abstract_sockets
        if name in names:
            raise EADDRINUSE
        self.name = name
        names[name] = self.socket

    def autobind(self) -> None:
        """Take a free abstract name.  Errors: EADDRINUSE when there is none."""
        names = self.socket.namespace.abstract_sockets
        first = int.from_bytes(self.socket.kernel.random(4), "little")
        for offset in range(_AUTOBIND_NAMES):
            name = b"\0%05x" % ((first + offset) % _AUTOBIND_NAMES)
            if name not in names:
                self._bind_abstract(name)
                return
        raise EADDRINUSE

    def release(self) -> None:
        """The socket is gone; its file, if it has one, stays."""
        if self.host is not None:
            self.host.close()
            self.host = None
        if self.inode is not None:
            sockets = anonymous_file_system(self.socket.kernel).bound_sockets
            if sockets.get(self.inode) is self.socket:
                del sockets[self.inode]
            self.inode = None
        elif self.name is not None:
            names = self.socket.namespace.abstract_sockets
            if names.get(self.name) is self.socket:
                del names[self.name]


def find_socket(task: "Task", socket: Socket, name: bytes) -> Socket:
    """The socket bound to `name`, of the same type as `socket`.

    Errors: ECONNREFUSED, EPROTOTYPE, EAGAIN (the host's server has no room), those of a path
    walk, EACCES.
    """
    if name[0] == 0:
        found = socket.namespace.abstract_sockets.get(name)
    else:
        inode = walk(task, name).inode
        check(task.credentials, inode, MAY_WRITE)
        found = anonymous_file_system(task.kernel).bound_sockets.get(inode)
        if found is None and inode.mode & S_IFMT == S_IFSOCK:
            from runsc_py.sentry.socket.host_unix import reach_host

            found = reach_host(task, socket, inode, name)
    if found is None:
        raise ECONNREFUSED
    if found.kind != socket.kind:
        raise EPROTOTYPE
    return found


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


class UnixDatagram(Socket):
    """SOCK_DGRAM."""

    __slots__ = (
        "blocked_senders",
        "name",
        "peer",
        "queue",
        "receive_closed",
        "released",
        "remote_credentials",
        "send_closed",
    )

    def __init__(self, task: "Task", flags: int = 0) -> None:
        super().__init__(task, AF_UNIX, SOCK_DGRAM, 0, flags)
        self.name = UnixName(self)
        #: where send(2) without an address goes
        self.peer: UnixDatagram | None = None
        self.queue = ReceiveQueue()
        self.receive_closed = False
        self.send_closed = False
        self.released = False
        #: who found this queue full
        self.blocked_senders: dict[DatagramSender, None] = {}
        self.remote_credentials: SocketCredentials | None = None

    def descriptor_information(self) -> bytes:
        return b"scm_fds: %d\n" % self.queue.passed_files()

    def bind(self, task: "Task", address: bytes) -> None:
        self.name.bind(task, address)

    def connect(self, task: "Task", address: bytes) -> None:
        if address[:2] == _UNSPECIFIED:
            self._set_peer(None)
            return
        name = name_of(address)
        self._autobind_for_credentials()
        other = find_socket(task, self, name)
        assert isinstance(other, UnixDatagram)
        if not other.takes_from(self):
            raise EPERM
        self._set_peer(other)

    def _autobind_for_credentials(self) -> None:
        if self.options.get((SOL_SOCKET, SO_PASSCRED)) and self.name.name is None:
            self.name.autobind()

    def takes_from(self, other: "UnixDatagram") -> bool:
        """A connected socket hears only its peer."""
        return self.peer is None or self.peer is other

    def _set_peer(self, other: "UnixDatagram | None") -> None:
        before = self.peer
        self.peer = other
        if before is not None and before is not other:
            self._discard_queue()
            if before.peer is self and not before.released:
                before.set_error(ECONNRESET)
                before.wait_queue.notify()

    def make_pair(self, task: "Task", other: "UnixDatagram") -> None:
        """socketpair(2)."""
        self.peer, other.peer = other, self
        self.remote_credentials = other.remote_credentials = SocketCredentials.of_task(task)

    def peer_credentials(self) -> SocketCredentials | None:
        return self.remote_credentials

    def local_address(self) -> bytes:
        return address_of(self.name.name)

    def peer_address(self) -> bytes:
        if self.peer is None:
            raise ENOTCONN
        return address_of(self.peer.name.name)

    def shutdown(self, how: int) -> None:
        if how != SHUT_WR:
            self.receive_closed = True
        if how != SHUT_RD:
            self.send_closed = True
        self.wait_queue.notify()
        self.wake_senders()

    # -- data -----------------------------------------------------------------------------

    def send(self, task: "Task", message: Outgoing) -> int:
        if message.flags & MSG_OOB:
            raise EOPNOTSUPP
        self._autobind_for_credentials()
        if len(message.data) > self.send_buffer - 32:
            raise EMSGSIZE
        if self.send_closed:
            raise EPIPE
        try:
            receiver = self._receiver(task, message.address)
        except KernelError:
            # Linux had allocated the message by then; freeing it tells writers of room.
            self.wait_queue.notify(_SPACE)
            raise
        if receiver.is_full_for(self):
            receiver.blocked_senders[self] = None
            raise EAGAIN
        for file in message.rights or ():
            file.acquire()
        receiver.deliver(
            Segment(
                bytes(message.data),
                address=None if self.name.name is None else address_of(self.name.name),
                rights=message.rights,
                credentials=message.credentials or SocketCredentials.of_sender(task),
                sender=self,
            )
        )
        return len(message.data)

    def deliver(self, segment: Segment) -> None:
        """A message has come, and there is room for it."""
        self.queue.append(segment)
        self.wait_queue.notify(_DATA)

    def _receiver(self, task: "Task", address: bytes | None) -> "UnixDatagram":
        """Errors: ENOTCONN, ECONNREFUSED, EPERM, EPIPE, those of find_socket."""
        if address is None:
            if self.peer is None:
                raise ENOTCONN
            if self.peer.released:
                self._set_peer(None)
                raise ECONNREFUSED
            receiver = self.peer
        else:
            found = find_socket(task, self, name_of(address))
            assert isinstance(found, UnixDatagram)
            receiver = found
            if not receiver.takes_from(self):
                raise EPERM
        if receiver.receive_closed:
            raise EPIPE
        return receiver

    def is_full_for(self, sender: "DatagramSender") -> bool:
        """Whether `sender` has to wait; two connected to each other may use the whole buffer."""
        if self.queue.charged >= sender.send_buffer:
            return True
        return (
            self is not sender and self.peer is not sender and len(self.queue) > MAXIMUM_DATAGRAMS
        )

    def receive(self, task: "Task", size: int, flags: int) -> Incoming:
        if flags & MSG_OOB:
            raise EOPNOTSUPP
        self.raise_pending_error()
        if not self.queue:
            # Only who would have waited sees the end (Linux's skb_wait_for_more_packets).
            if self.receive_closed and not flags & MSG_DONTWAIT:
                return Incoming(b"")
            raise EAGAIN
        sender = self.queue.segments[0].sender
        message = self.queue.take_message(size, flags)
        if not flags & MSG_PEEK:
            self.wake_senders()
            if sender is not None:
                sender.wait_queue.notify(_SPACE)
        return message

    def wake_senders(self) -> None:
        """There is room in the queue."""
        senders, self.blocked_senders = self.blocked_senders, {}
        for sender in senders:
            sender.wait_queue.notify(_SPACE)

    def _discard_queue(self) -> None:
        """Nobody will read what has come; whoever sent it has the room back."""
        senders = {segment.sender for segment in self.queue.segments if segment.sender is not None}
        self.queue.clear()
        for sender in senders:
            sender.wait_queue.notify(_SPACE)
        self.wake_senders()

    def pending_bytes(self) -> int:
        # Of datagrams FIONREAD shows the first one's size.
        return len(self.queue.segments[0].data) if self.queue else 0

    # -- the open file ----------------------------------------------------------------------

    def poll(self) -> int:
        events = POLLERR if self.pending_error else 0
        if self.receive_closed:
            events |= POLLIN | POLLRDNORM | POLLRDHUP
            if self.send_closed:
                events |= POLLHUP
        if self.queue:
            events |= _DATA
        peer = self.peer
        if peer is None or peer.released or not peer.is_full_for(self):
            events |= _SPACE
        else:
            peer.blocked_senders[self] = None
        return events

    def release(self) -> None:
        self.released = True
        self.name.release()
        self._discard_queue()
        self.peer = None


UnixSocket = UnixStream | UnixDatagram


def make_unix_socket(task: "Task", kind: int, protocol: int, flags: int) -> UnixSocket:
    """socket(2).  Errors: EPROTONOSUPPORT, ESOCKTNOSUPPORT."""
    if protocol not in (0, AF_UNIX):
        raise EPROTONOSUPPORT
    if kind == SOCK_STREAM:
        return UnixStream(task, flags)
    if kind == SOCK_SEQPACKET:
        return UnixSequencedPacket(task, flags)
    if kind in (SOCK_DGRAM, SOCK_RAW):
        return UnixDatagram(task, flags)
    raise ESOCKTNOSUPPORT


def make_unix_pair(
    task: "Task", kind: int, protocol: int, flags: int
) -> tuple[UnixSocket, UnixSocket]:
    """socketpair(2).  Errors: as socket(2)."""
    first = make_unix_socket(task, kind, protocol, flags)
    second = make_unix_socket(task, kind, protocol, flags)
    if isinstance(first, UnixStream):
        assert isinstance(second, UnixStream)
        first.make_pair(task, second)
    else:
        assert isinstance(second, UnixDatagram)
        first.make_pair(task, second)
    return first, second
