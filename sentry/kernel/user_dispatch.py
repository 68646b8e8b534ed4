"""PR_SET_SYSCALL_USER_DISPATCH: calls from outside of a range of code are a SIGSYS (prctl(2)).

A byte of the program's own, the selector, switches it on and off.  Not inherited.
"""

from runsc_py.sentry.abi.seccomp import AUDIT_ARCH_X86_64, SIGINFO_SYSCALL
from runsc_py.sentry.abi.signals import SIGSEGV, SIGSYS
from runsc_py.sentry.errors import EFAULT
from runsc_py.sentry.kernel.exit import TaskEnded
from runsc_py.sentry.kernel.signal_delivery import terminate
from runsc_py.sentry.kernel.signal_sending import force_signal
from runsc_py.sentry.kernel.signals import SignalInfo

TYPE_CHECKING = False
if TYPE_CHECKING:
    from runsc_py.sentry.kernel.task import Task

SYS_USER_DISPATCH = 2
FILTER_ALLOW = 0
FILTER_BLOCK = 1
_WORD = (1 << 64) - 1


class UserDispatch:
    """What prctl(2) set; `start` and `size` may wrap around the end of memory."""

    __slots__ = ("selector", "size", "start")

    def __init__(self, start: int, size: int, selector: int) -> None:
        self.start = start
        self.size = size
        #: address of the byte; 0 without one, then all calls from elsewhere are blocked
        self.selector = selector

    def takes(self, task: "Task") -> bool:
        """Whether the call the task stopped at is none: it has its SIGSYS.

        Raises TaskEnded when the selector is bad.
        """
        registers = task.context.registers
        if (registers.rip - self.start) & _WORD < self.size:
            return False
        if self.selector and not self._blocks(task):
            return False
        number = task.context.number
        task.context.set_result(number)
        raw = SIGINFO_SYSCALL.pack(
            SIGSYS, 0, SYS_USER_DISPATCH, registers.rip, number, AUDIT_ARCH_X86_64
        )
        force_signal(task, SignalInfo(SIGSYS, raw=raw))
        return True

    def _blocks(self, task: "Task") -> bool:
        deadly = SIGSYS
        try:
            state = task.memory.copy_in(self.selector, 1)[0]
            if state in (FILTER_ALLOW, FILTER_BLOCK):
                return state == FILTER_BLOCK
        except EFAULT:
            deadly = SIGSEGV
        terminate(task.thread_group, deadly)
        raise TaskEnded
