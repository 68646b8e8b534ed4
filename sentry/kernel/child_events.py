"""Telling a parent what became of its child: SIGCHLD and the wait queues.

wait(2), sigaction(2) (SA_NOCLDSTOP, SA_NOCLDWAIT).
"""

from runsc_py.sentry.abi.signals import (
    CLD_DUMPED,
    CLD_EXITED,
    CLD_KILLED,
    CLD_STOPPED,
    SA_NOCLDSTOP,
    SA_NOCLDWAIT,
    SIG_IGN,
    SIGCHLD,
    SIGINFO_CHILD,
)
from runsc_py.sentry.kernel.signals import SignalInfo

TYPE_CHECKING = False
if TYPE_CHECKING:
    from runsc_py.sentry.kernel.thread_group import ThreadGroup

#: nanoseconds of one tick of sysconf(_SC_CLK_TCK)
CLOCK_TICK_NS = 10_000_000


def child_signal(group: "ThreadGroup", number: int, code: int, status: int) -> SignalInfo:
    """The signal that a parent gets about `group`."""
    parent = group.parent
    assert parent is not None
    raw = SIGINFO_CHILD.pack(
        number,
        0,
        code,
        group.identifier_in(parent.pid_namespace),
        group.leader.credentials.uid,
        status,
        group.user_time() // CLOCK_TICK_NS,
        group.system_time() // CLOCK_TICK_NS,
    )
    return SignalInfo(number, raw=raw)


def notify_parent_of_change(group: "ThreadGroup", code: int, status: int) -> None:
    """A stop or continue: SIGCHLD unless SA_NOCLDSTOP, and waiters wake."""
    parent = group.parent
    if parent is None:
        if group is group.kernel.init and code == CLD_STOPPED:
            group.kernel.init_stopped()
        return
    if not parent.handlers.get(SIGCHLD).flags & SA_NOCLDSTOP:
        parent.send_signal(child_signal(group, SIGCHLD, code, status))
    parent.child_queue.notify()


def notify_parent_of_exit(group: "ThreadGroup") -> bool:
    """The process has become a zombie.  Returns whether it is to be reaped at once."""
    parent = group.parent
    if parent is None:
        return True
    signal = group.exit_signal
    action = parent.handlers.get(SIGCHLD)
    reap = signal == SIGCHLD and bool(action.handler == SIG_IGN or action.flags & SA_NOCLDWAIT)
    if signal and not (reap and action.handler == SIG_IGN):
        parent.send_signal(child_signal(group, signal, *decode_status(group.exit_status)))
    parent.child_queue.notify()
    return reap


def decode_status(status: int) -> tuple[int, int]:
    """(si_code, si_status) for a wait status of something that ended."""
    if status & 0x7F:
        return (CLD_DUMPED if status & 0x80 else CLD_KILLED), status & 0x7F
    return CLD_EXITED, status >> 8 & 0xFF
