"""Which class serves which address family.  Families are imported when they are first used."""

from runsc_py.sentry.abi.sockets import (
    AF_INET,
    AF_INET6,
    AF_MAX,
    AF_NETLINK,
    AF_UNIX,
    IPPROTO_MAX,
    SOCK_CLOEXEC,
    SOCK_NONBLOCK,
    SOCK_TYPE_MASK,
)
from runsc_py.sentry.errors import EAFNOSUPPORT, EINVAL, EOPNOTSUPP

TYPE_CHECKING = False
if TYPE_CHECKING:
    from runsc_py.sentry.kernel.task import Task
    from runsc_py.sentry.socket.socket import Socket

#: SOCK_DCCP and SOCK_PACKET are the only types beyond SOCK_SEQPACKET
_MAXIMUM_TYPE = 11


def split_type(kind: int) -> tuple[int, int]:
    """The type argument of socket(2) as (type, flags).  Errors: EINVAL."""
    flags = kind & ~SOCK_TYPE_MASK
    if flags & ~(SOCK_CLOEXEC | SOCK_NONBLOCK):
        raise EINVAL
    return kind & SOCK_TYPE_MASK, flags


def make_socket(task: "Task", family: int, kind: int, protocol: int, flags: int) -> "Socket":
    """socket(2).  Errors: EAFNOSUPPORT, EINVAL, ESOCKTNOSUPPORT, EPROTONOSUPPORT, EPERM, EACCES."""
    if not 0 <= family < AF_MAX:
        raise EAFNOSUPPORT
    if not 0 <= kind < _MAXIMUM_TYPE:
        raise EINVAL
    if family == AF_UNIX:
        from runsc_py.sentry.socket.unix import make_unix_socket

        return make_unix_socket(task, kind, protocol, flags)
    if family in (AF_INET, AF_INET6):
        if not 0 <= protocol < IPPROTO_MAX:
            raise EINVAL
        if task.namespaces.network.uses_host:
            from runsc_py.sentry.socket.host import make_host_socket

            return make_host_socket(task, family, kind, protocol, flags)
        from runsc_py.sentry.socket.inet import make_inet_socket

        return make_inet_socket(task, family, kind, protocol, flags)
    if family == AF_NETLINK:
        from runsc_py.sentry.socket.netlink import make_netlink_socket

        return make_netlink_socket(task, kind, protocol, flags)
    raise EAFNOSUPPORT


def make_socket_pair(
    task: "Task", family: int, kind: int, protocol: int, flags: int
) -> "tuple[Socket, Socket]":
    """socketpair(2).  Errors: those of socket(2), EOPNOTSUPP (not AF_UNIX)."""
    if family == AF_UNIX:
        from runsc_py.sentry.socket.unix import make_unix_pair

        return make_unix_pair(task, kind, protocol, flags)
    make_socket(task, family, kind, protocol, flags).acquire().drop()
    raise EOPNOTSUPP
