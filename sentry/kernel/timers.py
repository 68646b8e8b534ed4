"""Things to do at a time: the kernel's timer queue.

The run loop asks `next_deadline` how long it may sleep and calls `run_due` when it wakes.
Callbacks must not block; most of them make a task ready or queue a signal.
"""

import heapq
from collections.abc import Callable

#: later than every deadline
NEVER = 1 << 64


class TimerHandle:
    """A callback that will run at `deadline` unless it is cancelled."""

    __slots__ = ("_timers", "callback", "deadline")

    def __init__(self, timers: "Timers", deadline: int, callback: Callable[[], None]) -> None:
        self._timers = timers
        self.deadline = deadline
        #: None once it has run or was cancelled
        self.callback: Callable[[], None] | None = callback

    def cancel(self) -> None:
        """The callback will not run; harmless when it already has."""
        if self.callback is not None:
            self.callback = None
            self._timers.forget_one()


class Timers:
    """A heap of deadlines, nanoseconds of CLOCK_MONOTONIC.

    Cancelled entries stay in the heap until they come up or outnumber the others: most waits
    with a timeout end before it, so cancelling has to be cheap.
    """

    __slots__ = ("_cancelled", "_heap", "_order", "earliest")

    _COMPACT_ABOVE = 64

    def __init__(self) -> None:
        self._heap: list[tuple[int, int, TimerHandle]] = []
        self._cancelled = 0
        #: breaks ties in the order of arming
        self._order = 0
        #: nothing is due before this; the run loop looks at it at every system call
        self.earliest = NEVER

    def __len__(self) -> int:
        return len(self._heap) - self._cancelled

    def at(self, deadline: int, callback: Callable[[], None]) -> TimerHandle:
        """Have `callback` called once the monotonic clock reaches `deadline`."""
        handle = TimerHandle(self, deadline, callback)
        self._order += 1
        heapq.heappush(self._heap, (deadline, self._order, handle))
        if deadline < self.earliest:
            self.earliest = deadline
        return handle

    def forget_one(self) -> None:
        """An entry was cancelled; rebuild the heap when most of it is such."""
        self._cancelled += 1
        if self._cancelled > self._COMPACT_ABOVE and self._cancelled * 2 > len(self._heap):
            self._heap = [entry for entry in self._heap if entry[2].callback is not None]
            heapq.heapify(self._heap)
            self._cancelled = 0

    def next_deadline(self) -> int | None:
        """When the next callback is due; None when nothing is armed."""
        heap = self._heap
        while heap and heap[0][2].callback is None:
            heapq.heappop(heap)
            self._cancelled -= 1
        self.earliest = heap[0][0] if heap else NEVER
        return heap[0][0] if heap else None

    def run_due(self, now: int) -> None:
        """Call what is due at `now`, earliest first; what is armed meanwhile waits its turn."""
        last = self._order
        while (deadline := self.next_deadline()) is not None and deadline <= now:
            if self._heap[0][1] > last:
                return
            handle = heapq.heappop(self._heap)[2]
            callback = handle.callback
            assert callback is not None
            handle.callback = None
            callback()
