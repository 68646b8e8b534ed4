"""epoll(7): a set of files to wait on.

An `EpollItem` stands in the wait queue of its file for as long as the interest lasts.  When it is
woken it joins the ready list of its `EpollFile`; who waits there asks each file of that list, and
only those, whether it is ready still.  Level-triggered items stay in the list until they are
found not to be; edge-triggered ones leave it when they are reported.

An item holds no reference of its file: the last close ends the interest (`OpenFile.drop`).
"""

from runsc_py.sentry.abi.events import EPOLLET, EPOLLEXCLUSIVE, EPOLLONESHOT, EPOLLWAKEUP
from runsc_py.sentry.errors import EEXIST, EINVAL, ELOOP, ENOENT, EPERM
from runsc_py.sentry.fs.anonymous import anonymous_inode_path
from runsc_py.sentry.kernel.waiting import (
    EXCLUSIVE,
    POLLERR,
    POLLHUP,
    POLLIN,
    POLLOUT,
    POLLRDNORM,
)
from runsc_py.sentry.vfs.open_file import O_RDWR, OpenFile

TYPE_CHECKING = False
if TYPE_CHECKING:
    from runsc_py.sentry.kernel.task import Task
    from runsc_py.sentry.vfs.path import Path

_MODES = EPOLLEXCLUSIVE | EPOLLWAKEUP | EPOLLONESHOT | EPOLLET
#: reported whether asked for or not
_ALWAYS = POLLERR | POLLHUP
_EXCLUSIVE_MAY_HAVE = POLLIN | POLLOUT | POLLERR | POLLHUP | EPOLLWAKEUP | EPOLLET | EPOLLEXCLUSIVE
_READY = POLLIN | POLLRDNORM
#: how many epoll files may watch each other in a row (Linux's EP_MAX_NESTS counts the steps: 4)
MAXIMUM_DEPTH = 5


class EpollItem:
    """The interest in one file, under one descriptor."""

    __slots__ = ("data", "disabled", "epoll", "events", "fd", "file")

    def __init__(self, epoll: "EpollFile", file: OpenFile, fd: int, events: int, data: int) -> None:
        self.epoll = epoll
        self.file = file
        self.fd = fd
        #: EPOLL* bits, modes included
        self.events = events
        #: epoll_data_t, opaque
        self.data = data
        #: EPOLLONESHOT has fired
        self.disabled = False

    def wake(self, events: int) -> bool:
        """The file's wait queue was notified (Waiter protocol); whether that wakes anybody."""
        if self.disabled or not events & (self.events | _ALWAYS):
            return False
        epoll = self.epoll
        epoll.ready[self] = None
        # Who was woken before and has not run yet is none to leave this event to.
        wakes = any(
            not getattr(waiter, "woken_by_queue", False) for waiter in epoll.wait_queue.waiters
        )
        epoll.wait_queue.notify(_READY)
        return wakes

    def current_events(self) -> int:
        """What of the wanted holds now."""
        if self.disabled:
            return 0
        return self.file.poll() & (self.events | _ALWAYS) & ~_MODES

    def shown_events(self) -> int:
        """What it is interested in, as fdinfo has it."""
        return self.events & _MODES if self.disabled else self.events | _ALWAYS

    def watch(self) -> None:
        """Stand in the file's queue for the events wanted now; join the ready list if they hold."""
        interest = (self.events | _ALWAYS) & ~_MODES
        self.file.wait_queue.remove(self)
        if self.events & EPOLLEXCLUSIVE:
            interest |= EXCLUSIVE
        self.file.wait_queue.add(self, interest)
        if self.current_events():
            self.wake(self.events | _ALWAYS)

    def remove(self) -> None:
        """End the interest."""
        self.file.wait_queue.remove(self)
        if self.file.epoll_items is not None:
            self.file.epoll_items.remove(self)
        self.epoll.ready.pop(self, None)
        del self.epoll.items[self.fd, self.file]


class EpollFile(OpenFile):
    """An epoll instance."""

    __slots__ = ("items", "ready")

    def __init__(self, path: "Path") -> None:
        super().__init__(path, O_RDWR)
        self.items: dict[tuple[int, OpenFile], EpollItem] = {}
        #: items to ask, in the order they became ready
        self.ready: dict[EpollItem, None] = {}

    def ioctl(self, task: "Task", request: int, argument: int) -> int:
        raise EINVAL

    # -- epoll_ctl(2) --------------------------------------------------------------

    def add(self, fd: int, file: OpenFile, events: int, data: int) -> None:
        """EPOLL_CTL_ADD.  Errors: EEXIST, EINVAL, ELOOP."""
        if events & EPOLLEXCLUSIVE and (
            events & ~_EXCLUSIVE_MAY_HAVE or isinstance(file, EpollFile)
        ):
            raise EINVAL
        if isinstance(file, EpollFile):
            self._check_nesting(file)
        if (fd, file) in self.items:
            raise EEXIST
        item = EpollItem(self, file, fd, events, data)
        self.items[fd, file] = item
        if file.epoll_items is None:
            file.epoll_items = []
        file.epoll_items.append(item)
        item.watch()

    def modify(self, fd: int, file: OpenFile, events: int, data: int) -> None:
        """EPOLL_CTL_MOD; also arms a EPOLLONESHOT item again.  Errors: EINVAL, ENOENT."""
        if events & EPOLLEXCLUSIVE:
            raise EINVAL
        item = self._find(fd, file)
        if item.events & EPOLLEXCLUSIVE:
            raise EINVAL
        item.events = events
        item.data = data
        item.disabled = False
        item.watch()

    def delete(self, fd: int, file: OpenFile) -> None:
        """EPOLL_CTL_DEL.  Errors: ENOENT."""
        self._find(fd, file).remove()

    def _find(self, fd: int, file: OpenFile) -> EpollItem:
        item = self.items.get((fd, file))
        if item is None:
            raise ENOENT
        return item

    def _check_nesting(self, inner: "EpollFile") -> None:
        """Errors: ELOOP when `inner` watches this one, or the chain would be too long."""
        if inner.depth_below(self) + self._depth_above() > MAXIMUM_DEPTH:
            raise ELOOP

    def depth_below(self, forbidden: "EpollFile") -> int:
        """How many epoll files follow each other from here down.  Errors: ELOOP."""
        if self is forbidden:
            raise ELOOP
        inner = [file for _, file in self.items if isinstance(file, EpollFile)]
        return 1 + max((epoll.depth_below(forbidden) for epoll in inner), default=0)

    def _depth_above(self) -> int:
        outer = [item.epoll for item in self.epoll_items or ()]
        return 1 + max((epoll._depth_above() for epoll in outer), default=0)

    # -- epoll_wait(2) ---------------------------------------------------------------

    def collect(self, maximum: int) -> list[tuple[EpollItem, int]]:
        """Up to `maximum` ready items with their events.  Items that are reported settle."""
        ready = self.ready
        result: list[tuple[EpollItem, int]] = []
        for item in tuple(ready):
            if len(result) == maximum:
                break
            # Taken out before it is asked: level-triggered ones go to the end, so that
            # none starves behind the first `maximum`.
            ready.pop(item, None)
            events = item.current_events()
            if not events:
                continue
            result.append((item, events))
            if item.events & EPOLLONESHOT:
                item.disabled = True
            elif not item.events & EPOLLET:
                ready[item] = None
        return result

    def put_back(self, collected: list[tuple[EpollItem, int]]) -> None:
        """The caller could not take what it collected (EFAULT)."""
        for item, _ in collected:
            item.disabled = False
            self.ready[item] = None

    # -- the open file ----------------------------------------------------------------

    def seek(self, offset: int, whence: int) -> int:
        return 0  # there is no offset, yet asking for one is no error

    def poll(self) -> int:
        for item in tuple(self.ready):
            if item.current_events():
                return _READY
            del self.ready[item]
        return 0

    def descriptor_information(self) -> bytes:
        lines = []
        for (fd, file), item in self.items.items():
            attributes = file.inode.get_attributes()
            lines.append(
                b"tfd: %8d events: %8x data: %16x  pos:%d ino:%x sdev:%x\n"
                % (fd, item.shown_events(), item.data, file.position, attributes.inode,
                   attributes.device)
            )  # fmt: skip
        return b"".join(lines)

    def release(self) -> None:
        for item in tuple(self.items.values()):
            item.remove()


def check_pollable(file: OpenFile) -> None:
    """Plain files and directories are always ready; epoll refuses them.  Errors: EPERM."""
    if type(file).poll is OpenFile.poll:
        raise EPERM


def make_epoll_file(task: "Task") -> EpollFile:
    """epoll_create(2)."""
    return EpollFile(anonymous_inode_path(task, b"[eventpoll]"))
