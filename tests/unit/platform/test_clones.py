"""Host processes and threads: how they begin, share memory, and end."""

import os
import signal
from time import sleep

import pytest

from harness.machine_code import (
    CODE,
    DATA,
    PAGE,
    SPIN,
    again,
    call,
    new_guest,
    read_word,
    store_rax,
)
from runsc_py.platform.interface import ContextGone, Event, MemoryFault
from runsc_py.platform.ptrace import PtracePlatform
from runsc_py.platform.ptrace.context import PtraceContext

SYS_MPROTECT = 10
FORK = 57
STOPS = ("undecided", "executed", "decided")


def stop_at_fork(platform: PtracePlatform, stop: str = "undecided") -> PtraceContext:
    """A context stopped at its first call, after which it stores the result and calls 1."""
    context = new_guest(platform, call(FORK, 11, 12) + store_rax(DATA) + call(1))
    platform.wait(context)
    if stop == "executed":
        assert context.execute(SYS_MPROTECT, DATA, PAGE, 3) == 0
    elif stop == "decided":
        context.set_result(3)
    return context


def is_alive(pid: int) -> bool:
    """Whether the host still has the process, zombie or not."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def wait_two(platform: PtracePlatform) -> set[PtraceContext]:
    """The next two contexts that stop."""
    found = {platform.wait(), platform.wait()}
    assert None not in found
    return {context for context in found if context is not None}


@pytest.mark.parametrize("stop", STOPS)
def test_process_is_a_copy(platform: PtracePlatform, stop: str) -> None:
    parent = stop_at_fork(platform, stop)
    child = parent.clone_process(share_memory=False)
    assert child.pid != parent.pid
    assert child.registers.rip == parent.registers.rip
    assert (child.registers.rdi, child.registers.rsi) == (11, 12)
    assert child.registers.orig_rax == (1 << 64) - 1
    parent.set_result(100)
    child.set_result(0)
    parent.resume()
    child.resume()
    assert wait_two(platform) == {parent, child}
    assert (read_word(parent), read_word(child)) == (100, 0)


def test_memory_can_be_shared_by_processes(platform: PtracePlatform) -> None:
    parent = stop_at_fork(platform)
    child = parent.clone_process(share_memory=True)
    assert child.pid != parent.pid
    assert child.address_space is parent.address_space
    child.set_result(5)
    platform.wait(child)
    assert read_word(parent) == 5


def test_thread_shares_the_process(platform: PtracePlatform) -> None:
    parent = stop_at_fork(platform)
    thread = parent.clone_thread()
    assert (thread.pid, thread.address_space) == (parent.pid, parent.address_space)
    assert thread.tid != parent.tid
    thread.registers.fs_base = 0x12345000
    thread.set_result(6)
    platform.wait(thread)
    assert read_word(parent) == 6
    assert thread.registers.fs_base == 0x12345000
    assert parent.registers.fs_base == 0


def test_copy_of_a_copy(platform: PtracePlatform) -> None:
    context = stop_at_fork(platform)
    family = [context]
    for _ in range(20):
        family.append(family[-1].clone_process(share_memory=False))
    for number, member in enumerate(family):
        member.set_result(number)
        member.resume()
    for _ in family:
        platform.wait()
    assert [read_word(member) for member in family] == list(range(21))


def test_clone_with_an_interrupt_on_its_way(platform: PtracePlatform) -> None:
    """The host then restarts its clone (ERESTARTNOINTR); the sentry must not notice."""
    context = new_guest(platform, again(call(FORK)))
    for _ in range(100):
        context.resume()
        context.interrupt()
        assert platform.wait() is context
        os.kill(context.pid, signal.SIGUSR1)
        child = context.clone_process(share_memory=False)
        child.exit()


def test_thread_exit_leaves_the_process(platform: PtracePlatform) -> None:
    for stop in STOPS:
        parent = stop_at_fork(platform, stop)
        thread = parent.clone_thread()
        thread.exit()
        parent.set_result(1)
        platform.wait(parent)
        assert (parent.event, parent.number) == (Event.SYSCALL, 1)
        assert read_word(parent) == 1


def test_leader_may_exit_first(platform: PtracePlatform) -> None:
    leader = stop_at_fork(platform)
    thread = leader.clone_thread()
    space, pid = leader.address_space, leader.pid
    leader.exit()
    thread.set_result(1)
    platform.wait(thread)
    assert (thread.event, thread.number) == (Event.SYSCALL, 1)
    assert read_word(thread) == 1
    assert any(mapping.start == DATA for mapping in space.mappings())
    assert thread.execute(SYS_MPROTECT, DATA, PAGE, 1) == 0
    assert is_alive(pid)


def test_running_context_may_exit(platform: PtracePlatform) -> None:
    parent = new_guest(platform, call(1) + SPIN)
    platform.wait(parent)
    threads = [parent.clone_thread() for _ in range(3)]
    for thread in threads:
        thread.resume()
    for thread in threads:
        thread.exit()
    assert platform.running == 0
    parent.resume()
    parent.interrupt()
    assert platform.wait() is parent


def test_last_exit_ends_the_process(platform: PtracePlatform) -> None:
    context = stop_at_fork(platform)
    other = context.clone_process(share_memory=False)
    pid = context.pid
    context.exit()
    other.set_result(0)
    while is_alive(pid):  # reaped by the hot loop, in passing
        other.registers.rip = CODE
        other.set_registers_changed()
        platform.wait(other)


def test_memory_stays_reachable_through_the_other_process(platform: PtracePlatform) -> None:
    parent = stop_at_fork(platform)
    child = parent.clone_process(share_memory=True)
    space = parent.address_space
    space.write(DATA, b"still here")
    parent.exit()
    assert space.read(DATA, 10) == b"still here"
    child.exit()
    with pytest.raises(MemoryFault):
        space.read(DATA, 1)
    assert space.mappings() == []


def test_killed_from_outside_while_running(platform: PtracePlatform) -> None:
    context = new_guest(platform, SPIN)
    context.resume()
    os.kill(context.pid, signal.SIGKILL)
    assert platform.wait() is context
    assert context.event == Event.EXITED
    with pytest.raises(ContextGone):
        context.execute(SYS_MPROTECT, DATA, PAGE, 3)
    context.exit()
    assert platform.running == 0


@pytest.mark.parametrize("stop", STOPS)
def test_killed_from_outside_while_stopped(platform: PtracePlatform, stop: str) -> None:
    context = stop_at_fork(platform, stop)
    os.kill(context.pid, signal.SIGKILL)
    with pytest.raises(ContextGone):
        context.execute(SYS_MPROTECT, DATA, PAGE, 3)
    with pytest.raises(ContextGone):
        context.clone_process(share_memory=False)
    assert platform.wait(context) is context
    assert context.event == Event.EXITED
    context.exit()


def test_leader_killed_during_a_call_for_it(platform: PtracePlatform) -> None:
    """Its death is reported after its threads', which must be taken in between."""
    leader = stop_at_fork(platform)
    threads = [leader.clone_thread() for _ in range(3)]
    threads[0].exit()
    os.kill(leader.pid, signal.SIGKILL)
    with pytest.raises(ContextGone):
        leader.execute(SYS_MPROTECT, DATA, PAGE, 3)
    ended = {platform.wait() for _ in range(3)}
    assert ended == {leader, *threads[1:]}
    assert all(context.event == Event.EXITED for context in (leader, *threads[1:]))


def test_cpu_time_grows(platform: PtracePlatform) -> None:
    context = new_guest(platform, SPIN)
    context.resume()
    while context.cpu_time() < 2_000_000:
        pass
    context.interrupt()
    platform.wait()
    assert context.process_cpu_time() >= context.cpu_time() >= 2_000_000


def test_slots_are_used_again(platform: PtracePlatform) -> None:
    keeper = stop_at_fork(platform)
    slots: set[int] = set()
    for _ in range(1000):
        other = keeper.clone_process(share_memory=False)
        if other._native.slot in slots:
            return
        slots.add(other._native.slot)
        other.exit()
        sleep(0.001)  # a CPU to die on: this process and the guest would keep it
        keeper.registers.rip = CODE
        keeper.set_registers_changed()
        platform.wait(keeper)
    raise AssertionError("a thousand ended, and none has left its slot")


def test_death_after_a_kept_stop(platform: PtracePlatform) -> None:
    """A thread told to exit stops, and dies, while another thread is being waited for."""
    leader = stop_at_fork(platform)
    leader.clone_thread()  # a leader of several threads is waited for together with all others
    process = new_guest(platform, SPIN)
    ending = process.clone_thread()
    ending.resume()
    ending.exit()
    for _ in range(5):
        sleep(0.01)
        leader.execute(SYS_MPROTECT, DATA, PAGE, 3)
    os.kill(process.pid, signal.SIGKILL)
    for _ in range(5):
        sleep(0.01)
        leader.execute(SYS_MPROTECT, DATA, PAGE, 3)
    others = [leader.clone_thread() for _ in range(3)]  # one of them takes its slot
    assert platform.wait() is process
    assert process.event == Event.EXITED
    for context in others:
        assert platform.wait(context) is context
        assert context.event == Event.SYSCALL
