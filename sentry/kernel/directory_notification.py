"""Directory notification: F_NOTIFY of fcntl(2), which inotify(7) has replaced.

A watch like those of inotify, of which each event becomes a signal to the owner of the open
directory.  It ends with the descriptor, or (without DN_MULTISHOT) with its first event.
"""

from runsc_py.sentry.abi.inotify import (
    IN_ACCESS,
    IN_ATTRIB,
    IN_CREATE,
    IN_DELETE,
    IN_MODIFY,
    IN_MOVED_FROM,
    IN_MOVED_TO,
)
from runsc_py.sentry.errors import ENOTDIR
from runsc_py.sentry.kernel.file_owner import POLLMSG, ensure_owner
from runsc_py.sentry.vfs.notification import MOVED_WITHIN, add_watch, remove_watch

TYPE_CHECKING = False
if TYPE_CHECKING:
    from runsc_py.sentry.kernel.fd_table import FdTable
    from runsc_py.sentry.kernel.task import Task
    from runsc_py.sentry.vfs.open_file import OpenFile

DN_MULTISHOT = 0x80000000
#: DN_ACCESS, DN_MODIFY, DN_CREATE, DN_DELETE, DN_RENAME, DN_ATTRIB
_EVENTS = (
    (0x01, IN_ACCESS),
    (0x02, IN_MODIFY),
    (0x04, IN_CREATE | IN_MOVED_TO),
    (0x08, IN_DELETE | IN_MOVED_FROM),
    (0x10, MOVED_WITHIN),
    (0x20, IN_ATTRIB),
)


class DirectoryNotification:
    """What one process asked of one open directory."""

    __slots__ = ("events", "file", "key", "multishot")

    def __init__(self, file: "OpenFile", table: "FdTable", mask: int) -> None:
        self.file = file
        self.key = (file, table)
        self.events = 0
        self.multishot = False
        self.widen(mask)

    def widen(self, mask: int) -> None:
        """Ask for more: a further F_NOTIFY adds to what was asked before."""
        for bit, events in _EVENTS:
            if mask & bit:
                self.events |= events
        self.multishot = self.multishot or bool(mask & DN_MULTISHOT)

    def notify(self, mask: int, cookie: int, name: bytes, unlinked: bool) -> None:
        """Something happened in the directory (vfs/notification.py)."""
        if not mask & self.events:
            return
        if not self.multishot:
            self.remove()
        if self.file.owner is not None:
            self.file.owner.wake(POLLMSG)

    def inode_is_gone(self) -> None:
        """The directory was removed."""
        self.remove()

    def remove(self) -> None:
        """End it."""
        remove_watch(self.file.inode, self.key)


def set_notification(task: "Task", descriptor: int, file: "OpenFile", mask: int) -> None:
    """F_NOTIFY; no events at all end it.  Errors: ENOTDIR."""
    inode = file.inode
    existing = None if inode.watches is None else inode.watches.get((file, task.files))
    if not mask & ~DN_MULTISHOT:
        if isinstance(existing, DirectoryNotification):
            existing.remove()
        return
    if not inode.is_directory:
        raise ENOTDIR
    ensure_owner(task, descriptor, file)
    if isinstance(existing, DirectoryNotification):
        existing.widen(mask)
        return
    watch = DirectoryNotification(file, task.files, mask)
    add_watch(inode, watch.key, watch)


def end_notification(file: "OpenFile", table: "FdTable") -> None:
    """A descriptor of the directory was closed."""
    watches = file.inode.watches
    watch = None if watches is None else watches.get((file, table))
    if isinstance(watch, DirectoryNotification):
        watch.remove()
