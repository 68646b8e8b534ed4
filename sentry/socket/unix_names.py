"""Names of AF_UNIX sockets: unix(7).

A name is the bytes of sun_path: a file's path (without the closing NUL), or an abstract name that
begins with a NUL byte.  Path names lead to an inode, which the anonymous file system's registry
leads to the socket; abstract names belong to the network namespace.
"""

from runsc_py.sentry.abi.sockets import (
    AF_UNIX,
    SOCKADDR_UN_SIZE,
)
from runsc_py.sentry.errors import (
    EADDRINUSE,
    ECONNREFUSED,
    EEXIST,
    EINVAL,
    EPROTOTYPE,
)
from runsc_py.sentry.fs.anonymous import anonymous_file_system
from runsc_py.sentry.socket.socket import Socket
from runsc_py.sentry.vfs.attributes import S_IFMT, S_IFSOCK
from runsc_py.sentry.vfs.operations import make_socket_file
from runsc_py.sentry.vfs.permissions import MAY_WRITE, check
from runsc_py.sentry.vfs.walk import walk

TYPE_CHECKING = False
if TYPE_CHECKING:
    from runsc_py.sentry.kernel.task import Task
    from runsc_py.sentry.socket.host_unix import HostName
    from runsc_py.sentry.socket.unix import UnixSocket
    from runsc_py.sentry.vfs.inode import Inode
_FAMILY = AF_UNIX.to_bytes(2, "little")
#: sizeof(sa_family_t)
_PATH_OFFSET = 2
#: names of autobind: five hexadecimal digits
_AUTOBIND_NAMES = 1 << 20


def name_of(address: bytes) -> bytes:
    """The name in a struct sockaddr_un.  Errors: EINVAL."""
    if not _PATH_OFFSET < len(address) <= SOCKADDR_UN_SIZE or address[:2] != _FAMILY:
        raise EINVAL
    name = address[_PATH_OFFSET:]
    return name if name[0] == 0 else name.split(b"\0", 1)[0]


def address_of(name: bytes | None) -> bytes:
    """The struct sockaddr_un that shows a name; path names end with a NUL."""
    if not name:
        return _FAMILY
    return _FAMILY + name + (b"" if name[0] == 0 else b"\0")


class UnixName:
    """The name a socket is bound to, and what makes it found by it."""

    __slots__ = ("host", "inode", "name", "socket")

    def __init__(self, socket: "UnixSocket") -> None:
        self.socket = socket
        #: None while unbound
        self.name: bytes | None = None
        #: of a path name
        self.inode: Inode | None = None
        #: the same name on the host, where the mount has it
        self.host: HostName | None = None

    def bind(self, task: "Task", address: bytes) -> None:
        """Errors: EINVAL (bound already, a bad address), EADDRINUSE, those of mknod(2)."""
        if address == _FAMILY:
            if self.name is None:
                self.autobind()
            return
        name = name_of(address)
        if self.name is not None:
            raise EINVAL
        if name[0] == 0:
            self._bind_abstract(name)
        else:
            self._bind_path(task, name)

    def _bind_path(self, task: "Task", name: bytes) -> None:
        try:
            path, descriptor = make_socket_file(task, name, self.socket.kind)
        except EEXIST:
            raise EADDRINUSE from None
        self.name = name
        self.inode = path.inode
        anonymous_file_system(task.kernel).bound_sockets[path.inode] = self.socket
        if descriptor >= 0:
            from runsc_py.sentry.socket.host_unix import HostName

            self.host = HostName(task, self.socket, descriptor)

    def _bind_abstract(self, name: bytes) -> None:
        names = self.socket.namespace.abstract_sockets
        if name in names:
            raise EADDRINUSE
        self.name = name
        names[name] = self.socket

    def autobind(self) -> None:
        """Take a free abstract name.  Errors: EADDRINUSE when there is none."""
        names = self.socket.namespace.abstract_sockets
        first = int.from_bytes(self.socket.kernel.random(4), "little")
        for offset in range(_AUTOBIND_NAMES):
            name = b"\0%05x" % ((first + offset) % _AUTOBIND_NAMES)
            if name not in names:
                self._bind_abstract(name)
                return
        raise EADDRINUSE

    def release(self) -> None:
        """The socket is gone; its file, if it has one, stays."""
        if self.host is not None:
            self.host.close()
            self.host = None
        if self.inode is not None:
            sockets = anonymous_file_system(self.socket.kernel).bound_sockets
            if sockets.get(self.inode) is self.socket:
                del sockets[self.inode]
            self.inode = None
        elif self.name is not None:
            names = self.socket.namespace.abstract_sockets
            if names.get(self.name) is self.socket:
                del names[self.name]


def find_socket(task: "Task", socket: Socket, name: bytes) -> Socket:
    """The socket bound to `name`, of the same type as `socket`.

    Errors: ECONNREFUSED, EPROTOTYPE, EAGAIN (the host's server has no room), those of a path
    walk, EACCES.
    """
    if name[0] == 0:
        found = socket.namespace.abstract_sockets.get(name)
    else:
        inode = walk(task, name).inode
        check(task.credentials, inode, MAY_WRITE)
        found = anonymous_file_system(task.kernel).bound_sockets.get(inode)
        if found is None and inode.mode & S_IFMT == S_IFSOCK:
            from runsc_py.sentry.socket.host_unix import reach_host

            found = reach_host(task, socket, inode, name)
    if found is None:
        raise ECONNREFUSED
    if found.kind != socket.kind:
        raise EPROTOTYPE
    return found
