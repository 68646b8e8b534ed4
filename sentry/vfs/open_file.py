"""The open file description: what a descriptor refers to after open(2).

Subclasses live beside what they open (`fs/`, `socket/`).  Operations never block: where the
call would have to wait they raise EAGAIN, whatever O_NONBLOCK says, and the system call
layer waits on `wait_queue` and tries again (`syscalls/blocking.py`).
"""

from runsc_py.sentry.abi.files import SEEK_CUR, SEEK_SET
from runsc_py.sentry.abi.inotify import IN_CLOSE_NOWRITE, IN_CLOSE_WRITE
from runsc_py.sentry.errors import EINVAL, EISDIR, ENODEV, ENOTDIR, ENOTTY, EPERM, ESPIPE
from runsc_py.sentry.kernel.waiting import POLLIN, POLLOUT, POLLRDNORM, POLLWRNORM, WaitQueue
from runsc_py.sentry.vfs.inode import Inode
from runsc_py.sentry.vfs.locks import release_description_locks
from runsc_py.sentry.vfs.notification import notify_path

TYPE_CHECKING = False
if TYPE_CHECKING:
    from runsc_py.sentry.fs.epoll import EpollItem
    from runsc_py.sentry.kernel.file_owner import FileOwner
    from runsc_py.sentry.kernel.task import Task
    from runsc_py.sentry.vfs.path import Path

O_ACCMODE = 0o3
O_RDONLY = 0o0
O_WRONLY = 0o1
O_RDWR = 0o2
O_CREAT = 0o100
O_EXCL = 0o200
O_NOCTTY = 0o400
O_TRUNC = 0o1000
O_APPEND = 0o2000
O_NONBLOCK = 0o4000
O_DSYNC = 0o10000
O_ASYNC = 0o20000
O_DIRECT = 0o40000
O_LARGEFILE = 0o100000
O_DIRECTORY = 0o200000
O_NOFOLLOW = 0o400000
O_NOATIME = 0o1000000
O_CLOEXEC = 0o2000000
O_SYNC = 0o4010000
O_PATH = 0o10000000
O_TMPFILE = 0o20200000


class DirectoryEntry:
    """One entry that getdents64(2) returns; `next_offset` is its d_off cookie."""

    __slots__ = ("inode", "kind", "name", "next_offset")

    def __init__(self, name: bytes, inode: int, kind: int, next_offset: int) -> None:
        self.name = name
        self.inode = inode
        #: DT_* value: (mode & S_IFMT) >> 12
        self.kind = kind
        self.next_offset = next_offset


class OpenFile:
    """An open file description, shared by dup(2), fork(2) and SCM_RIGHTS."""

    __slots__ = (
        "__weakref__",
        "created",
        "epoll_items",
        "flags",
        "inode",
        "owner",
        "path",
        "position",
        "references",
        "wait_queue",
    )

    #: whether lseek, pread and pwrite make sense
    seekable = False
    #: whether it has content in a file system: it can be synchronised, and opened with O_DIRECT
    has_storage = False
    #: write(2) that fails with EPIPE sends SIGPIPE to the writer: pipes and stream sockets
    sends_sigpipe = False
    #: a blocking write(2) goes on until everything is written; `write` itself may write a part
    writes_whole = False
    #: open(2) awaits `wait_opened` before it makes a descriptor: FIFOs
    opening_waits = False
    #: whether a file open for writing through this cannot be executed (ETXTBSY)
    is_counted_writer = True

    def __init__(self, path: "Path", flags: int) -> None:
        self.path = path
        self.inode: Inode = path.inode
        #: access mode and status flags; F_SETFL changes them
        self.flags = flags
        #: this very open made the file (O_CREAT)
        self.created = False
        #: file offset, bytes
        self.position = 0
        #: descriptors (and queued SCM_RIGHTS messages, epoll excluded) that refer to it
        self.references = 0
        #: notified when readiness changes
        self.wait_queue = WaitQueue()
        #: interest of epoll files in this one; ends with the last reference
        self.epoll_items: list[EpollItem] | None = None
        #: who gets signals about it (F_SETOWN), once that was asked for
        self.owner: FileOwner | None = None

    @property
    def readable(self) -> bool:
        return self.flags & O_ACCMODE in (O_RDONLY, O_RDWR)

    @property
    def writable(self) -> bool:
        return self.flags & O_ACCMODE in (O_WRONLY, O_RDWR)

    def host_descriptor(self) -> int | None:
        """The host object that holds the bytes, when one does: what mmap and native I/O use.

        It stays open as long as this description; never shown to the guest.
        """
        return None

    # -- data that the guest's own thread moves (syscalls/native_transfer.py) ------------

    def native_reader(self) -> int:
        """A host descriptor of which pread(2) gives the guest what it would get here, or -1."""
        return -1

    def accessed(self) -> None:
        """Bytes were read: the access time may be due."""

    def begin_native_write(self, size: int, offset: int) -> tuple[int, int]:
        """A host descriptor to pwrite(2) to, or -1, and how many of `size` bytes it may take.

        Who gets a descriptor writes and calls `end_native_write`.  Errors: ENOSPC.
        """
        return -1, 0

    def end_native_write(self, allowed: int, written: int) -> None:
        """Of the `allowed` bytes that many were written."""

    async def wait_opened(self, task: "Task") -> None:
        """fifo(7): wait for the other end.  On an exception the caller releases the file."""

    # -- data; the caller has checked the access mode -------------------------------

    def read(self, size: int) -> bytes:
        """Up to `size` bytes from the current position.  Errors: EAGAIN, EISDIR, EIO."""
        raise EINVAL

    def write(self, data: bytes) -> int:
        """Write at the current position (the end with O_APPEND).  Errors: EAGAIN, EPIPE, ENOSPC."""
        raise EINVAL

    def read_at(self, size: int, offset: int) -> bytes:
        """pread(2)."""
        raise ESPIPE

    def write_at(self, data: bytes, offset: int) -> int:
        """pwrite(2); with O_APPEND it appends, as Linux does."""
        raise ESPIPE

    def seek(self, offset: int, whence: int) -> int:
        """lseek(2); `whence` is a SEEK_*.  Errors: ESPIPE, EINVAL, ENXIO (SEEK_DATA, SEEK_HOLE)."""
        raise ESPIPE

    def directory_entries(self, task: "Task") -> list[DirectoryEntry]:
        """The entries from the current position on, "." and ".." included.

        The caller takes as many as fit and sets `position` to the last one's next_offset.
        """
        raise ENOTDIR

    def truncate(self, size: int) -> None:
        """ftruncate(2)."""
        raise EINVAL

    def allocate(self, mode: int, offset: int, size: int) -> None:
        """fallocate(2)."""
        raise ENODEV

    def sync(self, data_only: bool) -> None:
        """fsync(2), fdatasync(2)."""
        raise EINVAL

    # -- readiness ------------------------------------------------------------------

    def poll(self) -> int:
        """The events that hold now (poll(2) bits).  Plain files are always ready.

        epoll_ctl(2) refuses (EPERM) files whose class does not override this.
        """
        return POLLIN | POLLRDNORM | POLLOUT | POLLWRNORM

    # -- the rest ----------------------------------------------------------------------

    def map_descriptor(self, task: "Task", protection: int, shared: bool) -> int:
        """The host descriptor that mmap(2) maps.  Errors: ENODEV, EACCES."""
        descriptor = self.host_descriptor()
        if descriptor is None:
            raise ENODEV
        return descriptor

    def ioctl(self, task: "Task", request: int, argument: int) -> int:
        """ioctl(2) requests of this kind of file; FIONBIO and the like are done by the caller."""
        raise ENOTTY

    def add_seals(self, seals: int) -> None:
        """F_ADD_SEALS of fcntl(2): memfds only.  Errors: EPERM, EBUSY, EINVAL."""
        raise EINVAL if self.writable else EPERM

    def get_seals(self) -> int:
        """F_GET_SEALS."""
        raise EINVAL

    def descriptor_information(self) -> bytes:
        """Further lines of /proc/PID/fdinfo/N (proc_pid_fdinfo(5))."""
        return b""

    def flush(self, task: "Task") -> None:
        """A descriptor for it is being closed (POSIX locks are dropped by the caller)."""

    def acquire(self) -> "OpenFile":
        """Take a reference: a descriptor, a queued SCM_RIGHTS message, a call that blocks on it."""
        self.references += 1
        return self

    def drop(self) -> None:
        """Give a reference back; the last one releases the file."""
        self.references -= 1
        if self.references == 0:
            if self.epoll_items is not None:
                for item in tuple(self.epoll_items):
                    item.remove()
            if self.inode.filesystem.watches and not self.flags & O_PATH:
                notify_path(self.path, IN_CLOSE_WRITE if self.writable else IN_CLOSE_NOWRITE)
            if self.inode.file_locks is not None:
                release_description_locks(self, self.inode)
            self.release()

    def release(self) -> None:
        """The last reference is gone: close host descriptors, wake peers."""


class DirectoryFile(OpenFile):
    """What directories of every file system share."""

    __slots__ = ()

    def read(self, size: int) -> bytes:
        raise EISDIR

    def read_at(self, size: int, offset: int) -> bytes:
        raise EISDIR

    def seek(self, offset: int, whence: int) -> int:
        """Back to an entry's cookie.  Errors: EINVAL (SEEK_END and the like)."""
        if whence == SEEK_CUR:
            offset += self.position
        elif whence != SEEK_SET:
            raise EINVAL
        if offset < 0:
            raise EINVAL
        self.position = offset
        return offset

    def sync(self, data_only: bool) -> None:
        pass
