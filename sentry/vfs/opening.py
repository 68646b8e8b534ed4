"""open(2), openat2(2): from a path to an open file description, making the file when asked.

The order of checks is Linux's do_last / may_open.
"""

from runsc_py.sentry.abi.inotify import IN_MODIFY, IN_OPEN
from runsc_py.sentry.abi.mount_flags import MS_NOSYMFOLLOW
from runsc_py.sentry.errors import (
    EACCES,
    EBADF,
    EEXIST,
    EINVAL,
    EISDIR,
    ELOOP,
    ENOENT,
    ENOTDIR,
    ENXIO,
    EROFS,
    ETXTBSY,
)
from runsc_py.sentry.vfs.attributes import (
    S_IFBLK,
    S_IFCHR,
    S_IFDIR,
    S_IFIFO,
    S_IFLNK,
    S_IFMT,
    S_IFREG,
    S_IFSOCK,
)
from runsc_py.sentry.vfs.leases import break_leases
from runsc_py.sentry.vfs.notification import notify_path
from runsc_py.sentry.vfs.open_file import (
    O_ACCMODE,
    O_APPEND,
    O_CREAT,
    O_DIRECT,
    O_DIRECTORY,
    O_EXCL,
    O_NOATIME,
    O_NOFOLLOW,
    O_PATH,
    O_TMPFILE,
    O_TRUNC,
    OpenFile,
)
from runsc_py.sentry.vfs.operations import add_entry, check_may_create
from runsc_py.sentry.vfs.path import Dentry, Path, PrivateDentry
from runsc_py.sentry.vfs.permissions import (
    MAY_EXECUTE,
    MAY_READ,
    MAY_WRITE,
    check,
    check_owner,
    new_inode_owner,
)
from runsc_py.sentry.vfs.protection import check_overwritable
from runsc_py.sentry.vfs.usage import is_executed
from runsc_py.sentry.vfs.walk import (
    MAXIMUM_LINKS,
    RESOLVE_BENEATH,
    RESOLVE_IN_ROOT,
    RESOLVE_NO_MAGICLINKS,
    RESOLVE_NO_SYMLINKS,
    RESOLVE_NO_XDEV,
    Parent,
    check_may_follow,
    walk,
    walk_to_parent,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from runsc_py.sentry.kernel.task import Task

_TMPFILE_BIT = O_TMPFILE & ~O_DIRECTORY
#: by access mode; 3 asks for both rights and then allows neither reading nor writing
_ACCESS = (MAY_READ, MAY_WRITE, MAY_READ | MAY_WRITE, MAY_READ | MAY_WRITE)


class PlaceFile(OpenFile):
    """What open(2) with O_PATH gives: a place, whose bytes cannot be reached."""

    __slots__ = ()

    is_counted_writer = False

    def poll(self) -> int:
        raise EBADF


def open_file(
    task: "Task",
    path: bytes,
    flags: int,
    mode: int = 0,
    start: Path | None = None,
    resolve: int = 0,
) -> OpenFile:
    """Open `path`; `flags` were checked, `mode` is what the guest gave for a new file.

    Errors, in order: those of the walk; EEXIST, EISDIR, ENOTDIR, ELOOP; EROFS, EACCES, EPERM,
    ENXIO; those of Inode.create and Inode.open.
    """
    if flags & O_CREAT:
        return _open_or_create(task, path, flags, mode, start, resolve)
    place = walk(task, path, start, follow=not flags & O_NOFOLLOW, resolve=resolve)
    if flags & O_DIRECTORY and not place.inode.is_directory:
        raise ENOTDIR
    if flags & _TMPFILE_BIT:
        return _open_unnamed(task, place, flags, mode)
    return open_path(task, place, flags)


def open_path(task: "Task", place: Path, flags: int) -> OpenFile:
    """Open what exists at a place, with the checks of open(2) on the file itself.

    Errors: as `open_file`; LeaseHeld when the caller has to wait and then open again.
    """
    if flags & O_PATH:
        return PlaceFile(place, flags)
    inode = place.inode
    mount = place.mount
    kind = inode.mode & S_IFMT
    wanted = _ACCESS[flags & O_ACCMODE]
    if flags & O_TRUNC:
        wanted |= MAY_WRITE
    if kind == S_IFREG:
        if flags & O_TRUNC and mount.read_only:
            raise EROFS
    elif kind == S_IFLNK:
        raise ELOOP
    elif kind == S_IFDIR:
        if wanted & MAY_WRITE:
            raise EISDIR
    elif kind in (S_IFCHR, S_IFBLK) and mount.denies_devices:
        raise EACCES
    check(task.credentials, inode, wanted)
    if inode.flags and (flags & O_TRUNC or wanted & MAY_WRITE and not flags & O_APPEND):
        check_overwritable(inode)
    if flags & O_NOATIME:
        check_owner(task.credentials, inode)
    if wanted & MAY_WRITE and mount.read_only and not inode.is_special:
        raise EROFS
    if kind == S_IFSOCK:
        raise ENXIO
    if kind == S_IFREG:
        if wanted & MAY_WRITE and is_executed(task.kernel, inode):
            raise ETXTBSY
        if inode.file_locks is not None:
            break_leases(task, inode, flags, writing=bool(wanted & MAY_WRITE))
    file = inode.open(task, place, flags)
    if flags & O_DIRECT and not file.has_storage and kind != S_IFIFO:
        file.acquire().drop()
        raise EINVAL
    if inode.filesystem.watches:
        if flags & O_TRUNC and kind == S_IFREG:
            notify_path(place, IN_MODIFY)
        notify_path(place, IN_OPEN)
    return file


def _open_or_create(
    task: "Task", path: bytes, flags: int, mode: int, start: Path | None, resolve: int
) -> OpenFile:
    parent = walk_to_parent(task, path, start, resolve=resolve)
    follow = not flags & (O_NOFOLLOW | O_EXCL)
    while True:
        if parent.is_special:
            raise EEXIST if flags & O_EXCL else EISDIR
        if parent.trailing_slash:
            raise EISDIR
        child = parent.look_up()
        if child.inode is None:
            return _create(task, parent, child, flags, mode)
        if not follow or not child.inode.is_symlink:
            break
        target = _link_target(task, parent, child, resolve)
        if isinstance(target, Path):
            return _open_existing(task, target, flags)
        parent = walk_to_parent(
            task,
            target,
            Path(parent.mount, parent.dentry),
            resolve=resolve & ~(RESOLVE_BENEATH | RESOLVE_IN_ROOT),
            links=parent.links + 1,
            root=parent.root,
        )
    return _open_existing(task, parent.path_of(child), flags)


def _open_existing(task: "Task", place: Path, flags: int) -> OpenFile:
    """open(2) with O_CREAT of something that exists."""
    if flags & O_EXCL:
        raise EEXIST
    if place.inode.is_directory:
        raise EISDIR
    if flags & O_DIRECTORY:
        raise ENOTDIR
    return open_path(task, place, flags)


def _link_target(task: "Task", parent: Parent, link: Dentry, resolve: int) -> bytes | Path:
    """Follow the last component where a file may be made behind a dangling link."""
    if (
        parent.links >= MAXIMUM_LINKS
        or resolve & RESOLVE_NO_SYMLINKS
        or parent.mount.flags & MS_NOSYMFOLLOW
    ):
        raise ELOOP
    check_may_follow(task, parent.directory, link.existing)
    target = link.existing.follow_link(task)
    if isinstance(target, Path):
        if resolve & RESOLVE_NO_MAGICLINKS:
            raise ELOOP
        if resolve & (RESOLVE_BENEATH | RESOLVE_IN_ROOT | RESOLVE_NO_XDEV):
            raise EACCES
    elif not target:
        raise ENOENT
    return target


def _create(task: "Task", parent: Parent, child: Dentry, flags: int, mode: int) -> OpenFile:
    """Make the regular file and open it; its mode does not matter to this open."""
    directory = parent.directory
    check_may_create(task.credentials, parent)
    if parent.mount.read_only:
        raise EROFS
    owned = new_inode_owner(task, directory, S_IFREG | mode & 0o7777)
    inode = directory.create(parent.name, *owned)
    place = Path(parent.mount, add_entry(parent, inode))
    file = inode.open(task, place, flags & ~O_TRUNC)
    file.created = True
    notify_path(place, IN_OPEN)
    return file


def _open_unnamed(task: "Task", place: Path, flags: int, mode: int) -> OpenFile:
    """O_TMPFILE: a file without a name in the directory `place`."""
    directory = place.inode
    if place.mount.read_only:
        raise EROFS
    check(task.credentials, directory, MAY_WRITE | MAY_EXECUTE)
    owned = new_inode_owner(task, directory, S_IFREG | mode & 0o7777)
    inode = directory.make_unnamed(*owned)
    kind = PrivateDentry if flags & O_EXCL else Dentry
    dentry = kind(b"#%d" % inode.number, place.dentry, inode)
    dentry.unlinked = True
    return inode.open(task, Path(place.mount, dentry), flags)
