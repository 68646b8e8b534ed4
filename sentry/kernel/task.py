"""Tasks: threads of guest programs (Linux's task_struct).

A task is driven by the run loop.  It is in one of these states::

    RUNNING   its context runs guest code; the next event comes from the platform
    KERNEL    the run loop is working for it right now
    BLOCKED   its coroutine waits (kernel/waiting.py)
    STOPPED   job control holds it; nothing runs until SIGCONT or SIGKILL
    DEAD      it ended
"""

from __future__ import annotations

from collections.abc import Coroutine, Sequence

from runsc_py.sentry.abi.signals import SIGKILL, SS_DISABLE, UNBLOCKABLE, bit
from runsc_py.sentry.kernel.io_accounting import IoAccounting
from runsc_py.sentry.kernel.pid_namespace import PidNamespace
from runsc_py.sentry.kernel.signal_sending import send_to_task
from runsc_py.sentry.kernel.signals import PendingSignals, SignalInfo

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from runsc_py.platform.interface import Context
    from runsc_py.sentry.auth.credentials import Credentials
    from runsc_py.sentry.kernel.fd_table import FdTable
    from runsc_py.sentry.kernel.file_context import FileContext
    from runsc_py.sentry.kernel.kernel import Kernel
    from runsc_py.sentry.kernel.namespaces import Namespaces
    from runsc_py.sentry.kernel.seccomp import Filter
    from runsc_py.sentry.kernel.thread_group import ThreadGroup
    from runsc_py.sentry.kernel.tracing import Tracing
    from runsc_py.sentry.kernel.user_dispatch import UserDispatch
    from runsc_py.sentry.kernel.waiting import WaitQueue
    from runsc_py.sentry.mm.memory_manager import MemoryManager
    from runsc_py.sentry.syscalls.table import Entry, Restart

RUNNING = 0
KERNEL = 1
BLOCKED = 2
STOPPED = 3
DEAD = 4


class Task:
    """A thread."""

    __slots__ = (
        "__weakref__",
        "_system_time",
        "alternate_stack",
        "attention",
        "clear_child_tid",
        "context",
        "coroutine",
        "credentials",
        "extras",
        "file_context",
        "files",
        "identifier",
        "identifiers",
        "interruptible",
        "io",
        "kernel",
        "memory",
        "name",
        "namespaces",
        "no_new_privileges",
        "parent_death_signal",
        "pending",
        "pid_namespace",
        "pid_namespace_for_children",
        "restart_block",
        "restart_pending",
        "restart_rule",
        "returning",
        "robust_list",
        "saved_signal_mask",
        "seccomp_filter",
        "seccomp_strict",
        "scheduled",
        "signal_mask",
        "start_time",
        "state",
        "syscall",
        "syscall_arguments",
        "syscall_started",
        "thread_group",
        "tracing",
        "user_dispatch",
        "vfork_queue",
        "voluntary_switches",
        "watched",
        "woken_by_queue",
        "woken_by_timeout",
    )

    def __init__(
        self,
        kernel: Kernel,
        thread_group: ThreadGroup,
        context: Context,
        *,
        credentials: Credentials,
        memory: MemoryManager,
        files: FdTable,
        file_context: FileContext,
        namespaces: Namespaces,
        name: bytes,
        wanted_identifiers: Sequence[int] = (),
    ) -> None:
        self.kernel = kernel
        self.thread_group = thread_group
        self.pid_namespace: PidNamespace = thread_group.pid_namespace
        #: unshare(CLONE_NEWPID) and setns change it
        self.pid_namespace_for_children: PidNamespace = self.pid_namespace
        self.identifiers = self.pid_namespace.register(self, wanted_identifiers)
        #: in the root PID namespace
        self.identifier = self.identifiers[kernel.root_pid_namespace]
        self.context = context
        context.owner = self
        self.credentials = credentials
        self.memory = memory
        self.files = files
        self.file_context = file_context
        self.namespaces = namespaces
        #: comm: at most 15 bytes
        self.name = name
        self.no_new_privileges = False
        self.parent_death_signal = 0
        self.start_time = kernel.clock.boottime()
        self._system_time = 0
        #: state of subsystems that few tasks have, by name
        self.extras: dict[str, Any] = {}

        # Signals.
        self.signal_mask = 0
        #: the mask to return to after sigsuspend and the like, when one is in force
        self.saved_signal_mask: int | None = None
        self.pending = PendingSignals()
        #: (address, flags, size) of sigaltstack(2)
        self.alternate_stack: tuple[int, int, int] = (0, SS_DISABLE, 0)

        # Threads.
        self.clear_child_tid = 0
        self.robust_list = 0
        #: somebody waits in vfork for this task to exec or exit
        self.vfork_queue: WaitQueue | None = None

        #: who traces this task, if anybody does
        self.tracing: Tracing | None = None
        #: the coroutine is no system call, but the way back to guest code of a traced task
        self.returning = False

        # seccomp(2).
        self.seccomp_filter: Filter | None = None
        self.seccomp_strict = False
        #: PR_SET_SYSCALL_USER_DISPATCH
        self.user_dispatch: UserDispatch | None = None

        # The run loop's.
        self.state = KERNEL
        #: how often it waited: voluntary_ctxt_switches of proc_pid_status(5)
        self.voluntary_switches = 0
        self.io = IoAccounting()
        #: calls take the detour through kernel/watched_call.py
        self.watched = kernel.strace is not None
        #: something is to be done before guest code runs again: a signal, a stop, an exit
        self.attention = False
        self.coroutine: Coroutine[Any, None, int | None] | None = None
        self.scheduled = False
        self.interruptible = False
        self.woken_by_queue = False
        self.woken_by_timeout = False
        #: the call being served
        self.syscall: Entry | None = None
        #: the arguments of the call being served, kept only while tracing
        self.syscall_arguments: tuple[int, ...] = ()
        self.syscall_started = 0
        #: a signal interrupted the call; signal delivery decides on EINTR or a restart
        self.restart_pending = False
        #: then: what is to become of it, where that is not the table entry's to say
        self.restart_rule: Restart | None = None
        #: what a call that restarts keeps from its first run (an absolute deadline, ns)
        self.restart_block: int | None = None

    def identifier_in(self, namespace: PidNamespace) -> int:
        """The thread id as seen from a namespace; 0 from outside of it."""
        return self.identifiers.get(namespace, 0)

    def system_time(self) -> int:
        """Nanoseconds of system time so far."""
        if self.state != DEAD:
            self._system_time += self.kernel.system_time.take(self)
        return self._system_time

    def user_time(self) -> int:
        """Nanoseconds of user time so far; 0 when it has ended."""
        return 0 if self.state == DEAD else self.context.cpu_time()

    def is_observed(self) -> bool:
        """Whether --strace, filters or user dispatch see its calls; a tracer is another matter."""
        return (
            self.kernel.strace is not None
            or self.seccomp_filter is not None
            or self.seccomp_strict
            or self.user_dispatch is not None
        )

    # -- signals -----------------------------------------------------------------

    def send_signal(self, info: SignalInfo) -> None:
        """Send to this thread only (tgkill, faults)."""
        send_to_task(self, info)

    def deliverable(self) -> int:
        """The pending signals that the mask does not hold back."""
        pending = self.pending.mask | self.thread_group.pending.mask
        return pending & ~self.signal_mask

    def dequeue_signal(self, mask: int) -> SignalInfo | None:
        """Take a pending signal of `mask`, the thread's own first."""
        return self.pending.take(mask) or self.thread_group.pending.take(mask)

    def set_signal_mask(self, mask: int) -> None:
        """Replace the blocked signals; SIGKILL and SIGSTOP cannot be blocked."""
        self.signal_mask = mask & ~UNBLOCKABLE
        if self.deliverable():
            self.attention = True

    def set_temporary_signal_mask(self, mask: int) -> None:
        """Block `mask` until this system call, and a handler that interrupts it, are done.

        sigsuspend(2), ppoll(2), pselect(2), epoll_pwait(2).
        """
        if self.saved_signal_mask is None:
            self.saved_signal_mask = self.signal_mask
        self.attention = True
        self.set_signal_mask(mask)

    def restore_signal_mask(self) -> None:
        """Return to the mask of before set_temporary_signal_mask."""
        if self.saved_signal_mask is not None:
            mask = self.saved_signal_mask
            self.saved_signal_mask = None
            self.set_signal_mask(mask)

    # -- blocking (called by kernel/waiting.py) ------------------------------------

    def must_interrupt(self, interruptible: bool) -> bool:
        """Whether a wait has to end because of a signal, a stop or the task's death."""
        group = self.thread_group
        if group.exiting:
            return True
        if not interruptible:
            return bool((self.pending.mask | group.pending.mask) & bit(SIGKILL))
        if self.deliverable():
            return True
        return group.stop_signal != 0 if self.tracing is None else self.tracing.trap_wanted

    def start_wait(self, interruptible: bool) -> None:
        """The coroutine is about to hand control to the run loop."""
        self.state = BLOCKED
        self.voluntary_switches += 1
        self.interruptible = interruptible
        self.woken_by_queue = False
        self.woken_by_timeout = False

    def end_wait(self) -> None:
        """The coroutine runs again, or is being closed."""
        if self.state == BLOCKED:
            self.state = KERNEL

    def wake(self, events: int) -> None:
        """A wait queue was notified (Waiter protocol)."""
        self.woken_by_queue = True
        self._schedule()

    def wake_by_timer(self) -> None:
        """The deadline of a wait passed."""
        self.woken_by_timeout = True
        self._schedule()

    def interrupt(self) -> None:
        """Make the task look at its signals soon, wherever it is."""
        self.attention = True
        if self.state == RUNNING:
            self.context.interrupt()
        elif self.state == BLOCKED and self.must_interrupt(self.interruptible):
            self._schedule()

    def _schedule(self) -> None:
        if self.state == BLOCKED and not self.scheduled:
            self.scheduled = True
            self.kernel.ready.append(self)

    # -- stops -----------------------------------------------------------------------

    def resume_from_stop(self) -> None:
        """SIGCONT, or death: let the run loop take the task up again."""
        if self.state == STOPPED and not self.scheduled:
            self.scheduled = True
            self.attention = True
            self.kernel.ready.append(self)
