"""Mounts and mount namespaces: the tree that a walk crosses.

mount_namespaces(7).  A mount shows a file system (from one of its dentries on) at a mount point
in another mount.  What mount(2) and its relatives check is in `vfs/mounting.py`.

Each mount is in the dictionary `children` of its parent by its mount point; a second mount on
the same place is mounted on the root of the first.  So one look-up per level finds the
topmost.  All mounts are private: nothing propagates.
"""

from collections.abc import Iterator
from itertools import count

from runsc_py.sentry.errors import ENOSPC
from runsc_py.sentry.vfs.inode import FileSystem
from runsc_py.sentry.vfs.path import Dentry, Path

TYPE_CHECKING = False
if TYPE_CHECKING:
    from runsc_py.sentry.auth.user_namespace import UserNamespace

MS_RDONLY = 1
MS_NOSUID = 2
MS_NODEV = 4
MS_NOEXEC = 8
MS_NOSYMFOLLOW = 256
MS_NOATIME = 1024
MS_NODIRATIME = 2048
MS_RELATIME = 1 << 21
MS_STRICTATIME = 1 << 24

#: those a mount keeps
MOUNT_FLAGS = (
    MS_RDONLY
    | MS_NOSUID
    | MS_NODEV
    | MS_NOEXEC
    | MS_NOSYMFOLLOW
    | MS_NOATIME
    | MS_NODIRATIME
    | MS_RELATIME
    | MS_STRICTATIME
)

#: mounts in one namespace (fs.mount-max of proc_sys_fs(5); Linux allows ten times as many)
MAXIMUM_MOUNTS = 10_000

#: statfs(2): ST_* flags that are not the MS_* flag of the same name
_ST_RELATIME = 4096
_ST_NOSYMFOLLOW = 8192
_SAME_IN_STATFS = MS_RDONLY | MS_NOSUID | MS_NODEV | MS_NOEXEC | MS_NOATIME | MS_NODIRATIME


class Mount:
    """A file system seen at a place."""

    __slots__ = (
        "__weakref__",
        "children",
        "filesystem",
        "flags",
        "identifier",
        "mount_point",
        "namespace",
        "parent",
        "root",
    )

    def __init__(
        self, identifier: int, filesystem: FileSystem, root: Dentry | None = None, flags: int = 0
    ) -> None:
        """A detached mount of a file system, or (`root`) of what is below one of its dentries."""
        self.identifier = identifier
        self.filesystem = filesystem
        #: the dentry of the file system that appears at the mount point
        self.root = filesystem.root_dentry() if root is None else root
        #: MS_* flags of this mount
        self.flags = flags
        #: None for the root of a namespace and for a detached mount
        self.parent: Mount | None = None
        self.mount_point: Dentry | None = None
        self.namespace: MountNamespace | None = None
        #: mounts whose parent this is, by mount point
        self.children: dict[Dentry, Mount] = {}

    @property
    def read_only(self) -> bool:
        return bool(self.flags & MS_RDONLY)

    @property
    def root_path(self) -> Path:
        return Path(self, self.root)

    @property
    def statfs_flags(self) -> int:
        """The ST_* flags that statfs(2) shows."""
        flags = self.flags & _SAME_IN_STATFS
        if self.flags & MS_RELATIME:
            flags |= _ST_RELATIME
        if self.flags & MS_NOSYMFOLLOW:
            flags |= _ST_NOSYMFOLLOW
        return flags

    def subtree(self) -> "Iterator[Mount]":
        """This mount and all below it, parents first."""
        yield self
        for child in list(self.children.values()):
            yield from child.subtree()

    def is_above(self, other: "Mount") -> bool:
        """Whether `other` is this mount or below it."""
        mount: Mount | None = other
        while mount is not None:
            if mount is self:
                return True
            mount = mount.parent
        return False


class MountNamespace:
    """A tree of mounts."""

    __slots__ = (
        "__weakref__",
        "identifiers",
        "inode_number",
        "mounts",
        "root",
        "user_namespace",
    )

    def __init__(
        self,
        root: Mount,
        user_namespace: "UserNamespace",
        inode_number: int,
        identifiers: "Iterator[int] | None" = None,
    ) -> None:
        """A namespace with one mount.  `identifiers` are those that new mounts get."""
        self.root = root
        self.user_namespace = user_namespace
        #: shown by /proc/PID/ns/mnt
        self.inode_number = inode_number
        #: every mount of the namespace in the order of mounting
        self.mounts: list[Mount] = [root]
        self.identifiers = count(root.identifier + 1) if identifiers is None else identifiers
        root.namespace = self

    def mount(
        self, filesystem: FileSystem, place: Path, flags: int = 0, root: Dentry | None = None
    ) -> Mount:
        """Mount a file system, or what is below its dentry `root`, at a place."""
        mount = Mount(next(self.identifiers), filesystem, root, flags)
        self.attach(mount, place)
        return mount

    def check_room(self, more: int = 1) -> None:
        """Raise ENOSPC when `more` mounts are too many."""
        if len(self.mounts) + more > MAXIMUM_MOUNTS:
            raise ENOSPC

    def attach(self, mount: Mount, place: Path) -> None:
        """Put a detached mount, with what is mounted below it, on top of a place."""
        parent, point = place.mount, place.dentry
        while (above := parent.children.get(point)) is not None:
            parent, point = above, above.root
        mount.parent, mount.mount_point = parent, point
        parent.children[point] = mount
        point.mounts += 1
        for member in mount.subtree():
            if member.namespace is not self:
                member.namespace = self
                self.mounts.append(member)

    def detach(self, mount: Mount) -> None:
        """Take a mount, with what is mounted below it, out of the tree.

        Who is in it stays there: it becomes a tree of its own.
        """
        parent, point = mount.parent, mount.mount_point
        if parent is not None and point is not None:
            del parent.children[point]
            point.mounts -= 1
        mount.parent = mount.mount_point = None
        for member in mount.subtree():
            member.namespace = None
            self.mounts.remove(member)

    def has_mount_on(self, dentry: Dentry) -> bool:
        """Whether a mount of this namespace has `dentry` as its mount point."""
        return any(mount.mount_point is dentry for mount in self.mounts)

    def copy_tree(self, mount: Mount, root: Dentry | None = None) -> Mount:
        """A detached copy of a mount (from `root` on) and of those below it: a recursive bind.

        Errors: ENOSPC.
        """
        self.check_room(sum(1 for _ in mount.subtree()))
        copy = Mount(next(self.identifiers), mount.filesystem, root or mount.root, mount.flags)
        for point, child in mount.children.items():
            if copy.root.is_ancestor_of(point):
                child_copy = self.copy_tree(child)
                child_copy.parent, child_copy.mount_point = copy, point
                copy.children[point] = child_copy
                point.mounts += 1
        return copy

    def copy(
        self, user_namespace: "UserNamespace", inode_number: int
    ) -> "tuple[MountNamespace, dict[Mount, Mount]]":
        """CLONE_NEWNS: a namespace with copies of all mounts, and which copy is of which."""
        root = self.copy_tree(self.root)
        namespace = MountNamespace(root, user_namespace, inode_number, self.identifiers)
        copies: dict[Mount, Mount] = {}
        for original, copied in zip(self.root.subtree(), root.subtree(), strict=True):
            copies[original] = copied
            copied.namespace = namespace
            if copied is not root:
                namespace.mounts.append(copied)
        return namespace, copies
