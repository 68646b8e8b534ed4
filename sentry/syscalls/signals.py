"""Signal calls: dispositions, masks, sending, synchronous waiting, alternate stacks."""

from runsc_py.sentry.abi.signals import (
    IGNORED_BY_DEFAULT,
    SA_RESTORER,
    SI_TKILL,
    SI_USER,
    SIG_BLOCK,
    SIG_DFL,
    SIG_IGN,
    SIG_SETMASK,
    SIG_UNBLOCK,
    SIGACTION,
    SIGCONT,
    SIGINFO_SIZE,
    SIGRTMAX,
    STACK_T,
    UNBLOCKABLE,
    bit,
)
from runsc_py.sentry.auth.capabilities import CAP_KILL
from runsc_py.sentry.errors import EAGAIN, EFAULT, EINTR, EINVAL, EPERM, ESRCH
from runsc_py.sentry.kernel.alternate_stack import alternate_stack_flags, set_alternate_stack
from runsc_py.sentry.kernel.signal_frame import pop_frame
from runsc_py.sentry.kernel.signal_sending import force_signal
from runsc_py.sentry.kernel.signals import SignalAction, SignalInfo
from runsc_py.sentry.kernel.task import Task
from runsc_py.sentry.kernel.thread_group import ThreadGroup
from runsc_py.sentry.kernel.waiting import ANY_EVENT, wait
from runsc_py.sentry.syscalls.table import Restart, syscall
from runsc_py.sentry.syscalls.time_arguments import copy_in_timeout
from runsc_py.sentry.syscalls.types import (
    InSigaction,
    InSiginfo,
    InSignalSet,
    InSignalStack,
    InTimespec,
    OutSigaction,
    OutSiginfo,
    OutSignalSet,
    OutSignalStack,
    Pid,
    Signal,
    SignalHow,
    Size,
)

SIGSET_SIZE = 8
#: actions that sigaction(2) keeps; unknown flag bits are dropped, which is how programs probe
KNOWN_FLAGS = 0x0000_0807 | 0xDC00_0000 | SA_RESTORER


def copy_in_signal_set(task: Task, address: int, size: int = SIGSET_SIZE) -> int:
    """A sigset_t.  Errors: EINVAL for another size, EFAULT."""
    if size != SIGSET_SIZE:
        raise EINVAL
    return int.from_bytes(task.memory.copy_in(address, SIGSET_SIZE), "little")


@syscall(13, "rt_sigaction")
def rt_sigaction(
    task: Task, signal: Signal, new: InSigaction, old: OutSigaction, size: Size
) -> int:
    """rt_sigaction(2)"""
    if size != SIGSET_SIZE or not 0 < signal <= SIGRTMAX:
        raise EINVAL
    handlers = task.thread_group.handlers
    before = handlers.get(signal)
    action: SignalAction | None = None
    if new:
        handler, flags, restorer, mask = SIGACTION.unpack(task.memory.copy_in(new, SIGACTION.size))
        if bit(signal) & UNBLOCKABLE:
            raise EINVAL
        action = SignalAction(handler, flags & KNOWN_FLAGS, restorer, mask & ~UNBLOCKABLE)
    if action is not None:
        handlers.actions[signal] = action
        if action.handler == SIG_IGN or (
            action.handler == SIG_DFL and bit(signal) & IGNORED_BY_DEFAULT and signal != SIGCONT
        ):
            task.thread_group.pending.discard(bit(signal))
            for other in task.thread_group.tasks:
                other.pending.discard(bit(signal))
    if old:
        task.memory.copy_out(
            old, SIGACTION.pack(before.handler, before.flags, before.restorer, before.mask)
        )
    return 0


@syscall(14, "rt_sigprocmask")
def rt_sigprocmask(
    task: Task, how: SignalHow, new: InSignalSet, old: OutSignalSet, size: Size
) -> int:
    """rt_sigprocmask(2)"""
    if size != SIGSET_SIZE:
        raise EINVAL
    before = task.signal_mask
    if new:
        mask = copy_in_signal_set(task, new)
        if how == SIG_BLOCK:
            task.set_signal_mask(before | mask)
        elif how == SIG_UNBLOCK:
            task.set_signal_mask(before & ~mask)
        elif how == SIG_SETMASK:
            task.set_signal_mask(mask)
        else:
            raise EINVAL
    if old:
        task.memory.copy_out(old, before.to_bytes(8, "little"))
    return 0


@syscall(15, "rt_sigreturn")
def rt_sigreturn(task: Task) -> int | None:
    """rt_sigreturn(2): a frame that cannot be read is a SIGSEGV, not an error."""
    try:
        pop_frame(task)
    except EFAULT:
        force_signal(task, SignalInfo.from_kernel(11))
    return None


@syscall(127, "rt_sigpending")
def rt_sigpending(task: Task, address: OutSignalSet, size: Size) -> int:
    """rt_sigpending(2)"""
    if size > SIGSET_SIZE:
        raise EINVAL
    pending = (task.pending.mask | task.thread_group.pending.mask) & task.signal_mask
    task.memory.copy_out(address, pending.to_bytes(8, "little")[:size])
    return 0


@syscall(130, "rt_sigsuspend", restart=Restart.NEVER)
async def rt_sigsuspend(task: Task, address: InSignalSet, size: Size) -> int:
    """rt_sigsuspend(2)"""
    task.set_temporary_signal_mask(copy_in_signal_set(task, address, size))
    while True:
        await wait(task, ())


@syscall(34, "pause", restart=Restart.NO_HANDLER)
async def pause(task: Task) -> int:
    """pause(2)"""
    while True:
        await wait(task, ())


@syscall(128, "rt_sigtimedwait", restart=Restart.NEVER)
async def rt_sigtimedwait(
    task: Task, wanted: InSignalSet, info: OutSiginfo, timeout: InTimespec, size: Size
) -> int:
    """rt_sigtimedwait(2)"""
    mask = copy_in_signal_set(task, wanted, size) & ~UNBLOCKABLE
    deadline = copy_in_timeout(task, timeout)
    while True:
        taken = task.dequeue_signal(mask)
        if taken is not None:
            break
        if deadline is not None and deadline <= task.kernel.clock.monotonic():
            raise EAGAIN
        await wait(task, ((task.kernel.signal_queue, ANY_EVENT),), deadline)
    if info:
        task.memory.copy_out(info, taken.raw)
    return taken.number


@syscall(131, "sigaltstack")
def sigaltstack(task: Task, new: InSignalStack, old: OutSignalStack) -> int:
    """sigaltstack(2)"""
    address, _, size = task.alternate_stack
    before = STACK_T.pack(address, alternate_stack_flags(task), size)
    if new:
        set_alternate_stack(task, *STACK_T.unpack(task.memory.copy_in(new, STACK_T.size)))
    if old:
        task.memory.copy_out(old, before)
    return 0


@syscall(219, "restart_syscall", restart=Restart.NEVER)
def restart_syscall(task: Task) -> int:
    """restart_syscall(2): calls are restarted by executing them again, so nobody needs it."""
    raise EINTR


# -- sending -----------------------------------------------------------------------------


def may_signal(task: Task, group: ThreadGroup, number: int) -> bool:
    """kill(2): same real or effective user, CAP_KILL, or SIGCONT within the session."""
    mine, theirs = task.credentials, group.leader.credentials
    return (
        mine.euid in (theirs.suid, theirs.uid)
        or mine.uid in (theirs.suid, theirs.uid)
        or mine.has_capability(CAP_KILL, theirs.user_namespace)
        or (number == SIGCONT and group.session is task.thread_group.session)
    )


def _user_signal(task: Task, number: int, code: int, target: ThreadGroup) -> SignalInfo:
    sender = task.thread_group.identifier_in(target.pid_namespace)
    return SignalInfo(number, code, sender, task.credentials.uid)


def _check_number(number: int) -> None:
    if not 0 <= number <= SIGRTMAX:
        raise EINVAL


@syscall(62, "kill")
def kill(task: Task, pid: Pid, signal: Signal) -> int:
    """kill(2)"""
    targets = _kill_targets(task, pid)
    if not targets:
        raise ESRCH
    _check_number(signal)
    allowed = [group for group in targets if may_signal(task, group, signal)]
    if not allowed:
        raise EPERM
    if signal:
        for group in allowed:
            group.send_signal(_user_signal(task, signal, SI_USER, group))
    return 0


def _kill_targets(task: Task, pid: int) -> list[ThreadGroup]:
    namespace = task.pid_namespace
    if pid > 0:
        found = namespace.thread_group(pid)
        if found is None:
            member = namespace.tasks.get(pid)  # a thread id names its process
            found = member.thread_group if member is not None else None
        return [found] if found is not None else []
    if pid == -1:
        init = namespace.tasks.get(1)
        return [
            group
            for group in namespace.thread_groups()
            if group is not task.thread_group and (init is None or group is not init.thread_group)
        ]
    process_group = (
        task.thread_group.process_group if pid == 0 else namespace.process_groups.get(-pid)
    )
    return list(process_group.members) if process_group is not None else []


def _thread_kill(task: Task, tgid: int | None, tid: int, number: int) -> int:
    if tid <= 0 or (tgid is not None and tgid <= 0):
        raise EINVAL
    _check_number(number)
    target = task.pid_namespace.tasks.get(tid)
    if target is None:
        raise ESRCH
    group = target.thread_group
    if tgid is not None and group.identifier_in(task.pid_namespace) != tgid:
        raise ESRCH
    if not may_signal(task, group, number):
        raise EPERM
    if number:
        target.send_signal(_user_signal(task, number, SI_TKILL, group))
    return 0


@syscall(200, "tkill")
def tkill(task: Task, tid: Pid, signal: Signal) -> int:
    """tkill(2)"""
    return _thread_kill(task, None, tid, signal)


@syscall(234, "tgkill")
def tgkill(task: Task, tgid: Pid, tid: Pid, signal: Signal) -> int:
    """tgkill(2)"""
    return _thread_kill(task, tgid, tid, signal)


def _copy_in_siginfo(task: Task, address: int, number: int, to_self: bool) -> SignalInfo:
    """A siginfo that the caller made up; only to itself may it look like the kernel's."""
    raw = task.memory.copy_in(address, SIGINFO_SIZE)
    info = SignalInfo(number, raw=number.to_bytes(4, "little") + raw[4:])
    if not to_self and (info.code >= 0 or info.code == SI_TKILL):
        raise EPERM
    return info


@syscall(129, "rt_sigqueueinfo")
def rt_sigqueueinfo(task: Task, pid: Pid, signal: Signal, address: InSiginfo) -> int:
    """rt_sigqueueinfo(2)"""
    _check_number(signal)
    member = task.pid_namespace.tasks.get(pid)  # a thread id names its process
    group = member.thread_group if member is not None else None
    info = _copy_in_siginfo(task, address, signal, group is task.thread_group)
    if group is None:
        raise ESRCH
    if not may_signal(task, group, signal):
        raise EPERM
    if signal:
        group.send_signal(info)
    return 0


@syscall(297, "rt_tgsigqueueinfo")
def rt_tgsigqueueinfo(task: Task, tgid: Pid, tid: Pid, signal: Signal, address: InSiginfo) -> int:
    """rt_tgsigqueueinfo(2)"""
    if tgid <= 0 or tid <= 0:
        raise EINVAL
    _check_number(signal)
    target = task.pid_namespace.tasks.get(tid)
    group = target.thread_group if target is not None else None
    info = _copy_in_siginfo(task, address, signal, group is task.thread_group)
    if target is None or group is None or group.identifier_in(task.pid_namespace) != tgid:
        raise ESRCH
    if not may_signal(task, group, signal):
        raise EPERM
    if signal:
        target.send_signal(info)
    return 0
