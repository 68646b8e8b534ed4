"""Copies through pipes: splice(2), tee(2), vmsplice(2).

Linux moves pages; here the data is copied, except by tee, which the host does.
"""

from collections.abc import Callable

from runsc_py.platform.host_files import tee as tee_descriptors
from runsc_py.sentry.abi.files import IOV_MAX, MAX_RW_COUNT
from runsc_py.sentry.errors import EAGAIN, EBADF, EINVAL, EPIPE, ESPIPE
from runsc_py.sentry.fs.pipe import Pipe, PipeFile
from runsc_py.sentry.kernel.task import Task
from runsc_py.sentry.kernel.waiting import POLLERR, POLLHUP, POLLOUT, READABLE, WRITABLE, wait
from runsc_py.sentry.syscalls.blocking import blocking
from runsc_py.sentry.syscalls.copying import Source, is_null
from runsc_py.sentry.syscalls.table import syscall
from runsc_py.sentry.syscalls.transfer import (
    broken_pipe,
    copy_in_segments,
    gather,
    pieces,
    read_segments,
    total,
    write_data,
    write_data_at,
)
from runsc_py.sentry.syscalls.types import Fd, InLong, InVector, Size, SpliceFlags, UnsignedLong
from runsc_py.sentry.vfs.attributes import S_IFCHR, S_IFIFO, S_IFMT, S_IFREG, S_IFSOCK
from runsc_py.sentry.vfs.open_file import O_APPEND, O_NONBLOCK, OpenFile

SPLICE_F_NONBLOCK = 2
_SPLICE_FLAGS = 15
#: what a pipe that shows POLLOUT takes without waiting
_PIPE_BUF = 4096
#: bytes copied in one call
_PIECE = 1 << 20
#: what can be at the other end: not directories, and nothing of the anon_inode kind
_SPLICEABLE = (S_IFREG, S_IFIFO, S_IFSOCK, S_IFCHR)


@syscall(275, "splice")
async def splice(
    task: Task,
    source: Fd,
    source_offset: InLong,
    out: Fd,
    out_offset: InLong,
    count: Size,
    flags: SpliceFlags,
) -> int:
    """splice(2): one end is a pipe."""
    if not count:
        return 0
    if flags & ~_SPLICE_FLAGS:
        raise EINVAL
    from_file = task.files.get_io(source)
    to_file = task.files.get_io(out)
    if isinstance(from_file, PipeFile) and source_offset:
        raise ESPIPE
    if isinstance(to_file, PipeFile) and out_offset:
        raise ESPIPE
    start = Source(task, from_file, source_offset)
    target = Source(task, to_file, out_offset)
    if not from_file.readable or not to_file.writable:
        raise EBADF
    _check_ends(from_file, source_offset, to_file, out_offset)
    if count >> 63:
        raise EINVAL
    await _wait_writable(task, to_file, flags)
    size = min(count, _room(to_file))
    data = await _read(task, from_file, start if from_file.seekable else None, size, flags)
    if to_file.seekable:
        done = write_data_at(task, to_file, data, target.offset)
        target.finish(task, done)
    else:
        done = await write_data(task, to_file, data)
    if from_file.seekable:
        start.finish(task, done)
    return done


def _check_ends(
    from_file: OpenFile, source_offset: int, to_file: OpenFile, out_offset: int
) -> None:
    """What can be spliced to what.  Errors: EINVAL."""
    from_pipe = isinstance(from_file, PipeFile)
    to_pipe = isinstance(to_file, PipeFile)
    if not (from_pipe or to_pipe) or from_file.inode is to_file.inode:
        raise EINVAL
    if out_offset and not to_file.seekable or source_offset and not from_file.seekable:
        raise EINVAL
    for file in (from_file, to_file):
        if file.inode.mode & S_IFMT not in _SPLICEABLE:
            raise EINVAL
    if to_file.flags & O_APPEND or is_null(from_file):
        raise EINVAL


def _room(file: OpenFile) -> int:
    """How much the other end certainly takes, now that it is ready."""
    if not isinstance(file, PipeFile):
        return _PIECE
    return _PIPE_BUF if file.pipe.pending_bytes() else file.pipe.capacity


async def _read(task: Task, file: OpenFile, start: Source | None, size: int, flags: int) -> bytes:
    read: Callable[[], bytes]
    read = (lambda: file.read(size)) if start is None else (lambda: start.read(size))
    if flags & SPLICE_F_NONBLOCK:
        return read()
    return await blocking(task, file, READABLE, read)


async def _wait_writable(task: Task, file: OpenFile, flags: int) -> None:
    """Wait until something can be written, before anything is taken from the other end."""
    while not file.poll() & (POLLOUT | POLLERR | POLLHUP):
        if flags & SPLICE_F_NONBLOCK or file.flags & O_NONBLOCK:
            raise EAGAIN
        await wait(task, ((file.wait_queue, WRITABLE),))


@syscall(278, "vmsplice")
async def vmsplice(
    task: Task, fd: Fd, vector: InVector, count: UnsignedLong, flags: SpliceFlags
) -> int:
    """vmsplice(2): memory to the pipe, or (the reading end) the pipe to memory."""
    if flags & ~_SPLICE_FLAGS:
        raise EINVAL
    file = task.files.get(fd)
    if not isinstance(file, PipeFile):
        raise EBADF
    if count > IOV_MAX:
        raise EINVAL
    segments = copy_in_segments(task, vector, count)
    if not total(segments):
        return 0
    if not file.writable:
        if not flags & SPLICE_F_NONBLOCK:
            return await read_segments(task, file, segments)
        if not file.pipe.readiness()[0] and file.pipe.writers:
            raise EAGAIN
        return await read_segments(task, file, segments)
    # Only for the first byte it waits; what does not fit is left to another call.
    await _wait_writable(task, file, flags)
    if not file.pipe.readers:
        broken_pipe(task, file)
        raise EPIPE
    return file.write(gather(task, next(pieces(segments)), file))


@syscall(276, "tee")
async def tee(task: Task, source: Fd, out: Fd, count: Size, flags: SpliceFlags) -> int:
    """tee(2): between two pipes, by the host."""
    if flags & ~_SPLICE_FLAGS:
        raise EINVAL
    if not count:
        return 0
    from_file = task.files.get_readable(source)
    to_file = task.files.get_writable(out)
    if not isinstance(from_file, PipeFile) or not isinstance(to_file, PipeFile):
        raise EINVAL
    from_pipe, to_pipe = from_file.pipe, to_file.pipe
    if from_pipe is to_pipe:
        raise EINVAL
    await _wait_writable(task, to_file, flags)
    if not to_pipe.readers:
        broken_pipe(task, to_file)
        raise EPIPE

    def copy() -> int:
        return _host_tee(from_pipe, to_pipe, count)

    done = copy() if flags & SPLICE_F_NONBLOCK else await blocking(task, from_file, READABLE, copy)
    if done:
        to_pipe.produced()
    return done


def _host_tee(source: Pipe, out: Pipe, count: int) -> int:
    """Errors: EAGAIN (nothing there); 0 at end of file."""
    try:
        return tee_descriptors(
            source.read_descriptor, out.write_descriptor, min(count, MAX_RW_COUNT)
        )
    except BlockingIOError:
        if not source.writers:
            return 0
        raise EAGAIN from None
