"""The timer queue and the timers on it, with a clock that the test moves."""

from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runsc_py.sentry.abi.signals import SIGALRM, SIGKILL, SIGXCPU
from runsc_py.sentry.abi.time import ITIMER_REAL, SIGEV_SIGNAL
from runsc_py.sentry.auth.user_counts import Charge
from runsc_py.sentry.auth.user_namespace import UserNamespace
from runsc_py.sentry.kernel.interval_timers import (
    PeriodicTimer,
    interval_timer,
    watch_cpu_limit,
)
from runsc_py.sentry.kernel.limits import RLIMIT_CPU, RLIMIT_SIGPENDING, Limits
from runsc_py.sentry.kernel.posix_timers import Notification, PosixTimer
from runsc_py.sentry.kernel.signals import PendingSignals, SignalInfo
from runsc_py.sentry.kernel.timers import Timers

SECOND = 1_000_000_000


class ManualKernel:
    """As much of a kernel as timers need."""

    def __init__(self) -> None:
        self.now = 100 * SECOND
        self.timers = Timers()
        self.clock = SimpleNamespace(monotonic=lambda: self.now)

    def advance(self, duration: int) -> None:
        """Let time pass, stopping at each deadline."""
        end = self.now + duration
        while (deadline := self.timers.next_deadline()) is not None and deadline <= end:
            self.now = max(self.now, deadline)
            self.timers.run_due(self.now)
        self.now = end


class ManualGroup:
    """As much of a thread group."""

    def __init__(self, kernel: ManualKernel) -> None:
        self.kernel = kernel
        self.tasks = [object()]
        self.exiting = False
        self.extras: dict[str, object] = {}
        self.limits = Limits()
        self.pending = PendingSignals()
        self.used = 0
        self.received: list[int] = []

    def user_time(self) -> int:
        return self.used

    def cpu_time(self) -> int:
        return self.used

    def send_signal(self, info: SignalInfo) -> None:
        self.received.append(info.number)
        self.pending.add(info)


@pytest.fixture
def kernel() -> ManualKernel:
    return ManualKernel()


@pytest.fixture
def group(kernel: ManualKernel) -> Any:
    return ManualGroup(kernel)


def test_callbacks_run_in_order_of_their_deadlines() -> None:
    timers = Timers()
    called: list[str] = []
    timers.at(20, lambda: called.append("second"))
    timers.at(10, lambda: called.append("first"))
    timers.at(30, lambda: called.append("third"))
    timers.run_due(25)
    assert called == ["first", "second"]
    assert timers.next_deadline() == 30
    assert len(timers) == 1


def test_a_cancelled_callback_does_not_run() -> None:
    timers = Timers()
    handle = timers.at(10, lambda: pytest.fail("it was cancelled"))
    handle.cancel()
    handle.cancel()
    assert timers.next_deadline() is None
    timers.run_due(100)


def test_a_callback_may_cancel_a_later_one_and_arm_another() -> None:
    timers = Timers()
    called: list[str] = []
    doomed = timers.at(11, lambda: pytest.fail("it was cancelled"))

    def first() -> None:
        doomed.cancel()
        timers.at(5, lambda: called.append("armed meanwhile"))

    timers.at(10, first)
    timers.run_due(20)
    assert called == []  # it waits for the next turn, so that nobody can keep us here
    timers.run_due(20)
    assert called == ["armed meanwhile"]


@given(st.lists(st.tuples(st.integers(0, 50), st.booleans()), max_size=300))
def test_the_heap_against_a_list(steps: list[tuple[int, bool]]) -> None:
    """Many cancellations rebuild the heap; what is left is right all the same."""
    timers = Timers()
    called: list[int] = []
    kept: list[int] = []
    handles = []
    for deadline, cancel in steps:
        handles.append((timers.at(deadline, lambda at=deadline: called.append(at)), cancel))
        if not cancel:
            kept.append(deadline)
    for handle, cancel in handles:
        if cancel:
            handle.cancel()
    assert len(timers) == len(kept)
    timers.run_due(50)
    assert called == sorted(kept)


def test_interval_timer_counts_from_its_expiry(kernel: ManualKernel, group: Any) -> None:
    timer = interval_timer(group, ITIMER_REAL)
    assert interval_timer(group, ITIMER_REAL) is timer
    timer.set(kernel.now + 5 * SECOND, 2 * SECOND)
    kernel.advance(4 * SECOND)
    assert timer.remaining() == SECOND
    assert group.received == []
    kernel.advance(6 * SECOND)
    assert group.received == [SIGALRM] * 3
    assert timer.remaining() == SECOND
    timer.cancel()
    kernel.advance(10 * SECOND)
    assert group.received == [SIGALRM] * 3
    assert timer.remaining() == 0


def test_timers_of_a_dead_process_fall_silent(kernel: ManualKernel, group: Any) -> None:
    interval_timer(group, ITIMER_REAL).set(kernel.now + SECOND, SECOND)
    group.exiting = True
    kernel.advance(3 * SECOND)
    assert group.received == []
    assert kernel.timers.next_deadline() is None


def test_a_timer_on_a_cpu_clock_waits_for_the_clock(kernel: ManualKernel, group: Any) -> None:
    """It fires by processor time, however much real time passes."""
    fired: list[int] = []
    timer = PeriodicTimer(kernel, group.cpu_time, fired.append, group)  # type: ignore[arg-type]
    timer.set(SECOND, 0)
    kernel.advance(10 * SECOND)
    assert fired == []
    group.used = SECOND - 1
    kernel.advance(SECOND)
    assert fired == []
    group.used = SECOND
    kernel.advance(SECOND)
    assert fired == [1]


def posix_timer(group: Any, signal: int) -> PosixTimer:
    notification = Notification(SIGEV_SIGNAL, signal, 0x1234, None)
    charge = Charge(UserNamespace.initial(), 0, RLIMIT_SIGPENDING, 1)
    return PosixTimer(group, 7, 1, group.kernel.clock.monotonic, False, notification, charge)


def test_overruns_count_expiries_while_the_signal_is_queued(
    kernel: ManualKernel, group: Any
) -> None:
    timer = posix_timer(group, 34)
    timer.set(kernel.now + SECOND, SECOND)
    kernel.advance(4 * SECOND)
    assert group.received == [34]
    info = group.pending.take(1 << 33)
    assert int.from_bytes(info.raw[20:24], "little") == 3  # si_overrun
    assert timer.overrun() == 3
    kernel.advance(SECOND)
    assert timer.overrun() == 3  # the new signal is not delivered yet
    group.pending.take(1 << 33)
    assert timer.overrun() == 0
    timer.delete()
    kernel.advance(5 * SECOND)
    assert group.received == [34, 34]


def test_cpu_limit_warns_every_second_and_then_kills(kernel: ManualKernel, group: Any) -> None:
    group.limits.set(RLIMIT_CPU, 2, 4)
    watch_cpu_limit(group)
    for tenth in range(1, 50):
        group.used = tenth * SECOND // 10
        kernel.advance(SECOND // 10)
        group.exiting = SIGKILL in group.received
    assert group.received == [SIGXCPU, SIGXCPU, SIGKILL]
