"""What a system call looks like to the sentry, and its answer to the guest."""

from errno import ENOSYS
from struct import unpack

import pytest

from harness.machine_code import (
    BREAKPOINT,
    CODE,
    DATA,
    PAGE,
    SYSCALL,
    again,
    call,
    call_function,
    load,
    new_guest,
    read_word,
    store_rax,
)
from runsc_py.platform.interface import Event
from runsc_py.platform.ptrace import PtracePlatform

SYS_GETPID = 39
SYS_MPROTECT = 10
SYS_MUNMAP = 11
VSYSCALL_TIME = 0xFFFFFFFFFF600400
SYS_TIME = 201


def test_call_stops_with_number_and_arguments(platform: PtracePlatform) -> None:
    context = new_guest(platform, call(1234, 1, -2, 3, 4, 5, 6))
    assert platform.wait(context) is context
    assert context.event == Event.SYSCALL
    assert context.number == 1234
    assert unpack("<6q", context.arguments) == (1, -2, 3, 4, 5, 6)
    assert context.registers.orig_rax == 1234


def test_upper_half_of_the_number_is_ignored(platform: PtracePlatform) -> None:
    context = new_guest(platform, call(0x7_0000_0000 + SYS_GETPID))
    platform.wait(context)
    assert context.number == SYS_GETPID


@pytest.mark.parametrize("result", [0, 1, 7777, -ENOSYS, -513, -516, (1 << 63) - 1])
def test_guest_sees_the_result(platform: PtracePlatform, result: int) -> None:
    """Restart codes too: the host must not act on what is the guest's."""
    context = new_guest(platform, call(SYS_GETPID) + store_rax(DATA) + call(1))
    platform.wait(context)
    context.set_result(result)
    platform.wait(context)
    assert context.number == 1
    assert read_word(context) == result


def test_no_decision_is_enosys(platform: PtracePlatform) -> None:
    context = new_guest(platform, call(SYS_GETPID) + store_rax(DATA) + call(1))
    platform.wait(context)
    platform.wait(context)
    assert read_word(context) == -ENOSYS


def test_execute_leaves_the_registers_alone(platform: PtracePlatform) -> None:
    context = new_guest(platform, load("rbx", 77) + call(SYS_GETPID, 1, 2, 3, 4, 5, 6) + call(1))
    platform.wait(context)
    before = bytes(context.register_bytes)
    for _ in range(2):  # rewritten in place, then from the stub page
        assert context.execute(SYS_MPROTECT, DATA, PAGE, 1) == 0
    assert bytes(context.register_bytes) == before
    context.set_result(5)
    context.registers.rbx = 78
    platform.wait(context)
    registers = context.registers
    assert (registers.rbx, registers.rdi, registers.r8, registers.r9) == (78, 1, 5, 6)
    assert registers.rip == context.registers.rcx


def test_executed_call_still_needs_a_decision(platform: PtracePlatform) -> None:
    context = new_guest(platform, call(SYS_GETPID) + store_rax(DATA) + call(1))
    platform.wait(context)
    assert context.execute(SYS_MPROTECT, DATA, PAGE, 3) == 0
    platform.wait(context)
    assert read_word(context) == -ENOSYS


def test_execute_returns_the_hosts_errno(platform: PtracePlatform) -> None:
    context = new_guest(platform, call(1))
    assert context.execute(SYS_MPROTECT, 0x123000, PAGE, 3) == -12


def test_rewritten_registers_are_used(platform: PtracePlatform) -> None:
    code = call(1) + call(2)
    context = new_guest(platform, code + call(3))
    platform.wait(context)
    context.registers.rip = CODE + len(code)
    context.registers.rsi = 99
    context.set_registers_changed()
    platform.wait(context)
    assert context.number == 3
    assert context.registers.rsi == 99


def test_pending_call_is_not_restarted_by_the_host(platform: PtracePlatform) -> None:
    context = new_guest(platform, call(1) + call(2))
    platform.wait(context)
    context.registers.rax = -512 & (1 << 64) - 1
    context.set_registers_changed()
    platform.wait(context)
    assert context.number == 2


def test_registers_of_a_new_address_space_are_clear(platform: PtracePlatform) -> None:
    context = platform.new_address_space()
    words = list(unpack("<27Q", context.register_bytes))
    cs, flags, ss, original = words[17], words[18], words[20], words[15]
    assert (cs, flags, ss, original) == (0x33, 0x202, 0x2B, (1 << 64) - 1)
    assert sum(words) == cs + flags + ss + original


def test_many_traps(platform: PtracePlatform) -> None:
    context = new_guest(platform, again(call(SYS_GETPID)))
    for count in range(2000):
        assert platform.wait(context) is context
        context.set_result(count)
    assert platform.running == 0


def test_call_through_the_vsyscall_page(platform: PtracePlatform) -> None:
    code = call_function(VSYSCALL_TIME) + store_rax(DATA) + call(1)
    context = new_guest(platform, code)
    platform.wait(context)
    if context.event == Event.FAULT:
        pytest.skip("this host emulates no vsyscalls")
    assert (context.event, context.number) == (Event.SYSCALL, SYS_TIME)
    # It has returned to its caller already, so that any register may be changed.
    assert context.registers.rip == CODE + len(call_function(VSYSCALL_TIME))
    assert context.execute(SYS_MPROTECT, DATA, PAGE, 3) == 0
    context.set_result(4242)
    platform.wait(context)
    assert (context.event, context.number) == (Event.SYSCALL, 1)
    assert read_word(context) == 4242


def test_breakpoint_in_the_stub_page_is_the_guests_own(platform: PtracePlatform) -> None:
    context = new_guest(platform, load("rax", 55) + call_function(0x10000)[10:] + BREAKPOINT)
    context.registers.rip = 0x10002
    context.set_registers_changed()
    platform.wait(context)
    assert context.event == Event.FAULT
    context.registers.rip = 0x10000
    context.registers.rax = 55
    context.set_registers_changed()
    platform.wait(context)
    assert (context.event, context.number) == (Event.SYSCALL, 55)


def test_single_step_flag_does_not_step_the_stub(platform: PtracePlatform) -> None:
    context = new_guest(platform, SYSCALL * 2)
    context.registers.eflags |= 0x100
    context.set_registers_changed()
    assert context.execute(SYS_MPROTECT, DATA, PAGE, 3) == 0
    platform.wait(context)
    assert context.event in (Event.SYSCALL, Event.FAULT)
    assert context.execute(SYS_MPROTECT, DATA, PAGE, 3) == 0
    assert context.registers.eflags & 0x100
