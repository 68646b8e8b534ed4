"""AF_UNIX sockets without connections: SOCK_DGRAM.  Nothing is lost: who sends waits for room."""

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
    SOL_SOCKET,
)
from runsc_py.sentry.errors import (
    EAGAIN,
    ECONNREFUSED,
    ECONNRESET,
    EMSGSIZE,
    ENOTCONN,
    EOPNOTSUPP,
    EPERM,
    EPIPE,
    KernelError,
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
from runsc_py.sentry.socket.queue import ReceiveQueue, Segment
from runsc_py.sentry.socket.socket import Socket
from runsc_py.sentry.socket.unix_names import UnixName, address_of, find_socket, name_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Protocol

    from runsc_py.sentry.kernel.task import Task
    from runsc_py.sentry.kernel.waiting import WaitQueue
else:
    Protocol = object  # the real one is for type checkers, and slow to import

_UNSPECIFIED = AF_UNSPEC.to_bytes(2, "little")
#: /proc/sys/net/unix/max_dgram_qlen
MAXIMUM_DATAGRAMS = 10


class DatagramSender(Protocol):
    """Who may find the queue of a datagram socket full: another one, or its name on the host."""

    @property
    def send_buffer(self) -> int: ...
    @property
    def wait_queue(self) -> "WaitQueue": ...


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
            self.wait_queue.notify(SPACE)
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
        self.wait_queue.notify(DATA)

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
                sender.wait_queue.notify(SPACE)
        return message

    def wake_senders(self) -> None:
        """There is room in the queue."""
        senders, self.blocked_senders = self.blocked_senders, {}
        for sender in senders:
            sender.wait_queue.notify(SPACE)

    def _discard_queue(self) -> None:
        """Nobody will read what has come; whoever sent it has the room back."""
        senders = {segment.sender for segment in self.queue.segments if segment.sender is not None}
        self.queue.clear()
        for sender in senders:
            sender.wait_queue.notify(SPACE)
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
            events |= DATA
        peer = self.peer
        if peer is None or peer.released or not peer.is_full_for(self):
            events |= SPACE
        else:
            peer.blocked_senders[self] = None
        return events

    def release(self) -> None:
        self.released = True
        self.name.release()
        self._discard_queue()
        self.peer = None
