"""What immutable and append-only files refuse (ioctl_iflags(2)); setting it: `file_flags.py`."""

from runsc_py.sentry.errors import EPERM

TYPE_CHECKING = False
if TYPE_CHECKING:
    from runsc_py.sentry.vfs.inode import Inode

FS_IMMUTABLE_FL = 0x10
FS_APPEND_FL = 0x20
FS_NODUMP_FL = 0x40
FS_NOATIME_FL = 0x80

_PROTECTED = FS_IMMUTABLE_FL | FS_APPEND_FL


def check_changeable(inode: "Inode") -> None:
    """Whether attributes and names of the file may change.  Errors: EPERM."""
    if inode.flags & _PROTECTED:
        raise EPERM


def check_not_immutable(inode: "Inode") -> None:
    """Whether anything of the file may change.  Errors: EPERM."""
    if inode.flags & FS_IMMUTABLE_FL:
        raise EPERM


def check_overwritable(inode: "Inode") -> None:
    """Whether what is in the file may change.  Errors: EPERM."""
    if inode.flags & FS_APPEND_FL:
        raise EPERM
