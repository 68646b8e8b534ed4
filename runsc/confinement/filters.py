"""Seccomp filters that allow what a table names, made from it (seccomp(2)).

What is not in the table, and every call of a foreign ABI, is trapped: the process says which call
it was and ends (native/walls.c).  Arguments are compared by their lower 32 bits: of those that are
looked at the kernel takes no more, or a set upper half makes the call fail.
"""

from __future__ import annotations

from runsc_py.platform.ptrace.bpf import (
    JUMP_EQUAL,
    LOAD_WORD,
    RET_ALLOW,
    RET_ERRNO,
    RETURN,
    Instruction,
    assemble,
    native_calls_only,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

_JUMP_GREATER_EQUAL, _JUMP_GREATER = 0x35, 0x25  # BPF_JMP | BPF_JGE or BPF_JGT | BPF_K
_AND = 0x54  # BPF_ALU | BPF_AND | BPF_K
_RET_TRAP = 0x00030000
_ARGUMENTS_OFFSET = 16  # in struct seccomp_data: six of 64 bits
_ALL_BITS = 0xFFFFFFFF

_ALLOW: Instruction = (RETURN, 0, 0, RET_ALLOW)
_TRAP: Instruction = (RETURN, 0, 0, _RET_TRAP)


class Test:
    """What an argument has to be."""

    __slots__ = ("argument", "excluded", "mask", "values")

    def __init__(self, argument: int, values: tuple[int, ...], mask: int, excluded: bool) -> None:
        self.argument = argument
        self.values = values
        self.mask = mask
        #: whether it must be none of the values
        self.excluded = excluded


def one_of(argument: int, *values: int, mask: int = _ALL_BITS) -> Test:
    """An argument's bits under `mask` are one of these."""
    return Test(argument, values, mask, False)


def none_of(argument: int, *values: int, mask: int = _ALL_BITS) -> Test:
    """They are none of these."""
    return Test(argument, values, mask, True)


class Call:
    """A system call of the host that a process of ours may make."""

    __slots__ = ("errno", "name", "reason", "tests")

    def __init__(self, name: str, reason: str, *tests: Test, errno: int = 0) -> None:
        self.name = name
        #: for SECURITY.md
        self.reason = reason
        #: all have to hold
        self.tests = tests
        #: what it fails with when one does not; 0: the process ends
        self.errno = errno


def make_filter(calls: Iterable[Call], numbers: Mapping[str, int]) -> bytes:
    """A program as `walls_install_filter` takes it; `numbers`: of system calls by name."""
    program = [*native_calls_only(_TRAP)]
    plain: set[int] = set()
    tested: dict[int, list[Call]] = {}
    for call in calls:
        if call.tests:
            tested.setdefault(numbers[call.name], []).append(call)
        else:
            plain.add(numbers[call.name])
    for number, alternatives in tested.items():
        if number not in plain:
            block = _block(alternatives)
            program += [(JUMP_EQUAL, 0, len(block), number), *block]
    for first, last in _ranges(plain):
        program += [(_JUMP_GREATER_EQUAL, 0, 2, first), (_JUMP_GREATER, 1, 0, last), _ALLOW]
    return assemble((*program, _TRAP))


def _block(alternatives: list[Call]) -> list[Instruction]:
    """Ends with a decision: allowed by any of the alternatives."""
    block: list[Instruction] = []
    for call in alternatives:
        inner: list[Instruction] = [_ALLOW]
        for test in reversed(call.tests):
            inner = _test(test, len(inner)) + inner
        block += inner
    number = alternatives[-1].errno
    return [*block, (RETURN, 0, 0, RET_ERRNO | number) if number else _TRAP]


def _test(test: Test, rest: int) -> list[Instruction]:
    """Falls through when it holds; otherwise skips the `rest` instructions behind it."""
    instructions: list[Instruction] = [
        (LOAD_WORD, 0, 0, _ARGUMENTS_OFFSET + 8 * test.argument),
    ]
    if test.mask != _ALL_BITS:
        instructions.append((_AND, 0, 0, test.mask))
    last = len(test.values) - 1
    for index, value in enumerate(test.values):
        left = last - index
        if test.excluded:
            instructions.append((JUMP_EQUAL, left + rest, 0, value & _ALL_BITS))
        else:
            instructions.append((JUMP_EQUAL, left, 0 if left else rest, value & _ALL_BITS))
    return instructions


def _ranges(numbers: set[int]) -> list[tuple[int, int]]:
    """Runs of consecutive numbers, first and last."""
    runs: list[tuple[int, int]] = []
    for number in sorted(numbers):
        if runs and runs[-1][1] == number - 1:
            runs[-1] = (runs[-1][0], number)
        else:
            runs.append((number, number))
    return runs
