"""The line discipline does what the host's does, key by key.

A pseudo-terminal of the host and ours get the same keys, output and settings; what programs
read and what the terminal shows must be the same.
"""

import os
import pty
import re
import termios
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from runsc_py.sentry.abi import ioctl
from runsc_py.sentry.fs.devpts.line_discipline import LineDiscipline
from runsc_py.sentry.fs.devpts.settings import Settings

#: keys that mean something, and some that do not
ALPHABET = (
    b"ab Z_9\t\r\n\x00\x01\x03\x04\x08\x0f\x11\x12\x13\x15\x16\x17\x1a\x1c\x7f\x80\xa9\xc3\xe9\xff"
)

#: a key that may throw away what was shown is typed by itself: how much of that has reached
#: the master already is a matter of luck
SIGNAL_KEY = re.compile(rb"([\x03\x1c\x1a])")

INPUT_FLAGS = (
    ioctl.ICRNL, ioctl.INLCR, ioctl.IGNCR, ioctl.IXON, ioctl.IXANY, ioctl.ISTRIP, ioctl.IUTF8,
)  # fmt: skip
OUTPUT_FLAGS = (
    ioctl.OPOST, ioctl.ONLCR, ioctl.OCRNL, ioctl.ONOCR, ioctl.ONLRET, ioctl.XTABS, ioctl.OLCUC,
)  # fmt: skip
LOCAL_FLAGS = (
    ioctl.ISIG, ioctl.ICANON, ioctl.ECHO, ioctl.ECHOE, ioctl.ECHOK, ioctl.ECHONL, ioctl.NOFLSH,
    ioctl.ECHOCTL, ioctl.ECHOPRT, ioctl.ECHOKE, ioctl.IEXTEN,
)  # fmt: skip


def flag_sets(flags: tuple[int, ...], usual: int) -> st.SearchStrategy[int]:
    """The usual combination, or any other."""
    return st.just(usual) | st.sets(st.sampled_from(flags)).map(sum)


modes = st.tuples(
    flag_sets(INPUT_FLAGS, ioctl.ICRNL | ioctl.IXON),
    flag_sets(OUTPUT_FLAGS, ioctl.OPOST | ioctl.ONLCR),
    flag_sets(LOCAL_FLAGS, sum(LOCAL_FLAGS) & ~(ioctl.ECHOPRT | ioctl.ECHONL | ioctl.NOFLSH)),
)
text = st.lists(st.sampled_from(ALPHABET), min_size=1, max_size=12).map(bytes)
steps = st.lists(
    st.tuples(st.just("type"), text)
    | st.tuples(st.just("print"), text)
    | st.tuples(st.just("set"), modes),
    min_size=1,
    max_size=12,
)
Mode = tuple[int, int, int]
Step = tuple[str, bytes | Mode]


class HostTerminal:
    """The host's."""

    def __init__(self, master: int, slave: int) -> None:
        self.master = master
        self.slave = slave
        self.characters = termios.tcgetattr(slave)[6]
        for descriptor in (master, slave):
            os.set_blocking(descriptor, False)

    def set(self, mode: Mode) -> None:
        input_flags, output_flags, local_flags = mode
        characters = list(self.characters)
        if not local_flags & ioctl.ICANON:
            characters[ioctl.VMIN], characters[ioctl.VTIME] = 1, 0
        control = ioctl.B38400 | ioctl.CS8 | ioctl.CREAD
        termios.tcsetattr(
            self.slave,
            termios.TCSANOW,
            [input_flags, output_flags, control, local_flags, 15, 15, characters],
        )

    def type(self, keys: bytes) -> None:
        os.write(self.master, keys)

    def print(self, output: bytes) -> int:
        try:
            return os.write(self.slave, output)
        except BlockingIOError:
            return 0

    def read(self, size: int) -> list[bytes]:
        return _read_all(self.slave, size)

    def shown(self) -> bytes:
        return b"".join(_read_all(self.master, 4096))


def _read_all(descriptor: int, size: int) -> list[bytes]:
    """Every read until one would block; the host has then looked at all that was typed."""
    result = []
    while True:
        try:
            result.append(os.read(descriptor, size))
        except BlockingIOError:
            return result


class OurTerminal:
    """The same with the sentry's line discipline."""

    def __init__(self) -> None:
        self.discipline = LineDiscipline(lambda number: None)

    def set(self, mode: Mode) -> None:
        control = ioctl.B38400 | ioctl.CS8 | ioctl.CREAD
        self.discipline.change_settings(Settings(mode[0], mode[1], control, mode[2]))

    def type(self, keys: bytes) -> None:
        self.discipline.receive(keys)

    def print(self, output: bytes) -> int:
        return self.discipline.output.write(output)

    def read(self, size: int) -> list[bytes]:
        result = []
        while self.discipline.has_input():
            result.append(self.discipline.take(size))
        return result

    def shown(self) -> bytes:
        queue = self.discipline.output.queue
        data = bytes(queue)
        queue.clear()
        return data


@contextmanager
def host_terminal() -> Iterator[HostTerminal]:
    master, slave = pty.openpty()
    try:
        yield HostTerminal(master, slave)
    finally:
        os.close(master)
        os.close(slave)


@pytest.mark.slow
@settings(max_examples=200, deadline=None)
@given(first=modes, actions=steps, size=st.sampled_from((1, 3, 100)))
@example(first=(3520, 5, 35387), actions=[("type", b"a\x13a\x13")], size=1)
@example(first=(0, 0, ioctl.ICANON), actions=[("type", b"ab\x04"), ("type", b"\x04")], size=2)
def test_same_as_the_host(first: Mode, actions: list[Step], size: int) -> None:
    with host_terminal() as host:
        ours = OurTerminal()
        host.set(first)
        ours.set(first)
        for action, argument in actions:
            if isinstance(argument, tuple):
                host.set(argument)
                ours.set(argument)
            elif action == "print":
                assert ours.print(argument) == host.print(argument)
            else:
                for keys in SIGNAL_KEY.split(argument):
                    if keys:
                        host.type(keys)
                        ours.type(keys)
                    assert ours.read(size) == host.read(size)
                    assert ours.shown() == host.shown()
            assert ours.read(size) == host.read(size)
            assert ours.shown() == host.shown()


def test_a_full_line_still_takes_its_end() -> None:
    with host_terminal() as host:
        ours = OurTerminal()
        mode = (ioctl.ICRNL, 0, ioctl.ICANON)
        host.set(mode)
        ours.set(mode)
        keys = b"x" * 3000
        for _ in range(2):
            host.type(keys)
            ours.type(keys)
            assert ours.read(8192) == host.read(8192) == []
        host.type(b"\r")
        ours.type(b"\r")
        assert ours.read(8192) == host.read(8192)
