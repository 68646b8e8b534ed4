"""timerfd_create(2): a timer to wait on.

Only the next expiration is kept; how many have passed is worked out when somebody asks, so
a timer with a short interval that nobody reads costs nothing.
"""

from runsc_py.sentry.errors import EAGAIN, EINVAL
from runsc_py.sentry.fs.anonymous import anonymous_inode_path
from runsc_py.sentry.kernel.waiting import POLLIN, POLLRDNORM
from runsc_py.sentry.vfs.open_file import O_NONBLOCK, O_RDWR, OpenFile

TYPE_CHECKING = False
if TYPE_CHECKING:
    from runsc_py.sentry.kernel.clock import Clock
    from runsc_py.sentry.kernel.task import Task
    from runsc_py.sentry.kernel.timers import TimerHandle, Timers
    from runsc_py.sentry.vfs.path import Path

_READY = POLLIN | POLLRDNORM
SECOND = 1_000_000_000


class TimerFile(OpenFile):
    """The timer.  All times are nanoseconds."""

    __slots__ = (
        "clock",
        "clock_identifier",
        "deadline",
        "handle",
        "interval",
        "settime_flags",
        "timers",
    )

    def __init__(
        self, path: "Path", flags: int, clock: "Clock", timers: "Timers", clock_identifier: int
    ) -> None:
        super().__init__(path, flags)
        self.clock = clock
        self.timers = timers
        #: CLOCK_* that the guest's absolute times are of
        self.clock_identifier = clock_identifier
        #: CLOCK_MONOTONIC time of the first expiration that was not read; None: disarmed
        self.deadline: int | None = None
        #: 0 for a timer that expires once
        self.interval = 0
        self.handle: TimerHandle | None = None
        #: TFD_* of the last timerfd_settime(2)
        self.settime_flags = 0

    def expirations(self) -> int:
        """How often it has expired since the last read."""
        if self.deadline is None:
            return 0
        late = self.clock.monotonic() - self.deadline
        if late < 0:
            return 0
        return 1 + (late // self.interval if self.interval else 0)

    def setting(self) -> tuple[int, int]:
        """timerfd_gettime(2): (time until the next expiration or 0, interval)."""
        if self.deadline is None:
            return 0, self.interval
        remaining = self.deadline - self.clock.monotonic()
        if remaining <= 0:
            remaining = self.interval - (-remaining % self.interval) if self.interval else 0
        return remaining, self.interval

    def set(self, value: int, interval: int, absolute: bool) -> None:
        """timerfd_settime(2); a `value` of 0 disarms."""
        self._disarm()
        self.interval = interval
        if value:
            if absolute:
                self.deadline = self.clock.deadline(self.clock_identifier, value)
            else:
                self.deadline = self.clock.monotonic() + value
            self._arm()

    def read(self, size: int) -> bytes:
        if size < 8:
            raise EINVAL
        count = self.expirations()
        if count == 0:
            raise EAGAIN
        assert self.deadline is not None
        if self.interval:
            self.deadline += count * self.interval
            self._arm()
        else:
            self._disarm()
        return count.to_bytes(8, "little")

    def seek(self, offset: int, whence: int) -> int:
        return 0  # there is no offset, yet asking for one is no error

    def descriptor_information(self) -> bytes:
        value, interval = self.setting()
        if self.expirations():
            value = 0  # who asks in this way does not start the next period
        head = b"clockid: %d\nticks: %d\nsettime flags: %02o\n" % (
            self.clock_identifier,
            self.expirations(),
            self.settime_flags,
        )
        times = *divmod(value, SECOND), *divmod(interval, SECOND)
        return head + b"it_value: (%d, %d)\nit_interval: (%d, %d)\n" % times

    def poll(self) -> int:
        return _READY if self.expirations() else 0

    def release(self) -> None:
        self._disarm()

    def _arm(self) -> None:
        assert self.deadline is not None
        if self.handle is not None:
            self.handle.cancel()
        self.handle = self.timers.at(self.deadline, self._expire)

    def _disarm(self) -> None:
        self.deadline = None
        if self.handle is not None:
            self.handle.cancel()
            self.handle = None

    def _expire(self) -> None:
        self.handle = None
        self.wait_queue.notify(_READY)


def make_timer_file(task: "Task", clock_identifier: int, flags: int) -> TimerFile:
    """`flags` is O_NONBLOCK or 0."""
    kernel = task.kernel
    path = anonymous_inode_path(task, b"[timerfd]")
    return TimerFile(
        path, O_RDWR | flags & O_NONBLOCK, kernel.clock, kernel.timers, clock_identifier
    )
