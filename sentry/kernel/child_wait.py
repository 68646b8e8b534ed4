"""Waiting for children: wait4(2) and waitid(2) share everything but their results."""

from runsc_py.sentry.abi.process import (
    P_ALL,
    P_PGID,
    P_PID,
    WAIT_ALL,
    WAIT_CLONE,
    WAIT_NOTHREAD,
    WCONTINUED,
    WEXITED,
    WNOHANG,
    WNOWAIT,
    WSTOPPED,
)
from runsc_py.sentry.abi.signals import (
    CLD_CONTINUED,
    CLD_STOPPED,
    CLD_TRAPPED,
    SIGCHLD,
    SIGCONT,
)
from runsc_py.sentry.errors import ECHILD
from runsc_py.sentry.kernel.child_events import decode_status
from runsc_py.sentry.kernel.exit import reap
from runsc_py.sentry.kernel.waiting import ANY_EVENT, wait

TYPE_CHECKING = False
if TYPE_CHECKING:
    from runsc_py.sentry.kernel.task import Task
    from runsc_py.sentry.kernel.thread_group import ThreadGroup
    from runsc_py.sentry.kernel.tracing import Tracing

#: status that wait(2) shows for a continued child
CONTINUED_STATUS = 0xFFFF


class ChildEvent:
    """What a wait found."""

    __slots__ = ("code", "identifier", "signal_status", "uid", "usage", "wait_status")

    def __init__(
        self,
        task: "Task",
        child: "ThreadGroup",
        code: int,
        signal_status: int,
        wait_status: int,
        identifier: int = 0,
    ) -> None:
        #: the child as the waiting task sees it; for a tracee, the thread
        self.identifier = identifier or child.identifier_in(task.pid_namespace)
        self.uid = child.leader.credentials.uid
        self.code = code
        self.signal_status = signal_status
        self.wait_status = wait_status
        #: of the child and its waited-for children
        self.usage = child.usage() + child.children_usage


class ChildSelector:
    """Which children, and which of their changes, a wait is about."""

    __slots__ = ("identifier", "kind", "options", "task")

    def __init__(self, task: "Task", kind: int, identifier: int, options: int) -> None:
        self.task = task
        self.kind = kind
        self.identifier = identifier
        self.options = options

    def matches(self, child: "ThreadGroup") -> bool:
        """Whether the wait is for this child at all."""
        if not self.options & WAIT_ALL:
            clone_child = child.exit_signal != SIGCHLD
            if clone_child != bool(self.options & WAIT_CLONE):
                return False
        if self.options & WAIT_NOTHREAD and child.parent_task is not self.task:
            return False
        namespace = self.task.pid_namespace
        if self.kind == P_PID:
            return child.identifier_in(namespace) == self.identifier
        if self.kind == P_PGID:
            group = child.process_group
            return group is not None and group.identifier_in(namespace) == self.identifier
        return self.kind == P_ALL

    def take(self, child: "ThreadGroup") -> ChildEvent | None:
        """The child's reportable change, consumed unless WNOWAIT."""
        keep = bool(self.options & WNOWAIT)
        if child.is_zombie:
            if not self.options & WEXITED or child.last_tracing is not None:
                return None
            event = ChildEvent(
                self.task, child, *decode_status(child.exit_status), child.exit_status
            )
            if not keep:
                reap(child)
            return event
        tracing = child.leader.tracing
        if tracing is not None and tracing.tracer is self.task.thread_group:
            return None  # its stops are those of a tracee
        if child.stop_report and self.options & WSTOPPED:
            signal = child.stop_report
            if not keep:
                child.stop_report = 0
            return ChildEvent(self.task, child, CLD_STOPPED, signal, signal << 8 | 0x7F)
        if child.continued_report and self.options & WCONTINUED:
            if not keep:
                child.continued_report = False
            return ChildEvent(self.task, child, CLD_CONTINUED, SIGCONT, CONTINUED_STATUS)
        return None

    def matches_tracee(self, tracing: "Tracing") -> bool:
        """Whether the wait is for this traced thread; clone flags do not matter to tracers."""
        namespace = self.task.pid_namespace
        if self.kind == P_PID:
            return tracing.task.identifier_in(namespace) == self.identifier
        if self.kind == P_PGID:
            group = tracing.task.thread_group.process_group
            return group is not None and group.identifier_in(namespace) == self.identifier
        return self.kind == P_ALL

    def take_tracee(self, tracing: "Tracing") -> ChildEvent | None:
        """A stop or the end of a traced thread."""
        keep = bool(self.options & WNOWAIT)
        thread = tracing.task
        identifier = thread.identifier_in(self.task.pid_namespace)
        group = thread.thread_group
        if tracing.exit_status is not None:
            if not self.options & WEXITED:
                return None
            status = tracing.exit_status
            event = ChildEvent(self.task, group, *decode_status(status), status, identifier)
            if not keep:
                tracing.waited()
            return event
        stop = tracing.stop
        if stop is None or stop.reported:
            return None
        if not keep:
            stop.reported = True
        status = stop.code << 8 | 0x7F
        return ChildEvent(self.task, group, CLD_TRAPPED, stop.code, status, identifier)


async def wait_for_child(selector: ChildSelector) -> ChildEvent | None:
    """The next change; None for WNOHANG when there is none yet.  Errors: ECHILD."""
    group = selector.task.thread_group
    while True:
        found = False
        for tracing in list(group.tracees):
            if selector.matches_tracee(tracing):
                found = True
                event = selector.take_tracee(tracing)
                if event is not None:
                    return event
        for child in list(group.children):
            if selector.matches(child):
                found = True
                event = selector.take(child)
                if event is not None:
                    return event
        if not found:
            raise ECHILD
        if selector.options & WNOHANG:
            return None
        await wait(selector.task, ((group.child_queue, ANY_EVENT),))
