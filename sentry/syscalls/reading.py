"""read(2) and its relatives.  What they share: `syscalls/transfer.py`."""

from runsc_py.sentry.abi.files import (
    MAX_RW_COUNT,
    RWF_NOWAIT,
)
from runsc_py.sentry.abi.inotify import IN_ACCESS
from runsc_py.sentry.errors import EAGAIN, EFAULT, EINVAL
from runsc_py.sentry.kernel.io_accounting import READS
from runsc_py.sentry.kernel.task import Task
from runsc_py.sentry.kernel.waiting import READABLE
from runsc_py.sentry.syscalls.blocking import blocking
from runsc_py.sentry.syscalls.native_transfer import NATIVE_SIZE, read_natively
from runsc_py.sentry.syscalls.table import syscall
from runsc_py.sentry.syscalls.transfer import (
    ADDRESS_END,
    PIECE,
    check_flags,
    copy_in_segments,
    deliver,
    positioned_file,
    read_segments,
    read_segments_at,
    scatter,
    total,
)
from runsc_py.sentry.syscalls.types import (
    Fd,
    Int,
    Offset,
    OutBuffer,
    OutVector,
    ReadWriteFlags,
    Size,
    UnsignedLong,
)
from runsc_py.sentry.vfs.locks import OFFSET_MAX
from runsc_py.sentry.vfs.notification import notify_path


@syscall(0, "read", transfers=READS)
async def read(task: Task, fd: Fd, buffer: OutBuffer, count: Size) -> int:
    """read(2)"""
    file = task.files.get_readable(fd)
    if count >= NATIVE_SIZE and file.seekable:
        done = read_natively(task, file, buffer, count, file.position)
        if done is not None:
            file.position += done
            return done
    if count > PIECE:
        if buffer + count > ADDRESS_END:
            raise EFAULT
        return await read_segments(task, file, [(buffer, min(count, MAX_RW_COUNT))])
    try:
        data = file.read(count)
    except (EAGAIN, BlockingIOError):
        if not count:
            return 0
        data = await blocking(task, file, READABLE, lambda: file.read(count))
    return deliver(task, file, buffer, data)


@syscall(17, "pread64", transfers=READS)
async def pread64(task: Task, fd: Fd, buffer: OutBuffer, count: Size, offset: Offset) -> int:
    """pread(2)"""
    if offset < 0:
        raise EINVAL
    file = positioned_file(task, fd, task.files.get_readable)
    if offset > OFFSET_MAX - count:
        raise EFAULT if buffer + count > ADDRESS_END else EINVAL
    if count >= NATIVE_SIZE:
        done = read_natively(task, file, buffer, count, offset)
        if done is not None:
            return done
    if count > PIECE:
        if buffer + count > ADDRESS_END:
            raise EFAULT
        segments = [(buffer, min(count, MAX_RW_COUNT))]
        return await read_segments_at(task, file, segments, offset)
    data = file.read_at(count, offset)
    done = task.memory.copy_out_part(buffer, data) if data else 0
    if done and file.inode.filesystem.watches:
        notify_path(file.path, IN_ACCESS)
    return done


@syscall(19, "readv", transfers=READS)
async def readv(task: Task, fd: Fd, vector: OutVector, count: Int) -> int:
    """readv(2)"""
    file = task.files.get_readable(fd)
    return await read_segments(task, file, copy_in_segments(task, vector, count))


@syscall(295, "preadv", transfers=READS)
async def preadv(
    task: Task, fd: Fd, vector: OutVector, count: Int, offset: Offset, high: UnsignedLong
) -> int:
    """preadv(2); the high half of the offset means nothing on 64-bit machines."""
    if offset < 0:
        raise EINVAL
    file = positioned_file(task, fd, task.files.get_readable)
    return await read_segments_at(task, file, copy_in_segments(task, vector, count), offset)


@syscall(327, "preadv2", transfers=READS)
async def preadv2(
    task: Task,
    fd: Fd,
    vector: OutVector,
    count: Int,
    offset: Offset,
    high: UnsignedLong,
    flags: ReadWriteFlags,
) -> int:
    """preadv2(2): offset -1 reads at the position."""
    if offset < -1:
        raise EINVAL
    file = (
        task.files.get_readable(fd)
        if offset == -1
        else positioned_file(task, fd, task.files.get_readable)
    )
    segments = copy_in_segments(task, vector, count)
    check_flags(flags)
    if offset >= 0:
        return await read_segments_at(task, file, segments, offset)
    if flags & RWF_NOWAIT:
        data = file.read(min(total(segments), PIECE))
        return scatter(task, segments, data)
    return await read_segments(task, file, segments)
