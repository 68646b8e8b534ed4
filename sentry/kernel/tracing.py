"""ptrace(2) between guest tasks: who traces whom, and the stops of a tracee.

A `Tracing` hangs on the tracee.  A stop is an await: the tracee's coroutine waits for its
tracer's word, and only SIGKILL ends that otherwise.  Stops of system calls are made by
`watched_call.py`, those of signals here, on the way back to guest code.
"""

from runsc_py.sentry.abi.ptrace import (
    EVENT_OPTIONS,
    PTRACE_EVENT_EXIT,
    PTRACE_EVENT_STOP,
    PTRACE_EVENTMSG_SYSCALL_ENTRY,
    PTRACE_EVENTMSG_SYSCALL_EXIT,
    PTRACE_O_EXITKILL,
    PTRACE_O_TRACESYSGOOD,
    TRAP_FLAG,
)
from runsc_py.sentry.abi.signals import (
    CLD_TRAPPED,
    SI_KERNEL,
    SI_USER,
    SIGCHLD,
    SIGINFO_CHILD,
    SIGKILL,
    SIGSTOP,
    SIGTRAP,
    bit,
)
from runsc_py.sentry.kernel.child_events import decode_status
from runsc_py.sentry.kernel.signals import SignalInfo
from runsc_py.sentry.kernel.task import DEAD, STOPPED
from runsc_py.sentry.kernel.waiting import ANY_EVENT, WaitQueue, wait

TYPE_CHECKING = False
if TYPE_CHECKING:
    from runsc_py.sentry.auth.credentials import Credentials
    from runsc_py.sentry.kernel.task import Task
    from runsc_py.sentry.kernel.thread_group import ThreadGroup

# How the tracer resumed the tracee.
CONTINUE = 0
SYSCALL = 1
SINGLESTEP = 2
SYSEMU = 3
SYSEMU_SINGLESTEP = 4
STEPPING = (SINGLESTEP, SYSEMU_SINGLESTEP)
#: the system call is left to the tracer: a stop at its entry, and it is not executed
EMULATING = (SYSEMU, SYSEMU_SINGLESTEP)

# Kinds of stops.
SIGNAL_STOP = 0
GROUP_STOP = 1
EVENT_STOP = 2
SYSCALL_ENTRY_STOP = 3
SYSCALL_EXIT_STOP = 4
#: a seized tracee's own: at PTRACE_INTERRUPT, and when job control stops or continues it
TRAP_STOP = 5


class Stop:
    """A stop that the tracer can wait for and look into."""

    __slots__ = ("code", "info", "kind", "message", "reported")

    def __init__(self, kind: int, code: int, info: SignalInfo, message: int = 0) -> None:
        self.kind = kind
        #: what wait(2) shows in the second byte and above
        self.code = code
        #: PTRACE_GETSIGINFO; the tracer may replace it
        self.info = info
        #: PTRACE_GETEVENTMSG
        self.message = message
        #: wait(2) has told the tracer
        self.reported = False


class Tracing:
    """One tracee's relation to its tracer."""

    __slots__ = (
        "credentials",
        "events",
        "exit_status",
        "injected",
        "listening",
        "mode",
        "options",
        "resume_queue",
        "seized",
        "stop",
        "task",
        "tracer",
        "trap_wanted",
    )

    def __init__(
        self,
        task: "Task",
        tracer: "ThreadGroup",
        options: int,
        seized: bool,
        credentials: "Credentials",
    ) -> None:
        self.task = task
        self.tracer = tracer
        #: of who asked for it, the tracee itself with PTRACE_TRACEME: what execve(2) asks for
        self.credentials = credentials
        self.options = options
        self.seized = seized
        #: what the tracer asked for when it resumed the tracee last
        self.mode = CONTINUE
        self.stop: Stop | None = None
        #: signal that the tracer resumed with
        self.injected = 0
        #: (event, message) to be reported before guest code runs again
        self.events: list[tuple[int, int]] = []
        #: to stop soon: PTRACE_INTERRUPT, the first stop of a seized child, job control
        self.trap_wanted = False
        #: PTRACE_LISTEN: stopped, out of the tracer's reach until the next trap
        self.listening = False
        self.resume_queue = WaitQueue()
        #: wait status once the thread has ended
        self.exit_status: int | None = None
        tracer.tracees.append(self)
        task.tracing = self
        task.watched = True

    def wants(self, event: int) -> bool:
        """Whether the tracer asked for stops at this event."""
        return bool(self.options & EVENT_OPTIONS[event])

    def trap(self) -> None:
        """Stop soon, also out of a system call; a tracee that listens traps anew."""
        self.trap_wanted = True
        if self.listening:
            self.resume(CONTINUE, 0)
        else:
            self.task.interrupt()

    def listen(self) -> None:
        """PTRACE_LISTEN."""
        self.listening = True
        if self.trap_wanted:
            self.trap()

    def resume(self, mode: int, signal: int) -> None:
        """The tracer lets the tracee go on."""
        self.stop = None
        self.listening = False
        self.mode = mode
        self.injected = signal
        self.resume_queue.notify()

    def waited(self) -> None:
        """The tracer has heard of the end, or ended itself; a process is its parent's now."""
        from runsc_py.sentry.kernel.exit import tell_parent

        self.tracer.tracees.remove(self)
        group = self.task.thread_group
        if group.last_tracing is self:
            tell_parent(group)

    def detach(self, signal: int = 0) -> None:
        """End the relation; a stopped tracee goes on."""
        task = self.task
        task.tracing = None
        if self in self.tracer.tracees:
            self.tracer.tracees.remove(self)
        task.watched = task.is_observed()
        self.trap_wanted = False
        self.events.clear()
        if task.thread_group.stop_signal:
            task.attention = True  # job control holds it again
        if self.stop is not None:
            self.resume(CONTINUE, signal)


def attach(task: "Task", tracer: "Task", options: int = 0, *, seized: bool) -> Tracing:
    """Begin to trace; PTRACE_ATTACH also sends SIGSTOP."""
    tracing = Tracing(task, tracer.thread_group, options, seized, tracer.credentials)
    if not seized:
        task.send_signal(SignalInfo(SIGSTOP, SI_KERNEL))
    if task.state == STOPPED:
        tracing.trap_wanted = True
        task.resume_from_stop()
    return tracing


def inherit(parent: "Task", child: "Task") -> None:
    """The tracer wanted to follow this clone: the child is traced from its first instruction."""
    tracing = parent.tracing
    assert tracing is not None
    copy = Tracing(child, tracing.tracer, tracing.options, tracing.seized, tracing.credentials)
    if tracing.seized:
        copy.trap_wanted = True
    else:
        child.pending.add(SignalInfo(SIGSTOP, SI_USER))
    child.attention = True


def release_tracees(group: "ThreadGroup") -> None:
    """The tracer ended."""
    for tracing in list(group.tracees):
        if tracing.exit_status is not None:
            tracing.waited()
            continue
        if tracing.options & PTRACE_O_EXITKILL:
            tracing.task.kernel.doom(tracing.task.thread_group)
        tracing.detach()


def tracee_ended(task: "Task", status: int) -> None:
    """A traced thread is gone: its tracer hears of it, unless it is its parent and hears anyway."""
    tracing = task.tracing
    assert tracing is not None
    task.tracing = None
    tracing.stop = None
    group = task.thread_group
    is_child_of_tracer = task is group.leader and group.parent is tracing.tracer
    if is_child_of_tracer or tracing.tracer.exiting:
        if tracing in tracing.tracer.tracees:
            tracing.tracer.tracees.remove(tracing)
        return
    tracing.exit_status = status
    if task is group.leader:
        group.last_tracing = tracing
    _notify(tracing, *decode_status(status))


def _notify(tracing: Tracing, code: int, status: int) -> None:
    """SIGCHLD to the tracer, and its waiters wake."""
    tracer, task = tracing.tracer, tracing.task
    raw = SIGINFO_CHILD.pack(
        SIGCHLD,
        0,
        code,
        task.identifier_in(tracer.pid_namespace),
        task.credentials.uid,
        status,
        0,
        0,
    )
    tracer.send_signal(SignalInfo(SIGCHLD, raw=raw))
    tracer.child_queue.notify()


async def stop(tracing: Tracing, reason: Stop) -> int:
    """Stop the tracee until its tracer resumes it; returns the signal it was resumed with."""
    task = tracing.task
    tracing.stop = reason
    tracing.injected = 0
    _notify(tracing, CLD_TRAPPED, reason.code & 0x7F)
    while tracing.stop is reason:
        await wait(task, ((tracing.resume_queue, ANY_EVENT),), interruptible=False)
    registers = task.context.registers
    if tracing.mode in STEPPING:
        registers.eflags |= TRAP_FLAG
    else:
        registers.eflags &= ~TRAP_FLAG
    if reason.kind != SYSCALL_ENTRY_STOP:
        task.context.set_registers_changed()
    return tracing.injected


def _trap(tracing: Tracing, code: int, number: int = SIGTRAP) -> SignalInfo:
    task = tracing.task
    identifier = task.identifier_in(task.pid_namespace)
    return SignalInfo(number, code, identifier, task.credentials.uid)


async def event_stop(tracing: Tracing, event: int, message: int) -> None:
    """A PTRACE_EVENT stop."""
    code = SIGTRAP | event << 8
    await stop(tracing, Stop(EVENT_STOP, code, _trap(tracing, code), message))


async def syscall_stop(tracing: Tracing, kind: int) -> None:
    """A stop at the entry or exit of a system call, if the tracer resumed with PTRACE_SYSCALL."""
    at_entry = kind == SYSCALL_ENTRY_STOP
    if tracing.mode != SYSCALL and not (at_entry and tracing.mode in EMULATING):
        return
    code = SIGTRAP | (0x80 if tracing.options & PTRACE_O_TRACESYSGOOD else 0)
    message = PTRACE_EVENTMSG_SYSCALL_ENTRY if at_entry else PTRACE_EVENTMSG_SYSCALL_EXIT
    signal = await stop(tracing, Stop(kind, code, _trap(tracing, code), message))
    if signal:
        tracing.task.send_signal(SignalInfo(signal, SI_USER))


async def report_events(tracing: Tracing) -> None:
    """The stops of events that happened meanwhile."""
    while tracing.events:
        event, message = tracing.events.pop(0)
        await event_stop(tracing, event, message)


async def signal_stop(tracing: Tracing, info: SignalInfo) -> SignalInfo | None:
    """A signal-delivery stop: the tracer may suppress, replace or let pass the signal."""
    reason = Stop(SIGNAL_STOP, info.number, info)
    signal = await stop(tracing, reason)
    if not signal:
        return None
    if signal == info.number:
        return reason.info
    return SignalInfo(signal, SI_USER)


async def trap_stop(tracing: Tracing) -> None:
    """Job control stopped the process, or the tracer asked for a stop (do_jobctl_trap).

    A seized tracee says so by an event, and also when it is continued.
    """
    tracing.trap_wanted = False
    number = tracing.task.thread_group.stop_signal
    if tracing.seized:
        number = number or SIGTRAP
        code = number | PTRACE_EVENT_STOP << 8
        await stop(tracing, Stop(TRAP_STOP, code, _trap(tracing, code, number)))
    elif number:
        await stop(tracing, Stop(GROUP_STOP, number, _trap(tracing, number)))


async def report_death(tracing: Tracing, number: int) -> None:
    """PTRACE_O_TRACEEXIT of a task that a signal is about to end; SIGKILL ends it at once."""
    from runsc_py.sentry.kernel.signal_delivery import deadly_status, is_deadly

    group = tracing.task.thread_group
    if number != SIGKILL and tracing.wants(PTRACE_EVENT_EXIT) and is_deadly(group, number):
        await event_stop(tracing, PTRACE_EVENT_EXIT, deadly_status(group, number))


async def prepare_traced_return(task: "Task") -> None:
    """What `signal_delivery.prepare_return` does, with the stops of a tracee."""
    from runsc_py.sentry.kernel.signal_delivery import act, finish_return

    while (tracing := task.tracing) is not None and task.attention and task.state != DEAD:
        if tracing.events:
            await report_events(tracing)
            continue
        if tracing.trap_wanted:
            # Afterwards it is the tracer's word that counts, whatever job control says.
            await trap_stop(tracing)
            continue
        info = task.dequeue_signal(~task.signal_mask)
        if info is None:
            task.attention = False
            break
        if info.number != SIGKILL:
            passed = await signal_stop(tracing, info)
            if passed is None:
                continue
            if passed is not info and task.signal_mask & bit(passed.number):
                task.pending.add(passed)
                continue
            info = passed
        await report_death(tracing, info.number)
        act(task, info)
    if task.tracing is not None and task.state != DEAD:
        finish_return(task)
