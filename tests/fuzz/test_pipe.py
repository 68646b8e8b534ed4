"""The sentry's pipes behave as the host's, whatever is done to them in whatever order."""

import errno
import fcntl
import os
import select
import termios

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, precondition, rule

from harness.io_world import IoWorld, as_task
from runsc_py.sentry.errors import KernelError
from runsc_py.sentry.fs.pipe import make_pipe
from runsc_py.sentry.vfs.open_file import OpenFile

_SIZES = st.sampled_from((0, 1, 100, 4095, 4096, 4097, 20000, 65536, 70000))


def _number(operation: object, *arguments: object) -> object:
    """The result, or a negative errno."""
    try:
        return operation(*arguments)  # type: ignore[operator]
    except KernelError as error:
        return -error.number
    except OSError as error:
        return -(error.errno or 0)


class PipeMachine(RuleBasedStateMachine):
    """The same operations on both."""

    def __init__(self) -> None:
        super().__init__()
        self.task = IoWorld().new_task()
        reader, writer = make_pipe(as_task(self.task), 0)
        self.reader: OpenFile | None = reader.acquire()
        self.writer: OpenFile | None = writer.acquire()
        self.host_reader, self.host_writer = os.pipe2(os.O_NONBLOCK)
        self.counter = 0

    def _data(self, size: int) -> bytes:
        self.counter += 1
        return (b"%08d" % self.counter * (size // 8 + 1))[:size]

    @precondition(lambda self: self.writer is not None)
    @rule(size=_SIZES)
    def write(self, size: int) -> None:
        data = self._data(size)
        assert self.writer is not None
        expected = _number(os.write, self.host_writer, data)
        assert _number(self.writer.write, data) == expected

    @precondition(lambda self: self.reader is not None)
    @rule(size=_SIZES)
    def read(self, size: int) -> None:
        assert self.reader is not None
        expected = _number(os.read, self.host_reader, size)
        assert _number(self.reader.read, size) == expected

    @precondition(lambda self: self.reader is not None)
    @rule()
    def count(self) -> None:
        assert self.reader is not None
        argument = self.task.put(4)
        self.reader.ioctl(as_task(self.task), termios.FIONREAD, argument)
        host = fcntl.ioctl(self.host_reader, termios.FIONREAD, bytes(4))
        assert self.task.get(argument, 4) == host

    @rule()
    def poll(self) -> None:
        everything = 0x3FF
        poller = select.poll()
        pairs = ((self.reader, self.host_reader), (self.writer, self.host_writer))
        for file, descriptor in pairs:
            if file is not None:
                poller.register(descriptor, everything)
        host = dict(poller.poll(0))
        for file, descriptor in pairs:
            if file is not None:
                assert file.poll() == host.get(descriptor, 0)

    @precondition(lambda self: self.writer is not None)
    @rule(pages=st.sampled_from((1, 2, 16, 32)))
    def resize(self, pages: int) -> None:
        assert self.writer is not None
        host = _number(fcntl.fcntl, self.host_writer, 1031, pages * 4096)
        assert _number(self.writer.pipe.resize, pages * 4096) == host  # type: ignore[attr-defined]

    @precondition(lambda self: self.writer is not None and self.reader is not None)
    @rule()
    def close_writer(self) -> None:
        assert self.writer is not None
        self.writer.drop()
        self.writer = None
        os.close(self.host_writer)

    @precondition(lambda self: self.reader is not None and self.writer is not None)
    @rule()
    def close_reader(self) -> None:
        assert self.reader is not None
        self.reader.drop()
        self.reader = None
        os.close(self.host_reader)

    def teardown(self) -> None:
        if self.reader is not None:
            self.reader.drop()
            os.close(self.host_reader)
        if self.writer is not None:
            self.writer.drop()
            os.close(self.host_writer)


TestPipe = PipeMachine.TestCase
TestPipe.settings = settings(max_examples=40, stateful_step_count=30, deadline=None)


def test_epipe_is_the_same_number() -> None:
    """A guard for the comparison itself."""
    assert _number(os.write, -1, b"") == -errno.EBADF
