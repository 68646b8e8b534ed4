"""eventfd(2): a 64-bit counter to wait on."""

from runsc_py.sentry.errors import EAGAIN, EINVAL
from runsc_py.sentry.fs.anonymous import anonymous_inode_path
from runsc_py.sentry.kernel.waiting import POLLIN, POLLOUT, POLLRDNORM, POLLWRNORM
from runsc_py.sentry.vfs.open_file import O_NONBLOCK, O_RDWR, OpenFile

TYPE_CHECKING = False
if TYPE_CHECKING:
    from runsc_py.sentry.kernel.task import Task
    from runsc_py.sentry.vfs.path import Path

#: the counter never passes this; the next value up is what write(2) refuses
MAXIMUM = 0xFFFFFFFFFFFFFFFE


class EventFile(OpenFile):
    """The counter."""

    __slots__ = ("count", "identifier", "semaphore")

    def __init__(
        self, path: "Path", flags: int, count: int, semaphore: bool, identifier: int = 0
    ) -> None:
        super().__init__(path, flags)
        #: tells eventfds apart in fdinfo
        self.identifier = identifier
        self.count = count
        self.semaphore = semaphore

    def read(self, size: int) -> bytes:
        if size < 8:
            raise EINVAL
        if self.count == 0:
            raise EAGAIN
        value = 1 if self.semaphore else self.count
        self.count -= value
        self.wait_queue.notify(POLLOUT | POLLWRNORM)
        return value.to_bytes(8, "little")

    def write(self, data: bytes) -> int:
        if len(data) < 8:
            raise EINVAL
        value = int.from_bytes(data[:8], "little")
        if value > MAXIMUM:
            raise EINVAL
        if self.count + value > MAXIMUM:
            raise EAGAIN
        self.count += value
        self.wait_queue.notify(POLLIN | POLLRDNORM)
        return 8

    def seek(self, offset: int, whence: int) -> int:
        return 0  # there is no offset, yet asking for one is no error

    def descriptor_information(self) -> bytes:
        return b"eventfd-count: %16x\neventfd-id: %d\neventfd-semaphore: %d\n" % (
            self.count,
            self.identifier,
            self.semaphore,
        )

    def poll(self) -> int:
        events = 0
        if self.count:
            events |= POLLIN | POLLRDNORM
        if self.count < MAXIMUM:
            events |= POLLOUT | POLLWRNORM
        return events


def make_event_file(task: "Task", count: int, flags: int, semaphore: bool) -> EventFile:
    """`flags` is O_NONBLOCK or 0."""
    path = anonymous_inode_path(task, b"[eventfd]")
    kernel = task.kernel
    identifier = kernel.event_files
    kernel.event_files += 1
    return EventFile(path, O_RDWR | flags & O_NONBLOCK, count, semaphore, identifier)
