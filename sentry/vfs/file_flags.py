"""Flags of a file beyond its mode: FS_IOC_SETFLAGS (ioctl_iflags(2)), file_setattr(2).

An immutable file takes no change at all, an append-only one only more bytes at its end; both
only for CAP_LINUX_IMMUTABLE to set and clear, and stronger than every other right.  There are two
encodings, FS_…_FL and FS_XFLAG_…; an inode has the first.
"""

from runsc_py.sentry.auth.capabilities import CAP_LINUX_IMMUTABLE
from runsc_py.sentry.errors import EOPNOTSUPP, EPERM
from runsc_py.sentry.vfs.attribute_operations import check_writable
from runsc_py.sentry.vfs.path import Path
from runsc_py.sentry.vfs.permissions import check_owner
from runsc_py.sentry.vfs.protection import (
    FS_APPEND_FL,
    FS_IMMUTABLE_FL,
    FS_NOATIME_FL,
    FS_NODUMP_FL,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from runsc_py.sentry.auth.credentials import Credentials

FS_SYNC_FL = 0x8
FS_DAX_FL = 0x02000000
FS_PROJINHERIT_FL = 0x20000000

#: FS_XFLAG_… and FS_…_FL of the flags that both encodings have
_COMMON = (
    (0x8, FS_IMMUTABLE_FL),
    (0x10, FS_APPEND_FL),
    (0x20, FS_SYNC_FL),
    (0x40, FS_NOATIME_FL),
    (0x80, FS_NODUMP_FL),
    (0x200, FS_PROJINHERIT_FL),
    (0x8000, FS_DAX_FL),
)


def extended_flags(flags: int) -> int:
    """FS_XFLAG_… for FS_…_FL."""
    return sum(extended for extended, plain in _COMMON if flags & plain)


def flags_of_extended(extended: int) -> int:
    """FS_…_FL for FS_XFLAG_….  Errors: EOPNOTSUPP for what only few file systems have."""
    if extended & ~sum(bit for bit, _ in _COMMON):
        raise EOPNOTSUPP
    return sum(plain for bit, plain in _COMMON if extended & bit)


def set_file_flags(credentials: "Credentials", place: Path, flags: int) -> None:
    """Linux's vfs_fileattr_set.  Errors: EROFS, ENOTTY (no such flags here), EPERM, EOPNOTSUPP."""
    check_writable(place.mount)
    inode = place.inode
    before = inode.get_flags()
    check_owner(credentials, inode)
    if (before ^ flags) & (FS_APPEND_FL | FS_IMMUTABLE_FL) and not credentials.has_capability(
        CAP_LINUX_IMMUTABLE
    ):
        raise EPERM
    inode.set_flags(flags)
