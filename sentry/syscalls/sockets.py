"""Sockets: making, naming and connecting them, and their options.

What a socket is: `socket/socket.py`.  Data goes through `syscalls/socket_messages.py`.
"""

from runsc_py.sentry.abi.ioctl import INT
from runsc_py.sentry.abi.sockets import (
    MAXIMUM_ADDRESS_SIZE,
    SHUT_RDWR,
    SOCK_CLOEXEC,
    SOCK_NONBLOCK,
)
from runsc_py.sentry.errors import (
    EAGAIN,
    EALREADY,
    ECONNABORTED,
    EFAULT,
    EINPROGRESS,
    EINVAL,
    ENOTCONN,
    ENOTSOCK,
)
from runsc_py.sentry.kernel.task import Task
from runsc_py.sentry.kernel.waiting import READABLE, WRITABLE
from runsc_py.sentry.socket.families import make_socket, make_socket_pair, split_type
from runsc_py.sentry.socket.socket import Socket
from runsc_py.sentry.syscalls.pipes import install_pair
from runsc_py.sentry.syscalls.socket_blocking import retry
from runsc_py.sentry.syscalls.table import syscall
from runsc_py.sentry.syscalls.types import (
    Fd,
    InSocketAddress,
    InSocketOption,
    Int,
    OutFdPair,
    OutSocketAddress,
    OutSocketLength,
    OutSocketOption,
    ShutdownHow,
    SocketDomain,
    SocketLevel,
    SocketOption,
    SocketProtocol,
    SocketType,
)
from runsc_py.sentry.vfs.open_file import O_NONBLOCK

#: no option's value is longer
_MAXIMUM_OPTION_SIZE = 65536


def get_socket(task: Task, fd: int) -> Socket:
    """The socket of a descriptor.  Errors: EBADF, ENOTSOCK."""
    file = task.files.get_io(fd)
    if not isinstance(file, Socket):
        raise ENOTSOCK
    return file


# -- addresses ----------------------------------------------------------------------------


def copy_in_address(task: Task, address: int, size: int) -> bytes:
    """A sockaddr.  Errors: EINVAL (an impossible size), EFAULT."""
    if not 0 <= size <= MAXIMUM_ADDRESS_SIZE:
        raise EINVAL
    return task.memory.copy_in(address, size) if size else b""


def copy_out_address(task: Task, raw: bytes | None, address: int, size_address: int) -> None:
    """Fill the caller's buffer as far as it goes and say how long the address is.

    Errors: EFAULT, EINVAL (a negative size).
    """
    room = INT.unpack(task.memory.copy_in(size_address, INT.size))[0]
    if room < 0:
        raise EINVAL
    raw = raw or b""
    if room:
        task.memory.copy_out(address, raw[:room])
    task.memory.copy_out(size_address, INT.pack(len(raw)))


# -- making -------------------------------------------------------------------------------


@syscall(41, "socket")
def socket(task: Task, domain: SocketDomain, kind: SocketType, protocol: SocketProtocol) -> int:
    """socket(2)"""
    kind, flags = split_type(kind)
    file = make_socket(task, domain, kind, protocol, flags)
    return task.files.add(file, bool(flags & SOCK_CLOEXEC))


@syscall(53, "socketpair")
def socketpair(
    task: Task,
    domain: SocketDomain,
    kind: SocketType,
    protocol: SocketProtocol,
    descriptors: OutFdPair,
) -> int:
    """socketpair(2)"""
    kind, flags = split_type(kind)
    pair = make_socket_pair(task, domain, kind, protocol, flags)
    return install_pair(task, descriptors, pair, bool(flags & SOCK_CLOEXEC))


# -- names and connections ----------------------------------------------------------------


@syscall(49, "bind")
def bind(task: Task, fd: Fd, address: InSocketAddress, size: Int) -> int:
    """bind(2)"""
    file = get_socket(task, fd)
    file.bind(task, copy_in_address(task, address, size))
    return 0


@syscall(50, "listen")
def listen(task: Task, fd: Fd, backlog: Int) -> int:
    """listen(2)"""
    get_socket(task, fd).listen(task, backlog)
    return 0


@syscall(43, "accept")
async def accept(task: Task, fd: Fd, address: OutSocketAddress, size: OutSocketLength) -> int:
    """accept(2)"""
    return await _accept(task, fd, address, size, 0)


@syscall(288, "accept4")
async def accept4(
    task: Task, fd: Fd, address: OutSocketAddress, size: OutSocketLength, flags: SocketType
) -> int:
    """accept(2)"""
    return await _accept(task, fd, address, size, flags)


async def _accept(task: Task, fd: int, address: int, size: int, flags: int) -> int:
    if flags & ~(SOCK_CLOEXEC | SOCK_NONBLOCK):
        raise EINVAL
    listener = get_socket(task, fd)
    may_wait = not listener.flags & O_NONBLOCK
    file = await retry(
        task,
        listener,
        READABLE,
        lambda: listener.accept(task),
        may_wait,
        listener.receive_timeout,
    )
    if flags & SOCK_NONBLOCK:
        file.flags |= O_NONBLOCK
    new_fd = task.files.add(file, bool(flags & SOCK_CLOEXEC))
    if address:
        try:
            copy_out_address(task, file.peer_address(), address, size)
        except (EFAULT, EINVAL):
            task.files.remove(task, new_fd)
            raise
        except ENOTCONN:
            task.files.remove(task, new_fd)
            raise ECONNABORTED from None
    return new_fd


@syscall(42, "connect")
async def connect(task: Task, fd: Fd, address: InSocketAddress, size: Int) -> int:
    """connect(2)"""
    file = get_socket(task, fd)
    raw = copy_in_address(task, address, size)
    may_wait = not file.flags & O_NONBLOCK
    try:
        await retry(
            task, file, WRITABLE, lambda: file.connect(task, raw), may_wait, file.send_timeout
        )
    except (EINPROGRESS, EALREADY):
        if not may_wait:
            raise
        try:
            await retry(task, file, WRITABLE, file.finish_connecting, True, file.send_timeout)
        except EAGAIN:
            raise EINPROGRESS from None
    return 0


@syscall(48, "shutdown")
def shutdown(task: Task, fd: Fd, how: ShutdownHow) -> int:
    """shutdown(2)"""
    file = get_socket(task, fd)
    if not 0 <= how <= SHUT_RDWR:
        raise EINVAL
    file.shutdown(how)
    return 0


@syscall(51, "getsockname")
def getsockname(task: Task, fd: Fd, address: OutSocketAddress, size: OutSocketLength) -> int:
    """getsockname(2)"""
    copy_out_address(task, get_socket(task, fd).local_address(), address, size)
    return 0


@syscall(52, "getpeername")
def getpeername(task: Task, fd: Fd, address: OutSocketAddress, size: OutSocketLength) -> int:
    """getpeername(2)"""
    copy_out_address(task, get_socket(task, fd).peer_address(), address, size)
    return 0


# -- options ------------------------------------------------------------------------------


@syscall(54, "setsockopt")
def setsockopt(
    task: Task, fd: Fd, level: SocketLevel, name: SocketOption, value: InSocketOption, size: Int
) -> int:
    """setsockopt(2)"""
    file = get_socket(task, fd)
    if not 0 <= size <= _MAXIMUM_OPTION_SIZE:
        raise EINVAL
    file.set_option(task, level, name, task.memory.copy_in(value, size) if size else b"")
    return 0


@syscall(55, "getsockopt")
def getsockopt(
    task: Task,
    fd: Fd,
    level: SocketLevel,
    name: SocketOption,
    value: OutSocketOption,
    size: OutSocketLength,
) -> int:
    """getsockopt(2)"""
    file = get_socket(task, fd)
    room = INT.unpack(task.memory.copy_in(size, INT.size))[0]
    if room < 0:
        raise EINVAL
    data = file.get_option(task, level, name)[:room]
    if data:
        task.memory.copy_out(value, data)
    task.memory.copy_out(size, INT.pack(len(data)))
    return 0
