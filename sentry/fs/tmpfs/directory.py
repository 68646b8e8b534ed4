"""Directories of tmpfs: names to inodes, and every operation that changes names.

Each entry has an offset that it keeps as long as it has its name: the getdents64(2) cookie.
Offsets only grow and entries are kept in their order, so that a reader continues at the right
place however the directory changes meanwhile (POSIX asks no more than that of entries which are
there all the time, and users ask it: `rm -r` deletes what it has read, then reads on).
"""

from collections.abc import Iterator
from itertools import islice

from runsc_py.sentry.errors import EINVAL, ENOENT, ENOTEMPTY
from runsc_py.sentry.fs.layer import FIRST_ENTRY_OFFSET, LayerDirectory, dot_entries
from runsc_py.sentry.fs.tmpfs.node import INHERITED_FLAGS, TmpfsInode
from runsc_py.sentry.fs.tmpfs.regular import TmpfsRegular
from runsc_py.sentry.fs.tmpfs.special import TmpfsSpecial, TmpfsSymlink
from runsc_py.sentry.vfs.acl import DEFAULT
from runsc_py.sentry.vfs.attributes import S_IFCHR, S_IFDIR, S_IFMT, S_IFREG
from runsc_py.sentry.vfs.inode import Inode
from runsc_py.sentry.vfs.open_file import DirectoryEntry, DirectoryFile

TYPE_CHECKING = False
if TYPE_CHECKING:
    from runsc_py.sentry.fs.tmpfs.filesystem import Tmpfs
    from runsc_py.sentry.kernel.task import Task
    from runsc_py.sentry.vfs.acl import AccessControlList
    from runsc_py.sentry.vfs.open_file import OpenFile
    from runsc_py.sentry.vfs.path import Path

RENAME_NOREPLACE = 1
RENAME_EXCHANGE = 2
RENAME_WHITEOUT = 4

#: what Linux's tmpfs adds to a directory's size for each entry (BOGO_DIRENT_SIZE)
_ENTRY_SIZE = 20

#: entries made at a time: more than fit into the buffer that the C library gives getdents64(2)
_BATCH = 1500


class TmpfsDirectory(TmpfsInode, LayerDirectory):
    """A directory."""

    __slots__ = ("_next_offset", "default_acl", "entries")

    def __init__(self, tmpfs: "Tmpfs", mode: int, uid: int, gid: int) -> None:
        super().__init__(tmpfs, mode & 0o7777 | S_IFDIR, uid, gid)
        self.links = 2
        #: name to (inode, offset), in the order of the offsets
        self.entries: dict[bytes, tuple[TmpfsInode, int]] = {}
        self._next_offset = FIRST_ENTRY_OFFSET
        #: the access control list for what is made here
        self.default_acl: AccessControlList | None = None

    def size(self) -> int:
        return _ENTRY_SIZE * (2 + len(self.entries))

    # -- entries ----------------------------------------------------------------------

    def _add(self, name: bytes, child: TmpfsInode) -> None:
        self.entries[name] = (child, self._next_offset)
        self._next_offset += 1
        if child.is_directory:
            self.links += 1
        self.modified()

    def _remove(self, name: bytes) -> TmpfsInode:
        child, _ = self.entries.pop(name)
        if child.is_directory:
            self.links -= 1
        self.modified()
        return child

    def _check_alive(self) -> None:
        """Nothing new in a directory that was removed.  Errors: ENOENT."""
        if self.links == 0:
            raise ENOENT

    def lookup(self, name: bytes) -> Inode:
        entry = self.entries.get(name)
        if entry is None:
            raise ENOENT
        return entry[0]

    def entries_from(self, offset: int) -> Iterator[DirectoryEntry]:
        return (
            DirectoryEntry(name, child.number, child.mode >> 12, place + 1)
            for name, (child, place) in self.entries.items()
            if place >= offset
        )

    # -- new names ----------------------------------------------------------------------

    def create(self, name: bytes, mode: int, uid: int, gid: int, umask: int = 0) -> Inode:
        self._check_alive()
        child = TmpfsRegular(self.tmpfs, mode & ~umask, uid, gid)
        if self.default_acl is not None or self.flags:
            self._bequeath(child, mode)
        self._add(name, child)
        return child

    def make_directory(self, name: bytes, mode: int, uid: int, gid: int, umask: int = 0) -> Inode:
        self._check_alive()
        child = TmpfsDirectory(self.tmpfs, mode & ~umask, uid, gid)
        if self.default_acl is not None or self.flags:
            self._bequeath(child, mode)
            child.default_acl = self.default_acl
        self._add(name, child)
        return child

    def make_node(
        self, name: bytes, mode: int, device: int, uid: int, gid: int, umask: int = 0
    ) -> Inode:
        if mode & S_IFMT == S_IFREG:
            return self.create(name, mode, uid, gid, umask)
        self._check_alive()
        child = TmpfsSpecial(self.tmpfs, mode & ~umask, device, uid, gid)
        if self.default_acl is not None or self.flags:
            self._bequeath(child, mode)
        self._add(name, child)
        return child

    def _bequeath(self, child: TmpfsInode, mode: int) -> None:
        """What was made with `mode` gets flags, and its access list from the default list."""
        child.flags = self.flags & INHERITED_FLAGS
        if self.default_acl is None:
            return
        mode, child.access_acl = self.default_acl.inherited(mode)
        child.mode = child.mode & S_IFMT | mode & 0o7777
        child.has_acl = child.access_acl is not None

    def make_symlink(self, name: bytes, target: bytes, uid: int, gid: int) -> Inode:
        self._check_alive()
        child = TmpfsSymlink(self.tmpfs, target, uid, gid)
        self._add(name, child)
        return child

    def make_unnamed(self, mode: int, uid: int, gid: int, umask: int = 0) -> Inode:
        child = TmpfsRegular(self.tmpfs, mode & ~umask, uid, gid)
        if self.default_acl is not None or self.flags:
            self._bequeath(child, mode)
        child.links = 0
        child.linkable = True
        return child

    def link(self, name: bytes, target: Inode) -> None:
        self._check_alive()
        assert isinstance(target, TmpfsInode)
        if target.links == 0:
            if not target.linkable:
                raise ENOENT
            target.linkable = False
        else:
            self.tmpfs.charge_inode()
        target.links += 1
        target.changed()
        self._add(name, target)

    # -- names that go --------------------------------------------------------------------

    def unlink(self, name: bytes, child: Inode) -> None:
        removed = self._remove(name)
        if removed.links > 1:
            self.tmpfs.release_inode()
        removed.links -= 1
        removed.changed()

    def remove_directory(self, name: bytes, child: Inode) -> None:
        assert isinstance(child, TmpfsDirectory)
        if child.entries:
            raise ENOTEMPTY
        self._remove(name)
        child.links = 0
        child.changed()

    # -- rename(2) --------------------------------------------------------------------------

    def rename(
        self,
        name: bytes,
        child: Inode,
        new_parent: Inode,
        new_name: bytes,
        replaced: Inode | None,
        flags: int,
    ) -> None:
        assert isinstance(new_parent, TmpfsDirectory)
        assert isinstance(child, TmpfsInode)
        if flags & RENAME_EXCHANGE:
            self._exchange(name, new_parent, new_name)
            return
        if flags & ~(RENAME_NOREPLACE | RENAME_WHITEOUT):
            raise EINVAL
        new_parent._check_alive()
        whiteout = None
        if flags & RENAME_WHITEOUT:
            whiteout = TmpfsSpecial(self.tmpfs, S_IFCHR, 0, child.uid, child.gid)
        if isinstance(replaced, TmpfsDirectory):
            new_parent.remove_directory(new_name, replaced)
        elif replaced is not None:
            new_parent.unlink(new_name, replaced)
        self._remove(name)
        new_parent._add(new_name, child)
        if whiteout is not None:
            self._add(name, whiteout)
        child.changed()

    def _exchange(self, name: bytes, new_parent: "TmpfsDirectory", new_name: bytes) -> None:
        first = self._remove(name)
        second = new_parent._remove(new_name)
        self._add(name, second)
        new_parent._add(new_name, first)
        first.changed()
        second.changed()

    # -- access control lists -----------------------------------------------------------------

    def get_acl(self, kind: bytes) -> "AccessControlList | None":
        return self.default_acl if kind == DEFAULT else super().get_acl(kind)

    def set_acl(self, kind: bytes, acl: "AccessControlList | None") -> None:
        if kind == DEFAULT:
            self.default_acl = acl
            self.changed()
        else:
            super().set_acl(kind, acl)

    # -- opening ------------------------------------------------------------------------------

    def open(self, task: "Task", path: "Path", flags: int) -> "OpenFile":
        return TmpfsDirectoryFile(path, flags, self)


class TmpfsDirectoryFile(DirectoryFile):
    """An open directory."""

    __slots__ = ("node",)

    def __init__(self, path: "Path", flags: int, node: TmpfsDirectory) -> None:
        super().__init__(path, flags)
        self.node = node

    def directory_entries(self, task: "Task") -> list[DirectoryEntry]:
        node = self.node
        position = self.position
        listing = dot_entries(self)
        listing.extend(islice(node.entries_from(position), _BATCH))
        if position <= 1:
            node.accessed(self)
        return listing
