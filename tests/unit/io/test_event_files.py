"""eventfd(2), timerfd_create(2), signalfd(2)."""

import errno
import struct

from harness.io_world import FakeClock, IoTask, IoWorld
from runsc_py.sentry.abi.events import SIGNALFD_SIGINFO
from runsc_py.sentry.abi.signals import SI_QUEUE, SIGTERM, SIGUSR1, bit
from runsc_py.sentry.kernel.signals import SignalInfo
from runsc_py.sentry.syscalls.events import (
    eventfd2,
    signalfd4,
    timerfd_create,
    timerfd_gettime,
    timerfd_settime,
)
from runsc_py.sentry.syscalls.reading import read
from runsc_py.sentry.syscalls.writing import write
from runsc_py.sentry.vfs.open_file import O_NONBLOCK

SECOND = 1_000_000_000


def read_number(task: IoTask, fd: int) -> int:
    """What read(2) gives: a 64-bit number, or a negative errno."""
    buffer = task.put(8)
    result = task.start(read, fd, buffer, 8)
    assert result is not None
    return int.from_bytes(task.get(buffer, 8), "little") if result == 8 else result


def write_number(task: IoTask, fd: int, value: int) -> int | None:
    return task.start(write, fd, task.put(value.to_bytes(8, "little")), 8)


def test_eventfd_counts(task: IoTask) -> None:
    """Adds up, gives all at once, refuses the impossible."""
    fd = task.call(eventfd2, 3, O_NONBLOCK)
    assert write_number(task, fd, 4) == 8
    assert read_number(task, fd) == 7
    assert read_number(task, fd) == -errno.EAGAIN
    assert write_number(task, fd, (1 << 64) - 1) == -errno.EINVAL
    assert write_number(task, fd, (1 << 64) - 2) == 8
    assert write_number(task, fd, 1) == -errno.EAGAIN
    assert task.call(read, fd, task.put(4), 4) == -errno.EINVAL


def test_eventfd_semaphore_and_blocking(task: IoTask) -> None:
    """One at a time; a full counter makes the writer wait."""
    fd = task.call(eventfd2, 2, 1)
    assert [read_number(task, fd), read_number(task, fd)] == [1, 1]
    full = task.call(eventfd2, 0, 0)
    other = task.fork()
    assert write_number(task, full, (1 << 64) - 2) == 8
    assert write_number(task, full, 5) is None
    assert read_number(other, full) == (1 << 64) - 2
    task.world.settle()
    assert task.result == 8 and read_number(task, full) == 5


def setting(task: IoTask, interval: int, value: int) -> int:
    return task.put(struct.pack("<qqqq", *divmod(interval, SECOND), *divmod(value, SECOND)))


def remaining(task: IoTask, fd: int) -> tuple[int, int]:
    """(value, interval) of timerfd_gettime, nanoseconds."""
    place = task.put(32)
    assert task.call(timerfd_gettime, fd, place) == 0
    a, b, c, d = struct.unpack("<qqqq", task.get(place, 32))
    return c * SECOND + d, a * SECOND + b


def test_timer_expires_and_counts(world: IoWorld, task: IoTask) -> None:
    """Once, then at each interval, all that passed since the last read."""
    fd = task.call(timerfd_create, 1, O_NONBLOCK)
    assert task.call(timerfd_settime, fd, 0, setting(task, 2 * SECOND, SECOND), 0) == 0
    assert read_number(task, fd) == -errno.EAGAIN
    assert remaining(task, fd) == (SECOND, 2 * SECOND)
    world.advance(SECOND)
    assert task.file(fd).poll() == 0x41
    world.advance(5 * SECOND)
    assert remaining(task, fd) == (SECOND, 2 * SECOND)
    assert read_number(task, fd) == 3
    assert read_number(task, fd) == -errno.EAGAIN
    old = task.put(32)
    assert task.call(timerfd_settime, fd, 0, setting(task, 0, 0), old) == 0
    assert struct.unpack("<qqqq", task.get(old, 32)) == (2, 0, 1, 0)
    assert remaining(task, fd) == (0, 0)


def test_timer_wakes_a_blocked_reader(world: IoWorld, task: IoTask) -> None:
    """An absolute time of the real-time clock."""
    fd = task.call(timerfd_create, 0, 0)
    when = FakeClock.EPOCH + world.clock.now + SECOND
    assert task.call(timerfd_settime, fd, 1, setting(task, 0, when), 0) == 0
    buffer = task.put(8)
    assert task.start(read, fd, buffer, 8) is None
    world.advance(SECOND)
    assert task.result == 8 and task.get(buffer, 8)[0] == 1


def test_timer_arguments(task: IoTask) -> None:
    """Unknown clocks and flags, times that are none, files that are no timers."""
    assert task.call(timerfd_create, 2, 0) == -errno.EINVAL
    assert task.call(timerfd_create, 1, 1) == -errno.EINVAL
    fd = task.call(timerfd_create, 1, 0)
    bad = task.put(struct.pack("<qqqq", 0, 0, 0, SECOND))
    assert task.call(timerfd_settime, fd, 0, bad, 0) == -errno.EINVAL
    event = task.call(eventfd2, 0, 0)
    assert task.call(timerfd_gettime, event, task.put(32)) == -errno.EINVAL


def test_signalfd_reads_pending_signals(task: IoTask) -> None:
    """Only those of the mask, as many as fit, with what the sender said."""
    mask = task.put((bit(SIGUSR1) | bit(40)).to_bytes(8, "little"))
    fd = task.call(signalfd4, -1, mask, 8, O_NONBLOCK)
    task.signal_mask = ~0
    buffer = task.put(1000)
    assert task.call(read, fd, buffer, 1000) == -errno.EAGAIN
    task.pending.add(SignalInfo(SIGTERM))
    task.pending.add(SignalInfo(40, SI_QUEUE, 17, 1000, 0xFFFFFFFF))
    task.pending.add(SignalInfo(SIGUSR1, 0, 5, 6))
    assert task.file(fd).poll() == 0x41
    assert task.call(read, fd, buffer, 1000) == 2 * SIGNALFD_SIGINFO.size
    first = SIGNALFD_SIGINFO.as_dict(task.get(buffer, 128))
    assert (first["ssi_signo"], first["ssi_pid"], first["ssi_uid"]) == (SIGUSR1, 5, 6)
    second = SIGNALFD_SIGINFO.as_dict(task.get(buffer + 128, 128))
    assert (second["ssi_signo"], second["ssi_int"], second["ssi_ptr"]) == (40, -1, 0xFFFFFFFF)
    assert task.call(signalfd4, fd, task.put(bit(SIGTERM).to_bytes(8, "little")), 8, 0) == fd
    assert task.call(read, fd, buffer, 127) == -errno.EINVAL
    assert task.call(read, fd, buffer, 128) == 128
