"""Directories: mkdir(2), rmdir(2), getdents(2), getcwd(2), chdir(2), chroot(2)."""

from collections.abc import Callable

from runsc_py.sentry.abi.files import (
    AT_FDCWD,
    LINUX_DIRENT,
    LINUX_DIRENT64,
)
from runsc_py.sentry.abi.inotify import IN_ACCESS
from runsc_py.sentry.auth.capabilities import CAP_SYS_CHROOT
from runsc_py.sentry.errors import EINVAL, ENOENT, ENOTDIR, EPERM, ERANGE
from runsc_py.sentry.kernel.task import Task
from runsc_py.sentry.syscalls.places import place_at, start_of
from runsc_py.sentry.syscalls.table import syscall
from runsc_py.sentry.syscalls.types import (
    DirectoryFd,
    Fd,
    LongMode,
    Mode,
    OutDirectoryEntries,
    OutString,
    PathAddress,
    Size,
    UnsignedInt,
)
from runsc_py.sentry.vfs.naming import working_directory_name
from runsc_py.sentry.vfs.notification import notify_path
from runsc_py.sentry.vfs.open_file import DirectoryEntry, OpenFile
from runsc_py.sentry.vfs.operations import make_directory, remove_directory
from runsc_py.sentry.vfs.path import Path
from runsc_py.sentry.vfs.permissions import MAY_EXECUTE, check

_ALIGNMENT = 8


@syscall(83, "mkdir")
def mkdir(task: Task, path: PathAddress, mode: Mode) -> int:
    """mkdir(2)"""
    make_directory(task, task.memory.copy_in_string(path), mode)
    return 0


@syscall(258, "mkdirat")
def mkdirat(task: Task, directory: DirectoryFd, path: PathAddress, mode: Mode) -> int:
    """mkdirat(2)"""
    name = task.memory.copy_in_string(path)
    make_directory(task, name, mode, start_of(task, directory, name))
    return 0


@syscall(84, "rmdir")
def rmdir(task: Task, path: PathAddress) -> int:
    """rmdir(2)"""
    remove_directory(task, task.memory.copy_in_string(path))
    return 0


# -- reading --------------------------------------------------------------------------


@syscall(217, "getdents64")
def getdents64(task: Task, fd: Fd, buffer: OutDirectoryEntries, count: UnsignedInt) -> int:
    """getdents64(2)"""
    return _put_entries(task, task.files.get_io(fd), buffer, count, _entry64)


@syscall(78, "getdents")
def getdents(task: Task, fd: Fd, buffer: OutDirectoryEntries, count: UnsignedInt) -> int:
    """getdents(2)"""
    return _put_entries(task, task.files.get_io(fd), buffer, count, _entry32)


def _entry64(entry: DirectoryEntry) -> bytes:
    head = LINUX_DIRENT64.size
    size = (head + len(entry.name) + _ALIGNMENT) & -_ALIGNMENT
    packed = LINUX_DIRENT64.pack(entry.inode, entry.next_offset, size, entry.kind)
    return packed + entry.name.ljust(size - head, b"\0")


def _entry32(entry: DirectoryEntry) -> bytes:
    """The older form: the type is in the last byte."""
    head = LINUX_DIRENT.size
    size = (head + len(entry.name) + 1 + _ALIGNMENT) & -_ALIGNMENT
    packed = LINUX_DIRENT.pack(entry.inode, entry.next_offset, size)
    return packed + entry.name.ljust(size - head - 1, b"\0") + bytes((entry.kind,))


def _put_entries(
    task: Task, file: OpenFile, address: int, room: int, pack: Callable[[DirectoryEntry], bytes]
) -> int:
    """Fill the buffer with whole entries.  Errors: EINVAL (not one fits), ENOENT (removed)."""
    entries = file.directory_entries(task)
    if file.path.dentry.unlinked:
        raise ENOENT
    parts: list[bytes] = []
    size = 0
    position = file.position
    for entry in entries:
        part = pack(entry)
        if size + len(part) > room:
            if not parts:
                raise EINVAL
            break
        parts.append(part)
        size += len(part)
        position = entry.next_offset
    if parts:
        task.memory.copy_out(address, b"".join(parts))
    file.position = position
    notify_path(file.path, IN_ACCESS)
    return size


# -- working and root directory ----------------------------------------------------------


@syscall(79, "getcwd")
def getcwd(task: Task, buffer: OutString, size: Size) -> int:
    """getcwd(2) of the kernel: the result counts the NUL."""
    context = task.file_context
    name = working_directory_name(context.working_directory, context.root) + b"\0"
    if len(name) > size:
        raise ERANGE
    task.memory.copy_out(buffer, name)
    return len(name)


@syscall(80, "chdir")
def chdir(task: Task, path: PathAddress) -> int:
    """chdir(2)"""
    place = place_at(task, AT_FDCWD, path, 0, follow=True)
    _check_directory(task, place)
    task.file_context.working_directory = place
    return 0


@syscall(81, "fchdir")
def fchdir(task: Task, fd: Fd) -> int:
    """fchdir(2)"""
    place = task.files.get(fd).path
    _check_directory(task, place)
    task.file_context.working_directory = place
    return 0


@syscall(161, "chroot")
def chroot(task: Task, path: PathAddress) -> int:
    """chroot(2)"""
    place = place_at(task, AT_FDCWD, path, 0, follow=True)
    _check_directory(task, place)
    credentials = task.credentials
    if not credentials.has_capability(CAP_SYS_CHROOT, credentials.user_namespace):
        raise EPERM
    task.file_context.root = place
    return 0


def _check_directory(task: Task, place: Path) -> None:
    if not place.inode.is_directory:
        raise ENOTDIR
    check(task.credentials, place.inode, MAY_EXECUTE)


@syscall(95, "umask")
def umask(task: Task, mask: LongMode) -> int:
    """umask(2)"""
    context = task.file_context
    before = context.umask
    context.umask = mask & 0o777
    return before
