"""Messages that change nothing on the host: walking, looking, opening, listing.

Each handler takes the Gofer and the fields of its message, whose number and types server.py has
checked against protocol.MESSAGES, and returns the fields of the reply or raises OSError.
Neighbours: changing.py, the same for messages that change something.
"""

import errno
import os
from _socket import AF_UNIX, SOCK_CLOEXEC, SOCK_DGRAM, SOCK_NONBLOCK, SOCK_SEQPACKET, SOCK_STREAM
from _socket import socket as Socket
from collections.abc import Callable
from struct import Struct

from runsc_py.gofer import host, protocol
from runsc_py.gofer.nodes import (
    S_IFBLK,
    S_IFCHR,
    S_IFDIR,
    S_IFLNK,
    S_IFREG,
    S_IFSOCK,
    Gofer,
    Mount,
    Node,
    check_name,
    check_writable,
)

Reply = tuple[object, ...]
Handler = Callable[..., Reply]

# The head of struct linux_dirent64: d_ino, d_off, d_reclen, d_type; the name follows.
_DIRENT = Struct("=QqHB")
_unpack_dirent = _DIRENT.unpack_from
_DIRENT_SIZE = _DIRENT.size
_LONGEST_DIRENT = (_DIRENT_SIZE + protocol.MAX_NAME + 1 + 7) & ~7

_NO_ATTRIBUTES = bytes(protocol.ATTRIBUTES.size)

# Why a file of some type is not opened; regular files are.
_OPEN_ERRORS = {
    S_IFDIR: errno.EISDIR,  # listed by readdir; a directory descriptor would be a way out
    S_IFLNK: errno.ELOOP,
    S_IFSOCK: errno.ENXIO,
    S_IFCHR: errno.EACCES,  # as on a mount with nodev
    S_IFBLK: errno.EACCES,
}


def _mount_of(gofer: Gofer, index: int) -> Mount:
    if not 0 <= index < len(gofer.mounts):
        raise OSError(errno.EINVAL, "no such mount")
    return gofer.mounts[index]


def mount(gofer: Gofer, index: int) -> Reply:
    mounted = _mount_of(gofer, index)
    root, attributes = gofer.add_root(mounted)
    return root, attributes, int(mounted.read_only), tuple(protocol.MESSAGES)


def walk(gofer: Gofer, directory: int, names: tuple[object, ...]) -> Reply:
    """Nodes of one name after the other; ends behind a symbolic link or before a failure."""
    checked = [check_name(name) for name in names]
    node = gofer.node(directory)
    found: list[tuple[int, bytes]] = []
    for name in checked:
        try:
            entry = gofer.step(node, name)
        except OSError as error:
            return error.errno, tuple(found)
        found.append(entry)
        node = gofer.node(entry[0])
        if node.type == S_IFLNK:
            break
    return 0, tuple(found)


def walk_stat(gofer: Gofer, directory: int, names: tuple[object, ...]) -> Reply:
    """Like walk, but no node is left."""
    failed, found = walk(gofer, directory, names)
    assert isinstance(found, tuple)
    for number, _ in found:
        gofer.close(number)
    return failed, tuple([attributes for _, attributes in found])


def walk_each(gofer: Gofer, directory: int, names: tuple[object, ...]) -> Reply:
    """Nodes of several names of one directory; symbolic links are nodes, too."""
    checked = [check_name(name) for name in names]
    node = gofer.node(directory)
    numbers = []
    attributes = []
    for name in checked:
        try:
            number, packed = gofer.step(node, name)
        except OSError:
            number, packed = 0, _NO_ATTRIBUTES  # who needs to know why asks for that name alone
        numbers.append(number)
        attributes.append(packed)
    return tuple(numbers), b"".join(attributes)


def close(gofer: Gofer, nodes: tuple[object, ...]) -> Reply:
    for number in nodes:
        if type(number) is not int:
            raise OSError(errno.EIO, "node is no number")
        gofer.close(number)
    return ()


def tell_acls(gofer: Gofer) -> Reply:
    host.tell_acls()
    return ()


def nodes(gofer: Gofer) -> Reply:
    return (gofer.count(),)


def leave(gofer: Gofer, index: int) -> Reply:
    _mount_of(gofer, index).close()
    return ()


def shutdown(gofer: Gofer) -> Reply:
    gofer.running = False
    return ()


def stat(gofer: Gofer, number: int) -> Reply:
    return (host.stat(gofer.node(number).fd),)


def statfs(gofer: Gofer, number: int) -> Reply:
    return host.statfs(gofer.node(number).fd)


def readlink(gofer: Gofer, number: int) -> Reply:
    node = gofer.node(number)
    if node.type != S_IFLNK:
        raise OSError(errno.EINVAL, "not a symbolic link")
    return (os.readlink(b"", dir_fd=node.fd),)


def open_(gofer: Gofer, number: int, flags: int) -> Reply:
    """Donates a descriptor of a regular file; flags other than the access mode and O_TRUNC
    are dropped: they are the sentry's to keep."""
    node = gofer.node(number)
    flags &= os.O_ACCMODE | os.O_TRUNC
    check_open(node, flags)
    gofer.donate(gofer.reopen(node, flags))
    return ()


def check_open(node: Node, flags: int) -> None:
    """Whether a node may be opened.  Errors: as in _OPEN_ERRORS, EPERM, EINVAL, EROFS, EACCES."""
    if node.type != S_IFREG:
        number = _OPEN_ERRORS.get(node.type, errno.EPERM)
        raise OSError(number, "not a regular file")
    if flags & os.O_ACCMODE == os.O_ACCMODE:
        raise OSError(errno.EINVAL, "no access mode")
    if node.sealed:
        raise OSError(errno.EACCES, "a kernel file system")
    if flags != os.O_RDONLY:
        check_writable(node)


def readdir(gofer: Gofer, number: int, cookie: int) -> Reply:
    """One page of a directory from `cookie` (0: the start) on, without "." and ".."."""
    node = gofer.node(number)
    if node.type != S_IFDIR:
        raise OSError(errno.ENOTDIR, "not a directory")
    if node.sealed:
        return 1, (), (), (), ()
    last = 0
    entries: list[tuple[bytes, int, int, int]] = []
    fd = host.open_beneath(node.fd, b".", os.O_RDONLY | os.O_DIRECTORY)
    try:
        if cookie:
            os.lseek(fd, cookie, os.SEEK_SET)
        room = protocol.READDIR_PAGE
        while room >= _LONGEST_DIRENT and not last:
            data = host.getdents(fd, room)
            room -= len(data)
            _parse_entries(data, entries)
            last = int(not data)
    finally:
        os.close(fd)
    if not entries:
        return last, (), (), (), ()
    return last, *zip(*entries, strict=True)


def _parse_entries(data: bytes, entries: list[tuple[bytes, int, int, int]]) -> None:
    offset = 0
    end = len(data)
    while offset < end:
        inode, cookie, length, kind = _unpack_dirent(data, offset)
        start = offset + _DIRENT_SIZE
        name = data[start : data.index(0, start)]
        if name != b"." and name != b"..":
            entries.append((name, inode, kind, cookie))
        offset += length


def fsync(gofer: Gofer, number: int, data_only: int) -> Reply:
    """fsync(2) or fdatasync(2) of a file or directory by a descriptor of the moment."""
    node = gofer.node(number)
    if node.type != S_IFREG and node.type != S_IFDIR:
        raise OSError(errno.EINVAL, "not a file or directory")
    if node.sealed:
        return ()
    try:
        fd = gofer.reopen(node, os.O_RDONLY)
    except PermissionError:
        if node.type == S_IFDIR or node.mount.read_only:
            raise
        fd = gofer.reopen(node, os.O_WRONLY)  # write-only for us, which does for fsync
    try:
        if data_only:
            os.fdatasync(fd)
        else:
            os.fsync(fd)
    finally:
        os.close(fd)
    return ()


def connect(gofer: Gofer, number: int, kind: int) -> Reply:
    """Donates a connected UNIX socket, if the mount's policy allows it.

    Never waits: a listener whose queue is full is EAGAIN.
    """
    node = gofer.node(number)
    if not node.mount.allow_connect:
        raise OSError(errno.EPERM, "host sockets are not served")
    if node.type != S_IFSOCK:
        raise OSError(errno.ECONNREFUSED, "not a socket")
    check_socket_type(kind)
    connected = Socket(AF_UNIX, kind | SOCK_CLOEXEC | SOCK_NONBLOCK)
    try:
        connected.connect(node.link_name)  # relative to /proc/self/fd
        os.set_blocking(connected.fileno(), True)
    except BaseException:
        connected.close()
        raise
    gofer.donate(connected.detach())
    return ()


def check_socket_type(kind: int) -> None:
    """Errors: EINVAL."""
    if kind not in (SOCK_STREAM, SOCK_DGRAM, SOCK_SEQPACKET):
        raise OSError(errno.EINVAL, "socket type")


def getxattr(gofer: Gofer, number: int, name: bytes) -> Reply:
    node = gofer.node(number)
    check_xattr_name(name)
    if name == host.DEVICE_MARK:
        raise OSError(errno.ENODATA, "ours")
    return (os.getxattr(node.link_name, name),)


def listxattr(gofer: Gofer, number: int) -> Reply:
    names = os.listxattr(gofer.node(number).link_name)
    encoded = [os.fsencode(name) for name in names]
    return (tuple([name for name in encoded if name != host.DEVICE_MARK]),)


def check_xattr_name(name: bytes) -> bytes:
    """Errors: ERANGE for an empty or too long name, as setxattr(2) has it; EINVAL for a NUL."""
    if not name or len(name) > protocol.MAX_NAME:
        raise OSError(errno.ERANGE, "xattr name")
    check_no_nul(name)
    return name


def check_no_nul(text: bytes) -> bytes:
    """A string that becomes a C string as it is.  Errors: EINVAL."""
    if b"\0" in text:
        raise OSError(errno.EINVAL, "NUL in a string")
    return text


HANDLERS: dict[int, Handler] = {
    protocol.MOUNT: mount,
    protocol.STAT: stat,
    protocol.WALK: walk,
    protocol.WALK_STAT: walk_stat,
    protocol.WALK_EACH: walk_each,
    protocol.OPEN: open_,
    protocol.CLOSE: close,
    protocol.FSYNC: fsync,
    protocol.STATFS: statfs,
    protocol.READLINK: readlink,
    protocol.CONNECT: connect,
    protocol.READDIR: readdir,
    protocol.GETXATTR: getxattr,
    protocol.LISTXATTR: listxattr,
    protocol.TELL_ACLS: tell_acls,
    protocol.NODES: nodes,
    protocol.LEAVE: leave,
    protocol.SHUTDOWN: shutdown,
}
