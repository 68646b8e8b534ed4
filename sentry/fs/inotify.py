"""inotify(7): an instance with its watches and its queue of events.

A watch holds its place, which keeps the dentry and so the inode remembered.  Events come from
`vfs/notification.py`.
"""

from runsc_py.sentry.abi.inotify import (
    IN_ALL_EVENTS,
    IN_DELETE_SELF,
    IN_EXCL_UNLINK,
    IN_IGNORED,
    IN_ISDIR,
    IN_MASK_ADD,
    IN_MASK_CREATE,
    IN_MOVE_SELF,
    IN_ONESHOT,
    IN_Q_OVERFLOW,
    IN_UNMOUNT,
    INOTIFY_EVENT,
)
from runsc_py.sentry.abi.ioctl import FIONREAD, INT
from runsc_py.sentry.errors import EAGAIN, EEXIST, EINVAL, ENOSPC, ENOTTY
from runsc_py.sentry.fs.anonymous import anonymous_inode_path
from runsc_py.sentry.kernel.waiting import POLLIN, POLLRDNORM
from runsc_py.sentry.vfs.notification import Watches
from runsc_py.sentry.vfs.open_file import O_NONBLOCK, O_RDONLY, OpenFile

TYPE_CHECKING = False
if TYPE_CHECKING:
    from runsc_py.sentry.kernel.task import Task
    from runsc_py.sentry.vfs.path import Path

#: /proc/sys/fs/inotify: events in one queue, watches of one instance
MAXIMUM_QUEUED_EVENTS = 16384
MAXIMUM_WATCHES = 65536

_KEPT_FLAGS = IN_ALL_EVENTS | IN_UNMOUNT | IN_EXCL_UNLINK | IN_ONESHOT

#: (watch descriptor, mask, cookie, name)
Event = tuple[int, int, int, bytes]


class InotifyWatch:
    """One watched place of one instance."""

    __slots__ = ("descriptor", "instance", "mask", "path")

    def __init__(self, instance: "InotifyFile", descriptor: int, path: "Path", mask: int) -> None:
        self.instance = instance
        self.descriptor = descriptor
        self.path = path
        self.mask = mask

    def notify(self, mask: int, cookie: int, name: bytes, unlinked: bool) -> None:
        """An event of the inode, or of an entry of it (vfs/notification.py)."""
        if not mask & self.mask & IN_ALL_EVENTS:
            return
        if unlinked and self.mask & IN_EXCL_UNLINK:
            return
        if mask & (IN_DELETE_SELF | IN_MOVE_SELF):
            mask &= ~IN_ISDIR
        self.instance.queue((self.descriptor, mask, cookie, name))
        if self.mask & IN_ONESHOT:
            self.instance.remove(self)

    def inode_is_gone(self) -> None:
        """The inode was removed: the watch ends with IN_IGNORED."""
        self.instance.remove(self)


class InotifyFile(OpenFile):
    """An inotify instance."""

    __slots__ = ("_last_descriptor", "events", "watches")

    def __init__(self, path: "Path", flags: int) -> None:
        super().__init__(path, flags)
        self.events: list[Event] = []
        #: by watch descriptor
        self.watches: dict[int, InotifyWatch] = {}
        self._last_descriptor = 0

    # -- watches ----------------------------------------------------------------------

    def add(self, path: "Path", mask: int) -> int:
        """Watch a place, or change the mask of what is watched already; the watch descriptor.

        Errors: EEXIST (IN_MASK_CREATE), ENOSPC.
        """
        inode = path.inode
        watches = inode.watches
        existing = None if watches is None else watches.get(self)
        if isinstance(existing, InotifyWatch):
            if mask & IN_MASK_CREATE:
                raise EEXIST
            kept = mask & _KEPT_FLAGS
            existing.mask = existing.mask | kept if mask & IN_MASK_ADD else kept
            return existing.descriptor
        if len(self.watches) >= MAXIMUM_WATCHES:
            raise ENOSPC
        self._last_descriptor += 1
        watch = InotifyWatch(self, self._last_descriptor, path, mask & _KEPT_FLAGS)
        self.watches[watch.descriptor] = watch
        if inode.watches is None:
            inode.watches = Watches()
        inode.watches[self] = watch
        inode.filesystem.watches += 1
        return watch.descriptor

    def remove(self, watch: InotifyWatch) -> None:
        """End a watch; IN_IGNORED tells of it."""
        if self.watches.pop(watch.descriptor, None) is not None:
            self._detach(watch)
            self.queue((watch.descriptor, IN_IGNORED, 0, b""))

    def _detach(self, watch: InotifyWatch) -> None:
        inode = watch.path.inode
        if inode.watches is not None:
            inode.watches.pop(self, None)
            if not inode.watches:
                inode.watches = None
        inode.filesystem.watches -= 1

    # -- events -------------------------------------------------------------------------

    def queue(self, event: Event) -> None:
        """Append an event, unless it says the same as the last one."""
        events = self.events
        if events and events[-1] == event:
            return
        if len(events) >= MAXIMUM_QUEUED_EVENTS:
            overflow = (-1, IN_Q_OVERFLOW, 0, b"")
            if events[-1] != overflow:
                events.append(overflow)
            return
        events.append(event)
        self.wait_queue.notify(POLLIN | POLLRDNORM)

    def read(self, size: int) -> bytes:
        if not self.events:
            raise EAGAIN
        parts: list[bytes] = []
        room = size
        for event in self.events:
            part = _packed(event)
            if len(part) > room:
                break
            parts.append(part)
            room -= len(part)
        if not parts:
            raise EINVAL
        del self.events[: len(parts)]
        return b"".join(parts)

    def poll(self) -> int:
        return POLLIN | POLLRDNORM if self.events else 0

    def ioctl(self, task: "Task", request: int, argument: int) -> int:
        if request != FIONREAD:
            raise ENOTTY
        size = sum(len(_packed(event)) for event in self.events)
        task.memory.copy_out(argument, INT.pack(size))
        return 0

    def descriptor_information(self) -> bytes:
        """The watches, as /proc/PID/fdinfo shows them (proc_pid_fdinfo(5)); no file handles."""
        lines = []
        for watch in self.watches.values():
            inode = watch.path.inode
            numbers = watch.descriptor, inode.number, inode.filesystem.device, watch.mask
            lines.append(b"inotify wd:%x ino:%x sdev:%x mask:%x ignored_mask:0\n" % numbers)
        return b"".join(lines)

    def release(self) -> None:
        for watch in self.watches.values():
            self._detach(watch)
        self.watches.clear()


def _packed(event: Event) -> bytes:
    """An event as read(2) gives it."""
    descriptor, mask, cookie, name = event
    unit = INOTIFY_EVENT.size
    length = (len(name) // unit + 1) * unit if name else 0
    return INOTIFY_EVENT.pack(descriptor, mask, cookie, length) + name.ljust(length, b"\0")


def make_inotify_file(task: "Task", flags: int) -> InotifyFile:
    """A new instance; `flags` is O_NONBLOCK or 0."""
    path = anonymous_inode_path(task, b"inotify")
    return InotifyFile(path, O_RDONLY | flags & O_NONBLOCK)
