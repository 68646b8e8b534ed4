"""tmpfs inodes without content of their own: symbolic links, FIFOs, sockets, device nodes."""

from runsc_py.sentry.fs.special_files import open_special_file
from runsc_py.sentry.fs.tmpfs.node import TmpfsInode
from runsc_py.sentry.vfs.attributes import S_IFLNK

TYPE_CHECKING = False
if TYPE_CHECKING:
    from runsc_py.sentry.fs.tmpfs.filesystem import Tmpfs
    from runsc_py.sentry.kernel.task import Task
    from runsc_py.sentry.vfs.open_file import OpenFile
    from runsc_py.sentry.vfs.path import Path


class TmpfsSymlink(TmpfsInode):
    """symlink(7)."""

    __slots__ = ("target",)

    def __init__(self, tmpfs: "Tmpfs", target: bytes, uid: int, gid: int) -> None:
        super().__init__(tmpfs, S_IFLNK | 0o777, uid, gid)
        self.target = target

    def size(self) -> int:
        return len(self.target)

    def read_link(self) -> bytes:
        return self.target


class TmpfsSpecial(TmpfsInode):
    """A FIFO, a socket or a device node: a name for an object that lives elsewhere."""

    __slots__ = ("_device",)

    def __init__(self, tmpfs: "Tmpfs", mode: int, device: int, uid: int, gid: int) -> None:
        super().__init__(tmpfs, mode, uid, gid)
        self._device = device

    def special_device(self) -> int:
        return self._device

    def open(self, task: "Task", path: "Path", flags: int) -> "OpenFile":
        return open_special_file(task, path, self._device, flags)
