"""Data through sockets: send(2), recv(2) and their relatives."""

from runsc_py.sentry.abi.sockets import (
    AF_INET,
    AF_INET6,
    MAXIMUM_ADDRESS_SIZE,
    MMSGHDR_SIZE,
    MSG_CMSG_CLOEXEC,
    MSG_CONTROLLEN_OFFSET,
    MSG_DONTWAIT,
    MSG_ERRQUEUE,
    MSG_FLAGS_OFFSET,
    MSG_LEN_OFFSET,
    MSG_NAMELEN_OFFSET,
    MSG_NOSIGNAL,
    MSG_PEEK,
    MSG_TRUNC,
    MSG_WAITALL,
    MSG_WAITFORONE,
    MSGHDR,
    UIO_MAXIOV,
)
from runsc_py.sentry.errors import EAGAIN, EINVAL, EMSGSIZE, EPIPE, KernelError
from runsc_py.sentry.kernel.task import Task
from runsc_py.sentry.kernel.waiting import READABLE, WRITABLE, Interrupted
from runsc_py.sentry.socket.messages import Incoming, Outgoing
from runsc_py.sentry.socket.socket import Socket
from runsc_py.sentry.syscalls.socket_blocking import retry
from runsc_py.sentry.syscalls.socket_control import build_control, copy_in_control
from runsc_py.sentry.syscalls.sockets import copy_in_address, copy_out_address, get_socket
from runsc_py.sentry.syscalls.table import syscall
from runsc_py.sentry.syscalls.time_arguments import copy_in_timeout
from runsc_py.sentry.syscalls.transfer import (
    Segment,
    broken_pipe,
    copy_in_segments,
    gather,
    pieces,
    scatter,
    total,
)
from runsc_py.sentry.syscalls.types import (
    Address,
    Fd,
    InBuffer,
    InMessage,
    InSocketAddress,
    Int,
    InTimespec,
    MessageFlags,
    OutBuffer,
    OutMessage,
    OutSocketAddress,
    OutSocketLength,
    Size,
    UnsignedInt,
)
from runsc_py.sentry.vfs.open_file import O_NONBLOCK

#: no message that keeps its boundaries is longer
_MAXIMUM_MESSAGE = 1 << 20
_MAXIMUM_SIZE = 0x7FFFF000


# -- sending ------------------------------------------------------------------------------


async def _send(task: Task, file: Socket, segments: list[Segment], message: Outgoing) -> int:
    """Send the segments; for a stream all of them, unless it may not wait."""
    if not file.writes_whole:
        if total(segments) > _MAXIMUM_MESSAGE:
            raise EMSGSIZE
        message.data = gather(task, segments) if segments else b""
        return await _send_part(task, file, message)
    done = 0
    for piece in pieces(segments):
        try:
            message.data = gather(task, piece) if piece else b""
            while True:
                sent = await _send_part(task, file, message)
                done += sent
                if sent == len(message.data):
                    break
                message = message.rest(sent)
        except (KernelError, OSError, Interrupted):
            if not done:
                raise
            break
        message = message.rest(sent)
    return done


async def _send_part(task: Task, file: Socket, message: Outgoing) -> int:
    may_wait = not (file.flags & O_NONBLOCK or message.flags & MSG_DONTWAIT)
    try:
        return await retry(
            task,
            file,
            WRITABLE,
            lambda: file.send(task, message),
            may_wait,
            file.send_timeout,
        )
    except (EPIPE, BrokenPipeError):
        if not message.flags & MSG_NOSIGNAL:
            broken_pipe(task, file)
        raise


@syscall(44, "sendto")
async def sendto(
    task: Task,
    fd: Fd,
    buffer: InBuffer,
    size: Size,
    flags: MessageFlags,
    address: InSocketAddress,
    address_size: Int,
) -> int:
    """send(2)"""
    file = get_socket(task, fd)
    raw = copy_in_address(task, address, address_size) if address else None
    message = Outgoing(b"", flags, raw)
    return await _send(task, file, [(buffer, min(size, _MAXIMUM_SIZE))], message)


@syscall(46, "sendmsg")
async def sendmsg(task: Task, fd: Fd, message: InMessage, flags: MessageFlags) -> int:
    """send(2)"""
    return await _send_message(task, get_socket(task, fd), message, flags)


async def _send_message(task: Task, file: Socket, address: int, flags: int) -> int:
    """One struct msghdr."""
    header = _copy_in_header(task, address)
    name, name_size, vector, vector_size, control, control_size, _ = header
    segments = copy_in_segments(task, vector, vector_size)
    raw = copy_in_address(task, name, name_size) if name and name_size else None
    outgoing = Outgoing(b"", flags, raw)
    if control and control_size:
        copy_in_control(task, file, control, control_size, outgoing)
    return await _send(task, file, segments, outgoing)


def _copy_in_header(task: Task, address: int) -> tuple[int, int, int, int, int, int, int]:
    """A struct msghdr with its lengths checked.  Errors: EFAULT, EINVAL, EMSGSIZE."""
    name, name_size, vector, vector_size, control, control_size, flags = MSGHDR.unpack(
        task.memory.copy_in(address, MSGHDR.size)
    )
    if name_size < 0:
        raise EINVAL
    if vector_size > UIO_MAXIOV:
        raise EMSGSIZE
    name_size = min(name_size, MAXIMUM_ADDRESS_SIZE)
    return name, name_size, vector, vector_size, control, control_size, flags


@syscall(307, "sendmmsg")
async def sendmmsg(
    task: Task, fd: Fd, messages: Address, count: UnsignedInt, flags: MessageFlags
) -> int:
    """sendmmsg(2): an error after the first message is the next call's."""
    file = get_socket(task, fd)
    sent = 0
    try:
        for index in range(min(count, UIO_MAXIOV)):
            address = messages + index * MMSGHDR_SIZE
            size = await _send_message(task, file, address, flags)
            task.memory.copy_out(address + MSG_LEN_OFFSET, size.to_bytes(4, "little"))
            sent += 1
    except (KernelError, OSError, Interrupted):
        if not sent:
            raise
    return sent


# -- receiving ----------------------------------------------------------------------------


async def _receive(task: Task, file: Socket, size: int, flags: int) -> Incoming:
    """The next message, or bytes; with MSG_WAITALL as many as asked for."""
    if flags & MSG_ERRQUEUE and file.family in (AF_INET, AF_INET6):
        raise EAGAIN  # no errors are queued (ip(7), IP_RECVERR), and nobody waits for one
    if file.flags & O_NONBLOCK:
        flags |= MSG_DONTWAIT
    may_wait = not flags & MSG_DONTWAIT
    message = await _receive_part(task, file, size, flags, may_wait)
    if not flags & MSG_WAITALL or not file.writes_whole or flags & MSG_PEEK:
        return message
    parts = [message.data]
    missing = size - len(message.data)
    while missing and parts[-1] and not message.rights:
        try:
            more = await _receive_part(task, file, missing, flags, may_wait)
        except (KernelError, OSError, Interrupted):
            break
        parts.append(more.data)
        missing -= len(more.data)
        message.rights = more.rights
    message.data = b"".join(parts)
    message.full_size = len(message.data)
    return message


async def _receive_part(
    task: Task, file: Socket, size: int, flags: int, may_wait: bool
) -> Incoming:
    return await retry(
        task,
        file,
        READABLE,
        lambda: file.receive(task, size, flags),
        may_wait,
        file.receive_timeout,
    )


@syscall(45, "recvfrom")
async def recvfrom(
    task: Task,
    fd: Fd,
    buffer: OutBuffer,
    size: Size,
    flags: MessageFlags,
    address: OutSocketAddress,
    address_size: OutSocketLength,
) -> int:
    """recv(2)"""
    file = get_socket(task, fd)
    message = await _receive(task, file, min(size, _MAXIMUM_SIZE), flags)
    message.drop_rights()
    if message.data:
        task.memory.copy_out(buffer, message.data)
    if address:
        copy_out_address(task, message.address, address, address_size)
    return message.full_size if flags & MSG_TRUNC else len(message.data)


@syscall(47, "recvmsg")
async def recvmsg(task: Task, fd: Fd, message: OutMessage, flags: MessageFlags) -> int:
    """recv(2)"""
    return await _receive_message(task, get_socket(task, fd), message, flags)


async def _receive_message(task: Task, file: Socket, address: int, flags: int) -> int:
    """One struct msghdr."""
    header = _copy_in_header(task, address)
    name, _, vector, vector_size, control, control_size, _ = header
    segments = copy_in_segments(task, vector, vector_size)
    message = await _receive(task, file, total(segments), flags)
    memory = task.memory
    room = control_size if control else 0
    writer = build_control(task, file, message, room, flags)
    if message.data:
        scatter(task, segments, message.data)
    if writer.data:
        memory.copy_out(control, writer.data)
    if name:
        copy_out_address(task, message.address, name, address + MSG_NAMELEN_OFFSET)
    memory.copy_out(address + MSG_CONTROLLEN_OFFSET, len(writer.data).to_bytes(8, "little"))
    shown = message.flags | writer.flags | flags & MSG_CMSG_CLOEXEC
    memory.copy_out(address + MSG_FLAGS_OFFSET, shown.to_bytes(4, "little"))
    return message.full_size if flags & MSG_TRUNC else len(message.data)


@syscall(299, "recvmmsg")
async def recvmmsg(
    task: Task,
    fd: Fd,
    messages: Address,
    count: UnsignedInt,
    flags: MessageFlags,
    timeout: InTimespec,
) -> int:
    """recvmmsg(2): the timeout is looked at after each message, as in Linux."""
    file = get_socket(task, fd)
    deadline = copy_in_timeout(task, timeout)
    received = 0
    each_flags = flags & ~MSG_WAITFORONE
    try:
        for index in range(min(count, UIO_MAXIOV)):
            address = messages + index * MMSGHDR_SIZE
            size = await _receive_message(task, file, address, each_flags)
            task.memory.copy_out(address + MSG_LEN_OFFSET, size.to_bytes(4, "little"))
            received += 1
            if flags & MSG_WAITFORONE:
                each_flags |= MSG_DONTWAIT
            if deadline is not None and task.kernel.clock.monotonic() >= deadline:
                break
    except (KernelError, OSError, Interrupted):
        if not received:
            raise
    return received
