"""What a task's scheduling calls set: sched(7), setpriority(2), ioprio_set(2).

The values are kept and shown, and inherited as Linux does; the host's scheduler alone decides what
runs.
"""

from __future__ import annotations

from runsc_py.sentry.kernel.inheritance import Inherited

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Final

    from runsc_py.sentry.kernel.kernel import Kernel
    from runsc_py.sentry.kernel.task import Task

SCHED_OTHER = 0
SCHED_FIFO = 1
SCHED_RR = 2
SCHED_BATCH = 3
SCHED_IDLE = 5
SCHED_DEADLINE = 6

#: in Task.extras
KEY = "scheduling"


class Scheduling(Inherited):
    """Policy, priorities and CPU affinity.  Immutable, so that forks share it."""

    __slots__ = ("affinity", "deadline", "io_priority", "nice", "policy", "priority",
                 "reset_on_fork")  # fmt: skip

    def __init__(
        self,
        policy: int = SCHED_OTHER,
        priority: int = 0,
        nice: int = 0,
        reset_on_fork: bool = False,
        affinity: int | None = None,
        io_priority: int = 0,
        deadline: tuple[int, int, int] = (0, 0, 0),
    ) -> None:
        self.policy: Final = policy
        #: of the real-time policies, 1 to 99
        self.priority: Final = priority
        #: -20 to 19
        self.nice: Final = nice
        self.reset_on_fork: Final = reset_on_fork
        #: bit per CPU; None for all there are
        self.affinity: Final = affinity
        #: class and level as ioprio_set(2) encodes them
        self.io_priority: Final = io_priority
        #: of SCHED_DEADLINE: runtime, deadline and period, nanoseconds
        self.deadline: Final = deadline

    def replace(self, **changes: Any) -> Scheduling:
        """The same with the named attributes changed."""
        for name in self.__slots__:
            if name not in changes:
                changes[name] = getattr(self, name)
        return Scheduling(**changes)

    def for_child(self) -> Scheduling:
        """The same, but for SCHED_RESET_ON_FORK: an ordinary child of a privileged task."""
        if not self.reset_on_fork:
            return self
        is_special = self.policy in (SCHED_FIFO, SCHED_RR, SCHED_DEADLINE)
        return self.replace(
            policy=SCHED_OTHER if is_special else self.policy,
            priority=0,
            nice=max(self.nice, 0),
            reset_on_fork=False,
            deadline=(0, 0, 0),
        )


_DEFAULT = Scheduling()


def scheduling_of(task: Task) -> Scheduling:
    """The scheduling attributes of a task."""
    found = task.extras.get(KEY, _DEFAULT)
    assert isinstance(found, Scheduling)
    return found


def set_scheduling(task: Task, scheduling: Scheduling) -> None:
    """Replace them."""
    task.extras[KEY] = scheduling


def online_processors(kernel: Kernel) -> int:
    """The CPUs that guests see, a bit for each."""
    return (1 << kernel.options.processors) - 1
