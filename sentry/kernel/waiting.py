"""How a task blocks: wait queues, deadlines, and the await that a signal interrupts.

A blocked task is a coroutine that has yielded itself to the run loop.  It comes back when a
queue it stands in is notified, when its deadline passes, or when a signal interrupts it.
Wake-ups may be spurious: every caller checks its condition again, in a loop.

Nothing here knows what is waited for; `kernel/run_loop.py` resumes what is made ready here.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Coroutine, Generator, Iterable

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Protocol, TypeVar

    from runsc_py.sentry.kernel.task import Task
    from runsc_py.sentry.syscalls.table import Restart

    T = TypeVar("T")
else:
    Protocol = object  # the real one is for type checkers, and slow to import

# Event bits, as poll(2).
POLLIN = 0x001
POLLPRI = 0x002
POLLOUT = 0x004
POLLERR = 0x008
POLLHUP = 0x010
POLLNVAL = 0x020
POLLRDNORM = 0x040
POLLRDBAND = 0x080
POLLWRNORM = 0x100
POLLWRBAND = 0x200
POLLRDHUP = 0x2000

#: what comes in makes these, and room for what goes out of a socket
DATA = POLLIN | POLLRDNORM
SPACE = POLLOUT | POLLWRNORM | POLLWRBAND
READABLE = POLLIN | POLLRDNORM | POLLHUP | POLLERR | POLLRDHUP | POLLPRI
WRITABLE = POLLOUT | POLLWRNORM | POLLHUP | POLLERR
ANY_EVENT = 0xFFFFFFFF
#: with the events of a waiter: of such ones a notification wakes one only (EPOLLEXCLUSIVE)
EXCLUSIVE = 1 << 32


class Interrupted(Exception):
    """A signal ended an interruptible wait.

    What signal(7) does with the call is a property of its table entry, unless `restart` says it.
    """

    def __init__(self, restart: Restart | None = None) -> None:
        super().__init__()
        self.restart = restart


class MustWait(Exception):
    """Raised by a plain handler whose call has to wait after all: `rest` is the rest of it.

    For calls like ioctl(2), of which nearly all end at once.
    """

    def __init__(self, rest: Coroutine[Any, Any, int]) -> None:
        super().__init__()
        self.rest = rest


class Waiter(Protocol):
    """Somebody in a wait queue: a blocked task, an epoll item, a signal-driven descriptor."""

    def wake(self, events: int) -> object:
        """Some of the awaited `events` happened.  Must not block and must not raise.

        An exclusive waiter returns whether somebody takes care of it.
        """


class WaitQueue:
    """Waiters with the events each one is interested in.

    `on_first` and `on_empty` let a queue that stands for a host descriptor be registered
    with the host only while somebody waits.
    """

    __slots__ = ("on_empty", "on_first", "waiters")

    def __init__(
        self,
        on_first: Callable[[], None] | None = None,
        on_empty: Callable[[], None] | None = None,
    ) -> None:
        self.waiters: dict[Waiter, int] = {}
        self.on_first = on_first
        self.on_empty = on_empty

    def add(self, waiter: Waiter, events: int = ANY_EVENT) -> None:
        """Add, or widen the events of, a waiter."""
        first = not self.waiters
        self.waiters[waiter] = self.waiters.get(waiter, 0) | events
        if first and self.on_first is not None:
            self.on_first()

    def remove(self, waiter: Waiter) -> None:
        """Remove a waiter; unknown ones are ignored."""
        known = self.waiters.pop(waiter, None) is not None
        if known and not self.waiters and self.on_empty is not None:
            self.on_empty()

    def notify(self, events: int = ANY_EVENT) -> None:
        """Wake every waiter interested in any of `events`; of exclusive ones, one.

        Without events it is an end, which concerns everybody.
        """
        if self.waiters:
            taken = False
            for waiter, interest in list(self.waiters.items()):
                if interest & events:
                    if interest < EXCLUSIVE or events == ANY_EVENT:
                        waiter.wake(events)
                    elif not taken:
                        taken = bool(waiter.wake(events))

    def notify_one(self, events: int = ANY_EVENT) -> None:
        """Wake the waiter that has stood here longest and is interested."""
        for waiter, interest in self.waiters.items():
            if interest & events:
                waiter.wake(events)
                return


class _Park:
    """The one awaitable of the kernel: hands control to the run loop until `Task.wake`."""

    __slots__ = ()

    def __await__(self) -> Generator[None, None, None]:
        yield


_PARK: Awaitable[None] = _Park()


async def wait(
    task: Task,
    queues: Iterable[tuple[WaitQueue, int]],
    deadline: int | None = None,
    *,
    interruptible: bool = True,
) -> bool:
    """Block until a queue is notified (True) or `deadline` passes (False).

    `deadline` is in nanoseconds of the host's CLOCK_MONOTONIC.  Wake-ups can be spurious.
    Raises Interrupted when an unblocked signal is pending, also at once.
    A task that is being killed is interrupted even where `interruptible` is False.
    """
    if task.must_interrupt(interruptible):
        raise Interrupted
    queues = tuple(queues)
    timer = None
    for queue, events in queues:
        queue.add(task, events)
    if deadline is not None:
        timer = task.kernel.timers.at(deadline, task.wake_by_timer)
    task.start_wait(interruptible)
    try:
        await _PARK
    finally:
        task.end_wait()
        for queue, _ in queues:
            queue.remove(task)
        if timer is not None:
            timer.cancel()
    if task.woken_by_queue:
        return True
    if task.must_interrupt(interruptible):
        raise Interrupted
    return not task.woken_by_timeout


async def wait_until(
    task: Task,
    condition: Callable[[], T | None],
    queues: Iterable[tuple[WaitQueue, int]],
    deadline: int | None = None,
) -> T | None:
    """Wait until `condition()` is not None and return it; None when the deadline passed."""
    queues = tuple(queues)
    while (value := condition()) is None:
        if not await wait(task, queues, deadline):
            return condition()
    return value
