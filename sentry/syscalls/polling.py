"""poll(2), ppoll(2), select(2), pselect(2).

All of them look at every file, then stand in the wait queues of all, then look again.
"""

import struct
from collections.abc import Awaitable, Callable, Iterable

from runsc_py.sentry.abi.events import POLLFD, SIGSET_ARGUMENT
from runsc_py.sentry.abi.system import STICKY_TIMEOUTS
from runsc_py.sentry.abi.time import TIMEVAL, timespec, timeval
from runsc_py.sentry.errors import EBADF, EFAULT, EINVAL
from runsc_py.sentry.kernel.limits import MAXIMUM_OPEN_FILES, RLIMIT_NOFILE
from runsc_py.sentry.kernel.task import Task
from runsc_py.sentry.kernel.waiting import (
    POLLERR,
    POLLHUP,
    POLLIN,
    POLLNVAL,
    POLLOUT,
    POLLPRI,
    POLLRDBAND,
    POLLRDNORM,
    POLLWRBAND,
    POLLWRNORM,
    Interrupted,
    wait,
)
from runsc_py.sentry.syscalls.table import Restart, syscall
from runsc_py.sentry.syscalls.time_arguments import copy_in_timeout, nanoseconds_of_timeval
from runsc_py.sentry.syscalls.types import (
    FdSet,
    InSignalSet,
    InSignalSetArgument,
    Int,
    InTimespec,
    InTimeval,
    PollFds,
    Size,
    UnsignedInt,
)
from runsc_py.sentry.vfs.open_file import OpenFile

#: bytes of the kernel's sigset_t
SIGNAL_SET_SIZE = 8

# What makes a descriptor "ready" for select(2) (Linux's POLLIN_SET, POLLOUT_SET, POLLEX_SET).
_SELECT_READ = POLLIN | POLLRDNORM | POLLRDBAND | POLLHUP | POLLERR
_SELECT_WRITE = POLLOUT | POLLWRNORM | POLLWRBAND | POLLERR
_SELECT_EXCEPT = POLLPRI

_REVENTS = struct.Struct("<h")
_REVENTS_OFFSET = 6


# -- what all have in common --------------------------------------------------------------


def deadline_of_milliseconds(task: Task, timeout: int) -> int | None:
    """A C int of milliseconds as a monotonic deadline; None (for ever) when negative."""
    if timeout < 0:
        return None
    return task.kernel.clock.monotonic() + timeout * 1_000_000


def use_signal_mask(task: Task, address: int, size: int) -> None:
    """Put the mask of ppoll, pselect6 or epoll_pwait in force until the call is over.

    Errors: EFAULT, EINVAL.
    """
    if not address:
        return
    if size != SIGNAL_SET_SIZE:
        raise EINVAL
    mask = int.from_bytes(task.memory.copy_in(address, SIGNAL_SET_SIZE), "little")
    task.set_temporary_signal_mask(mask)


async def _wait_for_files(
    task: Task,
    interest: Iterable[tuple[OpenFile, int]],
    scan: Callable[[], int],
    deadline: int | None,
) -> int:
    """Call `scan` until it finds something; 0 when `deadline` passes.  Raises Interrupted."""
    count = scan()
    if count:
        return count
    watched = tuple(interest)
    queues = [(file.wait_queue, events | POLLERR | POLLHUP) for file, events in watched]
    for file, _ in watched:
        file.acquire()
    try:
        while not count:
            if deadline is not None and deadline <= task.kernel.clock.monotonic():
                # As in Linux, a signal counts more than a timeout.
                if task.must_interrupt(True):
                    raise Interrupted
                return 0
            await wait(task, queues, deadline)
            count = scan()
    finally:
        for file, _ in watched:
            file.drop()
    return count


# -- poll ---------------------------------------------------------------------------------


class _PollSet:
    """The array of struct pollfd of one call."""

    __slots__ = ("address", "entries", "files", "revents", "task")

    def __init__(self, task: Task, address: int, count: int) -> None:
        """Errors: EINVAL (more than RLIMIT_NOFILE), EFAULT."""
        if count > task.thread_group.limits.soft(RLIMIT_NOFILE):
            raise EINVAL
        self.task = task
        self.address = address
        data = task.memory.copy_in(address, count * POLLFD.size) if count else b""
        #: (fd, events, revents as they were)
        self.entries: list[tuple[int, int, int]] = list(struct.iter_unpack("<ihh", data))
        #: by index, the files that are open
        self.files: list[OpenFile | None] = [self._file(fd) for fd, _, _ in self.entries]
        #: what the last look found, by index
        self.revents: list[int] = []

    def _file(self, fd: int) -> OpenFile | None:
        try:
            return self.task.files.get_io(fd)
        except EBADF:
            return None

    def scan(self) -> int:
        """Fill `revents`; returns how many are not 0."""
        result = []
        for (fd, events, _), file in zip(self.entries, self.files, strict=True):
            if file is not None:
                result.append(file.poll() & (events | POLLERR | POLLHUP) & 0xFFFF)
            else:
                result.append(POLLNVAL if fd >= 0 else 0)
        self.revents = result
        return sum(1 for revents in result if revents)

    def interest(self) -> list[tuple[OpenFile, int]]:
        return [
            (file, events & 0xFFFF)
            for (_, events, _), file in zip(self.entries, self.files, strict=True)
            if file is not None
        ]

    def copy_out(self) -> None:
        """Write every revents that changed, and nothing else."""
        for index, revents in enumerate(self.revents):
            signed = revents - 0x10000 if revents & 0x8000 else revents
            if signed != self.entries[index][2]:
                place = self.address + index * POLLFD.size + _REVENTS_OFFSET
                self.task.memory.copy_out(place, _REVENTS.pack(signed))

    async def wait(self, deadline: int | None) -> int:
        count = await _wait_for_files(self.task, self.interest(), self.scan, deadline)
        self.copy_out()
        return count


@syscall(7, "poll", restart=Restart.NO_HANDLER)
async def poll(task: Task, fds: PollFds, count: UnsignedInt, timeout: Int) -> int:
    """poll(2)"""
    poll_set = _PollSet(task, fds, count)
    deadline = task.restart_block
    task.restart_block = None
    if deadline is None:
        deadline = deadline_of_milliseconds(task, timeout)
    try:
        return await poll_set.wait(deadline)
    except Interrupted:
        task.restart_block = deadline
        raise


@syscall(271, "ppoll", restart=Restart.NO_HANDLER)
async def ppoll(
    task: Task,
    fds: PollFds,
    count: UnsignedInt,
    timeout: InTimespec,
    mask: InSignalSet,
    mask_size: Size,
) -> int:
    """ppoll(2)"""
    deadline = copy_in_timeout(task, timeout)
    use_signal_mask(task, mask, mask_size)
    waiting = _PollSet(task, fds, count).wait(deadline)
    result = await _with_remaining_time(task, waiting, timeout, deadline, timespec)
    task.restore_signal_mask()
    return result


async def _with_remaining_time(
    task: Task,
    waiting: Awaitable[int],
    address: int,
    deadline: int | None,
    encode: Callable[[int], bytes],
) -> int:
    """Write the time left of the timeout at `address` when `waiting` ends or is interrupted."""
    if deadline is None:
        return await waiting
    try:
        result = await waiting
    except Interrupted:
        _copy_out_remaining(task, address, deadline, encode)
        raise
    _copy_out_remaining(task, address, deadline, encode)
    return result


def _copy_out_remaining(
    task: Task, address: int, deadline: int, encode: Callable[[int], bytes]
) -> None:
    """A timeout in read-only memory is no error (Linux's poll_select_finish)."""
    if task.extras.get("personality", 0) & STICKY_TIMEOUTS:
        return
    remaining = max(0, deadline - task.kernel.clock.monotonic())
    try:
        task.memory.copy_out(address, encode(remaining))
    except EFAULT:
        return


# -- select -------------------------------------------------------------------------------


class _SelectSet:
    """The three fd_sets of one call, as bit masks."""

    __slots__ = ("addresses", "files", "results", "size", "task", "wanted")

    def __init__(self, task: Task, count: int, addresses: tuple[int, int, int]) -> None:
        """Errors: EINVAL, EFAULT, EBADF."""
        if count < 0:
            raise EINVAL
        count = min(count, MAXIMUM_OPEN_FILES)
        self.task = task
        self.addresses = addresses
        #: of each set, bytes: whole unsigned longs
        self.size = (count + 63) // 64 * 8
        valid = (1 << count) - 1
        self.wanted = [self._copy_in(address) & valid for address in addresses]
        self.results = [0, 0, 0]
        read, write, exceptional = self.wanted
        self.files = [(1 << fd, task.files.get_io(fd)) for fd in _bits(read | write | exceptional)]

    def _copy_in(self, address: int) -> int:
        if not address or not self.size:
            return 0
        return int.from_bytes(self.task.memory.copy_in(address, self.size), "little")

    def _events_of(self, bit: int) -> int:
        read, write, exceptional = self.wanted
        return (
            (_SELECT_READ if read & bit else 0)
            | (_SELECT_WRITE if write & bit else 0)
            | (_SELECT_EXCEPT if exceptional & bit else 0)
        )

    def interest(self) -> list[tuple[OpenFile, int]]:
        return [(file, self._events_of(bit)) for bit, file in self.files]

    def scan(self) -> int:
        """Fill `results`; returns how many bits are set in them."""
        results = [0, 0, 0]
        for bit, file in self.files:
            events = file.poll()
            for index, meaning in enumerate((_SELECT_READ, _SELECT_WRITE, _SELECT_EXCEPT)):
                if events & meaning and self.wanted[index] & bit:
                    results[index] |= bit
        self.results = results
        return sum(result.bit_count() for result in results)

    def copy_out(self) -> None:
        if self.size:
            for address, result in zip(self.addresses, self.results, strict=True):
                if address:
                    self.task.memory.copy_out(address, result.to_bytes(self.size, "little"))

    async def wait(self, deadline: int | None) -> int:
        count = await _wait_for_files(self.task, self.interest(), self.scan, deadline)
        self.copy_out()
        return count


def _bits(mask: int) -> list[int]:
    """The positions of the bits of `mask`, ascending."""
    result = []
    while mask:
        lowest = mask & -mask
        result.append(lowest.bit_length() - 1)
        mask ^= lowest
    return result


@syscall(23, "select", restart=Restart.NO_HANDLER)
async def select(
    task: Task, count: Int, read: FdSet, write: FdSet, exceptional: FdSet, timeout: InTimeval
) -> int:
    """select(2)"""
    deadline = None
    if timeout:
        seconds, microseconds = TIMEVAL.unpack(task.memory.copy_in(timeout, TIMEVAL.size))
        # Linux takes more than a second of microseconds here, but nothing negative.
        seconds += microseconds // 1_000_000
        deadline = task.kernel.clock.monotonic() + nanoseconds_of_timeval(
            seconds, microseconds % 1_000_000
        )
    waiting = _SelectSet(task, count, (read, write, exceptional)).wait(deadline)
    return await _with_remaining_time(task, waiting, timeout, deadline, timeval)


@syscall(270, "pselect6", restart=Restart.NO_HANDLER)
async def pselect6(
    task: Task,
    count: Int,
    read: FdSet,
    write: FdSet,
    exceptional: FdSet,
    timeout: InTimespec,
    mask_argument: InSignalSetArgument,
) -> int:
    """pselect(2); glibc wraps the mask and its size into one argument"""
    deadline = copy_in_timeout(task, timeout)
    if mask_argument:
        argument = task.memory.copy_in(mask_argument, SIGSET_ARGUMENT.size)
        use_signal_mask(task, *SIGSET_ARGUMENT.unpack(argument))
    waiting = _SelectSet(task, count, (read, write, exceptional)).wait(deadline)
    result = await _with_remaining_time(task, waiting, timeout, deadline, timespec)
    task.restore_signal_mask()
    return result
