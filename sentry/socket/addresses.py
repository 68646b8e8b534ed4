"""IP addresses and endpoints: ip(7), ipv6(7).

A host is 4 bytes (IPv4) or 16 (IPv6); an IPv4-mapped IPv6 address is always kept as 4 bytes, and
shown mapped to AF_INET6 sockets.
"""

from runsc_py.sentry.abi.sockets import AF_INET, AF_INET6, AF_UNSPEC, SOCKADDR_IN, SOCKADDR_IN6
from runsc_py.sentry.errors import EAFNOSUPPORT, EINVAL

ANY4 = bytes(4)
ANY6 = bytes(16)
LOOPBACK4 = b"\x7f\0\0\1"
LOOPBACK6 = bytes(15) + b"\1"
_BROADCAST4 = b"\xff" * 4
_MAPPED = bytes(10) + b"\xff\xff"
#: sizeof(struct sockaddr_in6) without the scope: what Linux insists on
_MINIMUM_SIZE_6 = 24


class Endpoint:
    """A host and a port."""

    __slots__ = ("host", "port")

    def __init__(self, host: bytes, port: int) -> None:
        self.host = host
        self.port = port

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Endpoint) and self.host == other.host and self.port == other.port

    def __hash__(self) -> int:
        return hash((self.host, self.port))


def is_any(host: bytes) -> bool:
    """0.0.0.0 or ::"""
    return not any(host)


def is_loopback(host: bytes) -> bool:
    """127.0.0.0/8 or ::1"""
    return host[0] == 127 if len(host) == 4 else host == LOOPBACK6


def is_multicast(host: bytes) -> bool:
    """224.0.0.0/4 or ff00::/8"""
    return 224 <= host[0] < 240 if len(host) == 4 else host[0] == 0xFF


def is_broadcast(host: bytes) -> bool:
    """255.255.255.255"""
    return host == _BROADCAST4


def decode(family: int, address: bytes, *, unspecified_is_any: bool = False) -> Endpoint:
    """The endpoint in a sockaddr given to a socket of `family`.

    `unspecified_is_any`: bind(2) of AF_INET takes AF_UNSPEC for AF_INET when the host is 0.
    Errors: EINVAL (too short), EAFNOSUPPORT.
    """
    if len(address) < 2:
        raise EINVAL
    given = int.from_bytes(address[:2], "little")
    if family == AF_INET6:
        if given != AF_INET6:
            raise EAFNOSUPPORT if given != AF_INET or len(address) >= _MINIMUM_SIZE_6 else EINVAL
        if len(address) < _MINIMUM_SIZE_6:
            raise EINVAL
        _, port, _, host, _ = SOCKADDR_IN6.unpack_from(address.ljust(SOCKADDR_IN6.size, b"\0"))
        if host[:12] == _MAPPED:
            host = host[12:]
        return Endpoint(host, int.from_bytes(port, "big"))
    if len(address) < SOCKADDR_IN.size:
        raise EINVAL
    _, port, host = SOCKADDR_IN.unpack_from(address)
    if given != AF_INET and not (unspecified_is_any and given == AF_UNSPEC and is_any(host)):
        raise EAFNOSUPPORT
    return Endpoint(host, int.from_bytes(port, "big"))


def encode(family: int, endpoint: Endpoint) -> bytes:
    """The sockaddr that a socket of `family` shows."""
    port = endpoint.port.to_bytes(2, "big")
    host = endpoint.host
    if family == AF_INET6:
        if len(host) == 4:
            host = _MAPPED + host if any(host) else ANY6
        return SOCKADDR_IN6.pack(AF_INET6, port, 0, host, 0)
    return SOCKADDR_IN.pack(AF_INET, port, host)


def is_unspecified(address: bytes) -> bool:
    """Whether connect(2) is asked to dissolve the association."""
    return len(address) >= 2 and address[:2] == AF_UNSPEC.to_bytes(2, "little")
