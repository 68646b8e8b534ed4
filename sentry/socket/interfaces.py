"""Network interfaces, and the ioctl(2) requests about them: netdevice(7).

A sandbox has the loopback alone.  With `--network host` the requests that only read are put to
the host; there is none here that changes anything.
"""

from runsc_py.sentry.abi.sockets import (
    AF_INET,
    ARPHRD_LOOPBACK,
    IFCONF,
    IFF_LOOPBACK,
    IFF_LOWER_UP,
    IFF_RUNNING,
    IFF_UP,
    IFREQ,
    SIOCETHTOOL,
    SIOCGIFADDR,
    SIOCGIFBRDADDR,
    SIOCGIFCONF,
    SIOCGIFDSTADDR,
    SIOCGIFFLAGS,
    SIOCGIFHWADDR,
    SIOCGIFINDEX,
    SIOCGIFMETRIC,
    SIOCGIFMTU,
    SIOCGIFNAME,
    SIOCGIFNETMASK,
    SIOCGIFTXQLEN,
    SOCKADDR_IN,
)
from runsc_py.sentry.errors import (
    EADDRNOTAVAIL,
    EINVAL,
    ENODEV,
    ENOTTY,
    EOPNOTSUPP,
    EPERM,
    error_for,
)
from runsc_py.sentry.socket.addresses import LOOPBACK4, LOOPBACK6

TYPE_CHECKING = False
if TYPE_CHECKING:
    from runsc_py.sentry.kernel.task import Task
    from runsc_py.sentry.socket.namespace import NetworkNamespace

LOOPBACK_NAME = b"lo"
LOOPBACK_INDEX = 1
LOOPBACK_MTU = 65536
LOOPBACK_QUEUE_LENGTH = 1000
#: what SIOCGIFFLAGS shows; netlink adds IFF_LOWER_UP
LOOPBACK_FLAGS = IFF_UP | IFF_LOOPBACK | IFF_RUNNING
LOOPBACK_LINK_FLAGS = LOOPBACK_FLAGS | IFF_LOWER_UP
LOOPBACK_TYPE = ARPHRD_LOOPBACK
#: (host, bits of the network)
LOOPBACK_ADDRESSES = ((LOOPBACK4, 8), (LOOPBACK6, 128))

#: requests that take a name and fill the rest of struct ifreq
_BY_NAME = frozenset(
    (
        SIOCGIFADDR,
        SIOCGIFBRDADDR,
        SIOCGIFDSTADDR,
        SIOCGIFFLAGS,
        SIOCGIFHWADDR,
        SIOCGIFINDEX,
        SIOCGIFMETRIC,
        SIOCGIFMTU,
        SIOCGIFNETMASK,
        SIOCGIFTXQLEN,
    )
)
#: SIOCSIF*: what would change an interface
_CHANGES = frozenset((0x8914, 0x8916, 0x8918, 0x891A, 0x891C, 0x891E, 0x8922, 0x8923, 0x8924))


def interface_ioctl(
    namespace: "NetworkNamespace", task: "Task", request: int, argument: int
) -> int:
    """ioctl(2) on any socket.  Errors: ENODEV, EINVAL, EPERM, ENOTTY, EFAULT."""
    if request in _CHANGES:
        task.memory.copy_in(argument, IFREQ.size)
        raise EPERM
    if request == SIOCGIFCONF:
        return _list_interfaces(namespace, task, argument)
    record = task.memory.copy_in(argument, IFREQ.size)
    if request != SIOCGIFNAME and request not in _BY_NAME and request != SIOCETHTOOL:
        raise ENOTTY
    if request == SIOCETHTOOL:
        raise EOPNOTSUPP  # there is no hardware to ask about
    if namespace.uses_host:
        answer = ask_host(request, record)
    elif request == SIOCGIFNAME:
        answer = _loopback_name(record)
    else:
        name, _ = IFREQ.unpack(record)
        if name.split(b"\0", 1)[0] != LOOPBACK_NAME:
            raise ENODEV
        answer = IFREQ.pack(name, _loopback_value(request))
    task.memory.copy_out(argument, answer)
    return 0


def _loopback_name(record: bytes) -> bytes:
    _, value = IFREQ.unpack(record)
    if int.from_bytes(value[:4], "little") != LOOPBACK_INDEX:
        raise ENODEV
    return IFREQ.pack(LOOPBACK_NAME, value)


def _loopback_value(request: int) -> bytes:
    """The union of struct ifreq."""
    numbers = {
        SIOCGIFFLAGS: LOOPBACK_FLAGS,
        SIOCGIFINDEX: LOOPBACK_INDEX,
        SIOCGIFMETRIC: 0,
        SIOCGIFMTU: LOOPBACK_MTU,
        SIOCGIFTXQLEN: LOOPBACK_QUEUE_LENGTH,
    }
    if request in numbers:
        return numbers[request].to_bytes(4, "little")
    if request == SIOCGIFHWADDR:
        return ARPHRD_LOOPBACK.to_bytes(2, "little")
    hosts = {SIOCGIFNETMASK: b"\xff\0\0\0", SIOCGIFBRDADDR: bytes(4)}
    return SOCKADDR_IN.pack(AF_INET, b"\0\0", hosts.get(request, LOOPBACK4))


def _list_interfaces(namespace: "NetworkNamespace", task: "Task", argument: int) -> int:
    """SIOCGIFCONF: the interfaces with an IPv4 address, as many as fit."""
    room, buffer = IFCONF.unpack(task.memory.copy_in(argument, IFCONF.size))
    if namespace.uses_host:
        records = _host_interfaces()
    else:
        records = [IFREQ.pack(LOOPBACK_NAME, _loopback_value(SIOCGIFADDR))]
    data = b"".join(records)
    if buffer:
        if room < 0:
            raise EINVAL
        # What does not fit whole is left out.
        data = data[: room // IFREQ.size * IFREQ.size]
        task.memory.copy_out(buffer, data)
    task.memory.copy_out(argument, IFCONF.pack(len(data), buffer))
    return 0


def ask_host(request: int, record: bytes) -> bytes:
    """A request that only reads, put to the host."""
    import fcntl
    from _socket import SOCK_CLOEXEC, SOCK_DGRAM, socket

    host = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC)
    try:
        return fcntl.ioctl(host.fileno(), request, record)
    except OSError as error:
        raise error_for(error.errno or 0) from None
    finally:
        host.close()


def _host_interfaces() -> list[bytes]:
    from _socket import if_nameindex

    records = []
    for _, name in if_nameindex():
        try:
            records.append(ask_host(SIOCGIFADDR, IFREQ.pack(name.encode(), b"")))
        except EADDRNOTAVAIL:
            continue
    return records
