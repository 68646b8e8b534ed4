"""/proc/PID/net/tcp, udp and unix with their sockets: proc_pid_net(5).

Found by way of the descriptors of all processes, so a socket that is only in a message is not
shown.  With `--network host` IP sockets are the host's, and not described here.
"""

from collections.abc import Callable, Iterator

from runsc_py.sentry.abi.sockets import AF_INET, AF_INET6
from runsc_py.sentry.socket.namespace import NetworkNamespace
from runsc_py.sentry.socket.socket import Socket
from runsc_py.sentry.socket.stream import CONNECTED, CONNECTING, LISTENING
from runsc_py.sentry.socket.tcp import TcpSocket
from runsc_py.sentry.socket.udp import UdpSocket
from runsc_py.sentry.socket.unix_datagram import UnixDatagram
from runsc_py.sentry.socket.unix_stream import UnixStream

TYPE_CHECKING = False
if TYPE_CHECKING:
    from runsc_py.sentry.kernel.task import Task
    from runsc_py.sentry.socket.addresses import Endpoint

#: <net/tcp_states.h>
ESTABLISHED, SYN_SENT, FIN_WAIT2, CLOSE, CLOSE_WAIT, LAST_ACK, LISTEN = 1, 2, 5, 7, 8, 9, 10
#: __SO_ACCEPTCON in the flags of /proc/net/unix
ACCEPTS = 0x10000
#: socket states of /proc/net/unix
UNIX_UNCONNECTED, UNIX_CONNECTED = 1, 3
#: an IPv4 address in an IPv6 one
MAPPED = bytes(10) + b"\xff\xff"

_TCP_HEAD = (
    b"  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout"
    b" inode"
)
_TCP6_HEAD = (
    b"  sl  local_address                         remote_address                        st"
    b" tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode"
)
_UDP_HEAD = b" " + _TCP_HEAD + b" ref pointer drops"
_UDP6_HEAD = _TCP6_HEAD + b" ref pointer drops"
_UNIX_HEAD = b"Num       RefCount Protocol Flags    Type St Inode Path\n"


def sockets_in(namespace: NetworkNamespace) -> Iterator[Socket]:
    """Every socket of a network namespace that some process has open, once."""
    seen: set[Socket] = set()
    for group in namespace.kernel.root_pid_namespace.thread_groups():
        for task in group.tasks:
            for _, file in task.files.items():
                if isinstance(file, Socket) and file not in seen:
                    seen.add(file)
                    if file.namespace is namespace:
                        yield file


def _address(endpoint: "Endpoint | None", family: int) -> bytes:
    """Words of the address as they lie in memory, and the port."""
    size = 4 if family == AF_INET else 16
    host, port = (bytes(size), 0) if endpoint is None else (endpoint.host, endpoint.port)
    if len(host) < size:
        host = MAPPED + host
    words = (host[start : start + 4][::-1].hex().upper() for start in range(0, size, 4))
    return f"{''.join(words)}:{port:04X}".encode()


def _tcp_state(socket: TcpSocket) -> int:
    if socket.state == LISTENING:
        return LISTEN
    if socket.state == CONNECTING:
        return SYN_SENT
    if socket.state != CONNECTED:
        return CLOSE
    if socket.send_closed:
        return LAST_ACK if socket.end_received else FIN_WAIT2
    return CLOSE_WAIT if socket.end_received else ESTABLISHED


def _line(
    number: bytes, socket: "TcpSocket | UdpSocket", state: int, rest: bytes, width: int
) -> bytes:
    inode = socket.inode
    return (
        b"%s: %s %s %02X 00000000:00000000 00:00000000 00000000 %5d        0 %d %s"
        % (
            number,
            _address(socket.local, socket.family),
            _address(socket.remote, socket.family),
            state,
            inode.permission_ids()[1],
            inode.number,
            rest,
        )
    ).ljust(width) + b"\n"


def _tcp(family: int, head: bytes) -> "Callable[[Task], bytes]":
    def produce(task: "Task") -> bytes:
        lines = [head.ljust(149) + b"\n" if family == AF_INET else head + b"\n"]
        for socket in sockets_in(task.namespaces.network):
            if isinstance(socket, TcpSocket) and socket.family == family and socket.local.port:
                number = b"%4d" % (len(lines) - 1)
                rest = b"1 0000000000000000 100 0 0 10 0"
                lines.append(_line(number, socket, _tcp_state(socket), rest, 149))
        return b"".join(lines)

    return produce


def _udp(family: int, head: bytes) -> "Callable[[Task], bytes]":
    def produce(task: "Task") -> bytes:
        lines = [head.ljust(127) + b"\n" if family == AF_INET else head + b"\n"]
        for socket in sockets_in(task.namespaces.network):
            if isinstance(socket, UdpSocket) and socket.family == family and socket.local.port:
                state = CLOSE if socket.remote is None else ESTABLISHED
                number = b"%5d" % (len(lines) - 1)
                lines.append(_line(number, socket, state, b"2 0000000000000000 0", 127))
        return b"".join(lines)

    return produce


def unix(task: "Task") -> bytes:
    """/proc/net/unix."""
    lines = [_UNIX_HEAD]
    for socket in sockets_in(task.namespaces.network):
        if isinstance(socket, UnixStream):
            connected = socket.state == CONNECTED
        elif isinstance(socket, UnixDatagram):
            connected = socket.peer is not None
        else:
            continue
        name = socket.name.name or b""
        if name[:1] == b"\0":
            name = name.replace(b"\0", b"@")
        line = b"0000000000000000: %08X 00000000 %08X %04X %02X %5d" % (
            3 if connected else 2,
            ACCEPTS if socket.is_listening else 0,
            socket.kind,
            UNIX_CONNECTED if connected else UNIX_UNCONNECTED,
            socket.inode.number,
        )
        lines.append(line + (b" " + name if name else b"") + b"\n")
    return b"".join(lines)


tcp = _tcp(AF_INET, _TCP_HEAD)
tcp6 = _tcp(AF_INET6, _TCP6_HEAD)
udp = _udp(AF_INET, _UDP_HEAD)
udp6 = _udp(AF_INET6, _UDP6_HEAD)
