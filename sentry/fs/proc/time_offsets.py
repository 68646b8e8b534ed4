"""/proc/PID/timens_offsets: time_namespaces(7).

They are those of the namespace in which the process's children will live.
"""

from runsc_py.sentry.abi.time import NANOSECONDS
from runsc_py.sentry.auth.capabilities import CAP_SYS_TIME
from runsc_py.sentry.errors import EACCES, EINVAL, EPERM, ERANGE
from runsc_py.sentry.kernel.clock import CLOCK_BOOTTIME, CLOCK_MONOTONIC

TYPE_CHECKING = False
if TYPE_CHECKING:
    from runsc_py.sentry.fs.proc.process import Subject
    from runsc_py.sentry.kernel.pid_namespace import PidNamespace
    from runsc_py.sentry.kernel.task import Task

#: seconds that fit into 63 bits of nanoseconds (Linux's KTIME_SEC_MAX)
_MAXIMUM_SECONDS = ((1 << 63) - 1) // NANOSECONDS
_CLOCKS = {
    b"monotonic": CLOCK_MONOTONIC,
    b"1": CLOCK_MONOTONIC,
    b"boottime": CLOCK_BOOTTIME,
    b"7": CLOCK_BOOTTIME,
}


def offsets(subject: "Subject", reader: "Task", namespace: "PidNamespace") -> bytes:
    """A line for each clock: seconds and nanoseconds."""
    times = subject.task.namespaces.time_for_children
    lines = []
    for name, clock in ((b"monotonic", CLOCK_MONOTONIC), (b"boottime", CLOCK_BOOTTIME)):
        lines.append(b"%-10s %10d %9d\n" % (name, *divmod(times.offset(clock), NANOSECONDS)))
    return b"".join(lines)


def set_offsets(subject: "Subject", writer: "Task", data: bytes) -> None:
    """All or none of the lines.  Errors: EINVAL, EACCES (too late), EPERM, ERANGE."""
    new = [_parse(line) for line in data.removesuffix(b"\n").split(b"\n")]
    times = subject.task.namespaces.time_for_children
    if not writer.credentials.has_capability(CAP_SYS_TIME, times.user_namespace):
        raise EPERM
    for clock, seconds, _ in new:
        now = writer.kernel.clock.read(clock)
        assert now is not None
        shown = now // NANOSECONDS + seconds
        if abs(seconds) > _MAXIMUM_SECONDS or not 0 <= shown <= _MAXIMUM_SECONDS // 2:
            raise ERANGE
    if times.is_frozen:
        raise EACCES
    for clock, seconds, nanoseconds in new:
        times.set_offset(clock, seconds * NANOSECONDS + nanoseconds)


def _parse(line: bytes) -> tuple[int, int, int]:
    """(CLOCK_*, seconds, nanoseconds); what comes after them is nobody's business."""
    words = line.split()
    if len(words) < 3 or words[0] not in _CLOCKS:
        raise EINVAL
    try:
        seconds, nanoseconds = int(words[1]), int(words[2])
    except ValueError:
        raise EINVAL from None
    if not 0 <= nanoseconds < NANOSECONDS:
        raise EINVAL
    return _CLOCKS[words[0]], seconds, nanoseconds
