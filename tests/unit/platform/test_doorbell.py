"""Host events wake a tracer that waits for its guests."""

import os
import select
import signal
import time
from collections.abc import Iterator

import pytest

from harness.machine_code import SPIN, again, call, new_guest
from runsc_py.platform.interface import Event
from runsc_py.platform.ptrace import PtracePlatform

SYS_GETPID = 39


@pytest.fixture
def pipe() -> Iterator[tuple[int, int]]:
    ends = os.pipe2(os.O_CLOEXEC | os.O_NONBLOCK)
    yield ends
    for end in ends:
        os.close(end)


@pytest.fixture
def watched(platform: PtracePlatform, pipe: tuple[int, int]) -> Iterator[select.epoll]:
    """The epoll descriptor that the platform watches, with the pipe's read end in it."""
    with select.epoll() as epoll:
        epoll.register(pipe[0], select.EPOLLIN)
        platform.watch(epoll.fileno())
        yield epoll


def test_readable_before_the_wait(
    platform: PtracePlatform, watched: select.epoll, pipe: tuple[int, int]
) -> None:
    os.write(pipe[1], b"x")
    context = new_guest(platform, SPIN)
    assert platform.wait(context) is None
    assert watched.poll(0) == [(pipe[0], select.EPOLLIN)]


def test_readable_during_the_wait(
    platform: PtracePlatform, watched: select.epoll, pipe: tuple[int, int]
) -> None:
    with open(pipe[1], "wb", closefd=False) as writer:
        child = os.posix_spawn(
            "/bin/sh",
            ["sh", "-c", "sleep 0.05; echo >&3"],
            os.environ,
            file_actions=[(os.POSIX_SPAWN_DUP2, writer.fileno(), 3)],
        )
    context = new_guest(platform, SPIN)
    context.resume()
    woken = ended = False
    while not (woken and ended):
        assert platform.wait() is None
        if watched.poll(0):
            assert os.read(pipe[0], 10) == b"\n"
            woken = True
        found = platform.take_child()
        if found:
            assert found == (child, 0)
            ended = True
    assert platform.take_child() is None


def test_wakes_again_and_again(
    platform: PtracePlatform, watched: select.epoll, pipe: tuple[int, int]
) -> None:
    context = new_guest(platform, SPIN)
    context.resume()
    for _ in range(200):
        os.write(pipe[1], b"x")
        assert platform.wait() is None
        assert os.read(pipe[0], 10) == b"x"


def test_neither_guests_nor_descriptors_starve(
    platform: PtracePlatform, watched: select.epoll, pipe: tuple[int, int]
) -> None:
    os.write(pipe[1], b"x")  # never read: readable for ever
    context = new_guest(platform, again(call(SYS_GETPID)))
    calls = wakes = 0
    context.resume()
    while calls < 100 or wakes < 1:
        stopped = platform.wait()
        if stopped is None:
            wakes += 1
            continue
        calls += 1
        stopped.set_result(0)
        stopped.resume()


def test_watching_another_descriptor(
    platform: PtracePlatform, watched: select.epoll, pipe: tuple[int, int]
) -> None:
    context = new_guest(platform, again(call(SYS_GETPID)))
    platform.wait(context)  # the doorbell polls the first descriptor now
    platform.watch(pipe[0])
    os.write(pipe[1], b"x")
    context.address_space.write(context.registers.rip, SPIN)
    assert platform.wait(context) is None
    platform.watch(-1)
    context.interrupt()
    assert platform.wait() is context
    assert context.event == Event.INTERRUPTED


def test_no_wake_without_a_reason(
    platform: PtracePlatform, watched: select.epoll, pipe: tuple[int, int]
) -> None:
    context = new_guest(platform, again(call(SYS_GETPID)))
    for _ in range(300):
        assert platform.wait(context) is context
        context.set_result(0)


def test_python_signal_handlers_run(platform: PtracePlatform) -> None:
    seen: list[int] = []
    before = signal.signal(signal.SIGALRM, lambda number, frame: seen.append(number))
    try:
        context = new_guest(platform, SPIN)
        context.resume()
        signal.setitimer(signal.ITIMER_REAL, 0.02)
        started = time.monotonic()
        while not seen:
            assert platform.wait() is None
        assert time.monotonic() - started < 5
    finally:
        signal.signal(signal.SIGALRM, before)
