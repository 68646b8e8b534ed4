"""poll(2), select(2) and epoll_wait(2): time, signals, changes while they wait."""

import errno
import struct

from harness.io_world import IoTask, IoWorld, as_task
from runsc_py.sentry.abi.signals import SIGUSR1, bit
from runsc_py.sentry.kernel.waiting import POLLERR, POLLHUP, POLLIN, POLLNVAL, POLLOUT
from runsc_py.sentry.syscalls.epoll import epoll_create1, epoll_ctl, epoll_pwait, epoll_wait
from runsc_py.sentry.syscalls.events import eventfd2
from runsc_py.sentry.syscalls.pipes import pipe2
from runsc_py.sentry.syscalls.polling import poll, ppoll, pselect6, select
from runsc_py.sentry.syscalls.writing import write

MILLISECOND = 1_000_000
ADD = 1


def event_file(task: IoTask, count: int = 0) -> int:
    """A descriptor that is readable when `count` is not 0."""
    return task.call(eventfd2, count, 0)


def signal_event(task: IoTask, fd: int) -> None:
    assert task.call(write, fd, task.put((1).to_bytes(8, "little")), 8) == 8


def poll_set(task: IoTask, *entries: tuple[int, int]) -> int:
    """The address of a struct pollfd array."""
    return task.put(b"".join(struct.pack("<ihh", fd, events, 0) for fd, events in entries))


def found(task: IoTask, address: int, count: int) -> list[int]:
    """The revents."""
    data = task.get(address, count * 8)
    return [revents for _, _, revents in struct.iter_unpack("<ihh", data)]


def test_poll_reports_each_entry(task: IoTask) -> None:
    """Readiness, errors that nobody asked for, ignored and bad descriptors."""
    ready, idle = event_file(task, 1), event_file(task)
    place = task.put(8)
    task.call(pipe2, place, 0)
    reader, writer = struct.unpack("<ii", task.get(place, 8))
    task.files.remove(as_task(task), reader)
    entries = [(ready, POLLIN), (idle, POLLIN), (writer, 0), (-5, POLLIN), (99, POLLIN)]
    address = poll_set(task, *entries)
    assert task.call(poll, address, 5, -1) == 3
    assert found(task, address, 5) == [POLLIN, 0, POLLERR, 0, POLLNVAL]


def test_poll_wakes_for_any_of_its_files(task: IoTask) -> None:
    """The second of two becomes ready."""
    first, second = event_file(task), event_file(task)
    other = task.fork()
    address = poll_set(task, (first, POLLIN), (second, POLLIN))
    assert task.start(poll, address, 2, -1) is None
    signal_event(other, second)
    assert task.result == 1 and found(task, address, 2) == [0, POLLIN]


def test_poll_times_out(world: IoWorld, task: IoTask) -> None:
    """At the deadline and not before."""
    address = poll_set(task, (event_file(task), POLLIN))
    assert task.call(poll, address, 1, 0) == 0
    assert task.start(poll, address, 1, 10) is None
    world.advance(9 * MILLISECOND)
    assert task.result is None
    world.advance(MILLISECOND)
    assert task.result == 0


def test_poll_goes_on_with_the_time_that_was_left(world: IoWorld, task: IoTask) -> None:
    """A restart after a signal without a handler does not begin anew."""
    address = poll_set(task, (event_file(task), POLLIN))
    assert task.start(poll, address, 1, 10) is None
    world.advance(6 * MILLISECOND)
    task.interrupt(SIGUSR1)
    world.settle()
    assert task.result == -errno.EINTR
    assert task.dequeue_signal(bit(SIGUSR1)) is not None
    assert task.start(poll, address, 1, 10) is None
    world.advance(4 * MILLISECOND)
    assert task.result == 0


def test_ppoll_swaps_the_mask_and_returns_the_time(world: IoWorld, task: IoTask) -> None:
    """The mask holds while it waits; the timeout has what was left of it."""
    fd = event_file(task)
    task.signal_mask = bit(SIGUSR1)
    address = poll_set(task, (fd, POLLIN))
    timeout = task.put(struct.pack("<qq", 2, 0))
    mask = task.put(bytes(8))
    assert task.start(ppoll, address, 1, timeout, mask, 8) is None
    world.advance(1_500 * MILLISECOND)
    signal_event(task.fork(), fd)
    assert task.result == 1
    assert struct.unpack("<qq", task.get(timeout, 16)) == (0, 500 * MILLISECOND)
    assert task.signal_mask == bit(SIGUSR1)
    task.interrupt(SIGUSR1)
    again = poll_set(task, (event_file(task), POLLIN))
    assert task.start(ppoll, again, 1, 0, mask, 8) == -errno.EINTR
    assert task.start(ppoll, again, 1, 0, mask, 4) == -errno.EINVAL


def test_select_fills_three_sets(task: IoTask) -> None:
    """Bits of ready descriptors, counted over all sets; the others are cleared."""
    ready, idle = event_file(task, 1), event_file(task)
    both = 1 << ready | 1 << idle
    read, write_ = task.put(both.to_bytes(8, "little")), task.put(both.to_bytes(8, "little"))
    assert task.call(select, 5, read, write_, 0, 0) == 3
    assert int.from_bytes(task.get(read, 8), "little") == 1 << ready
    assert int.from_bytes(task.get(write_, 8), "little") == both
    closed = task.put((1 << 40).to_bytes(8, "little"))
    assert task.call(select, 41, closed, 0, 0, 0) == -errno.EBADF
    assert task.call(select, -1, 0, 0, 0, 0) == -errno.EINVAL


def test_pselect_as_a_pause(world: IoWorld, task: IoTask) -> None:
    """No descriptors, only a time."""
    timeout = task.put(struct.pack("<qq", 0, 5 * MILLISECOND))
    assert task.start(pselect6, 0, 0, 0, 0, timeout, 0) is None
    world.advance(5 * MILLISECOND)
    assert task.result == 0


def watch(task: IoTask, epoll: int, fd: int, events: int, data: int) -> int:
    return task.call(epoll_ctl, epoll, ADD, fd, task.put(struct.pack("<IQ", events, data)))


def test_epoll_wakes_one_who_waits(world: IoWorld, task: IoTask) -> None:
    """Events and data of what became ready; the order is that of becoming so."""
    epoll = task.call(epoll_create1, 0)
    first, second = event_file(task), event_file(task)
    assert watch(task, epoll, first, POLLIN, 1 << 60) == 0
    assert watch(task, epoll, second, POLLIN, 7) == 0
    other = task.fork()
    buffer = task.put(100)
    assert task.start(epoll_wait, epoll, buffer, 8, -1) is None
    signal_event(other, second)
    assert task.result == 1
    assert struct.unpack("<IQ", task.get(buffer, 12)) == (POLLIN, 7)
    signal_event(other, first)
    assert task.call(epoll_wait, epoll, buffer, 8, 0) == 2
    assert task.call(epoll_wait, epoll, 8, 8, 0) == -errno.EFAULT
    assert task.call(epoll_wait, epoll, buffer, 8, 0) == 2


def test_epoll_forgets_closed_files(task: IoTask) -> None:
    """The last close of the file ends the interest, not that of the descriptor."""
    epoll = task.call(epoll_create1, 0)
    fd = event_file(task, 1)
    watch(task, epoll, fd, POLLIN | POLLOUT, 1)
    copy = task.files.add(task.file(fd))
    buffer = task.put(100)
    task.files.remove(as_task(task), fd)
    assert task.call(epoll_wait, epoll, buffer, 8, 0) == 1
    task.files.remove(as_task(task), copy)
    assert task.call(epoll_wait, epoll, buffer, 8, 0) == 0


def test_epoll_loops_are_refused(task: IoTask) -> None:
    """A ring, and a chain that is too long; an epoll file may watch another."""
    chain = [task.call(epoll_create1, 0) for _ in range(6)]
    for outer, inner in zip(chain[1:], chain, strict=False):
        expected = 0 if inner != chain[4] else -errno.ELOOP
        assert watch(task, outer, inner, POLLIN, 0) == expected
    assert watch(task, chain[0], chain[2], POLLIN, 0) == -errno.ELOOP
    fd = event_file(task, 1)
    watch(task, chain[0], fd, POLLIN, 0)
    assert task.call(epoll_wait, chain[3], task.put(100), 1, 0) == 1


def test_epoll_pwait_interrupted(task: IoTask) -> None:
    """A signal that only the call's mask lets through."""
    epoll = task.call(epoll_create1, 0)
    task.signal_mask = bit(SIGUSR1)
    task.interrupt(SIGUSR1)
    result = task.start(epoll_pwait, epoll, task.put(100), 8, -1, task.put(bytes(8)), 8)
    assert result == -errno.EINTR


def test_hang_up_is_always_reported(task: IoTask) -> None:
    """POLLHUP needs no interest."""
    place = task.put(8)
    task.call(pipe2, place, 0)
    reader, writer = struct.unpack("<ii", task.get(place, 8))
    task.files.remove(as_task(task), writer)
    address = poll_set(task, (reader, 0))
    assert task.call(poll, address, 1, -1) == 1
    assert found(task, address, 1) == [POLLHUP]
