"""Large reads and writes of regular files, made by the guest's own thread on the host's descriptor.

The data then goes from the host's file to the guest's memory and never through the sentry.  The
call costs one more stop, which for large ones is less than the copies.  What
it means (position, limits, times, accounts) is settled here and by the file; the host only moves
bytes.  The descriptor's number is in a register for the length of the call, never in guest memory.

Neighbours: `syscalls/transfer.py` is the way of everything else.
"""

from runsc_py.sentry.abi.files import MAX_RW_COUNT
from runsc_py.sentry.abi.inotify import IN_ACCESS, IN_MODIFY
from runsc_py.sentry.abi.memory import SYS_PREAD64, SYS_PWRITE64
from runsc_py.sentry.errors import ENOSPC, error_for
from runsc_py.sentry.kernel.task import Task
from runsc_py.sentry.syscalls.transfer import ADDRESS_END, PIECE, size_within_limits
from runsc_py.sentry.vfs.locks import OFFSET_MAX
from runsc_py.sentry.vfs.notification import notify_path
from runsc_py.sentry.vfs.open_file import OpenFile

#: bytes from which on it is faster
NATIVE_SIZE = 128 << 10


def read_natively(task: Task, file: OpenFile, address: int, size: int, offset: int) -> int | None:
    """pread(2) into guest memory; None where the file has no host descriptor for that.

    Errors: EFAULT, those of the host.
    """
    if not _is_ordinary(task, address, size, offset):
        return None
    descriptor = file.native_reader()
    if descriptor < 0:
        return None
    done = 0
    size = min(size, MAX_RW_COUNT)
    while done < size:
        part = min(size - done, PIECE)
        count = task.context.execute(SYS_PREAD64, descriptor, address + done, part, offset + done)
        if count < 0:
            if done:
                break
            raise error_for(-count)
        done += count
        if count < part:
            break
    file.accessed()
    if done and file.inode.filesystem.watches:
        notify_path(file.path, IN_ACCESS)
    return done


def write_natively(task: Task, file: OpenFile, address: int, size: int, offset: int) -> int | None:
    """pwrite(2) from guest memory; None where the file has no host descriptor for that.

    Errors: EFAULT, EFBIG (with SIGXFSZ), ENOSPC, those of the host.
    """
    if not _is_ordinary(task, address, size, offset):
        return None
    size = size_within_limits(task, file, min(size, MAX_RW_COUNT), offset)
    done = 0
    while done < size:
        part = min(size - done, PIECE)
        try:
            descriptor, allowed = file.begin_native_write(part, offset + done)
        except ENOSPC:
            if done:
                break
            raise
        if descriptor < 0:
            return done or None
        count = task.context.execute(
            SYS_PWRITE64, descriptor, address + done, allowed, offset + done
        )
        file.end_native_write(allowed, max(count, 0))
        if count < 0:
            if done:
                break
            raise error_for(-count)
        done += count
        if count < part:
            break
    if done and file.inode.filesystem.watches:
        notify_path(file.path, IN_MODIFY)
    return done


def _is_ordinary(task: Task, address: int, size: int, offset: int) -> bool:
    """Whether neither end of a range or of the file comes into play: others know what then."""
    lowest = task.kernel.platform.lowest_address
    return lowest <= address <= ADDRESS_END - size and offset <= OFFSET_MAX - size
