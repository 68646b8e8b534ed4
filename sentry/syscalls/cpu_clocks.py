"""Clocks of processor time: CLOCK_PROCESS_CPUTIME_ID and clock_getcpuclockid(3).

A negative clock id holds the complement of a process or thread id above three bits: which of
the process's clocks, and whether it is a thread's.
"""

from collections.abc import Callable

from runsc_py.sentry.errors import EINVAL
from runsc_py.sentry.kernel.clock import CLOCK_PROCESS_CPUTIME_ID, CLOCK_THREAD_CPUTIME_ID
from runsc_py.sentry.kernel.task import DEAD, Task
from runsc_py.sentry.kernel.thread_group import ThreadGroup

_PER_THREAD = 4
_WHICH = 3
#: a descriptor of a hardware clock: there is none
_CLOCK_DESCRIPTOR = 3


def thread_clock(task: Task) -> Callable[[], int]:
    """The CPU clock of one thread; it stays where it is when the thread has ended."""
    last = 0

    def read() -> int:
        nonlocal last
        if task.state != DEAD:
            last = task.user_time() + task.system_time()
        return last

    return read


def is_own_thread_clock(task: Task, clock: int) -> bool:
    """Whether a negative clock id is that of the calling thread, which uses none while it waits."""
    number = ~(clock >> 3)
    return bool(clock & _PER_THREAD) and number in (0, task.identifier_in(task.pid_namespace))


def cpu_clock(task: Task, clock: int) -> tuple[Callable[[], int], ThreadGroup]:
    """How to read a CPU clock, and the process it is of.  Raises EINVAL for no such clock."""
    if clock == CLOCK_PROCESS_CPUTIME_ID:
        return task.thread_group.cpu_time, task.thread_group
    if clock == CLOCK_THREAD_CPUTIME_ID:
        return thread_clock(task), task.thread_group
    if clock >= 0 or clock & _WHICH == _CLOCK_DESCRIPTOR:
        raise EINVAL
    number = ~(clock >> 3)
    target = task if number == 0 else task.pid_namespace.tasks.get(number)
    if target is None:
        raise EINVAL
    group = target.thread_group
    if clock & _PER_THREAD:
        if group is not task.thread_group:
            raise EINVAL
        return thread_clock(target), group
    if group.leader is not target and target is not task:
        raise EINVAL
    return group.cpu_time, group
