"""rename(2), renameat2(2), with the checks of Linux's do_renameat2 and vfs_rename in order."""

from runsc_py.sentry.errors import (
    EBUSY,
    EEXIST,
    EINVAL,
    ENOENT,
    ENOTDIR,
    ENOTEMPTY,
    EROFS,
    EXDEV,
)
from runsc_py.sentry.vfs.notification import entry_moved
from runsc_py.sentry.vfs.operations import check_may_create, check_may_delete, is_mount_point
from runsc_py.sentry.vfs.path import Dentry, Path
from runsc_py.sentry.vfs.permissions import MAY_WRITE, check
from runsc_py.sentry.vfs.walk import Parent, walk_to_parent

TYPE_CHECKING = False
if TYPE_CHECKING:
    from runsc_py.sentry.auth.credentials import Credentials
    from runsc_py.sentry.kernel.task import Task

RENAME_NOREPLACE = 1
RENAME_EXCHANGE = 2
RENAME_WHITEOUT = 4


def rename(
    task: "Task",
    old_path: bytes,
    new_path: bytes,
    old_start: Path | None = None,
    new_start: Path | None = None,
    flags: int = 0,
) -> None:
    """Give a file another name, replacing or exchanging what has it.

    Errors, in order: EINVAL, EPERM (flags); those of the walks; EXDEV; EBUSY or EEXIST ("." and
    the like); EROFS; ENOENT; EEXIST; ENOTDIR (trailing slashes); EINVAL, ENOTEMPTY
    (ancestors); EACCES, EPERM, ENOTDIR, EISDIR; EBUSY (mount points); ENOTEMPTY.
    """
    if flags & ~(RENAME_NOREPLACE | RENAME_EXCHANGE | RENAME_WHITEOUT):
        raise EINVAL
    if flags & RENAME_EXCHANGE and flags & (RENAME_NOREPLACE | RENAME_WHITEOUT):
        raise EINVAL
    old = walk_to_parent(task, old_path, old_start)
    new = walk_to_parent(task, new_path, new_start)
    if old.mount is not new.mount:
        raise EXDEV
    if old.is_special:
        raise EBUSY
    if new.is_special:
        raise EEXIST if flags & RENAME_NOREPLACE else EBUSY
    if old.mount.read_only:
        raise EROFS
    source = old.look_up()
    if source.inode is None:
        raise ENOENT
    target = new.look_up()
    _check_names(old, source, new, target, flags)
    if source.inode is target.inode:
        return
    _check_permissions(task.credentials, old, source, new, target, flags)
    if is_mount_point(old, source) or is_mount_point(new, target):
        raise EBUSY
    old.directory.rename(old.name, source.inode, new.directory, new.name, target.inode, flags)
    filesystem = old.mount.filesystem
    filesystem.move_cookie += 1
    cookie = filesystem.move_cookie & 0xFFFFFFFF
    if flags & RENAME_EXCHANGE:
        _exchange_dentries(source, target)
        entry_moved(old.directory, source, old.name, new.directory, None, cookie)
        entry_moved(new.directory, target, new.name, old.directory, None, cookie)
    else:
        _move_dentry(old, source, new, target)
        entry_moved(old.directory, source, old.name, new.directory, target.inode, cookie)


def _check_names(old: Parent, source: Dentry, new: Parent, target: Dentry, flags: int) -> None:
    """What can be said before anybody's rights count."""
    source_is_directory = source.existing.is_directory
    if flags & RENAME_NOREPLACE and target.inode is not None:
        raise EEXIST
    if flags & RENAME_EXCHANGE:
        if target.inode is None:
            raise ENOENT
        if not target.inode.is_directory and new.trailing_slash:
            raise ENOTDIR
    if not source_is_directory:
        if old.trailing_slash:
            raise ENOTDIR
        if not flags & RENAME_EXCHANGE and new.trailing_slash:
            raise ENOTDIR
    elif source.is_ancestor_of(new.dentry):
        raise EINVAL
    if target.inode is not None and target.is_ancestor_of(old.dentry):
        raise EINVAL if flags & RENAME_EXCHANGE else ENOTEMPTY


def _check_permissions(
    credentials: "Credentials",
    old: Parent,
    source: Dentry,
    new: Parent,
    target: Dentry,
    flags: int,
) -> None:
    """Whether the names may be removed and made, and `..` of a moved directory changed."""
    source_is_directory = source.existing.is_directory
    check_may_delete(credentials, old, source, directory=source_is_directory)
    target_is_directory = False
    if target.inode is None:
        check_may_create(credentials, new)
    elif flags & RENAME_EXCHANGE:
        target_is_directory = target.inode.is_directory
        check_may_delete(credentials, new, target, directory=target_is_directory)
    else:
        check_may_delete(credentials, new, target, directory=source_is_directory)
    if old.dentry is not new.dentry:
        if source_is_directory:
            check(credentials, source.existing, MAY_WRITE)
        if target_is_directory:
            check(credentials, target.existing, MAY_WRITE)


def _move_dentry(old: Parent, source: Dentry, new: Parent, target: Dentry) -> None:
    """The source's dentry, with all that hangs from it, takes the target's place."""
    new.dentry.forget(target)
    old.dentry.children.pop(old.name, None)
    source.name = new.name
    source.parent = new.dentry
    new.dentry.attach(source)


def _exchange_dentries(first: Dentry, second: Dentry) -> None:
    for dentry in (first, second):
        assert dentry.parent is not None
        dentry.parent.children.pop(dentry.name, None)
    first.name, second.name = second.name, first.name
    first.parent, second.parent = second.parent, first.parent
    for dentry in (first, second):
        assert dentry.parent is not None
        dentry.parent.attach(dentry)
