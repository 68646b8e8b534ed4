"""memfd_create(2): regular files without a name, in memory.

As in Linux they are files of a tmpfs that is mounted nowhere.  The host's memfd behind one is made
with the same flags, so the host keeps the seals and enforces them, on mappings too, which only it
knows.
"""

import fcntl
import os

from runsc_py.sentry.errors import EINVAL, EPERM
from runsc_py.sentry.fs.anonymous import anonymous_file_system
from runsc_py.sentry.fs.tmpfs.filesystem import Tmpfs
from runsc_py.sentry.fs.tmpfs.regular import F_GET_SEALS, TmpfsFile, TmpfsRegular
from runsc_py.sentry.vfs.attributes import AttributeChange
from runsc_py.sentry.vfs.mount import Mount
from runsc_py.sentry.vfs.open_file import O_LARGEFILE, O_RDWR, OpenFile
from runsc_py.sentry.vfs.path import Dentry, Path

TYPE_CHECKING = False
if TYPE_CHECKING:
    from runsc_py.sentry.kernel.task import Task

MFD_CLOEXEC = 0x01
MFD_ALLOW_SEALING = 0x02
MFD_NOEXEC_SEAL = 0x08
MFD_EXEC = 0x10
_FLAGS = MFD_CLOEXEC | MFD_ALLOW_SEALING | MFD_NOEXEC_SEAL | MFD_EXEC

F_SEAL_EXEC = 0x20

#: longest name, bytes
MAXIMUM_NAME = 249

_EXECUTE_BITS = 0o111


class MemoryFile(TmpfsRegular):
    """The inode of a memfd."""

    __slots__ = ()

    def set_attributes(self, change: AttributeChange) -> None:
        mode = change.mode
        executable_changes = mode is not None and (mode ^ self.mode) & _EXECUTE_BITS
        if executable_changes and fcntl.fcntl(self.descriptor, F_GET_SEALS) & F_SEAL_EXEC:
            raise EPERM
        super().set_attributes(change)


class FirstFile(TmpfsFile):
    """What memfd_create(2) opens: unlike one opened later, it lets the file be executed."""

    __slots__ = ()

    is_counted_writer = False


def make_memory_file(task: "Task", name: bytes, flags: int) -> OpenFile:
    """A new memfd, open for reading and writing.

    Errors: EINVAL (flags, a name that is too long), and those of the host's memfd_create(2).
    """
    if flags & ~_FLAGS or flags & MFD_EXEC and flags & MFD_NOEXEC_SEAL:
        raise EINVAL
    if len(name) > MAXIMUM_NAME:
        raise EINVAL
    mount = _memory_mount(task)
    filesystem = mount.filesystem
    assert isinstance(filesystem, Tmpfs)
    descriptor = os.memfd_create("memfd", flags & ~MFD_EXEC | MFD_CLOEXEC)
    mode = 0o666 if flags & MFD_NOEXEC_SEAL else 0o777
    credentials = task.credentials
    inode = MemoryFile(filesystem, mode, credentials.fsuid, credentials.fsgid, descriptor)
    inode.links = 0
    path = Path(mount, Dentry(b"/memfd:%b (deleted)" % name, None, inode))
    return FirstFile(path, O_RDWR | O_LARGEFILE, inode)


def _memory_mount(task: "Task") -> Mount:
    """The tmpfs of all memfds of a container (Linux's shm_mnt), made for the first one."""
    kernel, container = task.kernel, task.thread_group.container
    holder = container if container is not None else anonymous_file_system(kernel)
    if holder.memory_mount is None:
        filesystem = Tmpfs(kernel, size=0, inodes=0)
        filesystem.container = container
        holder.memory_mount = Mount(0, filesystem, Dentry(b"", None, filesystem.root), 0)
    return holder.memory_mount
