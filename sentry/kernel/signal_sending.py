"""Sending signals: who gets one, who is woken, what stops and continues do at once.

signal(7), kill(2).  Permission checks belong to the system calls; this is Linux's
send_signal_locked.  What a signal then does is `kernel/signal_delivery.py`.
"""

from runsc_py.sentry.abi.signals import (
    CLD_CONTINUED,
    IGNORED_BY_DEFAULT,
    SI_KERNEL,
    SIG_DFL,
    SIG_IGN,
    SIGCONT,
    SIGKILL,
    SIGRTMIN,
    STOP_SIGNALS,
    UNBLOCKABLE,
    bit,
)
from runsc_py.sentry.auth.user_counts import charge_resource
from runsc_py.sentry.errors import EAGAIN
from runsc_py.sentry.kernel.limits import RLIM_INFINITY, RLIMIT_SIGPENDING
from runsc_py.sentry.kernel.signals import SignalAction, SignalInfo

TYPE_CHECKING = False
if TYPE_CHECKING:
    from runsc_py.sentry.kernel.signals import PendingSignals
    from runsc_py.sentry.kernel.task import Task
    from runsc_py.sentry.kernel.thread_group import ThreadGroup


def is_ignored(group: "ThreadGroup", number: int) -> bool:
    """Whether the process discards this signal when it is not blocked; a tracer sees it even so."""
    handler = group.handlers.get(number).handler
    if handler != SIG_DFL:
        return handler == SIG_IGN
    if group.is_unkillable:
        return not bit(number) & UNBLOCKABLE
    return bool(bit(number) & IGNORED_BY_DEFAULT) and number != SIGCONT


def _is_protected(group: "ThreadGroup", info: SignalInfo) -> bool:
    """Whether this SIGKILL or SIGSTOP comes from a namespace's process to its first one."""
    if not group.is_unkillable or not bit(info.number) & UNBLOCKABLE or info.code == SI_KERNEL:
        return False
    return group.kernel.current_task.identifier_in(group.pid_namespace) != 0


def send_to_thread_group(group: "ThreadGroup", info: SignalInfo) -> None:
    """Queue a signal for a process and wake a thread that takes it.

    Errors: EAGAIN when a real-time queue is full.
    """
    if group.exiting or not group.tasks or _is_protected(group, info):
        return
    if info.number == SIGKILL:
        group.kernel.doom(group)
        return
    _stop_and_continue(group, info.number)
    mask = bit(info.number)
    target = _choose(group, mask)
    if target is not None and group.leader.tracing is None and is_ignored(group, info.number):
        return
    if _queue(group.tasks[0] if target is None else target, group.pending, info):
        _wake_signal_files(group)
    if target is not None:
        target.interrupt()


def send_to_task(task: "Task", info: SignalInfo) -> None:
    """Queue a signal for one thread.  Errors: EAGAIN when a real-time queue is full."""
    group = task.thread_group
    if group.exiting or task not in group.tasks or _is_protected(group, info):
        return
    if info.number == SIGKILL:
        group.kernel.doom(group)
        return
    _stop_and_continue(group, info.number)
    blocked = bool(task.signal_mask & bit(info.number))
    if not blocked and task.tracing is None and is_ignored(group, info.number):
        return
    if _queue(task, task.pending, info):
        _wake_signal_files(group)
    if not blocked:
        task.interrupt()


def force_signal(task: "Task", info: SignalInfo) -> None:
    """A fault: the thread cannot go on, so blocking or ignoring the signal means death."""
    group = task.thread_group
    action = group.handlers.get(info.number)
    if task.signal_mask & bit(info.number) or action.handler == SIG_IGN:
        action = group.handlers.actions[info.number] = SignalAction()
        task.set_signal_mask(task.signal_mask & ~bit(info.number))
    if action.handler == SIG_DFL and task.tracing is None:
        group.is_unkillable = False
    task.pending.add(info)
    task.attention = True


def _queue(task: "Task", pending: "PendingSignals", info: SignalInfo) -> bool:
    """Queue a signal that counts for its receiver's user; whether it is a new one.

    When the user has too many, a signal that need not be queued is pending without its siginfo.
    Errors: EAGAIN for a real-time signal that somebody sent with a value.
    """
    number = info.number
    is_standard = number < SIGRTMIN
    if is_standard and pending.mask & bit(number) and not info.is_of_timer:
        return False
    if info.charge is None:
        credentials = task.credentials
        limit = task.thread_group.limits.soft(RLIMIT_SIGPENDING)
        if is_standard and info.code >= 0:
            limit = RLIM_INFINITY
        info.charge = charge_resource(
            credentials.user_namespace, credentials.uid, RLIMIT_SIGPENDING, 1, limit
        )
        if info.charge is None:
            if not is_standard and info.code < 0:
                raise EAGAIN
            if pending.mask & bit(number):
                return False
            info = SignalInfo(number)
    return pending.add(info)


def _choose(group: "ThreadGroup", mask: int) -> "Task | None":
    """A thread that does not block the signal; the leader is asked first."""
    for task in group.tasks:
        if not task.signal_mask & mask:
            return task
        # A thread in sigtimedwait or sigsuspend waits for what its usual mask blocks.
    return None


def _wake_signal_files(group: "ThreadGroup") -> None:
    """Wake who waits for *blocked* signals: signalfd readers and sigtimedwait."""
    group.kernel.signal_queue.notify()


def _stop_and_continue(group: "ThreadGroup", number: int) -> None:
    """SIGCONT and stop signals cancel each other when they are sent, handled or not."""
    if bit(number) & STOP_SIGNALS:
        _discard(group, bit(SIGCONT))
    elif number == SIGCONT:
        _discard(group, STOP_SIGNALS)
        continue_group(group)


def _discard(group: "ThreadGroup", mask: int) -> None:
    group.pending.discard(mask)
    for task in group.tasks:
        task.pending.discard(mask)


def continue_group(group: "ThreadGroup") -> None:
    """End a job-control stop; the parent may wait for it (WCONTINUED)."""
    if not group.stop_signal:
        return
    group.stop_signal = 0
    group.stop_report = 0
    group.continued_report = True
    from runsc_py.sentry.kernel.child_events import notify_parent_of_change

    notify_parent_of_change(group, CLD_CONTINUED, SIGCONT)
    for task in group.tasks:
        task.resume_from_stop()
        if task.tracing is not None and task.tracing.seized:
            task.tracing.trap()
