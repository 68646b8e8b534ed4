"""inotify(7): an instance with its watches and its queue of events.

A watch holds its dentry, which keeps the inode remembered, but no mount: it ends when the file
system is unmounted.  Events come from `vfs/notification.py`.
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
from runsc_py.sentry.auth.user_counts import charge_one
from runsc_py.sentry.errors import EAGAIN, EEXIST, EINVAL, EMFILE, ENOSPC, ENOTTY
from runsc_py.sentry.fs.anonymous import anonymous_inode_path
from runsc_py.sentry.kernel.waiting import POLLIN, POLLRDNORM
from runsc_py.sentry.vfs.notification import add_watch, remove_watch
from runsc_py.sentry.vfs.open_file import O_NONBLOCK, O_RDONLY, OpenFile

TYPE_CHECKING = False
if TYPE_CHECKING:
    from runsc_py.sentry.auth.user_counts import Charge
    from runsc_py.sentry.kernel.task import Task
    from runsc_py.sentry.vfs.path import Dentry, Path

_KEPT_FLAGS = IN_ALL_EVENTS | IN_UNMOUNT | IN_EXCL_UNLINK | IN_ONESHOT

#: (watch descriptor, mask, cookie, name)
Event = tuple[int, int, int, bytes]


class InotifyWatch:
    """One watched place of one instance."""

    __slots__ = ("charge", "dentry", "descriptor", "instance", "mask")

    def __init__(
        self,
        instance: "InotifyFile",
        descriptor: int,
        dentry: "Dentry",
        mask: int,
        charge: "Charge",
    ) -> None:
        self.instance = instance
        self.descriptor = descriptor
        self.dentry = dentry
        self.mask = mask
        #: what it counts for the maker of the instance
        self.charge = charge

    def notify(self, mask: int, cookie: int, name: bytes, unlinked: bool) -> None:
        """An event of the inode, or of an entry of it (vfs/notification.py)."""
        if not mask & (self.mask & IN_ALL_EVENTS | IN_UNMOUNT):
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

    __slots__ = (
        "_account",
        "_charge",
        "_last_descriptor",
        "_maximum_events",
        "events",
        "watches",
    )

    def __init__(self, task: "Task", path: "Path", flags: int) -> None:
        """Errors: EMFILE."""
        super().__init__(path, flags)
        self._account = task.credentials.user_namespace, task.credentials.euid
        try:
            self._charge = charge_one(*self._account, "inotify_instances")
        except ENOSPC:
            raise EMFILE from None
        self._maximum_events = task.kernel.file_settings.max_queued_events
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
        charge = charge_one(*self._account, "inotify_watches")
        self._last_descriptor += 1
        watch = InotifyWatch(self, self._last_descriptor, path.dentry, mask & _KEPT_FLAGS, charge)
        self.watches[watch.descriptor] = watch
        add_watch(inode, self, watch)
        return watch.descriptor

    def remove(self, watch: InotifyWatch) -> None:
        """End a watch; IN_IGNORED tells of it."""
        if self.watches.pop(watch.descriptor, None) is not None:
            remove_watch(watch.dentry.existing, self)
            self.queue((watch.descriptor, IN_IGNORED, 0, b""))

    # -- events -------------------------------------------------------------------------

    def queue(self, event: Event) -> None:
        """Append an event, unless it says the same as the last one."""
        events = self.events
        if events and events[-1] == event:
            return
        if len(events) >= self._maximum_events:
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
            inode = watch.dentry.existing
            numbers = watch.descriptor, inode.number, inode.filesystem.device, watch.mask
            lines.append(b"inotify wd:%x ino:%x sdev:%x mask:%x ignored_mask:0\n" % numbers)
        return b"".join(lines)

    def seek(self, offset: int, whence: int) -> int:
        return 0  # there is no offset, yet asking for one is no error

    def release(self) -> None:
        for watch in self.watches.values():
            remove_watch(watch.dentry.existing, self)
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
    return InotifyFile(task, path, O_RDONLY | flags & O_NONBLOCK)
