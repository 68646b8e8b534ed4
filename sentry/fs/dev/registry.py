"""Which device numbers exist, and what opening one gives.

A device node can lie in any file system; all of them come here to open it
(`kernel.devices.open`).  Only devices that the sentry itself answers for are registered: a
node of the host's devices opens nothing.
"""

from collections.abc import Callable

from runsc_py.sentry.errors import ENXIO
from runsc_py.sentry.vfs.attributes import make_device

TYPE_CHECKING = False
if TYPE_CHECKING:
    from runsc_py.sentry.kernel.task import Task
    from runsc_py.sentry.vfs.inode import Inode
    from runsc_py.sentry.vfs.open_file import OpenFile
    from runsc_py.sentry.vfs.path import Path

#: (task, path, flags, device) to a new open file description
Opener = Callable[["Task", "Path", int, int], "OpenFile"]

# Linux's Documentation/admin-guide/devices.txt
NULL = make_device(1, 3)
ZERO = make_device(1, 5)
FULL = make_device(1, 7)
RANDOM = make_device(1, 8)
URANDOM = make_device(1, 9)
TTY = make_device(5, 0)
CONSOLE = make_device(5, 1)
PTMX = make_device(5, 2)
#: major number of pseudo-terminal slaves; the minor is the index
PTS_MAJOR = 136


class DeviceRegistry:
    """Character devices by number.  There are no block devices."""

    __slots__ = ("characters", "slave_opener")

    def __init__(self) -> None:
        self.characters: dict[int, Opener] = {}
        #: opens any device of PTS_MAJOR
        self.slave_opener: Opener | None = None

    def register(self, device: int, opener: Opener) -> None:
        """Make a character device known."""
        self.characters[device] = opener

    def open(
        self, task: "Task", path: "Path", inode: "Inode", device: int, is_block: bool, flags: int
    ) -> "OpenFile":
        """Open a device node.  Errors: ENXIO when there is no such device."""
        if is_block:
            raise ENXIO
        opener = self.characters.get(device)
        if opener is None and device >> 8 & 0xFFF == PTS_MAJOR:
            opener = self.slave_opener
        if opener is None:
            raise ENXIO
        return opener(task, path, flags, device)


def standard_devices() -> DeviceRegistry:
    """The devices every sandbox has: mem(4), null(4), random(4), tty(4), pts(4)."""
    registry = DeviceRegistry()
    for device in (NULL, ZERO, FULL, RANDOM, URANDOM):
        registry.register(device, _open_memory)
    for device in (TTY, CONSOLE, PTMX):
        registry.register(device, _open_terminal)
    registry.slave_opener = _open_terminal
    return registry


def _open_memory(task: "Task", path: "Path", flags: int, device: int) -> "OpenFile":
    from runsc_py.sentry.fs.dev import memory

    return memory.open_device(task, path, flags, device)


def _open_terminal(task: "Task", path: "Path", flags: int, device: int) -> "OpenFile":
    from runsc_py.sentry.fs.devpts import opening

    return opening.open_device(task, path, flags, device)
