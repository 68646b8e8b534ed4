"""Files whose content is made up when somebody reads it: the frame under proc and sysfs.

A synthetic file system has no storage.  Its directories make their children at the first lookup
and keep them, so an object has one inode number as long as its directory lives; its text
files produce their bytes when a reader stands at offset 0 (as Linux's seq_file does), so
that a program which keeps /proc/stat open and seeks back sees new numbers.

Most trees are declared as nested dictionaries (`Specification`, `build`); directories with
changing content derive from `SyntheticDirectory`.
"""

from collections.abc import Callable, Iterable, Mapping

from runsc_py.sentry.errors import EACCES, EINVAL, EIO, ENOENT, EPERM, KernelError
from runsc_py.sentry.vfs.attributes import (
    S_IFDIR,
    S_IFLNK,
    S_IFMT,
    S_IFREG,
    AttributeChange,
    Attributes,
)
from runsc_py.sentry.vfs.inode import FileSystem, Inode
from runsc_py.sentry.vfs.open_file import DirectoryEntry, DirectoryFile, OpenFile

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import TypeAlias

    from runsc_py.sentry.kernel.kernel import Kernel
    from runsc_py.sentry.kernel.task import Task
    from runsc_py.sentry.vfs.path import Path

SEEK_SET = 0
SEEK_CUR = 1

#: makes the content for the task that opened the file
Producer = Callable[["Task"], bytes]
#: takes what a task wrote
Consumer = Callable[["Task", bytes], None]
#: whose the file is, for the task that looks at it
Owner = Callable[["Task"], tuple[int, int]]


class SyntheticFileSystem(FileSystem):
    """A file system of synthetic inodes."""

    #: why nothing can be made in it.  A look-up in Linux's proc fails before anybody asks
    creation_error: type[KernelError] = EPERM

    def __init__(self, kernel: "Kernel") -> None:
        super().__init__(kernel)
        self._last_number = 0
        #: every time stamp of every inode, nanoseconds
        self.mount_time: int = kernel.clock.realtime()

    def new_number(self) -> int:
        """The next inode number."""
        self._last_number += 1
        return self._last_number

    def statfs(self) -> tuple[int, int, int, int, int, int]:
        return (4096, 0, 0, 0, 0, 0)


class SyntheticInode(Inode):
    """What all synthetic inodes share: owner, times, refusal of changes."""

    __slots__ = ()

    filesystem: SyntheticFileSystem

    def __init__(self, filesystem: SyntheticFileSystem, mode: int) -> None:
        super().__init__(filesystem, filesystem.new_number(), mode)

    def owner(self) -> tuple[int, int]:
        """(uid, gid)."""
        return (0, 0)

    def size(self) -> int:
        """st_size; 0 for content that does not exist before it is read."""
        return 0

    def links(self) -> int:
        return 2 if self.is_directory else 1

    def get_attributes(self) -> Attributes:
        uid, gid = self.owner()
        time = self.filesystem.mount_time
        return Attributes(
            device=self.filesystem.device,
            inode=self.number,
            mode=self.mode,
            links=self.links(),
            uid=uid,
            gid=gid,
            size=self.size(),
            access_time=time,
            modification_time=time,
            change_time=time,
            birth_time=time,
        )

    def permission_ids(self) -> tuple[int, int, int]:
        uid, gid = self.owner()
        return self.mode, uid, gid

    def set_attributes(self, change: AttributeChange) -> None:
        """Truncation (what a shell's `>` does) and time stamps are accepted and forgotten."""
        if change.mode is not None or change.uid is not None or change.gid is not None:
            raise EPERM


# -- text files --------------------------------------------------------------------------


class TextFile(SyntheticInode):
    """A file with produced content; `store` makes it writable."""

    __slots__ = ("_owner", "consume", "produce")

    def __init__(
        self,
        filesystem: SyntheticFileSystem,
        produce: Producer,
        consume: Consumer | None = None,
        permissions: int | None = None,
        owner: Owner | None = None,
    ) -> None:
        if permissions is None:
            permissions = 0o444 if consume is None else 0o644
        super().__init__(filesystem, S_IFREG | permissions)
        self.produce = produce
        self.consume = consume
        self._owner = owner

    def owner(self) -> tuple[int, int]:
        if self._owner is None:
            return super().owner()
        return self._owner(self.filesystem.kernel.current_task)

    def generate(self, task: "Task") -> bytes:
        """The whole content.  Errors: whatever read(2) of this file may fail with."""
        return self.produce(task)

    def store(self, task: "Task", data: bytes) -> None:
        """A write(2); each call is one new value.  Errors: EINVAL, EPERM, EIO."""
        if self.consume is None:
            raise EIO
        self.consume(task, data)

    def open(self, task: "Task", path: "Path", flags: int) -> OpenFile:
        return TextOpenFile(path, flags, self, task)


class TextOpenFile(OpenFile):
    """An open text file.  The opener's view is what later readers get too, as in Linux."""

    __slots__ = ("file", "opener", "text")

    seekable = True

    def __init__(self, path: "Path", flags: int, file: TextFile, opener: "Task") -> None:
        super().__init__(path, flags)
        self.file = file
        self.opener = opener
        self.text: bytes | None = None

    def read(self, size: int) -> bytes:
        data = self.read_at(size, self.position)
        self.position += len(data)
        return data

    def read_at(self, size: int, offset: int) -> bytes:
        if self.text is None or offset == 0:
            self.text = self.file.generate(self.opener)
        return self.text[offset : offset + size]

    def write(self, data: bytes) -> int:
        self.file.store(self.opener, data)
        self.position += len(data)
        self.text = None
        return len(data)

    def write_at(self, data: bytes, offset: int) -> int:
        self.file.store(self.opener, data)
        self.text = None
        return len(data)

    def seek(self, offset: int, whence: int) -> int:
        if whence == SEEK_CUR:
            offset += self.position
        elif whence != SEEK_SET:
            raise EINVAL
        if offset < 0:
            raise EINVAL
        self.position = offset
        return offset


# -- symbolic links ----------------------------------------------------------------------


class SymbolicLink(SyntheticInode):
    """A link with a fixed target."""

    __slots__ = ("target",)

    def __init__(self, filesystem: SyntheticFileSystem, target: bytes) -> None:
        super().__init__(filesystem, S_IFLNK | 0o777)
        self.target = target

    def read_link(self) -> bytes:
        return self.target


# -- directories -------------------------------------------------------------------------


class SyntheticDirectory(SyntheticInode):
    """A directory that makes its children when they are asked for."""

    __slots__ = ("children",)

    def __init__(self, filesystem: SyntheticFileSystem, permissions: int = 0o555) -> None:
        super().__init__(filesystem, S_IFDIR | permissions)
        #: those made so far
        self.children: dict[bytes, Inode] = {}

    def make_child(self, name: bytes) -> Inode | None:
        """A new inode for `name`, None when there is no such child."""
        raise NotImplementedError

    def names(self, task: "Task") -> Iterable[tuple[int, bytes]]:
        """(cookie, name) of every child, cookies ascending from 3 and stable for a name."""
        raise NotImplementedError

    def lookup(self, name: bytes) -> Inode:
        child = self.children.get(name)
        if child is None:
            child = self.make_child(name)
            if child is None:
                raise ENOENT
            self.children[name] = child
        return child

    def open(self, task: "Task", path: "Path", flags: int) -> OpenFile:
        return SyntheticDirectoryFile(path, flags)

    def create(self, name: bytes, mode: int, uid: int, gid: int, umask: int = 0) -> Inode:
        raise EACCES if self.filesystem.creation_error is EPERM else ENOENT

    def make_directory(self, name: bytes, mode: int, uid: int, gid: int, umask: int = 0) -> Inode:
        raise self.filesystem.creation_error

    def make_node(
        self, name: bytes, mode: int, device: int, uid: int, gid: int, umask: int = 0
    ) -> Inode:
        raise self.filesystem.creation_error

    def make_symlink(self, name: bytes, target: bytes, uid: int, gid: int) -> Inode:
        raise self.filesystem.creation_error

    def link(self, name: bytes, target: Inode) -> None:
        raise self.filesystem.creation_error

    def rename(
        self,
        name: bytes,
        child: Inode,
        new_parent: Inode,
        new_name: bytes,
        replaced: Inode | None,
        flags: int,
    ) -> None:
        raise EPERM if replaced is not None else self.filesystem.creation_error


class SyntheticDirectoryFile(DirectoryFile):
    """An open synthetic directory."""

    __slots__ = ()

    def directory_entries(self, task: "Task") -> list[DirectoryEntry]:
        directory = self.inode
        assert isinstance(directory, SyntheticDirectory)
        position = self.position
        entries = []
        if position < 1:
            entries.append(DirectoryEntry(b".", directory.number, S_IFDIR >> 12, 1))
        if position < 2:
            parent = self.path.dentry.parent
            inode = parent.inode if parent is not None and parent.inode else directory
            entries.append(DirectoryEntry(b"..", inode.number, S_IFDIR >> 12, 2))
        for cookie, name in directory.names(task):
            if cookie <= position:
                continue
            try:
                child = directory.lookup(name)
            except ENOENT:  # a process or descriptor that has just gone
                continue
            kind = (child.mode & S_IFMT) >> 12
            entries.append(DirectoryEntry(name, child.number, kind, cookie))
        return entries

    def seek(self, offset: int, whence: int) -> int:
        if whence == SEEK_CUR:
            offset += self.position
        elif whence != SEEK_SET:
            raise EINVAL
        if offset < 0:
            raise EINVAL
        self.position = offset
        return offset


# -- declared trees ----------------------------------------------------------------------


class File:
    """A text file in a declared tree."""

    __slots__ = ("consume", "owner", "permissions", "produce")

    def __init__(
        self,
        produce: Producer,
        consume: Consumer | None = None,
        permissions: int | None = None,
        owner: Owner | None = None,
    ) -> None:
        self.produce = produce
        self.consume = consume
        #: None: root
        self.owner = owner
        self.permissions = permissions


class Link:
    """A symbolic link in a declared tree."""

    __slots__ = ("target",)

    def __init__(self, target: bytes) -> None:
        self.target = target


class Custom:
    """Any other inode in a declared tree."""

    __slots__ = ("make",)

    def __init__(self, make: Callable[[SyntheticFileSystem], Inode]) -> None:
        self.make = make


if TYPE_CHECKING:
    #: bytes are constant content; a dictionary is a directory
    Specification: TypeAlias = bytes | File | Link | Custom | Mapping[bytes, "Specification"]
else:
    Specification = object


def build(filesystem: SyntheticFileSystem, what: Specification) -> Inode:
    """The inode for one node of a declared tree; a directory's children follow on lookup."""
    if isinstance(what, bytes):
        constant = what
        return TextFile(filesystem, lambda task: constant)
    if isinstance(what, File):
        return TextFile(filesystem, what.produce, what.consume, what.permissions, what.owner)
    if isinstance(what, Link):
        return SymbolicLink(filesystem, what.target)
    if isinstance(what, Custom):
        return what.make(filesystem)
    return DeclaredDirectory(filesystem, what)


class DeclaredDirectory(SyntheticDirectory):
    """A directory with the children that a dictionary names."""

    __slots__ = ("table",)

    def __init__(
        self,
        filesystem: SyntheticFileSystem,
        table: Mapping[bytes, Specification],
        permissions: int = 0o555,
    ) -> None:
        super().__init__(filesystem, permissions)
        self.table = table

    def make_child(self, name: bytes) -> Inode | None:
        what = self.table.get(name)
        return None if what is None else build(self.filesystem, what)

    def names(self, task: "Task") -> Iterable[tuple[int, bytes]]:
        return enumerate(self.table, start=3)

    def links(self) -> int:
        return 2 + sum(isinstance(what, Mapping) for what in self.table.values())
