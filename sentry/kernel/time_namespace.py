"""Time namespaces: time_namespaces(7).

Their monotonic and boot time clocks are the machine's plus an offset.  Offsets are set before
anybody lives in a namespace, and never change afterwards.  Everything in the sentry is in the
machine's time; what a guest names or sees is translated where it does, in system calls and /proc.

The vDSO reads the machine's clocks without a system call.  In the memory of who enters a
namespace, its clock_gettime becomes the system call (`loader/vdso.py`).
"""

from runsc_py.sentry.kernel.clock import (
    CLOCK_BOOTTIME,
    CLOCK_BOOTTIME_ALARM,
    CLOCK_MONOTONIC,
    CLOCK_MONOTONIC_COARSE,
    CLOCK_MONOTONIC_RAW,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from runsc_py.sentry.auth.user_counts import Charge
    from runsc_py.sentry.auth.user_namespace import UserNamespace
    from runsc_py.sentry.kernel.namespaces import Namespaces
    from runsc_py.sentry.kernel.task import Task
    from runsc_py.sentry.mm.memory_manager import MemoryManager

#: which clock has the offset of which
_SHIFTED = {
    CLOCK_MONOTONIC: CLOCK_MONOTONIC,
    CLOCK_MONOTONIC_COARSE: CLOCK_MONOTONIC,
    CLOCK_MONOTONIC_RAW: CLOCK_MONOTONIC,
    CLOCK_BOOTTIME: CLOCK_BOOTTIME,
    CLOCK_BOOTTIME_ALARM: CLOCK_BOOTTIME,
}


class TimeNamespace:
    """Offsets of clocks, nanoseconds."""

    __slots__ = ("_offsets", "charge", "inode_number", "is_frozen", "user_namespace")

    def __init__(
        self,
        user_namespace: "UserNamespace",
        inode_number: int,
        parent: "TimeNamespace | None" = None,
    ) -> None:
        """A copy of `parent` that may be changed; without one, the first namespace."""
        self.charge: Charge | None = None
        self.user_namespace = user_namespace
        self.inode_number = inode_number
        self._offsets = {CLOCK_MONOTONIC: 0, CLOCK_BOOTTIME: 0}
        if parent is not None:
            self._offsets.update(parent._offsets)
        #: somebody lives here: offsets stay as they are
        self.is_frozen = parent is None

    def offset(self, clock: int) -> int:
        """What is added to a CLOCK_* of the machine."""
        shifted = _SHIFTED.get(clock)
        return 0 if shifted is None else self._offsets[shifted]

    def set_offset(self, clock: int, offset: int) -> None:
        """/proc/PID/timens_offsets; `clock` is CLOCK_MONOTONIC or CLOCK_BOOTTIME."""
        self._offsets[clock] = offset


def read_clock(task: "Task", clock: int) -> int | None:
    """A clock as the task sees it; None when the machine has no such clock."""
    reading = task.kernel.clock.read(clock)
    if reading is None or clock not in _SHIFTED:
        return reading
    return reading + task.namespaces.time.offset(clock)


def to_machine(task: "Task", clock: int, when: int) -> int:
    """An absolute time that the task named, in the machine's time."""
    return when - task.namespaces.time.offset(clock) if clock in _SHIFTED else when


def monotonic_deadline(task: "Task", clock: int, when: int) -> int:
    """The machine's monotonic time at which a clock will show the task `when`."""
    return task.kernel.clock.deadline(clock, to_machine(task, clock, when))


def enter_for_children(namespaces: "Namespaces", memory: "MemoryManager") -> "Namespaces":
    """After fork(2) and execve(2): those of a task that lives where its parent's children do."""
    if namespaces.time is namespaces.time_for_children:
        return namespaces
    entered = namespaces.copy()
    entered.time = namespaces.time_for_children
    freeze(entered.time, memory)
    return entered


def freeze(namespace: TimeNamespace, memory: "MemoryManager") -> None:
    """A task with this memory lives in the namespace from now on."""
    from runsc_py.sentry.loader.vdso import divert_clock_gettime

    namespace.is_frozen = True
    divert_clock_gettime(memory)
