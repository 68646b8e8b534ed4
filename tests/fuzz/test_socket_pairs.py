"""Connected sockets behave as the host's: AF_UNIX of the three types, and TCP on the loopback."""

import fcntl
import os
import select
import socket
import termios
from collections.abc import Callable
from time import monotonic

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    rule,
    run_state_machine_as_test,
)

from harness.io_world import IoTask, IoWorld, as_task
from runsc_py.sentry.abi.sockets import AF_INET, SOCKADDR_IN
from runsc_py.sentry.errors import KernelError
from runsc_py.sentry.socket.messages import Outgoing
from runsc_py.sentry.socket.socket import Socket
from runsc_py.sentry.socket.tcp import TcpSocket
from runsc_py.sentry.socket.unix import make_unix_pair

_SIZES = st.sampled_from((0, 1, 7, 100, 5000))
_END = st.integers(0, 1)
_RECEIVE_FLAGS = st.sampled_from((0, 0, socket.MSG_PEEK, socket.MSG_TRUNC))

#: what a receive found: bytes and msg_flags, or a negative errno
Found = tuple[bytes, int] | int


def _number(operation: Callable[..., object], *arguments: object) -> object:
    try:
        return operation(*arguments)
    except KernelError as error:
        return -error.number
    except OSError as error:
        return -(error.errno or 0)


def _host_pair(kind: int) -> tuple[socket.socket, socket.socket]:
    if kind:
        return socket.socketpair(socket.AF_UNIX, kind)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        client = socket.create_connection(listener.getsockname())
        return client, listener.accept()[0]


def _our_pair(task: IoTask, kind: int) -> tuple[Socket, Socket]:
    mine = as_task(task)
    if kind:
        return make_unix_pair(mine, kind, 0, 0)
    listener, client = TcpSocket(mine, AF_INET), TcpSocket(mine, AF_INET)
    listener.acquire()
    listener.bind(mine, SOCKADDR_IN.pack(AF_INET, b"\x12\x34", b"\x7f\0\0\1"))
    listener.listen(mine, 5)
    client.connect(mine, listener.local_address())
    pair = client, listener.accept(mine)
    listener.drop()
    return pair


def _unacknowledged(end: socket.socket) -> int:
    return int.from_bytes(fcntl.ioctl(end, termios.TIOCOUTQ, bytes(4)), "little")


class PairMachine(RuleBasedStateMachine):
    """The same operations on both ends of both pairs."""

    #: a SOCK_* of AF_UNIX, or 0 for TCP
    kind = 0

    @initialize()
    def connect(self) -> None:
        self.task = IoWorld().new_task()
        self.host = list(_host_pair(self.kind))
        self.ours: list[Socket | None] = list(_our_pair(self.task, self.kind))
        for index in (0, 1):
            self.host[index].setblocking(False)
            end = self.ours[index]
            assert end is not None
            end.acquire()
        self.sent = 0
        self.counter = 0

    @invariant()
    def has_arrived(self) -> None:
        """A busy host takes its time between the ends of a TCP connection."""
        if self.kind or not hasattr(self, "ours"):
            return
        deadline = monotonic() + 0.5
        for index, ours in enumerate(self.ours):
            while ours is not None and _unacknowledged(self.host[index]):
                if monotonic() > deadline:
                    return  # nobody is left to acknowledge it

    @rule(end=_END, size=_SIZES)
    def send(self, end: int, size: int) -> None:
        ours = self.ours[end]
        if ours is None or self.sent > 60000:
            return
        if not size and self.kind == socket.SOCK_SEQPACKET:
            return  # whether an unread empty packet resets depends on the host's version
        self.counter += 1
        data = (b"%06d" % self.counter * (size // 6 + 1))[:size]
        self.sent += size + 800
        host = _number(self.host[end].send, data, socket.MSG_NOSIGNAL)
        assert _number(ours.send, as_task(self.task), Outgoing(data)) == host

    @rule(end=_END, size=_SIZES, flags=_RECEIVE_FLAGS)
    def receive(self, end: int, size: int, flags: int) -> None:
        ours = self.ours[end]
        if ours is None or (self.kind in (0, socket.SOCK_STREAM) and flags == socket.MSG_TRUNC):
            return
        if size == 0 and self.kind == 0:
            return
        host: Found = _number(self._host_receive, end, size, flags)  # type: ignore[assignment]
        found: Found = _number(self._our_receive, ours, size, flags)  # type: ignore[assignment]
        assert found == host

    def _host_receive(self, end: int, size: int, flags: int) -> Found:
        data, _, shown, _ = self.host[end].recvmsg(size, 0, flags & ~socket.MSG_TRUNC)
        return data, shown & socket.MSG_TRUNC

    def _our_receive(self, ours: Socket, size: int, flags: int) -> Found:
        wanted = flags & ~socket.MSG_TRUNC | socket.MSG_DONTWAIT
        message = ours.receive(as_task(self.task), size, wanted)
        return message.data, message.flags & socket.MSG_TRUNC

    @rule(end=_END, how=st.sampled_from((0, 1, 2)))
    def shutdown(self, end: int, how: int) -> None:
        ours = self.ours[end]
        if ours is not None:
            host = _number(self.host[end].shutdown, how)
            assert _number(ours.shutdown, how) == host

    @rule(end=_END)
    def close(self, end: int) -> None:
        ours = self.ours[end]
        if ours is not None:
            ours.drop()
            self.ours[end] = None
            self.host[end].close()

    @rule(end=_END)
    def error(self, end: int) -> None:
        ours = self.ours[end]
        if ours is not None:
            host = self.host[end].getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
            assert ours.take_error() == host

    @rule(end=_END)
    def count(self, end: int) -> None:
        ours = self.ours[end]
        if ours is not None:
            host = fcntl.ioctl(self.host[end], termios.FIONREAD, bytes(4))
            assert ours.pending_bytes() == int.from_bytes(host, "little")

    @rule(end=_END)
    def poll(self, end: int) -> None:
        ours = self.ours[end]
        if ours is not None:
            poller = select.poll()
            poller.register(self.host[end], 0x23FF)
            host = dict(poller.poll(0)).get(self.host[end].fileno(), 0)
            assert ours.poll() & 0x23FF & ~0x200 == host & ~0x200

    def teardown(self) -> None:
        for end in (0, 1):
            if hasattr(self, "ours"):
                self.close(end)


@pytest.mark.parametrize(
    "kind", [socket.SOCK_STREAM, socket.SOCK_SEQPACKET, socket.SOCK_DGRAM, 0], ids=str
)
def test_pair(kind: int) -> None:
    """Whatever is done in whatever order."""

    class Machine(PairMachine):
        pass

    Machine.kind = int(kind)
    run_state_machine_as_test(
        Machine, settings=settings(max_examples=40, stateful_step_count=25, deadline=None)
    )


def test_descriptors_are_closed() -> None:
    """A guard: the machine leaves nothing open."""
    before = len(os.listdir("/proc/self/fd"))
    first, second = _host_pair(0)
    first.close()
    second.close()
    assert len(os.listdir("/proc/self/fd")) == before
