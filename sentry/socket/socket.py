"""`Socket`: what every kind of socket is to the system calls.

A socket is its own open file description.  Operations never block: they raise EAGAIN (connect:
EINPROGRESS) and `syscalls/sockets.py` waits.  Addresses cross this interface as raw sockaddr
bytes, already copied in and at most MAXIMUM_ADDRESS_SIZE long; each family reads its own.
"""

from runsc_py.sentry.abi.ioctl import INT
from runsc_py.sentry.abi.sockets import (
    MSG_DONTWAIT,
    MSG_NOSIGNAL,
    SIOCINQ,
    SIOCOUTQ,
    SO_RCVBUF,
    SO_SNDBUF,
    SOCK_NONBLOCK,
    SOL_SOCKET,
)
from runsc_py.sentry.errors import BY_NUMBER, ENOTTY, EOPNOTSUPP, KernelError
from runsc_py.sentry.fs.anonymous import anonymous_path
from runsc_py.sentry.socket.messages import Incoming, Outgoing
from runsc_py.sentry.vfs.attributes import S_IFSOCK
from runsc_py.sentry.vfs.open_file import O_NONBLOCK, O_RDWR, OpenFile

TYPE_CHECKING = False
if TYPE_CHECKING:
    from runsc_py.sentry.kernel.task import Task
    from runsc_py.sentry.socket.messages import SocketCredentials
    from runsc_py.sentry.socket.namespace import NetworkNamespace

#: SO_SNDBUF and SO_RCVBUF of a new socket (/proc/sys/net/core/wmem_default)
DEFAULT_BUFFER = 212992


class Socket(OpenFile):
    """An open socket of any family."""

    __slots__ = (
        "family",
        "kernel",
        "kind",
        "namespace",
        "options",
        "pending_error",
        "protocol",
        "receive_timeout",
        "send_timeout",
    )

    #: options that are only kept, by (level, name), with their defaults
    kept_options: dict[tuple[int, int], int] = {}
    #: what an option that is not even kept fails with
    unknown_option_error = EOPNOTSUPP

    def __init__(self, task: "Task", family: int, kind: int, protocol: int, flags: int = 0) -> None:
        """`flags` may have SOCK_NONBLOCK, which is O_NONBLOCK."""
        path = anonymous_path(task, S_IFSOCK | 0o777, b"socket")
        super().__init__(path, O_RDWR | (O_NONBLOCK if flags & SOCK_NONBLOCK else 0))
        self.kernel = task.kernel
        self.namespace: NetworkNamespace = task.namespaces.network
        self.family = family
        #: SOCK_STREAM and the like
        self.kind = kind
        self.protocol = protocol
        #: values of integer options that were set, by (level, name)
        self.options: dict[tuple[int, int], int] = {}
        #: errno that SO_ERROR or the next operation reports, 0 for none
        self.pending_error = 0
        #: SO_RCVTIMEO and SO_SNDTIMEO, nanoseconds; 0 is no limit
        self.receive_timeout = 0
        self.send_timeout = 0

    def adopt(self, task: "Task") -> None:
        """An accepted socket becomes a file of the task that accepts it."""
        self.path = anonymous_path(task, S_IFSOCK | 0o777, b"socket")
        self.inode = self.path.inode

    # -- names and connections ------------------------------------------------------------

    def bind(self, task: "Task", address: bytes) -> None:
        """bind(2)."""
        raise EOPNOTSUPP

    def listen(self, task: "Task", backlog: int) -> None:
        """listen(2)."""
        raise EOPNOTSUPP

    def accept(self, task: "Task") -> "Socket":
        """The next connection; it takes no flags over.  Errors: EAGAIN, EINVAL, EOPNOTSUPP."""
        raise EOPNOTSUPP

    def connect(self, task: "Task", address: bytes) -> None:
        """connect(2).  Errors: EAGAIN (try again when writable), EINPROGRESS (SO_ERROR tells)."""
        raise EOPNOTSUPP

    def finish_connecting(self) -> None:
        """How a connect that was EINPROGRESS went: EAGAIN while nobody knows, or its error."""
        self.raise_pending_error()

    def shutdown(self, how: int) -> None:
        """shutdown(2) with a valid SHUT_*."""
        raise EOPNOTSUPP

    def local_address(self) -> bytes:
        """getsockname(2)."""
        raise EOPNOTSUPP

    def peer_address(self) -> bytes:
        """getpeername(2).  Errors: ENOTCONN."""
        raise EOPNOTSUPP

    @property
    def is_listening(self) -> bool:
        return False

    def peer_credentials(self) -> "SocketCredentials | None":
        """SO_PEERCRED, where there is such a thing."""
        return None

    # -- data ---------------------------------------------------------------------------------

    def send(self, task: "Task", message: Outgoing) -> int:
        """Send what fits (a stream) or all of it; returns the bytes taken.

        Errors: EAGAIN, EPIPE, ECONNRESET, ENOTCONN, EDESTADDRREQ, EMSGSIZE, EISCONN.
        """
        raise EOPNOTSUPP

    def receive(self, task: "Task", size: int, flags: int) -> Incoming:
        """The next bytes or message, up to `size`.

        MSG_DONTWAIT says that the caller will not wait; EAGAIN is raised in any case.
        Errors: EAGAIN, ENOTCONN, ECONNRESET.
        """
        raise EOPNOTSUPP

    def read(self, size: int) -> bytes:
        if not size:
            return b""
        flags = MSG_DONTWAIT if self.flags & O_NONBLOCK else 0
        message = self.receive(self.kernel.current_task, size, flags)
        message.drop_rights()
        return message.data

    def write(self, data: bytes) -> int:
        # Whoever called write(2) sends SIGPIPE itself (OpenFile.sends_sigpipe).
        return self.send(self.kernel.current_task, Outgoing(data, MSG_NOSIGNAL))

    def take_error(self) -> int:
        """SO_ERROR: the pending error, which is thereby reported; 0 for none."""
        number, self.pending_error = self.pending_error, 0
        return number

    def raise_pending_error(self) -> None:
        """Fail with the pending error, if there is one."""
        if self.pending_error:
            raise BY_NUMBER[self.take_error()]

    def set_error(self, error: type[KernelError]) -> None:
        """Something happened that the next operation has to report."""
        self.pending_error = error.number

    def pending_bytes(self) -> int:
        """FIONREAD.  Errors: EINVAL (it listens)."""
        raise EOPNOTSUPP

    def unread_by_peer(self) -> int:
        """SIOCOUTQ: bytes sent that the other end has not taken."""
        return 0

    # -- options ------------------------------------------------------------------------------

    def option(self, level: int, name: int) -> int:
        """The value of an integer option that is only kept."""
        value = self.options.get((level, name))
        return value if value is not None else self.kept_options[level, name]

    def get_option(self, task: "Task", level: int, name: int) -> bytes:
        """getsockopt(2).  Errors: ENOPROTOOPT, EOPNOTSUPP (an unknown level), EINVAL."""
        from runsc_py.sentry.socket.options import get_socket_option

        if level == SOL_SOCKET:
            return get_socket_option(self, task, name)
        if (level, name) not in self.kept_options:
            raise self.unknown_option_error
        return INT.pack(self.option(level, name))

    def set_option(self, task: "Task", level: int, name: int, value: bytes) -> None:
        """setsockopt(2).  Errors: ENOPROTOOPT, EINVAL (too short), EPERM, EDOM."""
        from runsc_py.sentry.socket.options import integer_of, set_socket_option

        if level == SOL_SOCKET:
            set_socket_option(self, task, name, value)
        elif (level, name) in self.kept_options:
            self.options[level, name] = integer_of(value)
        else:
            raise self.unknown_option_error

    @property
    def send_buffer(self) -> int:
        """SO_SNDBUF, bytes as getsockopt(2) shows them."""
        return self.options.get((SOL_SOCKET, SO_SNDBUF), DEFAULT_BUFFER)

    @property
    def receive_buffer(self) -> int:
        """SO_RCVBUF, bytes as getsockopt(2) shows them."""
        return self.options.get((SOL_SOCKET, SO_RCVBUF), DEFAULT_BUFFER)

    # -- the open file --------------------------------------------------------------------------

    def ioctl(self, task: "Task", request: int, argument: int) -> int:
        if request == SIOCINQ:
            value = self.pending_bytes()
        elif request == SIOCOUTQ:
            value = self.unread_by_peer()
        elif request >> 8 == 0x89:
            from runsc_py.sentry.socket.interfaces import interface_ioctl

            return interface_ioctl(self.namespace, task, request, argument)
        else:
            raise ENOTTY
        task.memory.copy_out(argument, INT.pack(value))
        return 0
