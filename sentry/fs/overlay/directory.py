"""Directories of the overlay: what several layers have under one name, merged.

A name is looked for in the upper directory, then in the lower ones from the top; a whiteout or
an opaque directory ends the search.  What is made goes into the upper directory; what is removed
and exists below leaves a whiteout there.

getdents64(2) offsets: first come the names that the lower layers have, which never change, by
their position; then those that only the upper layer has, by its own offsets.  A name that was
copied up or replaced keeps the lower place, so every listing is stable without a snapshot.
"""

from collections.abc import Iterator, Mapping
from itertools import islice

from runsc_py.sentry.errors import EIO, ENOENT, ENOTDIR, ENOTEMPTY, EPERM
from runsc_py.sentry.fs.layer import FIRST_ENTRY_OFFSET, LayerDirectory, dot_entries
from runsc_py.sentry.fs.overlay.moving import rename
from runsc_py.sentry.fs.overlay.node import OverlayInode
from runsc_py.sentry.fs.overlay.whiteout import (
    has_marked_whiteouts,
    is_marked,
    is_opaque,
    is_whiteout,
    make_opaque,
    make_whiteout,
    redirect_of,
)
from runsc_py.sentry.vfs.attributes import S_IFCHR, S_IFMT, S_IFREG, Attributes
from runsc_py.sentry.vfs.inode import Inode
from runsc_py.sentry.vfs.open_file import DirectoryEntry, DirectoryFile

TYPE_CHECKING = False
if TYPE_CHECKING:
    from runsc_py.sentry.fs.overlay.filesystem import Overlay
    from runsc_py.sentry.kernel.task import Task
    from runsc_py.sentry.vfs.open_file import OpenFile
    from runsc_py.sentry.vfs.path import Path

_NO_LISTING: Mapping[bytes, tuple[int, int, int]] = {}

#: offsets of the upper layer's entries are its own ones plus this
_UPPER_OFFSETS = 1 << 40

#: entries made at a time: more than fit into the buffer that the C library gives getdents64(2)
_BATCH = 1500


class OverlayDirectory(OverlayInode, LayerDirectory):
    """A directory, merged of an upper one (once something changed) and lower ones."""

    __slots__ = ("_lower_entries", "_marked", "moved")

    def __init__(
        self,
        overlay: "Overlay",
        upper: Inode | None,
        lowers: tuple[Inode, ...],
        parent: "OverlayDirectory | None",
        name: bytes,
    ) -> None:
        super().__init__(overlay, upper, lowers, parent, name)
        #: name to (inode number, DT_* type, …), merged of all lower layers; None: not listed yet
        self._lower_entries: Mapping[bytes, tuple[int, int, int]] | None = None
        #: the lower directories of several in which files with a mark are whiteouts, once asked
        self._marked: tuple[Inode, ...] | None = None
        #: it came from a lower layer and has another place or name now
        self.moved = False

    def upper_directory(self) -> LayerDirectory | None:
        """The upper directory, as what it is."""
        upper = self.upper
        assert upper is None or isinstance(upper, LayerDirectory)
        return upper

    def links(self) -> int:
        if self.removed:
            return 0
        # As Linux: 1 says that the link count does not tell the number of subdirectories.
        return 1 if self.is_merged else self.real.get_attributes().links

    @property
    def is_merged(self) -> bool:
        """Whether several layers have a part of it."""
        return len(self.lowers) + (self.upper is not None) > 1

    # -- lookup ------------------------------------------------------------------------

    def lookup(self, name: bytes) -> Inode:
        upper = self.upper_entry(name)
        if upper is not None:
            if is_whiteout(upper):
                raise ENOENT
            known = self.overlay.known_upper(upper)
            if known is not None:
                return known
            redirect = redirect_of(upper) if upper.is_directory else b""
            if not upper.is_directory or (not redirect and (not self.lowers or is_opaque(upper))):
                return self.overlay.for_upper(upper, self, name)
            lowers = self._redirected(name, redirect)
            directories = lowers if lowers and lowers[0].is_directory else ()
            return self.overlay.for_merged(upper, directories, self, name)
        lowers = self._lower_inodes(name)
        if not lowers:
            raise ENOENT
        return self.overlay.for_lower(lowers, self, name)

    def upper_entry(self, name: bytes) -> Inode | None:
        """What the upper directory has under `name`, a whiteout perhaps."""
        if self.upper is None:
            return None
        try:
            return self.upper.lookup(name)
        except ENOENT:
            return None

    def _lower_inodes(self, name: bytes) -> tuple[Inode, ...]:
        """What the lower layers show under `name`: one file, or directories that merge."""
        if self._lower_entries is not None and name not in self._lower_entries:
            return ()
        found: list[Inode] = []
        for lower in self.lowers:
            try:
                child = lower.lookup(name)
            except (ENOENT, ENOTDIR):
                continue
            if is_whiteout(child) or (lower in self._marked_lowers() and is_marked(child)):
                break
            if not child.is_directory:
                if not found:
                    found.append(child)
                break
            found.append(child)
            if lower is not self.lowers[-1] and is_opaque(child):
                break
        return tuple(found)

    def _marked_lowers(self) -> tuple[Inode, ...]:
        marked = self._marked
        if marked is None:
            several = len(self.lowers) > 1
            marked = tuple(filter(has_marked_whiteouts, self.lowers)) if several else ()
            self._marked = marked
        return marked

    def _redirected(self, name: bytes, target: bytes) -> tuple[Inode, ...]:
        """What the lower layers have for a directory that says where it is there."""
        if not target.startswith(b"/"):
            return self._lower_inodes(target or name)
        *parents, last = target[1:].split(b"/")
        directory = self.overlay.root.lower_directory()
        for part in parents:
            directory = None if directory is None else directory.lower_directory(part)
        return () if directory is None else directory._lower_inodes(last)

    def origin_of(self, name: bytes) -> bytes:
        """The path at which the lower layers have `name` of this directory."""
        redirect = b"" if self.upper is None else redirect_of(self.upper)
        if redirect.startswith(b"/"):
            return redirect + b"/" + name
        if self.parent is None:
            return b"/" + name
        return self.parent.origin_of(redirect or self.name) + b"/" + name

    def lower_directory(self, name: bytes = b"") -> "OverlayDirectory | None":
        """This directory, or one in it, as the lower layers alone show it: for comparisons only."""
        lowers = self._lower_inodes(name) if name else self.lowers
        if not lowers or not lowers[0].is_directory:
            return None
        return OverlayDirectory(self.overlay, None, lowers, None, name)

    def lower_names(self) -> set[bytes]:
        """What the lower layers show in it."""
        return set(self._lower_listing()) if self.lowers else set()

    def lower_has(self, name: bytes) -> bool:
        """Whether the lower layers show `name`: then its removal needs a whiteout."""
        return bool(self.lowers) and name in self._lower_listing()

    # -- listing -------------------------------------------------------------------------

    def _lower_listing(self) -> Mapping[bytes, tuple[int, int, int]]:
        """The names of the lower layers, read once: the layers do not change."""
        if self._lower_entries is None:
            self._lower_entries = self._merge_lower_listings()
        return self._lower_entries

    def _merge_lower_listings(self) -> Mapping[bytes, tuple[int, int, int]]:
        merged: dict[bytes, tuple[int, int, int]] = {}
        hidden: set[bytes] = set()
        for lower in self.lowers:
            if not isinstance(lower, LayerDirectory):
                raise EIO
            layer = self.overlay.layer_mark(lower.filesystem)
            listing = lower.listing()
            whiteouts = {
                name
                for name, (_, kind, _) in listing.items()
                if kind == S_IFCHR >> 12 and is_whiteout(lower.lookup(name))
            }
            if lower in self._marked_lowers():
                whiteouts |= {name for name in listing if is_marked(lower.lookup(name))}
            if len(self.lowers) == 1 and not layer and not whiteouts:
                return listing
            for name, (number, kind, offset) in listing.items():
                if name not in merged and name not in hidden and name not in whiteouts:
                    merged[name] = (number ^ layer, kind, offset)
            hidden |= whiteouts
        return merged

    def entries_from(self, offset: int) -> Iterator[DirectoryEntry]:
        upper = self.upper_directory()
        listing = self._lower_listing() if self.lowers else _NO_LISTING
        if offset < _UPPER_OFFSETS:
            first = max(offset - FIRST_ENTRY_OFFSET, 0)
            for place, name in enumerate(islice(listing, first, None), first):
                number, kind, _ = listing[name]
                above = self.upper_entry(name)
                if above is not None:
                    if is_whiteout(above):
                        continue
                    number, kind = self.overlay.number_of_upper(above), above.mode >> 12
                yield DirectoryEntry(name, number, kind, place + FIRST_ENTRY_OFFSET + 1)
        if upper is None:
            return
        for entry in upper.entries_from(max(offset - _UPPER_OFFSETS, 0)):
            if entry.name in listing:
                continue
            if entry.kind == S_IFCHR >> 12 and is_whiteout(upper.lookup(entry.name)):
                continue
            number = self.overlay.number_of_upper(upper.lookup(entry.name))
            next_offset = entry.next_offset + _UPPER_OFFSETS
            yield DirectoryEntry(entry.name, number, entry.kind, next_offset)

    def is_empty(self) -> bool:
        """Whether a guest sees no entry."""
        return next(self.entries_from(0), None) is None

    # -- copy-up ---------------------------------------------------------------------------

    def copy_to(self, directory: Inode | None, name: bytes, attributes: Attributes) -> Inode:
        if directory is None or self.removed:
            raise ENOENT
        return directory.make_directory(name, attributes.mode, attributes.uid, attributes.gid)

    # -- new names ----------------------------------------------------------------------------

    def prepare_name(self, name: bytes) -> Inode:
        """The upper directory, with nothing under `name` any more.  Errors: ENOENT, ENOSPC."""
        if self.removed:
            raise ENOENT
        upper = self.copy_up()
        above = self.upper_entry(name)
        if above is not None:
            upper.unlink(name, above)
        return upper

    def create(self, name: bytes, mode: int, uid: int, gid: int, umask: int = 0) -> Inode:
        child = self.prepare_name(name).create(name, mode, uid, gid, umask)
        return self.overlay.for_upper(child, self, name)

    def make_directory(self, name: bytes, mode: int, uid: int, gid: int, umask: int = 0) -> Inode:
        child = self.prepare_name(name).make_directory(name, mode, uid, gid, umask)
        if self.lower_has(name):
            make_opaque(child)
        return self.overlay.for_upper(child, self, name)

    def make_node(
        self, name: bytes, mode: int, device: int, uid: int, gid: int, umask: int = 0
    ) -> Inode:
        if mode & S_IFMT == S_IFREG:
            return self.create(name, mode, uid, gid, umask)
        if mode & S_IFMT == S_IFCHR and device == 0:
            # It would be a whiteout.
            raise EPERM
        child = self.prepare_name(name).make_node(name, mode, device, uid, gid, umask)
        return self.overlay.for_upper(child, self, name)

    def make_symlink(self, name: bytes, target: bytes, uid: int, gid: int) -> Inode:
        child = self.prepare_name(name).make_symlink(name, target, uid, gid)
        return self.overlay.for_upper(child, self, name)

    def make_unnamed(self, mode: int, uid: int, gid: int, umask: int = 0) -> Inode:
        child = self.copy_up().make_unnamed(mode, uid, gid, umask)
        return self.overlay.for_upper(child, None, b"")

    def link(self, name: bytes, target: Inode) -> None:
        assert isinstance(target, OverlayInode)
        if target.removed:
            raise ENOENT
        upper = target.copy_up()
        self.prepare_name(name).link(name, upper)
        target.name_added(self, name)

    # -- names that go ---------------------------------------------------------------------------

    def hide(self, name: bytes) -> None:
        """Let nothing be found under `name`, which the upper directory does not have now."""
        if self.lower_has(name):
            make_whiteout(self.copy_up(), name)

    def unlink(self, name: bytes, child: Inode) -> None:
        assert isinstance(child, OverlayInode)
        if self.lower_has(name):
            self.copy_up()
        above = self.upper_entry(name)
        if above is not None and self.upper is not None:
            self.upper.unlink(name, above)
        self.hide(name)
        child.name_removed(self, name)

    def remove_directory(self, name: bytes, child: Inode) -> None:
        assert isinstance(child, OverlayDirectory)
        child.check_replaceable()
        if self.lower_has(name):
            self.copy_up()
        if child.upper is not None and self.upper is not None:
            child.clear_whiteouts()
            self.upper.remove_directory(name, child.upper)
        self.hide(name)
        child.name_removed(self, name)

    def check_replaceable(self) -> None:
        if not self.is_empty():
            raise ENOTEMPTY

    def clear_whiteouts(self) -> None:
        upper = self.upper_directory()
        if upper is not None:
            for entry in list(upper.entries_from(0)):
                upper.unlink(entry.name, upper.lookup(entry.name))

    def name_removed(self, parent: "OverlayDirectory", name: bytes) -> None:
        self.removed = True
        self.parent = None
        self.overlay.forget(self)

    def name_moved(self, parent: "OverlayDirectory", name: bytes) -> None:
        super().name_moved(parent, name)
        self.moved = bool(self.lowers)

    def rename(
        self,
        name: bytes,
        child: Inode,
        new_parent: Inode,
        new_name: bytes,
        replaced: Inode | None,
        flags: int,
    ) -> None:
        assert isinstance(child, OverlayInode)
        assert isinstance(new_parent, OverlayDirectory)
        assert replaced is None or isinstance(replaced, OverlayInode)
        rename(self, name, child, new_parent, new_name, replaced, flags)

    # -- opening ------------------------------------------------------------------------------

    def open(self, task: "Task", path: "Path", flags: int) -> "OpenFile":
        return OverlayDirectoryFile(path, flags, self)


class OverlayDirectoryFile(DirectoryFile):
    """An open directory."""

    __slots__ = ("_node",)

    def __init__(self, path: "Path", flags: int, node: OverlayDirectory) -> None:
        super().__init__(path, flags)
        self._node = node

    def directory_entries(self, task: "Task") -> list[DirectoryEntry]:
        position = self.position
        listing = dot_entries(self)
        if not self._node.removed:
            listing.extend(islice(self._node.entries_from(position), _BATCH))
        return listing
