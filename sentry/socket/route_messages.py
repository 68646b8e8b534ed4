"""What rtnetlink(7) tells of a network that has only the loopback."""

from runsc_py.sentry.abi.netlink import (
    IF_OPER_UNKNOWN,
    IFA_ADDRESS,
    IFA_CACHEINFO,
    IFA_CACHEINFO_DATA,
    IFA_F_PERMANENT,
    IFA_FLAGS,
    IFA_LABEL,
    IFA_LOCAL,
    IFADDRMSG,
    IFINFOMSG,
    IFLA_ADDRESS,
    IFLA_BROADCAST,
    IFLA_GROUP,
    IFLA_IFNAME,
    IFLA_LINKMODE,
    IFLA_MTU,
    IFLA_OPERSTATE,
    IFLA_QDISC,
    IFLA_STATS,
    IFLA_STATS64,
    IFLA_TXQLEN,
    LINK_STATS_COUNTERS,
    RT_SCOPE_HOST,
    RT_TABLE_LOCAL,
    RTA_DST,
    RTA_OIF,
    RTA_PREFSRC,
    RTA_TABLE,
    RTATTR,
    RTM_GETADDR,
    RTM_GETLINK,
    RTM_NEWADDR,
    RTM_NEWLINK,
    RTM_NEWROUTE,
    RTMSG,
    RTN_LOCAL,
    RTPROT_KERNEL,
)
from runsc_py.sentry.abi.sockets import AF_INET, AF_INET6, AF_UNSPEC
from runsc_py.sentry.errors import EINVAL, ENETUNREACH, ENODEV
from runsc_py.sentry.socket.addresses import is_loopback
from runsc_py.sentry.socket.interfaces import (
    LOOPBACK_ADDRESSES,
    LOOPBACK_INDEX,
    LOOPBACK_LINK_FLAGS,
    LOOPBACK_MTU,
    LOOPBACK_NAME,
    LOOPBACK_QUEUE_LENGTH,
    LOOPBACK_TYPE,
)

_HARDWARE_ADDRESS = bytes(6)
_FOR_EVER = 0xFFFFFFFF


def answers_for(kind: int, is_dump: bool, body: bytes) -> list[tuple[int, bytes]]:
    """(type, payload) of each answer to RTM_GETLINK, RTM_GETADDR or RTM_GETROUTE.

    Errors: EINVAL, ENODEV, ENETUNREACH.
    """
    if kind == RTM_GETLINK:
        if not is_dump:
            _check_link(body)
        return [(RTM_NEWLINK, _link())]
    family = body[0] if body else AF_UNSPEC
    if kind == RTM_GETADDR:
        return [
            (RTM_NEWADDR, _address(host, bits))
            for host, bits in LOOPBACK_ADDRESSES
            if family in (AF_UNSPEC, _family_of(host))
        ]
    if not is_dump:
        return [(RTM_NEWROUTE, _route_to(body))]
    return [
        (RTM_NEWROUTE, _route(_network(host, bits), bits, host))
        for host, bits in LOOPBACK_ADDRESSES
        if family in (AF_UNSPEC, _family_of(host))
    ]


def _attribute(kind: int, value: bytes) -> bytes:
    length = RTATTR.size + len(value)
    return RTATTR.pack(length, kind) + value + bytes(-length % 4)


def _number(kind: int, value: int) -> bytes:
    return _attribute(kind, value.to_bytes(4, "little"))


def _attributes(data: bytes) -> dict[int, bytes]:
    """The attributes of a request.  Errors: EINVAL."""
    result: dict[int, bytes] = {}
    position = 0
    while position + RTATTR.size <= len(data):
        length, kind = RTATTR.unpack_from(data, position)
        if length < RTATTR.size or position + length > len(data):
            raise EINVAL
        result[kind] = data[position + RTATTR.size : position + length]
        position += (length + 3) & ~3
    return result


def _family_of(host: bytes) -> int:
    return AF_INET if len(host) == 4 else AF_INET6


def _network(host: bytes, bits: int) -> bytes:
    size = len(host)
    mask = ((1 << bits) - 1) << (size * 8 - bits)
    return (int.from_bytes(host, "big") & mask).to_bytes(size, "big")


def _check_link(body: bytes) -> None:
    """A request for one interface has to mean the loopback."""
    if len(body) < IFINFOMSG.size:
        raise EINVAL
    index = IFINFOMSG.unpack_from(body)[2]
    name = _attributes(body[IFINFOMSG.size :]).get(IFLA_IFNAME, b"").rstrip(b"\0")
    if index not in (0, LOOPBACK_INDEX) or (not index and name != LOOPBACK_NAME):
        raise ENODEV


def _link() -> bytes:
    head = IFINFOMSG.pack(AF_UNSPEC, LOOPBACK_TYPE, LOOPBACK_INDEX, LOOPBACK_LINK_FLAGS, 0)
    return head + b"".join(
        (
            _attribute(IFLA_IFNAME, LOOPBACK_NAME + b"\0"),
            _number(IFLA_TXQLEN, LOOPBACK_QUEUE_LENGTH),
            _attribute(IFLA_OPERSTATE, bytes((IF_OPER_UNKNOWN,))),
            _attribute(IFLA_LINKMODE, b"\0"),
            _number(IFLA_MTU, LOOPBACK_MTU),
            _number(IFLA_GROUP, 0),
            _attribute(IFLA_QDISC, b"noqueue\0"),
            _attribute(IFLA_ADDRESS, _HARDWARE_ADDRESS),
            _attribute(IFLA_BROADCAST, _HARDWARE_ADDRESS),
            _attribute(IFLA_STATS64, bytes(LINK_STATS_COUNTERS * 8)),
            _attribute(IFLA_STATS, bytes(LINK_STATS_COUNTERS * 4)),
        )
    )


def _address(host: bytes, bits: int) -> bytes:
    head = IFADDRMSG.pack(_family_of(host), bits, IFA_F_PERMANENT, RT_SCOPE_HOST, LOOPBACK_INDEX)
    attributes = [_attribute(IFA_ADDRESS, host)]
    if len(host) == 4:
        attributes.append(_attribute(IFA_LOCAL, host))
        attributes.append(_attribute(IFA_LABEL, LOOPBACK_NAME + b"\0"))
    attributes.append(_number(IFA_FLAGS, IFA_F_PERMANENT))
    times = IFA_CACHEINFO_DATA.pack(_FOR_EVER, _FOR_EVER, 0, 0)
    attributes.append(_attribute(IFA_CACHEINFO, times))
    return head + b"".join(attributes)


def _route(network: bytes, bits: int, source: bytes) -> bytes:
    head = RTMSG.pack(
        _family_of(network),
        bits,
        0,
        0,
        RT_TABLE_LOCAL,
        RTPROT_KERNEL,
        RT_SCOPE_HOST,
        RTN_LOCAL,
        0,
    )
    return head + b"".join(
        (
            _number(RTA_TABLE, RT_TABLE_LOCAL),
            _attribute(RTA_DST, network),
            _attribute(RTA_PREFSRC, source),
            _number(RTA_OIF, LOOPBACK_INDEX),
        )
    )


def _route_to(body: bytes) -> bytes:
    """`ip route get`."""
    if len(body) < RTMSG.size:
        raise EINVAL
    target = _attributes(body[RTMSG.size :]).get(RTA_DST, b"")
    if len(target) not in (4, 16):
        raise EINVAL
    if not is_loopback(target):
        raise ENETUNREACH
    source = next(host for host, _ in LOOPBACK_ADDRESSES if len(host) == len(target))
    return _route(target, len(target) * 8, source)
