"""What TCP and UDP sockets share: addresses, ports, options of IP, IPv6 and SOL_SOCKET.

There is one interface, the loopback: 127.0.0.0/8 and ::1 are this host, everything else is
unreachable.
"""

from runsc_py.sentry.abi.ioctl import INT
from runsc_py.sentry.abi.sockets import (
    AF_INET,
    AF_INET6,
    IP_ADD_MEMBERSHIP,
    IP_BIND_ADDRESS_NO_PORT,
    IP_DROP_MEMBERSHIP,
    IP_FREEBIND,
    IP_MTU,
    IP_MTU_DISCOVER,
    IP_MULTICAST_LOOP,
    IP_MULTICAST_TTL,
    IP_RECVERR,
    IP_TOS,
    IP_TTL,
    IPPROTO_ICMP,
    IPPROTO_ICMPV6,
    IPPROTO_IP,
    IPPROTO_IPV6,
    IPPROTO_TCP,
    IPPROTO_UDP,
    IPV6_MTU,
    IPV6_MTU_DISCOVER,
    IPV6_MULTICAST_HOPS,
    IPV6_MULTICAST_LOOP,
    IPV6_RECVERR,
    IPV6_TCLASS,
    IPV6_UNICAST_HOPS,
    IPV6_V6ONLY,
    SOCK_DGRAM,
    SOCK_RAW,
    SOCK_STREAM,
    SOL_SOCKET,
)
from runsc_py.sentry.auth.capabilities import CAP_NET_BIND_SERVICE, CAP_NET_RAW
from runsc_py.sentry.errors import (
    EACCES,
    EADDRNOTAVAIL,
    EAFNOSUPPORT,
    EINVAL,
    ENETUNREACH,
    ENODEV,
    ENOPROTOOPT,
    ENOTCONN,
    EOPNOTSUPP,
    EPERM,
    EPROTONOSUPPORT,
    ESOCKTNOSUPPORT,
)
from runsc_py.sentry.socket.addresses import (
    ANY4,
    ANY6,
    LOOPBACK4,
    LOOPBACK6,
    Endpoint,
    decode,
    encode,
    is_any,
    is_loopback,
)
from runsc_py.sentry.socket.options import integer_of
from runsc_py.sentry.socket.ports import PortTable
from runsc_py.sentry.socket.socket import Socket

TYPE_CHECKING = False
if TYPE_CHECKING:
    from runsc_py.sentry.kernel.task import Task

#: of the loopback interface
LOOPBACK_MTU = 65536

IP_OPTIONS = {
    (IPPROTO_IP, IP_TOS): 0,
    (IPPROTO_IP, IP_TTL): 64,
    (IPPROTO_IP, IP_MTU_DISCOVER): 1,
    (IPPROTO_IP, IP_RECVERR): 0,
    (IPPROTO_IP, IP_FREEBIND): 0,
    (IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT): 0,
    (IPPROTO_IP, IP_MULTICAST_TTL): 1,
    (IPPROTO_IP, IP_MULTICAST_LOOP): 1,
    (IPPROTO_IPV6, IPV6_V6ONLY): 0,
    (IPPROTO_IPV6, IPV6_UNICAST_HOPS): 64,
    (IPPROTO_IPV6, IPV6_TCLASS): 0,
    (IPPROTO_IPV6, IPV6_MTU_DISCOVER): 1,
    (IPPROTO_IPV6, IPV6_RECVERR): 0,
    (IPPROTO_IPV6, IPV6_MULTICAST_HOPS): 1,
    (IPPROTO_IPV6, IPV6_MULTICAST_LOOP): 1,
}


class InetSocket(Socket):
    """An AF_INET or AF_INET6 socket.

    TCP has a second base with slots, so what the two classes share is stored by each of them.
    """

    __slots__ = ()

    unknown_option_error = ENOPROTOOPT

    local: Endpoint
    #: None while unconnected
    remote: Endpoint | None

    @property
    def wildcard(self) -> bytes:
        """What an unbound socket of the family has as its host."""
        return ANY6 if self.family == AF_INET6 else ANY4

    @property
    def is_ipv6_only(self) -> bool:
        return self.family == AF_INET6 and bool(self.option(IPPROTO_IPV6, IPV6_V6ONLY))

    @property
    def ports(self) -> PortTable:
        return self.namespace.ports(self.protocol)

    def bind(self, task: "Task", address: bytes) -> None:
        wanted = decode(self.family, address, unspecified_is_any=True)
        host = wanted.host
        if self.is_ipv6_only and len(host) == 4:
            raise EINVAL
        if not is_any(host) and not is_loopback(host):
            raise EADDRNOTAVAIL
        privileged = 0 < wanted.port < task.namespaces.network.first_unprivileged_port
        if privileged and not task.credentials.has_capability(CAP_NET_BIND_SERVICE):
            raise EACCES
        if self.local.port or self.remote is not None:
            raise EINVAL
        port = self.ports.add(self, host, wanted.port)
        self.set_local(Endpoint(host, port))

    def set_local(self, endpoint: Endpoint) -> None:
        """The socket has got an address."""
        raise NotImplementedError

    def autobind(self) -> None:
        """Take an ephemeral port unless there is a port."""
        if not self.local.port:
            port = self.ports.add(self, self.local.host, 0)
            self.set_local(Endpoint(self.local.host, port))

    def release_port(self) -> None:
        """Leave the table of ports."""
        if self.local.port:
            self.ports.remove(self, self.local.port)

    def route(self, address: bytes) -> Endpoint:
        """Where packets for a sockaddr go.

        Errors: EINVAL, EAFNOSUPPORT; ENETUNREACH (not this host).
        """
        target = decode(self.family, address)
        host = target.host
        if is_any(host):
            # "This host", as everywhere in Unix.
            host = LOOPBACK6 if len(host) == 16 else LOOPBACK4
        if not is_loopback(host) or (len(host) == 4 and self.is_ipv6_only):
            raise ENETUNREACH
        if len(host) == 16 and len(self.local.host) == 4:
            raise ENETUNREACH
        if len(host) == 4 and len(self.local.host) == 16 and not is_any(self.local.host):
            raise ENETUNREACH
        return Endpoint(host, target.port)

    def source_for(self, target: Endpoint) -> Endpoint:
        """The address that packets to `target` come from."""
        if not is_any(self.local.host):
            return self.local
        return Endpoint(LOOPBACK6 if len(target.host) == 16 else LOOPBACK4, self.local.port)

    def hears(self, target: Endpoint) -> bool:
        """Whether packets to `target` can be for this socket (which has that port)."""
        host = self.local.host
        if len(host) == len(target.host):
            return host == target.host or is_any(host)
        return len(host) == 16 and is_any(host) and not self.is_ipv6_only

    def local_address(self) -> bytes:
        return encode(self.family, self.local)

    def peer_address(self) -> bytes:
        if self.remote is None:
            raise ENOTCONN
        return encode(self.family, self.remote)

    # -- options ------------------------------------------------------------------------

    def get_option(self, task: "Task", level: int, name: int) -> bytes:
        if (level, name) in ((IPPROTO_IP, IP_MTU), (IPPROTO_IPV6, IPV6_MTU)):
            if self.remote is None:
                raise ENOTCONN
            return INT.pack(LOOPBACK_MTU)
        if self.family == AF_INET and level not in (SOL_SOCKET, IPPROTO_IP, self.protocol):
            raise EOPNOTSUPP
        return super().get_option(task, level, name)

    def set_option(self, task: "Task", level: int, name: int, value: bytes) -> None:
        if level == IPPROTO_IP and name in (IP_ADD_MEMBERSHIP, IP_DROP_MEMBERSHIP):
            raise ENODEV
        if level == IPPROTO_IPV6 and self.family != AF_INET6:
            raise ENOPROTOOPT
        if (level, name) == (IPPROTO_IPV6, IPV6_V6ONLY) and self.local.port:
            raise EINVAL
        if level == IPPROTO_IP and len(value) == 1 and (level, name) in self.kept_options:
            value = value.ljust(4, b"\0")  # ip(7): these may be a single byte
        if (level, name) == (IPPROTO_IP, IP_TTL) and not -1 <= integer_of(value) <= 255:
            raise EINVAL
        super().set_option(task, level, name, value)


def make_inet_socket(task: "Task", family: int, kind: int, protocol: int, flags: int) -> InetSocket:
    """socket(2).  Errors: EPROTONOSUPPORT, ESOCKTNOSUPPORT, EPERM, EACCES."""
    if kind == SOCK_STREAM:
        if protocol not in (0, IPPROTO_TCP):
            raise EPROTONOSUPPORT
        from runsc_py.sentry.socket.tcp import TcpSocket

        return TcpSocket(task, family, flags)
    if kind == SOCK_DGRAM:
        if protocol in (IPPROTO_ICMP, IPPROTO_ICMPV6):
            # There are none; Linux asks first who may have one (ping_group_range).
            may = task.namespaces.network.may_ping(task.credentials)
            raise EPROTONOSUPPORT if may else EACCES
        if protocol not in (0, IPPROTO_UDP):
            raise EPROTONOSUPPORT
        from runsc_py.sentry.socket.udp import UdpSocket

        return UdpSocket(task, family, flags)
    if kind == SOCK_RAW:
        if not protocol:
            raise EPROTONOSUPPORT
        if not task.credentials.has_capability(CAP_NET_RAW):
            raise EPERM
        raise EAFNOSUPPORT
    raise ESOCKTNOSUPPORT
