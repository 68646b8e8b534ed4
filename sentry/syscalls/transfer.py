"""Moving data between files and guest memory, for every call that reads or writes.

Guest memory is allocated here only as far as the data is there: large transfers go in pieces.
A bad address in the middle gives a short count, as in Linux; only what nothing was
transferred of fails with EFAULT.
"""

import struct
from collections.abc import Callable, Iterator

from runsc_py.platform.interface import MemoryFault
from runsc_py.sentry.abi.files import (
    IOV_MAX,
    MAX_RW_COUNT,
    RWF_APPEND,
    RWF_DSYNC,
    RWF_HIPRI,
    RWF_NOAPPEND,
    RWF_NOWAIT,
    RWF_SYNC,
)
from runsc_py.sentry.abi.inotify import IN_ACCESS, IN_MODIFY
from runsc_py.sentry.abi.signals import SIGPIPE
from runsc_py.sentry.errors import (
    EAGAIN,
    EBADF,
    EFAULT,
    EINVAL,
    EOPNOTSUPP,
    EPIPE,
    ESPIPE,
    KernelError,
)
from runsc_py.sentry.kernel.limits import RLIM_INFINITY, RLIMIT_FSIZE
from runsc_py.sentry.kernel.signals import SignalInfo
from runsc_py.sentry.kernel.task import Task
from runsc_py.sentry.kernel.waiting import READABLE, WRITABLE, Interrupted
from runsc_py.sentry.syscalls.blocking import blocking
from runsc_py.sentry.vfs.attribute_operations import remove_set_ids, writable_size
from runsc_py.sentry.vfs.attributes import S_IFIFO, S_IFMT, S_IFSOCK, S_ISGID, S_ISUID
from runsc_py.sentry.vfs.locks import OFFSET_MAX
from runsc_py.sentry.vfs.notification import notify_path
from runsc_py.sentry.vfs.open_file import O_NONBLOCK, OpenFile

#: the most that is held in the sentry at a time, bytes
PIECE = 4 << 20

#: how much of a long blocking write is offered to the file at a time: more than pipes hold
_REST_PIECE = 128 << 10

#: one struct iovec: base, length
Segment = tuple[int, int]

#: bytes from which on a copy is saved by filling a buffer of our own
_LARGE = 128 << 10
_PAGE_SIZE = 4096
#: no memory of a guest is above (x86-64 with four levels)
ADDRESS_END = (1 << 47) - 4096
_IOVEC = struct.Struct("<QQ")
_SET_IDS = S_ISUID | S_ISGID


# -- memory ---------------------------------------------------------------------


def copy_in_segments(task: Task, address: int, count: int) -> list[Segment]:
    """The iovec array of readv(2) and the like, cut to MAX_RW_COUNT.  Errors: EINVAL, EFAULT."""
    if not 0 <= count <= IOV_MAX:
        raise EINVAL
    if not count:
        return []
    segments: list[Segment] = []
    left = MAX_RW_COUNT
    for base, size in _IOVEC.iter_unpack(task.memory.copy_in(address, count * _IOVEC.size)):
        if size >> 63:
            raise EINVAL
        if base + size > ADDRESS_END:
            raise EFAULT
        size = min(size, left)
        left -= size
        segments.append((base, size))
    return segments


#: preadv2(2), pwritev2(2)
_READ_WRITE_FLAGS = RWF_HIPRI | RWF_DSYNC | RWF_SYNC | RWF_NOWAIT | RWF_APPEND | RWF_NOAPPEND


def check_flags(flags: int) -> None:
    """The flags of preadv2(2) and pwritev2(2).  Errors: EOPNOTSUPP, EINVAL."""
    if flags & ~_READ_WRITE_FLAGS:
        raise EOPNOTSUPP
    if flags & RWF_APPEND and flags & RWF_NOAPPEND:
        raise EINVAL


#: anonymous inodes (eventfd and the like) have no type
_STREAM_TYPES = (S_IFIFO, S_IFSOCK, 0)


def positioned_file(task: Task, fd: int, look_up: Callable[[int], OpenFile]) -> OpenFile:
    """The file for pread(2) and the like.

    Errors: EBADF; ESPIPE, which comes before EBADF for the wrong access mode.
    """
    try:
        return look_up(fd)
    except EBADF:
        if task.files.get_io(fd).inode.mode & S_IFMT in _STREAM_TYPES:
            raise ESPIPE from None
        raise


def total(segments: list[Segment]) -> int:
    """How many bytes the segments have."""
    return sum(size for _, size in segments)


def scatter(task: Task, segments: list[Segment], data: bytes) -> int:
    """Copy data out into the segments; how many bytes fit.  Errors: EFAULT (none did)."""
    view = memoryview(data)
    done = 0
    for base, size in segments:
        piece = view[done : done + size]
        if not piece:
            continue
        try:
            copied = task.memory.copy_out_part(base, piece)
        except EFAULT:
            if not done:
                raise
            break
        done += copied
        if copied < len(piece):
            break
    return done


def copy_in_data(task: Task, file: OpenFile | None, address: int, size: int) -> bytes:
    """What is to be written to `file`, up to the first bad address.  Errors: EFAULT."""
    if size >= _LARGE:
        buffer = bytearray(size)
        try:
            task.memory.address_space.read_into(address, buffer)
            # Nobody changes it, and nothing else tells the two apart.
            return buffer  # type: ignore[return-value]
        except MemoryFault:
            pass  # the slower way finds out how much there is
    data = task.memory.copy_in_part(address, size) if size else b""
    return data if len(data) == size else _written_before_fault(file, data)


def _written_before_fault(file: OpenFile | None, data: bytes) -> bytes:
    """What Linux writes of data that a bad address cuts off.

    Files take every byte; pipes and sockets take whole pages, and fail when there is none.
    """
    if file is None or not file.seekable:
        data = data[: len(data) & -_PAGE_SIZE]
        if not data:
            raise EFAULT
    return data


def gather(task: Task, segments: list[Segment], file: OpenFile | None = None) -> bytes:
    """Copy in what is to be written (to a socket, without a file), up to the first bad address.

    Errors: EFAULT.
    """
    if len(segments) == 1:
        return copy_in_data(task, file, *segments[0])
    parts: list[bytes] = []
    for base, size in segments:
        if not size:
            continue
        try:
            part = task.memory.copy_in_part(base, size)
        except EFAULT:
            if not parts:
                raise
            break
        parts.append(part)
        if len(part) < size:
            return _written_before_fault(file, b"".join(parts))
    return b"".join(parts)


def pieces(segments: list[Segment]) -> Iterator[list[Segment]]:
    """The same bytes in lists of at most PIECE each; at least one list."""
    piece: list[Segment] = []
    room = PIECE
    for base, size in segments:
        while size > room:
            yield [*piece, (base, room)]
            base, size = base + room, size - room
            piece, room = [], PIECE
        piece.append((base, size))
        room -= size
    yield piece


# -- reading ----------------------------------------------------------------------


def deliver(task: Task, file: OpenFile, address: int, data: bytes) -> int:
    """Copy out what was read at the position, which steps back over what does not fit.

    Errors: EFAULT; for pipes and sockets, what did not fit is lost.
    """
    size = len(data)
    try:
        done = task.memory.copy_out_part(address, data) if size else 0
    except EFAULT:
        if file.seekable:
            file.position -= size
        raise
    if done != size:
        if file.seekable:
            file.position -= size - done
        else:
            done &= -_PAGE_SIZE
            if not done:
                raise EFAULT
    if done and file.inode.filesystem.watches:
        notify_path(file.path, IN_ACCESS)
    return done


async def read_segments(task: Task, file: OpenFile, segments: list[Segment]) -> int:
    """read(2) into segments: until they are full, or a read is short."""
    done = 0
    for piece in pieces(segments):
        wanted = total(piece)
        try:
            if done:
                data = file.read(wanted)
            else:
                data = await blocking(task, file, READABLE, lambda size=wanted: file.read(size))  # type: ignore[misc]
            copied = scatter(task, piece, data)
        except (KernelError, OSError):
            if not done:
                raise
            break
        done += copied
        if copied < len(data) and file.seekable:
            file.position -= len(data) - copied
        if copied < wanted:
            break
    if done and file.inode.filesystem.watches:
        notify_path(file.path, IN_ACCESS)
    return done


async def read_segments_at(task: Task, file: OpenFile, segments: list[Segment], offset: int) -> int:
    """pread(2) into segments.  Errors: EINVAL (beyond the largest offset)."""
    if offset + total(segments) > OFFSET_MAX:
        raise EINVAL
    done = 0
    for piece in pieces(segments):
        wanted = total(piece)
        try:
            data = file.read_at(wanted, offset + done)
            copied = scatter(task, piece, data)
        except (KernelError, OSError):
            if not done:
                raise
            break
        done += copied
        if copied < wanted:
            break
    return done


# -- writing ----------------------------------------------------------------------


async def write_data(task: Task, file: OpenFile, data: bytes) -> int:
    """write(2) of data that is in the sentry already, with all that a write has to look after.

    Waits where the file would block; goes on until everything is written for files of which
    blocking writes are whole.  Errors: EPIPE (with SIGPIPE), EFBIG (with SIGXFSZ), EAGAIN…
    """
    if file.seekable:
        data = _within_limits(task, file, data, file.position)
    try:
        try:
            done = file.write(data)
        except (EAGAIN, BlockingIOError):
            done = await blocking(task, file, WRITABLE, lambda: file.write(data))
    except (EPIPE, BrokenPipeError):
        broken_pipe(task, file)
        raise
    if done < len(data) and file.writes_whole and not file.flags & O_NONBLOCK:
        done += await _write_rest(task, file, memoryview(data)[done:])
    if done and file.inode.filesystem.watches:
        notify_path(file.path, IN_MODIFY)
    return done


async def _write_rest(task: Task, file: OpenFile, rest: memoryview) -> int:
    """Go on with a blocking write; an error or a signal leaves a short count."""
    done = 0
    try:
        while done < len(rest):
            part = bytes(rest[done : done + _REST_PIECE])
            done += await blocking(task, file, WRITABLE, lambda part=part: file.write(part))  # type: ignore[misc]
    except (EPIPE, BrokenPipeError):
        broken_pipe(task, file)
    except (KernelError, OSError, Interrupted):
        return done
    return done


def write_data_at(task: Task, file: OpenFile, data: bytes, offset: int) -> int:
    """pwrite(2) of data that is in the sentry already."""
    done = file.write_at(_within_limits(task, file, data, offset), offset)
    if done and file.inode.filesystem.watches:
        notify_path(file.path, IN_MODIFY)
    return done


def broken_pipe(task: Task, file: OpenFile) -> None:
    """A write failed with EPIPE: the writer gets SIGPIPE where the kind of file says so."""
    if file.sends_sigpipe:
        task.send_signal(SignalInfo.from_itself(task, SIGPIPE))


def _within_limits(task: Task, file: OpenFile, data: bytes, offset: int) -> bytes:
    """What of a write to a file with positions is allowed; its set-id bits go."""
    allowed = size_within_limits(task, file, len(data), offset)
    return data if allowed == len(data) else data[:allowed]


def size_within_limits(task: Task, file: OpenFile, size: int, offset: int) -> int:
    """How many bytes of a write to a file with positions are allowed; its set-id bits go.

    Errors: EFBIG (with SIGXFSZ).
    """
    if file.inode.mode & _SET_IDS:
        remove_set_ids(task, file.inode)
    if task.thread_group.limits.values[RLIMIT_FSIZE][0] != RLIM_INFINITY:
        return writable_size(task, file, offset, size)
    return size


async def write_segments(task: Task, file: OpenFile, segments: list[Segment]) -> int:
    """write(2) from segments, in one write while they fit into a piece."""
    done = 0
    for piece in pieces(segments):
        wanted = total(piece)
        try:
            copied = await write_data(task, file, gather(task, piece, file))
        except (KernelError, OSError, Interrupted):
            if not done:
                raise
            break
        done += copied
        if copied < wanted:
            break
    return done


async def write_segments_at(
    task: Task, file: OpenFile, segments: list[Segment], offset: int
) -> int:
    """pwrite(2) from segments.  Errors: EINVAL (beyond the largest offset)."""
    if offset + total(segments) > OFFSET_MAX:
        raise EINVAL
    done = 0
    for piece in pieces(segments):
        wanted = total(piece)
        try:
            copied = write_data_at(task, file, gather(task, piece, file), offset + done)
        except (KernelError, OSError):
            if not done:
                raise
            break
        done += copied
        if copied < wanted:
            break
    return done
