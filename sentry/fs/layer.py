"""What the overlay asks of the inodes that it stacks, beyond the `Inode` contract.

`Inode.open` and directory listing belong to a task and a path; a copy-up has neither.  So a file
system whose files may be a layer of an overlay lets its regular files and directories derive from
these: tmpfs, gofer, and overlay itself.
"""

from collections.abc import Iterator, Mapping

from runsc_py.sentry.vfs.attributes import S_IFDIR
from runsc_py.sentry.vfs.inode import FileSystem, Inode
from runsc_py.sentry.vfs.open_file import DirectoryEntry, OpenFile

TYPE_CHECKING = False
if TYPE_CHECKING:
    from runsc_py.sentry.vfs.path import Path

#: directory offsets 0 and 1 are "." and ".."
FIRST_ENTRY_OFFSET = 2


class LayerFileSystem(FileSystem):
    """A file system that may run out of something when too many of its inodes are kept."""

    def add_user(self, filesystem: FileSystem) -> None:
        """The dentries of `filesystem`, an overlay, keep inodes of this one."""
        raise NotImplementedError


class LayerInode(Inode):
    """An inode of any type that may be in an upper layer."""

    __slots__ = ()

    #: whether get_attributes makes a new object each time, which the caller may change
    makes_attributes = False

    def link_count(self) -> int:
        """st_nlink alone."""
        return self.get_attributes().links

    def keep_linkable(self) -> None:
        """Its last name is gone here, but there are others in the overlay: let link(2) work."""


class LayerFile(Inode):
    """A regular file whose bytes can be copied as a whole."""

    __slots__ = ()

    def open_content(self, path: "Path", flags: int) -> OpenFile:
        """`Inode.open` without a task, of a file that exists and is not truncated."""
        raise NotImplementedError

    def content_descriptor(self) -> int:
        """A host descriptor to read the bytes from, now: the inode may close it later."""
        raise NotImplementedError

    def small_content(self) -> bytes | None:
        """The bytes, when they are in our own memory and need no descriptor to be read."""
        return None

    def copy_content(self, descriptor: int, size: int) -> None:
        """Fill this empty file with the first `size` bytes of a host descriptor, holes kept.

        Errors: ENOSPC.
        """
        raise NotImplementedError


class LayerDirectory(Inode):
    """A directory that lists itself."""

    __slots__ = ()

    def entries_from(self, offset: int) -> Iterator[DirectoryEntry]:
        """The entries whose offset is `offset` or larger, in their order; no "." and "..".

        The first entry of all has an offset of FIRST_ENTRY_OFFSET at least.
        """
        raise NotImplementedError

    def listing(self) -> Mapping[bytes, tuple[int, int, int]]:
        """All names: to inode number, DT_* type and offset.  To be read only, and at once."""
        return {
            entry.name: (entry.inode, entry.kind, entry.next_offset - 1)
            for entry in self.entries_from(0)
        }


def dot_entries(file: OpenFile) -> list[DirectoryEntry]:
    """The entries "." and ".." of an open directory, those of them that are still to be read."""
    inode = file.inode
    parent = file.path.dentry.parent
    above = inode if parent is None else parent.existing
    entries = (
        DirectoryEntry(b".", inode.number, S_IFDIR >> 12, 1),
        DirectoryEntry(b"..", above.number, S_IFDIR >> 12, FIRST_ENTRY_OFFSET),
    )
    return list(entries[max(file.position, 0) :])
