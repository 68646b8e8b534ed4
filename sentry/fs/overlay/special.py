"""Overlay inodes without bytes: symbolic links, FIFOs, sockets, device nodes."""

from runsc_py.sentry.errors import ENOENT
from runsc_py.sentry.fs.overlay.node import OverlayInode
from runsc_py.sentry.fs.special_files import open_special_file
from runsc_py.sentry.vfs.attributes import Attributes
from runsc_py.sentry.vfs.inode import Inode

TYPE_CHECKING = False
if TYPE_CHECKING:
    from runsc_py.sentry.kernel.task import Task
    from runsc_py.sentry.vfs.open_file import OpenFile
    from runsc_py.sentry.vfs.path import Path


class OverlaySpecial(OverlayInode):
    """A symbolic link or a special file."""

    __slots__ = ()

    def copy_to(self, directory: Inode | None, name: bytes, attributes: Attributes) -> Inode:
        if directory is None:
            raise ENOENT
        if self.is_symlink:
            target = self.lowers[0].read_link()
            return directory.make_symlink(name, target, attributes.uid, attributes.gid)
        return directory.make_node(
            name, attributes.mode, attributes.special_device, attributes.uid, attributes.gid
        )

    def read_link(self) -> bytes:
        return self.real.read_link()

    def connect_socket(self, socket_type: int) -> int:
        return self.real.connect_socket(socket_type)

    def follow_link(self, task: "Task") -> "bytes | Path":
        return self.real.follow_link(task)

    def open(self, task: "Task", path: "Path", flags: int) -> "OpenFile":
        if self.is_symlink:
            return super().open(task, path, flags)
        return open_special_file(task, path, self.real.get_attributes().special_device, flags)
