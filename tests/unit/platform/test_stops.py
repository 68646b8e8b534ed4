"""Faults, interrupts, and signals from strangers."""

import os
import signal
from struct import unpack_from

import pytest

from harness.machine_code import (
    BREAKPOINT,
    CODE,
    DATA,
    ILLEGAL,
    PAGE,
    SPIN,
    again,
    call,
    load,
    new_guest,
    read_byte,
    write_byte,
)
from runsc_py.platform.interface import Event
from runsc_py.platform.ptrace import PtracePlatform
from runsc_py.platform.ptrace.context import PtraceContext

SYS_MMAP = 9
SYS_GETPID = 39
HOLE = 0x700000
DIVIDE_BY_ZERO = load("rcx", 0) + b"\xf7\xf1"
SEGV_MAPERR = 1
SEGV_ACCERR = 2


def signal_fields(context: PtraceContext) -> tuple[int, int, int]:
    """Signal, code and address of the fault's siginfo."""
    number, _, code, _, address = unpack_from("<iiiiQ", context.signal_info())
    return number, code, address


@pytest.mark.parametrize(
    ("code", "number"),
    [
        (read_byte(HOLE), signal.SIGSEGV),
        (ILLEGAL, signal.SIGILL),
        (BREAKPOINT, signal.SIGTRAP),
        (DIVIDE_BY_ZERO, signal.SIGFPE),
    ],
)
def test_fault_has_its_signal(platform: PtracePlatform, code: bytes, number: int) -> None:
    context = new_guest(platform, code)
    assert platform.wait(context) is context
    assert context.event == Event.FAULT
    assert signal_fields(context)[0] == number
    assert len(context.signal_info()) == 128


def test_fault_address_and_reason(platform: PtracePlatform) -> None:
    context = new_guest(platform, read_byte(HOLE + 5))
    platform.wait(context)
    assert signal_fields(context) == (signal.SIGSEGV, SEGV_MAPERR, HOLE + 5)
    assert context.registers.rip == CODE


def test_faulting_instruction_runs_again(platform: PtracePlatform) -> None:
    context = new_guest(platform, write_byte(HOLE) + call(1))
    platform.wait(context)
    platform.wait(context)
    assert context.event == Event.FAULT
    assert context.execute(SYS_MMAP, HOLE, PAGE, 3, 0x32, -1, 0) == HOLE
    platform.wait(context)
    assert (context.event, context.number) == (Event.SYSCALL, 1)


def test_write_to_read_only_memory(platform: PtracePlatform) -> None:
    context = new_guest(platform, write_byte(DATA))
    assert context.execute(10, DATA, PAGE, 1) == 0
    platform.wait(context)
    assert signal_fields(context) == (signal.SIGSEGV, SEGV_ACCERR, DATA)


def test_jump_to_an_impossible_address(platform: PtracePlatform) -> None:
    context = new_guest(platform, SPIN)
    context.registers.rip = 1 << 63
    context.set_registers_changed()
    platform.wait(context)
    assert context.event == Event.FAULT
    assert signal_fields(context)[0] == signal.SIGSEGV


def test_interrupt_stops_a_spinning_guest(platform: PtracePlatform) -> None:
    context = new_guest(platform, SPIN)
    context.resume()
    assert platform.running == 1
    context.interrupt()
    context.interrupt()
    assert platform.wait() is context
    assert context.event == Event.INTERRUPTED
    assert context.registers.rip == CODE
    assert platform.running == 0


def test_interrupt_of_a_stopped_context_is_nothing(platform: PtracePlatform) -> None:
    context = new_guest(platform, call(1) + call(2))
    context.interrupt()
    platform.wait(context)
    context.interrupt()
    platform.wait(context)
    assert (context.event, context.number) == (Event.SYSCALL, 2)


def test_interrupt_race_never_loses_or_doubles_a_call(platform: PtracePlatform) -> None:
    """However the interrupt and the next call meet, calls come one by one."""
    body = b"\x48\xff\xc3" + call(SYS_GETPID)  # inc %rbx
    context = new_guest(platform, again(body))
    calls = 0
    for round_ in range(500):
        context.resume()
        for _ in range(round_ % 7):
            platform.running  # noqa: B018  a little time
        if round_ % 50:  # on a busy machine the interrupt wins every time: it must not always race
            context.interrupt()
        assert platform.wait() is context
        if context.event == Event.SYSCALL:
            calls += 1
            assert context.registers.rbx == calls
            context.set_result(0)
        else:
            assert context.event == Event.INTERRUPTED
    context.interrupt()
    platform.wait(context)
    assert calls > 0


def test_execute_at_an_interrupt_and_at_a_fault(platform: PtracePlatform) -> None:
    context = new_guest(platform, read_byte(HOLE) + SPIN)
    platform.wait(context)
    assert context.event == Event.FAULT
    before = bytes(context.register_bytes)
    assert context.execute(SYS_MMAP, HOLE, PAGE, 3, 0x32, -1, 0) == HOLE
    assert bytes(context.register_bytes) == before
    context.resume()
    context.interrupt()
    platform.wait()
    assert context.event == Event.INTERRUPTED
    assert context.execute(SYS_MMAP, HOLE, PAGE, 3, 0x32, -1, 0) == HOLE


@pytest.mark.parametrize(
    "number",
    [
        signal.SIGSTOP,
        signal.SIGTSTP,
        signal.SIGCONT,
        signal.SIGTERM,
        signal.SIGSEGV,
        signal.SIGTRAP,
    ],
)
def test_strangers_signals_do_nothing(platform: PtracePlatform, number: int) -> None:
    context = new_guest(platform, SPIN)
    context.resume()
    os.kill(context.pid, number)
    assert context.cpu_time() >= 0
    context.interrupt()
    assert platform.wait() is context
    assert context.event == Event.INTERRUPTED
    context.registers.rip = CODE
    context.address_space.write(CODE, call(1))
    context.set_registers_changed()
    platform.wait(context)
    assert (context.event, context.number) == (Event.SYSCALL, 1)


def test_strangers_signal_during_execute(platform: PtracePlatform) -> None:
    context = new_guest(platform, again(call(SYS_GETPID)))
    for _ in range(50):
        platform.wait(context)
        os.kill(context.pid, signal.SIGSTOP)
        os.kill(context.pid, signal.SIGUSR1)
        assert context.execute(SYS_MMAP, HOLE, PAGE, 3, 0x32, -1, 0) == HOLE
        assert context.execute(11, HOLE, PAGE) == 0
        assert (context.event, context.number) == (Event.SYSCALL, SYS_GETPID)
