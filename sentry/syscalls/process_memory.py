"""Other processes' memory and resources: process_vm_readv(2), process_vm_writev(2), kcmp(2)."""

from runsc_py.sentry.abi.process import KCMP_EPOLL_SLOT
from runsc_py.sentry.errors import EBADF, EFAULT, EINVAL, ENOENT, EPERM, ESRCH
from runsc_py.sentry.fs.proc.access import may_inspect
from runsc_py.sentry.ipc.semaphores import UNDO
from runsc_py.sentry.kernel.task import Task
from runsc_py.sentry.syscalls.table import syscall
from runsc_py.sentry.syscalls.transfer import Segment, copy_in_segments
from runsc_py.sentry.syscalls.types import Address, Int, Pid, UnsignedLong

#: copied through the sentry at a time, bytes
PIECE = 1 << 20

KCMP_FILE = 0
KCMP_VM = 1
KCMP_FILES = 2
KCMP_FS = 3
KCMP_SIGHAND = 4
KCMP_IO = 5
KCMP_SYSVSEM = 6
KCMP_EPOLL_TFD = 7


def _target(task: Task, pid: int) -> Task:
    """Errors: ESRCH, EPERM."""
    target = task.pid_namespace.tasks.get(pid)
    if target is None or target not in target.thread_group.tasks:
        raise ESRCH
    if not may_inspect(task, target, real_ids=True):
        raise EPERM
    return target


def _pieces(source: list[Segment], target: list[Segment]) -> list[tuple[int, int, int]]:
    """(source address, target address, size) of each stretch without a segment's border."""
    result = []
    source, target = list(source), list(target)
    while source and target:
        (source_address, source_size), (target_address, target_size) = source[0], target[0]
        size = min(source_size, target_size, PIECE)
        if size:
            result.append((source_address, target_address, size))
        for segments in (source, target):
            address, left = segments[0]
            if left == size:
                segments.pop(0)
            else:
                segments[0] = (address + size, left - size)
    return result


def _transfer(source: Task, target: Task, pieces: list[tuple[int, int, int]]) -> int:
    """Copy until something is not mapped; what was copied before counts.  Errors: EFAULT."""
    done = 0
    try:
        for source_address, target_address, size in pieces:
            data = source.memory.copy_in_part(source_address, size)
            written = target.memory.copy_out_part(target_address, data)
            done += written
            if written < size:
                break
    except EFAULT:
        if not done:
            raise
    return done


@syscall(310, "process_vm_readv")
def process_vm_readv(
    task: Task,
    pid: Pid,
    local: Address,
    local_count: UnsignedLong,
    remote: Address,
    remote_count: UnsignedLong,
    flags: UnsignedLong,
) -> int:
    """process_vm_readv(2)"""
    if flags:
        raise EINVAL
    here = copy_in_segments(task, local, local_count)
    there = copy_in_segments(task, remote, remote_count)
    pieces = _pieces(there, here)
    return _transfer(_target(task, pid), task, pieces) if pieces else 0


@syscall(311, "process_vm_writev")
def process_vm_writev(
    task: Task,
    pid: Pid,
    local: Address,
    local_count: UnsignedLong,
    remote: Address,
    remote_count: UnsignedLong,
    flags: UnsignedLong,
) -> int:
    """process_vm_writev(2)"""
    if flags:
        raise EINVAL
    here = copy_in_segments(task, local, local_count)
    there = copy_in_segments(task, remote, remote_count)
    pieces = _pieces(here, there)
    return _transfer(task, _target(task, pid), pieces) if pieces else 0


def _resource(task: Task, kind: int, index: int) -> object:
    if kind == KCMP_FILE:
        if index > 0x7FFFFFFF:
            raise EBADF
        return task.files.get(index)
    resources: dict[int, object] = {
        KCMP_VM: task.memory,
        KCMP_FILES: task.files,
        KCMP_FS: task.file_context,
        KCMP_SIGHAND: task.thread_group.handlers,
        # Nobody has an I/O context, and an undo list only who used SEM_UNDO.
        KCMP_IO: None,
        KCMP_SYSVSEM: task.thread_group.extras.get(UNDO),
    }
    if kind not in resources:
        raise EINVAL
    return resources[kind]


def _watched_by_epoll(task: Task, slot: bytes) -> object:
    """The file that an epoll instance watches under a number.  Errors: EBADF, EINVAL, ENOENT."""
    from runsc_py.sentry.fs.epoll import EpollFile

    epoll_fd, watched_fd, position = KCMP_EPOLL_SLOT.unpack(slot)
    epoll = task.files.get(epoll_fd)
    if not isinstance(epoll, EpollFile):
        raise EINVAL
    found = [file for fd, file in epoll.items if fd == watched_fd]
    if position >= len(found):
        raise ENOENT
    return found[position]


@syscall(312, "kcmp")
def kcmp(
    task: Task, pid1: Pid, pid2: Pid, kind: Int, index1: UnsignedLong, index2: UnsignedLong
) -> int:
    """kcmp(2): 0 for the same, 1 and 2 for an order that means nothing."""
    one, other = _target(task, pid1), _target(task, pid2)
    if kind == KCMP_EPOLL_TFD:
        first = id(_resource(one, KCMP_FILE, index1))
        second = id(_watched_by_epoll(other, task.memory.copy_in(index2, KCMP_EPOLL_SLOT.size)))
    else:
        first, second = id(_resource(one, kind, index1)), id(_resource(other, kind, index2))
    if first == second:
        return 0
    return 1 if first < second else 2
