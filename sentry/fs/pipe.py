"""Pipes and FIFOs: pipe(7), fifo(7).

The bytes are in a host pipe whose two descriptors only the sentry has, so the host gives the
buffer, the atomicity of writes up to PIPE_BUF and packet mode.  Who has which end open, end of
file, EPIPE and readiness are decided here: whoever reads wakes the writers, whoever writes wakes
the readers, and no host readiness has to be watched.

`Pipe` is the buffer with the files that have it open; `PipeFile` is such a file.  Inodes of
type FIFO answer `Inode.open` with `open_fifo`.
"""

import fcntl
import os
import select

from runsc_py.sentry.abi.ioctl import FIONREAD, INT
from runsc_py.sentry.errors import (
    EAGAIN,
    EINVAL,
    ENODEV,
    ENOTTY,
    ENXIO,
    EPERM,
    EPIPE,
    error_for,
)
from runsc_py.sentry.fs.anonymous import AnonymousInode, anonymous_file_system
from runsc_py.sentry.kernel.waiting import (
    DATA,
    POLLERR,
    POLLHUP,
    POLLOUT,
    POLLWRNORM,
    wait_until,
)
from runsc_py.sentry.vfs.attributes import S_IFIFO
from runsc_py.sentry.vfs.open_file import (
    O_ACCMODE,
    O_DIRECT,
    O_NONBLOCK,
    O_RDONLY,
    O_RDWR,
    O_WRONLY,
    OpenFile,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from runsc_py.sentry.fs.anonymous import AnonymousFileSystem
    from runsc_py.sentry.kernel.task import Task
    from runsc_py.sentry.vfs.inode import Inode
    from runsc_py.sentry.vfs.path import Path

_F_SETPIPE_SZ = 1031
_F_GETPIPE_SZ = 1032
#: /proc/sys/fs/pipe-max-size, bytes
MAXIMUM_CAPACITY = 1 << 20

_SPACE = POLLOUT | POLLWRNORM


class Pipe:
    """The buffer, and who has its ends open."""

    __slots__ = (
        "capacity",
        "full",
        "poller",
        "read_descriptor",
        "reader_opens",
        "readers",
        "registry_entry",
        "write_descriptor",
        "writer_opens",
        "writers",
    )

    def __init__(
        self,
        packets: bool = False,
        registry_entry: "tuple[AnonymousFileSystem, Inode] | None" = None,
    ) -> None:
        """Errors: EMFILE, ENFILE (as OSError) when the host gives no pipe."""
        flags = os.O_NONBLOCK | os.O_CLOEXEC
        if packets:
            flags |= os.O_DIRECT
        self.read_descriptor, self.write_descriptor = os.pipe2(flags)
        self.capacity: int = fcntl.fcntl(self.write_descriptor, _F_GETPIPE_SZ)
        self.poller = select.poll()
        self.poller.register(self.read_descriptor, select.POLLIN)
        self.poller.register(self.write_descriptor, select.POLLOUT)
        #: open files that can read, and that can write; one may be in both
        self.readers: list[PipeFile] = []
        self.writers: list[PipeFile] = []
        #: how often an end was opened, ever: what a FIFO's opener waits to see change
        self.reader_opens = 0
        self.writer_opens = 0
        #: somebody saw that there was no room: the next reader wakes the writers
        self.full = False
        #: for a FIFO: where it is registered while it is open
        self.registry_entry = registry_entry

    # -- ends ------------------------------------------------------------------------

    def attach(self, file: "PipeFile") -> None:
        """A file was opened on it."""
        if file.readable:
            self.readers.append(file)
            self.reader_opens += 1
            self._notify(self.writers, _SPACE)
        if file.writable:
            self.writers.append(file)
            self.writer_opens += 1
            self._notify(self.readers, DATA)

    def detach(self, file: "PipeFile") -> None:
        """A file on it was released; the last one frees the buffer and what is in it."""
        if file in self.readers:
            self.readers.remove(file)
            if not self.readers:
                self._notify(self.writers, _SPACE | POLLERR)
        if file in self.writers:
            self.writers.remove(file)
            if not self.writers:
                self._notify(self.readers, DATA | POLLHUP)
        if not self.readers and not self.writers:
            os.close(self.read_descriptor)
            os.close(self.write_descriptor)
            if self.registry_entry is not None:
                filesystem, inode = self.registry_entry
                del filesystem.fifos[inode]

    @staticmethod
    def _notify(files: "list[PipeFile]", events: int) -> None:
        for file in files:
            file.wait_queue.notify(events)

    # -- bytes -----------------------------------------------------------------------

    def read(self, size: int) -> bytes:
        """What is there, up to `size` bytes; nothing at end of file.  Errors: EAGAIN."""
        try:
            data = os.read(self.read_descriptor, min(size, self.capacity))
        except BlockingIOError:
            if self.writers:
                raise EAGAIN from None
            return b""
        self.consumed()
        return data

    def write(self, data: bytes) -> int:
        """As much as fits; up to PIPE_BUF bytes all or none.  Errors: EAGAIN, EPIPE."""
        if not data:
            return 0
        if not self.readers:
            raise EPIPE
        try:
            count = os.write(self.write_descriptor, data)
        except BlockingIOError:
            self.full = True
            raise EAGAIN from None
        if count < len(data):
            self.full = True
        self.produced()
        return count

    def consumed(self) -> None:
        """Bytes were taken out of the buffer."""
        if self.full:
            self.full = False
            self._notify(self.writers, _SPACE)

    def produced(self) -> None:
        """Bytes were put into the buffer."""
        self._notify(self.readers, DATA)

    def readiness(self) -> tuple[bool, bool]:
        """(something to read, room to write)."""
        readable = writable = False
        for descriptor, events in self.poller.poll(0):
            if descriptor == self.read_descriptor:
                readable = bool(events & select.POLLIN)
            else:
                writable = bool(events & select.POLLOUT)
        if not writable:
            self.full = True
        return readable, writable

    def pending_bytes(self) -> int:
        """FIONREAD."""
        return _host_pending_bytes(self.read_descriptor)

    def resize(self, size: int, allowed: int = MAXIMUM_CAPACITY) -> int:
        """F_SETPIPE_SZ; returns the new capacity.

        Errors: EBUSY (it holds more), EINVAL, EPERM (above /proc/sys/fs/pipe-max-size).
        """
        if not 0 <= size <= 1 << 31:
            raise EINVAL
        # A privileged sentry must not hand out more of the host's memory.
        if size > max(min(allowed, MAXIMUM_CAPACITY), self.capacity):
            raise EPERM
        try:
            fcntl.fcntl(self.write_descriptor, _F_SETPIPE_SZ, size)
        except OSError as error:
            raise error_for(error.errno or 0) from None
        self.capacity = fcntl.fcntl(self.write_descriptor, _F_GETPIPE_SZ)
        if self.full:
            self.consumed()
        return self.capacity


def _host_pending_bytes(descriptor: int) -> int:
    answer = fcntl.ioctl(descriptor, FIONREAD, bytes(INT.size))
    count: int = INT.unpack(answer)[0]
    return count


class PipeFile(OpenFile):
    """One end of a pipe, or an open FIFO."""

    __slots__ = ("pipe", "seen_writer_opens")

    sends_sigpipe = True
    writes_whole = True

    def __init__(self, path: "Path", flags: int, pipe: Pipe) -> None:
        super().__init__(path, flags)
        self.pipe = pipe
        # A FIFO that was opened for reading without waiting shows no POLLHUP before
        # a first writer came (Linux's f_version).
        self.seen_writer_opens = -1 if pipe.writers else pipe.writer_opens
        pipe.attach(self)

    def host_descriptor(self) -> int | None:
        return self.pipe.read_descriptor if self.readable else self.pipe.write_descriptor

    def map_descriptor(self, task: "Task", protection: int, shared: bool) -> int:
        raise ENODEV

    def read(self, size: int) -> bytes:
        return self.pipe.read(size) if size else b""

    def write(self, data: bytes) -> int:
        return self.pipe.write(data)

    def poll(self) -> int:
        pipe = self.pipe
        readable, writable = pipe.readiness()
        events = 0
        if self.readable:
            if readable:
                events |= DATA
            if not pipe.writers and self.seen_writer_opens != pipe.writer_opens:
                events |= POLLHUP
        if self.writable:
            if writable:
                events |= _SPACE
            if not pipe.readers:
                events |= POLLERR
        return events

    def ioctl(self, task: "Task", request: int, argument: int) -> int:
        if request != FIONREAD:
            raise ENOTTY
        task.memory.copy_out(argument, INT.pack(self.pipe.pending_bytes()))
        return 0

    def release(self) -> None:
        self.pipe.detach(self)


class PipeInode(AnonymousInode):
    """What pipe(2) makes.  /proc/PID/fd leads to it, so it can be opened again."""

    __slots__ = ("pipe",)

    def __init__(self, task: "Task", pipe: Pipe) -> None:
        credentials = task.credentials
        super().__init__(
            anonymous_file_system(task.kernel),
            S_IFIFO | 0o600,
            credentials.fsuid,
            credentials.fsgid,
        )
        self.pipe = pipe

    def open(self, task: "Task", path: "Path", flags: int) -> OpenFile:
        _check_access_mode(flags)
        return PipeFile(path, flags, self.pipe)


class FifoFile(PipeFile):
    """An open FIFO: its opener may have to wait for the other side."""

    __slots__ = ("awaited_opens",)

    opening_waits = True

    def __init__(self, path: "Path", flags: int, pipe: Pipe) -> None:
        super().__init__(path, flags, pipe)
        #: the count of the other side's opens when this one was opened
        self.awaited_opens = pipe.writer_opens if self.readable else pipe.reader_opens

    async def wait_opened(self, task: "Task") -> None:
        if self.flags & O_NONBLOCK or (self.readable and self.writable):
            return
        others = self.pipe.writers if self.readable else self.pipe.readers
        if not others:
            await wait_until(task, self._partner_came, ((self.wait_queue, DATA | _SPACE),))

    def _partner_came(self) -> bool | None:
        pipe = self.pipe
        opens = pipe.writer_opens if self.readable else pipe.reader_opens
        return True if opens != self.awaited_opens else None


def _check_access_mode(flags: int) -> None:
    """An end is a reader, a writer or both.  Errors: EINVAL (it would be neither)."""
    if flags & O_ACCMODE == O_ACCMODE:
        raise EINVAL


def make_pipe(task: "Task", flags: int) -> tuple[PipeFile, PipeFile]:
    """The two ends of a new pipe; `flags` are O_NONBLOCK and O_DIRECT."""
    pipe = Pipe(packets=bool(flags & O_DIRECT))
    inode = PipeInode(task, pipe)
    path = task.kernel.anonymous_path(inode, b"pipe:[%d]" % inode.number)
    # O_DIRECT is about writing only, as F_GETFL shows.
    reader = PipeFile(path, O_RDONLY | flags & O_NONBLOCK, pipe)
    writer = PipeFile(path, O_WRONLY | flags, pipe)
    return reader, writer


def open_fifo(task: "Task", path: "Path", flags: int) -> FifoFile:
    """Open the FIFO at `path`; `wait_opened` does the waiting.

    Errors: EINVAL, ENXIO (O_WRONLY | O_NONBLOCK and nobody reads).
    """
    _check_access_mode(flags)
    access = flags & (O_WRONLY | O_RDWR)
    filesystem = anonymous_file_system(task.kernel)
    pipe = filesystem.fifos.get(path.inode)
    if access == O_WRONLY and flags & O_NONBLOCK and (pipe is None or not pipe.readers):
        raise ENXIO
    if pipe is None:
        pipe = Pipe(registry_entry=(filesystem, path.inode))
        filesystem.fifos[path.inode] = pipe
    return FifoFile(path, flags, pipe)
