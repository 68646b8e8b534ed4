"""Who is bound to which port of one protocol in one network namespace."""

from runsc_py.sentry.abi.sockets import SO_REUSEADDR, SO_REUSEPORT, SOCK_STREAM, SOL_SOCKET
from runsc_py.sentry.errors import EADDRINUSE
from runsc_py.sentry.socket.addresses import is_any

TYPE_CHECKING = False
if TYPE_CHECKING:
    from runsc_py.sentry.kernel.kernel import Kernel
    from runsc_py.sentry.socket.inet import InetSocket

#: /proc/sys/net/ipv4/ip_local_port_range
FIRST_EPHEMERAL = 32768
LAST_EPHEMERAL = 60999


class PortTable:
    """Bound sockets by port."""

    __slots__ = ("_bound", "_next")

    def __init__(self, kernel: "Kernel") -> None:
        self._bound: dict[int, list[InetSocket]] = {}
        count = LAST_EPHEMERAL - FIRST_EPHEMERAL + 1
        self._next = int.from_bytes(kernel.random(4), "little") % count

    def on(self, port: int) -> "list[InetSocket]":
        """The sockets bound to a port, in the order of binding."""
        return self._bound.get(port, [])

    def add(self, socket: "InetSocket", host: bytes, port: int) -> int:
        """Bind to `port`, or to a free one when that is 0; returns it.  Errors: EADDRINUSE."""
        if port == 0:
            port = self._free_port(socket, host)
        elif self.conflict(socket, host, port) is not None:
            raise EADDRINUSE
        self._bound.setdefault(port, []).append(socket)
        return port

    def add_accepted(self, socket: "InetSocket", port: int) -> None:
        """A connection's server end has its listener's port."""
        self._bound.setdefault(port, []).append(socket)

    def remove(self, socket: "InetSocket", port: int) -> None:
        """The socket is gone."""
        sockets = self._bound.get(port)
        if sockets is not None and socket in sockets:
            sockets.remove(socket)
            if not sockets:
                del self._bound[port]

    def conflict(self, socket: "InetSocket", host: bytes, port: int) -> "InetSocket | None":
        """A socket that keeps this one from `port`."""
        for other in self._bound.get(port, ()):
            if other is not socket and _overlap(socket, host, other):
                if _both(socket, other, SO_REUSEPORT):
                    continue
                if _both(socket, other, SO_REUSEADDR) and not (
                    other.kind == SOCK_STREAM and other.is_listening
                ):
                    continue
                return other
        return None

    def _free_port(self, socket: "InetSocket", host: bytes) -> int:
        count = LAST_EPHEMERAL - FIRST_EPHEMERAL + 1
        for _ in range(count):
            port = FIRST_EPHEMERAL + self._next
            self._next = (self._next + 1) % count
            if port not in self._bound:
                return port
        # Every port is taken by somebody: one that only others' addresses have will do.
        for port in range(FIRST_EPHEMERAL, LAST_EPHEMERAL + 1):
            if self.conflict(socket, host, port) is None:
                return port
        raise EADDRINUSE


def _both(first: "InetSocket", second: "InetSocket", option: int) -> bool:
    key = (SOL_SOCKET, option)
    return bool(first.options.get(key)) and bool(second.options.get(key))


def _overlap(socket: "InetSocket", host: bytes, other: "InetSocket") -> bool:
    """Whether a packet could be for both."""
    their_host = other.local.host
    if len(host) == len(their_host):
        return host == their_host or is_any(host) or is_any(their_host)
    # One is IPv6: only its wildcard hears IPv4, and not with IPV6_V6ONLY.
    six, six_host = (socket, host) if len(host) == 16 else (other, their_host)
    return is_any(six_host) and not six.is_ipv6_only
