"""Classic BPF programs as seccomp(2) takes them: checking and running.

The subset is Linux's seccomp_check_filter: loads are of aligned words of struct seccomp_data, jumps
go forward, every path ends in a return.  A program therefore always ends.
"""

import struct
from collections.abc import Sequence

from runsc_py.sentry.abi.seccomp import (
    BPF_MAXIMUM_INSTRUCTIONS,
    SECCOMP_DATA,
    SECCOMP_DATA_VARIABLE,
)
from runsc_py.sentry.errors import EINVAL

WORD = 0xFFFFFFFF
SCRATCH_WORDS = 16

# Instruction classes and fields, <linux/bpf_common.h>.
LD, LDX, ST, STX, ALU, JMP, RET, MISC = range(8)
IMMEDIATE, ABSOLUTE, MEMORY, LENGTH = 0x00, 0x20, 0x60, 0x80
USE_K, USE_X, USE_A = 0x00, 0x08, 0x10
TAX, TXA = 0x00, 0x80
JA, JEQ, JGT, JGE, JSET = 0x00, 0x10, 0x20, 0x30, 0x40
ADD, SUB, MUL, DIV, OR, AND, LSH, RSH, NEG, XOR = (
    0x00,
    0x10,
    0x20,
    0x30,
    0x40,
    0x50,
    0x60,
    0x70,
    0x80,
    0xA0,
)

LOADS = frozenset((LD | ABSOLUTE, LD | LENGTH, LDX | LENGTH, LD | IMMEDIATE, LDX | IMMEDIATE))
MEMORY_CODES = frozenset((LD | MEMORY, LDX | MEMORY, ST, STX))
ALU_CODES = frozenset(
    ALU | operation | source
    for operation in (ADD, SUB, MUL, DIV, OR, AND, LSH, RSH, XOR)
    for source in (USE_K, USE_X)
) | {ALU | NEG}
JUMP_CODES = frozenset(
    JMP | comparison | source for comparison in (JEQ, JGT, JGE, JSET) for source in (USE_K, USE_X)
)
OTHERS = frozenset((RET | USE_K, RET | USE_A, MISC | TAX, MISC | TXA, JMP | JA))

Instruction = tuple[int, int, int, int]


def check_program(program: Sequence[Instruction]) -> None:
    """Refuse what Linux refuses.  Errors: EINVAL."""
    count = len(program)
    if not 0 < count <= BPF_MAXIMUM_INSTRUCTIONS:
        raise EINVAL
    for position, (code, jump_true, jump_false, k) in enumerate(program):
        left = count - position - 1
        if code in MEMORY_CODES:
            valid = k < SCRATCH_WORDS
        elif code == LD | ABSOLUTE:
            valid = k < SECCOMP_DATA.size and not k & 3
        elif code in JUMP_CODES:
            valid = jump_true < left and jump_false < left
        elif code == JMP | JA:
            valid = k < left
        elif code == ALU | DIV | USE_K:
            valid = k != 0
        elif code in (ALU | LSH | USE_K, ALU | RSH | USE_K):
            valid = k < 32
        else:
            valid = code in LOADS or code in ALU_CODES or code in OTHERS
        if not valid:
            raise EINVAL
    if program[-1][0] not in (RET | USE_K, RET | USE_A):
        raise EINVAL


def _calculate(operation: int, a: int, operand: int) -> int | None:
    """An ALU operation on 32-bit words; None for a division by zero, which ends the program."""
    if operation == ADD:
        result = a + operand
    elif operation == SUB:
        result = a - operand
    elif operation == MUL:
        result = a * operand
    elif operation == DIV:
        return a // operand if operand else None
    elif operation == OR:
        result = a | operand
    elif operation == AND:
        result = a & operand
    elif operation == LSH:
        result = a << (operand & 31)
    elif operation == RSH:
        result = a >> (operand & 31)
    elif operation == XOR:
        result = a ^ operand
    else:
        result = -a
    return result & WORD


def _compare(comparison: int, a: int, operand: int) -> bool:
    if comparison == JEQ:
        return a == operand
    if comparison == JGT:
        return a > operand
    if comparison == JGE:
        return a >= operand
    return bool(a & operand)


def run_program(program: Sequence[Instruction], data: bytes) -> tuple[int, bool]:
    """(return value, whether it depended on more than number and architecture).

    `program` has been checked.
    """
    words = struct.unpack(f"<{len(data) // 4}I", data)
    a = x = position = 0
    scratch = [0] * SCRATCH_WORDS
    variable = False
    while True:
        code, jump_true, jump_false, k = program[position]
        position += 1
        kind = code & 7
        if kind == JMP:
            if code == JMP | JA:
                position += k
            else:
                operand = x if code & USE_X else k
                position += jump_true if _compare(code & 0xF0, a, operand) else jump_false
        elif kind == LD:
            mode = code & 0xE0
            if mode == ABSOLUTE:
                a = words[k >> 2]
                variable = variable or k >= SECCOMP_DATA_VARIABLE
            else:
                a = scratch[k] if mode == MEMORY else len(data) if mode == LENGTH else k
        elif kind == RET:
            return (a if code & 0x18 == USE_A else k), variable
        elif kind == ALU:
            value = _calculate(code & 0xF0, a, x if code & USE_X else k)
            if value is None:
                return 0, True
            a = value
        elif kind == LDX:
            mode = code & 0xE0
            x = scratch[k] if mode == MEMORY else len(data) if mode == LENGTH else k
        elif kind == ST:
            scratch[k] = a
        elif kind == STX:
            scratch[k] = x
        elif code & 0xF8 == TXA:
            a = x
        else:
            x = a
