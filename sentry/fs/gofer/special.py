"""Files of the gofer without content: symbolic links, FIFOs, sockets, device nodes.

A FIFO of the host is a name for a pipe of the sandbox, and a device node for a device of the
sandbox: neither is ever opened on the host.  A socket can be connected to where the mount allows
it.
"""

from runsc_py.gofer.protocol import Attributes as HostAttributes
from runsc_py.sentry.errors import ECONNREFUSED, EPERM
from runsc_py.sentry.fs.gofer.node import GoferInode
from runsc_py.sentry.fs.special_files import open_special_file

TYPE_CHECKING = False
if TYPE_CHECKING:
    from runsc_py.sentry.fs.gofer.filesystem import GoferFileSystem
    from runsc_py.sentry.kernel.task import Task
    from runsc_py.sentry.vfs.open_file import OpenFile
    from runsc_py.sentry.vfs.path import Path


class GoferSymlink(GoferInode):
    """symlink(7).  The target of an inode never changes, so it is asked for once."""

    __slots__ = ("_target",)

    def __init__(self, gofer: "GoferFileSystem", node: int, attributes: HostAttributes) -> None:
        super().__init__(gofer, node, attributes)
        self._target: bytes | None = None

    def read_link(self) -> bytes:
        if self._target is None:
            self._target = self.gofer.ask(self.gofer.client.readlink, self.node)
        return self._target


class GoferSpecial(GoferInode):
    """A FIFO, a socket or a device node."""

    __slots__ = ()

    def open(self, task: "Task", path: "Path", flags: int) -> "OpenFile":
        return open_special_file(task, path, self.get_attributes().special_device, flags)

    def connect_socket(self, socket_type: int) -> int:
        try:
            return self.gofer.ask(self.gofer.client.connect, self.node, socket_type)
        except EPERM:
            raise ECONNREFUSED from None  # as a file that nobody listens at
