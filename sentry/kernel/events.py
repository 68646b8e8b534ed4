"""What the host tells the sentry: readiness of host descriptors, deadlines, signals.

One epoll descriptor gathers everything.  The platform watches it while guest code runs; when
none runs, the run loop waits here directly.
"""

import os
import select
import signal
from collections.abc import Callable
from types import FrameType

from runsc_py.sentry.kernel.clock import Clock
from runsc_py.sentry.kernel.timers import NEVER, Timers
from runsc_py.sentry.kernel.waiting import WaitQueue

#: signals that end or concern the sandbox; SIGALRM is the deadline's
SECOND = 1_000_000_000
#: a day: the host refuses waits of centuries, for which a guest may well ask
LONGEST_WAIT = 86400 * SECOND


class HostEvents:
    """The host's side of waiting."""

    def __init__(self, clock: Clock, timers: Timers) -> None:
        self._clock = clock
        self._timers = timers
        self._epoll = select.epoll()
        #: by descriptor: its queues with the events each waits for
        self._watched: dict[int, dict[WaitQueue, int]] = {}
        #: when the host will wake us; NEVER when it will not
        self.armed = NEVER
        # A signal handler of Python writes its number here, so that no signal is lost between
        # a check and a wait.
        self._signal_reader, self._signal_writer = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
        self._epoll.register(self._signal_reader, select.EPOLLIN)
        self._signal_handlers: dict[int, Callable[[int], None]] = {}
        self._previous: dict[int, signal.Handlers | Callable[..., object] | int | None] = {}
        self._previous_wakeup = signal.set_wakeup_fd(self._signal_writer, warn_on_full_buffer=False)
        self._previous[signal.SIGALRM] = signal.signal(signal.SIGALRM, _noted)
        # Whoever started us may have blocked it.
        signal.pthread_sigmask(signal.SIG_UNBLOCK, (signal.SIGALRM,))

    @property
    def descriptor(self) -> int:
        """For Platform.watch."""
        return self._epoll.fileno()

    def on_signal(self, number: int, handler: Callable[[int], None]) -> None:
        """Call `handler` from the run loop when the sandbox itself gets this host signal."""
        self._signal_handlers[number] = handler
        self._previous[number] = signal.signal(number, _noted)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, (number,))

    # -- descriptors -------------------------------------------------------------------

    def watch(self, fd: int, events: int, queue: WaitQueue) -> None:
        """Notify `queue` while any of `events` (poll bits) holds for a host descriptor."""
        queues = self._watched.get(fd)
        if queues is None:
            self._watched[fd] = {queue: events}
            try:
                self._epoll.register(fd, events)
            except PermissionError:
                # Plain files cannot be polled and are always ready.
                del self._watched[fd]
                queue.notify(events)
        else:
            queues[queue] = queues.get(queue, 0) | events
            self._epoll.modify(fd, _union(queues))

    def unwatch(self, fd: int, queue: WaitQueue) -> None:
        """Stop; unknown ones are ignored."""
        queues = self._watched.get(fd)
        if queues is None or queues.pop(queue, None) is None:
            return
        if queues:
            self._epoll.modify(fd, _union(queues))
        else:
            del self._watched[fd]
            self._epoll.unregister(fd)

    # -- the run loop's ------------------------------------------------------------------

    def arm(self) -> None:
        """Have the host wake us at the next deadline while guest code runs."""
        deadline = self._timers.next_deadline()
        if deadline is None or self.armed <= deadline:
            return
        now = self._clock.monotonic()
        # What is set is what fires: after a wait that was cut short, the rest is armed anew.
        self.armed = min(deadline, now + LONGEST_WAIT)
        signal.setitimer(signal.ITIMER_REAL, max((self.armed - now) / SECOND, 0.000001))

    def _seconds_until(self, deadline: int) -> float:
        """How long epoll is to wait; to wake before the deadline does no harm."""
        return min(max(0, deadline - self._clock.monotonic()), LONGEST_WAIT) / SECOND

    def poll(self, block: bool) -> None:
        """Dispatch what has happened; with `block`, wait for something first."""
        timeout = 0.0
        if block:
            deadline = self._timers.next_deadline()
            timeout = -1.0 if deadline is None else self._seconds_until(deadline)
        for fd, events in self._epoll.poll(timeout):
            if fd == self._signal_reader:
                self._take_signals()
                continue
            for queue, interest in list(self._watched.get(fd, {}).items()):
                if events & (interest | select.EPOLLHUP | select.EPOLLERR):
                    queue.notify(events)
        now = self._clock.monotonic()
        if self.armed <= now:
            self.armed = NEVER
        self._timers.run_due(now)

    def _take_signals(self) -> None:
        for number in os.read(self._signal_reader, 4096):
            handler = self._signal_handlers.get(number)
            if handler is not None:
                handler(number)

    def close(self) -> None:
        """Give the host's signals and descriptors back."""
        signal.setitimer(signal.ITIMER_REAL, 0)
        for number, previous in self._previous.items():
            signal.signal(number, previous)
        signal.set_wakeup_fd(self._previous_wakeup)
        # Whoever still waits is closed later, and then stops watching: there is nothing left to.
        self._watched.clear()
        self._epoll.close()
        os.close(self._signal_reader)
        os.close(self._signal_writer)


def _union(queues: dict[WaitQueue, int]) -> int:
    result = 0
    for events in queues.values():
        result |= events
    return result


def _noted(number: int, frame: FrameType | None) -> None:
    """Python has written the number to the pipe; there is nothing else to do here."""
