"""epoll_create(2), epoll_ctl(2), epoll_wait(2).  What an epoll file is: `fs/epoll.py`."""

from runsc_py.sentry.abi.events import (
    EPOLL_CLOEXEC,
    EPOLL_CTL_ADD,
    EPOLL_CTL_DEL,
    EPOLL_CTL_MOD,
    EPOLL_EVENT,
)
from runsc_py.sentry.errors import EFAULT, EINVAL
from runsc_py.sentry.fs.epoll import EpollFile, check_pollable, make_epoll_file
from runsc_py.sentry.kernel.task import Task
from runsc_py.sentry.kernel.waiting import POLLIN, wait
from runsc_py.sentry.syscalls.polling import deadline_of_milliseconds, use_signal_mask
from runsc_py.sentry.syscalls.table import Restart, syscall
from runsc_py.sentry.syscalls.time_arguments import copy_in_timeout
from runsc_py.sentry.syscalls.types import (
    EpollFlags,
    EpollOperation,
    Fd,
    InEpollEvent,
    InSignalSet,
    Int,
    InTimespec,
    OutEpollEvents,
    Size,
)

#: INT_MAX / sizeof(struct epoll_event)
_MAXIMUM_EVENTS = ((1 << 31) - 1) // EPOLL_EVENT.size


@syscall(213, "epoll_create")
def epoll_create(task: Task, size: Int) -> int:
    """epoll_create(2)"""
    if size <= 0:
        raise EINVAL
    return task.files.add(make_epoll_file(task))


@syscall(291, "epoll_create1")
def epoll_create1(task: Task, flags: EpollFlags) -> int:
    """epoll_create(2)"""
    if flags & ~EPOLL_CLOEXEC:
        raise EINVAL
    return task.files.add(make_epoll_file(task), bool(flags & EPOLL_CLOEXEC))


@syscall(233, "epoll_ctl")
def epoll_ctl(
    task: Task, epoll_fd: Fd, operation: EpollOperation, fd: Fd, event: InEpollEvent
) -> int:
    """epoll_ctl(2)"""
    events = data = 0
    if operation != EPOLL_CTL_DEL:
        events, data = EPOLL_EVENT.unpack(task.memory.copy_in(event, EPOLL_EVENT.size))
    epoll = task.files.get_io(epoll_fd)
    file = task.files.get_io(fd)
    check_pollable(file)
    if not isinstance(epoll, EpollFile) or epoll is file:
        raise EINVAL
    if operation == EPOLL_CTL_ADD:
        epoll.add(fd, file, events, data)
    elif operation == EPOLL_CTL_MOD:
        epoll.modify(fd, file, events, data)
    elif operation == EPOLL_CTL_DEL:
        epoll.delete(fd, file)
    else:
        raise EINVAL
    return 0


@syscall(232, "epoll_wait", restart=Restart.NEVER)
async def epoll_wait(task: Task, fd: Fd, events: OutEpollEvents, maximum: Int, timeout: Int) -> int:
    """epoll_wait(2)"""
    return await _wait(task, fd, events, maximum, deadline_of_milliseconds(task, timeout))


@syscall(281, "epoll_pwait", restart=Restart.NEVER)
async def epoll_pwait(
    task: Task,
    fd: Fd,
    events: OutEpollEvents,
    maximum: Int,
    timeout: Int,
    mask: InSignalSet,
    mask_size: Size,
) -> int:
    """epoll_pwait(2)"""
    use_signal_mask(task, mask, mask_size)
    deadline = deadline_of_milliseconds(task, timeout)
    count = await _wait(task, fd, events, maximum, deadline)
    task.restore_signal_mask()
    return count


@syscall(441, "epoll_pwait2", restart=Restart.NEVER)
async def epoll_pwait2(
    task: Task,
    fd: Fd,
    events: OutEpollEvents,
    maximum: Int,
    timeout: InTimespec,
    mask: InSignalSet,
    mask_size: Size,
) -> int:
    """epoll_pwait2(2)"""
    deadline = copy_in_timeout(task, timeout)
    use_signal_mask(task, mask, mask_size)
    count = await _wait(task, fd, events, maximum, deadline)
    task.restore_signal_mask()
    return count


async def _wait(task: Task, fd: int, address: int, maximum: int, deadline: int | None) -> int:
    """What the three have in common; a deadline that has passed means: do not block."""
    if not 0 < maximum <= _MAXIMUM_EVENTS:
        raise EINVAL
    epoll = task.files.get_io(fd)
    if not isinstance(epoll, EpollFile):
        raise EINVAL
    epoll.acquire()
    try:
        while not (count := _report(task, epoll, address, maximum)):
            if deadline is not None and deadline <= task.kernel.clock.monotonic():
                return 0
            await wait(task, ((epoll.wait_queue, POLLIN),), deadline)
    finally:
        epoll.drop()
    return count


def _report(task: Task, epoll: EpollFile, address: int, maximum: int) -> int:
    """Write what is ready to the guest; how many items that was.  Errors: EFAULT."""
    if not epoll.ready:
        return 0
    collected = epoll.collect(maximum)
    if collected:
        records = [EPOLL_EVENT.pack(events, item.data) for item, events in collected]
        try:
            task.memory.copy_out(address, b"".join(records))
        except EFAULT:
            epoll.put_back(collected)
            raise
    return len(collected)
