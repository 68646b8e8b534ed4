"""Directories of the gofer: lookup, listing, and every operation on names.

With exclusive caching a directory is listed once, and from then on a name that is not in the
listing is known not to exist.  Its offsets are our own, which stay with a name.  With shared
caching every listing is the host's own, with its offsets.
"""

from collections.abc import Iterator
from itertools import islice

from runsc_py.gofer import protocol
from runsc_py.gofer.protocol import Attributes as HostAttributes
from runsc_py.sentry.errors import EINVAL, ENOENT, EOPNOTSUPP, ESTALE
from runsc_py.sentry.fs.gofer.ahead import Guess
from runsc_py.sentry.fs.gofer.foreseen import place_of
from runsc_py.sentry.fs.gofer.node import GoferInode
from runsc_py.sentry.fs.host_file import MAXIMUM_OFFSET
from runsc_py.sentry.fs.layer import FIRST_ENTRY_OFFSET, LayerDirectory, dot_entries
from runsc_py.sentry.vfs.attributes import S_IFMT
from runsc_py.sentry.vfs.inode import Inode
from runsc_py.sentry.vfs.open_file import O_RDWR, DirectoryEntry, DirectoryFile

TYPE_CHECKING = False
if TYPE_CHECKING:
    from runsc_py.sentry.fs.gofer.filesystem import GoferFileSystem
    from runsc_py.sentry.kernel.task import Task
    from runsc_py.sentry.vfs.open_file import OpenFile
    from runsc_py.sentry.vfs.path import Path

AT_REMOVEDIR = 0x200
RENAME_EXCHANGE = 2
RENAME_WHITEOUT = 4

#: so many names that do not exist make a listing cheaper than further questions; the second
#: number is for directories whose size (bytes) says that they are small
_MISSES_BEFORE_LISTING = 6
_MISSES_OF_SMALL = 2
_SMALL = 4096
#: so many names that do exist in a small directory make its listing worth having
_HITS_BEFORE_LISTING = 8

#: entries made at a time: more than fit into the buffer that the C library gives getdents64(2)
_BATCH = 1500


class GoferDirectory(GoferInode, LayerDirectory):
    """A directory of the host."""

    __slots__ = ("_guess", "_listing", "_misses", "_next_offset")

    def __init__(self, gofer: "GoferFileSystem", node: int, attributes: HostAttributes) -> None:
        super().__init__(gofer, node, attributes)
        #: name to (inode number, DT_* type, offset); None: not read, or not to be trusted
        self._listing: dict[bytes, tuple[int, int, int]] | None = None
        self._next_offset = FIRST_ENTRY_OFFSET
        #: how many names were asked for that do not exist
        self._misses = 0
        self._guess = Guess()

    # -- lookup ---------------------------------------------------------------------------

    def lookup(self, name: bytes) -> Inode:
        if self._listing is not None and name not in self._listing:
            raise ENOENT
        gofer = self.gofer
        try:
            if gofer.shared:
                if gofer.foreseen.knows(self, name) and not gofer.foreseen.answer(self, name):
                    raise ENOENT
                return gofer.inode(*gofer.ask(gofer.client.lookup, self.node, name))
            found = gofer.ahead.take(self.node, name) or self._ask(name)
            child = gofer.inode(*found)
            self._guess.count(child.is_directory)
            return child
        except ENOENT:
            # Compilers and interpreters search the same directories time and again.
            self._misses += 1
            small = self.known[protocol.SIZE] <= _SMALL
            enough = _MISSES_OF_SMALL if small else _MISSES_BEFORE_LISTING
            if self._misses >= enough and not gofer.shared:
                self._read_listing()
            raise

    def _ask(self, name: bytes) -> tuple[int, HostAttributes]:
        """The node of a name and its attributes; of others too, if they are likely to be wanted.

        Errors: those of GoferClient.lookup.
        """
        gofer = self.gofer
        small = self.known[protocol.SIZE] <= _SMALL
        if self._listing is None and small and self._guess.asked >= _HITS_BEFORE_LISTING:
            self._read_listing()
        if self._listing is not None and name in self._listing:
            others = self._guess.names(name, self._listing)
            if others:
                found = gofer.ahead.look_up(self.node, name, others)
                if found is not None:
                    return found
        return gofer.ask(gofer.client.lookup, self.node, name)

    def revalidate(self, name: bytes, child: Inode | None) -> bool:
        """Shared caching: whether the name still leads to the same inode of the host."""
        gofer = self.gofer
        if gofer.foreseen.knows(self, name):
            attributes = gofer.foreseen.answer(self, name)
        else:
            found, _ = gofer.ask(gofer.client.walk_stat, self.node, (name,))
            attributes = found[0] if found else None
        if child is None or attributes is None:
            return child is None and attributes is None
        assert isinstance(child, GoferInode)
        same = (
            place_of(attributes) == place_of(child.known)
            and attributes[protocol.MODE] & S_IFMT == child.mode & S_IFMT
        )
        if same:
            child.learn(attributes)
        return same

    def foresee(self, name: bytes, following: list[bytes]) -> None:
        if following:
            self.gofer.foreseen.ask(self, name, following)

    # -- listing ---------------------------------------------------------------------------

    def entries_from(self, offset: int) -> Iterator[DirectoryEntry]:
        if self.gofer.shared:
            return self._host_entries(max(offset - FIRST_ENTRY_OFFSET, 0))
        return (
            DirectoryEntry(name, number, kind, place + 1)
            for name, (number, kind, place) in self.listing().items()
            if place >= offset
        )

    def _host_entries(self, cookie: int) -> Iterator[DirectoryEntry]:
        """Entries as the host has them now, from one of its own offsets on.

        ext4 gives the last entry the largest offset there is, behind which nothing comes.
        """
        gofer = self.gofer
        last = False
        while not last:
            page, last = gofer.ask(gofer.client.readdir, self.node, cookie)
            device = self._device()
            for name, inode, kind, cookie in page:  # noqa: B020
                number = gofer.number(device, inode)
                kind = gofer.kind(device, inode, kind)
                offset = min(cookie + FIRST_ENTRY_OFFSET, MAXIMUM_OFFSET)
                yield DirectoryEntry(name, number, kind, offset)

    def listing(self) -> dict[bytes, tuple[int, int, int]]:
        if self.gofer.shared:
            return dict(super().listing())
        self._guess.listed = True
        return self._read_listing()

    def _read_listing(self) -> dict[bytes, tuple[int, int, int]]:
        listing = self._listing
        if listing is None:
            gofer = self.gofer
            device = self._device()
            listing = {}
            offset = self._next_offset
            for name, inode, kind, _ in gofer.ask(gofer.client.read_directory, self.node):
                listing[name] = (
                    gofer.number(device, inode),
                    gofer.kind(device, inode, kind),
                    offset,
                )
                offset += 1
            self._next_offset = offset
            self._listing = listing
        return listing

    def forget_listing(self) -> None:
        """It is no longer to be trusted."""
        self._listing = None

    def _device(self) -> int:
        known = self.known
        return known[protocol.DEVICE_MAJOR] << 32 | known[protocol.DEVICE_MINOR]

    def _listed(self, name: bytes, child: GoferInode) -> None:
        """`name` was made."""
        self.stale = True
        self.gofer.ahead.forget(self.node, name)
        self.gofer.foreseen.forget()
        if self._listing is not None:
            self._listing.pop(name, None)
            self._listing[name] = (child.number, child.mode >> 12, self._next_offset)
            self._next_offset += 1

    def _unlisted(self, name: bytes) -> None:
        """`name` was removed."""
        self.stale = True
        self.gofer.ahead.forget(self.node, name)
        self.gofer.foreseen.forget()
        if self._listing is not None:
            self._listing.pop(name, None)

    # -- new names ------------------------------------------------------------------------------

    def _owner(self, uid: int, gid: int) -> tuple[int, int]:
        """The host's owner for a new file; NO_ID where the host's own choice is the right one."""
        ids = self.gofer.ids
        host_uid, host_gid = ids.host_uid(uid), ids.host_gid(gid)
        return host_uid, host_gid

    def create(self, name: bytes, mode: int, uid: int, gid: int, umask: int = 0) -> Inode:
        gofer = self.gofer
        node, attributes, descriptor = gofer.ask(
            gofer.client.create,
            self.node,
            name,
            mode & 0o7777,
            O_RDWR,
            *self._owner(uid, gid),
            umask,
        )
        return self._adopt_file(name, node, attributes, descriptor)

    def _adopt_file(
        self, name: bytes, node: int, attributes: HostAttributes, descriptor: int
    ) -> Inode:
        from runsc_py.sentry.fs.gofer.regular import GoferRegular

        child = self.gofer.inode(node, attributes)
        if not isinstance(child, GoferRegular):
            raise ESTALE
        child.adopt_writer(descriptor)
        if name:
            self._listed(name, child)
        return child

    def make_unnamed(self, mode: int, uid: int, gid: int, umask: int = 0) -> Inode:
        gofer = self.gofer
        node, attributes, descriptor = gofer.ask(
            gofer.client.create_unnamed,
            self.node,
            mode & 0o7777,
            O_RDWR,
            *self._owner(uid, gid),
            umask,
        )
        return self._adopt_file(b"", node, attributes, descriptor)

    def make_directory(self, name: bytes, mode: int, uid: int, gid: int, umask: int = 0) -> Inode:
        gofer = self.gofer
        owner = self._owner(uid, gid)
        made = gofer.ask(gofer.client.mkdir, self.node, name, mode & 0o7777, *owner, umask)
        return self._adopt(name, made)

    def make_node(
        self, name: bytes, mode: int, device: int, uid: int, gid: int, umask: int = 0
    ) -> Inode:
        gofer = self.gofer
        owner = self._owner(uid, gid)
        made = gofer.ask(gofer.client.mknod, self.node, name, mode, device, *owner, umask)
        return self._adopt(name, made)

    def make_socket(
        self, name: bytes, mode: int, uid: int, gid: int, umask: int, socket_type: int
    ) -> tuple[Inode, int]:
        gofer = self.gofer
        owner = self._owner(uid, gid)
        try:
            node, attributes, descriptor = gofer.ask(
                gofer.client.bind, self.node, name, socket_type, mode & 0o7777, *owner, umask
            )
        except EOPNOTSUPP:
            return super().make_socket(name, mode, uid, gid, umask, socket_type)
        return self._adopt(name, (node, attributes)), descriptor

    def make_symlink(self, name: bytes, target: bytes, uid: int, gid: int) -> Inode:
        gofer = self.gofer
        made = gofer.ask(gofer.client.symlink, self.node, name, target, *self._owner(uid, gid))
        return self._adopt(name, made)

    def _adopt(self, name: bytes, made: tuple[int, HostAttributes]) -> Inode:
        child = self.gofer.inode(*made)
        self._listed(name, child)
        return child

    def link(self, name: bytes, target: Inode) -> None:
        assert isinstance(target, GoferInode)
        self.gofer.ask(self.gofer.client.link, target.node, self.node, name)
        target.stale = True
        self._listed(name, target)

    # -- names that go --------------------------------------------------------------------------

    def unlink(self, name: bytes, child: Inode) -> None:
        self._remove(name, child, 0)

    def remove_directory(self, name: bytes, child: Inode) -> None:
        self._remove(name, child, AT_REMOVEDIR)

    def _remove(self, name: bytes, child: Inode, flags: int) -> None:
        assert isinstance(child, GoferInode)
        self.gofer.ask(self.gofer.client.unlink, self.node, name, flags)
        child.stale = True
        self._unlisted(name)

    def rename(
        self,
        name: bytes,
        child: Inode,
        new_parent: Inode,
        new_name: bytes,
        replaced: Inode | None,
        flags: int,
    ) -> None:
        assert isinstance(child, GoferInode)
        assert isinstance(new_parent, GoferDirectory)
        if flags & RENAME_WHITEOUT:
            raise EINVAL
        gofer = self.gofer
        gofer.ask(gofer.client.rename, self.node, name, new_parent.node, new_name, flags)
        child.stale = True
        self._unlisted(name)
        if isinstance(replaced, GoferInode):
            replaced.stale = True
            if flags & RENAME_EXCHANGE:
                self._listed(name, replaced)
        new_parent._listed(new_name, child)

    # -- opening -----------------------------------------------------------------------------------

    def open(self, task: "Task", path: "Path", flags: int) -> "OpenFile":
        return GoferDirectoryFile(path, flags, self)


class GoferDirectoryFile(DirectoryFile):
    """An open directory of the host."""

    __slots__ = ("_node",)

    def __init__(self, path: "Path", flags: int, node: GoferDirectory) -> None:
        super().__init__(path, flags)
        self._node = node

    def directory_entries(self, task: "Task") -> list[DirectoryEntry]:
        listing = dot_entries(self)
        listing.extend(islice(self._node.entries_from(self.position), _BATCH))
        return listing

    def sync(self, data_only: bool) -> None:
        gofer = self._node.gofer
        gofer.ask(gofer.client.fsync, self._node.node, data_only)
