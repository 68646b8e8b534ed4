"""The host's descriptors as open files: nothing blocks, nothing of the shared state changes."""

import fcntl
import os
import socket
from pathlib import Path
from select import EPOLLET
from types import SimpleNamespace
from typing import Any, cast

import pytest

from harness.file_world import FileWorld, fake_kernel
from runsc_py.sentry.errors import EACCES, EAGAIN, ENODEV
from runsc_py.sentry.fs.devpts.registry import TerminalRegistry
from runsc_py.sentry.fs.host_stdio import HostStream, open_standard_files
from runsc_py.sentry.fs.host_terminal import HostTerminalFile
from runsc_py.sentry.fs.tmpfs import Tmpfs
from runsc_py.sentry.kernel.kernel import Kernel
from runsc_py.sentry.kernel.waiting import POLLHUP, POLLIN, POLLOUT
from runsc_py.sentry.vfs.open_file import O_APPEND, O_NONBLOCK, O_TRUNC, O_WRONLY, OpenFile


class Events:
    """What HostWaitQueue asks of the kernel's watcher."""

    def __init__(self) -> None:
        self.watched: dict[int, int] = {}

    def watch(self, fd: int, events: int, queue: object) -> None:
        self.watched[fd] = events

    def unwatch(self, fd: int, queue: object) -> None:
        del self.watched[fd]


class Waiter:
    def wake(self, events: int) -> None:
        """Nobody here waits for long."""


@pytest.fixture
def kernel() -> Any:
    kernel: Any = fake_kernel()
    kernel.events = Events()
    kernel.root_mount_namespace = SimpleNamespace(mounts=[])
    kernel.terminals = TerminalRegistry(kernel)
    return kernel


def open_one(kernel: Any, descriptor: int) -> OpenFile:
    (file,) = open_standard_files(kernel.terminals, (descriptor,))
    assert file is not None
    return file.acquire()


def test_pipe(kernel: Any) -> None:
    read_end, write_end = os.pipe()
    shared = os.dup(read_end)
    reader, writer = open_one(kernel, read_end), open_one(kernel, write_end)
    assert reader.poll() == 0 and writer.poll() == POLLOUT
    with pytest.raises(EAGAIN):
        reader.read(10)
    assert writer.write(b"data") == 4
    assert reader.poll() == POLLIN
    assert reader.read(2) + reader.read(10) == b"data"
    total = 0
    with pytest.raises(EAGAIN):
        while True:
            total += writer.write(bytes(5000))
    assert total >= 4096 and writer.poll() == 0
    while total:
        total -= len(reader.read(1 << 20))
    assert not fcntl.fcntl(shared, fcntl.F_GETFL) & O_NONBLOCK
    writer.drop()
    assert reader.poll() == POLLHUP and reader.read(10) == b""
    reader.drop()
    os.close(shared)


def test_without_nowait(kernel: Any) -> None:
    """A host file that does not know RWF_NOWAIT: readiness is asked for instead."""
    read_end, write_end = os.pipe()
    reader, writer = open_one(kernel, read_end), open_one(kernel, write_end)
    assert isinstance(reader, HostStream) and isinstance(writer, HostStream)
    reader.no_wait = writer.no_wait = False
    with pytest.raises(EAGAIN):
        reader.read(10)
    assert writer.write(bytes(10_000)) == 4096
    assert len(reader.read(10_000)) == 4096
    with pytest.raises(EAGAIN):
        while True:
            writer.write(bytes(4096))
    reader.drop()
    writer.drop()


def test_socket(kernel: Any) -> None:
    ours, theirs = socket.socketpair()
    file = open_one(kernel, ours.detach())
    with pytest.raises(EAGAIN):
        file.read(10)
    theirs.send(b"hello")
    assert file.read(10) == b"hello"
    assert file.write(b"there") == 5 and theirs.recv(10) == b"there"
    theirs.close()
    assert file.poll() & POLLHUP and file.read(10) == b""
    with pytest.raises(BrokenPipeError):
        file.write(b"x")
    file.drop()


def test_file_shares_its_offset(kernel: Any, tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"0123456789")
    descriptor = os.open(path, os.O_RDWR)
    shared = os.dup(descriptor)
    file = open_one(kernel, descriptor)
    assert os.read(shared, 3) == b"012"
    assert file.position == 3 and file.read(2) == b"34"
    assert os.lseek(shared, 0, os.SEEK_CUR) == 5
    file.position = 8
    assert os.read(shared, 10) == b"89"
    assert file.read_at(3, 1) == b"123" and file.position == 10
    file.flags |= O_APPEND
    file.seek(0, os.SEEK_SET)
    assert file.write(b"end") == 3
    assert path.read_bytes() == b"0123456789end"
    assert not fcntl.fcntl(shared, fcntl.F_GETFL) & O_APPEND
    assert file.host_descriptor() == descriptor
    file.drop()
    with pytest.raises(OSError):
        os.fstat(descriptor)
    os.close(shared)


def test_opened_again(kernel: Any, tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"0123456789")
    file = open_one(kernel, os.open(path, os.O_RDONLY))
    task = FileWorld(Tmpfs(cast(Kernel, kernel))).task
    again = file.inode.open(task, file.path, 0).acquire()
    assert (file.read(4), again.read(2), file.read(1)) == (b"0123", b"01", b"4")
    with pytest.raises(EACCES):
        file.inode.open(task, file.path, O_WRONLY | O_TRUNC)
    file.drop()
    assert again.read(3) == b"234"
    again.drop()
    assert path.read_bytes() == b"0123456789"


def test_waiters_are_watched_for_what_they_wait_for(kernel: Any) -> None:
    ours, theirs = socket.socketpair()
    file = open_one(kernel, ours.detach())
    watched = kernel.events.watched
    first, second = Waiter(), Waiter()
    assert not watched
    file.wait_queue.add(first, POLLIN)
    assert list(watched.values()) == [POLLIN | EPOLLET]
    file.wait_queue.add(second, POLLOUT)
    assert list(watched.values()) == [POLLIN | POLLOUT | EPOLLET]
    file.wait_queue.remove(second)
    assert list(watched.values()) == [POLLIN | EPOLLET]
    file.drop()
    assert not watched
    theirs.close()


def test_closed_and_null(kernel: Any) -> None:
    null = os.open("/dev/null", os.O_RDONLY)
    read_end, write_end = os.pipe()
    os.close(read_end)
    os.close(write_end)
    closed, file = open_standard_files(kernel.terminals, (read_end, null))
    assert closed is None and file is not None
    assert file.read(10) == b"" and not file.writable
    with pytest.raises(ENODEV):
        open_one(kernel, os.open("/dev/zero", os.O_RDONLY)).map_descriptor(
            FileWorld(Tmpfs(cast(Kernel, kernel))).task, 1, False
        )


def test_terminal_descriptors(kernel: Any) -> None:
    """One open file for duplicates, others for another direction or another terminal."""
    master, slave = os.openpty()
    other_master, other_slave = os.openpty()
    name = os.ttyname(slave)
    reading = os.open(name, os.O_RDONLY | os.O_NOCTTY)
    writing = os.open(name, os.O_WRONLY | os.O_NOCTTY)
    kernel.terminals = TerminalRegistry(cast(Kernel, kernel))
    descriptors = (reading, writing, os.dup(writing), other_slave)
    files = open_standard_files(kernel.terminals, descriptors)
    first, second, third, fourth = files
    assert second is third and first is not second
    assert isinstance(first, HostTerminalFile) and isinstance(second, HostTerminalFile)
    assert isinstance(fourth, HostTerminalFile)
    assert first.terminal is second.terminal is kernel.terminals.host
    assert fourth.terminal is not first.terminal
    assert second.write(b"out") == 3 and os.read(master, 10) == b"out"
    assert fourth.write(b"other") == 5 and os.read(other_master, 10) == b"other"
    os.write(master, b"line\n")
    kernel.current_task = SimpleNamespace(thread_group=SimpleNamespace(session=None))
    assert first.read(100) == b"line\n"
    with pytest.raises(EAGAIN):
        first.read(100)
    for descriptor in (master, other_master, slave, *descriptors):
        os.close(descriptor)
