"""What a process used: processor time and memory, as getrusage(2), wait4(2) and times(2) show it.

User time is what the host charges to the guest's threads.  System time is the sentry's own
processor time, shared out among the tasks by what their stops cost (`Context.take_effort`): it is
looked at only when somebody asks, and when a task ends.
"""

import time

TYPE_CHECKING = False
if TYPE_CHECKING:
    from runsc_py.sentry.kernel.task import Task


class Usage:
    """Nanoseconds of user and system time, and bytes of memory at the most."""

    __slots__ = (
        "major_faults",
        "maximum_resident",
        "minor_faults",
        "system",
        "user",
        "voluntary_switches",
    )

    def __init__(
        self,
        user: int = 0,
        system: int = 0,
        maximum_resident: int = 0,
        minor_faults: int = 0,
        major_faults: int = 0,
        voluntary_switches: int = 0,
    ) -> None:
        self.user = user
        self.system = system
        self.maximum_resident = maximum_resident
        #: page faults that needed no device, and that did
        self.minor_faults = minor_faults
        self.major_faults = major_faults
        #: how often it waited
        self.voluntary_switches = voluntary_switches

    def __add__(self, other: "Usage") -> "Usage":
        """Of both together; memory is not added, the larger counts."""
        return Usage(
            self.user + other.user,
            self.system + other.system,
            max(self.maximum_resident, other.maximum_resident),
            self.minor_faults + other.minor_faults,
            self.major_faults + other.major_faults,
            self.voluntary_switches + other.voluntary_switches,
        )


class SystemTime:
    """How much of the sentry's processor time each task is charged with."""

    __slots__ = ("_read", "_settled")

    def __init__(self) -> None:
        self._read = time.process_time_ns
        self._settled = self._read()

    def take(self, task: "Task") -> int:
        """The task's share since it was last asked for, nanoseconds."""
        own, total = task.context.take_effort()
        if not own:
            return 0
        share = (self._read() - self._settled) * own // total
        self._settled += share
        return share
