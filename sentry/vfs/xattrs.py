"""Who may read and change which extended attribute: xattr(7).

The value is the file system's; here are names, sizes and rights, checked in Linux's order.  The
two attributes that hold access control lists are translated to and from such (`acl.py`).
"""

from runsc_py.sentry.abi.inotify import IN_ATTRIB
from runsc_py.sentry.auth.capabilities import CAP_SETFCAP, CAP_SYS_ADMIN
from runsc_py.sentry.errors import EACCES, ENODATA, EOPNOTSUPP, EPERM, EROFS
from runsc_py.sentry.vfs import acl
from runsc_py.sentry.vfs.acl import AccessControlList
from runsc_py.sentry.vfs.attributes import (
    S_IFDIR,
    S_IFMT,
    S_IFREG,
    S_ISGID,
    S_ISVTX,
    AttributeChange,
)
from runsc_py.sentry.vfs.file_capabilities import CAPABILITY, value_to_keep, value_to_show
from runsc_py.sentry.vfs.notification import notify_path
from runsc_py.sentry.vfs.path import Path
from runsc_py.sentry.vfs.permissions import (
    MAY_READ,
    MAY_WRITE,
    check,
    check_owner,
    keeps_set_gid,
)
from runsc_py.sentry.vfs.protection import check_changeable

TYPE_CHECKING = False
if TYPE_CHECKING:
    from runsc_py.sentry.auth.credentials import Credentials
    from runsc_py.sentry.vfs.inode import Inode

_TRUSTED = b"trusted."
_USER = b"user."
_SECURITY = b"security."


def get_xattr(credentials: "Credentials", place: Path, name: bytes) -> bytes:
    """getxattr(2).  Errors: EACCES, ENODATA, EOPNOTSUPP; EOVERFLOW, EINVAL of capabilities."""
    if name in acl.NAMES:
        return _get_acl(credentials, place.inode, name)
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
    if name in acl.NAMES:
        namespace = credentials.user_namespace
        new = AccessControlList.parse(
            value, namespace.uid_map.to_global, namespace.gid_map.to_global
        )
        _set_acl(credentials, place, name, new)
        return
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
    if name in acl.NAMES:
        _set_acl(credentials, place, name, None)
        return
    _check_access(credentials, place.inode, name, MAY_WRITE)
    _check_security(credentials, place.inode, name)
    place.inode.remove_xattr(name)
    notify_path(place, IN_ATTRIB)


def list_xattrs(credentials: "Credentials", place: Path) -> bytes:
    """listxattr(2): NUL-terminated names; trusted ones only for who may read them."""
    names = place.inode.list_xattrs()
    if not credentials.has_capability(CAP_SYS_ADMIN):
        names = [name for name in names if not name.startswith(_TRUSTED)]
    return b"".join(name + b"\0" for name in names)


# -- access control lists ---------------------------------------------------------------


def _get_acl(credentials: "Credentials", inode: "Inode", kind: bytes) -> bytes:
    """Linux's do_get_acl: the ids as the caller's user namespace knows them."""
    if not inode.filesystem.keeps_acls or inode.is_symlink:
        raise EOPNOTSUPP
    kept = inode.get_acl(kind)
    if kept is None:
        raise ENODATA
    namespace = credentials.user_namespace
    return kept.encode(namespace.uid_map.from_global, namespace.gid_map.from_global)


def _set_acl(
    credentials: "Credentials", place: Path, kind: bytes, new: AccessControlList | None
) -> None:
    """Linux's set_posix_acl.  Errors: EOPNOTSUPP, EACCES, EPERM, EINVAL."""
    inode = place.inode
    check_changeable(inode)
    if not inode.filesystem.keeps_acls or inode.is_symlink:
        raise EOPNOTSUPP
    if kind == acl.DEFAULT and not inode.is_directory:
        if new is not None:
            raise EACCES
        return
    check_owner(credentials, inode)
    if new is not None:
        new.check_valid()
    mode, uid, gid = inode.permission_ids()
    if kind == acl.ACCESS and mode & S_ISGID and not keeps_set_gid(credentials, uid, gid):
        inode.set_attributes(AttributeChange(mode=mode & ~S_ISGID))
    inode.set_acl(kind, new)
    notify_path(place, IN_ATTRIB)


# -- rights -----------------------------------------------------------------------------


def _check_access(credentials: "Credentials", inode: "Inode", name: bytes, mask: int) -> None:
    """Linux's xattr_permission."""
    if mask & MAY_WRITE:
        check_changeable(inode)
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
