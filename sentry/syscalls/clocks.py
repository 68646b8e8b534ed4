"""Reading clocks and sleeping: time(7), clock_gettime(2), clock_nanosleep(2).

Most readings of a clock never come here: the vDSO answers them in the guest.
"""

from runsc_py.sentry.abi.time import (
    NANOSECONDS_PER_TICK,
    STA_UNSYNC,
    TIME_ERROR,
    TIMER_ABSTIME,
    TIMEX,
    TIMEZONE,
    TMS,
    timespec,
    timeval,
)
from runsc_py.sentry.auth.capabilities import CAP_WAKE_ALARM
from runsc_py.sentry.errors import EINVAL, EOPNOTSUPP, EPERM
from runsc_py.sentry.kernel.clock import (
    CLOCK_BOOTTIME,
    CLOCK_BOOTTIME_ALARM,
    CLOCK_MONOTONIC,
    CLOCK_MONOTONIC_COARSE,
    CLOCK_MONOTONIC_RAW,
    CLOCK_REALTIME,
    CLOCK_REALTIME_ALARM,
    CLOCK_REALTIME_COARSE,
    CLOCK_TAI,
    CLOCK_THREAD_CPUTIME_ID,
)
from runsc_py.sentry.kernel.task import Task
from runsc_py.sentry.kernel.time_namespace import monotonic_deadline, read_clock
from runsc_py.sentry.kernel.waiting import Interrupted, wait
from runsc_py.sentry.syscalls.cpu_clocks import cpu_clock, is_own_thread_clock
from runsc_py.sentry.syscalls.table import Restart, Support, syscall
from runsc_py.sentry.syscalls.time_arguments import (
    copy_in_timespec,
    copy_in_timeval,
)
from runsc_py.sentry.syscalls.types import (
    Address,
    ClockId,
    InTimespec,
    InTimeval,
    OutTimespec,
    OutTimeval,
    OutTimezone,
    OutTms,
    TimerFlags,
)

#: a jiffy at CONFIG_HZ=250, which is what the coarse clocks advance by
_COARSE_RESOLUTION = 4_000_000
_COARSE = (CLOCK_REALTIME_COARSE, CLOCK_MONOTONIC_COARSE)
_SLEEPABLE = (CLOCK_REALTIME, CLOCK_MONOTONIC, CLOCK_BOOTTIME, CLOCK_TAI)
_ALARMS = (CLOCK_REALTIME_ALARM, CLOCK_BOOTTIME_ALARM)
_CANNOT_SLEEP = (*_COARSE, CLOCK_MONOTONIC_RAW)


def _read_clock(task: Task, clock: int) -> int:
    """Nanoseconds of any clock.  Raises EINVAL."""
    reading = read_clock(task, clock)
    if reading is not None:
        return reading
    return cpu_clock(task, clock)[0]()


@syscall(228, "clock_gettime")
def clock_gettime(task: Task, clock: ClockId, result: OutTimespec) -> int:
    """clock_gettime(2)"""
    task.memory.copy_out(result, timespec(_read_clock(task, clock)))
    return 0


@syscall(229, "clock_getres")
def clock_getres(task: Task, clock: ClockId, result: OutTimespec) -> int:
    """clock_getres(2)"""
    _read_clock(task, clock)
    if result:
        task.memory.copy_out(result, timespec(_COARSE_RESOLUTION if clock in _COARSE else 1))
    return 0


def _refuse_to_set(task: Task) -> None:
    """The sandbox shows the host's clocks, which nobody sets from inside."""
    raise EPERM


@syscall(227, "clock_settime", support=Support.PARTIAL, note="always EPERM: the clocks are real")
def clock_settime(task: Task, clock: ClockId, value: InTimespec) -> int:
    """clock_settime(2)"""
    if clock >= 0 and clock != CLOCK_REALTIME:
        raise EINVAL
    copy_in_timespec(task, value)
    if clock < 0:
        cpu_clock(task, clock)
    _refuse_to_set(task)
    return 0


@syscall(164, "settimeofday", support=Support.PARTIAL, note="always EPERM: the clocks are real")
def settimeofday(task: Task, value: InTimeval, timezone: Address) -> int:
    """settimeofday(2)"""
    if value:
        copy_in_timeval(task, value)
    if timezone:
        task.memory.copy_in(timezone, TIMEZONE.size)
    _refuse_to_set(task)
    return 0


@syscall(96, "gettimeofday")
def gettimeofday(task: Task, value: OutTimeval, timezone: OutTimezone) -> int:
    """gettimeofday(2)"""
    if value:
        task.memory.copy_out(value, timeval(task.kernel.clock.realtime()))
    if timezone:
        task.memory.copy_out(timezone, TIMEZONE.pack(0, 0))
    return 0


@syscall(201, "time")
def time(task: Task, result: Address) -> int:
    """time(2)"""
    seconds = task.kernel.clock.realtime() // 1_000_000_000
    if result:
        task.memory.copy_out(result, seconds.to_bytes(8, "little"))
    return seconds


@syscall(100, "times")
def times(task: Task, buffer: OutTms) -> int:
    """times(2)"""
    if buffer:
        group = task.thread_group
        children = group.children_usage
        used = (group.user_time(), group.system_time(), children.user, children.system)
        ticks = (nanoseconds // NANOSECONDS_PER_TICK for nanoseconds in used)
        task.memory.copy_out(buffer, TMS.pack(*ticks))
    return task.kernel.clock.monotonic() // NANOSECONDS_PER_TICK


def _adjust(task: Task, buffer: int) -> int:
    """Report the clock as unsynchronised; changing it is refused."""
    modes = int.from_bytes(task.memory.copy_in(buffer, TIMEX.size)[:4], "little")
    if modes:
        raise EPERM
    now = task.kernel.clock.realtime()
    values = dict.fromkeys(TIMEX.names, 0)
    values.update(
        {
            "maxerror": 16_000_000,
            "esterror": 16_000_000,
            "status": STA_UNSYNC,
            "constant": 2,
            "precision": 1,
            "tolerance": 32_768_000,
            "time.tv_sec": now // 1_000_000_000,
            "time.tv_usec": now % 1_000_000_000 // 1000,
            "tick": 10_000,
        }
    )
    task.memory.copy_out(buffer, TIMEX.pack(*values.values()))
    return TIME_ERROR


@syscall(159, "adjtimex", support=Support.PARTIAL, note="read only")
def adjtimex(task: Task, buffer: Address) -> int:
    """adjtimex(2)"""
    return _adjust(task, buffer)


@syscall(305, "clock_adjtime", support=Support.PARTIAL, note="read only, CLOCK_REALTIME only")
def clock_adjtime(task: Task, clock: ClockId, buffer: Address) -> int:
    """clock_adjtime(2)"""
    if clock != CLOCK_REALTIME:
        _read_clock(task, clock)
        raise EOPNOTSUPP
    return _adjust(task, buffer)


async def _sleep_until(task: Task, deadline: int) -> None:
    """Sleep until a monotonic time.  Raises Interrupted."""
    while task.kernel.clock.monotonic() < deadline:
        await wait(task, (), deadline)


async def _sleep_relative(task: Task, duration: int, remaining: int) -> int:
    """Sleep for `duration`; on a signal leave what is left in the timespec at `remaining`.

    The call goes on to its first deadline when no handler ran (a stop and continue):
    `Task.restart_block` keeps it from one run of the call to the next.
    """
    deadline = task.restart_block
    task.restart_block = None
    if deadline is None:
        deadline = task.kernel.clock.monotonic() + duration
    try:
        await _sleep_until(task, deadline)
    except Interrupted:
        left = deadline - task.kernel.clock.monotonic()
        if left <= 0:
            return 0
        if remaining:
            task.memory.copy_out(remaining, timespec(left))
        task.restart_block = deadline
        raise
    return 0


@syscall(35, "nanosleep", restart=Restart.NO_HANDLER)
async def nanosleep(task: Task, duration: InTimespec, remaining: Address) -> int:
    """nanosleep(2)"""
    return await _sleep_relative(task, copy_in_timespec(task, duration), remaining)


async def _sleep_on_cpu_clock(task: Task, clock: int, flags: int, when: int) -> int:
    """Sleep until the process (or another one) has used that much processor time."""
    if clock == CLOCK_THREAD_CPUTIME_ID:
        raise EOPNOTSUPP
    if is_own_thread_clock(task, clock):
        raise EINVAL
    read, group = cpu_clock(task, clock)
    target = when if flags & TIMER_ABSTIME else read() + when
    while (left := target - read()) > 0:
        # Nothing tells when a CPU clock reaches a value: look at the earliest possible time.
        step = max(left // max(len(group.tasks), 1), 1_000_000)
        await _sleep_until(task, task.kernel.clock.monotonic() + step)
    return 0


@syscall(230, "clock_nanosleep", restart=Restart.NO_HANDLER)
async def clock_nanosleep(
    task: Task, clock: ClockId, flags: TimerFlags, request: InTimespec, remaining: Address
) -> int:
    """clock_nanosleep(2)"""
    if clock in _CANNOT_SLEEP:
        raise EOPNOTSUPP
    if clock not in _SLEEPABLE and clock not in _ALARMS:
        cpu_clock(task, clock)
    when = copy_in_timespec(task, request)
    if clock in _ALARMS and not task.credentials.has_capability(CAP_WAKE_ALARM):
        raise EPERM
    if clock not in _SLEEPABLE and clock not in _ALARMS:
        return await _sleep_on_cpu_clock(task, clock, flags, when)
    if flags & TIMER_ABSTIME:
        await _sleep_until(task, monotonic_deadline(task, clock, when))
        return 0
    return await _sleep_relative(task, when, remaining)
