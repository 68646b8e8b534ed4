"""Copies between descriptors: sendfile(2), copy_file_range(2); hints about files.

The data passes through the sentry in pieces; a long copy lets other tasks go on now and then.
Copies through pipes: `syscalls/splicing.py`.
"""

from runsc_py.sentry.abi.files import MAX_RW_COUNT
from runsc_py.sentry.errors import (
    EBADF,
    EFBIG,
    EINVAL,
    EISDIR,
    EOVERFLOW,
    ESPIPE,
    EXDEV,
    KernelError,
)
from runsc_py.sentry.fs.dev.registry import NULL
from runsc_py.sentry.fs.pipe import PipeFile
from runsc_py.sentry.kernel.io_accounting import READS, WRITES
from runsc_py.sentry.kernel.task import Task
from runsc_py.sentry.kernel.waiting import READABLE, Interrupted, wait
from runsc_py.sentry.syscalls.blocking import blocking
from runsc_py.sentry.syscalls.table import syscall
from runsc_py.sentry.syscalls.transfer import write_data, write_data_at
from runsc_py.sentry.syscalls.types import (
    Fd,
    FileAdvice,
    InLong,
    Offset,
    Size,
    UnsignedInt,
)
from runsc_py.sentry.vfs.attributes import (
    S_IFBLK,
    S_IFCHR,
    S_IFDIR,
    S_IFIFO,
    S_IFMT,
    S_IFREG,
    S_IFSOCK,
)
from runsc_py.sentry.vfs.locks import OFFSET_MAX
from runsc_py.sentry.vfs.open_file import O_APPEND, OpenFile

#: bytes copied at a time
_PIECE = 1 << 20
#: bytes after which a copy lets others go on
_TURN = 32 << 20


def _copy_in_offset(task: Task, address: int) -> int:
    """The off_t at an address.  Errors: EFAULT, EINVAL (negative)."""
    offset = int.from_bytes(task.memory.copy_in(address, 8), "little", signed=True)
    if offset < 0:
        raise EINVAL
    return offset


def _copy_out_offset(task: Task, address: int, offset: int) -> None:
    task.memory.copy_out(address, offset.to_bytes(8, "little"))


class Source:
    """Where a copy reads: the position of a file, or an offset that a pointer gave."""

    __slots__ = ("address", "file", "offset")

    def __init__(self, task: Task, file: OpenFile, address: int) -> None:
        self.file = file
        self.address = address
        self.offset = _copy_in_offset(task, address) if address else file.position

    def read(self, size: int) -> bytes:
        return self.file.read_at(size, self.offset)

    def finish(self, task: Task, moved: int) -> None:
        """`moved` bytes were copied in all."""
        end = self.offset + moved
        if self.address:
            _copy_out_offset(task, self.address, end)
        else:
            self.file.position = end


# -- sendfile ---------------------------------------------------------------------------


@syscall(40, "sendfile", transfers=READS | WRITES)
async def sendfile(task: Task, out: Fd, source: Fd, offset: InLong, count: Size) -> int:
    """sendfile(2)"""
    from_file = task.files.get_readable(source)
    kind = from_file.inode.mode & S_IFMT
    if offset and not from_file.seekable and kind != S_IFDIR:
        raise ESPIPE
    to_file = task.files.get_writable(out)
    if count >> 63:
        raise EINVAL
    count = min(count, MAX_RW_COUNT)
    if kind == S_IFSOCK and isinstance(to_file, PipeFile):
        return await _from_socket(task, from_file, to_file, count)
    if to_file.flags & O_APPEND or not from_file.seekable or is_null(from_file):
        raise EINVAL
    start = Source(task, from_file, offset)
    done = 0
    from_file.acquire()
    to_file.acquire()
    try:
        while done < count:
            data = from_file.read_at(min(count - done, _PIECE), start.offset + done)
            if not data:
                break
            written = await write_data(task, to_file, data)
            done += written
            if written < len(data):
                break
            if done % _TURN < _PIECE:
                await _give_way(task)
    except (KernelError, OSError, Interrupted):
        if not done:
            raise
    finally:
        start.finish(task, done)
        from_file.drop()
        to_file.drop()
    return done


async def _from_socket(task: Task, from_file: OpenFile, to_file: PipeFile, count: int) -> int:
    """What is not seekable goes only to a pipe, and once."""
    size = min(count, to_file.pipe.capacity)
    data = await blocking(task, from_file, READABLE, lambda: from_file.read(size))
    return await write_data(task, to_file, data)


def is_null(file: OpenFile) -> bool:
    """Whether it is /dev/null, from which nothing can be spliced."""
    inode = file.inode
    return inode.mode & S_IFMT == S_IFCHR and inode.get_attributes().special_device == NULL


# -- copy_file_range ----------------------------------------------------------------------


@syscall(326, "copy_file_range", transfers=READS | WRITES)
async def copy_file_range(
    task: Task,
    source: Fd,
    source_offset: InLong,
    out: Fd,
    out_offset: InLong,
    count: Size,
    flags: UnsignedInt,
) -> int:
    """copy_file_range(2)"""
    from_file = task.files.get_io(source)
    to_file = task.files.get_io(out)
    start = Source(task, from_file, source_offset)
    target = Source(task, to_file, out_offset)
    if flags:
        raise EINVAL
    _check_copy(from_file, to_file)
    if start.offset + count >= 1 << 64 or target.offset + count >= 1 << 64:
        raise EOVERFLOW
    if target.offset >= OFFSET_MAX:
        raise EFBIG
    count = min(count, max(from_file.inode.get_attributes().size - start.offset, 0))
    overlap = abs(start.offset - target.offset) < count
    if from_file.inode is to_file.inode and overlap:
        raise EINVAL
    done = await _copy_range(task, start, target, count)
    start.finish(task, done)
    target.finish(task, done)
    return done


def _check_copy(from_file: OpenFile, to_file: OpenFile) -> None:
    """What can be copied to what.  Errors: EISDIR, EINVAL, EBADF (access modes), EXDEV."""
    kinds = [file.inode.mode & S_IFMT for file in (from_file, to_file)]
    if S_IFDIR in kinds:
        raise EISDIR
    if kinds != [S_IFREG, S_IFREG]:
        raise EINVAL
    if not from_file.readable or not to_file.writable or to_file.flags & O_APPEND:
        raise EBADF
    if from_file.inode.filesystem is not to_file.inode.filesystem:
        raise EXDEV


async def _copy_range(task: Task, start: Source, target: Source, count: int) -> int:
    """Copy piece by piece; an error or a signal after the first leaves a short count."""
    done = 0
    try:
        while done < count:
            data = start.file.read_at(min(count - done, _PIECE), start.offset + done)
            if not data:
                break
            done += write_data_at(task, target.file, data, target.offset + done)
            if done % _TURN < _PIECE:
                await _give_way(task)
    except (KernelError, OSError, Interrupted):
        if not done:
            raise
    return done


async def _give_way(task: Task) -> None:
    """Let other tasks go on; Interrupted when a signal came."""
    await wait(task, (), task.kernel.clock.monotonic())


# -- hints and what is refused ----------------------------------------------------------------


@syscall(221, "fadvise64")
def fadvise64(task: Task, fd: Fd, offset: Offset, size: Offset, advice: FileAdvice) -> int:
    """posix_fadvise(2): the host's page cache needs no advice."""
    file = task.files.get_io(fd)
    if file.inode.mode & S_IFMT == S_IFIFO:
        raise ESPIPE
    if size < 0 or not 0 <= advice <= 5:
        raise EINVAL
    return 0


@syscall(187, "readahead")
def readahead(task: Task, fd: Fd, offset: Offset, count: Size) -> int:
    """readahead(2)"""
    file = task.files.get_readable(fd)
    if file.inode.mode & S_IFMT not in (S_IFREG, S_IFBLK) or count >> 63:
        raise EINVAL
    return 0
