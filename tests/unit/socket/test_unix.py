"""AF_UNIX through the system calls: names, passing files and credentials, who waits for whom."""

import errno
import struct
from collections.abc import Sequence

from harness.io_world import IoTask, IoWorld, as_task
from runsc_py.sentry.abi.signals import SIGPIPE
from runsc_py.sentry.abi.sockets import (
    AF_UNIX,
    MSG_CTRUNC,
    MSG_DONTWAIT,
    MSG_NOSIGNAL,
    MSG_TRUNC,
    MSGHDR,
    SCM_CREDENTIALS,
    SCM_RIGHTS,
    SO_PASSCRED,
    SO_PEERCRED,
    SOCK_DGRAM,
    SOCK_NONBLOCK,
    SOCK_SEQPACKET,
    SOCK_STREAM,
    SOL_SOCKET,
)
from runsc_py.sentry.syscalls.events import eventfd2
from runsc_py.sentry.syscalls.reading import read
from runsc_py.sentry.syscalls.socket_messages import recvfrom, recvmsg, sendmsg, sendto
from runsc_py.sentry.syscalls.sockets import (
    accept,
    bind,
    connect,
    getpeername,
    getsockname,
    getsockopt,
    listen,
    setsockopt,
    shutdown,
    socket,
    socketpair,
)
from runsc_py.sentry.syscalls.writing import write


def address_of(task: IoTask, name: bytes) -> tuple[int, int]:
    """(address, size) of a sockaddr_un in guest memory."""
    raw = struct.pack("<H", AF_UNIX) + name
    return task.put(raw), len(raw)


def pair(task: IoTask, kind: int = SOCK_STREAM) -> tuple[int, int]:
    place = task.put(8)
    assert task.call(socketpair, AF_UNIX, kind, 0, place) == 0
    first, second = struct.unpack("<ii", task.get(place, 8))
    return first, second


def server(task: IoTask, name: bytes, backlog: int = 5, kind: int = SOCK_STREAM) -> int:
    fd = task.call(socket, AF_UNIX, kind, 0)
    assert task.call(bind, fd, *address_of(task, name)) == 0
    assert task.call(listen, fd, backlog) == 0
    return fd


def send(task: IoTask, fd: int, data: bytes, flags: int = 0) -> int:
    return task.call(sendto, fd, task.put(data), len(data), flags, 0, 0)


def receive(task: IoTask, fd: int, size: int = 1000, flags: int = MSG_DONTWAIT) -> bytes | int:
    buffer = task.put(size)
    result = task.call(recvfrom, fd, buffer, size, flags, 0, 0)
    return task.get(buffer, result) if result >= 0 else result


def name_from(task: IoTask, call: object, fd: int) -> bytes:
    """What getsockname or getpeername shows after the family."""
    size = task.put(struct.pack("<i", 110))
    place = task.put(110)
    assert task.call(call, fd, place, size) == 0  # type: ignore[arg-type]
    return task.get(place, struct.unpack("<i", task.get(size, 4))[0])[2:]


def message(task: IoTask, data: bytes | int, control: bytes | int) -> tuple[int, int, int]:
    """A struct msghdr with one buffer: (its address, that of the data, that of the control)."""
    buffer, room = task.put(data), task.put(control)
    size = data if isinstance(data, int) else len(data)
    control_size = control if isinstance(control, int) else len(control)
    vector = task.put(struct.pack("<QQ", buffer, size))
    header = MSGHDR.pack(0, 0, vector, 1, room if control_size else 0, control_size, 0)
    return task.put(header), buffer, room


def control_message(kind: int, payload: bytes) -> bytes:
    head = struct.pack("<Qii", 16 + len(payload), SOL_SOCKET, kind)
    return head + payload + bytes(-len(payload) % 8)


def rights(*fds: int) -> bytes:
    return control_message(SCM_RIGHTS, struct.pack(f"<{len(fds)}i", *fds))


def received_control(
    task: IoTask, header: int, room: int
) -> tuple[Sequence[tuple[int, bytes]], int]:
    """The control messages of a receive, and msg_flags."""
    *_, size, flags = MSGHDR.unpack(task.get(header, MSGHDR.size))
    data = task.get(room, size)
    found = []
    position = 0
    while position < size:
        length, _, kind = struct.unpack_from("<Qii", data, position)
        found.append((kind, data[position + 16 : position + length]))
        position += (length + 7) & ~7
    return found, flags


def test_connection_by_path(world: IoWorld, task: IoTask) -> None:
    """bind makes the file; connect waits for nobody; accept gives the other end."""
    listener = server(task, b"/socket\0")
    client = world.new_task()
    fd = client.call(socket, AF_UNIX, SOCK_STREAM, 0)
    assert client.call(connect, fd, *address_of(client, b"/socket")) == 0
    assert send(client, fd, b"early") == 5
    accepted = task.call(accept, listener, 0, 0)
    assert receive(task, accepted) == b"early"
    assert name_from(task, getsockname, accepted) == b"/socket\0"
    assert name_from(client, getpeername, fd) == b"/socket\0"
    assert name_from(task, getpeername, accepted) == b""
    second = task.call(socket, AF_UNIX, SOCK_STREAM, 0)
    assert task.call(bind, second, *address_of(task, b"/socket")) == -errno.EADDRINUSE


def test_names_must_lead_to_a_listener(world: IoWorld, task: IoTask) -> None:
    """ENOENT, ECONNREFUSED, EPROTOTYPE, EACCES."""
    fd = task.call(socket, AF_UNIX, SOCK_STREAM, 0)
    assert task.call(connect, fd, *address_of(task, b"/none")) == -errno.ENOENT
    assert task.call(connect, fd, *address_of(task, b"\0none")) == -errno.ECONNREFUSED
    bound = task.call(socket, AF_UNIX, SOCK_DGRAM, 0)
    task.call(bind, bound, *address_of(task, b"/datagrams"))
    assert task.call(connect, fd, *address_of(task, b"/datagrams")) == -errno.EPROTOTYPE
    task.files.remove(as_task(task), bound)
    assert task.call(connect, fd, *address_of(task, b"/datagrams")) == -errno.ECONNREFUSED
    server(task, b"/private")
    stranger = world.new_task(uid=1000)
    fd = stranger.call(socket, AF_UNIX, SOCK_STREAM, 0)
    assert stranger.call(connect, fd, *address_of(stranger, b"/private")) == -errno.EACCES


def test_abstract_names_end_with_the_socket(task: IoTask) -> None:
    """Any bytes; free again at the last close; autobind takes five digits."""
    listener = server(task, b"\0a\0b")
    second = task.call(socket, AF_UNIX, SOCK_STREAM, 0)
    assert task.call(bind, second, *address_of(task, b"\0a\0b")) == -errno.EADDRINUSE
    task.files.remove(as_task(task), listener)
    assert task.call(bind, second, *address_of(task, b"\0a\0b")) == 0
    assert task.call(bind, second, *address_of(task, b"\0other")) == -errno.EINVAL
    third = task.call(socket, AF_UNIX, SOCK_DGRAM, 0)
    assert task.call(bind, third, *address_of(task, b"")) == 0
    assert len(name_from(task, getsockname, third)) == 6


def test_full_backlog(world: IoWorld, task: IoTask) -> None:
    """A client that may wait does until somebody accepts; one that may not gets EAGAIN."""
    listener = server(task, b"\0full", backlog=0)
    target = b"\0full"
    clients = [world.new_task() for _ in range(3)]
    fds = [client.call(socket, AF_UNIX, SOCK_STREAM, 0) for client in clients]
    assert clients[0].call(connect, fds[0], *address_of(clients[0], target)) == 0
    assert clients[1].start(connect, fds[1], *address_of(clients[1], target)) is None
    hasty = clients[2].call(socket, AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0)
    assert clients[2].call(connect, hasty, *address_of(clients[2], target)) == -errno.EAGAIN
    task.call(accept, listener, 0, 0)
    assert clients[1].result == 0
    assert clients[2].start(connect, fds[2], *address_of(clients[2], target)) is None
    task.files.remove(as_task(task), listener)
    world.settle()
    assert clients[2].result == -errno.ECONNREFUSED
    assert receive(clients[1], fds[1]) == -errno.ECONNRESET


def test_files_travel_with_their_bytes(task: IoTask) -> None:
    """A receive ends with the segment that carried files; each comes with a descriptor."""
    first, second = pair(task)
    counter = task.call(eventfd2, 5, 0)
    send(task, first, b"before ")
    header, _, _ = message(task, b"with", rights(counter, counter))
    assert task.call(sendmsg, first, header, 0) == 4
    send(task, first, b" after")
    task.files.remove(as_task(task), counter)
    header, buffer, room = message(task, 100, 100)
    assert task.call(recvmsg, second, header, 0) == 11
    assert task.get(buffer, 11) == b"before with"
    found, flags = received_control(task, header, room)
    assert flags == 0 and [kind for kind, _ in found] == [SCM_RIGHTS]
    new_fds = struct.unpack("<ii", found[0][1])
    place = task.put(8)
    assert task.call(read, new_fds[1], place, 8) == 8
    assert task.get(place, 8)[0] == 5
    assert receive(task, second) == b" after"


def test_files_that_nobody_takes_are_closed(task: IoTask) -> None:
    """No room, a plain read, or the end of the socket."""
    first, second = pair(task)
    fd = task.call(eventfd2, 0, 0)
    file = task.file(fd)
    for _ in range(3):
        header, _, _ = message(task, b"x", rights(fd))
        assert task.call(sendmsg, first, header, 0) == 1
    assert file.references == 4
    header, _, room = message(task, 10, 16)
    assert task.call(recvmsg, second, header, 0) == 1
    assert received_control(task, header, room) == ([], MSG_CTRUNC)
    assert file.references == 3
    assert receive(task, second) == b"x"
    assert file.references == 2
    task.files.remove(as_task(task), second)
    assert file.references == 1
    header, _, _ = message(task, b"x", rights(99))
    assert task.call(sendmsg, first, header, 0) == -errno.EBADF


def test_credentials(world: IoWorld) -> None:
    """SO_PEERCRED of a connection, SCM_CREDENTIALS of a message; only root may lie."""
    task = world.new_task(uid=7)
    first, second = pair(task)
    value, size = task.put(12), task.put(struct.pack("<i", 12))
    assert task.call(getsockopt, first, SOL_SOCKET, SO_PEERCRED, value, size) == 0
    mine = struct.pack("<iII", task.thread_group.identifier, 7, 7)
    assert task.get(value, 12) == mine
    one = task.put(struct.pack("<i", 1))
    assert task.call(setsockopt, second, SOL_SOCKET, SO_PASSCRED, one, 4) == 0
    send(task, first, b"x")
    header, _, room = message(task, 10, 100)
    assert task.call(recvmsg, second, header, 0) == 1
    assert received_control(task, header, room)[0] == [(SCM_CREDENTIALS, mine)]
    lie = control_message(SCM_CREDENTIALS, struct.pack("<iII", task.thread_group.identifier, 0, 7))
    header, _, _ = message(task, b"x", lie)
    assert task.call(sendmsg, first, header, 0) == -errno.EPERM


def test_datagrams_keep_their_boundaries(task: IoTask) -> None:
    """What does not fit is cut, and MSG_TRUNC tells how long it was; empty ones count."""
    first, second = pair(task, SOCK_DGRAM)
    send(task, first, b"long message")
    send(task, first, b"")
    assert receive(task, second, 4, MSG_DONTWAIT | 2) == b"long"
    buffer = task.put(100)
    assert task.call(recvfrom, second, buffer, 4, MSG_TRUNC, 0, 0) == 12
    assert receive(task, second) == b""
    assert receive(task, second) == -errno.EAGAIN
    assert send(task, first, b"x" * 300_000) == -errno.EMSGSIZE


def test_datagrams_by_name(world: IoWorld, task: IoTask) -> None:
    """The sender's name comes along; eleven wait in the queue, the twelfth sender too."""
    receiver = task.call(socket, AF_UNIX, SOCK_DGRAM, 0)
    assert task.call(bind, receiver, *address_of(task, b"\0to")) == 0
    other = world.new_task()
    sender = other.call(socket, AF_UNIX, SOCK_DGRAM, 0)
    other.call(bind, sender, *address_of(other, b"\0from"))
    target = address_of(other, b"\0to")
    for _ in range(11):
        assert other.call(sendto, sender, other.put(b"hi"), 2, 0, *target) == 2
    assert other.start(sendto, sender, other.put(b"hi"), 2, 0, *target) is None
    buffer, place = task.put(10), task.put(110)
    size = task.put(struct.pack("<i", 110))
    assert task.call(recvfrom, receiver, buffer, 10, 0, place, size) == 2
    assert task.get(place, 7) == struct.pack("<H", AF_UNIX) + b"\0from"
    assert other.result == 2


def test_seqpacket_connection(world: IoWorld, task: IoTask) -> None:
    """Packets over a connection, with an end."""
    listener = server(task, b"\0packets", kind=SOCK_SEQPACKET)
    fd = task.call(socket, AF_UNIX, SOCK_SEQPACKET, 0)
    assert task.call(connect, fd, *address_of(task, b"\0packets")) == 0
    accepted = task.call(accept, listener, 0, 0)
    send(task, fd, b"one")
    send(task, fd, b"two")
    assert receive(task, accepted) == b"one"
    task.files.remove(as_task(task), fd)
    assert receive(task, accepted) == b"two"
    assert receive(task, accepted) == b""
    assert send(task, accepted, b"x") == -errno.EPIPE and not task.sent_signals


def test_blocking_send_and_receive(world: IoWorld, task: IoTask) -> None:
    """A full stream blocks the writer; SIGPIPE comes with EPIPE unless it is not wanted."""
    first, second = pair(task)
    other = task.fork()
    size = 1_000_000
    assert task.start(sendto, first, task.put(b"y" * size), size, 0, 0, 0) is None
    got = 0
    while got < size:
        piece = receive(other, second, 100_000)
        assert isinstance(piece, bytes) and piece
        got += len(piece)
    assert task.result == size
    assert task.call(shutdown, first, 1) == 0
    assert send(task, first, b"x", MSG_NOSIGNAL) == -errno.EPIPE and not task.sent_signals
    assert task.call(write, first, task.put(b"x"), 1) == -errno.EPIPE
    assert task.sent_signals == [SIGPIPE]
    assert other.call(read, second, other.put(5), 5) == 0


def test_receive_timeout(world: IoWorld, task: IoTask) -> None:
    """SO_RCVTIMEO: EAGAIN when it is over, EINTR instead of a restart."""
    first, _ = pair(task)
    value = task.put(struct.pack("<qq", 0, 5000))
    assert task.call(setsockopt, first, SOL_SOCKET, 20, value, 16) == 0
    assert task.start(recvfrom, first, task.put(5), 5, 0, 0, 0) is None
    world.advance(5_000_000)
    assert task.result == -errno.EAGAIN
