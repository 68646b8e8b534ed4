"""AF_UNIX sockets of every type: unix(7).

Neighbours: unix_names.py (how one is found), unix_stream.py, unix_datagram.py; host_unix.py, where
the other end is on the host.
"""

from runsc_py.sentry.abi.sockets import (
    AF_UNIX,
    SOCK_DGRAM,
    SOCK_RAW,
    SOCK_SEQPACKET,
    SOCK_STREAM,
)
from runsc_py.sentry.errors import (
    EPROTONOSUPPORT,
    ESOCKTNOSUPPORT,
)
from runsc_py.sentry.socket.unix_datagram import UnixDatagram
from runsc_py.sentry.socket.unix_stream import UnixSequencedPacket, UnixStream

TYPE_CHECKING = False
if TYPE_CHECKING:
    from runsc_py.sentry.kernel.task import Task

UnixSocket = UnixStream | UnixDatagram


def make_unix_socket(task: "Task", kind: int, protocol: int, flags: int) -> UnixSocket:
    """socket(2).  Errors: EPROTONOSUPPORT, ESOCKTNOSUPPORT."""
    if protocol not in (0, AF_UNIX):
        raise EPROTONOSUPPORT
    if kind == SOCK_STREAM:
        return UnixStream(task, flags)
    if kind == SOCK_SEQPACKET:
        return UnixSequencedPacket(task, flags)
    if kind in (SOCK_DGRAM, SOCK_RAW):
        return UnixDatagram(task, flags)
    raise ESOCKTNOSUPPORT


def make_unix_pair(
    task: "Task", kind: int, protocol: int, flags: int
) -> tuple[UnixSocket, UnixSocket]:
    """socketpair(2).  Errors: as socket(2)."""
    first = make_unix_socket(task, kind, protocol, flags)
    second = make_unix_socket(task, kind, protocol, flags)
    if isinstance(first, UnixStream):
        assert isinstance(second, UnixStream)
        first.make_pair(task, second)
    else:
        assert isinstance(second, UnixDatagram)
        first.make_pair(task, second)
    return first, second
