"""Who may do what to an inode: path_resolution(7) "Permissions", capabilities(7).

Mode, owner, group and the access control list (`acl.py`) count, then capabilities.  Checks are made
with the file system ids (credentials(7)), which access(2) replaces by the real ones.
Functions named check_… return nothing and raise the error of the man page.
"""

from runsc_py.sentry.auth.capabilities import (
    CAP_DAC_OVERRIDE,
    CAP_DAC_READ_SEARCH,
    CAP_FOWNER,
    CAP_FSETID,
)
from runsc_py.sentry.errors import EACCES, ENOTDIR, EPERM
from runsc_py.sentry.vfs.acl import ACCESS
from runsc_py.sentry.vfs.attributes import S_IFDIR, S_IFMT, S_ISGID, S_ISUID, S_ISVTX
from runsc_py.sentry.vfs.protection import check_not_immutable

TYPE_CHECKING = False
if TYPE_CHECKING:
    from runsc_py.sentry.auth.credentials import Credentials
    from runsc_py.sentry.kernel.task import Task
    from runsc_py.sentry.vfs.inode import Inode

MAY_EXECUTE = 1
MAY_WRITE = 2
MAY_READ = 4

S_IXGRP = 0o10
_ANY_EXECUTE = 0o111
_GROUP_CLASS = 0o070

#: a mode that has, of SEARCHABLE_MASK, just SEARCHABLE: a directory that everybody may search, if
#: no access control list says otherwise
SEARCHABLE_MASK = S_IFMT | _ANY_EXECUTE
SEARCHABLE = S_IFDIR | _ANY_EXECUTE


def may(credentials: "Credentials", inode: "Inode", mask: int) -> bool:
    """Whether all of `mask` (MAY_*) is allowed."""
    # Most callers are root: no need to ask the file system for what does not matter to them.
    if credentials.overrides_permissions and (
        not mask & MAY_EXECUTE or inode.mode & S_IFMT == S_IFDIR
    ):
        return True
    mode, uid, gid = inode.permission_ids()
    if _is_granted(credentials, inode, mode, uid, gid, mask):
        return True
    is_directory = mode & S_IFMT == S_IFDIR
    only_reads = not mask & MAY_WRITE if is_directory else mask == MAY_READ
    if only_reads and credentials.has_capability_over_inode(CAP_DAC_READ_SEARCH, uid, gid):
        return True
    if not is_directory and mask & MAY_EXECUTE and not mode & _ANY_EXECUTE:
        return False
    return credentials.has_capability_over_inode(CAP_DAC_OVERRIDE, uid, gid)


def _is_granted(
    credentials: "Credentials", inode: "Inode", mode: int, uid: int, gid: int, mask: int
) -> bool:
    """Linux's acl_permission_check; a list whose mask grants nothing is not looked at."""
    if uid == credentials.fsuid:
        return not mask & ~(mode >> 6)
    if inode.has_acl and mode & _GROUP_CLASS:
        acl = inode.get_acl(ACCESS)
        if acl is not None:
            return acl.allows(credentials, uid, gid, mask)
    return not mask & ~(mode >> 3 if credentials.in_group(gid) else mode)


def check(credentials: "Credentials", inode: "Inode", mask: int) -> None:
    """Raise EACCES unless all of `mask` is allowed, EPERM for writing to an immutable file."""
    if mask & MAY_WRITE and inode.flags:
        check_not_immutable(inode)
    if not may(credentials, inode, mask):
        raise EACCES


def check_search(credentials: "Credentials", inode: "Inode") -> None:
    """Whether a walk may go on through `inode`.  Errors: ENOTDIR, EACCES."""
    mode = inode.mode
    if mode & S_IFMT != S_IFDIR:
        raise ENOTDIR
    if mode & _ANY_EXECUTE == _ANY_EXECUTE and (
        credentials.overrides_permissions or not inode.has_acl
    ):
        return
    if not may(credentials, inode, MAY_EXECUTE):
        raise EACCES


def is_owner_or_capable(credentials: "Credentials", inode: "Inode") -> bool:
    """Whether the owner's rights are there (Linux's inode_owner_or_capable)."""
    _, uid, gid = inode.permission_ids()
    return uid == credentials.fsuid or credentials.has_capability_over_inode(CAP_FOWNER, uid, gid)


def check_owner(credentials: "Credentials", inode: "Inode") -> None:
    """Raise EPERM unless the owner's rights are there."""
    if not is_owner_or_capable(credentials, inode):
        raise EPERM


def check_sticky(credentials: "Credentials", directory: "Inode", child: "Inode") -> None:
    """unlink(2), rename(2) in a sticky directory: EPERM for who owns neither."""
    mode, directory_uid, _ = directory.permission_ids()
    if not mode & S_ISVTX or directory_uid == credentials.fsuid:
        return
    check_owner(credentials, child)


def keeps_set_gid(credentials: "Credentials", uid: int, gid: int) -> bool:
    """Whether the caller may make or leave the set-group-id bit on a file of group `gid`."""
    return credentials.in_group(gid) or credentials.has_capability_over_inode(CAP_FSETID, uid, gid)


def new_inode_owner(task: "Task", directory: "Inode", mode: int) -> tuple[int, int, int, int]:
    """(mode, uid, gid, umask) of something made in `directory`: inode(7), "The set-group-ID bit".

    The umask is what the file system has yet to apply; without access control lists it is applied.
    """
    credentials = task.credentials
    uid, gid = credentials.fsuid, credentials.fsgid
    directory_mode, _, directory_gid = directory.permission_ids()
    if directory_mode & S_ISGID:
        gid = directory_gid
        both = S_ISGID | S_IXGRP
        if mode & S_IFMT == S_IFDIR:
            mode |= S_ISGID
        elif mode & both == both and not keeps_set_gid(credentials, uid, gid):
            mode &= ~S_ISGID
    umask = task.file_context.umask
    if directory.filesystem.keeps_acls:
        return mode, uid, gid, umask
    return mode & ~umask, uid, gid, 0


def mode_without_set_ids(credentials: "Credentials", inode: "Inode") -> int | None:
    """The mode after a write, truncation or chown by the caller; None when nothing is lost.

    For chown the set-user-id bit goes even when a privileged process acts; the other calls ask
    only when it does not.
    """
    mode, uid, gid = inode.permission_ids()
    kept = mode & ~S_ISUID
    if mode & S_ISGID and (mode & S_IXGRP or not keeps_set_gid(credentials, uid, gid)):
        kept &= ~S_ISGID
    return None if kept == mode else kept
