"""A program that the host gave by descriptor: no name inside leads to it.

It stays as long as a process runs it: /proc/PID/exe can be opened, and `exec /proc/self/exe` works.
"""

import os
from stat import S_ISREG

from runsc_py.sentry.errors import EACCES, EINVAL
from runsc_py.sentry.fs.host_stdio import HostInode, ReopenedHostFile
from runsc_py.sentry.vfs.open_file import O_ACCMODE, O_PATH, O_RDONLY, O_WRONLY, OpenFile
from runsc_py.sentry.vfs.path import Path

TYPE_CHECKING = False
if TYPE_CHECKING:
    from runsc_py.sentry.kernel.kernel import Kernel
    from runsc_py.sentry.kernel.task import Task


class HostExecutable(HostInode):
    """A regular file of the host, read-only.  It owns `descriptor` and closes it when it dies."""

    __slots__ = ()

    def drop_user(self) -> None:
        self.users -= 1

    def open(self, task: "Task", path: Path, flags: int) -> OpenFile:
        if flags & O_ACCMODE != O_RDONLY:
            raise EACCES
        return ReopenedHostFile(path, flags, self)

    def __del__(self) -> None:
        self.wait_queue.close()
        os.close(self.descriptor)


def open_host_executable(
    kernel: "Kernel", descriptor: int, name: bytes, owner: tuple[int, int]
) -> OpenFile:
    """A program by descriptor, which belongs to it from then on; it is called `name` inside.

    /proc/PID/exe shows it below the root, as Linux does with a memfd that is executed: the C
    library wants an absolute name there.
    """
    inode = HostExecutable(kernel.anonymous_mount.filesystem, descriptor)
    inode.owner = owner
    return ReopenedHostFile(kernel.anonymous_path(inode, b"/" + name), O_RDONLY, inode)


def check_host_executable(descriptor: int) -> None:
    """Whether a descriptor can be a program.  Errors: EINVAL, those of fstat(2)."""
    import fcntl

    flags = fcntl.fcntl(descriptor, fcntl.F_GETFL)
    readable = not flags & O_PATH and flags & O_ACCMODE != O_WRONLY
    if not S_ISREG(os.fstat(descriptor).st_mode) or not readable:
        raise EINVAL
