"""TCP and UDP over the loopback through the system calls."""

import errno
import struct

from harness.io_world import IoTask, IoWorld, as_task
from runsc_py.sentry.abi.sockets import (
    AF_INET,
    AF_INET6,
    IPPROTO_IPV6,
    IPPROTO_TCP,
    IPV6_V6ONLY,
    MSG_DONTWAIT,
    SO_ERROR,
    SO_REUSEADDR,
    SO_REUSEPORT,
    SOCK_DGRAM,
    SOCK_NONBLOCK,
    SOCK_STREAM,
    SOCKADDR_IN,
    SOCKADDR_IN6,
    SOL_SOCKET,
    TCP_NODELAY,
)
from runsc_py.sentry.kernel.waiting import POLLIN, POLLOUT
from runsc_py.sentry.syscalls.socket_messages import recvfrom, sendto
from runsc_py.sentry.syscalls.sockets import (
    accept,
    bind,
    connect,
    getpeername,
    getsockname,
    getsockopt,
    listen,
    setsockopt,
    socket,
)

LOOPBACK6 = bytes(15) + b"\1"


def four(task: IoTask, port: int, host: bytes = b"\x7f\0\0\1") -> tuple[int, int]:
    """(address, size) of a sockaddr_in in guest memory."""
    return task.put(SOCKADDR_IN.pack(AF_INET, port.to_bytes(2, "big"), host)), SOCKADDR_IN.size


def six(task: IoTask, port: int, host: bytes = LOOPBACK6) -> tuple[int, int]:
    raw = SOCKADDR_IN6.pack(AF_INET6, port.to_bytes(2, "big"), 0, host, 0)
    return task.put(raw), SOCKADDR_IN6.size


def name(task: IoTask, call: object, fd: int) -> tuple[bytes, int]:
    """(host, port) of getsockname or getpeername."""
    size, place = task.put(struct.pack("<i", 100)), task.put(100)
    assert task.call(call, fd, place, size) == 0  # type: ignore[arg-type]
    raw = task.get(place, struct.unpack("<i", task.get(size, 4))[0])
    host = raw[4:8] if len(raw) == SOCKADDR_IN.size else raw[8:24]
    return host, int.from_bytes(raw[2:4], "big")


def set_int(task: IoTask, fd: int, level: int, option: int, value: int) -> int:
    return task.call(setsockopt, fd, level, option, task.put(struct.pack("<i", value)), 4)


def get_int(task: IoTask, fd: int, level: int, option: int) -> int:
    value, size = task.put(4), task.put(struct.pack("<i", 4))
    assert task.call(getsockopt, fd, level, option, value, size) == 0
    return int.from_bytes(task.get(value, 4), "little")


def listener(task: IoTask, backlog: int = 5, family: int = AF_INET) -> tuple[int, int]:
    """(descriptor, port) of a TCP server on the wildcard address."""
    fd = task.call(socket, family, SOCK_STREAM, 0)
    assert task.call(listen, fd, backlog) == 0
    return fd, name(task, getsockname, fd)[1]


def test_connection(task: IoTask) -> None:
    """Addresses of both ends, data both ways."""
    server, port = listener(task)
    fd = task.call(socket, AF_INET, SOCK_STREAM, 0)
    assert task.call(connect, fd, *four(task, port)) == 0
    accepted = task.call(accept, server, 0, 0)
    assert name(task, getpeername, fd) == (b"\x7f\0\0\1", port)
    assert name(task, getpeername, accepted) == name(task, getsockname, fd)
    assert task.call(sendto, accepted, task.put(b"hi"), 2, 0, 0, 0) == 2
    buffer = task.put(10)
    assert task.call(recvfrom, fd, buffer, 10, 0, 0, 0) == 2
    assert task.call(connect, fd, *four(task, port)) == -errno.EISCONN


def test_nobody_listens(task: IoTask) -> None:
    """ECONNREFUSED here, ENETUNREACH elsewhere, EAFNOSUPPORT for the wrong family."""
    fd = task.call(socket, AF_INET, SOCK_STREAM, 0)
    assert task.call(connect, fd, *four(task, 9)) == -errno.ECONNREFUSED
    assert task.call(connect, fd, *four(task, 9, b"\x08\x08\x08\x08")) == -errno.ENETUNREACH
    assert task.call(connect, fd, *six(task, 9)) == -errno.EAFNOSUPPORT
    assert task.call(bind, fd, *four(task, 9, b"\x08\x08\x08\x08")) == -errno.EADDRNOTAVAIL


def test_ports_are_shared_only_on_request(world: IoWorld, task: IoTask) -> None:
    """EADDRINUSE, SO_REUSEADDR while nobody listens, SO_REUSEPORT always, privileged ports."""
    first, second = (task.call(socket, AF_INET, SOCK_STREAM, 0) for _ in range(2))
    assert task.call(bind, first, *four(task, 8080, bytes(4))) == 0
    assert task.call(bind, second, *four(task, 8080)) == -errno.EADDRINUSE
    for fd in (first, second):
        set_int(task, fd, SOL_SOCKET, SO_REUSEADDR, 1)
    assert task.call(bind, second, *four(task, 8080)) == 0
    assert task.call(listen, first, 1) == 0
    assert task.call(listen, second, 1) == -errno.EADDRINUSE
    shared = [task.call(socket, AF_INET, SOCK_STREAM, 0) for _ in range(2)]
    for fd in shared:
        set_int(task, fd, SOL_SOCKET, SO_REUSEPORT, 1)
        assert task.call(bind, fd, *four(task, 8081)) == 0
        assert task.call(listen, fd, 1) == 0
    stranger = world.new_task(uid=1000)
    fd = stranger.call(socket, AF_INET, SOCK_STREAM, 0)
    assert stranger.call(bind, fd, *four(stranger, 80)) == -errno.EACCES


def test_full_backlog(world: IoWorld, task: IoTask) -> None:
    """A connect that may not wait is in progress until somebody accepts."""
    server, port = listener(task, backlog=0)
    clients = [world.new_task() for _ in range(2)]
    fds = [client.call(socket, AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0) for client in clients]
    assert clients[0].call(connect, fds[0], *four(clients[0], port)) == -errno.EINPROGRESS
    assert clients[0].call(connect, fds[0], *four(clients[0], port)) == 0
    assert clients[0].call(connect, fds[0], *four(clients[0], port)) == -errno.EISCONN
    assert clients[1].call(connect, fds[1], *four(clients[1], port)) == -errno.EINPROGRESS
    assert clients[1].call(connect, fds[1], *four(clients[1], port)) == -errno.EALREADY
    assert clients[1].file(fds[1]).poll() == 0
    patient = world.new_task()
    fd = patient.call(socket, AF_INET, SOCK_STREAM, 0)
    assert patient.start(connect, fd, *four(patient, port)) is None
    task.call(accept, server, 0, 0)
    assert clients[1].file(fds[1]).poll() & POLLOUT
    assert get_int(clients[1], fds[1], SOL_SOCKET, SO_ERROR) == 0
    task.files.remove(as_task(task), server)
    world.settle()
    assert patient.result == -errno.ECONNREFUSED


def test_both_families(task: IoTask) -> None:
    """An IPv6 wildcard hears IPv4 as mapped addresses, unless it is told not to."""
    server, port = listener(task, family=AF_INET6)
    fd = task.call(socket, AF_INET, SOCK_STREAM, 0)
    assert task.call(connect, fd, *four(task, port)) == 0
    accepted = task.call(accept, server, 0, 0)
    host, _ = name(task, getpeername, accepted)
    assert host == bytes(10) + b"\xff\xff\x7f\0\0\1"
    fd = task.call(socket, AF_INET6, SOCK_STREAM, 0)
    assert task.call(connect, fd, *six(task, port)) == 0
    only = task.call(socket, AF_INET6, SOCK_STREAM, 0)
    assert set_int(task, only, IPPROTO_IPV6, IPV6_V6ONLY, 1) == 0
    assert task.call(bind, only, *six(task, 8090, bytes(16))) == 0
    assert task.call(listen, only, 1) == 0
    fd = task.call(socket, AF_INET, SOCK_STREAM, 0)
    assert task.call(connect, fd, *four(task, 8090)) == -errno.ECONNREFUSED
    assert task.call(bind, fd, *four(task, 8090)) == 0


def test_options(task: IoTask) -> None:
    """Kept and shown; unknown ones and short values are refused."""
    fd = task.call(socket, AF_INET, SOCK_STREAM, 0)
    assert get_int(task, fd, IPPROTO_TCP, TCP_NODELAY) == 0
    assert set_int(task, fd, IPPROTO_TCP, TCP_NODELAY, 17) == 0
    assert get_int(task, fd, IPPROTO_TCP, TCP_NODELAY) == 1
    assert set_int(task, fd, IPPROTO_TCP, 999, 1) == -errno.ENOPROTOOPT
    assert task.call(setsockopt, fd, IPPROTO_TCP, TCP_NODELAY, task.put(4), 2) == -errno.EINVAL


def udp(task: IoTask, port: int = 0) -> int:
    fd = task.call(socket, AF_INET, SOCK_DGRAM, 0)
    if port:
        assert task.call(bind, fd, *four(task, port)) == 0
    return fd


def test_datagrams(task: IoTask) -> None:
    """Delivered with the sender's address; a connected socket hears only its peer."""
    receiver, sender, stranger = udp(task, 7000), udp(task, 7001), udp(task, 7002)
    assert task.call(sendto, sender, task.put(b"abc"), 3, 0, *four(task, 7000)) == 3
    place, size = task.put(16), task.put(struct.pack("<i", 16))
    buffer = task.put(10)
    assert task.call(recvfrom, receiver, buffer, 10, 0, place, size) == 3
    assert task.get(place, 4) == struct.pack("<H", AF_INET) + (7001).to_bytes(2, "big")
    assert task.call(connect, receiver, *four(task, 7001)) == 0
    task.call(sendto, stranger, task.put(b"x"), 1, 0, *four(task, 7000))
    assert task.call(recvfrom, receiver, buffer, 10, MSG_DONTWAIT, 0, 0) == -errno.EAGAIN
    assert task.call(sendto, receiver, task.put(b"x"), 1, 0, 0, 0) == 1
    assert task.file(sender).poll() & POLLIN


def test_unreachable_port(task: IoTask) -> None:
    """Nobody there: silence for sendto, ECONNREFUSED afterwards for a connected socket."""
    fd = udp(task)
    assert task.call(sendto, fd, task.put(b"x"), 1, 0, *four(task, 7009)) == 1
    assert task.call(connect, fd, *four(task, 7009)) == 0
    assert task.call(sendto, fd, task.put(b"x"), 1, 0, 0, 0) == 1
    assert task.call(recvfrom, fd, task.put(9), 9, MSG_DONTWAIT, 0, 0) == -errno.ECONNREFUSED
    assert task.call(sendto, fd, task.put(9), 70000, 0, 0, 0) == -errno.EMSGSIZE
