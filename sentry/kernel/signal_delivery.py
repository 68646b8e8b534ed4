"""What happens to a task before guest code runs again: exits, stops, handlers, restarts.

`prepare_return` is Linux's exit_to_user_mode loop.  The frame of a handler is built in
`kernel/signal_frame.py`.
"""

from runsc_py.sentry.abi.memory import PAGE_SIZE
from runsc_py.sentry.abi.process import SUID_DUMP_USER
from runsc_py.sentry.abi.signals import (
    CLD_STOPPED,
    CORE_SIGNALS,
    IGNORED_BY_DEFAULT,
    SA_NODEFER,
    SA_RESETHAND,
    SA_RESTART,
    SIG_DFL,
    SIG_IGN,
    SIGSEGV,
    SIGSTOP,
    STOP_SIGNALS,
    UNBLOCKABLE,
    bit,
)
from runsc_py.sentry.errors import EFAULT, EINTR
from runsc_py.sentry.kernel.child_events import notify_parent_of_change
from runsc_py.sentry.kernel.exit import exit_thread_group
from runsc_py.sentry.kernel.limits import RLIMIT_CORE
from runsc_py.sentry.kernel.signal_frame import push_frame
from runsc_py.sentry.kernel.signal_sending import force_signal
from runsc_py.sentry.kernel.signals import SignalAction, SignalInfo
from runsc_py.sentry.kernel.task import DEAD, STOPPED
from runsc_py.sentry.syscalls.table import Restart

TYPE_CHECKING = False
if TYPE_CHECKING:
    from runsc_py.sentry.kernel.task import Task
    from runsc_py.sentry.kernel.thread_group import ThreadGroup

SYSCALL_INSTRUCTION_SIZE = 2


def prepare_return(task: "Task") -> bool:
    """Do what is pending.  False when the task must not run guest code now (stopped, dead)."""
    group = task.thread_group
    while task.attention:
        if task.state == DEAD:
            return False
        if group.stop_signal:
            task.state = STOPPED
            return False
        info = task.dequeue_signal(~task.signal_mask)
        if info is None:
            task.attention = False
            break
        if task.kernel.strace is not None:
            task.kernel.strace.signal(task, info)
        act(task, info)
    if task.state == DEAD:
        return False
    finish_return(task)
    if task.attention:
        return prepare_return(task)
    return True


def finish_return(task: "Task") -> None:
    """All signals are served: settle an interrupted call and the mask of sigsuspend."""
    if task.restart_pending:
        _restart_without_handler(task)
    task.restore_signal_mask()


def act(task: "Task", info: SignalInfo) -> None:
    """Carry out the disposition of one signal."""
    group = task.thread_group
    number = info.number
    action = group.handlers.get(number)
    if action.handler == SIG_IGN:
        return
    if action.handler != SIG_DFL:
        _run_handler(task, info, action)
    elif bit(number) & IGNORED_BY_DEFAULT or group.is_unkillable and not bit(number) & UNBLOCKABLE:
        return
    elif bit(number) & STOP_SIGNALS:
        _stop(group, number)
    else:
        terminate(group, number)


def is_deadly(group: "ThreadGroup", number: int) -> bool:
    """Whether `act` would end the process."""
    harmless = IGNORED_BY_DEFAULT | STOP_SIGNALS
    if group.handlers.get(number).handler != SIG_DFL or bit(number) & harmless:
        return False
    return not group.is_unkillable or bool(bit(number) & UNBLOCKABLE)


def terminate(group: "ThreadGroup", number: int) -> None:
    """The default action of a deadly signal."""
    exit_thread_group(group, deadly_status(group, number))


def deadly_status(group: "ThreadGroup", number: int) -> int:
    """The wait status of who dies of a signal.

    No core file is ever written, but the status says that one would have been.
    """
    dumps = bit(number) & CORE_SIGNALS and _would_dump(group)
    return number | 0x80 if dumps else number


def _would_dump(group: "ThreadGroup") -> bool:
    """core(5): the process is dumpable, and the limit leaves room for a page."""
    dumpable = any(task.memory.dumpable == SUID_DUMP_USER for task in group.tasks[:1])
    return dumpable and group.limits.get(RLIMIT_CORE)[0] >= PAGE_SIZE


def _stop(group: "ThreadGroup", number: int) -> None:
    """Job control stops every thread."""
    process_group = group.process_group
    if number != SIGSTOP and (process_group is None or process_group.is_orphaned()):
        return
    group.stop_signal = number
    group.stop_report = number
    group.continued_report = False
    for task in group.tasks:
        if task.tracing is not None:
            task.tracing.trap()
        else:
            task.interrupt()
    notify_parent_of_change(group, CLD_STOPPED, number)


def _run_handler(task: "Task", info: SignalInfo, action: SignalAction) -> None:
    """Make the task continue in its handler."""
    if task.restart_pending:
        _settle_interrupted_call(task, action)
    mask = task.signal_mask if task.saved_signal_mask is None else task.saved_signal_mask
    task.saved_signal_mask = None
    try:
        push_frame(task, info, action, mask)
    except EFAULT:
        if info.number == SIGSEGV:
            terminate(task.thread_group, SIGSEGV)
        else:
            force_signal(task, SignalInfo.from_kernel(SIGSEGV))
        return
    if action.flags & SA_RESETHAND:
        once = SignalAction(SIG_DFL, action.flags, action.restorer, action.mask)
        task.thread_group.handlers.actions[info.number] = once
    blocked = action.mask
    if not action.flags & SA_NODEFER:
        blocked |= bit(info.number)
    task.set_signal_mask(task.signal_mask | blocked)


def _settle_interrupted_call(task: "Task", action: SignalAction) -> None:
    """A handler interrupts a blocking call: EINTR, or the call again after the handler."""
    task.restart_pending = False
    # What keeps a restart block (a deadline) is never run again after a handler, as on Linux:
    # the handler's own calls would find it.
    rule = _restart_rule(task)
    again = rule is Restart.ALWAYS or (
        rule is Restart.SYSTEM and action.flags & SA_RESTART and task.restart_block is None
    )
    if again:
        rewind(task)
    else:
        task.restart_block = None
        task.context.registers.rax = -EINTR.number & 0xFFFFFFFFFFFFFFFF
        task.context.set_registers_changed()


def _restart_without_handler(task: "Task") -> None:
    """Interrupted, but no handler ran: the call is made again, except for the few of NEVER."""
    task.restart_pending = False
    if _restart_rule(task) is Restart.NEVER:
        task.restart_block = None
        task.context.set_result(-EINTR.number)
    else:
        rewind(task)


def _restart_rule(task: "Task") -> Restart:
    """What is to become of the interrupted call."""
    if task.restart_rule is not None:
        return task.restart_rule
    entry = task.syscall
    assert entry is not None
    return entry.restart


def rewind(task: "Task") -> None:
    """Let the guest execute the `syscall` instruction of the current call once more."""
    registers = task.context.registers
    registers.rip -= SYSCALL_INSTRUCTION_SIZE
    registers.rax = task.context.number
    task.context.set_registers_changed()
