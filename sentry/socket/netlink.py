"""AF_NETLINK, NETLINK_ROUTE: enough for getifaddrs(3), getaddrinfo(3) and `ip addr`.

Requests are answered at once into the socket's own receive queue.  Only requests that read are
known; the ones that would change something fail as they do without CAP_NET_ADMIN.  With
`--network host` the answers are the host's (`socket/host_netlink.py`).
"""

from runsc_py.sentry.abi.netlink import (
    NETLINK_ADD_MEMBERSHIP,
    NETLINK_BROADCAST_ERROR,
    NETLINK_CAP_ACK,
    NETLINK_DROP_MEMBERSHIP,
    NETLINK_EXT_ACK,
    NETLINK_GET_STRICT_CHK,
    NETLINK_NO_ENOBUFS,
    NETLINK_PKTINFO,
    NETLINK_ROUTE,
    NLM_F_ACK,
    NLM_F_DUMP,
    NLM_F_MULTI,
    NLM_F_REQUEST,
    NLMSG_DONE,
    NLMSG_ERROR,
    NLMSGHDR,
    RTM_BASE,
    RTM_GETADDR,
    RTM_GETLINK,
    RTM_GETROUTE,
    RTM_MAX,
    SOL_NETLINK,
)
from runsc_py.sentry.abi.sockets import (
    AF_NETLINK,
    SOCK_DGRAM,
    SOCK_RAW,
    SOCKADDR_NL,
)
from runsc_py.sentry.errors import (
    EADDRINUSE,
    EAGAIN,
    ECONNREFUSED,
    EINVAL,
    EMSGSIZE,
    ENOPROTOOPT,
    EOPNOTSUPP,
    EPERM,
    EPROTONOSUPPORT,
    ESOCKTNOSUPPORT,
    KernelError,
)
from runsc_py.sentry.kernel.waiting import POLLIN, POLLOUT, POLLRDNORM, POLLWRNORM
from runsc_py.sentry.socket.messages import Incoming, Outgoing, SocketCredentials
from runsc_py.sentry.socket.queue import ReceiveQueue, Segment
from runsc_py.sentry.socket.socket import Socket

TYPE_CHECKING = False
if TYPE_CHECKING:
    from runsc_py.sentry.kernel.task import Task

#: answers are packed into datagrams of at most this many bytes: glibc reads a page at a time
_DATAGRAM = 3584
#: type and payload of one answer
Answer = tuple[int, bytes]


class NetlinkSocket(Socket):
    """A socket whose other end is the kernel."""

    __slots__ = ("groups", "identifier", "queue")

    kept_options = {
        (SOL_NETLINK, option): 0
        for option in (
            NETLINK_ADD_MEMBERSHIP,
            NETLINK_BROADCAST_ERROR,
            NETLINK_CAP_ACK,
            NETLINK_DROP_MEMBERSHIP,
            NETLINK_EXT_ACK,
            NETLINK_GET_STRICT_CHK,
            NETLINK_NO_ENOBUFS,
            NETLINK_PKTINFO,
        )
    }
    unknown_option_error = ENOPROTOOPT

    def __init__(self, task: "Task", kind: int, protocol: int, flags: int) -> None:
        super().__init__(task, AF_NETLINK, kind, protocol, flags)
        #: the "port", 0 while unbound
        self.identifier = 0
        #: multicast groups; nothing is ever announced here
        self.groups = 0
        self.queue = ReceiveQueue()

    # -- names --------------------------------------------------------------------------

    def bind(self, task: "Task", address: bytes) -> None:
        family, identifier, groups = _decode(address)
        if family != AF_NETLINK:
            raise EINVAL
        if self.identifier and identifier != self.identifier:
            raise EINVAL
        if not self.identifier:
            self._take_identifier(task, identifier)
        self.groups = groups

    def _take_identifier(self, task: "Task", wanted: int) -> None:
        """The process id when it is free, else a number that no process has."""
        taken = self.namespace.netlink_sockets
        if wanted:
            if wanted in taken:
                raise EADDRINUSE
        else:
            wanted = task.thread_group.identifier_in(task.pid_namespace)
            while wanted in taken or not wanted:
                wanted = 0x80000000 | int.from_bytes(self.kernel.random(4), "little")
        taken[wanted] = self
        self.identifier = wanted

    def connect(self, task: "Task", address: bytes) -> None:
        _, identifier, _ = _decode(address)
        if identifier:
            raise ECONNREFUSED
        if not self.identifier:
            self._take_identifier(task, 0)

    def local_address(self) -> bytes:
        return SOCKADDR_NL.pack(AF_NETLINK, self.identifier, self.groups)

    def peer_address(self) -> bytes:
        return SOCKADDR_NL.pack(AF_NETLINK, 0, 0)

    def shutdown(self, how: int) -> None:
        raise EOPNOTSUPP

    # -- data ---------------------------------------------------------------------------

    def send(self, task: "Task", message: Outgoing) -> int:
        if message.address is not None and _decode(message.address)[1]:
            raise ECONNREFUSED
        if len(message.data) > self.send_buffer - 32:
            raise EMSGSIZE
        if not self.identifier:
            self._take_identifier(task, 0)
        data = bytes(message.data)
        position = 0
        while position + NLMSGHDR.size <= len(data):
            length, kind, flags, sequence, _ = NLMSGHDR.unpack_from(data, position)
            if length < NLMSGHDR.size or position + length > len(data):
                break
            if flags & NLM_F_REQUEST and kind >= RTM_BASE:
                request = data[position : position + length]
                self._answer(kind, flags, sequence, request)
            position += (length + 3) & ~3
        return len(data)

    def _answer(self, kind: int, flags: int, sequence: int, request: bytes) -> None:
        """Serve one request and queue what comes back."""
        is_dump = flags & NLM_F_DUMP == NLM_F_DUMP
        try:
            answers = self._serve(kind, is_dump, request)
        except KernelError as error:
            self.put(self._error(error.number, sequence, request))
            return
        multi = NLM_F_MULTI if is_dump else 0
        packed = [self._pack(type_, multi, sequence, body) for type_, body in answers]
        datagram = b""
        for record in packed:
            if len(datagram) + len(record) > _DATAGRAM and datagram:
                self.put(datagram)
                datagram = b""
            datagram += record
        if datagram:
            self.put(datagram)
        if is_dump:
            self.put(self._pack(NLMSG_DONE, NLM_F_MULTI, sequence, bytes(4)))
        elif flags & NLM_F_ACK:
            self.put(self._error(0, sequence, request))

    def _serve(self, kind: int, is_dump: bool, request: bytes) -> list[Answer]:
        if kind > RTM_MAX:
            raise EOPNOTSUPP
        if (kind - RTM_BASE) % 4 != 2:
            raise EPERM
        if kind not in (RTM_GETLINK, RTM_GETADDR, RTM_GETROUTE):
            raise EOPNOTSUPP
        if self.namespace.uses_host:
            from runsc_py.sentry.socket.host_netlink import ask_host

            return ask_host(request)
        from runsc_py.sentry.socket.route_messages import answers_for

        return answers_for(kind, is_dump, request[NLMSGHDR.size :])

    def _pack(self, kind: int, flags: int, sequence: int, body: bytes) -> bytes:
        length = NLMSGHDR.size + len(body)
        header = NLMSGHDR.pack(length, kind, flags, sequence, self.identifier)
        return header + body + bytes(-length % 4)

    def _error(self, number: int, sequence: int, request: bytes) -> bytes:
        """struct nlmsgerr; number 0 is an acknowledgement."""
        echoed = request if number else request[: NLMSGHDR.size]
        body = (-number).to_bytes(4, "little", signed=True) + echoed
        return self._pack(NLMSG_ERROR, 0, sequence, body)

    def put(self, datagram: bytes) -> None:
        """The kernel sends something: an answer, or the cookie of mq_notify(2)."""
        if self.queue.charged >= self.receive_buffer:
            return  # lost, as every message to a socket that nobody reads
        kernel = SocketCredentials(None, 0, 0)
        address = SOCKADDR_NL.pack(AF_NETLINK, 0, 0)
        self.queue.append(Segment(datagram, address=address, credentials=kernel))
        self.wait_queue.notify(POLLIN | POLLRDNORM)

    def receive(self, task: "Task", size: int, flags: int) -> Incoming:
        if not self.queue:
            raise EAGAIN
        return self.queue.take_message(size, flags)

    def pending_bytes(self) -> int:
        raise EOPNOTSUPP

    # -- the open file ----------------------------------------------------------------------

    def poll(self) -> int:
        events = POLLOUT | POLLWRNORM
        return events | POLLIN | POLLRDNORM if self.queue else events

    def release(self) -> None:
        self.namespace.netlink_sockets.pop(self.identifier, None)
        self.queue.clear()


def _decode(address: bytes) -> tuple[int, int, int]:
    """(family, port, groups).  Errors: EINVAL."""
    if len(address) < SOCKADDR_NL.size:
        raise EINVAL
    family, identifier, groups = SOCKADDR_NL.unpack_from(address)
    return family, identifier, groups


def make_netlink_socket(task: "Task", kind: int, protocol: int, flags: int) -> NetlinkSocket:
    """socket(2).  Errors: ESOCKTNOSUPPORT, EPROTONOSUPPORT (all but NETLINK_ROUTE)."""
    if kind not in (SOCK_RAW, SOCK_DGRAM):
        raise ESOCKTNOSUPPORT
    if protocol != NETLINK_ROUTE:
        raise EPROTONOSUPPORT
    return NetlinkSocket(task, kind, protocol, flags)
