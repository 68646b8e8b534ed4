"""The seccomp filters of the stubs, as BPF programs (seccomp(2), bpf(4)).

A filter is in force before a stub holds its first guest byte, and cannot be taken
off.  It is the wall that stays up when everything else fails: what it does not
answer itself stops for the tracer, and without a tracer fails with ENOSYS.
"""

from errno import ENOSYS
from struct import pack

LOAD_WORD = 0x20  # BPF_LD | BPF_W | BPF_ABS
JUMP_EQUAL = 0x15  # BPF_JMP | BPF_JEQ | BPF_K
JUMP_ANY_BIT = 0x45  # BPF_JMP | BPF_JSET | BPF_K
RETURN = 0x06  # BPF_RET | BPF_K

RET_TRACE = 0x7FF00000
RET_ALLOW = 0x7FFF0000
RET_ERRNO = 0x00050000

NUMBER_OFFSET = 0  # in struct seccomp_data
ARCHITECTURE_OFFSET = 4
AUDIT_ARCH_X86_64 = 0xC000003E
X32_BIT = 0x40000000

SYS_POLL = 7

Instruction = tuple[int, int, int, int]  # code, jump if true, jump if false, operand

REFUSE: Instruction = (RETURN, 0, 0, RET_ERRNO | ENOSYS)
TRACE: Instruction = (RETURN, 0, 0, RET_TRACE)
ALLOW: Instruction = (RETURN, 0, 0, RET_ALLOW)


def native_calls_only(refusal: Instruction) -> tuple[Instruction, ...]:
    """Leaves the call number in the accumulator; `int 0x80` and the x32 numbers get `refusal`."""
    return (
        (LOAD_WORD, 0, 0, ARCHITECTURE_OFFSET),
        (JUMP_EQUAL, 1, 0, AUDIT_ARCH_X86_64),
        refusal,
        (LOAD_WORD, 0, 0, NUMBER_OFFSET),
        (JUMP_ANY_BIT, 0, 1, X32_BIT),
        refusal,
    )


NATIVE_CALLS_ONLY = native_calls_only(REFUSE)


def assemble(program: tuple[Instruction, ...]) -> bytes:
    """The program as an array of struct sock_filter."""
    return b"".join(pack("=HBBI", *instruction) for instruction in program)


def guest_filter() -> bytes:
    """For guests: every native call stops, everything else is ENOSYS."""
    return assemble((*NATIVE_CALLS_ONLY, TRACE))


def doorbell_filter() -> bytes:
    """For the doorbell, which polls on its own and makes other calls only under the tracer."""
    return assemble((*NATIVE_CALLS_ONLY, (JUMP_EQUAL, 0, 1, SYS_POLL), ALLOW, TRACE))
