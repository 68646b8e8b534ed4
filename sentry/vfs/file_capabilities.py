"""The attribute security.capability: what it grants to an executed program, how it is kept.

capabilities(7), "File capabilities" and "Namespaced file capabilities".  A file is marked for
the root user of one user namespace: revision 2 for that of the file system's own, revision 3 for
the one it names.  What the marks do to credentials is in `auth/execution.py`.
"""

import struct

from runsc_py.sentry.auth.capabilities import CAP_SETFCAP, FileCapabilities
from runsc_py.sentry.errors import EINVAL, ENODATA, EOPNOTSUPP, EOVERFLOW, EPERM

TYPE_CHECKING = False
if TYPE_CHECKING:
    from runsc_py.sentry.auth.credentials import Credentials
    from runsc_py.sentry.auth.user_namespace import UserNamespace
    from runsc_py.sentry.vfs.inode import FileSystem, Inode

CAPABILITY = b"security.capability"

_REVISION_2 = 0x02000000
_REVISION_3 = 0x03000000
_REVISION_MASK = 0xFF000000
#: bytes of struct vfs_cap_data and of struct vfs_ns_cap_data, which ends with the root user
_SIZE_2 = 20
_SIZE_3 = 24
_U32 = struct.Struct("<I")


def granted_capabilities(credentials: "Credentials", inode: "Inode") -> FileCapabilities | None:
    """What the file grants when a task with `credentials` executes it.  Errors: EINVAL."""
    try:
        value = inode.get_xattr(CAPABILITY)
    except (ENODATA, EOPNOTSUPP):
        return None
    file = FileCapabilities.parse(value)
    if file is None:
        raise EINVAL
    root = _global_root(inode.filesystem, file.root_uid)
    return file if _owns(root, credentials.user_namespace) else None


def value_to_keep(credentials: "Credentials", inode: "Inode", value: bytes) -> bytes:
    """What setxattr(2) writes: marks made in a user namespace are for its root alone.

    Errors: EINVAL, EPERM.
    """
    _check_format(value)
    _, uid, gid = inode.permission_ids()
    if not credentials.has_capability_over_inode(CAP_SETFCAP, uid, gid):
        raise EPERM
    filesystem = inode.filesystem
    if len(value) == _SIZE_2:
        if credentials.has_capability(CAP_SETFCAP, filesystem.user_namespace):
            return value
        named = 0
    else:
        (named,) = _U32.unpack_from(value, _SIZE_2)
    root = credentials.user_namespace.uid_map.to_global(named)
    if root is None:
        raise EINVAL
    kept = root
    if filesystem.user_namespace is not None:
        inside = filesystem.user_namespace.uid_map.from_global(root)
        if inside is None:
            raise EINVAL
        kept = inside
    return _of_root(value, kept)


def value_to_show(credentials: "Credentials", inode: "Inode", value: bytes) -> bytes:
    """What getxattr(2) reads: the root user as the caller's user namespace knows it.

    Errors: EINVAL, EOVERFLOW (the marks are for a namespace out of sight).
    """
    _check_format(value)
    named = _U32.unpack_from(value, _SIZE_2)[0] if len(value) == _SIZE_3 else 0
    root = _global_root(inode.filesystem, named)
    namespace = credentials.user_namespace
    seen = None if root is None else namespace.uid_map.from_global(root)
    if seen:
        return _of_root(value, seen)
    if not _owns(root, namespace):
        raise EOVERFLOW
    (magic,) = _U32.unpack_from(value)
    return _U32.pack(magic & ~_REVISION_MASK | _REVISION_2) + value[4:_SIZE_2]


def _check_format(value: bytes) -> None:
    revision = _U32.unpack_from(value)[0] & _REVISION_MASK if len(value) >= 4 else 0
    if (len(value), revision) not in ((_SIZE_2, _REVISION_2), (_SIZE_3, _REVISION_3)):
        raise EINVAL


def _of_root(value: bytes, root: int) -> bytes:
    """The marks as revision 3, for this root user."""
    (magic,) = _U32.unpack_from(value)
    head = _U32.pack(magic & ~_REVISION_MASK | _REVISION_3)
    return head + value[4:_SIZE_2] + _U32.pack(root)


def _global_root(filesystem: "FileSystem", identifier: int) -> int | None:
    """The global id of a root user that the file system's marks name."""
    namespace = filesystem.user_namespace
    return identifier if namespace is None else namespace.uid_map.to_global(identifier)


def _owns(root: int | None, namespace: "UserNamespace | None") -> bool:
    """Whether the global id `root` is root in the namespace or in one above it."""
    while root is not None and namespace is not None:
        if namespace.uid_map.from_global(root) == 0:
            return True
        namespace = namespace.parent
    return False
