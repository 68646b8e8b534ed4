"""Changes of attributes: chmod, chown, truncate, utimensat, and what a write takes away.

Each function makes the checks of Linux's setattr_prepare, lets set-id bits go where they must,
and hands one `AttributeChange` to the file system.
"""

from runsc_py.sentry.abi.inotify import IN_ATTRIB, IN_MODIFY
from runsc_py.sentry.abi.signals import SIGXFSZ
from runsc_py.sentry.auth.capabilities import CAP_CHOWN, CAP_FSETID
from runsc_py.sentry.errors import EFBIG, EINVAL, EISDIR, EOPNOTSUPP, EPERM, EROFS, ETXTBSY
from runsc_py.sentry.kernel.limits import RLIM_INFINITY, RLIMIT_FSIZE
from runsc_py.sentry.kernel.signals import SignalInfo
from runsc_py.sentry.vfs.attributes import (
    S_IFMT,
    S_IFREG,
    S_ISGID,
    S_ISUID,
    AttributeChange,
)
from runsc_py.sentry.vfs.leases import break_leases
from runsc_py.sentry.vfs.notification import notify_path
from runsc_py.sentry.vfs.path import Path
from runsc_py.sentry.vfs.permissions import (
    MAY_WRITE,
    check,
    check_owner,
    is_owner_or_capable,
    keeps_set_gid,
    mode_without_set_ids,
)
from runsc_py.sentry.vfs.protection import (
    check_changeable,
    check_not_immutable,
    check_overwritable,
)
from runsc_py.sentry.vfs.usage import is_executed

TYPE_CHECKING = False
if TYPE_CHECKING:
    from runsc_py.sentry.kernel.task import Task
    from runsc_py.sentry.vfs.inode import Inode
    from runsc_py.sentry.vfs.mount import Mount
    from runsc_py.sentry.vfs.open_file import OpenFile

_CHANGEABLE_BITS = 0o7777


def check_writable(mount: "Mount") -> None:
    """Raise EROFS on a read-only mount."""
    if mount.read_only:
        raise EROFS


def change_mode(task: "Task", place: Path, mode: int) -> None:
    """chmod(2).  Errors: EROFS, EOPNOTSUPP (a symbolic link), EPERM."""
    check_writable(place.mount)
    inode = place.inode
    if inode.is_symlink:
        raise EOPNOTSUPP
    credentials = task.credentials
    check_changeable(inode)
    check_owner(credentials, inode)
    current, uid, gid = inode.permission_ids()
    if mode & S_ISGID and not keeps_set_gid(credentials, uid, gid):
        mode &= ~S_ISGID
    inode.set_attributes(AttributeChange(mode=(current & S_IFMT) | (mode & _CHANGEABLE_BITS)))
    notify_path(place, IN_ATTRIB)


def change_owner(task: "Task", place: Path, uid: int | None, gid: int | None) -> None:
    """chown(2); global ids, None leaves one alone.  Errors: EROFS, EPERM."""
    check_writable(place.mount)
    inode = place.inode
    credentials = task.credentials
    check_changeable(inode)
    mode, current_uid, current_gid = inode.permission_ids()
    owns = credentials.fsuid == current_uid
    capable = credentials.has_capability_over_inode(CAP_CHOWN, current_uid, current_gid)
    if uid is not None and not (owns and uid == current_uid) and not capable:
        raise EPERM
    if (
        gid is not None
        and not (owns and (gid == current_gid or credentials.in_group(gid)))
        and not capable
    ):
        raise EPERM
    new_mode = None
    if not inode.is_directory and mode & (S_ISUID | S_ISGID):
        new_mode = mode_without_set_ids(credentials, inode)
    inode.set_attributes(AttributeChange(mode=new_mode, uid=uid, gid=gid))
    notify_path(place, IN_ATTRIB)


def truncate(task: "Task", place: Path, size: int) -> None:
    """truncate(2).  Errors: EISDIR, EINVAL, EROFS, EACCES, ETXTBSY, LeaseHeld, EFBIG."""
    inode = place.inode
    if inode.is_directory:
        raise EISDIR
    if inode.mode & S_IFMT != S_IFREG:
        raise EINVAL
    check_writable(place.mount)
    check(task.credentials, inode, MAY_WRITE)
    check_overwritable(inode)
    if is_executed(task.kernel, inode):
        raise ETXTBSY
    break_leases(task, inode, 0, writing=True)
    check_file_size(task, size)
    inode.set_attributes(AttributeChange(size=size))
    notify_path(place, IN_MODIFY)
    remove_set_ids(task, inode)


def check_file_size(task: "Task", size: int) -> None:
    """RLIMIT_FSIZE: EFBIG and SIGXFSZ where a file would become larger than allowed."""
    limit = task.thread_group.limits.get(RLIMIT_FSIZE)[0]
    if limit != RLIM_INFINITY and size > limit:
        task.send_signal(SignalInfo.from_itself(task, SIGXFSZ))
        raise EFBIG


def writable_size(task: "Task", file: "OpenFile", offset: int, size: int) -> int:
    """How much of a write at `offset` RLIMIT_FSIZE leaves.  Errors: EFBIG (with SIGXFSZ)."""
    limit = task.thread_group.limits.get(RLIMIT_FSIZE)[0]
    if limit == RLIM_INFINITY or file.inode.mode & S_IFMT != S_IFREG:
        return size
    if size and offset >= limit:
        check_file_size(task, offset + 1)
    return min(size, limit - offset)


def remove_set_ids(task: "Task", inode: "Inode") -> None:
    """The content was changed: set-id bits go unless CAP_FSETID keeps them (file_remove_privs)."""
    mode = inode.mode
    if not mode & (S_ISUID | S_ISGID) or mode & S_IFMT != S_IFREG:
        return
    _, uid, gid = inode.permission_ids()
    if task.credentials.has_capability_over_inode(CAP_FSETID, uid, gid):
        return
    new_mode = mode_without_set_ids(task.credentials, inode)
    if new_mode is not None:
        inode.set_attributes(AttributeChange(mode=new_mode))


def touch(task: "Task", place: Path) -> None:
    """utimensat(2) without times: both become now.  Errors: EROFS, EACCES."""
    check_writable(place.mount)
    inode = place.inode
    check_not_immutable(inode)
    if not is_owner_or_capable(task.credentials, inode):
        check(task.credentials, inode, MAY_WRITE)
    now = task.kernel.clock.realtime()
    inode.set_attributes(AttributeChange(access_time=now, modification_time=now))
    notify_path(place, IN_ATTRIB)


def set_times(
    task: "Task", place: Path, access_time: int | None, modification_time: int | None
) -> None:
    """utimensat(2) with times in ns since the epoch; None leaves one.  Errors: EROFS, EPERM."""
    check_writable(place.mount)
    check_changeable(place.inode)
    check_owner(task.credentials, place.inode)
    place.inode.set_attributes(
        AttributeChange(access_time=access_time, modification_time=modification_time)
    )
    notify_path(place, IN_ATTRIB)
