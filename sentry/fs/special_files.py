"""Opening of what is no regular file, directory or link: FIFOs, device nodes, sockets.

Every file system that keeps such names (tmpfs, overlay, gofer) opens them here.  The inode of
the path is the object's identity: the two ends of a FIFO meet because they opened the same one.
"""

from runsc_py.sentry.errors import EACCES, ENXIO
from runsc_py.sentry.vfs.attributes import S_IFBLK, S_IFCHR, S_IFIFO, S_IFMT

TYPE_CHECKING = False
if TYPE_CHECKING:
    from runsc_py.sentry.kernel.task import Task
    from runsc_py.sentry.vfs.open_file import OpenFile
    from runsc_py.sentry.vfs.path import Path


def open_special_file(task: "Task", path: "Path", special_device: int, flags: int) -> "OpenFile":
    """open(2) of a FIFO or a device; a socket cannot be opened.

    Errors: ENXIO (a socket, no such device), EACCES (a device on a nodev mount).
    """
    inode = path.inode
    kind = inode.mode & S_IFMT
    if kind == S_IFIFO:
        from runsc_py.sentry.fs.pipe import open_fifo

        return open_fifo(task, path, flags)
    if kind in (S_IFCHR, S_IFBLK):
        if path.mount.denies_devices:
            raise EACCES
        return task.kernel.devices.open(task, path, inode, special_device, kind == S_IFBLK, flags)
    raise ENXIO
