"""Timers that send signals: alarm(2), setitimer(2), timer_create(2).

The mechanism is in `kernel/interval_timers.py` and `kernel/posix_timers.py`; timerfd is a file.
"""

from runsc_py.sentry.abi.signals import SIGALRM, SIGRTMAX
from runsc_py.sentry.abi.time import (
    ITIMER_PROF,
    ITIMER_REAL,
    ITIMERSPEC,
    ITIMERVAL,
    NANOSECONDS,
    SIGEV_NONE,
    SIGEV_SIGNAL,
    SIGEV_THREAD,
    SIGEV_THREAD_ID,
    SIGEVENT,
    TIMER_ABSTIME,
)
from runsc_py.sentry.auth.capabilities import CAP_WAKE_ALARM
from runsc_py.sentry.auth.user_counts import Charge, charge_resource
from runsc_py.sentry.errors import EAGAIN, EFAULT, EINVAL, EOPNOTSUPP, EPERM
from runsc_py.sentry.kernel.clock import (
    CLOCK_BOOTTIME_ALARM,
    CLOCK_MONOTONIC_COARSE,
    CLOCK_MONOTONIC_RAW,
    CLOCK_REALTIME_ALARM,
    CLOCK_REALTIME_COARSE,
)
from runsc_py.sentry.kernel.interval_timers import PeriodicTimer, interval_timer
from runsc_py.sentry.kernel.limits import RLIMIT_SIGPENDING
from runsc_py.sentry.kernel.posix_timers import Notification, PosixTimer, posix_timers
from runsc_py.sentry.kernel.task import Task
from runsc_py.sentry.kernel.time_namespace import to_machine
from runsc_py.sentry.syscalls.cpu_clocks import cpu_clock
from runsc_py.sentry.syscalls.table import Support, syscall
from runsc_py.sentry.syscalls.time_arguments import (
    nanoseconds_of_timespec,
    nanoseconds_of_timeval,
)
from runsc_py.sentry.syscalls.types import (
    ClockId,
    InItimerspec,
    InItimerval,
    InSigevent,
    Int,
    IntervalTimer,
    OutInt,
    OutItimerspec,
    OutItimerval,
    TimerFlags,
    UnsignedInt,
)

_NO_TIMERS = (CLOCK_MONOTONIC_RAW, CLOCK_REALTIME_COARSE, CLOCK_MONOTONIC_COARSE)
_ALARMS = (CLOCK_REALTIME_ALARM, CLOCK_BOOTTIME_ALARM)


def _arm_relative(timer: PeriodicTimer, value: int, interval: int) -> None:
    timer.set(timer.now() + value if value else 0, interval)


@syscall(37, "alarm")
def alarm(task: Task, seconds: UnsignedInt) -> int:
    """alarm(2): the seconds that were left, rounded to the nearest but never down to 0."""
    timer = interval_timer(task.thread_group, ITIMER_REAL)
    left = timer.remaining()
    _arm_relative(timer, seconds * NANOSECONDS, 0)
    return max((left + NANOSECONDS // 2) // NANOSECONDS, 1) if left else 0


def _itimerval(timer: PeriodicTimer) -> bytes:
    """The struct itimerval; an armed timer never shows 0."""
    left = (timer.remaining() + 999) // 1000
    return ITIMERVAL.pack(
        *divmod(timer.interval // 1000, 1_000_000),
        *divmod(left, 1_000_000),
    )


@syscall(36, "getitimer")
def getitimer(task: Task, which: IntervalTimer, value: OutItimerval) -> int:
    """getitimer(2)"""
    if not ITIMER_REAL <= which <= ITIMER_PROF:
        raise EINVAL
    task.memory.copy_out(value, _itimerval(interval_timer(task.thread_group, which)))
    return 0


@syscall(
    38, "setitimer", support=Support.PARTIAL, note="ITIMER_VIRTUAL counts what ITIMER_PROF counts"
)
def setitimer(task: Task, which: IntervalTimer, new: InItimerval, old: OutItimerval) -> int:
    """setitimer(2)"""
    # NULL is not documented, but disarms (Linux warns once).
    data = task.memory.copy_in(new, ITIMERVAL.size) if new else bytes(ITIMERVAL.size)
    interval_seconds, interval_rest, seconds, rest = ITIMERVAL.unpack(data)
    interval = nanoseconds_of_timeval(interval_seconds, interval_rest)
    value = nanoseconds_of_timeval(seconds, rest)
    if not ITIMER_REAL <= which <= ITIMER_PROF:
        raise EINVAL
    timer = interval_timer(task.thread_group, which)
    before = _itimerval(timer)
    _arm_relative(timer, value, interval)
    if old:
        task.memory.copy_out(old, before)
    return 0


def _notification(task: Task, address: int, identifier: int) -> Notification:
    """What a struct sigevent (NULL: the default) asks for.  Errors: EINVAL, EFAULT."""
    if address == 0:
        return Notification(SIGEV_SIGNAL, SIGALRM, identifier, None)
    value, signal, kind, thread = SIGEVENT.unpack(task.memory.copy_in(address, SIGEVENT.size))
    if kind == SIGEV_NONE:
        return Notification(kind, 0, value, None)
    if kind not in (SIGEV_SIGNAL, SIGEV_THREAD, SIGEV_SIGNAL | SIGEV_THREAD_ID):
        raise EINVAL
    if not 0 < signal <= SIGRTMAX:
        raise EINVAL
    target = None
    if kind & SIGEV_THREAD_ID:
        target = task.pid_namespace.tasks.get(thread)
        if target is None or target.thread_group is not task.thread_group:
            raise EINVAL
    return Notification(kind, signal, value, target)


def _charge(task: Task) -> Charge:
    """A timer counts as a pending signal.  Errors: EAGAIN."""
    credentials = task.credentials
    limit = task.thread_group.limits.soft(RLIMIT_SIGPENDING)
    charge = charge_resource(
        credentials.user_namespace, credentials.uid, RLIMIT_SIGPENDING, 1, limit
    )
    if charge is None:
        raise EAGAIN
    return charge


@syscall(222, "timer_create")
def timer_create(task: Task, clock: ClockId, event: InSigevent, result: OutInt) -> int:
    """timer_create(2)"""
    kernel = task.kernel
    group = task.thread_group
    is_cpu_clock = kernel.clock.read(clock) is None
    read = cpu_clock(task, clock)[0] if is_cpu_clock else lambda: kernel.clock.read(clock) or 0
    if clock in _NO_TIMERS:
        raise EOPNOTSUPP
    if clock in _ALARMS and not task.credentials.has_capability(CAP_WAKE_ALARM):
        raise EPERM
    timers = posix_timers(group)
    identifier = timers.new_identifier()
    notification = _notification(task, event, identifier)
    timer = PosixTimer(group, identifier, clock, read, is_cpu_clock, notification, _charge(task))
    task.memory.copy_out(result, identifier.to_bytes(4, "little"))
    timers.timers[identifier] = timer
    return 0


def _itimerspec(timer: PosixTimer) -> bytes:
    inner = timer.timer
    return ITIMERSPEC.pack(
        *divmod(inner.interval, NANOSECONDS),
        *divmod(inner.remaining(), NANOSECONDS),
    )


@syscall(223, "timer_settime")
def timer_settime(
    task: Task, timer: Int, flags: TimerFlags, new: InItimerspec, old: OutItimerspec
) -> int:
    """timer_settime(2)"""
    if new == 0:
        raise EINVAL
    data = ITIMERSPEC.unpack(task.memory.copy_in(new, ITIMERSPEC.size))
    interval = nanoseconds_of_timespec(*data[:2])
    value = nanoseconds_of_timespec(*data[2:])
    found = posix_timers(task.thread_group).get(timer)
    before = _itimerspec(found)
    expiry = value
    if value:
        expiry = (
            max(to_machine(task, found.clock, value), 1)
            if flags & TIMER_ABSTIME
            else found.timer.now() + value
        )
    found.set(expiry, interval if value else 0)
    if old:
        task.memory.copy_out(old, before)
    return 0


@syscall(224, "timer_gettime")
def timer_gettime(task: Task, timer: Int, value: OutItimerspec) -> int:
    """timer_gettime(2)"""
    found = posix_timers(task.thread_group).get(timer)
    if value == 0:
        raise EFAULT
    task.memory.copy_out(value, _itimerspec(found))
    return 0


@syscall(225, "timer_getoverrun")
def timer_getoverrun(task: Task, timer: Int) -> int:
    """timer_getoverrun(2)"""
    return posix_timers(task.thread_group).get(timer).overrun()


@syscall(226, "timer_delete")
def timer_delete(task: Task, timer: Int) -> int:
    """timer_delete(2)"""
    posix_timers(task.thread_group).delete(timer)
    return 0
