"""eventfd(2), timerfd_create(2), signalfd(2) and their relatives."""

from runsc_py.sentry.abi.events import (
    EFD_SEMAPHORE,
    TFD_TIMER_ABSTIME,
    TFD_TIMER_CANCEL_ON_SET,
)
from runsc_py.sentry.abi.time import ITIMERSPEC, timespec
from runsc_py.sentry.auth.capabilities import CAP_WAKE_ALARM
from runsc_py.sentry.errors import EINVAL, EPERM
from runsc_py.sentry.fs.eventfd import make_event_file
from runsc_py.sentry.fs.signalfd import SignalFile, make_signal_file
from runsc_py.sentry.fs.timerfd import TimerFile, make_timer_file
from runsc_py.sentry.kernel.clock import (
    CLOCK_BOOTTIME,
    CLOCK_BOOTTIME_ALARM,
    CLOCK_MONOTONIC,
    CLOCK_REALTIME,
    CLOCK_REALTIME_ALARM,
)
from runsc_py.sentry.kernel.task import Task
from runsc_py.sentry.kernel.time_namespace import to_machine
from runsc_py.sentry.syscalls.table import Support, syscall
from runsc_py.sentry.syscalls.time_arguments import nanoseconds_of_timespec
from runsc_py.sentry.syscalls.types import (
    ClockId,
    EventFdFlags,
    Fd,
    InItimerspec,
    InSignalSet,
    OutItimerspec,
    SignalFdFlags,
    Size,
    TimerFdFlags,
    TimerFdSetFlags,
    UnsignedInt,
)
from runsc_py.sentry.vfs.open_file import O_CLOEXEC, O_NONBLOCK

_ALARM_CLOCKS = (CLOCK_REALTIME_ALARM, CLOCK_BOOTTIME_ALARM)
_TIMER_CLOCKS = (CLOCK_REALTIME, CLOCK_MONOTONIC, CLOCK_BOOTTIME, *_ALARM_CLOCKS)

#: bytes of the kernel's sigset_t
SIGNAL_SET_SIZE = 8


@syscall(284, "eventfd")
def eventfd(task: Task, count: UnsignedInt) -> int:
    """eventfd(2)"""
    return eventfd2(task, count, 0)


@syscall(290, "eventfd2")
def eventfd2(task: Task, count: UnsignedInt, flags: EventFdFlags) -> int:
    """eventfd(2)"""
    if flags & ~(EFD_SEMAPHORE | O_CLOEXEC | O_NONBLOCK):
        raise EINVAL
    file = make_event_file(task, count, flags, bool(flags & EFD_SEMAPHORE))
    return task.files.add(file, bool(flags & O_CLOEXEC))


@syscall(283, "timerfd_create")
def timerfd_create(task: Task, clock: ClockId, flags: TimerFdFlags) -> int:
    """timerfd_create(2)"""
    if clock not in _TIMER_CLOCKS or flags & ~(O_CLOEXEC | O_NONBLOCK):
        raise EINVAL
    if clock in _ALARM_CLOCKS and not task.credentials.has_capability(CAP_WAKE_ALARM):
        raise EPERM
    return task.files.add(make_timer_file(task, clock, flags), bool(flags & O_CLOEXEC))


@syscall(
    286,
    "timerfd_settime",
    support=Support.PARTIAL,
    note="TFD_TIMER_CANCEL_ON_SET never cancels: nobody sets the sandbox's clocks",
)
def timerfd_settime(
    task: Task, fd: Fd, flags: TimerFdSetFlags, new_value: InItimerspec, old_value: OutItimerspec
) -> int:
    """timerfd_settime(2)"""
    if flags & ~(TFD_TIMER_ABSTIME | TFD_TIMER_CANCEL_ON_SET):
        raise EINVAL
    fields = ITIMERSPEC.unpack(task.memory.copy_in(new_value, ITIMERSPEC.size))
    interval, value = nanoseconds_of_timespec(*fields[:2]), nanoseconds_of_timespec(*fields[2:])
    timer = _timer_file(task, fd)
    old = timer.setting()
    if flags & TFD_TIMER_ABSTIME and value:
        value = max(to_machine(task, timer.clock_identifier, value), 1)
    timer.set(value, interval, bool(flags & TFD_TIMER_ABSTIME))
    timer.settime_flags = flags
    if old_value:
        _copy_out_setting(task, old_value, old)
    return 0


@syscall(287, "timerfd_gettime")
def timerfd_gettime(task: Task, fd: Fd, value: OutItimerspec) -> int:
    """timerfd_gettime(2)"""
    _copy_out_setting(task, value, _timer_file(task, fd).setting())
    return 0


def _timer_file(task: Task, fd: int) -> TimerFile:
    file = task.files.get_io(fd)
    if not isinstance(file, TimerFile):
        raise EINVAL
    return file


def _copy_out_setting(task: Task, address: int, setting: tuple[int, int]) -> None:
    value, interval = setting
    task.memory.copy_out(address, timespec(interval) + timespec(value))


@syscall(282, "signalfd")
def signalfd(task: Task, fd: Fd, mask: InSignalSet, size: Size) -> int:
    """signalfd(2)"""
    return signalfd4(task, fd, mask, size, 0)


@syscall(289, "signalfd4")
def signalfd4(task: Task, fd: Fd, mask: InSignalSet, size: Size, flags: SignalFdFlags) -> int:
    """signalfd(2)"""
    if size != SIGNAL_SET_SIZE:
        raise EINVAL
    signals = int.from_bytes(task.memory.copy_in(mask, SIGNAL_SET_SIZE), "little")
    if flags & ~(O_CLOEXEC | O_NONBLOCK):
        raise EINVAL
    if fd == -1:
        return task.files.add(make_signal_file(task, signals, flags), bool(flags & O_CLOEXEC))
    file = task.files.get_io(fd)
    if not isinstance(file, SignalFile):
        raise EINVAL
    file.set_mask(signals)
    return fd
