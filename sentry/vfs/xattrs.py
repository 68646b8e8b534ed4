"""Who may read and change which extended attribute: xattr(7).

The value is the file system's; here are names, sizes and rights, checked in Linux's order.
"""

from runsc_py.sentry.abi.files import XATTR_LIST_MAX
from runsc_py.sentry.abi.inotify import IN_ATTRIB
from runsc_py.sentry.auth.capabilities import CAP_SETFCAP, CAP_SYS_ADMIN
from runsc_py.sentry.errors import E2BIG, ENODATA, EOPNOTSUPP, EPERM, EROFS
from runsc_py.sentry.vfs.attributes import S_IFDIR, S_IFMT, S_IFREG, S_ISVTX
from runsc_py.sentry.vfs.file_capabilities import CAPABILITY, value_to_keep, value_to_show
from runsc_py.sentry.vfs.notification import notify_path
from runsc_py.sentry.vfs.path import Path
from runsc_py.sentry.vfs.permissions import MAY_READ, MAY_WRITE, check, check_owner

TYPE_CHECKING = False
if TYPE_CHECKING:
    from runsc_py.sentry.auth.credentials import Credentials
    from runsc_py.sentry.vfs.inode import Inode

_TRUSTED = b"trusted."
_USER = b"user."
_SECURITY = b"security."


def get_xattr(credentials: "Credentials", place: Path, name: bytes) -> bytes:
    """getxattr(2).  Errors: EACCES, ENODATA, EOPNOTSUPP; EOVERFLOW, EINVAL of capabilities."""
    _check_access(credentials, place.inode, name, MAY_READ)
    value = place.inode.get_xattr(name)
    if name == CAPABILITY:
        return value_to_show(credentials, place.inode, value)
    return value


def set_xattr(
    credentials: "Credentials", place: Path, name: bytes, value: bytes, flags: int
) -> None:
    """setxattr(2).  Errors: EROFS, EPERM, EACCES, EEXIST, ENODATA, EOPNOTSUPP."""
    if place.mount.read_only:
        raise EROFS
    if name == CAPABILITY and value:
        value = value_to_keep(credentials, place.inode, value)
    _check_access(credentials, place.inode, name, MAY_WRITE)
    _check_security(credentials, place.inode, name)
    place.inode.set_xattr(name, value, flags)
    notify_path(place, IN_ATTRIB)


def remove_xattr(credentials: "Credentials", place: Path, name: bytes) -> None:
    """removexattr(2).  Errors: as set_xattr."""
    if place.mount.read_only:
        raise EROFS
    _check_access(credentials, place.inode, name, MAY_WRITE)
    _check_security(credentials, place.inode, name)
    place.inode.remove_xattr(name)
    notify_path(place, IN_ATTRIB)


def list_xattrs(credentials: "Credentials", place: Path) -> bytes:
    """listxattr(2): NUL-terminated names; trusted ones only for who may read them."""
    names = place.inode.list_xattrs()
    if not credentials.has_capability(CAP_SYS_ADMIN):
        names = [name for name in names if not name.startswith(_TRUSTED)]
    text = b"".join(name + b"\0" for name in names)
    if len(text) > XATTR_LIST_MAX:
        raise E2BIG
    return text


def _check_access(credentials: "Credentials", inode: "Inode", name: bytes, mask: int) -> None:
    """Linux's xattr_permission."""
    if name.startswith((_SECURITY, b"system.")):
        return
    if name.startswith(_TRUSTED):
        if not credentials.has_capability(CAP_SYS_ADMIN):
            raise EPERM if mask & MAY_WRITE else ENODATA
        return
    if name.startswith(_USER):
        kind = inode.mode & S_IFMT
        if kind not in (S_IFREG, S_IFDIR):
            raise EPERM if mask & MAY_WRITE else ENODATA
        if kind == S_IFDIR and inode.mode & S_ISVTX and mask & MAY_WRITE:
            check_owner(credentials, inode)
        check(credentials, inode, mask)
        return
    raise EOPNOTSUPP


def _check_security(credentials: "Credentials", inode: "Inode", name: bytes) -> None:
    """Linux's cap_inode_setxattr and cap_inode_removexattr."""
    if not name.startswith(_SECURITY):
        return
    if name == CAPABILITY:
        _, uid, gid = inode.permission_ids()
        allowed = credentials.has_capability_over_inode(CAP_SETFCAP, uid, gid)
    else:
        allowed = credentials.has_capability(CAP_SYS_ADMIN, inode.filesystem.user_namespace)
    if not allowed:
        raise EPERM
