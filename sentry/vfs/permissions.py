"""Who may do what to an inode: path_resolution(7) "Permissions", capabilities(7).

Only mode, owner, group and capabilities count; there are no access control lists.  Checks are
made with the file system ids (credentials(7)), which access(2) replaces by the real ones.
Functions named check_… return nothing and raise the error of the man page.
"""

from runsc_py.sentry.auth.capabilities import (
    CAP_DAC_OVERRIDE,
    CAP_DAC_READ_SEARCH,
    CAP_FOWNER,
    CAP_FSETID,
)
from runsc_py.sentry.errors import EACCES, ENOTDIR, EPERM
from runsc_py.sentry.vfs.attributes import S_IFDIR, S_IFMT, S_ISGID, S_ISUID, S_ISVTX

TYPE_CHECKING = False
if TYPE_CHECKING:
    from runsc_py.sentry.auth.credentials import Credentials
    from runsc_py.sentry.vfs.inode import Inode

MAY_EXECUTE = 1
MAY_WRITE = 2
MAY_READ = 4

S_IXGRP = 0o10
_ANY_EXECUTE = 0o111
_OVERRIDE = 1 << CAP_DAC_OVERRIDE

#: a mode that has, of SEARCHABLE_MASK, just SEARCHABLE: a directory that everybody may search
SEARCHABLE_MASK = S_IFMT | _ANY_EXECUTE
SEARCHABLE = S_IFDIR | _ANY_EXECUTE


def may(credentials: "Credentials", inode: "Inode", mask: int) -> bool:
    """Whether all of `mask` (MAY_*) is allowed."""
    # Most callers are root: no need to ask the file system for what does not matter to them.
    if (
        credentials.effective & _OVERRIDE
        and credentials.user_namespace.parent is None
        and (not mask & MAY_EXECUTE or inode.mode & S_IFMT == S_IFDIR)
    ):
        return True
    mode, uid, gid = inode.permission_ids()
    if uid == credentials.fsuid:
        granted = mode >> 6
    elif credentials.in_group(gid):
        granted = mode >> 3
    else:
        granted = mode
    if not mask & ~granted:
        return True
    is_directory = mode & S_IFMT == S_IFDIR
    only_reads = not mask & MAY_WRITE if is_directory else mask == MAY_READ
    if only_reads and credentials.has_capability_over_inode(CAP_DAC_READ_SEARCH, uid, gid):
        return True
    if not is_directory and mask & MAY_EXECUTE and not mode & _ANY_EXECUTE:
        return False
    return credentials.has_capability_over_inode(CAP_DAC_OVERRIDE, uid, gid)


def check(credentials: "Credentials", inode: "Inode", mask: int) -> None:
    """Raise EACCES unless all of `mask` is allowed."""
    if not may(credentials, inode, mask):
        raise EACCES


def check_search(credentials: "Credentials", inode: "Inode") -> None:
    """Whether a walk may go on through `inode`.  Errors: ENOTDIR, EACCES."""
    mode = inode.mode
    if mode & S_IFMT != S_IFDIR:
        raise ENOTDIR
    if mode & _ANY_EXECUTE != _ANY_EXECUTE and not may(credentials, inode, MAY_EXECUTE):
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


def new_inode_owner(
    credentials: "Credentials", directory: "Inode", mode: int
) -> tuple[int, int, int]:
    """(mode, uid, gid) of something made in `directory`: inode(7), "The set-group-ID bit"."""
    uid = credentials.fsuid
    directory_mode, _, directory_gid = directory.permission_ids()
    if not directory_mode & S_ISGID:
        return mode, uid, credentials.fsgid
    if mode & S_IFMT == S_IFDIR:
        return mode | S_ISGID, uid, directory_gid
    both = S_ISGID | S_IXGRP
    if mode & both == both and not keeps_set_gid(credentials, uid, directory_gid):
        mode &= ~S_ISGID
    return mode, uid, directory_gid


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
