"""No guest call reaches the host unless the sentry said so, by whatever door it comes."""

from errno import ENOSYS, ENXIO
from pathlib import Path

import pytest

from harness.machine_code import (
    CODE,
    DATA,
    INT_80,
    SYSCALL,
    call,
    load,
    new_guest,
    next_stop,
    read_word,
    store_rax,
)
from runsc_py.platform.interface import Event
from runsc_py.platform.ptrace import PtracePlatform, bpf, stubs
from runsc_py.platform.ptrace.context import PtraceContext

SYS_CREAT = 85
SYS_CREAT_32 = 8
X32_BIT = 0x40000000
REPORT = 1000  # the call with which a guest says that it is done


@pytest.fixture
def wall_is_down(monkeypatch: pytest.MonkeyPatch) -> None:
    """Guests under a filter that lets everything through but the report."""
    program = (
        (bpf.LOAD_WORD, 0, 0, bpf.NUMBER_OFFSET),
        (bpf.JUMP_EQUAL, 0, 1, SYS_CREAT),
        bpf.ALLOW,
        (bpf.JUMP_EQUAL, 0, 1, SYS_CREAT_32),
        bpf.ALLOW,
        bpf.TRACE,
    )
    monkeypatch.setattr(stubs, "guest_filter", lambda: bpf.assemble(program))


@pytest.fixture
def victim(tmp_path: Path) -> Path:
    """A host file that a guest would like to create."""
    return tmp_path / "created by a guest"


def ask(victim: Path, code: bytes) -> tuple[int, list[int]]:
    """What `code` got, with the victim's name in the data page, and the calls that stopped."""
    with PtracePlatform() as platform:
        context = new_guest(platform, code + store_rax(DATA + 2048) + call(REPORT))
        context.address_space.write(DATA, bytes(victim) + b"\0")
        stopped = run_undecided(platform, context)
        return read_word(context, DATA + 2048), stopped


def run_undecided(platform: PtracePlatform, context: PtraceContext) -> list[int]:
    """Let a guest run to its report, deciding nothing."""
    stopped: list[int] = []
    while True:
        assert next_stop(platform, context) is context
        if context.event != Event.SYSCALL:
            pytest.skip("this host has no such door")
        if context.number == REPORT:
            return stopped
        stopped.append(context.number)


CREAT = call(SYS_CREAT, DATA, 0o600)
CREAT_32 = load("rbx", DATA) + load("rcx", 0o600) + load("rax", SYS_CREAT_32) + INT_80


def test_undecided_call_is_refused(victim: Path) -> None:
    assert ask(victim, CREAT) == (-ENOSYS, [SYS_CREAT])
    assert not victim.exists()


def test_undecided_call_would_work_without_the_wall(victim: Path, wall_is_down: None) -> None:
    result, stopped = ask(victim, CREAT)
    assert result >= 0
    assert stopped == []
    assert victim.exists()


def test_int_80_is_refused(victim: Path) -> None:
    result, stopped = ask(victim, CREAT_32)
    assert result & 0xFFFFFFFF == -ENOSYS & 0xFFFFFFFF
    assert stopped == []
    assert not victim.exists()


def test_int_80_would_work_without_the_wall(victim: Path, wall_is_down: None) -> None:
    result, _ = ask(victim, CREAT_32)
    if result & 0xFFFFFFFF == -ENOSYS & 0xFFFFFFFF:
        pytest.skip("this kernel has no 32-bit calls")
    assert victim.exists()


def test_sysenter_goes_nowhere(victim: Path) -> None:
    """It enters the 32-bit calls too, and comes back to where a 64-bit process has nothing."""
    with PtracePlatform() as platform:
        code = load("rbx", DATA) + load("rcx", 0o600) + load("rax", SYS_CREAT_32) + b"\x0f\x34"
        context = new_guest(platform, load("rbp", DATA + 2048) + code + call(REPORT))
        context.address_space.write(DATA, bytes(victim) + b"\0")
        next_stop(platform, context)
        assert context.event == Event.FAULT or context.number == REPORT
    assert not victim.exists()


@pytest.mark.parametrize("number", [SYS_CREAT, 512, 520, 547])
def test_x32_is_refused(victim: Path, number: int) -> None:
    assert ask(victim, call(X32_BIT | number, DATA, 0o600)) == (-ENOSYS, [])
    assert not victim.exists()


@pytest.mark.parametrize("number", [384, 423, 999, 0x3FFFFFFF])
def test_unknown_numbers_are_refused(victim: Path, number: int) -> None:
    assert ask(victim, call(number)) == (-ENOSYS, [number])


@pytest.mark.parametrize("number", [335, 336])
def test_calls_that_pass_every_filter_do_nothing(number: int) -> None:
    """uretprobe and uprobe: the kernel lets them through, for its own trampolines alone."""
    with PtracePlatform() as platform:
        context = new_guest(
            platform, call(number, DATA, DATA, DATA) + store_rax(DATA) + call(REPORT)
        )
        next_stop(platform, context)
        if context.event == Event.FAULT:
            return
        if context.number == number:
            next_stop(platform, context)
        assert context.number == REPORT
        assert read_word(context) in (-ENOSYS, -ENXIO)


@pytest.mark.parametrize("number", [-1, -2, 1 << 31, (1 << 31) | X32_BIT])
def test_negative_numbers_are_refused(victim: Path, number: int) -> None:
    assert ask(victim, call(number))[0] == -ENOSYS


def test_guest_cannot_take_the_filter_off(victim: Path) -> None:
    """seccomp(2) and prctl(2) are calls like all others."""
    code = call(317, 1, 0, 0) + call(157, 22, 0, 0) + CREAT
    assert ask(victim, code) == (-ENOSYS, [317, 157, SYS_CREAT])


@pytest.mark.parametrize(
    ("register", "value"), [("cs", 0), ("ss", 0), ("fs_base", 1 << 63), ("gs_base", 1 << 60)]
)
def test_unloadable_registers_end_the_guest(victim: Path, register: str, value: int) -> None:
    """The host would make the pending call if the guest went on with its old registers."""
    with PtracePlatform() as platform:
        context = new_guest(platform, CREAT + call(REPORT))
        context.address_space.write(DATA, bytes(victim) + b"\0")
        next_stop(platform, context)
        setattr(context.registers, register, value)
        context.set_registers_changed()
        assert next_stop(platform, context) is context
        assert context.event == Event.EXITED
    assert not victim.exists()


def test_compatibility_mode_gets_no_further(victim: Path) -> None:
    """A guest may switch to 32-bit code on its own; its calls are still foreign."""
    with PtracePlatform() as platform:
        code32 = b"\xbb" + DATA.to_bytes(4, "little") + b"\xb9\x80\x01\0\0\xb8\x08\0\0\0"
        context = new_guest(platform, code32 + INT_80 + code32 + SYSCALL + b"\x0f\x0b")
        context.address_space.write(DATA, bytes(victim) + b"\0")
        context.registers.cs = 0x23
        context.registers.rip = CODE
        context.set_registers_changed()
        assert next_stop(platform, context) is context
        assert context.event == Event.FAULT  # the end of the code, or no 32-bit mode
    assert not victim.exists()
