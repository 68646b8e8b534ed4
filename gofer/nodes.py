"""What a gofer holds: its mounts, and a node for every file the client walked to.

A node is an O_PATH descriptor and what the rules need to know of it.  All names that reach the
host pass check_name first; all host access goes through a directory's descriptor and one name,
or through the descriptor of the node itself.

Neighbours: reading.py and changing.py answer the messages with these; server.py owns the one
Gofer of the process.
"""

import errno
import os
from collections.abc import Iterable
from struct import Struct

from runsc_py.gofer import host
from runsc_py.gofer.protocol import ATTRIBUTES, MAX_NAME

S_IFMT = 0o170000
S_IFSOCK = 0o140000
S_IFLNK = 0o120000
S_IFREG = 0o100000
S_IFBLK = 0o060000
S_IFDIR = 0o040000
S_IFCHR = 0o020000
S_IFIFO = 0o010000

#: what Linux may invent is never shown to a client
_ACCEPTED_TYPES = frozenset((S_IFREG, S_IFDIR, S_IFLNK, S_IFCHR, S_IFBLK, S_IFSOCK, S_IFIFO))

# Descriptors kept free for opening, listing and donating when the table of nodes is full.
_RESERVED_DESCRIPTORS = 32

# Device and mode out of packed attributes (protocol.ATTRIBUTES).
_DEVICE_AND_MODE = Struct("=8x16sQ")
assert _DEVICE_AND_MODE.size <= ATTRIBUTES.size

# File systems whose files are the host kernel's controls, not data: statfs(2) f_type.  A guest
# that reached /proc/PID/mem of the sentry would own it, so they are shown as empty directories.
_KERNEL_FILESYSTEMS = frozenset(
    (
        0x00001CD1,  # devpts
        0x00009FA0,  # proc
        0x00009FA2,  # usbdevfs
        0x0027E0EB,  # cgroup
        0x07655821,  # resctrl
        0x09041934,  # anonymous inodes
        0x19800202,  # mqueue
        0x42494E4D,  # binfmt_misc
        0x43415D53,  # smackfs
        0x50494446,  # pidfs
        0x5A3C69F0,  # apparmorfs
        0x62656570,  # configfs
        0x62656572,  # sysfs
        0x63677270,  # cgroup2
        0x64626720,  # debugfs
        0x65735543,  # fusectl
        0x6165676C,  # pstore
        0x67596969,  # rpc_pipefs
        0x6E736673,  # nsfs
        0x6C6F6F70,  # binderfs
        0x73636673,  # securityfs
        0x74726163,  # tracefs
        0xABBA1974,  # xenfs
        0xCAFE4A11,  # bpf
        0xDE5E81E4,  # efivarfs
        0xF97CFF8C,  # selinuxfs
    )
)


class MountSpec:
    """One host file or directory to serve.

    `source` is a host path, resolved when the gofer starts, symbolic links included.
    `allow_connect` lets the client connect to the UNIX sockets beneath, `allow_bind` make such, if
    the mount is not read-only.  A directory that is a
    store (`is_store`) shows nothing of what is in it: the client may have unnamed files there.
    """

    __slots__ = ("allow_bind", "allow_connect", "is_store", "read_only", "source")

    def __init__(
        self,
        source: str | bytes,
        read_only: bool = True,
        allow_connect: bool = False,
        *,
        allow_bind: bool = False,
        is_store: bool = False,
    ) -> None:
        self.source = os.fsencode(source)
        self.read_only = read_only or is_store
        self.allow_connect = allow_connect
        self.allow_bind = allow_bind
        self.is_store = is_store


class Mount:
    """A mount being served: its root's descriptor, or why there is none."""

    __slots__ = ("allow_bind", "allow_connect", "error", "is_store", "read_only", "root")

    def __init__(self, spec: MountSpec) -> None:
        self.read_only = spec.read_only
        self.is_store = spec.is_store
        self.allow_connect = spec.allow_connect
        self.allow_bind = spec.allow_bind
        self.error = 0
        self.root = -1
        try:
            self.root = os.open(spec.source, os.O_PATH | os.O_CLOEXEC)
        except OSError as error:
            self.error = error.errno or errno.EIO

    def close(self) -> None:
        """Serve it no longer; nothing happens twice."""
        self.error = errno.ESTALE
        if self.root >= 0:
            os.close(self.root)
            self.root = -1


class Node:
    """An O_PATH descriptor of a file beneath a mount; `type` is its S_IFMT bits."""

    __slots__ = ("device", "fd", "mount", "sealed", "type")

    def __init__(self, fd: int, mount: Mount, device: bytes, file_type: int, sealed: bool) -> None:
        self.fd = fd
        self.mount = mount
        #: st_dev in packed form, to see where one file system ends
        self.device = device
        self.type = file_type
        #: of a kernel file system, or a store: can be looked at, not into
        self.sealed = sealed

    @property
    def link_name(self) -> bytes:
        """The node's magic link in /proc/self/fd, which is also the gofer's directory."""
        return b"%d" % self.fd


def check_name(name: object) -> bytes:
    """`name` if it is one component that cannot climb.  Errors: EINVAL, ENAMETOOLONG."""
    if type(name) is not bytes or not name or name == b"." or name == b"..":
        raise OSError(errno.EINVAL, "bad name")
    if b"/" in name or b"\0" in name:
        raise OSError(errno.EINVAL, "bad name")
    if len(name) > MAX_NAME:
        raise OSError(errno.ENAMETOOLONG, "name too long")
    return name


class Gofer:
    """All state of a gofer process."""

    def __init__(self, specs: Iterable[MountSpec], descriptor_limit: int) -> None:
        """Open the roots.  `descriptor_limit` is RLIMIT_NOFILE's soft value.

        Changes the working directory to /proc/self/fd: for the calls that take no descriptor
        (xattrs, connect), a node's number is then a path to the very inode it holds.
        """
        self.mounts = [Mount(spec) for spec in specs]
        #: /proc/self/fd, kept open: the one way to open a node again with other flags
        self.descriptors = os.open("/proc/self/fd", os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        os.fchdir(self.descriptors)
        #: descriptor that goes out with the reply being made, or -1
        self.donated = -1
        self.running = True
        self._nodes: dict[int, Node] = {}
        self._next_node = 1
        self._node_limit = descriptor_limit - _RESERVED_DESCRIPTORS - len(self.mounts)

    # -- finding nodes ---------------------------------------------------------

    def node(self, number: int) -> Node:
        """Errors: EBADF."""
        node = self._nodes.get(number)
        if node is None:
            raise OSError(errno.EBADF, "no such node")
        return node

    def directory_to_change(self, number: int) -> Node:
        """A directory in which names may be made and removed.  Errors: EBADF, ENOTDIR, EROFS."""
        node = self.node(number)
        if node.type != S_IFDIR:
            raise OSError(errno.ENOTDIR, "not a directory")
        check_writable(node)
        return node

    def directory_for_unnamed(self, number: int) -> Node:
        """A directory for a file without a name: one that may be changed, or a store's.

        Errors: as directory_to_change.
        """
        node = self.node(number)
        if node.mount.is_store and node.type == S_IFDIR:
            return node
        return self.directory_to_change(number)

    def node_to_change(self, number: int) -> Node:
        """Errors: EBADF, EROFS."""
        node = self.node(number)
        check_writable(node)
        return node

    # -- making and closing them -----------------------------------------------

    def add_root(self, mount: Mount) -> tuple[int, bytes]:
        """A node of a mount's root.  Errors: EACCES for a kernel file system, or why it failed."""
        if mount.error:
            raise OSError(mount.error, os.strerror(mount.error))
        self._check_room()
        number, attributes = self.add(os.dup(mount.root), mount, None)
        node = self._nodes[number]
        if node.sealed:
            self.close(number)
            raise OSError(errno.EACCES, "a kernel file system")
        node.sealed = mount.is_store
        return number, attributes

    def step(self, directory: Node, name: bytes) -> tuple[int, bytes]:
        """A new node of `name` (checked) in `directory`.

        Errors: ENOENT, ENOTDIR, EACCES, EPERM for a type that is not served, EMFILE.
        """
        if directory.sealed:
            raise OSError(errno.ENOENT, "a kernel file system")
        self._check_room()
        fd, attributes = host.walk(directory.fd, name)
        return self.add(fd, directory.mount, directory, attributes)

    def add(
        self, fd: int, mount: Mount, parent: Node | None, attributes: bytes | None = None
    ) -> tuple[int, bytes]:
        """A new node that takes over the O_PATH descriptor `fd`, closed if this fails."""
        try:
            if attributes is None:
                attributes = host.stat(fd)
            device, mode = _DEVICE_AND_MODE.unpack_from(attributes)
            file_type = mode & S_IFMT
            if file_type not in _ACCEPTED_TYPES or (
                file_type == S_IFBLK and os.fstat(fd).st_mode & S_IFMT == S_IFBLK
            ):
                raise OSError(errno.EPERM, "file type is not served")  # a block device of the host
            if parent is not None and parent.device == device:
                sealed = parent.sealed
            else:
                sealed = host.statfs(fd)[0] in _KERNEL_FILESYSTEMS
        except BaseException:
            os.close(fd)
            raise
        number = self._next_node
        self._next_node = number + 1
        self._nodes[number] = Node(fd, mount, device, file_type, sealed)
        return number, attributes

    def count(self) -> int:
        """How many nodes the client has."""
        return len(self._nodes)

    def _check_room(self) -> None:
        if len(self._nodes) >= self._node_limit:
            raise OSError(errno.EMFILE, "too many nodes")

    def close(self, number: int) -> None:
        """Errors: EBADF."""
        node = self._nodes.pop(number, None)
        if node is None:
            raise OSError(errno.EBADF, "no such node")
        os.close(node.fd)

    # -- descriptors of other kinds --------------------------------------------

    def reopen(self, node: Node, flags: int) -> int:
        """A new descriptor of the node's own inode, through its magic link.

        The caller has checked the type: a FIFO or device must never come here.
        """
        return os.open(node.link_name, flags | os.O_CLOEXEC | os.O_NOCTTY, dir_fd=self.descriptors)

    def donate(self, fd: int) -> None:
        """Send `fd` with the reply and close it."""
        self.donated = fd


def check_writable(node: Node) -> None:
    """Errors: EROFS."""
    if node.mount.read_only or node.sealed:
        raise OSError(errno.EROFS, "read-only")
