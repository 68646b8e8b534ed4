"""write(2) and its relatives.  What they share: `syscalls/transfer.py`."""

from runsc_py.sentry.abi.files import (
    MAX_RW_COUNT,
    RWF_APPEND,
    RWF_DSYNC,
    RWF_NOAPPEND,
    RWF_NOWAIT,
    RWF_SYNC,
)
from runsc_py.sentry.errors import EFAULT, EINVAL
from runsc_py.sentry.kernel.io_accounting import WRITES
from runsc_py.sentry.kernel.task import Task
from runsc_py.sentry.syscalls.native_transfer import NATIVE_SIZE, write_natively
from runsc_py.sentry.syscalls.table import syscall
from runsc_py.sentry.syscalls.transfer import (
    ADDRESS_END,
    PIECE,
    Segment,
    check_flags,
    copy_in_data,
    copy_in_segments,
    gather,
    positioned_file,
    write_data,
    write_data_at,
    write_segments,
    write_segments_at,
)
from runsc_py.sentry.syscalls.types import (
    Fd,
    InBuffer,
    Int,
    InVector,
    Offset,
    ReadWriteFlags,
    Size,
    UnsignedLong,
)
from runsc_py.sentry.vfs.locks import OFFSET_MAX
from runsc_py.sentry.vfs.open_file import O_APPEND, OpenFile
from runsc_py.sentry.vfs.protection import check_overwritable

#: those with which a write is one piece
_SPECIAL = RWF_APPEND | RWF_NOAPPEND | RWF_NOWAIT


@syscall(1, "write", transfers=WRITES)
async def write(task: Task, fd: Fd, buffer: InBuffer, count: Size) -> int:
    """write(2)"""
    file = task.files.get_writable(fd)
    if count >= NATIVE_SIZE and file.seekable:
        done = write_natively(task, file, buffer, count, file.position)
        if done is not None:
            file.position += done
            return done
    if count > PIECE:
        if buffer + count > ADDRESS_END:
            raise EFAULT
        return await write_segments(task, file, [(buffer, min(count, MAX_RW_COUNT))])
    return await write_data(task, file, copy_in_data(task, file, buffer, count))


@syscall(18, "pwrite64", transfers=WRITES)
async def pwrite64(task: Task, fd: Fd, buffer: InBuffer, count: Size, offset: Offset) -> int:
    """pwrite(2)"""
    if offset < 0:
        raise EINVAL
    file = positioned_file(task, fd, task.files.get_writable)
    if offset > OFFSET_MAX - count:
        raise EFAULT if buffer + count > ADDRESS_END else EINVAL
    if count >= NATIVE_SIZE:
        done = write_natively(task, file, buffer, count, offset)
        if done is not None:
            return done
    if count > PIECE:
        if buffer + count > ADDRESS_END:
            raise EFAULT
        segments = [(buffer, min(count, MAX_RW_COUNT))]
        return await write_segments_at(task, file, segments, offset)
    return write_data_at(task, file, copy_in_data(task, file, buffer, count), offset)


@syscall(20, "writev", transfers=WRITES)
async def writev(task: Task, fd: Fd, vector: InVector, count: Int) -> int:
    """writev(2)"""
    file = task.files.get_writable(fd)
    return await write_segments(task, file, copy_in_segments(task, vector, count))


@syscall(296, "pwritev", transfers=WRITES)
async def pwritev(
    task: Task, fd: Fd, vector: InVector, count: Int, offset: Offset, high: UnsignedLong
) -> int:
    """pwritev(2); the high half of the offset means nothing on 64-bit machines."""
    if offset < 0:
        raise EINVAL
    file = positioned_file(task, fd, task.files.get_writable)
    return await write_segments_at(task, file, copy_in_segments(task, vector, count), offset)


@syscall(328, "pwritev2", transfers=WRITES)
async def pwritev2(
    task: Task,
    fd: Fd,
    vector: InVector,
    count: Int,
    offset: Offset,
    high: UnsignedLong,
    flags: ReadWriteFlags,
) -> int:
    """pwritev2(2): offset -1 writes at the position."""
    if offset < -1:
        raise EINVAL
    file = (
        task.files.get_writable(fd)
        if offset == -1
        else positioned_file(task, fd, task.files.get_writable)
    )
    segments = copy_in_segments(task, vector, count)
    check_flags(flags)
    return await write_with_flags(task, file, segments, offset, flags)


async def write_with_flags(
    task: Task, file: OpenFile, segments: list[Segment], offset: int, flags: int
) -> int:
    """Write with RWF_* flags, at the position when `offset` is -1."""
    if flags & _SPECIAL:
        return _write_specially(task, file, segments, offset, flags)
    if offset == -1:
        done = await write_segments(task, file, segments)
    else:
        done = await write_segments_at(task, file, segments, offset)
    if flags & (RWF_DSYNC | RWF_SYNC):
        file.sync(not flags & RWF_SYNC)
    return done


def _write_specially(
    task: Task, file: OpenFile, segments: list[Segment], offset: int, flags: int
) -> int:
    """One write with other rules than the file's.

    It appends (RWF_APPEND) or does not (RWF_NOAPPEND), or does not wait (RWF_NOWAIT).
    """
    data = gather(task, segments, file)
    before = file.flags
    if flags & RWF_APPEND:
        file.flags |= O_APPEND
    elif flags & RWF_NOAPPEND and file.flags & O_APPEND:
        check_overwritable(file.inode)
        file.flags &= ~O_APPEND
    try:
        if offset == -1:
            return file.write(data)
        return write_data_at(task, file, data, offset)
    finally:
        file.flags = before
