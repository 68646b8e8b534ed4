"""name_to_handle_at(2), open_by_handle_at(2): files by a number instead of a name.

A handle holds the inode number; the file system remembers the dentries that handles were given
for, the last `REMEMBERED` of them, and an older handle is stale.
"""

from runsc_py.sentry.abi.files import AT_EMPTY_PATH, AT_FDCWD, AT_SYMLINK_FOLLOW, FILE_HANDLE
from runsc_py.sentry.auth.capabilities import CAP_DAC_READ_SEARCH
from runsc_py.sentry.errors import EINVAL, EOPNOTSUPP, EOVERFLOW, EPERM, ESTALE
from runsc_py.sentry.kernel.task import Task
from runsc_py.sentry.syscalls.opening import checked_flags, install
from runsc_py.sentry.syscalls.places import place_at
from runsc_py.sentry.syscalls.table import syscall
from runsc_py.sentry.syscalls.types import (
    Address,
    AtFlags,
    DirectoryFd,
    OpenFlags,
    OutInt,
    PathAddress,
)
from runsc_py.sentry.vfs.opening import open_path
from runsc_py.sentry.vfs.path import Path

#: dentries that one file system keeps for handles
REMEMBERED = 1024

_MAX_HANDLE_SIZE = 128
_HANDLE_TYPE = 1
_HANDLE_SIZE = 8
#: a handle that need not be good for opening: they all are
_AT_HANDLE_FID = 0x200
_AT_HANDLE_MNT_ID_UNIQUE = 0x001
#: a handle that remembers the directory: no file system has such ones
_AT_HANDLE_CONNECTABLE = 0x002


@syscall(303, "name_to_handle_at")
def name_to_handle_at(
    task: Task,
    directory: DirectoryFd,
    path: PathAddress,
    handle: Address,
    mount_identifier: OutInt,
    flags: AtFlags,
) -> int:
    """name_to_handle_at(2)"""
    if flags & _AT_HANDLE_CONNECTABLE:
        raise EINVAL if flags & _AT_HANDLE_FID else EOPNOTSUPP
    known = AT_SYMLINK_FOLLOW | AT_EMPTY_PATH | _AT_HANDLE_FID | _AT_HANDLE_MNT_ID_UNIQUE
    if flags & ~known:
        raise EINVAL
    place = place_at(task, directory, path, flags, follow=bool(flags & AT_SYMLINK_FOLLOW))
    room, _ = FILE_HANDLE.unpack(task.memory.copy_in(handle, FILE_HANDLE.size))
    if room > _MAX_HANDLE_SIZE:
        raise EINVAL
    mount = place.mount
    is_unique = bool(flags & _AT_HANDLE_MNT_ID_UNIQUE)
    identifier = mount.unique_identifier if is_unique else mount.identifier
    size = 8 if is_unique else 4
    if room < _HANDLE_SIZE:
        task.memory.copy_out(handle, FILE_HANDLE.pack(_HANDLE_SIZE, _HANDLE_TYPE))
        task.memory.copy_out(mount_identifier, identifier.to_bytes(size, "little"))
        raise EOVERFLOW
    handles = place.inode.filesystem.handles
    number = place.inode.number & (1 << 64) - 1
    handles.pop(number, None)
    handles[number] = place.dentry
    if len(handles) > REMEMBERED:
        del handles[next(iter(handles))]
    data = FILE_HANDLE.pack(_HANDLE_SIZE, _HANDLE_TYPE) + number.to_bytes(_HANDLE_SIZE, "little")
    task.memory.copy_out(handle, data)
    task.memory.copy_out(mount_identifier, identifier.to_bytes(size, "little"))
    return 0


@syscall(304, "open_by_handle_at")
def open_by_handle_at(task: Task, directory: DirectoryFd, handle: Address, flags: OpenFlags) -> int:
    """open_by_handle_at(2)"""
    if not task.credentials.has_capability(CAP_DAC_READ_SEARCH):
        raise EPERM
    size, kind = FILE_HANDLE.unpack(task.memory.copy_in(handle, FILE_HANDLE.size))
    if not 0 < size <= _MAX_HANDLE_SIZE:
        raise EINVAL
    data = task.memory.copy_in(handle + FILE_HANDLE.size, size)
    if directory == AT_FDCWD:
        mount = task.file_context.working_directory.mount
    else:
        mount = task.files.get(directory).path.mount
    number = int.from_bytes(data[:_HANDLE_SIZE], "little")
    dentry = mount.filesystem.handles.get(number)
    if kind != _HANDLE_TYPE or size != _HANDLE_SIZE or dentry is None or dentry.inode is None:
        raise ESTALE
    flags = checked_flags(flags)
    return install(task, open_path(task, Path(mount, dentry), flags), flags)
