"""Making, linking and removing names: mkdir, mknod, symlink, link, unlink, rmdir.

Every function takes places and names that a walk gave, makes Linux's checks in Linux's order,
calls the file system and keeps the dentries right.  rename(2) is in `vfs/renaming.py`, changes
of attributes in `vfs/attribute_operations.py`.
"""

from runsc_py.sentry.auth.capabilities import CAP_MKNOD
from runsc_py.sentry.errors import (
    EBUSY,
    EEXIST,
    EINVAL,
    EISDIR,
    ENOENT,
    ENOTDIR,
    ENOTEMPTY,
    EOVERFLOW,
    EPERM,
    EROFS,
    EXDEV,
)
from runsc_py.sentry.vfs.attributes import (
    S_IFBLK,
    S_IFCHR,
    S_IFDIR,
    S_IFIFO,
    S_IFMT,
    S_IFREG,
    S_IFSOCK,
    S_ISGID,
    S_ISUID,
)
from runsc_py.sentry.vfs.notification import entry_created, entry_removed, link_created
from runsc_py.sentry.vfs.path import Dentry, Path, PrivateDentry
from runsc_py.sentry.vfs.permissions import (
    MAY_EXECUTE,
    MAY_READ,
    MAY_WRITE,
    S_IXGRP,
    check,
    check_sticky,
    is_owner_or_capable,
    may,
    new_inode_owner,
)
from runsc_py.sentry.vfs.protection import check_changeable, check_overwritable
from runsc_py.sentry.vfs.walk import Parent, walk_to_parent

TYPE_CHECKING = False
if TYPE_CHECKING:
    from runsc_py.sentry.auth.credentials import Credentials
    from runsc_py.sentry.kernel.task import Task
    from runsc_py.sentry.vfs.inode import Inode

#: the mode bits that mkdir(2) takes over
_DIRECTORY_BITS = 0o1777
_ALL_BITS = 0o7777


# -- making ---------------------------------------------------------------------


def prepare_creation(
    task: "Task", path: bytes, start: Path | None, *, directory: bool = False
) -> Parent:
    """Walk to where a new name is to be made, and see that it is free.

    Errors: those of the walk; EEXIST; ENOENT (a trailing slash on what is to be no
    directory, or a removed directory); EROFS; EACCES.
    """
    parent = walk_to_parent(task, path, start)
    if parent.is_special:
        raise EEXIST
    if parent.look_up().inode is not None:
        raise EEXIST
    if parent.trailing_slash and not directory:
        raise ENOENT
    if parent.mount.read_only:
        raise EROFS
    return parent


def check_may_create(credentials: "Credentials", parent: Parent) -> None:
    """Whether an entry may be added to a directory.

    Errors: ENOENT (it was removed), EOVERFLOW (the file system cannot name the caller), EACCES.
    """
    if parent.dentry.unlinked:
        raise ENOENT
    owner = parent.mount.filesystem.user_namespace
    if owner is not None and (
        owner.uid_map.from_global(credentials.fsuid) is None
        or owner.gid_map.from_global(credentials.fsgid) is None
    ):
        raise EOVERFLOW
    check(credentials, parent.directory, MAY_WRITE | MAY_EXECUTE)


def add_entry(parent: Parent, inode: "Inode") -> Dentry:
    """What was just made becomes known under its name."""
    dentry = parent.dentry.add(parent.name, inode)
    entry_created(parent.directory, parent.name, inode)
    return dentry


def make_directory(task: "Task", path: bytes, mode: int, start: Path | None = None) -> Path:
    """mkdirat(2)."""
    parent = prepare_creation(task, path, start, directory=True)
    check_may_create(task.credentials, parent)
    owned = new_inode_owner(task, parent.directory, S_IFDIR | mode & _DIRECTORY_BITS)
    inode = parent.directory.make_directory(parent.name, *owned)
    return Path(parent.mount, add_entry(parent, inode))


def make_node(task: "Task", path: bytes, mode: int, device: int, start: Path | None = None) -> Path:
    """mknodat(2); a mode without a type is a regular file.

    Errors: EPERM (a directory; a device without CAP_MKNOD), EINVAL (an unknown type), and
    those of every creation.
    """
    kind = mode & S_IFMT or S_IFREG
    if kind == S_IFDIR:
        raise EPERM
    if kind not in (S_IFREG, S_IFCHR, S_IFBLK, S_IFIFO, S_IFSOCK):
        raise EINVAL
    parent = prepare_creation(task, path, start)
    check_may_create(task.credentials, parent)
    # Everybody may make a whiteout, which is character device 0:0.
    if (kind == S_IFBLK or (kind == S_IFCHR and device)) and not task.credentials.has_capability(
        CAP_MKNOD
    ):
        raise EPERM
    directory, name = parent.directory, parent.name
    mode, *owner = new_inode_owner(task, directory, kind | mode & _ALL_BITS)
    if kind == S_IFREG:
        inode = directory.create(name, mode, *owner)
    else:
        inode = directory.make_node(name, mode, device, *owner)
    return Path(parent.mount, add_entry(parent, inode))


def make_socket_file(task: "Task", path: bytes, socket_type: int) -> tuple[Path, int]:
    """The file that bind(2) makes, and the host's socket that is bound there; -1 for none.

    Errors: those of every creation.
    """
    parent = prepare_creation(task, path, None)
    check_may_create(task.credentials, parent)
    mode, uid, gid, umask = new_inode_owner(task, parent.directory, S_IFSOCK | 0o777)
    inode, descriptor = parent.directory.make_socket(
        parent.name, mode, uid, gid, umask, socket_type
    )
    return Path(parent.mount, add_entry(parent, inode)), descriptor


def make_symlink(task: "Task", target: bytes, path: bytes, start: Path | None = None) -> None:
    """symlinkat(2).  Errors: ENOENT (an empty target), and those of every creation."""
    if not target:
        raise ENOENT
    parent = prepare_creation(task, path, start)
    check_may_create(task.credentials, parent)
    _, uid, gid, _ = new_inode_owner(task, parent.directory, 0o777)
    inode = parent.directory.make_symlink(parent.name, target, uid, gid)
    add_entry(parent, inode)


def make_link(task: "Task", source: Path, path: bytes, start: Path | None = None) -> None:
    """linkat(2) once the source is found.

    Errors: those of every creation; EXDEV; EPERM (a directory, or protected_hardlinks); ENOENT
    (the source lost its last name).
    """
    parent = prepare_creation(task, path, start)
    if parent.mount is not source.mount:
        raise EXDEV
    inode = source.inode
    if task.kernel.file_settings.protected_hardlinks:
        _check_may_link(task.credentials, inode)
    check_may_create(task.credentials, parent)
    if inode.filesystem is not parent.mount.filesystem:
        raise EXDEV
    check_changeable(inode)
    if inode.is_directory:
        raise EPERM
    if isinstance(source.dentry, PrivateDentry):
        raise ENOENT
    parent.directory.link(parent.name, inode)
    parent.dentry.add(parent.name, inode)
    link_created(parent.directory, parent.name, inode)


# -- removing --------------------------------------------------------------------


def check_may_delete(
    credentials: "Credentials", parent: Parent, child: Dentry, *, directory: bool
) -> None:
    """Whether a name may go.  Errors, in order: EACCES, EPERM, ENOTDIR, EISDIR, ENOENT."""
    check(credentials, parent.directory, MAY_WRITE | MAY_EXECUTE)
    inode = child.existing
    check_overwritable(parent.directory)
    check_sticky(credentials, parent.directory, inode)
    check_changeable(inode)
    if directory:
        if not inode.is_directory:
            raise ENOTDIR
    elif inode.is_directory:
        raise EISDIR
    if parent.dentry.unlinked:
        raise ENOENT


def unlink(task: "Task", path: bytes, start: Path | None = None) -> None:
    """unlink(2), unlinkat(2).

    Errors: those of the walk; EISDIR ("." and the like); EROFS; ENOENT; EISDIR or ENOTDIR (a
    trailing slash); EACCES, EPERM, EISDIR; EBUSY (a mount point).
    """
    parent = walk_to_parent(task, path, start)
    if parent.is_special:
        raise EISDIR
    if parent.mount.read_only:
        raise EROFS
    child = parent.look_up()
    inode = child.inode
    if inode is None:
        raise ENOENT
    if parent.trailing_slash:
        raise EISDIR if inode.is_directory else ENOTDIR
    check_may_delete(task.credentials, parent, child, directory=False)
    if is_mount_point(parent, child):
        raise EBUSY
    parent.directory.unlink(parent.name, inode)
    parent.dentry.forget(child)
    entry_removed(parent.directory, parent.name, inode)


def remove_directory(task: "Task", path: bytes, start: Path | None = None) -> None:
    """rmdir(2).

    Errors: those of the walk; EINVAL ("."), ENOTEMPTY (".."), EBUSY ("/"); EROFS; ENOENT;
    EACCES, EPERM, ENOTDIR; EBUSY (a mount point); ENOTEMPTY.
    """
    parent = walk_to_parent(task, path, start)
    if parent.is_special:
        raise {b".": EINVAL, b"..": ENOTEMPTY, b"": EBUSY}[parent.name]
    if parent.mount.read_only:
        raise EROFS
    child = parent.look_up()
    inode = child.inode
    if inode is None:
        raise ENOENT
    check_may_delete(task.credentials, parent, child, directory=True)
    if is_mount_point(parent, child):
        raise EBUSY
    parent.directory.remove_directory(parent.name, inode)
    parent.dentry.forget(child)
    entry_removed(parent.directory, parent.name, inode)


def is_mount_point(parent: Parent, child: Dentry) -> bool:
    """Whether something is mounted on a name in the namespace of the walk."""
    if not child.mounts:
        return False
    namespace = parent.mount.namespace
    return namespace is None or namespace.has_mount_on(child)


def _check_may_link(credentials: "Credentials", inode: "Inode") -> None:
    """protected_hardlinks (proc_sys_fs(5)): others' files only when they are harmless to link."""
    if is_owner_or_capable(credentials, inode):
        return
    mode = inode.mode
    if (
        mode & S_IFMT != S_IFREG
        or mode & S_ISUID
        or mode & (S_ISGID | S_IXGRP) == S_ISGID | S_IXGRP
        or not may(credentials, inode, MAY_READ | MAY_WRITE)
    ):
        raise EPERM
