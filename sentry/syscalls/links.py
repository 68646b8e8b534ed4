"""Names: link(2), symlink(2), readlink(2), unlink(2), rename(2), mknod(2) and their relatives."""

from runsc_py.sentry.abi.files import (
    AT_EMPTY_PATH,
    AT_FDCWD,
    AT_REMOVEDIR,
    AT_SYMLINK_FOLLOW,
)
from runsc_py.sentry.auth.capabilities import CAP_DAC_READ_SEARCH
from runsc_py.sentry.errors import EINVAL, ENOENT
from runsc_py.sentry.kernel.task import Task
from runsc_py.sentry.syscalls.places import place_at, start_of
from runsc_py.sentry.syscalls.table import syscall
from runsc_py.sentry.syscalls.types import (
    AtFlags,
    Device,
    DirectoryFd,
    FileMode,
    Int,
    OutBuffer,
    PathAddress,
    RenameFlags,
)
from runsc_py.sentry.vfs.operations import (
    make_link,
    make_node,
    make_symlink,
    remove_directory,
    unlink,
)
from runsc_py.sentry.vfs.renaming import rename
from runsc_py.sentry.vfs.walk import walk

# -- hard links ---------------------------------------------------------------------


@syscall(86, "link")
def link(task: Task, old: PathAddress, new: PathAddress) -> int:
    """link(2)"""
    return _link(task, AT_FDCWD, old, AT_FDCWD, new, 0)


@syscall(265, "linkat")
def linkat(
    task: Task,
    old_directory: DirectoryFd,
    old: PathAddress,
    new_directory: DirectoryFd,
    new: PathAddress,
    flags: AtFlags,
) -> int:
    """linkat(2)"""
    if flags & ~(AT_SYMLINK_FOLLOW | AT_EMPTY_PATH):
        raise EINVAL
    if flags & AT_EMPTY_PATH and not task.credentials.has_capability(CAP_DAC_READ_SEARCH):
        raise ENOENT
    return _link(task, old_directory, old, new_directory, new, flags)


def _link(
    task: Task, old_directory: int, old: int, new_directory: int, new: int, flags: int
) -> int:
    follow = bool(flags & AT_SYMLINK_FOLLOW)
    source = place_at(task, old_directory, old, flags, follow=follow)
    name = task.memory.copy_in_string(new)
    make_link(task, source, name, start_of(task, new_directory, name))
    return 0


# -- symbolic links -------------------------------------------------------------------


@syscall(88, "symlink")
def symlink(task: Task, target: PathAddress, path: PathAddress) -> int:
    """symlink(2)"""
    return _symlink(task, target, AT_FDCWD, path)


@syscall(266, "symlinkat")
def symlinkat(task: Task, target: PathAddress, directory: DirectoryFd, path: PathAddress) -> int:
    """symlinkat(2)"""
    return _symlink(task, target, directory, path)


def _symlink(task: Task, target: int, directory: int, path: int) -> int:
    text = task.memory.copy_in_string(target)
    if not text:
        raise ENOENT
    name = task.memory.copy_in_string(path)
    make_symlink(task, text, name, start_of(task, directory, name))
    return 0


@syscall(89, "readlink")
def readlink(task: Task, path: PathAddress, buffer: OutBuffer, size: Int) -> int:
    """readlink(2)"""
    return _read_link(task, AT_FDCWD, path, buffer, size)


@syscall(267, "readlinkat")
def readlinkat(
    task: Task, directory: DirectoryFd, path: PathAddress, buffer: OutBuffer, size: Int
) -> int:
    """readlinkat(2): an empty path is the link that the descriptor (O_PATH) refers to."""
    return _read_link(task, directory, path, buffer, size)


def _read_link(task: Task, directory: int, path: int, buffer: int, size: int) -> int:
    if size <= 0:
        raise EINVAL
    name = task.memory.copy_in_string(path)
    start = start_of(task, directory, name)
    if name:
        place = walk(task, name, start, follow=False)
    elif start is None or not start.inode.is_symlink:
        raise ENOENT
    else:
        place = start
    target = place.inode.read_link()[:size]
    task.memory.copy_out(buffer, target)
    return len(target)


# -- removing -----------------------------------------------------------------------


@syscall(87, "unlink")
def unlink_(task: Task, path: PathAddress) -> int:
    """unlink(2)"""
    unlink(task, task.memory.copy_in_string(path))
    return 0


@syscall(263, "unlinkat")
def unlinkat(task: Task, directory: DirectoryFd, path: PathAddress, flags: AtFlags) -> int:
    """unlinkat(2)"""
    if flags & ~AT_REMOVEDIR:
        raise EINVAL
    name = task.memory.copy_in_string(path)
    remove = remove_directory if flags & AT_REMOVEDIR else unlink
    remove(task, name, start_of(task, directory, name))
    return 0


# -- renaming -----------------------------------------------------------------------


@syscall(82, "rename")
def rename_(task: Task, old: PathAddress, new: PathAddress) -> int:
    """rename(2)"""
    return _rename(task, AT_FDCWD, old, AT_FDCWD, new, 0)


@syscall(264, "renameat")
def renameat(
    task: Task,
    old_directory: DirectoryFd,
    old: PathAddress,
    new_directory: DirectoryFd,
    new: PathAddress,
) -> int:
    """renameat(2)"""
    return _rename(task, old_directory, old, new_directory, new, 0)


@syscall(316, "renameat2")
def renameat2(
    task: Task,
    old_directory: DirectoryFd,
    old: PathAddress,
    new_directory: DirectoryFd,
    new: PathAddress,
    flags: RenameFlags,
) -> int:
    """renameat2(2)"""
    return _rename(task, old_directory, old, new_directory, new, flags)


def _rename(
    task: Task, old_directory: int, old: int, new_directory: int, new: int, flags: int
) -> int:
    old_name = task.memory.copy_in_string(old)
    new_name = task.memory.copy_in_string(new)
    old_start = start_of(task, old_directory, old_name)
    new_start = start_of(task, new_directory, new_name)
    rename(task, old_name, new_name, old_start, new_start, flags)
    return 0


# -- nodes ----------------------------------------------------------------------------


@syscall(133, "mknod")
def mknod(task: Task, path: PathAddress, mode: FileMode, device: Device) -> int:
    """mknod(2)"""
    make_node(task, task.memory.copy_in_string(path), mode, device & 0xFFFFFFFF)
    return 0


@syscall(259, "mknodat")
def mknodat(
    task: Task, directory: DirectoryFd, path: PathAddress, mode: FileMode, device: Device
) -> int:
    """mknodat(2)"""
    name = task.memory.copy_in_string(path)
    make_node(task, name, mode, device & 0xFFFFFFFF, start_of(task, directory, name))
    return 0
