"""Dentries and paths: where a name is.

A `Dentry` is a name in a directory with the inode it led to (none: the name is known not to
exist).  A `Path` is a dentry seen through a mount; it is what a working directory, an open file
and the result of a walk are.

Dentries are made by the path walk (`vfs/walk.py`), moved and unlinked by `vfs/operations.py`,
and thrown away by `vfs/dentry_cache.py` when there are many and nobody uses them.  File
systems never see them.
"""

from __future__ import annotations

from runsc_py.sentry.errors import ENAMETOOLONG, ENOENT

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final

    from runsc_py.sentry.vfs.inode import Inode
    from runsc_py.sentry.vfs.mount import Mount

#: the longest name of a directory entry, bytes
NAME_MAX = 255
#: the longest path, bytes, its NUL included
PATH_MAX = 4096


class Dentry:
    """A cached directory entry."""

    __slots__ = ("__weakref__", "children", "inode", "mounts", "name", "parent", "unlinked")

    def __init__(self, name: bytes, parent: Dentry | None, inode: Inode | None) -> None:
        self.name = name
        #: None for a file system's root and for what has no place in a tree (a pipe): `name`
        #: describes it then.  A dentry whose name was removed keeps its parent
        self.parent = parent
        #: None: a negative dentry
        self.inode = inode
        #: what is known of the directory: never "." and "..".  Shared and empty until the first
        self.children: dict[bytes, Dentry] = _NO_CHILDREN
        #: how many mounts have this as their mount point
        self.mounts = 0
        #: the name was removed (unlink, rmdir, rename over it) or is not known to be right any more
        self.unlinked = False

    @property
    def existing(self) -> Inode:
        """The inode of a dentry that is known to be positive."""
        inode = self.inode
        assert inode is not None
        return inode

    def look_up(self, name: bytes) -> Dentry:
        """The child called `name`, asked of the file system and remembered; negative when absent.

        For a name that `children` does not have.  Errors: ENAMETOOLONG, ENOENT (this
        directory was removed), those of Inode.lookup.
        """
        if len(name) > NAME_MAX:
            raise ENAMETOOLONG
        directory = self.inode
        if self.unlinked or directory is None:
            raise ENOENT
        inode: Inode | None
        try:
            inode = directory.lookup(name)
        except ENOENT:
            inode = None
            if directory.filesystem.needs_revalidation:
                return Dentry(name, self, None)
        return self.add(name, inode)

    def add(self, name: bytes, inode: Inode | None) -> Dentry:
        """Remember a child, in the place of what was remembered of the name."""
        child = Dentry(name, self, inode)
        self.attach(child)
        return child

    def attach(self, child: Dentry) -> None:
        """Put `child`, whose name and parent are set, among the children."""
        cache = self.existing.filesystem.dentries
        if self.children is _NO_CHILDREN:
            self.children = {}
        before = self.children.get(child.name)
        if before is not None and before is not child:
            before.unlinked = True
            cache.remove(before)
        self.children[child.name] = child
        cache.add(child)

    def forget(self, child: Dentry) -> None:
        """The name no longer leads to `child`; who has it open keeps it."""
        if self.children.get(child.name) is child:
            del self.children[child.name]
        child.unlinked = True
        self.existing.filesystem.dentries.remove(child)

    def is_ancestor_of(self, other: Dentry) -> bool:
        """Whether this is `other` or a directory above it (inside of one file system)."""
        dentry: Dentry | None = other
        while dentry is not None:
            if dentry is self:
                return True
            dentry = dentry.parent
        return False


class PrivateDentry(Dentry):
    """Of a file that will never have a name: O_TMPFILE with O_EXCL (open(2))."""

    __slots__ = ()


#: never written to
_NO_CHILDREN: Final[dict[bytes, Dentry]] = {}


class Path:
    """A dentry seen through a mount (Linux's struct path)."""

    __slots__ = ("dentry", "mount")

    def __init__(self, mount: Mount, dentry: Dentry) -> None:
        self.mount = mount
        self.dentry = dentry

    @property
    def inode(self) -> Inode:
        """The inode; only for a path whose dentry is positive."""
        return self.dentry.existing

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Path) and self.dentry is other.dentry and self.mount is other.mount

    def __hash__(self) -> int:
        return hash((id(self.mount), id(self.dentry)))
