"""The file system without names: inodes of pipes, sockets and anon_inode files.

Linux has pipefs, sockfs and anon_inodefs, mounted nowhere; here one does for all three.  The
kernel makes one instance and keeps it in `kernel.anonymous_mount`.  It also knows what sits
behind named FIFOs and bound sockets of every file system: both live only while something has
them open, and an inode of any file system can be such a node.
"""

from runsc_py.sentry.errors import ENXIO, EOPNOTSUPP
from runsc_py.sentry.vfs.attributes import (
    S_IFDIR,
    S_IFIFO,
    S_IFMT,
    S_IFREG,
    S_IFSOCK,
    AttributeChange,
    Attributes,
)
from runsc_py.sentry.vfs.inode import FileSystem, Inode

TYPE_CHECKING = False
if TYPE_CHECKING:
    from runsc_py.sentry.fs.pipe import Pipe
    from runsc_py.sentry.kernel.kernel import Kernel
    from runsc_py.sentry.kernel.task import Task
    from runsc_py.sentry.socket.socket import Socket
    from runsc_py.sentry.vfs.mount import Mount
    from runsc_py.sentry.vfs.open_file import OpenFile
    from runsc_py.sentry.vfs.path import Path

ANON_INODE_FS_MAGIC = 0x09041934
PIPEFS_MAGIC = 0x50495045
SOCKFS_MAGIC = 0x534F434B
NSFS_MAGIC = 0x6E736673
#: by the type of the inode; what is a regular file here is a namespace
_MAGICS = {S_IFIFO: PIPEFS_MAGIC, S_IFSOCK: SOCKFS_MAGIC, S_IFREG: NSFS_MAGIC}


class AnonymousFileSystem(FileSystem):
    """The instance in `kernel.anonymous_mount`."""

    type_name = "anon_inodefs"
    magic = ANON_INODE_FS_MAGIC

    def __init__(self, kernel: "Kernel") -> None:
        super().__init__(kernel)
        #: named FIFOs that somebody has open, by their inode in whatever file system
        self.fifos: dict[Inode, Pipe] = {}
        #: AF_UNIX sockets by the inode they are bound to
        self.bound_sockets: dict[Inode, Socket] = {}
        #: the tmpfs of memfds, made with the first one (fs/memfd.py)
        self.memory_mount: Mount | None = None
        self.root = AnonymousInode(self, S_IFDIR | 0o555, 0, 0)

    def magic_of(self, inode: Inode) -> int:
        return _MAGICS.get(inode.mode & S_IFMT, self.magic)


class AnonymousInode(Inode):
    """An inode that no directory leads to."""

    __slots__ = ("gid", "times", "uid")

    def __init__(self, filesystem: FileSystem, mode: int, uid: int, gid: int) -> None:
        super().__init__(filesystem, filesystem.kernel.new_inode_number(), mode)
        self.uid = uid
        self.gid = gid
        now = filesystem.kernel.clock.realtime()
        #: access, modification, change; nanoseconds since the epoch
        self.times = (now, now, now)

    def get_attributes(self) -> Attributes:
        accessed, modified, changed = self.times
        return Attributes(
            device=self.filesystem.device,
            inode=self.number,
            mode=self.mode,
            links=1,
            uid=self.uid,
            gid=self.gid,
            access_time=accessed,
            modification_time=modified,
            change_time=changed,
        )

    def open(self, task: "Task", path: "Path", flags: int) -> "OpenFile":
        """Only pipes can be opened through /proc/PID/fd."""
        raise ENXIO

    def permission_ids(self) -> tuple[int, int, int]:
        return self.mode, self.uid, self.gid

    def set_attributes(self, change: AttributeChange) -> None:
        """fchmod, fchown and futimens work on a pipe or socket; a size means nothing."""
        if not self.mode & S_IFMT:
            raise EOPNOTSUPP
        if change.mode is not None:
            self.mode = (self.mode & S_IFMT) | (change.mode & ~S_IFMT)
        if change.uid is not None:
            self.uid = change.uid
        if change.gid is not None:
            self.gid = change.gid
        accessed, modified, _ = self.times
        if change.access_time is not None:
            accessed = change.access_time
        if change.modification_time is not None:
            modified = change.modification_time
        self.times = (accessed, modified, self.filesystem.kernel.clock.realtime())


def anonymous_file_system(kernel: "Kernel") -> AnonymousFileSystem:
    """The one instance."""
    filesystem = kernel.anonymous_mount.filesystem
    assert isinstance(filesystem, AnonymousFileSystem)
    return filesystem


def anonymous_path(task: "Task", mode: int, kind: bytes) -> "Path":
    """A place for a new nameless file of the task's: `pipe:[7]`, `socket:[7]`."""
    kernel = task.kernel
    credentials = task.credentials
    inode = AnonymousInode(
        kernel.anonymous_mount.filesystem, mode, credentials.fsuid, credentials.fsgid
    )
    return kernel.anonymous_path(inode, b"%b:[%d]" % (kind, inode.number))


def anonymous_inode_path(task: "Task", kind: bytes) -> "Path":
    """A place for a new anon_inode file: `anon_inode:[eventfd]`.

    Such an inode has no file type at all, as in Linux.
    """
    kernel = task.kernel
    credentials = task.credentials
    inode = AnonymousInode(
        kernel.anonymous_mount.filesystem, 0o600, credentials.fsuid, credentials.fsgid
    )
    return kernel.anonymous_path(inode, b"anon_inode:" + kind)
