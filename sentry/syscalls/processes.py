"""Making and waiting for processes; process ids, groups and sessions."""

import struct

from runsc_py.sentry.abi.memory import TASK_SIZE
from runsc_py.sentry.abi.process import (
    CLONE_ARGS,
    CLONE_ARGS_SIZE_VER0,
    CLONE_DETACHED,
    CLONE_NEWTIME,
    CLONE_PARENT,
    CLONE_PARENT_SETTID,
    CLONE_PIDFD,
    CLONE_THREAD,
    CLONE_VFORK,
    CLONE_VM,
    CSIGNAL,
    MAX_PID_NS_LEVEL,
    P_ALL,
    P_PGID,
    P_PID,
    P_PIDFD,
    WAIT_ALL,
    WAIT_CLONE,
    WAIT_NOTHREAD,
    WCONTINUED,
    WEXITED,
    WNOHANG,
    WNOWAIT,
    WSTOPPED,
    WUNTRACED,
)
from runsc_py.sentry.abi.process_limits import rusage
from runsc_py.sentry.abi.signals import SIGCHLD, SIGINFO_CHILD, SIGINFO_SIZE
from runsc_py.sentry.errors import (
    E2BIG,
    EACCES,
    EAGAIN,
    EBADF,
    EINVAL,
    EPERM,
    ESRCH,
    KernelError,
)
from runsc_py.sentry.kernel.child_wait import ChildEvent, ChildSelector, wait_for_child
from runsc_py.sentry.kernel.clone import CloneArguments, clone, wait_for_vfork
from runsc_py.sentry.kernel.sessions import ProcessGroup, Session
from runsc_py.sentry.kernel.task import Task
from runsc_py.sentry.kernel.thread_group import ThreadGroup
from runsc_py.sentry.syscalls.table import Support, syscall
from runsc_py.sentry.syscalls.types import (
    Address,
    CloneFlags,
    OutRusage,
    OutSiginfo,
    OutWaitStatus,
    Pid,
    Size,
    Wait4Options,
    WaitIdType,
    WaitOptions,
)
from runsc_py.sentry.vfs.open_file import O_NONBLOCK


async def _clone(task: Task, arguments: CloneArguments) -> int:
    child = clone(task, arguments)
    identifier = child.identifier_in(task.pid_namespace)
    if arguments.flags & CLONE_PIDFD:
        _give_pidfd(task, child, arguments.pidfd)
    if arguments.flags & CLONE_VFORK:
        await wait_for_vfork(task, child)
    return identifier


def _give_pidfd(task: Task, child: Task, address: int) -> None:
    """CLONE_PIDFD: the descriptor is there before the child runs."""
    from runsc_py.sentry.fs.pidfd import make_pid_file

    thread = child if child is not child.thread_group.leader else None
    file = make_pid_file(task, child.thread_group, 0, thread)
    fd = task.files.add(file, close_on_exec=True)
    task.memory.copy_out(address, fd.to_bytes(4, "little"))


@syscall(56, "clone")
async def clone_call(
    task: Task,
    flags: CloneFlags,
    stack: Address,
    parent_tid: Address,
    child_tid: Address,
    tls: Address,
) -> int:
    """clone(2), in the argument order of x86-64."""
    exit_signal = flags & CSIGNAL
    flags &= 0xFFFFFFFF & ~CSIGNAL
    if exit_signal > 64:
        raise EINVAL
    if flags & CLONE_PIDFD and flags & (CLONE_PARENT_SETTID | CLONE_DETACHED):
        raise EINVAL
    arguments = CloneArguments(
        flags, exit_signal, stack, parent_tid, child_tid, tls, pidfd=parent_tid
    )
    return await _clone(task, arguments)


@syscall(435, "clone3", support=Support.PARTIAL, note="no CLONE_INTO_CGROUP")
async def clone3(task: Task, address: Address, size: Size) -> int:
    """clone3(2)"""
    if size < CLONE_ARGS_SIZE_VER0:
        raise EINVAL
    if size > 4096:
        raise E2BIG
    raw = task.memory.copy_in_extensible(address, size, CLONE_ARGS.size)
    fields = CLONE_ARGS.as_dict(raw)
    flags: int = fields["flags"]
    if (
        flags & (CSIGNAL & ~CLONE_NEWTIME | CLONE_DETACHED)
        or flags >> 34
        or fields["exit_signal"] > 64
    ):
        raise EINVAL
    if bool(fields["stack"]) != bool(fields["stack_size"]):
        raise EINVAL
    wanted = _wanted_numbers(task, fields["set_tid"], fields["set_tid_size"])
    if fields["stack"] + fields["stack_size"] > TASK_SIZE:
        raise EINVAL
    if flags & (CLONE_THREAD | CLONE_PARENT) and fields["exit_signal"]:
        raise EINVAL
    arguments = CloneArguments(
        flags,
        fields["exit_signal"],
        fields["stack"] + fields["stack_size"],
        fields["parent_tid"],
        fields["child_tid"],
        fields["tls"],
        wanted,
        fields["pidfd"],
    )
    return await _clone(task, arguments)


def _wanted_numbers(task: Task, address: int, count: int) -> tuple[int, ...]:
    """clone3's set_tid.  Errors: EINVAL, EFAULT."""
    if count > MAX_PID_NS_LEVEL or bool(address) != bool(count):
        raise EINVAL
    return struct.unpack(f"<{count}i", task.memory.copy_in(address, 4 * count)) if count else ()


@syscall(57, "fork")
def fork(task: Task) -> int:
    """fork(2)"""
    return clone(task, CloneArguments(0, SIGCHLD)).identifier_in(task.pid_namespace)


@syscall(58, "vfork")
async def vfork(task: Task) -> int:
    """vfork(2)"""
    return await _clone(task, CloneArguments(CLONE_VM | CLONE_VFORK, SIGCHLD))


# -- waiting -----------------------------------------------------------------------------


def _wait4_selector(task: Task, pid: int, options: int) -> ChildSelector:
    if pid < -1:
        if pid == -(1 << 31):
            raise ESRCH
        return ChildSelector(task, P_PGID, -pid, options)
    if pid == 0:
        group = task.thread_group.process_group
        identifier = group.identifier_in(task.pid_namespace) if group is not None else 0
        return ChildSelector(task, P_PGID, identifier, options)
    return ChildSelector(task, P_ALL if pid == -1 else P_PID, pid, options)


@syscall(61, "wait4")
async def wait4(
    task: Task, pid: Pid, status: OutWaitStatus, options: Wait4Options, usage: OutRusage
) -> int:
    """wait4(2)"""
    options &= 0xFFFFFFFF
    known = WNOHANG | WUNTRACED | WCONTINUED | WAIT_NOTHREAD | WAIT_ALL | WAIT_CLONE
    if options & ~known:
        raise EINVAL
    event = await wait_for_child(_wait4_selector(task, pid, options | WEXITED))
    if event is None:
        return 0
    if status:
        task.memory.copy_out(status, event.wait_status.to_bytes(4, "little"))
    if usage:
        task.memory.copy_out(usage, rusage(event.usage))
    return event.identifier


@syscall(247, "waitid")
async def waitid(
    task: Task,
    kind: WaitIdType,
    identifier: Pid,
    info: OutSiginfo,
    options: WaitOptions,
    usage: OutRusage,
) -> int:
    """waitid(2)"""
    options &= 0xFFFFFFFF
    changes = WEXITED | WSTOPPED | WCONTINUED
    if options & ~(changes | WNOHANG | WNOWAIT | WAIT_NOTHREAD | WAIT_ALL | WAIT_CLONE):
        raise EINVAL
    if not options & changes:
        raise EINVAL
    event = None
    try:
        selector = _waitid_selector(task, kind, identifier, options)
        event = await wait_for_child(selector)
    except KernelError:
        if info:
            task.memory.copy_out(info, _child_siginfo(None))
        raise
    if event is None and selector.options & WNOHANG and not options & WNOHANG:
        raise EAGAIN  # the pidfd is O_NONBLOCK
    if info:
        task.memory.copy_out(info, _child_siginfo(event))
    if usage and event is not None:
        task.memory.copy_out(usage, rusage(event.usage))
    return 0


def _waitid_selector(task: Task, kind: int, identifier: int, options: int) -> ChildSelector:
    if kind == P_PIDFD:
        from runsc_py.sentry.fs.pidfd import PidFile

        if identifier < 0:
            raise EINVAL
        file = task.files.get(identifier)
        if not isinstance(file, PidFile):
            raise EBADF
        subject = file.thread or file.thread_group
        child = subject.identifier_in(task.pid_namespace)
        if file.flags & O_NONBLOCK:
            options |= WNOHANG
        return ChildSelector(task, P_PID, child, options)
    if kind == P_PGID and identifier == 0:
        return _wait4_selector(task, 0, options)
    if kind not in (P_ALL, P_PID, P_PGID) or (kind != P_ALL and identifier <= 0):
        raise EINVAL
    return ChildSelector(task, kind, identifier, options)


def _child_siginfo(event: ChildEvent | None) -> bytes:
    if event is None:
        return bytes(SIGINFO_SIZE)
    return SIGINFO_CHILD.pack(
        SIGCHLD, 0, event.code, event.identifier, event.uid, event.signal_status, 0, 0
    )


# -- identifiers ---------------------------------------------------------------------------


@syscall(39, "getpid")
def getpid(task: Task) -> int:
    """getpid(2)"""
    return task.thread_group.leader.identifiers[task.pid_namespace]


@syscall(186, "gettid")
def gettid(task: Task) -> int:
    """gettid(2)"""
    return task.identifiers[task.pid_namespace]


@syscall(110, "getppid")
def getppid(task: Task) -> int:
    """getppid(2): 0 when the parent is outside of the PID namespace."""
    parent = task.thread_group.parent
    return parent.identifier_in(task.pid_namespace) if parent is not None else 0


@syscall(218, "set_tid_address")
def set_tid_address(task: Task, address: Address) -> int:
    """set_tid_address(2)"""
    task.clear_child_tid = address
    return task.identifiers[task.pid_namespace]


def _find_group(task: Task, pid: int) -> ThreadGroup:
    """A process by number, the caller's own for 0.  Errors: ESRCH."""
    if not pid:
        return task.thread_group
    group = task.pid_namespace.thread_group(pid)
    if group is None:
        raise ESRCH
    return group


@syscall(109, "setpgid")
def setpgid(task: Task, pid: Pid, pgid: Pid) -> int:
    """setpgid(2)"""
    if (pgid or pid) < 0:
        raise EINVAL
    group = _find_group(task, pid)
    mine = task.thread_group
    if group is not mine:
        if group.parent is not mine:
            raise ESRCH
        if group.session is not mine.session:
            raise EPERM
        if group.did_exec:
            raise EACCES
    session = group.session
    if session is None or session.leader is group:
        raise EPERM
    namespace = task.pid_namespace
    number = pgid or group.identifier_in(namespace)
    if number == group.identifier_in(namespace):
        target = namespace.process_groups.get(number)
        if target is None:
            target = ProcessGroup(session, group)
    else:
        found = namespace.process_groups.get(number)
        if found is None or found.session is not session:
            raise EPERM
        target = found
    target.add(group)
    return 0


@syscall(121, "getpgid")
def getpgid(task: Task, pid: Pid) -> int:
    """getpgid(2)"""
    group = _find_group(task, pid).process_group
    return group.identifier_in(task.pid_namespace) if group is not None else 0


@syscall(111, "getpgrp")
def getpgrp(task: Task) -> int:
    """getpgrp(2)"""
    group = task.thread_group.process_group
    return group.identifier_in(task.pid_namespace) if group is not None else 0


@syscall(112, "setsid")
def setsid(task: Task) -> int:
    """setsid(2)"""
    group = task.thread_group
    number = group.identifier_in(task.pid_namespace)
    if number in task.pid_namespace.process_groups:
        raise EPERM
    ProcessGroup(Session(group), group).add(group)
    return number


@syscall(124, "getsid")
def getsid(task: Task, pid: Pid) -> int:
    """getsid(2)"""
    session = _find_group(task, pid).session
    return session.identifier_in(task.pid_namespace) if session is not None else 0


@syscall(273, "set_robust_list")
def set_robust_list(task: Task, head: Address, length: Size) -> int:
    """set_robust_list(2)"""
    if length != 24:
        raise EINVAL
    task.robust_list = head
    return 0


@syscall(274, "get_robust_list")
def get_robust_list(task: Task, pid: Pid, head: Address, length: Address) -> int:
    """get_robust_list(2)"""
    other = task.pid_namespace.tasks.get(pid) if pid else task
    if other is None:
        raise ESRCH
    if (
        other.thread_group is not task.thread_group
        and other.credentials.uid != task.credentials.uid
    ):
        raise EPERM
    task.memory.copy_out(head, other.robust_list.to_bytes(8, "little"))
    task.memory.copy_out(length, (24).to_bytes(8, "little"))
    return 0
