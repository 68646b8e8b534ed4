"""Calls about descriptors as such: dup(2), ioctl(2)'s common requests, lseek(2), fsync(2)."""

from runsc_py.sentry.abi.files import (
    FIOASYNC,
    FIOCLEX,
    FIONCLEX,
    FIOQSIZE,
    FLAG_REQUESTS,
    SEEK_HOLE,
    SEEK_SET,
)
from runsc_py.sentry.abi.ioctl import FIONBIO, FIONREAD, INT
from runsc_py.sentry.errors import EINVAL, ENOTTY, ESPIPE
from runsc_py.sentry.kernel.task import Task
from runsc_py.sentry.syscalls.file_control import set_asynchronous
from runsc_py.sentry.syscalls.table import syscall
from runsc_py.sentry.syscalls.types import (
    Fd,
    IoctlArgument,
    IoctlRequest,
    Offset,
    PipeFlags,
    UnsignedInt,
    Whence,
)
from runsc_py.sentry.vfs.attributes import S_IFBLK, S_IFDIR, S_IFMT, S_IFREG
from runsc_py.sentry.vfs.open_file import O_CLOEXEC, O_NONBLOCK, OpenFile

# -- dup --------------------------------------------------------------------------


@syscall(32, "dup")
def dup(task: Task, fd: Fd) -> int:
    """dup(2)"""
    return task.files.add(task.files.get(fd))


@syscall(33, "dup2")
def dup2(task: Task, old: Fd, new: Fd) -> int:
    """dup2(2): equal descriptors are no error."""
    if old == new:
        task.files.get(old)
        return new
    return _duplicate_to(task, old, new, False)


@syscall(292, "dup3")
def dup3(task: Task, old: Fd, new: Fd, flags: PipeFlags) -> int:
    """dup3(2)"""
    if flags & ~O_CLOEXEC or old == new:
        raise EINVAL
    return _duplicate_to(task, old, new, bool(flags & O_CLOEXEC))


def _duplicate_to(task: Task, old: int, new: int, close_on_exec: bool) -> int:
    before = task.files.install(new, task.files.get(old), close_on_exec)
    if before is not None:
        task.files.close_file(task, before)
    return new


# -- ioctl --------------------------------------------------------------------------


@syscall(16, "ioctl")
def ioctl(task: Task, fd: Fd, request: IoctlRequest, argument: IoctlArgument) -> int:
    """ioctl(2): what every file answers is here, the rest is up to the file."""
    file = task.files.get_io(fd)
    if request in (FIOCLEX, FIONCLEX):
        task.files.set_close_on_exec(fd, request == FIOCLEX)
        return 0
    if request in (FIONBIO, FIOASYNC):
        (value,) = INT.unpack(task.memory.copy_in(argument, INT.size))
        if request == FIOASYNC:
            set_asynchronous(task, fd, file, bool(value))
        else:
            file.flags = file.flags | O_NONBLOCK if value else file.flags & ~O_NONBLOCK
        return 0
    kind = file.inode.mode & S_IFMT
    if kind == S_IFREG and request in (FIONREAD, FIOQSIZE):
        return _size_request(task, file, request, argument)
    if kind in (S_IFREG, S_IFDIR) and request in FLAG_REQUESTS:
        from runsc_py.sentry.syscalls.file_flags import flags_request

        return flags_request(task, file, request, argument)
    return file.ioctl(task, request, argument)


def _size_request(task: Task, file: OpenFile, request: int, argument: int) -> int:
    size = file.inode.get_attributes().size
    if request == FIOQSIZE:
        task.memory.copy_out(argument, size.to_bytes(8, "little"))
        return 0
    if not file.seekable:
        raise ENOTTY
    left = max(size - file.position, 0) & 0x7FFFFFFF
    task.memory.copy_out(argument, INT.pack(left))
    return 0


# -- position and storage --------------------------------------------------------------


@syscall(8, "lseek")
def lseek(task: Task, fd: Fd, offset: Offset, whence: Whence) -> int:
    """lseek(2)"""
    file = task.files.get_io(fd)
    if not SEEK_SET <= whence <= SEEK_HOLE:
        raise EINVAL
    return file.seek(offset, whence)


@syscall(74, "fsync")
def fsync(task: Task, fd: Fd) -> int:
    """fsync(2)"""
    task.files.get_io(fd).sync(False)
    return 0


@syscall(75, "fdatasync")
def fdatasync(task: Task, fd: Fd) -> int:
    """fdatasync(2)"""
    task.files.get_io(fd).sync(True)
    return 0


@syscall(162, "sync")
def sync(task: Task) -> int:
    """sync(2): what the sandbox keeps is in memory, and the host writes back on its own."""
    return 0


@syscall(306, "syncfs")
def syncfs(task: Task, fd: Fd) -> int:
    """syncfs(2)"""
    task.files.get_io(fd)
    return 0


@syscall(277, "sync_file_range")
def sync_file_range(task: Task, fd: Fd, offset: Offset, size: Offset, flags: UnsignedInt) -> int:
    """sync_file_range(2)"""
    file = task.files.get_io(fd)
    if flags & ~7 or offset < 0 or size < 0:
        raise EINVAL
    kind = file.inode.mode & S_IFMT
    if kind not in (S_IFREG, S_IFDIR, S_IFBLK):
        raise ESPIPE
    if file.has_storage:
        file.sync(True)
    return 0
