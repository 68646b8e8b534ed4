"""Asynchronous I/O contexts (io_setup(2)): operations on their way and events not yet fetched.

A context belongs to an address space.  Reads and writes are done when they are submitted, as Linux
does for most files; only polls stay on their way.
"""

from contextlib import suppress

from runsc_py.sentry.errors import EAGAIN
from runsc_py.sentry.kernel.waiting import POLLERR, POLLHUP, WaitQueue

TYPE_CHECKING = False
if TYPE_CHECKING:
    from runsc_py.sentry.vfs.open_file import OpenFile

#: (aio_data, address of the iocb, result)
Event = tuple[int, int, int]


class AioContext:
    """What one aio_context_t stands for."""

    __slots__ = ("events", "limit", "polls", "wait_queue")

    def __init__(self, limit: int) -> None:
        #: operations and unfetched events that there may be
        self.limit = limit
        self.events: list[Event] = []
        #: polls on their way, by the address of their iocb
        self.polls: dict[int, AioPoll] = {}
        #: notified when an event comes
        self.wait_queue = WaitQueue()

    @property
    def is_full(self) -> bool:
        return len(self.events) + len(self.polls) >= self.limit

    def complete(self, event: Event, told: "OpenFile | None") -> None:
        """An operation is done; `told` is the eventfd that counts it (IOCB_FLAG_RESFD)."""
        self.events.append(event)
        self.wait_queue.notify()
        if told is not None:
            with suppress(EAGAIN):  # the counter is at its maximum and stays there
                told.write((1).to_bytes(8, "little"))

    def release(self) -> None:
        """The context is destroyed: polls end without an event, waiters look again."""
        for poll in list(self.polls.values()):
            poll.end()
        self.wait_queue.notify()


class AioPoll:
    """IOCB_CMD_POLL: waits for the file, once."""

    __slots__ = ("address", "context", "data", "events", "file", "told")

    def __init__(
        self,
        context: AioContext,
        file: "OpenFile",
        events: int,
        identity: tuple[int, int],
        told: "OpenFile | None",
    ) -> None:
        self.context = context
        self.file = file.acquire()
        self.events = events | POLLERR | POLLHUP
        self.data, self.address = identity
        self.told = told.acquire() if told is not None else None
        context.polls[self.address] = self
        file.wait_queue.add(self, self.events)

    def wake(self, events: int) -> None:
        """The file may be ready (Waiter protocol).

        As on Linux, all of what happened is told then, and what was asked for when it held already.
        """
        happened = self.file.poll() & events
        if happened & self.events:
            self._complete(happened)

    def start(self) -> None:
        """Look whether the file is ready at once."""
        ready = self.file.poll() & self.events
        if ready:
            self._complete(ready)

    def _complete(self, result: int) -> None:
        self.context.complete((self.data, self.address, result), self.told)
        self.end()

    def end(self) -> None:
        """Nobody waits any more."""
        del self.context.polls[self.address]
        self.file.wait_queue.remove(self)
        self.file.drop()
        if self.told is not None:
            self.told.drop()
