"""The path walk: from a path's text to a place in the tree.  path_resolution(7).

A step costs one dictionary look-up when the name is remembered and everybody may search the
directory; all that is rarer (links, mounts, `..`, misses, permission bits) is off that line.

Order of checks for each component, as in Linux: the directory is one (ENOTDIR) and may be
searched (EACCES), the name fits (ENAMETOOLONG), it exists (ENOENT).
"""

from runsc_py.sentry.abi.mount_flags import MS_NOSYMFOLLOW
from runsc_py.sentry.errors import EACCES, EAGAIN, ELOOP, ENAMETOOLONG, ENOENT, ENOTDIR, EXDEV
from runsc_py.sentry.vfs.attributes import S_IFLNK, S_IFMT, S_ISVTX
from runsc_py.sentry.vfs.path import PATH_MAX, Dentry, Path
from runsc_py.sentry.vfs.permissions import SEARCHABLE, SEARCHABLE_MASK, check_search

TYPE_CHECKING = False
if TYPE_CHECKING:
    from runsc_py.sentry.kernel.task import Task
    from runsc_py.sentry.vfs.inode import Inode
    from runsc_py.sentry.vfs.mount import Mount

#: symbolic links in one walk
MAXIMUM_LINKS = 40

#: openat2(2): the bits of `resolve`
RESOLVE_NO_XDEV = 0x01
RESOLVE_NO_MAGICLINKS = 0x02
RESOLVE_NO_SYMLINKS = 0x04
RESOLVE_BENEATH = 0x08
RESOLVE_IN_ROOT = 0x10
RESOLVE_CACHED = 0x20
RESOLVE_ALL = 0x3F

_SLASH = 0x2F
#: sticky, and writable by everybody: where symbolic links may be traps
_OPEN_TO_ALL = S_ISVTX | 0o002


class Parent:
    """Where a walk stopped before its last component, which is still to be looked up."""

    __slots__ = ("dentry", "links", "mount", "name", "root", "trailing_slash")

    def __init__(
        self,
        mount: "Mount",
        dentry: Dentry,
        name: bytes,
        trailing_slash: bool,
        links: int,
        root: Path,
    ) -> None:
        self.mount = mount
        #: the directory: exists, may be searched
        self.dentry = dentry
        #: the last component; may be ".", ".." or (for "/") empty
        self.name = name
        self.trailing_slash = trailing_slash
        #: symbolic links followed so far
        self.links = links
        #: what "/" meant to this walk
        self.root = root

    @property
    def directory(self) -> "Inode":
        """The directory's inode."""
        return self.dentry.existing

    @property
    def is_special(self) -> bool:
        """Whether the last component is no name: "/", "." or ".."."""
        return self.name in (b"", b".", b"..")

    def look_up(self) -> Dentry:
        """The last component's dentry, negative when there is none; mounts are not crossed."""
        dentry, name = self.dentry, self.name
        child = dentry.children.get(name)
        if child is None:
            return dentry.look_up(name)
        if self.mount.filesystem.needs_revalidation:
            return revalidate(dentry, child)
        return child

    def path_of(self, child: Dentry) -> Path:
        """The place of the looked up child, in what is mounted on it."""
        if child.mounts:
            return Path(*cross_down(self.mount, child))
        return Path(self.mount, child)


def walk(
    task: "Task",
    path: bytes,
    start: Path | None = None,
    *,
    follow: bool = True,
    resolve: int = 0,
) -> Path:
    """The existing place that `path` names.

    `start` is where a relative path begins, the working directory when it is None.  `follow`
    says whether a symbolic link in the last component is followed (a trailing slash always
    follows).  `resolve` has the bits of openat2(2).
    Errors: ENOENT, ENOTDIR, EACCES, ELOOP, ENAMETOOLONG, EXDEV and EAGAIN (by `resolve`).
    """
    if not path:
        raise ENOENT
    context = task.file_context
    if start is None:
        start = context.working_directory
    try:
        mount, dentry, _, _ = _run(task, path, start, context.root, follow, False, resolve, 0)
    except (ENOTDIR, EXDEV):
        if resolve & RESOLVE_CACHED:
            raise EAGAIN from None  # as Linux, which leaves such errors to the slow walk
        raise
    return Path(mount, dentry)


def walk_to_parent(
    task: "Task",
    path: bytes,
    start: Path | None = None,
    *,
    resolve: int = 0,
    links: int = 0,
    root: Path | None = None,
) -> Parent:
    """The directory that the last component of `path` is in, and that component.

    For calls that make, remove or rename it.  `links` and `root` continue an earlier walk.
    Errors: as `walk`; a last component that does not exist is none.
    """
    if not path:
        raise ENOENT
    context = task.file_context
    if start is None:
        start = context.working_directory
    if root is None:
        root = start if resolve & (RESOLVE_BENEATH | RESOLVE_IN_ROOT) else context.root
    mount, dentry, links, name = _run(task, path, start, root, True, True, resolve, links)
    return Parent(mount, dentry, name, path[-1] == _SLASH, links, root)


def _run(
    task: "Task",
    path: bytes,
    start: Path,
    root: Path,
    follow: bool,
    to_parent: bool,
    resolve: int,
    links: int,
) -> "tuple[Mount, Dentry, int, bytes]":
    """Walk; (mount, dentry, links followed, last component when it is left over)."""
    if len(path) >= PATH_MAX:
        raise ENAMETOOLONG
    if resolve:
        root = _begin_restricted(path, start, root, resolve)
    must_be_directory = path[-1] == _SLASH
    if must_be_directory:
        path = path.rstrip(b"/")
        follow = True
    if must_be_directory and not path or path[0] == _SLASH:
        start = root
    names = path.split(b"/")
    names.reverse()
    last = int(to_parent)
    mount, dentry = start.mount, start.dentry
    inode = start.inode
    credentials = task.credentials
    revalidates = mount.filesystem.needs_revalidation
    # Who overrides permissions needs not know whether there are access control lists.
    lists = not credentials.overrides_permissions
    if (inode.mode & SEARCHABLE_MASK != SEARCHABLE or lists and inode.has_acl) and (
        path or to_parent
    ):
        check_search(credentials, inode)

    while len(names) > last:
        name = names.pop()
        child = dentry.children.get(name)
        if child is None:
            if not name or name == b".":
                continue
            if name == b"..":
                mount, dentry = cross_up(root, mount, dentry, resolve)
                inode = dentry.existing
                revalidates = mount.filesystem.needs_revalidation
                if names:
                    check_search(credentials, inode)
                continue
            if resolve & RESOLVE_CACHED:
                raise EAGAIN
            child = dentry.look_up(name)
        elif revalidates:
            inode.foresee(name, names)
            child = revalidate(dentry, child)
        if child.inode is None:
            raise ENOENT
        inode = child.inode
        origin = mount
        if child.mounts:
            mount, child = cross_down(mount, child)
            inode = child.existing
            if mount is not origin:
                if resolve & RESOLVE_NO_XDEV:
                    raise EXDEV
                revalidates = mount.filesystem.needs_revalidation
        if inode.mode & SEARCHABLE_MASK != SEARCHABLE or lists and inode.has_acl:
            if inode.mode & S_IFMT == S_IFLNK and (names or follow):
                links += 1
                mount, dentry, ends_in_slash = _enter_link(
                    task, inode, Path(mount, dentry), root, names, links, resolve
                )
                must_be_directory = must_be_directory or ends_in_slash
                inode = dentry.existing
                revalidates = mount.filesystem.needs_revalidation
                if names:
                    check_search(credentials, inode)
                continue
            if names:
                check_search(credentials, inode)
        dentry = child

    if to_parent:
        return mount, dentry, links, names[0]
    if must_be_directory and not inode.is_directory:
        raise ENOTDIR
    return mount, dentry, links, b""


def _enter_link(
    task: "Task",
    link: "Inode",
    directory: Path,
    root: Path,
    names: list[bytes],
    links: int,
    resolve: int,
) -> "tuple[Mount, Dentry, bool]":
    """Go on with what a symbolic link in `directory` contains, which is put before the `names`.

    Returns where that begins, and whether it is the path's end and asks for a directory.
    """
    if not names:
        check_may_follow(task, directory.inode, link)
    target = _follow(task, link, directory.mount, links, resolve)
    if isinstance(target, Path):
        return target.mount, target.dentry, False
    if target[0] == _SLASH:
        if resolve & RESOLVE_BENEATH:
            raise EXDEV
        if resolve & RESOLVE_NO_XDEV and directory.mount is not root.mount:
            raise EXDEV
        directory = root
    ends_in_slash = target[-1] == _SLASH and not names
    names.extend(reversed(target.rstrip(b"/").split(b"/")))
    return directory.mount, directory.dentry, ends_in_slash


def revalidate(parent: Dentry, child: Dentry) -> Dentry:
    """The child, or what the name leads to now, where a file system changes on its own."""
    if parent.existing.revalidate(child.name, child.inode):
        return child
    parent.forget(child)
    return parent.look_up(child.name)


def cross_down(mount: "Mount", dentry: Dentry) -> "tuple[Mount, Dentry]":
    """What is seen at a dentry that has mounts on it, maybe not in this mount."""
    while dentry.mounts:
        mounted = mount.children.get(dentry)
        if mounted is None:
            break
        mount, dentry = mounted, mounted.root
        mount.expires = False
    return mount, dentry


def cross_up(
    root: Path, mount: "Mount", dentry: Dentry, resolve: int = 0
) -> "tuple[Mount, Dentry]":
    """The parent directory (`..`); the root is its own parent.

    Errors: EXDEV (by `resolve`).
    """
    origin = mount
    while True:
        if dentry is root.dentry and mount is root.mount:
            if resolve & RESOLVE_BENEATH:
                raise EXDEV
            break
        if dentry is mount.root:
            if mount.parent is None or mount.mount_point is None:
                break
            dentry = mount.mount_point
            mount = mount.parent
            continue
        if dentry.parent is not None:
            dentry = dentry.parent
        break
    if dentry.mounts:
        mount, dentry = cross_down(mount, dentry)
    if resolve & RESOLVE_NO_XDEV and mount is not origin:
        raise EXDEV
    return mount, dentry


def check_may_follow(task: "Task", directory: "Inode", link: "Inode") -> None:
    """protected_symlinks (proc_sys_fs(5)), for the last component of a path.  Errors: EACCES."""
    if not task.kernel.file_settings.protected_symlinks:
        return
    mode, directory_uid, _ = directory.permission_ids()
    if mode & _OPEN_TO_ALL != _OPEN_TO_ALL:
        return
    _, uid, _ = link.permission_ids()
    if uid not in (task.credentials.fsuid, directory_uid):
        raise EACCES


def _follow(
    task: "Task", inode: "Inode", mount: "Mount", links: int, resolve: int
) -> "bytes | Path":
    """Where a symbolic link leads.  Errors: ELOOP, ENOENT (an empty target), EXDEV."""
    if links > MAXIMUM_LINKS or resolve & RESOLVE_NO_SYMLINKS or mount.flags & MS_NOSYMFOLLOW:
        raise ELOOP
    target = inode.follow_link(task)
    if isinstance(target, Path):
        if resolve & RESOLVE_NO_MAGICLINKS:
            raise ELOOP
        if resolve & (RESOLVE_BENEATH | RESOLVE_IN_ROOT):
            raise EXDEV
        if resolve & RESOLVE_NO_XDEV and target.mount is not mount:
            raise EXDEV
    elif not target:
        raise ENOENT
    return target


def _begin_restricted(path: bytes, start: Path, root: Path, resolve: int) -> Path:
    """The root of a walk that openat2(2) restricts.  Errors: EXDEV."""
    if resolve & RESOLVE_BENEATH:
        if path[0] == _SLASH:
            raise EXDEV
        return start
    return start if resolve & RESOLVE_IN_ROOT else root
