"""Times as system call arguments: copied in, checked, as nanoseconds."""

from runsc_py.sentry.abi.time import NANOSECONDS, TIMESPEC, TIMEVAL
from runsc_py.sentry.errors import EINVAL

TYPE_CHECKING = False
if TYPE_CHECKING:
    from runsc_py.sentry.kernel.task import Task

#: where Linux saturates (KTIME_MAX): 292 years
FOREVER = (1 << 63) - 1


def nanoseconds_of_timespec(seconds: int, nanoseconds: int) -> int:
    """Errors: EINVAL for negative values and for nanoseconds of a second and more."""
    if seconds < 0 or not 0 <= nanoseconds < NANOSECONDS:
        raise EINVAL
    return min(seconds * NANOSECONDS + nanoseconds, FOREVER)


def nanoseconds_of_timeval(seconds: int, microseconds: int) -> int:
    """Errors: EINVAL as for a timespec."""
    if seconds < 0 or not 0 <= microseconds < 1_000_000:
        raise EINVAL
    return min(seconds * NANOSECONDS + microseconds * 1000, FOREVER)


def copy_in_timespec(task: "Task", address: int) -> int:
    """A struct timespec.  Errors: EFAULT, EINVAL."""
    return nanoseconds_of_timespec(*TIMESPEC.unpack(task.memory.copy_in(address, TIMESPEC.size)))


def copy_in_timeval(task: "Task", address: int) -> int:
    """A struct timeval.  Errors: EFAULT, EINVAL."""
    return nanoseconds_of_timeval(*TIMEVAL.unpack(task.memory.copy_in(address, TIMEVAL.size)))


def copy_in_timeout(task: "Task", address: int) -> int | None:
    """A relative timeout in a struct timespec as a monotonic deadline; None for NULL (for ever)."""
    if address == 0:
        return None
    return task.kernel.clock.monotonic() + copy_in_timespec(task, address)
