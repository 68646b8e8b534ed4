"""POSIX per-process timers: timer_create(2), timer_settime(2), timer_getoverrun(2).

Each timer has at most one signal queued; further expiries meanwhile are its overrun.
"""

from runsc_py.sentry.abi.signals import SI_TIMER, SIGINFO_TIMER
from runsc_py.sentry.abi.time import SIGEV_NONE
from runsc_py.sentry.errors import EINVAL
from runsc_py.sentry.kernel.interval_timers import PeriodicTimer
from runsc_py.sentry.kernel.signals import PendingSignals, SignalInfo

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from runsc_py.sentry.auth.user_counts import Charge
    from runsc_py.sentry.kernel.task import Task
    from runsc_py.sentry.kernel.thread_group import ThreadGroup

#: overruns are reported up to this (DELAYTIMER_MAX)
_MAXIMUM_OVERRUN = 0x7FFFFFFF


class Notification:
    """What a struct sigevent asks for: `target` is a thread, or None for the process."""

    __slots__ = ("kind", "signal", "target", "value")

    def __init__(self, kind: int, signal: int, value: int, target: "Task | None") -> None:
        #: SIGEV_*
        self.kind = kind
        self.signal = signal
        self.value = value
        self.target = target


class PosixTimer:
    """One timer of timer_create(2)."""

    __slots__ = ("_charge", "_delivered_overrun", "_group", "_info", "_overrun", "clock",
                 "identifier", "notification", "timer")  # fmt: skip

    def __init__(
        self,
        group: "ThreadGroup",
        identifier: int,
        clock: int,
        read: "Callable[[], int]",
        is_cpu_clock: bool,
        notification: Notification,
        charge: "Charge",
    ) -> None:
        self._group = group
        #: a timer counts as one queued signal, whether that is queued or not
        self._charge: Charge | None = charge
        self.identifier = identifier
        #: the CLOCK_* it was made for
        self.clock = clock
        self.notification = notification
        #: the signal sent last; while it is queued, expiries count as overrun
        self._info: SignalInfo | None = None
        self._overrun = 0
        self._delivered_overrun = 0
        self.timer = PeriodicTimer(
            group.kernel, read, self._expired, group if is_cpu_clock else None
        )

    def set(self, expiry: int, interval: int) -> None:
        """Arm or disarm (0); overruns and a signal that was not delivered yet are forgotten."""
        self._forget_signal()
        self._overrun = self._delivered_overrun = 0
        self.timer.set(expiry, interval)

    def overrun(self) -> int:
        """The overrun of the signal delivered last."""
        count = self._delivered_overrun if self._is_queued() else self._overrun
        return min(count, _MAXIMUM_OVERRUN)

    def delete(self) -> None:
        """Disarm; a signal that was not delivered yet is forgotten."""
        self._forget_signal()
        self.timer.cancel()
        self._charge = None

    def _pending(self) -> PendingSignals:
        target = self.notification.target
        return self._group.pending if target is None else target.pending

    def _is_queued(self) -> bool:
        info = self._info
        return info is not None and info in self._pending().queues.get(info.number, ())

    def _forget_signal(self) -> None:
        if self._info is not None:
            self._pending().remove(self._info)
            self._info = None

    def _expired(self, periods: int) -> None:
        if self._group.exiting:
            self.timer.cancel()
            return
        if self.notification.kind == SIGEV_NONE:
            return
        if self._is_queued():
            self._overrun += periods
            assert self._info is not None
            self._info.raw = self._siginfo()
            return
        self._delivered_overrun = self._overrun
        self._overrun = periods - 1
        self._info = SignalInfo(self.notification.signal, raw=self._siginfo())
        self._info.charge = self._charge
        self._info.is_of_timer = True
        target = self.notification.target
        (self._group if target is None else target).send_signal(self._info)

    def _siginfo(self) -> bytes:
        notification = self.notification
        overrun = min(self._overrun, _MAXIMUM_OVERRUN)
        return SIGINFO_TIMER.pack(
            notification.signal, 0, SI_TIMER, self.identifier, overrun, notification.value
        )


class PosixTimers:
    """The timers of a process by identifier."""

    __slots__ = ("_next", "timers")

    def __init__(self) -> None:
        self._next = 0
        self.timers: dict[int, PosixTimer] = {}

    def new_identifier(self) -> int:
        """A fresh identifier."""
        identifier = self._next
        self._next = (identifier + 1) & 0x7FFFFFFF
        return identifier

    def get(self, identifier: int) -> PosixTimer:
        """Errors: EINVAL."""
        timer = self.timers.get(identifier)
        if timer is None:
            raise EINVAL
        return timer

    def delete(self, identifier: int) -> None:
        """timer_delete(2).  Errors: EINVAL."""
        self.get(identifier).delete()
        del self.timers[identifier]


def posix_timers(group: "ThreadGroup") -> PosixTimers:
    """The timers of a process; not inherited over fork, deleted by execve."""
    timers = group.extras.get("posix timers")
    if timers is None:
        timers = group.extras["posix timers"] = PosixTimers()
    assert isinstance(timers, PosixTimers)
    return timers


def delete_posix_timers(group: "ThreadGroup") -> None:
    """execve(2) and the end of a process."""
    timers = group.extras.pop("posix timers", None)
    if isinstance(timers, PosixTimers):
        for timer in timers.timers.values():
            timer.delete()
