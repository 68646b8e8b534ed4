"""On which CPUs guests may run."""

import os
import select
from collections.abc import Callable

import pytest

from harness.machine_code import SPIN, again, call, new_guest
from runsc_py.platform.interface import Event
from runsc_py.platform.ptrace import PtracePlatform
from runsc_py.platform.ptrace.context import PtraceContext

SYS_GETPID = 39
CPUS = os.sched_getaffinity(0)

several_cpus = pytest.mark.skipif(len(CPUS) < 2, reason="one CPU leaves nothing to decide")


def wait_until(platform: PtracePlatform, condition: Callable[[], bool]) -> None:
    """Wait for events, woken every few milliseconds by a timer, until the condition holds."""
    reader, writer = os.pipe2(os.O_CLOEXEC)
    timer = os.posix_spawn(
        "/bin/sh",
        ["sh", "-c", "while sleep 0.005; do echo; done >&3"],
        os.environ,
        file_actions=[(os.POSIX_SPAWN_DUP2, writer, 3)],
    )
    with select.epoll() as epoll:
        epoll.register(reader, select.EPOLLIN)
        platform.watch(epoll.fileno())
        try:
            while not condition():
                assert platform.wait() is None
                os.read(reader, 100)
        finally:
            platform.watch(-1)
            os.kill(timer, 9)
            os.waitpid(timer, 0)
            os.close(reader)
            os.close(writer)


def stop(platform: PtracePlatform, context: PtraceContext) -> None:
    """Stop a running context; the timer of `wait_until` may still have rung before."""
    context.interrupt()
    while platform.wait() is not context:
        pass
    assert context.event == Event.INTERRUPTED


def affinity(context: PtraceContext) -> set[int]:
    return os.sched_getaffinity(context.tid)


@several_cpus
@pytest.mark.parametrize("placement", ["auto", "together"])
def test_guest_starts_on_the_tracers_cpu(placement: str) -> None:
    with PtracePlatform(placement) as platform:  # type: ignore[arg-type]
        context = new_guest(platform, SPIN)
        assert len(affinity(context)) == 1
        assert affinity(context) == os.sched_getaffinity(0)
    assert os.sched_getaffinity(0) == CPUS


def test_spread_binds_nothing() -> None:
    with PtracePlatform("spread") as platform:
        assert affinity(new_guest(platform, SPIN)) == CPUS
        assert os.sched_getaffinity(0) == CPUS


def test_unknown_placement_is_an_error() -> None:
    with pytest.raises(ValueError, match="together"):
        PtracePlatform("elsewhere")  # type: ignore[arg-type]
    assert os.sched_getaffinity(0) == CPUS


@several_cpus
def test_computing_guest_is_let_go_and_comes_back() -> None:
    with PtracePlatform("auto") as platform:
        context = new_guest(platform, SPIN)
        context.resume()
        wait_until(platform, lambda: affinity(context) == CPUS)
        stop(platform, context)
        context.address_space.write(context.registers.rip, again(call(SYS_GETPID)))
        for _ in range(20_000):
            platform.wait(context)
            if len(affinity(context)) == 1:
                break
        assert len(affinity(context)) == 1


@several_cpus
def test_one_of_two_guests_that_trap_makes_room() -> None:
    with PtracePlatform("auto") as platform:
        guests = [new_guest(platform, again(call(SYS_GETPID))) for _ in range(2)]
        guests[0].resume()
        stopped: PtraceContext | None = guests[1]
        for _ in range(20_000):
            stopped = platform.wait(stopped)
            if sorted(len(affinity(guest)) for guest in guests) == [1, len(CPUS)]:
                return
        raise AssertionError("both stayed, or both left")


@several_cpus
def test_children_of_a_computing_guest_are_free_too() -> None:
    with PtracePlatform("auto") as platform:
        context = new_guest(platform, SPIN)
        context.resume()
        wait_until(platform, lambda: affinity(context) == CPUS)
        stop(platform, context)
        assert affinity(context.clone_process(share_memory=False)) == CPUS


@several_cpus
def test_together_never_lets_go() -> None:
    with PtracePlatform("together") as platform:
        context = new_guest(platform, SPIN)
        context.resume()
        wait_until(platform, lambda: context.cpu_time() > 50_000_000)
        assert len(affinity(context)) == 1


@several_cpus
def test_companion_stays_with_the_tracer() -> None:
    companion = os.posix_spawn("/bin/sleep", ["sleep", "30"], os.environ)
    try:
        with PtracePlatform("together") as platform:
            assert platform.processors == len(CPUS)
            assert os.sched_getaffinity(companion) == CPUS
            platform.accompany(companion)
            assert os.sched_getaffinity(companion) == os.sched_getaffinity(0)
    finally:
        os.kill(companion, 9)
        os.waitpid(companion, 0)
