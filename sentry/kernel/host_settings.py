"""Settings of prctl(2) that only the host's kernel can carry out, for the thread in a stub.

A host thread inherits them as a guest's child does; a new address space (execve(2)) has none.
"""

from runsc_py.sentry.abi.process import (
    PR_SET_THP_DISABLE,
    PR_SET_TSC,
    PR_TSC_ENABLE,
    PR_TSC_SIGSEGV,
    SYS_PRCTL,
)
from runsc_py.sentry.errors import EINVAL

TYPE_CHECKING = False
if TYPE_CHECKING:
    from runsc_py.platform.interface import Context
    from runsc_py.sentry.kernel.task import Task

#: in Task.extras, inherited
_TIME_STAMP_COUNTER = "time_stamp_counter"


def time_stamp_counter_mode(task: "Task") -> int:
    """PR_GET_TSC."""
    mode: int = task.extras.get(_TIME_STAMP_COUNTER, PR_TSC_ENABLE)
    return mode


def set_time_stamp_counter_mode(task: "Task", mode: int) -> None:
    """PR_SET_TSC: whether rdtsc is a SIGSEGV.  Errors: EINVAL."""
    if mode not in (PR_TSC_ENABLE, PR_TSC_SIGSEGV):
        raise EINVAL
    if task.context.execute(SYS_PRCTL, PR_SET_TSC, mode):
        raise EINVAL  # the host does not let us
    task.extras[_TIME_STAMP_COUNTER] = mode


def set_huge_pages_disabled(task: "Task", disabled: bool) -> None:
    """PR_SET_THP_DISABLE.  Errors: EINVAL."""
    if task.context.execute(SYS_PRCTL, PR_SET_THP_DISABLE, int(disabled)):
        raise EINVAL
    task.memory.huge_pages_disabled = disabled


def carry_over(task: "Task", context: "Context") -> None:
    """execve(2): the new address space's thread gets what the old one had."""
    if time_stamp_counter_mode(task) != PR_TSC_ENABLE:
        context.execute(SYS_PRCTL, PR_SET_TSC, time_stamp_counter_mode(task))
    if task.memory.huge_pages_disabled:
        context.execute(SYS_PRCTL, PR_SET_THP_DISABLE, 1)
