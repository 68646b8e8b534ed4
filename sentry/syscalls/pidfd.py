"""pidfd_open(2), pidfd_send_signal(2), pidfd_getfd(2).  What a pidfd is: `fs/pidfd.py`."""

from runsc_py.sentry.abi.events import (
    PIDFD_NONBLOCK,
    PIDFD_SIGNAL_PROCESS_GROUP,
    PIDFD_SIGNAL_THREAD,
    PIDFD_SIGNAL_THREAD_GROUP,
    PIDFD_THREAD,
)
from runsc_py.sentry.abi.signals import SI_TKILL, SI_USER, SIGINFO_SIZE, SIGRTMAX
from runsc_py.sentry.errors import EBADF, EINVAL, ENOENT, EPERM, ESRCH
from runsc_py.sentry.fs.pidfd import PidFile, make_pid_file
from runsc_py.sentry.fs.proc.access import may_inspect
from runsc_py.sentry.kernel.signals import SignalInfo
from runsc_py.sentry.kernel.task import Task
from runsc_py.sentry.kernel.thread_group import ThreadGroup
from runsc_py.sentry.syscalls.signals import may_signal
from runsc_py.sentry.syscalls.table import syscall
from runsc_py.sentry.syscalls.types import (
    Fd,
    InSiginfo,
    Pid,
    PidFdFlags,
    Signal,
    UnsignedInt,
)


@syscall(434, "pidfd_open")
def pidfd_open(task: Task, pid: Pid, flags: PidFdFlags) -> int:
    """pidfd_open(2)"""
    if flags & ~(PIDFD_NONBLOCK | PIDFD_THREAD) or pid <= 0:
        raise EINVAL
    target = task.pid_namespace.tasks.get(pid)
    if target is None:
        raise ESRCH
    group = target.thread_group
    if flags & PIDFD_THREAD:
        return task.files.add(make_pid_file(task, group, flags, target), True)
    if target is not group.leader:
        raise ENOENT
    return task.files.add(make_pid_file(task, group, flags), True)


@syscall(424, "pidfd_send_signal")
def pidfd_send_signal(
    task: Task, fd: Fd, signal: Signal, information: InSiginfo, flags: UnsignedInt
) -> int:
    """pidfd_send_signal(2)"""
    if flags not in _SCOPES:
        raise EINVAL
    group, thread = _subject(task, fd, or_directory=True)
    if not flags and thread is not None:
        flags = PIDFD_SIGNAL_THREAD
    thread = thread or group.leader
    if information:
        to_self = group is task.thread_group and flags != PIDFD_SIGNAL_PROCESS_GROUP
        info = _made_up_information(task, information, signal, to_self)
    else:
        sender = task.thread_group.identifier_in(group.pid_namespace)
        code = SI_TKILL if flags == PIDFD_SIGNAL_THREAD else SI_USER
        info = SignalInfo(signal, code, sender, task.credentials.uid)
    if not group.identifier_in(task.pid_namespace):
        raise EINVAL
    if not 0 <= signal <= SIGRTMAX:
        raise EINVAL
    if flags == PIDFD_SIGNAL_PROCESS_GROUP:
        _signal_process_group(task, group, info)
        return 0
    if not group.tasks and not group.is_zombie:
        raise ESRCH
    if thread is not group.leader and thread not in group.tasks:
        raise ESRCH
    if not may_signal(task, group, signal):
        raise EPERM
    if signal and flags != PIDFD_SIGNAL_THREAD:
        group.send_signal(info)
    elif signal and thread in group.tasks:  # an ended leader takes no signal
        thread.send_signal(info)
    return 0


#: what `flags` may be: one scope at most
_SCOPES = (0, PIDFD_SIGNAL_THREAD, PIDFD_SIGNAL_THREAD_GROUP, PIDFD_SIGNAL_PROCESS_GROUP)


def _signal_process_group(task: Task, founder: ThreadGroup, info: SignalInfo) -> None:
    """To the process group that is called as a process was.  Errors: ESRCH, EPERM."""
    namespace = founder.pid_namespace
    process_group = namespace.process_groups.get(founder.identifier_in(namespace))
    if process_group is None:
        raise ESRCH
    allowed = [group for group in process_group.members if may_signal(task, group, info.number)]
    if not allowed:
        raise EPERM
    if info.number:
        for group in allowed:
            group.send_signal(info)


def _made_up_information(task: Task, address: int, signal: int, to_self: bool) -> SignalInfo:
    """The caller's own siginfo; only to itself may it look like the kernel's."""
    raw = task.memory.copy_in(address, SIGINFO_SIZE)
    info = SignalInfo(signal, raw=raw)
    if int.from_bytes(raw[:4], "little") != signal:
        raise EINVAL
    if not to_self and (info.code >= 0 or info.code == SI_TKILL):
        raise EPERM
    return info


@syscall(438, "pidfd_getfd")
def pidfd_getfd(task: Task, fd: Fd, target: Fd, flags: UnsignedInt) -> int:
    """pidfd_getfd(2)"""
    if flags:
        raise EINVAL
    group, thread = _subject(task, fd)
    if not group.tasks or (thread is not None and thread not in group.tasks):
        raise ESRCH
    owner = thread or group.tasks[0]
    if not may_inspect(task, owner, real_ids=True):
        raise EPERM
    return task.files.add(owner.files.get(target), True)


def _subject(task: Task, fd: int, *, or_directory: bool = False) -> tuple[ThreadGroup, Task | None]:
    """The process of a pidfd, and the thread if it is one of a thread only.

    With `or_directory`, a descriptor of /proc/PID serves as well.
    """
    file = task.files.get_io(fd)
    if isinstance(file, PidFile):
        return file.thread_group, file.thread
    if or_directory:
        from runsc_py.sentry.fs.proc.process import ProcessDirectory

        if isinstance(file.inode, ProcessDirectory) and file.inode.subject.thread is None:
            return file.inode.subject.group, None
    raise EBADF
