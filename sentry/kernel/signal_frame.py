"""Signal frames on the guest's stack: building them, and rt_sigreturn(2).

The layout is the x86-64 ABI's struct rt_sigframe, growing down::

    XSAVE image, 64-byte aligned, FP_XSTATE_MAGIC2 behind it
    siginfo_t                       128 bytes
    struct ucontext                 304 bytes (the kernel's, with an 8-byte mask)
    return address                  the restorer that calls rt_sigreturn

See sigreturn(2) and Linux's arch/x86/include/uapi/asm/sigcontext.h.
"""

from contextlib import suppress

from runsc_py.sentry.abi.memory import TASK_SIZE
from runsc_py.sentry.abi.signals import (
    FP_XSTATE_MAGIC1,
    FP_XSTATE_MAGIC2,
    FPX_SW_BYTES,
    FPX_SW_OFFSET,
    SA_ONSTACK,
    SA_RESTORER,
    SI_KERNEL,
    SIGBUS,
    SIGCONTEXT,
    SIGILL,
    SIGINFO_SIZE,
    SIGSEGV,
    SIGTRAP,
    SS_AUTODISARM,
    UC_FP_XSTATE,
    UC_SIGCONTEXT_SS,
    UC_STRICT_RESTORE_SS,
    UCONTEXT_HEAD,
)
from runsc_py.sentry.errors import EFAULT, EINVAL, ENOMEM, EPERM
from runsc_py.sentry.kernel.alternate_stack import (
    NO_STACK,
    on_alternate_stack,
    set_alternate_stack,
    signed_flags,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from runsc_py.sentry.kernel.signals import SignalAction, SignalInfo
    from runsc_py.sentry.kernel.task import Task

RED_ZONE = 128
#: the AMX tiles in an XSAVE image: their feature bit, and how many bytes they are
XFEATURE_XTILE_DATA = 1 << 18
XTILE_DATA_SIZE = 8192
UCONTEXT_SIZE = UCONTEXT_HEAD.size + SIGCONTEXT.size + 8
FRAME_SIZE = 8 + UCONTEXT_SIZE + SIGINFO_SIZE
LEGACY_STATE_SIZE = 512
XSAVE_HEADER = 512
#: processor exceptions; si_addr and CR2 belong to a page fault
DEBUG = 1
BREAKPOINT = 3
INVALID_OPCODE = 6
GENERAL_PROTECTION = 13
PAGE_FAULT = 14
USER_CS = 0x33
USER_SS = 0x2B
WORD = 0xFFFFFFFFFFFFFFFF
#: what a handler starts without: trap, direction and resume flags
CLEARED_FLAGS = 0x100 | 0x400 | 0x10000
#: what sigreturn may restore of the flags register (Linux's FIX_EFLAGS)
RESTORED_FLAGS = 0x40000 | 0x800 | 0x400 | 0x100 | 0x80 | 0x40 | 0x10 | 0x4 | 0x1 | 0x10000

GENERAL_REGISTERS = (
    "r8",
    "r9",
    "r10",
    "r11",
    "r12",
    "r13",
    "r14",
    "r15",
    "rdi",
    "rsi",
    "rbp",
    "rbx",
    "rdx",
    "rax",
    "rcx",
    "rsp",
    "rip",
)


def trap_number(info: "SignalInfo") -> int:
    """The processor exception behind a fault's signal; 0 for signals of other origin."""
    if info.number == SIGSEGV:
        return GENERAL_PROTECTION if info.code == SI_KERNEL else PAGE_FAULT * (info.code > 0)
    if info.number == SIGBUS:
        return PAGE_FAULT * (info.code > 0)
    if info.number == SIGTRAP:
        return BREAKPOINT if info.code == SI_KERNEL else DEBUG * (info.code > 0)
    return INVALID_OPCODE * (info.number == SIGILL and info.code > 0)


def push_frame(task: "Task", info: "SignalInfo", action: "SignalAction", mask: int) -> None:
    """Save the interrupted state on the stack and enter the handler.

    `mask` is what sigreturn restores.  Errors: EFAULT when the stack cannot be written.
    """
    if not action.flags & SA_RESTORER:
        raise EFAULT
    registers = task.context.registers
    state = _without_tiles(task.context.get_extended_state())
    frame = _frame_address(task, action, len(state) + 4)
    state_address, frame_address = frame
    address, flags, size = task.alternate_stack
    fault_address = int.from_bytes(info.raw[16:24], "little")
    trap = trap_number(info)
    is_fault = trap == PAGE_FAULT
    image = b"".join(
        (
            action.restorer.to_bytes(8, "little"),
            UCONTEXT_HEAD.pack(
                UC_FP_XSTATE | UC_SIGCONTEXT_SS | UC_STRICT_RESTORE_SS,
                0,
                address,
                signed_flags(flags),
                size,
            ),
            SIGCONTEXT.pack(
                *(getattr(registers, name) for name in GENERAL_REGISTERS),
                registers.eflags,
                registers.cs,
                0,
                0,
                registers.ss,
                0,
                trap,
                mask & WORD,
                fault_address if is_fault else 0,
                state_address,
            ),
            (mask & WORD).to_bytes(8, "little"),
            info.raw,
        )
    )
    task.memory.copy_out(state_address, _state_for_frame(state))
    task.memory.copy_out(frame_address, image)
    if flags & SS_AUTODISARM:
        task.alternate_stack = NO_STACK
    registers.rdi = info.number
    registers.rsi = frame_address + 8 + UCONTEXT_SIZE
    registers.rdx = frame_address + 8
    registers.rax = 0
    registers.rip = action.handler
    registers.rsp = frame_address
    registers.cs = USER_CS
    registers.ss = USER_SS
    registers.eflags &= ~CLEARED_FLAGS
    task.context.set_registers_changed()


def _frame_address(task: "Task", action: "SignalAction", state_size: int) -> tuple[int, int]:
    """Where the state image and the frame go."""
    stack_pointer = task.context.registers.rsp
    top = stack_pointer - RED_ZONE
    address, _, size = task.alternate_stack
    alternate = on_alternate_stack(task, stack_pointer)
    if action.flags & SA_ONSTACK and size and not alternate:
        alternate = True
        top = address + size
    state_address = (top - state_size) & ~63
    frame_address = ((state_address - FRAME_SIZE) & ~15) - 8
    if not 0 < frame_address < TASK_SIZE or (alternate and frame_address <= address):
        raise EFAULT
    return state_address, frame_address


def _without_tiles(state: bytes) -> bytes:
    """The XSAVE image without the AMX tiles, which come last.

    Linux puts them into the frames of processes that asked for them only, and ours cannot ask: an
    alternate stack of SIGSTKSZ bytes has to do.
    """
    features = int.from_bytes(state[FPX_SW_OFFSET : FPX_SW_OFFSET + 8], "little")
    if not features & XFEATURE_XTILE_DATA:
        return state
    features &= ~XFEATURE_XTILE_DATA
    return b"".join(
        (
            state[:FPX_SW_OFFSET],
            features.to_bytes(8, "little"),
            state[FPX_SW_OFFSET + 8 : -XTILE_DATA_SIZE],
        )
    )


def _state_for_frame(state: bytes) -> bytes:
    """The XSAVE image with the software bytes that tell its size, and the end marker."""
    features = int.from_bytes(state[FPX_SW_OFFSET : FPX_SW_OFFSET + 8], "little")
    software = FPX_SW_BYTES.pack(FP_XSTATE_MAGIC1, len(state) + 4, features, len(state))
    return b"".join(
        (
            state[:FPX_SW_OFFSET],
            software,
            state[FPX_SW_OFFSET + FPX_SW_BYTES.size :],
            FP_XSTATE_MAGIC2.to_bytes(4, "little"),
        )
    )


def pop_frame(task: "Task") -> None:
    """rt_sigreturn(2): restore what push_frame saved.  Errors: EFAULT for a bad frame."""
    registers = task.context.registers
    address = registers.rsp
    image = task.memory.copy_in(address, UCONTEXT_SIZE)
    head = UCONTEXT_HEAD.unpack_from(image)
    values = SIGCONTEXT.unpack_from(image, UCONTEXT_HEAD.size)
    mask = int.from_bytes(image[-8:], "little")
    state_address = values[-1]
    state = _state_from_frame(task, state_address) if state_address else None
    for name, value in zip(GENERAL_REGISTERS, values, strict=False):
        setattr(registers, name, value)
    flags = values[len(GENERAL_REGISTERS)]
    registers.eflags = (registers.eflags & ~RESTORED_FLAGS) | (flags & RESTORED_FLAGS)
    registers.cs = USER_CS
    registers.ss = USER_SS
    task.context.set_registers_changed()
    if state is not None:
        try:
            task.context.set_extended_state(state)
        except ValueError:
            raise EFAULT from None
    _, _, stack, stack_flags, size = head
    with suppress(EPERM, EINVAL, ENOMEM):
        set_alternate_stack(task, stack, stack_flags, size)
    task.set_signal_mask(mask)


def _state_from_frame(task: "Task", address: int) -> bytes:
    """The extended state to load; the guest may have changed every byte of it."""
    current = task.context.get_extended_state()
    legacy = task.memory.copy_in(address, LEGACY_STATE_SIZE)
    magic, _, _, size = FPX_SW_BYTES.unpack_from(legacy, FPX_SW_OFFSET)
    if magic == FP_XSTATE_MAGIC1 and LEGACY_STATE_SIZE + 64 <= size <= len(current):
        state = task.memory.copy_in(address, size)
        marker = task.memory.copy_in(address + size, 4)
        if int.from_bytes(marker, "little") == FP_XSTATE_MAGIC2:
            return _with_current_software_bytes(state, current)
    # Only the legacy area is there: x87 and SSE come from it, the rest goes to its initial state.
    header = (3).to_bytes(8, "little") + bytes(56)
    return _with_current_software_bytes(legacy + header, current)


def _with_current_software_bytes(state: bytes, current: bytes) -> bytes:
    full = state + bytes(len(current) - len(state))
    return b"".join(
        (
            full[:FPX_SW_OFFSET],
            current[FPX_SW_OFFSET:LEGACY_STATE_SIZE],
            full[LEGACY_STATE_SIZE:],
        )
    )
