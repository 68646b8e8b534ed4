"""UDP over the loopback: udp(7)."""

from runsc_py.sentry.abi.sockets import (
    IPPROTO_UDP,
    MSG_DONTWAIT,
    MSG_OOB,
    SHUT_RD,
    SHUT_WR,
    SO_BROADCAST,
    SOCK_DGRAM,
    SOL_SOCKET,
)
from runsc_py.sentry.errors import (
    EACCES,
    EAGAIN,
    ECONNREFUSED,
    EDESTADDRREQ,
    EINVAL,
    EMSGSIZE,
    ENOTCONN,
    EOPNOTSUPP,
    EPIPE,
)
from runsc_py.sentry.kernel.waiting import (
    DATA,
    POLLERR,
    POLLHUP,
    POLLRDHUP,
    SPACE,
)
from runsc_py.sentry.socket.addresses import (
    Endpoint,
    decode,
    encode,
    is_any,
    is_broadcast,
    is_unspecified,
)
from runsc_py.sentry.socket.inet import IP_OPTIONS, InetSocket
from runsc_py.sentry.socket.messages import Incoming, Outgoing
from runsc_py.sentry.socket.queue import ReceiveQueue, Segment

TYPE_CHECKING = False
if TYPE_CHECKING:
    from runsc_py.sentry.kernel.task import Task

#: 65535 less the IP and UDP headers
_MAXIMUM_DATAGRAM = 65507


class UdpSocket(InetSocket):
    """A UDP socket.  Sending never blocks: what finds the receiver's buffer full is lost."""

    __slots__ = ("bound_host", "local", "queue", "receive_closed", "remote", "send_closed")

    kept_options = IP_OPTIONS

    def __init__(self, task: "Task", family: int, flags: int = 0) -> None:
        super().__init__(task, family, SOCK_DGRAM, IPPROTO_UDP, flags)
        self.local = Endpoint(self.wildcard, 0)
        #: the host that bind(2) set, to return to when a connection is dissolved
        self.bound_host = self.local.host
        self.remote: Endpoint | None = None
        self.queue = ReceiveQueue()
        self.receive_closed = False
        self.send_closed = False

    def set_local(self, endpoint: Endpoint) -> None:
        self.local = endpoint

    def bind(self, task: "Task", address: bytes) -> None:
        super().bind(task, address)
        self.bound_host = self.local.host

    def connect(self, task: "Task", address: bytes) -> None:
        if is_unspecified(address):
            self.remote = None
            self.local = Endpoint(self.bound_host, self.local.port)
            return
        target = self.route(address)
        self.autobind()
        self.local = self.source_for(target)
        self.remote = target

    def shutdown(self, how: int) -> None:
        if self.remote is None:
            raise ENOTCONN
        if how != SHUT_WR:
            self.receive_closed = True
        if how != SHUT_RD:
            self.send_closed = True
        self.wait_queue.notify()

    # -- data ---------------------------------------------------------------------------

    def send(self, task: "Task", message: Outgoing) -> int:
        if message.flags & MSG_OOB:
            raise EOPNOTSUPP
        if len(message.data) > _MAXIMUM_DATAGRAM:
            raise EMSGSIZE
        target = self._target(message.address)
        self.raise_pending_error()
        if self.send_closed:
            raise EPIPE
        self.autobind()
        source = self.source_for(target)
        receiver = self._find_receiver(source, target)
        if receiver is not None:
            receiver.deliver(bytes(message.data), source)
        elif self.remote is not None:
            # What ICMP's "port unreachable" does.
            self.set_error(ECONNREFUSED)
            self.wait_queue.notify()
        return len(message.data)

    def _target(self, address: bytes | None) -> Endpoint:
        if address is None:
            if self.remote is None:
                raise EDESTADDRREQ
            return self.remote
        if is_broadcast(decode(self.family, address).host) and not self.options.get(
            (SOL_SOCKET, SO_BROADCAST)
        ):
            raise EACCES
        target = self.route(address)
        if not target.port:
            raise EINVAL
        return target

    def _find_receiver(self, source: Endpoint, target: Endpoint) -> "UdpSocket | None":
        """Who hears it best: connected to the sender, then a specific address, then any."""
        best: UdpSocket | None = None
        best_score = -1
        for candidate in self.ports.on(target.port):
            if not isinstance(candidate, UdpSocket) or not candidate.hears(target):
                continue
            score = 0
            if candidate.remote is not None:
                if candidate.remote != source:
                    continue
                score += 2
            if not is_any(candidate.local.host):
                score += 1
            # Of equals the last one bound gets it, as with SO_REUSEADDR in Linux.
            if score >= best_score:
                best, best_score = candidate, score
        return best

    def deliver(self, data: bytes, source: Endpoint) -> None:
        """A datagram arrived; without room for it, it is dropped."""
        if self.receive_closed or self.queue.charged >= self.receive_buffer:
            return
        self.queue.append(Segment(data, address=encode(self.family, source)))
        self.wait_queue.notify(DATA)

    def receive(self, task: "Task", size: int, flags: int) -> Incoming:
        if flags & MSG_OOB:
            raise EOPNOTSUPP
        self.raise_pending_error()
        if self.queue:
            return self.queue.take_message(size, flags)
        if self.receive_closed and not flags & MSG_DONTWAIT:
            return Incoming(b"")
        raise EAGAIN

    def pending_bytes(self) -> int:
        return len(self.queue.segments[0].data) if self.queue else 0

    # -- the open file ----------------------------------------------------------------------

    def poll(self) -> int:
        events = SPACE
        if self.pending_error:
            events |= POLLERR
        if self.receive_closed:
            events |= DATA | POLLRDHUP
            if self.send_closed:
                events |= POLLHUP
        if self.queue:
            events |= DATA
        return events

    def release(self) -> None:
        self.release_port()
        self.queue.clear()
