"""Mounts and mount namespaces: the tree that a walk crosses.

mount_namespaces(7).  A mount shows a file system (from one of its dentries on) at a mount point
in another mount.  What mount(2) and its relatives check is in `vfs/mounting.py` and
`vfs/unmounting.py`, how mounts follow each other across namespaces in `vfs/propagation.py`.

Each mount is in the dictionary `children` of its parent by its mount point; a second mount on
the same place is mounted on the root of the first.  So one look-up per level finds the
topmost.
"""

from collections.abc import Iterator
from weakref import ref

from runsc_py.sentry.abi.mount_flags import (
    MS_NOATIME,
    MS_NODEV,
    MS_NODIRATIME,
    MS_NOEXEC,
    MS_NOSUID,
    MS_NOSYMFOLLOW,
    MS_RDONLY,
    MS_RELATIME,
    MS_SYNCHRONOUS,
)
from runsc_py.sentry.errors import ENOSPC
from runsc_py.sentry.vfs.inode import FileSystem
from runsc_py.sentry.vfs.notification import filesystem_gone
from runsc_py.sentry.vfs.path import Dentry, Path

TYPE_CHECKING = False
if TYPE_CHECKING:
    from runsc_py.sentry.auth.user_counts import Charge
    from runsc_py.sentry.auth.user_namespace import UserNamespace

#: those about access times, of which a mount has a consistent set
ACCESS_TIME_FLAGS = MS_NOATIME | MS_NODIRATIME | MS_RELATIME

#: those a mount keeps; strictatime is the absence of noatime and relatime
MOUNT_FLAGS = MS_RDONLY | MS_NOSUID | MS_NODEV | MS_NOEXEC | MS_NOSYMFOLLOW | ACCESS_TIME_FLAGS

#: mounts in one namespace (fs.mount-max of proc_sys_fs(5); Linux allows ten times as many)
MAXIMUM_MOUNTS = 10_000

#: unique mount ids are larger than this, so that they are not taken for mountinfo's
UNIQUE_IDENTIFIERS = 1 << 31

#: statfs(2): ST_* flags that are not the MS_* flag of the same name
_ST_RELATIME = 4096
_ST_NOSYMFOLLOW = 8192
_SAME_IN_STATFS = MS_RDONLY | MS_NOSUID | MS_NODEV | MS_NOEXEC | MS_NOATIME | MS_NODIRATIME


class MountNumbers:
    """The numbers of mounts and peer groups, for all namespaces that come from one."""

    __slots__ = ("_groups", "_last_mount")

    def __init__(self, last_mount: int = 0) -> None:
        self._last_mount = last_mount
        self._groups: set[int] = set()

    def new_mount(self) -> int:
        """Never given before."""
        self._last_mount += 1
        return self._last_mount

    def new_group(self) -> int:
        """The smallest one that no peer group has."""
        number = 1
        while number in self._groups:
            number += 1
        self._groups.add(number)
        return number

    def free_group(self, number: int) -> None:
        """A peer group is gone."""
        self._groups.discard(number)


class PeerGroup:
    """Mounts that share what is mounted in any of them: mount_namespaces(7), "Shared subtrees"."""

    __slots__ = ("identifier", "members", "numbers", "slaves")

    def __init__(self, numbers: MountNumbers) -> None:
        self.numbers = numbers
        #: what mountinfo shows
        self.identifier = numbers.new_group()
        self.members: dict[Mount, None] = {}
        #: mounts that receive from this group
        self.slaves: dict[Mount, None] = {}


class Mount:
    """A file system seen at a place."""

    __slots__ = (
        "__weakref__",
        "_namespace",
        "children",
        "expires",
        "filesystem",
        "flags",
        "group",
        "identifier",
        "locked",
        "locked_flags",
        "master",
        "mount_point",
        "parent",
        "root",
        "source",
        "unbindable",
    )

    def __init__(
        self, identifier: int, filesystem: FileSystem, root: Dentry | None = None, flags: int = 0
    ) -> None:
        """A detached mount of a file system, or (`root`) of what is below one of its dentries."""
        self.identifier = identifier
        self.filesystem = filesystem
        filesystem.mounts += 1
        #: the dentry of the file system that appears at the mount point
        self.root = filesystem.root_dentry() if root is None else root
        #: what mountinfo shows as its source
        self.source = filesystem.source
        #: MS_* flags of this mount
        self.flags = flags
        #: flags that are not to be taken back, ACCESS_TIME_FLAGS: times are not to be changed
        self.locked_flags = 0
        #: not to be taken from what it covers, by who did not put it there
        self.locked = False
        #: None for the root of a namespace and for a detached mount
        self.parent: Mount | None = None
        self.mount_point: Dentry | None = None
        #: mounts whose parent this is, by mount point
        self.children: dict[Dentry, Mount] = {}
        self._namespace: ref[MountNamespace] | None = None
        #: those that this one exchanges mounts with: it is shared
        self.group: PeerGroup | None = None
        #: those that this one receives mounts from: it is a slave
        self.master: PeerGroup | None = None
        #: not to be bound to other places
        self.unbindable = False
        #: umount2(2) with MNT_EXPIRE marked it, and nobody came since
        self.expires = False

    def __del__(self) -> None:
        # Who is still inside refers to the mount, so the file system is not used any more.  The
        # attribute is missing when the constructor failed.
        filesystem = getattr(self, "filesystem", None)
        if filesystem is not None:
            filesystem.mounts -= 1
            if not filesystem.mounts:
                if filesystem.watches:
                    filesystem_gone(filesystem)
                filesystem.release()

    @property
    def unique_identifier(self) -> int:
        """The id that statmount(2) and its relatives take, which no other mount ever has."""
        return UNIQUE_IDENTIFIERS + self.identifier

    @property
    def namespace(self) -> "MountNamespace | None":
        """Where it is mounted; None when it is not, or when its namespace is gone."""
        return None if self._namespace is None else self._namespace()

    @namespace.setter
    def namespace(self, namespace: "MountNamespace | None") -> None:
        self._namespace = None if namespace is None else ref(namespace)

    @property
    def read_only(self) -> bool:
        filesystem = self.filesystem
        return bool((self.flags | filesystem.flags) & MS_RDONLY) or filesystem.read_only

    @property
    def denies_devices(self) -> bool:
        """Whether device nodes cannot be opened here."""
        return bool(self.flags & MS_NODEV) or self.filesystem.denies_devices

    @property
    def root_path(self) -> Path:
        return Path(self, self.root)

    @property
    def statfs_flags(self) -> int:
        """The ST_* flags that statfs(2) shows."""
        flags = (self.flags | self.filesystem.flags) & (_SAME_IN_STATFS | MS_SYNCHRONOUS)
        if self.read_only:
            flags |= MS_RDONLY
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

    def topmost(self) -> "Mount":
        """The last of the mounts that cover this one as a whole, or itself."""
        mount = self
        while (above := mount.children.get(mount.root)) is not None:
            mount = above
        return mount

    def put_on(self, parent: "Mount", point: Dentry) -> None:
        """Become the child of `parent` at `point`, where there is none."""
        self.parent, self.mount_point = parent, point
        parent.children[point] = self
        point.mounts += 1

    def take_off(self) -> None:
        """Stop being anybody's child."""
        parent, point = self.parent, self.mount_point
        if parent is not None and point is not None:
            del parent.children[point]
            point.mounts -= 1
        self.parent = self.mount_point = None

    # -- propagation: what the types mean is in vfs/propagation.py ---------------------

    def join_group(self, group: PeerGroup) -> None:
        """Become a peer."""
        self.group = group
        group.members[self] = None

    def leave_group(self) -> None:
        """Stop being a peer.  Slaves of a group whose last member leaves get its master."""
        group = self.group
        if group is None:
            return
        del group.members[self]
        self.group = None
        if not group.members:
            for slave in list(group.slaves):
                slave.set_master(self.master)
            group.numbers.free_group(group.identifier)

    def set_master(self, master: PeerGroup | None) -> None:
        """Receive from this group, or from nobody."""
        if self.master is not None:
            del self.master.slaves[self]
        self.master = master
        if master is not None:
            master.slaves[self] = None

    def make_private(self) -> None:
        """Neither give nor receive."""
        self.leave_group()
        self.set_master(None)
        self.unbindable = False


class MountNamespace:
    """A tree of mounts.  It lives as long as a task or an open namespace file refers to it."""

    __slots__ = (
        "__weakref__",
        "anonymous",
        "charge",
        "inode_number",
        "mounts",
        "numbers",
        "root",
        "user_namespace",
    )

    def __init__(
        self,
        root: Mount,
        user_namespace: "UserNamespace",
        inode_number: int,
        numbers: MountNumbers | None = None,
        *,
        anonymous: bool = False,
    ) -> None:
        """A namespace with a tree of mounts.  `numbers` are those that new mounts get."""
        self.charge: Charge | None = None
        self.root = root
        self.user_namespace = user_namespace
        #: shown by /proc/PID/ns/mnt
        self.inode_number = inode_number
        #: of detached mounts that an open file keeps: no task is in it
        self.anonymous = anonymous
        #: every mount of the namespace in the order of mounting
        self.mounts: dict[Mount, None] = {}
        self.numbers = MountNumbers(root.identifier) if numbers is None else numbers
        self.adopt(root)

    def __del__(self) -> None:
        for mount in list(getattr(self, "mounts", ())):
            mount.make_private()
            mount.take_off()

    def mount(
        self, filesystem: FileSystem, place: Path, flags: int = 0, root: Dentry | None = None
    ) -> Mount:
        """Mount a file system, or what is below its dentry `root`, at a place."""
        mount = Mount(self.numbers.new_mount(), filesystem, root, flags)
        self.attach(mount, place)
        return mount

    def check_room(self, more: int = 1) -> None:
        """Raise ENOSPC when `more` mounts are too many."""
        if len(self.mounts) + more > MAXIMUM_MOUNTS:
            raise ENOSPC

    def adopt(self, tree: Mount) -> None:
        """A mount and those below it belong to this namespace from now on."""
        for member in tree.subtree():
            if member.namespace is not self:
                member.namespace = self
                self.mounts[member] = None

    def abandon(self, tree: Mount) -> None:
        """A mount and those below it no longer belong to this namespace."""
        for member in tree.subtree():
            member.namespace = None
            del self.mounts[member]

    def attach(self, mount: Mount, place: Path) -> None:
        """Put a detached mount, with what is mounted below it, on top of a place."""
        parent, point = place.mount, place.dentry
        above = parent.children.get(point)
        if above is not None:
            parent = above.topmost()
            point = parent.root
        mount.put_on(parent, point)
        self.adopt(mount)

    def attach_beneath(self, mount: Mount, parent: Mount, point: Dentry) -> None:
        """Put a detached tree at a place, below what is mounted there already."""
        covering = parent.children.get(point)
        if covering is not None:
            covering.take_off()
        mount.put_on(parent, point)
        if covering is not None:
            top = mount.topmost()
            covering.put_on(top, top.root)
        self.adopt(mount)

    def detach(self, mount: Mount) -> None:
        """Take a mount, with what is mounted below it, out of the tree."""
        mount.take_off()
        self.abandon(mount)

    def has_mount_on(self, dentry: Dentry) -> bool:
        """Whether a mount of this namespace has `dentry` as its mount point."""
        return any(mount.mount_point is dentry for mount in self.mounts)
