"""How late a thread's timers may be: prctl(2) PR_SET_TIMERSLACK, /proc/PID/timerslack_ns."""

from runsc_py.sentry.kernel.inheritance import Inherited

TYPE_CHECKING = False
if TYPE_CHECKING:
    from runsc_py.sentry.kernel.task import Task

#: in Task.extras
_KEY = "timer_slack"


class TimerSlack(Inherited):
    """Nanoseconds, and what setting 0 resets them to."""

    __slots__ = ("current", "default")

    def __init__(self, current: int, default: int) -> None:
        self.current = current
        self.default = default

    def for_child(self) -> "TimerSlack":
        """The creator's value is the default of the thread it makes."""
        return TimerSlack(self.current, self.current)


_DEFAULT = TimerSlack(50_000, 50_000)


def timer_slack_of(task: "Task") -> int:
    """A thread's timer slack, nanoseconds.  It is kept and shown; our timers are not late."""
    found = task.extras.get(_KEY, _DEFAULT)
    assert isinstance(found, TimerSlack)
    return found.current


def set_timer_slack(task: "Task", value: int) -> None:
    """Set it; 0 is the thread's default."""
    before = task.extras.get(_KEY, _DEFAULT)
    assert isinstance(before, TimerSlack)
    task.extras[_KEY] = TimerSlack(value or before.default, before.default)
