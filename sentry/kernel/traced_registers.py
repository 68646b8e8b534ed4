"""A tracee's registers in the shapes of ptrace(2): struct user, and register sets."""

import struct

from runsc_py.sentry.abi.memory import TASK_SIZE
from runsc_py.sentry.abi.ptrace import (
    FP_REGISTERS_SIZE,
    NT_PRFPREG,
    NT_PRSTATUS,
    NT_X86_XSTATE,
    TRAP_FLAG,
    USER_DEBUG_REGISTERS,
    USER_DEBUG_REGISTERS_END,
    USER_REGISTERS,
    USER_REGISTERS_SIZE,
    USER_SIZE,
)
from runsc_py.sentry.errors import EINVAL, EIO, error_for

TYPE_CHECKING = False
if TYPE_CHECKING:
    from runsc_py.sentry.kernel.task import Task

_WORDS = struct.Struct(f"<{len(USER_REGISTERS)}Q")
WORD = 0xFFFFFFFFFFFFFFFF
#: flags a tracer may change (Linux's FLAG_MASK)
_FLAG_MASK = 0x54DD5
#: registers that a tracer's values do not reach: segments stay those of user mode
_FIXED = frozenset(("cs", "ss", "ds", "es", "fs", "gs"))


def read_registers(task: "Task") -> bytes:
    """struct user_regs_struct."""
    registers = task.context.registers
    values = [getattr(registers, name) & WORD for name in USER_REGISTERS]
    values[USER_REGISTERS.index("eflags")] &= ~TRAP_FLAG
    return _WORDS.pack(*values)


def write_registers(task: "Task", data: bytes) -> None:
    """Replace them all.  Errors: EIO for addresses no user code can have."""
    for position, value in enumerate(_WORDS.unpack(data)):
        write_register(task, position, value)


def write_register(task: "Task", position: int, value: int) -> None:
    """One word of struct user_regs_struct."""
    name = USER_REGISTERS[position]
    registers = task.context.registers
    if name in _FIXED:
        return
    if name in ("fs_base", "gs_base") and value >= TASK_SIZE:
        raise EIO
    if name == "eflags":
        value = registers.eflags & ~_FLAG_MASK | value & _FLAG_MASK
    setattr(registers, name, value)


def peek_user(task: "Task", offset: int) -> int:
    """PTRACE_PEEKUSER.  Errors: EIO."""
    if offset & 7 or not 0 <= offset < USER_SIZE:
        raise EIO
    if offset < USER_REGISTERS_SIZE:
        return int.from_bytes(read_registers(task)[offset : offset + 8], "little")
    if not USER_DEBUG_REGISTERS <= offset < USER_DEBUG_REGISTERS_END:
        return 0
    return task.context.get_debug_register((offset - USER_DEBUG_REGISTERS) // 8)


def poke_user(task: "Task", offset: int, value: int) -> None:
    """PTRACE_POKEUSER; the debug registers are the host's.  Errors: EIO, EINVAL, ENOSPC."""
    if offset & 7 or not 0 <= offset < USER_SIZE:
        raise EIO
    if offset < USER_REGISTERS_SIZE:
        write_register(task, offset // 8, value)
        return
    if not USER_DEBUG_REGISTERS <= offset < USER_DEBUG_REGISTERS_END:
        raise EIO
    try:
        task.context.set_debug_register((offset - USER_DEBUG_REGISTERS) // 8, value)
    except ValueError as refused:
        raise error_for(refused.args[0]) from None


def read_set(task: "Task", kind: int) -> bytes:
    """PTRACE_GETREGSET.  Errors: EINVAL for an unknown set."""
    if kind == NT_PRSTATUS:
        return read_registers(task)
    if kind == NT_PRFPREG:
        return task.context.get_extended_state()[:FP_REGISTERS_SIZE]
    if kind == NT_X86_XSTATE:
        return task.context.get_extended_state()
    raise EINVAL


def write_set(task: "Task", kind: int, data: bytes) -> None:
    """PTRACE_SETREGSET.  Errors: EINVAL."""
    if kind == NT_PRSTATUS:
        current = read_registers(task)
        write_registers(task, data[:USER_REGISTERS_SIZE] + current[len(data) :])
        return
    if kind not in (NT_PRFPREG, NT_X86_XSTATE):
        raise EINVAL
    current = task.context.get_extended_state()
    size = FP_REGISTERS_SIZE if kind == NT_PRFPREG else len(current)
    state = bytearray(data[:size] + current[min(len(data), size) :])
    if kind == NT_PRFPREG:
        # x87 and SSE are in use from now on, whatever the header said.
        state[FP_REGISTERS_SIZE] |= 3
    try:
        task.context.set_extended_state(bytes(state))
    except ValueError:
        raise EINVAL from None
