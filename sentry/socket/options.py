"""Options of level SOL_SOCKET: socket(7)."""

from runsc_py.sentry.abi.ioctl import INT
from runsc_py.sentry.abi.sockets import (
    LINGER,
    SO_ACCEPTCONN,
    SO_BINDTODEVICE,
    SO_BROADCAST,
    SO_DEBUG,
    SO_DOMAIN,
    SO_DONTROUTE,
    SO_ERROR,
    SO_KEEPALIVE,
    SO_LINGER,
    SO_NO_CHECK,
    SO_OOBINLINE,
    SO_PASSCRED,
    SO_PASSSEC,
    SO_PEERCRED,
    SO_PEERGROUPS,
    SO_PRIORITY,
    SO_PROTOCOL,
    SO_RCVBUF,
    SO_RCVBUFFORCE,
    SO_RCVLOWAT,
    SO_RCVTIMEO,
    SO_REUSEADDR,
    SO_REUSEPORT,
    SO_SNDBUF,
    SO_SNDBUFFORCE,
    SO_SNDLOWAT,
    SO_SNDTIMEO,
    SO_TYPE,
    SOL_SOCKET,
    UCRED,
)
from runsc_py.sentry.abi.time import NANOSECONDS, TIMEVAL, timeval
from runsc_py.sentry.auth.capabilities import CAP_NET_ADMIN
from runsc_py.sentry.errors import EDOM, EINVAL, ENODATA, ENODEV, ENOPROTOOPT, EPERM
from runsc_py.sentry.socket.messages import SocketCredentials

TYPE_CHECKING = False
if TYPE_CHECKING:
    from runsc_py.sentry.kernel.task import Task
    from runsc_py.sentry.socket.socket import Socket

#: any value but 0 is 1
_BOOLEANS = frozenset(
    (
        SO_BROADCAST,
        SO_DEBUG,
        SO_DONTROUTE,
        SO_KEEPALIVE,
        SO_NO_CHECK,
        SO_OOBINLINE,
        SO_PASSCRED,
        SO_REUSEADDR,
        SO_REUSEPORT,
    )
)
_PRIVILEGED_PRIORITY = 6

#: /proc/sys/net/core/wmem_max and rmem_max; what is set is doubled
MAXIMUM_BUFFER = 212992
_MINIMUM_SEND_BUFFER = 4608
_MINIMUM_RECEIVE_BUFFER = 2304
#: nobody, as SO_PEERCRED of an unconnected socket shows it
_NO_CREDENTIALS = UCRED.pack(0, 0xFFFFFFFF, 0xFFFFFFFF)


def integer_of(value: bytes) -> int:
    """The int in an option's value.  Errors: EINVAL (too short)."""
    if len(value) < INT.size:
        raise EINVAL
    number: int = INT.unpack_from(value)[0]
    return number


def get_socket_option(socket: "Socket", task: "Task", name: int) -> bytes:
    """getsockopt(2), level SOL_SOCKET.  Errors: ENOPROTOOPT."""
    if name in (SO_RCVTIMEO, SO_SNDTIMEO):
        return timeval(socket.receive_timeout if name == SO_RCVTIMEO else socket.send_timeout)
    if name == SO_LINGER:
        value = socket.options.get((SOL_SOCKET, SO_LINGER))
        return LINGER.pack(0, 0) if value is None else LINGER.pack(1, value)
    if name == SO_PEERCRED:
        return _peer_credentials(socket.peer_credentials(), task)
    if name == SO_PEERGROUPS:
        credentials = socket.peer_credentials()
        if credentials is None:
            raise ENODATA
        return b"".join(group.to_bytes(4, "little") for group in credentials.groups)
    return INT.pack(_get_integer(socket, name))


def _get_integer(socket: "Socket", name: int) -> int:
    if name == SO_TYPE:
        return socket.kind
    if name == SO_ERROR:
        return socket.take_error()
    if name == SO_DOMAIN:
        return socket.family
    if name == SO_PROTOCOL:
        return socket.protocol
    if name == SO_ACCEPTCONN:
        return int(socket.is_listening)
    if name == SO_SNDBUF:
        return socket.send_buffer
    if name == SO_RCVBUF:
        return socket.receive_buffer
    if name in (SO_RCVLOWAT, SO_SNDLOWAT):
        return 1
    if name in _BOOLEANS or name in (SO_PRIORITY, SO_PASSSEC):
        return socket.options.get((SOL_SOCKET, name), 0)
    raise ENOPROTOOPT


def _peer_credentials(credentials: SocketCredentials | None, task: "Task") -> bytes:
    if credentials is None:
        return _NO_CREDENTIALS
    return UCRED.pack(credentials.pid_for(task), credentials.uid, credentials.gid)


def set_socket_option(socket: "Socket", task: "Task", name: int, value: bytes) -> None:
    """setsockopt(2), level SOL_SOCKET.  Errors: ENOPROTOOPT, EINVAL, EPERM, EDOM, ENODEV."""
    if name in (SO_RCVTIMEO, SO_SNDTIMEO):
        _set_timeout(socket, name, value)
        return
    if name == SO_BINDTODEVICE:
        if value.rstrip(b"\0") not in (b"", b"lo"):
            raise ENODEV
        return
    number = integer_of(value)
    key = (SOL_SOCKET, name)
    if name in _BOOLEANS:
        socket.options[key] = int(number != 0)
    elif name == SO_LINGER:
        _set_linger(socket, value)
    elif name in (SO_SNDBUF, SO_SNDBUFFORCE):
        size = _buffer_size(task, number, name == SO_SNDBUFFORCE)
        socket.options[SOL_SOCKET, SO_SNDBUF] = max(size, _MINIMUM_SEND_BUFFER)
    elif name in (SO_RCVBUF, SO_RCVBUFFORCE):
        size = _buffer_size(task, number, name == SO_RCVBUFFORCE)
        socket.options[SOL_SOCKET, SO_RCVBUF] = max(size, _MINIMUM_RECEIVE_BUFFER)
    elif name == SO_PRIORITY:
        privileged = task.credentials.has_capability(CAP_NET_ADMIN)
        if not 0 <= number <= _PRIVILEGED_PRIORITY and not privileged:
            raise EPERM
        socket.options[key] = number
    else:
        raise ENOPROTOOPT


def _buffer_size(task: "Task", size: int, forced: bool) -> int:
    """A buffer size as it is kept: limited, then doubled as Linux does."""
    if forced and not task.credentials.has_capability(CAP_NET_ADMIN):
        raise EPERM
    return min(size & 0xFFFFFFFF, MAXIMUM_BUFFER) * 2


def _set_linger(socket: "Socket", value: bytes) -> None:
    if len(value) < LINGER.size:
        raise EINVAL
    on, seconds = LINGER.unpack_from(value)
    if on:
        socket.options[SOL_SOCKET, SO_LINGER] = seconds
    else:
        socket.options.pop((SOL_SOCKET, SO_LINGER), None)


def _set_timeout(socket: "Socket", name: int, value: bytes) -> None:
    if len(value) < TIMEVAL.size:
        raise EINVAL
    seconds, microseconds = TIMEVAL.unpack_from(value)
    if not 0 <= microseconds < 1_000_000:
        raise EDOM
    # A negative time is none at all, as in Linux.
    nanoseconds = max(0, seconds * NANOSECONDS + microseconds * 1000) if seconds >= 0 else 1
    if name == SO_RCVTIMEO:
        socket.receive_timeout = nanoseconds
    else:
        socket.send_timeout = nanoseconds
