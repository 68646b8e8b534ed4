"""The sentry's side of the connection to a gofer: one method per message.

Every method is a synchronous round trip.  Names, targets and paths are bytes.  A node is a
positive integer given out by the gofer; `close_node` gives it back.  Errors of the host are
plain OSError with its errno.  GoferError means that the gofer died or answered what the
protocol does not allow: the client is of no further use and the run has to end.

Everything received is checked for number, type and form before it is returned; descriptors
beyond the one expected are closed.  Descriptors returned are close-on-exec and the caller's to
close.  Attributes are the 17 integers of protocol.Attributes; the positions have names there.

Neighbours: protocol.py (fields of each message), process.py (start_gofer makes the socket).
"""

from __future__ import annotations

import errno
import os
from _socket import (
    CMSG_SPACE,
    MSG_CMSG_CLOEXEC,
    MSG_CTRUNC,
    MSG_DONTWAIT,
    MSG_NOSIGNAL,
    MSG_TRUNC,
    SCM_RIGHTS,
    SOL_SOCKET,
)
from _socket import socket as Socket
from collections.abc import Callable, Sequence
from struct import Struct

from runsc_py.gofer import protocol
from runsc_py.gofer.protocol import (
    ATTRIBUTES,
    FATAL,
    MAX_MESSAGE,
    MAX_REQUEST,
    MAX_WALK,
    MESSAGES,
    NO_ID,
    Attributes,
    decode_reply,
    encode,
    types_of,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

Entry = tuple[bytes, int, int, int]
"""A directory entry: name, inode number, type (DT_*), cookie from which readdir goes on."""

_CLOSE_BATCH = 100
_NO_NAMES = frozenset((b"", b".", b".."))
_MAX_ERRNO = 4095
_DESCRIPTOR = Struct("=i")
_CONTROL_SPACE = CMSG_SPACE(_DESCRIPTOR.size)
_REPLY_TYPES = {message: types for message, (_, _, types) in MESSAGES.items()}
_unpack_attributes = ATTRIBUTES.unpack


class GoferError(Exception):
    """The gofer is dead or does not keep to the protocol; nothing served by it can go on."""


class GoferClient:
    """A connection to a gofer.  Not for several threads: one request is under way at a time."""

    __slots__ = (
        "_buffer",
        "_closing",
        "_receive",
        "_receive_message",
        "_send",
        "_socket",
        "_view",
        "broken",
        "dead_nodes",
        "on_death",
        "requests",
    )

    def __init__(self, socket: Socket) -> None:
        """`socket` is Connection.socket and stays the caller's to close."""
        self._socket = socket
        self._send = socket.send
        self._receive = socket.recv_into
        self._receive_message = socket.recvmsg_into
        self._buffer = bytearray(MAX_MESSAGE)
        self._view = memoryview(self._buffer)
        self._closing: list[int] = []
        #: how many questions were asked
        self.requests = 0
        #: nodes that nobody uses any more, for whoever asks next to close: noted by finalizers,
        #: which may run in the middle of a request
        self.dead_nodes: list[int] = []
        #: why the connection is unusable, or empty
        self.broken = ""
        #: called when it has become so; every request fails with EIO then, not with GoferError
        self.on_death: Callable[[], None] | None = None

    # -- mounts and walking ----------------------------------------------------

    def mount(self, index: int) -> tuple[int, Attributes, bool]:
        """Root node of mount number `index`, its attributes, whether it is read-only.

        The root is a file if the mount's source is one.  Errors: those of opening the source,
        EACCES for a file system of the host's kernel (proc, sysfs…).
        """
        root, packed, read_only, _ = self._request(protocol.MOUNT, index)
        return root, self._attributes(packed), bool(read_only)

    def walk(
        self, directory: int, names: Sequence[bytes]
    ) -> tuple[list[tuple[int, Attributes]], int]:
        """Nodes of `names`, each looked up in the one before, and an errno.

        Ends early behind a symbolic link (the last node is the link; errno 0) or before the
        first name that failed (its errno: ENOENT, ENOTDIR, EACCES, EPERM for a type that is not
        served, EMFILE).  Errors, raised: EINVAL, ENAMETOOLONG for a bad name anywhere, EBADF.
        """
        found: list[tuple[int, Attributes]] = []
        for start in range(0, len(names), MAX_WALK):
            part = tuple(names[start : start + MAX_WALK])
            failed, entries = self._request(protocol.WALK, directory, part)
            self._check_walk(failed, entries, len(part))
            found.extend([self._node(entry) for entry in entries])
            if len(entries) != len(part):
                return found, failed
            directory = found[-1][0]
        return found, 0

    def lookup(self, directory: int, name: bytes) -> tuple[int, Attributes]:
        """The node of one name; symbolic links are not followed.

        Errors: ENOENT, ENOTDIR, EACCES, EPERM (type not served), EINVAL, ENAMETOOLONG, EMFILE.
        """
        failed, entries = self._request(protocol.WALK, directory, (name,))
        self._check_walk(failed, entries, 1)
        if failed:
            raise OSError(failed, os.strerror(failed))
        return self._node(entries[0])

    def walk_stat(self, directory: int, names: Sequence[bytes]) -> tuple[list[Attributes], int]:
        """Like walk, of at most protocol.MAX_WALK names, but only attributes; makes no nodes."""
        failed, entries = self._request(protocol.WALK_STAT, directory, tuple(names))
        self._check_walk(failed, entries, len(names))
        return [self._attributes(packed) for packed in entries], failed

    def lookup_each(
        self, directory: int, names: Sequence[bytes]
    ) -> list[tuple[int, Attributes] | None]:
        """lookup of at most protocol.MAX_WALK names of one directory; None where it failed."""
        nodes, packed = self._request(protocol.WALK_EACH, directory, tuple(names))
        if not len(nodes) == len(names) == len(packed) / ATTRIBUTES.size:
            raise self._broken("it answered a walk with garbage")
        if not {*map(type, nodes)} <= {int}:
            raise self._broken("it answered a walk with garbage")
        entries = zip(nodes, ATTRIBUTES.iter_unpack(packed), strict=True)
        return [entry if entry[0] else None for entry in entries]

    def close_node(self, node: int) -> None:
        """Give a node back.  Sent along with the next request, or when many are waiting."""
        self._closing.append(node)
        if len(self._closing) >= _CLOSE_BATCH:
            self.flush_closed()

    def flush_closed(self) -> None:
        """Give all closed nodes back now."""
        if self._closing:
            self._request(protocol.CLOSE, ())

    # -- reading ---------------------------------------------------------------

    def stat(self, node: int) -> Attributes:
        """stat(2)."""
        (packed,) = self._request(protocol.STAT, node)
        return self._attributes(packed)

    def open(self, node: int, flags: int) -> int:
        """A host descriptor of a regular file, with its own offset.

        Only the access mode and O_TRUNC of `flags` count.  Errors: EISDIR for any directory (use
        readdir and fsync), ELOOP for a symbolic link, ENXIO for a socket, EPERM for a FIFO,
        EACCES for a device, EROFS, and those of open(2).
        """
        fd, _ = self._request_descriptor(protocol.OPEN, node, flags)
        return fd

    def readlink(self, node: int) -> bytes:
        """readlink(2).  Errors: EINVAL when the node is no symbolic link."""
        (target,) = self._request(protocol.READLINK, node)
        checked: bytes = target
        return checked

    def readdir(self, directory: int, cookie: int = 0) -> tuple[list[Entry], bool]:
        """A page of entries from `cookie` on, and whether it is the last one.

        0 is the start, other cookies are those of entries; "." and ".." are left out.
        """
        last, *columns = self._request(protocol.READDIR, directory, cookie)
        names = columns[0]
        if {*map(len, columns)} != {len(names)} or not (names or last):
            raise self._broken("it answered readdir with garbage")
        for column, kind in zip(columns, (bytes, int, int, int), strict=True):
            if not {*map(type, column)} <= {kind}:
                raise self._broken("it answered readdir with garbage")
        together = b"\n".join(names)
        if b"/" in together or b"\0" in together or not _NO_NAMES.isdisjoint(names):
            raise self._broken("it listed an impossible name")
        return list(zip(*columns, strict=True)), bool(last)

    def read_directory(self, directory: int) -> list[Entry]:
        """All pages of readdir."""
        entries: list[Entry] = []
        cookie = 0
        while True:
            page, last = self.readdir(directory, cookie)
            entries.extend(page)
            if last:
                return entries
            cookie = page[-1][3]

    def statfs(self, node: int) -> tuple[int, ...]:
        """statfs(2): type, bsize, blocks, bfree, bavail, files, ffree, namelen, frsize."""
        return self._request(protocol.STATFS, node)

    def fsync(self, node: int, data_only: bool = False) -> None:
        """fsync(2) or fdatasync(2) of a file or directory."""
        self._request(protocol.FSYNC, node, int(data_only))

    def getxattr(self, node: int, name: bytes) -> bytes:
        """getxattr(2), of symbolic links too.  Errors: ENODATA, EOPNOTSUPP."""
        (value,) = self._request(protocol.GETXATTR, node, name)
        checked: bytes = value
        return checked

    def listxattr(self, node: int) -> list[bytes]:
        """listxattr(2)."""
        (names,) = self._request(protocol.LISTXATTR, node)
        for name in names:
            if type(name) is not bytes:
                raise self._broken("it answered listxattr with garbage")
        return list(names)

    def connect(self, node: int, kind: int) -> int:
        """A UNIX socket of type `kind` connected to the socket file `node`.

        Errors: EPERM when the mount does not allow it (the default), ECONNREFUSED, EPROTOTYPE,
        EAGAIN when the listener's queue is full.
        """
        fd, _ = self._request_descriptor(protocol.CONNECT, node, kind)
        return fd

    # -- changing --------------------------------------------------------------
    # All of these raise EROFS on a read-only mount.  uid and gid of a new file may be NO_ID to
    # leave the owner that the host gives; what cannot be given another owner is not made (EPERM).
    # `umask` is applied by the host, which lets a directory's default access control list win.

    def create(
        self,
        directory: int,
        name: bytes,
        mode: int,
        flags: int,
        uid: int = NO_ID,
        gid: int = NO_ID,
        umask: int = 0,
    ) -> tuple[int, Attributes, int]:
        """A new regular file, opened: (node, attributes, descriptor).

        Of `flags` only the access mode counts.  Errors: EEXIST.
        """
        fd, (node, packed) = self._request_descriptor(
            protocol.CREATE, directory, name, mode, uid, gid, umask, flags
        )
        return node, self._attributes_or_close(packed, fd), fd

    def create_unnamed(
        self,
        directory: int,
        mode: int,
        flags: int,
        uid: int = NO_ID,
        gid: int = NO_ID,
        umask: int = 0,
    ) -> tuple[int, Attributes, int]:
        """O_TMPFILE: like create, without a name; link gives it one."""
        fd, (node, packed) = self._request_descriptor(
            protocol.CREATE_UNNAMED, directory, mode, uid, gid, umask, flags
        )
        return node, self._attributes_or_close(packed, fd), fd

    def mkdir(
        self,
        directory: int,
        name: bytes,
        mode: int,
        uid: int = NO_ID,
        gid: int = NO_ID,
        umask: int = 0,
    ) -> tuple[int, Attributes]:
        """mkdir(2).  Returns the new node and its attributes."""
        node, packed = self._request(protocol.MKDIR, directory, name, mode, uid, gid, umask)
        return node, self._attributes(packed)

    def mknod(
        self,
        directory: int,
        name: bytes,
        mode: int,
        device: int = 0,
        uid: int = NO_ID,
        gid: int = NO_ID,
        umask: int = 0,
    ) -> tuple[int, Attributes]:
        """mknod(2) of a regular file, FIFO or socket; `mode` has the type.  Devices: EPERM."""
        node, packed = self._request(protocol.MKNOD, directory, name, mode, device, uid, gid, umask)
        return node, self._attributes(packed)

    def bind(
        self,
        directory: int,
        name: bytes,
        kind: int,
        mode: int,
        uid: int = NO_ID,
        gid: int = NO_ID,
        umask: int = 0,
    ) -> tuple[int, Attributes, int]:
        """A UNIX socket of type `kind` bound to a new name: (node, attributes, descriptor).

        Errors: EOPNOTSUPP when the mount does not allow it (the default), EEXIST, ENAMETOOLONG.
        """
        fd, (node, packed) = self._request_descriptor(
            protocol.BIND, directory, name, kind, mode, uid, gid, umask
        )
        return node, self._attributes_or_close(packed, fd), fd

    def symlink(
        self, directory: int, name: bytes, target: bytes, uid: int = NO_ID, gid: int = NO_ID
    ) -> tuple[int, Attributes]:
        """symlink(2)."""
        node, packed = self._request(protocol.SYMLINK, directory, name, target, uid, gid)
        return node, self._attributes(packed)

    def link(self, node: int, directory: int, name: bytes) -> None:
        """A further name for `node`.  Errors: EEXIST, EPERM (directory), EXDEV, EMLINK."""
        self._request(protocol.LINK, node, directory, name)

    def unlink(self, directory: int, name: bytes, flags: int = 0) -> None:
        """unlinkat(2); `flags` 0 or AT_REMOVEDIR (0x200)."""
        self._request(protocol.UNLINK, directory, name, flags)

    def rename(
        self,
        old_directory: int,
        old_name: bytes,
        new_directory: int,
        new_name: bytes,
        flags: int = 0,
    ) -> None:
        """renameat2(2); `flags` 0, RENAME_NOREPLACE (1) or RENAME_EXCHANGE (2)."""
        self._request(protocol.RENAME, old_directory, old_name, new_directory, new_name, flags)

    def setattr(
        self,
        node: int,
        mask: int,
        mode: int = 0,
        uid: int = NO_ID,
        gid: int = NO_ID,
        size: int = 0,
        access_time: int = 0,
        modification_time: int = 0,
    ) -> tuple[int, int, Attributes]:
        """Change what `mask` (protocol.SET_*) names: (mask of what failed, errno, attributes).

        Fields are tried one by one, so some may have been set when another failed; uid with gid,
        and the two times with each other, succeed or fail together.  Times are nanoseconds since
        the epoch.  Raises nothing for a field's failure.
        """
        failed, error, packed = self._request(
            protocol.SETATTR, node, mask, mode, uid, gid, size, access_time, modification_time
        )
        return failed, error, self._attributes(packed)

    def fallocate(self, node: int, mode: int, offset: int, length: int) -> None:
        """fallocate(2) on a regular file."""
        self._request(protocol.FALLOCATE, node, mode, offset, length)

    def setxattr(self, node: int, name: bytes, value: bytes, flags: int = 0) -> None:
        """setxattr(2).  Errors: EPERM for names that are neither user.* nor POSIX ACLs."""
        self._request(protocol.SETXATTR, node, name, value, flags)

    def removexattr(self, node: int, name: bytes) -> None:
        """removexattr(2).  Errors: as setxattr, and ENODATA."""
        self._request(protocol.REMOVEXATTR, node, name)

    def tell_acls(self) -> None:
        """Let all attributes from now on say whether there is an access control list."""
        self._request(protocol.TELL_ACLS)

    def count_nodes(self) -> int:
        """How many nodes the gofer holds when those that died were given back."""
        self._give_back()
        (count,) = self._request(protocol.NODES)
        checked: int = count
        return checked

    def leave(self, index: int) -> None:
        """A mount is not used any more: the host may unmount what it shows."""
        self._give_back()
        self._request(protocol.LEAVE, index)

    def _give_back(self) -> None:
        """The nodes of inodes that have died."""
        for node in self.dead_nodes:
            self.close_node(node)
        self.dead_nodes.clear()
        self.flush_closed()

    def shutdown(self) -> None:
        """Ask the gofer to end; the client cannot be used afterwards."""
        self._request(protocol.SHUTDOWN)
        self.broken = "it was asked to end"

    # -- round trips -----------------------------------------------------------

    def _request(self, message: int, *fields: object) -> tuple[Any, ...]:
        """One round trip; the reply's fields, their types checked."""
        self._ask(message, fields)
        try:
            # No room for descriptors: the kernel drops those that a rogue gofer sends.
            length = self._receive(self._buffer, MAX_MESSAGE, MSG_TRUNC)
        except OSError as error:
            raise self._broken(f"it cannot be reached: {error.strerror}") from error
        except BaseException:
            self.broken = "a request was interrupted"
            raise
        return self._fields(message, length)

    def _request_descriptor(self, message: int, *fields: object) -> tuple[int, tuple[Any, ...]]:
        """One round trip whose reply carries a descriptor.  Errors: EMFILE, and the reply's."""
        self._ask(message, fields)
        try:
            length, control, flags, _ = self._receive_message(
                [self._buffer], _CONTROL_SPACE, MSG_CMSG_CLOEXEC | MSG_TRUNC
            )
        except OSError as error:
            raise self._broken(f"it cannot be reached: {error.strerror}") from error
        except BaseException:
            self.broken = "a request was interrupted"
            raise
        fds = _descriptors(control)
        try:
            values = self._fields(message, length)
            if not fds and flags & MSG_CTRUNC:
                # The host had no room for it in our table of descriptors.
                raise OSError(errno.EMFILE, os.strerror(errno.EMFILE))
            if len(fds) != 1 or flags & MSG_CTRUNC:
                raise self._broken("it donated too many or too few descriptors")
        except BaseException:
            for fd in fds:
                os.close(fd)
            raise
        return fds[0], values

    def _ask(self, message: int, fields: tuple[object, ...]) -> None:
        """Send a request, and the nodes that wait to be closed along with it."""
        if self.broken:
            raise self._broken(self.broken)
        self.requests += 1
        closing = self._closing
        request = encode((message, closing, *fields))
        if len(request) > MAX_REQUEST:
            raise OSError(errno.E2BIG, os.strerror(errno.E2BIG))
        try:
            self._send(request, MSG_NOSIGNAL)
        except OSError as error:
            raise self._broken(self._last_words() or f"it ended: {error.strerror}") from error
        except BaseException:
            self.broken = "a request was interrupted"
            raise
        if closing:
            closing.clear()

    def _fields(self, message: int, length: int) -> tuple[Any, ...]:
        """The fields of a reply of `length` bytes in the buffer.  Errors: the one it tells."""
        if length == 0:
            raise self._broken("it ended")
        if length > MAX_MESSAGE:
            raise self._broken("its answer is too long")
        try:
            reply = decode_reply(self._view[:length])
        except ValueError as error:
            raise self._broken("its answer cannot be decoded") from error
        if type(reply) is not tuple or not reply or type(reply[0]) is not int:
            raise self._broken("its answer is no reply")
        status = reply[0]
        values = reply[1:]
        if status == 0:
            if types_of(values) != _REPLY_TYPES[message]:
                raise self._broken("its answer has the wrong fields")
            return values
        if status == FATAL and types_of(values) == (bytes,):
            raise self._broken(_words(values[0]))
        if not 0 < status <= _MAX_ERRNO or values:
            raise self._broken("its answer is no error number")
        raise OSError(status, os.strerror(status))

    def _last_words(self) -> str:
        """What a gofer that is gone left in the socket about the reason; may be empty."""
        try:
            length = self._receive(self._buffer, MAX_MESSAGE, MSG_TRUNC | MSG_DONTWAIT)
            reply = decode_reply(self._view[: min(length, MAX_MESSAGE)])
        except (OSError, ValueError):
            return ""
        if type(reply) is tuple and types_of(reply) == (int, bytes) and reply[0] == FATAL:
            return _words(reply[1])
        return ""

    def _check_walk(self, failed: int, entries: tuple[object, ...], names: int) -> None:
        """An errno stands for the first name that has no entry; without one there is progress."""
        if len(entries) > names or not 0 <= failed <= _MAX_ERRNO:
            raise self._broken("it answered a walk with garbage")
        if (failed and len(entries) == names) or (names and not failed and not entries):
            raise self._broken("it answered a walk with garbage")

    def _node(self, entry: object) -> tuple[int, Attributes]:
        if type(entry) is not tuple or types_of(entry) != (int, bytes):
            raise self._broken("it answered a walk with garbage")
        return entry[0], self._attributes(entry[1])

    def _attributes(self, packed: object) -> Attributes:
        if type(packed) is not bytes or len(packed) != ATTRIBUTES.size:
            raise self._broken("its attributes are garbage")
        return _unpack_attributes(packed)

    def _attributes_or_close(self, packed: object, fd: int) -> Attributes:
        """_attributes of a reply that came with `fd`, which must not leak."""
        try:
            return self._attributes(packed)
        except (GoferError, OSError):
            os.close(fd)
            raise

    def _broken(self, why: str) -> GoferError | OSError:
        """Mark the connection as unusable; the error to raise."""
        self.broken = why
        if self.on_death is None:
            return GoferError(f"the gofer is gone: {why}")
        self.on_death()
        return OSError(errno.EIO, f"the gofer is gone: {why}")


def _words(text: bytes) -> str:
    return f"it failed with {text.decode(errors='backslashreplace')}"


def _descriptors(control: list[tuple[int, int, bytes]]) -> list[int]:
    """All descriptors in a message's control data."""
    fds: list[int] = []
    for level, kind, data in control:
        if level == SOL_SOCKET and kind == SCM_RIGHTS:
            whole = len(data) - len(data) % _DESCRIPTOR.size
            fds.extend(fd for (fd,) in _DESCRIPTOR.iter_unpack(data[:whole]))
    return fds
