"""What epoll reports of pipes, eventfds and sockets is what the host reports."""

import os
import select
import socket
from collections.abc import Callable

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule

from harness.io_world import IoWorld, as_task
from runsc_py.sentry.abi.events import EPOLLET, EPOLLONESHOT
from runsc_py.sentry.abi.sockets import SOCK_DGRAM, SOCK_STREAM
from runsc_py.sentry.errors import EPIPE, KernelError
from runsc_py.sentry.fs.epoll import make_epoll_file
from runsc_py.sentry.fs.eventfd import make_event_file
from runsc_py.sentry.fs.pipe import make_pipe
from runsc_py.sentry.socket.unix import make_unix_pair
from runsc_py.sentry.vfs.open_file import OpenFile

_EVENTS = st.sets(st.sampled_from((select.EPOLLIN, select.EPOLLOUT, select.EPOLLRDHUP))).map(sum)
_MODES = st.sampled_from((0, 0, EPOLLET, EPOLLONESHOT, EPOLLET | EPOLLONESHOT))
_INDEX = st.integers(0, 6)
_SIZES = st.sampled_from((1, 8, 100, 4096, 60000))


def _number(operation: Callable[..., object], *arguments: object) -> object:
    try:
        return operation(*arguments)
    except KernelError as error:
        return -error.number
    except OSError as error:
        return -(error.errno or 0)


class EpollMachine(RuleBasedStateMachine):
    """Seven files, each here and on the host, and one epoll file for them."""

    @initialize()
    def make_files(self) -> None:
        task = as_task(IoWorld().new_task())
        self.epoll = make_epoll_file(task)
        self.epoll.acquire()
        self.host_epoll = select.epoll()
        stream = socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM)
        datagram = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.hosts: list[int] = [
            *os.pipe(),
            os.eventfd(0),
            *(end.detach() for end in (*stream, *datagram)),
        ]
        for descriptor in self.hosts:
            os.set_blocking(descriptor, False)
        self.files: list[OpenFile | None] = [
            *make_pipe(task, 0),
            make_event_file(task, 0, 0, False),
            *make_unix_pair(task, SOCK_STREAM, 0, 0),
            *make_unix_pair(task, SOCK_DGRAM, 0, 0),
        ]
        self.task = task
        for file in self.files:
            assert file is not None
            file.acquire()
            task.kernel.current_task = task

    @rule(index=_INDEX, events=_EVENTS, mode=_MODES)
    def add(self, index: int, events: int, mode: int) -> None:
        file = self.files[index]
        if file is not None:
            host = _number(self.host_epoll.register, self.hosts[index], events | mode)
            assert _number(self.epoll.add, index, file, events | mode, index) == host

    @rule(index=_INDEX, events=_EVENTS, mode=_MODES)
    def modify(self, index: int, events: int, mode: int) -> None:
        file = self.files[index]
        if file is not None:
            host = _number(self.host_epoll.modify, self.hosts[index], events | mode)
            assert _number(self.epoll.modify, index, file, events | mode, index) == host

    @rule(index=_INDEX)
    def delete(self, index: int) -> None:
        file = self.files[index]
        if file is not None:
            host = _number(self.host_epoll.unregister, self.hosts[index])
            assert _number(self.epoll.delete, index, file) == host

    @rule(index=_INDEX, size=_SIZES)
    def write(self, index: int, size: int) -> None:
        file = self.files[index]
        if file is None or index == 0:
            return
        data = (1).to_bytes(8, "little") if index == 2 else bytes(size)
        if index in (3, 4, 5, 6):
            data = data[:4096]
        host = _number(os.write, self.hosts[index], data)
        ours = _number(file.write, data)
        if index < 3 or ours == -EPIPE.number:
            assert ours == host

    @rule(index=_INDEX, size=_SIZES)
    def read(self, index: int, size: int) -> None:
        file = self.files[index]
        if file is None or index == 1:
            return
        host = _number(os.read, self.hosts[index], size)
        assert _number(file.read, size) == host

    @rule(index=_INDEX)
    def close(self, index: int) -> None:
        file = self.files[index]
        if file is not None:
            os.close(self.hosts[index])
            file.drop()
            self.files[index] = None

    @rule()
    def wait(self) -> None:
        host = self.host_epoll.poll(0)
        numbers = {descriptor: index for index, descriptor in enumerate(self.hosts)}
        expected = {numbers[descriptor]: events for descriptor, events in host}
        found = {item.fd: events for item, events in self.epoll.collect(100)}
        assert found == expected

    def teardown(self) -> None:
        if not hasattr(self, "hosts"):
            return
        for file, descriptor in zip(self.files, self.hosts, strict=True):
            if file is not None:
                file.drop()
                os.close(descriptor)
        self.host_epoll.close()


TestEpoll = EpollMachine.TestCase
TestEpoll.settings = settings(max_examples=50, stateful_step_count=30, deadline=None)
