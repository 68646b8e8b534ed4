"""Timers of processes: setitimer(2), alarm(2), and the CPU time limit.

`PeriodicTimer` is the mechanism, also under POSIX timers (`posix_timers.py`).  It runs on any
clock that can be read, CPU clocks included: no event tells when a process has used a second
of processor time, so the timer wakes at the earliest moment at which it could have.
"""

from collections.abc import Callable

from runsc_py.sentry.abi.signals import SIGALRM, SIGKILL, SIGPROF, SIGVTALRM, SIGXCPU
from runsc_py.sentry.abi.time import ITIMER_PROF, ITIMER_REAL, ITIMER_VIRTUAL, NANOSECONDS
from runsc_py.sentry.kernel.limits import RLIM_INFINITY, RLIMIT_CPU
from runsc_py.sentry.kernel.signals import SignalInfo

TYPE_CHECKING = False
if TYPE_CHECKING:
    from runsc_py.sentry.kernel.kernel import Kernel
    from runsc_py.sentry.kernel.thread_group import ThreadGroup
    from runsc_py.sentry.kernel.timers import TimerHandle

#: a repeating timer fires at most this often; what it misses is counted as overruns
_SHORTEST_PERIOD = 100_000
#: a CPU clock is looked at no more often than this, and no less often than that
_SHORTEST_POLL = 1_000_000
_LONGEST_IDLE_POLL = 20_000_000


class PeriodicTimer:
    """A timer on one clock: disarmed, or expiring at `expiry` and every `interval` after it."""

    __slots__ = (
        "_cpu_group",
        "_handle",
        "_idle_poll",
        "_kernel",
        "_last_reading",
        "_on_expiry",
        "_read",
        "expiry",
        "interval",
    )

    def __init__(
        self,
        kernel: "Kernel",
        read: Callable[[], int],
        on_expiry: Callable[[int], None],
        cpu_group: "ThreadGroup | None" = None,
    ) -> None:
        """`read` gives the clock in nanoseconds; `on_expiry` gets the number of periods passed.

        `cpu_group` says that it is a CPU clock of that process.
        """
        self._kernel = kernel
        self._read = read
        self._on_expiry = on_expiry
        self._cpu_group = cpu_group
        self._handle: TimerHandle | None = None
        self._idle_poll = _SHORTEST_POLL
        self._last_reading = 0
        #: on the timer's clock; 0 while disarmed
        self.expiry = 0
        self.interval = 0

    def now(self) -> int:
        """The timer's clock."""
        return self._read()

    def set(self, expiry: int, interval: int) -> None:
        """Arm for an absolute value of the clock; 0 disarms."""
        self.cancel()
        if expiry:
            self.expiry = expiry
            self.interval = interval
            self._arm()

    def remaining(self) -> int:
        """Nanoseconds until the next expiry; at least 1 while armed, 0 while not."""
        return max(self.expiry - self._read(), 1) if self.expiry else 0

    def cancel(self) -> None:
        """Disarm."""
        self.expiry = self.interval = 0
        if self._handle is not None:
            self._handle.cancel()
            self._handle = None

    def _arm(self, shortest: int = 0) -> None:
        reading = self._read()
        delay = self.expiry - reading
        if self._cpu_group is not None:
            delay = self._cpu_delay(self._cpu_group, delay, reading)
        deadline = self._kernel.clock.monotonic() + max(delay, shortest)
        self._handle = self._kernel.timers.at(deadline, self._wake)

    def _cpu_delay(self, group: "ThreadGroup", remaining: int, reading: int) -> int:
        """The time in which all threads together can use up `remaining`."""
        if reading == self._last_reading:
            self._idle_poll = min(self._idle_poll * 2, _LONGEST_IDLE_POLL)
        else:
            self._idle_poll = _SHORTEST_POLL
        self._last_reading = reading
        return max(remaining // max(len(group.tasks), 1), self._idle_poll)

    def _wake(self) -> None:
        self._handle = None
        reading = self._read()
        if reading < self.expiry:  # an early wake-up of a CPU clock, or the clock was set
            self._arm()
            return
        periods = 1
        if self.interval:
            periods += (reading - self.expiry) // self.interval
            self.expiry += periods * self.interval
            self._arm(_SHORTEST_PERIOD)
        else:
            self.expiry = 0
        self._on_expiry(periods)


_SIGNALS = {ITIMER_REAL: SIGALRM, ITIMER_VIRTUAL: SIGVTALRM, ITIMER_PROF: SIGPROF}
_KEYS = {ITIMER_REAL: "itimer real", ITIMER_VIRTUAL: "itimer virtual", ITIMER_PROF: "itimer prof"}


def interval_timer(group: "ThreadGroup", which: int) -> PeriodicTimer:
    """The ITIMER_* timer of a process, made when it is first asked for.

    It stays over execve and is not inherited over fork.
    """
    timer = group.extras.get(_KEYS[which])
    if timer is None:
        clocks = {
            ITIMER_REAL: group.kernel.clock.monotonic,
            ITIMER_VIRTUAL: group.user_time,
            ITIMER_PROF: group.cpu_time,
        }
        timer = group.extras[_KEYS[which]] = PeriodicTimer(
            group.kernel,
            clocks[which],
            lambda _: _interval_passed(group, which),
            None if which == ITIMER_REAL else group,
        )
    assert isinstance(timer, PeriodicTimer)
    return timer


def _interval_passed(group: "ThreadGroup", which: int) -> None:
    if group.exiting:
        interval_timer(group, which).cancel()
    else:
        group.send_signal(SignalInfo.from_kernel(_SIGNALS[which]))


def watch_cpu_limit(group: "ThreadGroup") -> None:
    """Enforce RLIMIT_CPU as it is set now; called when it is set and when a process is made.

    SIGXCPU at the soft limit and every second after it, SIGKILL at the hard limit.
    """
    soft, hard = group.limits.get(RLIMIT_CPU)
    timer = group.extras.get("cpu limit")
    if soft == RLIM_INFINITY and hard == RLIM_INFINITY:
        if isinstance(timer, PeriodicTimer):
            timer.cancel()
        return
    if timer is None:
        timer = group.extras["cpu limit"] = PeriodicTimer(
            group.kernel, group.cpu_time, lambda _: _cpu_limit_reached(group), group
        )
    assert isinstance(timer, PeriodicTimer)
    timer.set(max(min(soft, hard), 1) * NANOSECONDS, 0)


def _cpu_limit_reached(group: "ThreadGroup") -> None:
    if group.exiting:
        return
    hard = group.limits.get(RLIMIT_CPU)[1]
    used = group.cpu_time()
    if hard != RLIM_INFINITY and used >= max(hard, 1) * NANOSECONDS:
        group.send_signal(SignalInfo.from_kernel(SIGKILL))
        return
    group.send_signal(SignalInfo.from_kernel(SIGXCPU))
    timer = group.extras["cpu limit"]
    assert isinstance(timer, PeriodicTimer)
    timer.set((used // NANOSECONDS + 1) * NANOSECONDS, 0)
