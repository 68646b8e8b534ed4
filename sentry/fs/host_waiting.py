"""A wait queue that stands for a host descriptor.

It is registered with the host's event watcher only while somebody waits, and only for what the
waiters wait for: a terminal is nearly always writable, and whoever waits for input must not
be woken for that.
"""

from runsc_py.sentry.abi.events import EPOLLET
from runsc_py.sentry.kernel.waiting import (
    ANY_EVENT,
    POLLIN,
    POLLOUT,
    POLLPRI,
    POLLRDBAND,
    POLLRDHUP,
    POLLRDNORM,
    POLLWRBAND,
    POLLWRNORM,
    Waiter,
    WaitQueue,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from runsc_py.sentry.kernel.kernel import Kernel


class HostWaitQueue(WaitQueue):
    """Waiters for the readiness of `descriptor`."""

    __slots__ = ("descriptor", "kernel", "watched")

    def __init__(self, kernel: "Kernel", descriptor: int) -> None:
        super().__init__()
        self.kernel = kernel
        self.descriptor = descriptor
        #: the host events registered now; 0 when nothing is
        self.watched = 0

    def add(self, waiter: Waiter, events: int = ANY_EVENT) -> None:
        super().add(waiter, events)
        self._update()

    def remove(self, waiter: Waiter) -> None:
        super().remove(waiter)
        self._update()

    def _update(self) -> None:
        interest = 0
        for events in self.waiters.values():
            interest |= events
        wanted = interest & (POLLPRI | POLLRDHUP)
        if interest & (POLLIN | POLLRDNORM | POLLRDBAND):
            wanted |= POLLIN
        if interest & (POLLOUT | POLLWRNORM | POLLWRBAND):
            wanted |= POLLOUT
        if wanted == self.watched:
            return
        if self.watched:
            self.kernel.events.unwatch(self.descriptor, self)
        if wanted:
            # Edge-triggered: an epoll item of the guest waits for as long as it exists, and
            # what it does not read must not keep the run loop awake.
            self.kernel.events.watch(self.descriptor, wanted | EPOLLET, self)
        self.watched = wanted

    def close(self) -> None:
        """The descriptor is about to be closed."""
        if self.watched:
            self.kernel.events.unwatch(self.descriptor, self)
            self.watched = 0
