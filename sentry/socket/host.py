"""IP sockets of the host, for `--network host`.

Each guest socket stands for a non-blocking host socket that the sentry made, with the same
interface as the others.  Readiness comes from the host while somebody waits, edge-triggered: a
socket that stays writable must not keep the run loop awake.  Only options from a list are
passed on.
"""

import fcntl
import os
import select
from _socket import SOCK_CLOEXEC, SOCK_NONBLOCK, inet_ntop
from _socket import socket as HostDescriptor
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

from runsc_py.sentry.abi.ioctl import FIONREAD, INT
from runsc_py.sentry.abi.sockets import (
    AF_INET,
    AF_INET6,
    IPPROTO_TCP,
    IPPROTO_UDP,
    MSG_DONTWAIT,
    MSG_NOSIGNAL,
    MSG_OOB,
    MSG_PEEK,
    MSG_TRUNC,
    SIOCOUTQ,
    SO_ACCEPTCONN,
    SO_BROADCAST,
    SO_DONTROUTE,
    SO_ERROR,
    SO_KEEPALIVE,
    SO_LINGER,
    SO_OOBINLINE,
    SO_RCVBUF,
    SO_RCVLOWAT,
    SO_REUSEADDR,
    SO_REUSEPORT,
    SO_SNDBUF,
    SOCK_DGRAM,
    SOCK_STREAM,
    SOL_SOCKET,
    TCP_CONGESTION,
    TCP_INFO,
)
from runsc_py.sentry.auth.capabilities import CAP_NET_BIND_SERVICE
from runsc_py.sentry.errors import (
    EACCES,
    EAGAIN,
    EINPROGRESS,
    ENETUNREACH,
    ENOPROTOOPT,
    EPROTONOSUPPORT,
    ESOCKTNOSUPPORT,
    KernelError,
    error_for,
)
from runsc_py.sentry.kernel.waiting import POLLIN, POLLOUT, POLLPRI, POLLRDHUP, WaitQueue
from runsc_py.sentry.socket.addresses import Endpoint, decode, encode, is_unspecified
from runsc_py.sentry.socket.inet import IP_OPTIONS
from runsc_py.sentry.socket.messages import Incoming, Outgoing
from runsc_py.sentry.socket.socket import Socket
from runsc_py.sentry.socket.tcp import TCP_OPTIONS

if TYPE_CHECKING:
    from runsc_py.sentry.kernel.task import Task

T = TypeVar("T")

_WATCHED = POLLIN | POLLOUT | POLLPRI | POLLRDHUP
#: flags of send(2) and recv(2) that are passed on
_SEND_FLAGS = MSG_OOB
_RECEIVE_FLAGS = MSG_PEEK | MSG_OOB
#: how much one receive of a stream asks the host for
_STREAM_PIECE = 1 << 18
#: longer than any datagram, so that its full size is known
_DATAGRAM_ROOM = 1 << 16
_OPTION_ROOM = 256

PASSED_ON = frozenset(
    (SOL_SOCKET, name)
    for name in (
        SO_ACCEPTCONN,
        SO_BROADCAST,
        SO_DONTROUTE,
        SO_ERROR,
        SO_KEEPALIVE,
        SO_LINGER,
        SO_OOBINLINE,
        SO_RCVBUF,
        SO_RCVLOWAT,
        SO_REUSEADDR,
        SO_REUSEPORT,
        SO_SNDBUF,
    )
) | frozenset((*IP_OPTIONS, *TCP_OPTIONS, (IPPROTO_TCP, TCP_CONGESTION), (IPPROTO_TCP, TCP_INFO)))


def _host(operation: Callable[..., T], *arguments: object) -> T:
    """Call the host; its errors become the guest's."""
    try:
        return operation(*arguments)
    except OSError as error:
        raise error_for(error.errno or 0) from None


class HostSocket(Socket):
    """A TCP or UDP socket of the host."""

    __slots__ = ("connecting", "host", "poller")

    unknown_option_error = ENOPROTOOPT

    def __init__(
        self,
        task: "Task",
        family: int,
        kind: int,
        protocol: int,
        flags: int,
        host: HostDescriptor | None = None,
    ) -> None:
        """`host` is a descriptor that was accepted; without it a new one is made."""
        if host is None:
            host = _host(HostDescriptor, family, kind | SOCK_NONBLOCK | SOCK_CLOEXEC, protocol)
        super().__init__(task, family, kind, protocol, flags)
        self.host = host
        self.connecting = False
        self.poller = select.poll()
        self.poller.register(host.fileno(), _WATCHED)
        self.wait_queue = WaitQueue(self._watch, self._unwatch)

    def _watch(self) -> None:
        self.namespace.waiting_for_host.add(self)
        self.kernel.events.watch(self.host.fileno(), _WATCHED | select.EPOLLET, self.wait_queue)

    def _unwatch(self) -> None:
        self.namespace.waiting_for_host.discard(self)
        self.kernel.events.unwatch(self.host.fileno(), self.wait_queue)

    def host_descriptor(self) -> int | None:
        return self.host.fileno()

    # -- holding: NetworkNamespace.hold ------------------------------------------------------

    def _check_held(self, error: type[KernelError] = EAGAIN) -> None:
        """Raise `error` when what the socket is connected or bound to is held."""
        if self.namespace.is_held and not self._is_local():
            raise error

    def _check_target(self, target: tuple[object, ...]) -> None:
        """As with an interface that is down.  Errors: ENETUNREACH."""
        if self.namespace.is_held and not _is_loopback(target):
            raise ENETUNREACH

    def _is_local(self) -> bool:
        """Whether the other end, or else the own name, is this machine's loopback."""
        try:
            return _is_loopback(self.host.getpeername())
        except OSError:
            return _is_loopback(self.host.getsockname())

    # -- names and connections ----------------------------------------------------------------

    def _tuple(self, address: bytes) -> tuple[object, ...]:
        """A sockaddr as Python's socket functions take it; the host is numeric."""
        endpoint = decode(self.family, address, unspecified_is_any=True)
        host = endpoint.host
        if self.family == AF_INET6:
            if len(host) == 4:
                return "::ffff:" + inet_ntop(AF_INET, host), endpoint.port
            scope = int.from_bytes(address[24:28].ljust(4, b"\0"), "little")
            return inet_ntop(AF_INET6, host), endpoint.port, 0, scope
        return inet_ntop(AF_INET, host), endpoint.port

    def _encode(self, address: tuple[Any, ...] | None) -> bytes | None:
        """A sockaddr for what Python's socket functions return."""
        if not address:
            return None
        from _socket import inet_pton

        text = str(address[0]).split("%", 1)[0]
        raw = encode(self.family, Endpoint(inet_pton(self.family, text), address[1]))
        if self.family == AF_INET6:
            raw = raw[:24] + int(address[3]).to_bytes(4, "little")
        return raw

    def bind(self, task: "Task", address: bytes) -> None:
        target = self._tuple(address)
        port = target[1]
        assert isinstance(port, int)
        privileged = 0 < port < task.namespaces.network.first_unprivileged_port
        if privileged and not task.credentials.has_capability(CAP_NET_BIND_SERVICE):
            raise EACCES
        _host(self.host.bind, target)

    def listen(self, task: "Task", backlog: int) -> None:
        _host(self.host.listen, max(backlog, 0) & 0x7FFFFFFF)

    def accept(self, task: "Task") -> Socket:
        self._check_held()
        descriptor, _ = _host(self.host._accept)  # type: ignore[attr-defined]
        os.set_blocking(descriptor, False)
        host = HostDescriptor(self.family, self.kind, self.protocol, descriptor)
        return HostStream(task, self.family, self.kind, self.protocol, 0, host)

    def connect(self, task: "Task", address: bytes) -> None:
        if is_unspecified(address):
            self._dissolve()
            return
        target = self._tuple(address)
        self._check_target(target)
        try:
            _host(self.host.connect, target)
        except EINPROGRESS:
            self.connecting = True
            raise
        self.connecting = False

    def _dissolve(self) -> None:
        """connect(2) with AF_UNSPEC, which Python has no way to say: a fresh socket instead."""
        fresh = _host(
            HostDescriptor, self.family, self.kind | SOCK_NONBLOCK | SOCK_CLOEXEC, self.protocol
        )
        os.dup2(fresh.fileno(), self.host.fileno(), inheritable=False)
        fresh.close()

    def finish_connecting(self) -> None:
        if self.connecting and not self.poll() & POLLOUT:
            raise EAGAIN
        self.connecting = False
        self.raise_pending_error()

    def shutdown(self, how: int) -> None:
        _host(self.host.shutdown, how)

    def local_address(self) -> bytes:
        return self._encode(_host(self.host.getsockname)) or b""

    def peer_address(self) -> bytes:
        return self._encode(_host(self.host.getpeername)) or b""

    @property
    def is_listening(self) -> bool:
        return bool(_host(self.host.getsockopt, SOL_SOCKET, SO_ACCEPTCONN))

    # -- data -----------------------------------------------------------------------------------

    def send(self, task: "Task", message: Outgoing) -> int:
        flags = message.flags & _SEND_FLAGS | MSG_DONTWAIT | MSG_NOSIGNAL
        if message.address is not None and self.kind == SOCK_DGRAM:
            target = self._tuple(message.address)
            self._check_target(target)
            return _host(self.host.sendto, message.data, flags, target)
        self._check_held(EAGAIN if self.kind == SOCK_STREAM else ENETUNREACH)
        return _host(self.host.send, message.data, flags)

    def receive(self, task: "Task", size: int, flags: int) -> Incoming:
        self._check_held()
        host_flags = flags & _RECEIVE_FLAGS | MSG_DONTWAIT
        if self.kind == SOCK_STREAM:
            return Incoming(_host(self.host.recv, min(size, _STREAM_PIECE), host_flags))
        data, address = _host(self.host.recvfrom, _DATAGRAM_ROOM, host_flags)
        return Incoming(
            data[:size],
            full_size=len(data),
            address=self._encode(address),
            flags=MSG_TRUNC if len(data) > size else 0,
        )

    def pending_bytes(self) -> int:
        return self._ask(FIONREAD)

    def unread_by_peer(self) -> int:
        return self._ask(SIOCOUTQ)

    def _ask(self, request: int) -> int:
        answer = bytearray(INT.size)
        _host(fcntl.ioctl, self.host.fileno(), request, answer)
        number: int = INT.unpack(answer)[0]
        return number

    def take_error(self) -> int:
        return _host(self.host.getsockopt, SOL_SOCKET, SO_ERROR)

    def raise_pending_error(self) -> None:
        number = self.take_error()
        if number:
            raise error_for(number)

    # -- options ----------------------------------------------------------------------------------

    def get_option(self, task: "Task", level: int, name: int) -> bytes:
        if (level, name) in PASSED_ON:
            return _host(lambda: self.host.getsockopt(level, name, _OPTION_ROOM))
        return super().get_option(task, level, name)

    def set_option(self, task: "Task", level: int, name: int, value: bytes) -> None:
        if (level, name) in PASSED_ON:
            _host(self.host.setsockopt, level, name, value)
        else:
            super().set_option(task, level, name, value)

    # -- the open file ----------------------------------------------------------------------

    def poll(self) -> int:
        held = self.namespace.is_held and not self._is_local()
        for _, events in self.poller.poll(0):
            if held:  # a datagram may be sent, and is told that nobody can be reached
                events &= POLLOUT if self.kind == SOCK_DGRAM else 0
            readable = events & POLLIN
            writable = events & POLLOUT
            return events | readable << 6 | writable << 6  # POLLRDNORM, POLLWRNORM
        return 0

    def release(self) -> None:
        self.host.close()


def _is_loopback(address: tuple[Any, ...]) -> bool:
    """Whether an address as Python has it stays on this machine."""
    host = str(address[0]).removeprefix("::ffff:")
    return host.startswith("127.") or host == "::1"


class HostStream(HostSocket):
    """A TCP socket of the host."""

    __slots__ = ()

    sends_sigpipe = True
    writes_whole = True


def make_host_socket(task: "Task", family: int, kind: int, protocol: int, flags: int) -> HostSocket:
    """socket(2) for AF_INET and AF_INET6.  Errors: EPROTONOSUPPORT, ESOCKTNOSUPPORT."""
    if kind not in (SOCK_STREAM, SOCK_DGRAM):
        raise ESOCKTNOSUPPORT
    only_protocol = IPPROTO_TCP if kind == SOCK_STREAM else IPPROTO_UDP
    if protocol not in (0, only_protocol):
        raise EPROTONOSUPPORT
    socket_class = HostStream if kind == SOCK_STREAM else HostSocket
    return socket_class(task, family, kind, only_protocol, flags)
