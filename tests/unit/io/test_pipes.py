"""pipe(2) and FIFOs through their system calls."""

import errno
import struct

from harness.io_world import IoTask, IoWorld, as_task
from runsc_py.sentry.abi.signals import SIGPIPE, SIGUSR1
from runsc_py.sentry.fs.pipe import FifoFile, open_fifo
from runsc_py.sentry.kernel.limits import RLIMIT_NOFILE
from runsc_py.sentry.syscalls.pipes import pipe2
from runsc_py.sentry.syscalls.reading import read
from runsc_py.sentry.syscalls.writing import write
from runsc_py.sentry.vfs.attributes import S_IFIFO
from runsc_py.sentry.vfs.open_file import O_CLOEXEC, O_NONBLOCK, O_RDONLY, O_RDWR, O_WRONLY
from runsc_py.sentry.vfs.operations import make_node


def make(task: IoTask, flags: int = 0) -> tuple[int, int]:
    """The descriptors of a new pipe."""
    place = task.put(8)
    assert task.call(pipe2, place, flags) == 0
    reader, writer = struct.unpack("<ii", task.get(place, 8))
    return reader, writer


def test_descriptors_and_flags(task: IoTask) -> None:
    """The lowest two descriptors, closed on exec if wanted."""
    assert make(task, O_CLOEXEC | O_NONBLOCK) == (0, 1)
    assert task.files.close_on_exec(0) and task.files.close_on_exec(1)
    assert task.file(0).flags == O_RDONLY | O_NONBLOCK
    assert task.file(1).flags == O_WRONLY | O_NONBLOCK
    assert task.call(pipe2, task.put(8), 1) == -errno.EINVAL


def test_nothing_is_left_when_it_fails(task: IoTask) -> None:
    """EFAULT and EMFILE take both descriptors back."""
    assert task.call(pipe2, 8, 0) == -errno.EFAULT
    assert len(task.files) == 0
    task.thread_group.limits.set(RLIMIT_NOFILE, 1, 1)
    assert task.call(pipe2, task.put(8), 0) == -errno.EMFILE
    assert len(task.files) == 0


def test_reader_waits_for_a_writer(world: IoWorld, task: IoTask) -> None:
    """A blocked read ends when somebody writes, and at the last close with 0."""
    reader, writer = make(task)
    other = task.fork()
    buffer = task.put(100)
    assert task.start(read, reader, buffer, 100) is None
    assert other.call(write, writer, other.put(b"hello"), 5) == 5
    assert task.result == 5 and task.get(buffer, 5) == b"hello"
    assert task.start(read, reader, buffer, 100) is None
    task.files.remove(as_task(task), writer)
    world.settle()
    assert task.result is None
    other.files.remove(as_task(other), writer)
    world.settle()
    assert task.result == 0


def test_blocking_write_goes_on_until_all_is_written(task: IoTask) -> None:
    """More than fits blocks until the reader has made room."""
    reader, writer = make(task)
    other = task.fork()
    size = 200_000
    assert task.start(write, writer, task.put(b"x" * size), size) is None
    received = 0
    buffer = other.put(65536)
    while received < size:
        received += other.call(read, reader, buffer, 65536)
    assert task.result == size


def test_interrupted_write_is_short(task: IoTask) -> None:
    """A signal in the middle of a write leaves the count of what was written."""
    _, writer = make(task)
    assert task.start(write, writer, task.put(b"x" * 100_000), 100_000) is None
    task.interrupt(SIGUSR1)
    task.world.settle()
    assert task.result == 65536


def test_broken_pipe(task: IoTask) -> None:
    """EPIPE, and SIGPIPE for the writer."""
    reader, writer = make(task)
    task.files.remove(as_task(task), reader)
    assert task.call(write, writer, task.put(b"x"), 1) == -errno.EPIPE
    assert task.sent_signals == [SIGPIPE]


def test_pipe_breaks_under_a_blocked_writer(world: IoWorld, task: IoTask) -> None:
    """SIGPIPE also when the last reader goes while the writer waits for room."""
    reader, writer = make(task)
    assert task.call(write, writer, task.put(bytes(65536)), 65536) == 65536
    assert task.start(write, writer, task.put(b"x"), 1) is None
    task.files.remove(as_task(task), reader)
    world.settle()
    assert task.result == -errno.EPIPE and task.sent_signals == [SIGPIPE]


def test_a_closed_file_stays_open_for_who_blocks_on_it(world: IoWorld, task: IoTask) -> None:
    """close(2) by another thread does not end a blocked read."""
    reader, writer = make(task)
    thread = world.new_task()
    thread.files = task.files
    buffer = task.put(10)
    assert task.start(read, reader, buffer, 10) is None
    thread.files.remove(as_task(thread), reader)
    assert thread.call(write, writer, thread.put(b"ok"), 2) == 2
    assert task.result == 2


def open_path(task: IoTask, flags: int) -> FifoFile:
    """Open the FIFO at /fifo without waiting."""
    path = task.world.root
    found = path.dentry.look_up(b"fifo")
    assert found.inode is not None
    file = open_fifo(as_task(task), type(path)(path.mount, found), flags)
    file.acquire()
    return file


def test_fifo_ends_meet(world: IoWorld, task: IoTask) -> None:
    """Opening waits for the other side, and what is unread goes with the last close."""
    make_node(as_task(task), b"/fifo", S_IFIFO | 0o600, 0)
    reader = open_path(task, O_RDONLY)

    async def opened(task: IoTask, file: FifoFile) -> int:
        await file.wait_opened(as_task(task))
        return 0

    assert task.start(lambda task: opened(task, reader)) is None
    writer = open_path(task, O_WRONLY)
    world.settle()
    assert task.result == 0
    assert writer.write(b"data") == 4
    writer.drop()
    assert reader.read(10) == b"data" and reader.read(10) == b""
    both = open_path(task, O_RDWR)
    reader.drop()
    both.write(b"lost")
    both.drop()
    assert not task.kernel.anonymous_mount.filesystem.fifos  # type: ignore[attr-defined]


def test_fifo_without_reader_refuses_a_writer_that_will_not_wait(task: IoTask) -> None:
    """ENXIO; a reader that will not wait is welcome, and sees no hang-up yet."""
    make_node(as_task(task), b"/fifo", S_IFIFO | 0o600, 0)
    assert task.start(lambda task: open_path(task, O_WRONLY | O_NONBLOCK) and 0) == -errno.ENXIO
    reader = open_path(task, O_RDONLY | O_NONBLOCK)
    assert reader.poll() == 0
    open_path(task, O_WRONLY | O_NONBLOCK).drop()
    assert reader.poll() == 0x10
