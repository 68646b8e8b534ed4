"""Messages that change something on the host.

Every one asks Gofer.directory_to_change, node_to_change or check_open first, so a read-only
mount answers EROFS here, whatever the client believes.  What makes a file sets the umask that
came with the message, so that the host applies it as it does for a process of its own: not where
a default access control list is.  Neighbours: reading.py, where the handlers' contract is told.
"""

import errno
import os
from _socket import AF_UNIX, SOCK_CLOEXEC
from _socket import socket as Socket

from runsc_py.gofer import host, protocol
from runsc_py.gofer.nodes import (
    S_IFBLK,
    S_IFCHR,
    S_IFDIR,
    S_IFIFO,
    S_IFLNK,
    S_IFMT,
    S_IFREG,
    S_IFSOCK,
    Gofer,
    Node,
    check_name,
)
from runsc_py.gofer.reading import (
    Handler,
    Reply,
    check_no_nul,
    check_socket_type,
    check_xattr_name,
)

AT_REMOVEDIR = 0x200
RENAME_NOREPLACE = 1
RENAME_EXCHANGE = 2

_PERMISSIONS = 0o7777
#: bytes of sun_path without the closing NUL
_SOCKET_PATH = 107
_SPECIAL_BITS = 0o7000
_BITS = 0o777

# Capabilities, labels and the overlay's own marks on host files are not a guest's to set, even
# when the gofer itself would be allowed to.
_SETTABLE_XATTRS = (b"user.", b"system.posix_acl_access", b"system.posix_acl_default")


# -- making files ------------------------------------------------------------------------------


def create(
    gofer: Gofer, directory: int, name: bytes, mode: int, uid: int, gid: int, umask: int, flags: int
) -> Reply:
    """A new regular file, always with O_EXCL, and an open descriptor of it."""
    parent = gofer.directory_to_change(directory)
    check_name(name)
    flags = os.O_CREAT | os.O_EXCL | _access_mode(flags)
    os.umask(umask)
    fd = host.open_beneath(parent.fd, name, flags, mode & 0o777)
    try:
        return _adopt(gofer, parent, fd, mode, uid, gid)
    except BaseException:
        os.unlink(name, dir_fd=parent.fd)
        raise


def create_unnamed(
    gofer: Gofer, directory: int, mode: int, uid: int, gid: int, umask: int, flags: int
) -> Reply:
    """A regular file without a name (O_TMPFILE), which LINK can give one."""
    parent = gofer.directory_for_unnamed(directory)
    access = _access_mode(flags)
    if access == os.O_RDONLY:
        raise OSError(errno.EINVAL, "an unnamed file that cannot be written")
    os.umask(umask)
    fd = host.open_beneath(parent.fd, b".", os.O_TMPFILE | access, mode & 0o777)
    return _adopt(gofer, parent, fd, mode, uid, gid)


def _access_mode(flags: int) -> int:
    flags &= os.O_ACCMODE
    if flags == os.O_ACCMODE:
        raise OSError(errno.EINVAL, "no access mode")
    return flags


def _adopt(gofer: Gofer, parent: Node, fd: int, mode: int, uid: int, gid: int) -> Reply:
    """A node of a file just created and opened as `fd`, which is donated, or closed on failure."""
    try:
        _set_owner_and_mode(gofer, fd, mode, uid, gid)
        path_fd = os.open(b"%d" % fd, os.O_PATH | os.O_CLOEXEC, dir_fd=gofer.descriptors)
        reply = gofer.add(path_fd, parent.mount, parent)
    except BaseException:
        os.close(fd)
        raise
    gofer.donate(fd)
    return reply


def _set_owner_and_mode(gofer: Gofer, fd: int, mode: int, uid: int, gid: int) -> None:
    """Give a new file its owner, then the bits that a change of owner would have dropped."""
    if uid != protocol.NO_ID or gid != protocol.NO_ID:
        host.chown(fd, uid, gid)
    if mode & _SPECIAL_BITS:
        made = os.fstat(fd).st_mode & _BITS
        os.chmod(b"%d" % fd, mode & _SPECIAL_BITS | made, dir_fd=gofer.descriptors)


def mkdir(
    gofer: Gofer, directory: int, name: bytes, mode: int, uid: int, gid: int, umask: int
) -> Reply:
    parent = gofer.directory_to_change(directory)
    os.umask(umask)
    os.mkdir(check_name(name), mode & 0o777, dir_fd=parent.fd)
    try:
        return _finish(gofer, parent, name, S_IFDIR | mode & _PERMISSIONS, uid, gid)
    except BaseException:
        os.rmdir(name, dir_fd=parent.fd)
        raise


def mknod(
    gofer: Gofer,
    directory: int,
    name: bytes,
    mode: int,
    device: int,
    uid: int,
    gid: int,
    umask: int,
) -> Reply:
    """A regular file, FIFO, socket, or a device of the sandbox (_make_device)."""
    parent = gofer.directory_to_change(directory)
    check_name(name)
    os.umask(umask)
    file_type = mode & S_IFMT or S_IFREG
    if file_type in (S_IFCHR, S_IFBLK):
        return _make_device(gofer, parent, name, mode, device, uid, gid)
    if file_type not in (S_IFREG, S_IFIFO, S_IFSOCK):
        raise OSError(errno.EPERM, "file type")
    os.mknod(name, file_type | mode & 0o777, dir_fd=parent.fd)
    try:
        return _finish(gofer, parent, name, file_type | mode & _PERMISSIONS, uid, gid)
    except BaseException:
        os.unlink(name, dir_fd=parent.fd)
        raise


def _make_device(
    gofer: Gofer, parent: Node, name: bytes, mode: int, device: int, uid: int, gid: int
) -> Reply:
    """An empty file whose mark says which device of the sandbox it stands for.

    A device node on the host would open the host's device to whoever finds it there.  Errors: EPERM
    where the host's file system keeps no extended attributes.
    """
    kind = b"c" if mode & S_IFMT == S_IFCHR else b"b"
    mark = b"%s %d:%d" % (kind, os.major(device), os.minor(device))
    flags = os.O_CREAT | os.O_EXCL | os.O_WRONLY
    fd = host.open_beneath(parent.fd, name, flags, mode & _BITS)
    try:
        try:
            os.setxattr(fd, host.DEVICE_MARK, mark)
        except OSError as error:
            number = errno.EPERM if error.errno == errno.EOPNOTSUPP else error.errno
            raise OSError(number, "no mark of a device") from None
        _set_owner_and_mode(gofer, fd, mode, uid, gid)
        path_fd = os.open(b"%d" % fd, os.O_PATH | os.O_CLOEXEC, dir_fd=gofer.descriptors)
        return gofer.add(path_fd, parent.mount, parent)
    except BaseException:
        os.unlink(name, dir_fd=parent.fd)
        raise
    finally:
        os.close(fd)


def bind(
    gofer: Gofer, directory: int, name: bytes, kind: int, mode: int, uid: int, gid: int, umask: int
) -> Reply:
    """Donates a UNIX socket bound to a new name, if the mount's policy allows it."""
    parent = gofer.node(directory)
    if not parent.mount.allow_bind:
        raise OSError(errno.EOPNOTSUPP, "host sockets are not made")
    gofer.directory_to_change(directory)
    check_name(name)
    check_socket_type(kind)
    # Relative to /proc/self/fd; the last component is never followed.
    place = b"%d/%b" % (parent.fd, name)
    if len(place) > _SOCKET_PATH:
        raise OSError(errno.ENAMETOOLONG, "a name too long for a socket")
    bound = Socket(AF_UNIX, kind | SOCK_CLOEXEC)
    try:
        os.umask(umask)
        try:
            bound.bind(place)
        except OSError as error:
            number = errno.EEXIST if error.errno == errno.EADDRINUSE else error.errno
            raise OSError(number, "bind") from None
        try:
            reply = _finish(gofer, parent, name, S_IFSOCK | mode & _PERMISSIONS, uid, gid)
        except BaseException:
            os.unlink(name, dir_fd=parent.fd)
            raise
    except BaseException:
        bound.close()
        raise
    gofer.donate(bound.detach())
    return reply


def symlink(gofer: Gofer, directory: int, name: bytes, target: bytes, uid: int, gid: int) -> Reply:
    parent = gofer.directory_to_change(directory)
    os.symlink(check_no_nul(target), check_name(name), dir_fd=parent.fd)
    try:
        return _finish(gofer, parent, name, S_IFLNK, uid, gid)
    except BaseException:
        os.unlink(name, dir_fd=parent.fd)
        raise


def _finish(gofer: Gofer, parent: Node, name: bytes, mode: int, uid: int, gid: int) -> Reply:
    """A node of a name just made in `parent`, with owner and mode set; `mode` has the type.

    Errors: ESTALE when it is not what was made: another process of the host that may write here
    could have put a file there which it wants to have a new owner.
    """
    number, attributes = gofer.step(parent, name)
    if uid == protocol.NO_ID and gid == protocol.NO_ID and not mode & _SPECIAL_BITS:
        return number, attributes
    try:
        node = gofer.node(number)
        links = protocol.ATTRIBUTES.unpack(attributes)[protocol.LINKS]
        if node.type != mode & S_IFMT or (links != 1 and node.type != S_IFDIR):
            raise OSError(errno.ESTALE, "replaced by another process")
        _set_owner_and_mode(gofer, node.fd, mode, uid, gid)
        return number, host.stat(node.fd)
    except BaseException:
        gofer.close(number)
        raise


def link(gofer: Gofer, number: int, directory: int, name: bytes) -> Reply:
    """A further name for a node.  Errors: EPERM for a directory, EXDEV between mounts."""
    parent = gofer.directory_to_change(directory)
    node = gofer.node_to_change(number)
    check_name(name)
    if node.mount is not parent.mount:
        raise OSError(errno.EXDEV, "different mounts")
    os.link(
        node.link_name,
        name,
        src_dir_fd=gofer.descriptors,
        dst_dir_fd=parent.fd,
        follow_symlinks=True,  # of the magic link; what it leads to is not followed
    )
    return ()


# -- removing and moving names -----------------------------------------------------------------


def unlink(gofer: Gofer, directory: int, name: bytes, flags: int) -> Reply:
    parent = gofer.directory_to_change(directory)
    check_name(name)
    if flags == AT_REMOVEDIR:
        os.rmdir(name, dir_fd=parent.fd)
    elif flags == 0:
        os.unlink(name, dir_fd=parent.fd)
    else:
        raise OSError(errno.EINVAL, "unlink flags")
    return ()


def rename(gofer: Gofer, old: int, old_name: bytes, new: int, new_name: bytes, flags: int) -> Reply:
    """Flags: RENAME_NOREPLACE or RENAME_EXCHANGE.  Errors: EXDEV between mounts."""
    old_parent = gofer.directory_to_change(old)
    new_parent = gofer.directory_to_change(new)
    check_name(old_name)
    check_name(new_name)
    if flags not in (0, RENAME_NOREPLACE, RENAME_EXCHANGE):
        raise OSError(errno.EINVAL, "rename flags")
    if old_parent.mount is not new_parent.mount:
        raise OSError(errno.EXDEV, "different mounts")
    host.rename(old_parent.fd, old_name, new_parent.fd, new_name, flags)
    return ()


# -- changing a file itself --------------------------------------------------------------------


def setattr_(
    gofer: Gofer,
    number: int,
    mask: int,
    mode: int,
    uid: int,
    gid: int,
    size: int,
    access_time: int,
    modification_time: int,
) -> Reply:
    """Each field on its own; what failed is told as a mask with the last errno.

    In the order in which one does not undo another: size and owner clear set-id bits, size
    changes times.
    """
    node = gofer.node_to_change(number)
    failed = error_number = 0
    times = protocol.SET_ATIME | protocol.SET_MTIME

    for part in (protocol.SET_SIZE, protocol.SET_UID | protocol.SET_GID, protocol.SET_MODE, times):
        wanted = mask & part
        if not wanted:
            continue
        try:
            if part == protocol.SET_SIZE:
                _set_size(gofer, node, size)
            elif part == protocol.SET_MODE:
                _set_mode(gofer, node, mode)
            elif part == times:
                _set_times(gofer, node, mask, access_time, modification_time)
            else:
                host.chown(
                    node.fd,
                    uid if mask & protocol.SET_UID else protocol.NO_ID,
                    gid if mask & protocol.SET_GID else protocol.NO_ID,
                )
        except OSError as error:
            failed |= wanted
            error_number = error.errno or errno.EIO
        except OverflowError:
            failed |= wanted
            error_number = errno.EINVAL
    return failed, error_number, host.stat(node.fd)


def _set_size(gofer: Gofer, node: Node, size: int) -> None:
    fd = _open_for_writing(gofer, node)
    try:
        os.ftruncate(fd, size)
    finally:
        os.close(fd)


def _open_for_writing(gofer: Gofer, node: Node) -> int:
    if node.type != S_IFREG:
        raise OSError(errno.EISDIR if node.type == S_IFDIR else errno.EINVAL, "not a regular file")
    return gofer.reopen(node, os.O_WRONLY)


def _set_mode(gofer: Gofer, node: Node, mode: int) -> None:
    if node.type == S_IFLNK:
        raise OSError(errno.EOPNOTSUPP, "a symbolic link has no mode")
    os.chmod(node.link_name, mode & _PERMISSIONS, dir_fd=gofer.descriptors)


def _set_times(gofer: Gofer, node: Node, mask: int, access: int, modification: int) -> None:
    access_pair = modification_pair = host.OMIT
    if mask & protocol.SET_ATIME:
        access_pair = host.NOW if mask & protocol.SET_ATIME_NOW else divmod(access, 10**9)
    if mask & protocol.SET_MTIME:
        modification_pair = (
            host.NOW if mask & protocol.SET_MTIME_NOW else divmod(modification, 10**9)
        )
    host.set_times(gofer.descriptors, node.link_name, access_pair, modification_pair)


def fallocate(gofer: Gofer, number: int, mode: int, offset: int, length: int) -> Reply:
    node = gofer.node_to_change(number)
    fd = _open_for_writing(gofer, node)
    try:
        host.fallocate(fd, mode, offset, length)
    finally:
        os.close(fd)
    return ()


def setxattr(gofer: Gofer, number: int, name: bytes, value: bytes, flags: int) -> Reply:
    node = gofer.node_to_change(number)
    _check_settable(name)
    if len(value) > protocol.MAX_XATTR:
        raise OSError(errno.E2BIG, "xattr value")
    os.setxattr(node.link_name, name, value, flags)
    return ()


def removexattr(gofer: Gofer, number: int, name: bytes) -> Reply:
    node = gofer.node_to_change(number)
    _check_settable(name)
    os.removexattr(node.link_name, name)
    return ()


def _check_settable(name: bytes) -> None:
    check_xattr_name(name)
    if not name.startswith(_SETTABLE_XATTRS) or name == host.DEVICE_MARK:
        raise OSError(errno.EPERM, "xattr name space")


HANDLERS: dict[int, Handler] = {
    protocol.SETATTR: setattr_,
    protocol.CREATE: create,
    protocol.MKDIR: mkdir,
    protocol.MKNOD: mknod,
    protocol.BIND: bind,
    protocol.SYMLINK: symlink,
    protocol.LINK: link,
    protocol.FALLOCATE: fallocate,
    protocol.UNLINK: unlink,
    protocol.SETXATTR: setxattr,
    protocol.REMOVEXATTR: removexattr,
    protocol.RENAME: rename,
    protocol.CREATE_UNNAMED: create_unnamed,
}
