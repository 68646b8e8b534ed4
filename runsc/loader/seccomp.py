"""`linux.seccomp` of a specification, compiled for a container's processes (`--oci-seccomp`).

What a profile means is what libseccomp and runc make of it: the first rule of a call whose
conditions hold decides, one without conditions before those that have some; names that no call has
are ignored; a rule that does what is done anyway is none; calls newer than any that a restrictive
profile names fail with ENOSYS, so that programs fall back to older ones.
"""

from __future__ import annotations

from runsc_py.runsc.control.errors import UNSUPPORTED, ControlError
from runsc_py.sentry.abi.seccomp import (
    AUDIT_ARCH_X86_64,
    SECCOMP_RET_ALLOW,
    SECCOMP_RET_ERRNO,
    SECCOMP_RET_KILL_PROCESS,
    SECCOMP_RET_KILL_THREAD,
    SECCOMP_RET_LOG,
    SECCOMP_RET_TRACE,
    SECCOMP_RET_TRAP,
)
from runsc_py.sentry.errors import ENOSYS, EPERM, KernelError
from runsc_py.sentry.kernel.bpf import (
    ABSOLUTE,
    ALU,
    AND,
    JA,
    JEQ,
    JGE,
    JGT,
    JMP,
    LD,
    RET,
    Instruction,
)
from runsc_py.sentry.kernel.seccomp import MAXIMUM_ERRNO, Filter
from runsc_py.sentry.syscalls.numbers import syscall_numbers

TYPE_CHECKING = False
if TYPE_CHECKING:
    from runsc_py.runsc.oci.seccomp import Argument, Rule, Seccomp

_ACTIONS = {
    "SCMP_ACT_KILL": SECCOMP_RET_KILL_THREAD,
    "SCMP_ACT_KILL_THREAD": SECCOMP_RET_KILL_THREAD,
    "SCMP_ACT_KILL_PROCESS": SECCOMP_RET_KILL_PROCESS,
    "SCMP_ACT_TRAP": SECCOMP_RET_TRAP,
    "SCMP_ACT_ERRNO": SECCOMP_RET_ERRNO,
    "SCMP_ACT_TRACE": SECCOMP_RET_TRACE,
    "SCMP_ACT_LOG": SECCOMP_RET_LOG,
    "SCMP_ACT_ALLOW": SECCOMP_RET_ALLOW,
}
#: those that carry an errno, or what a tracer is told
_WITH_DATA = ("SCMP_ACT_ERRNO", "SCMP_ACT_TRACE")
#: of the default action: new calls are the business of the one who wrote the profile
_PERMISSIVE = ("SCMP_ACT_ALLOW", "SCMP_ACT_LOG", "SCMP_ACT_TRACE")

# Of struct seccomp_data.
_NUMBER, _ARCHITECTURE, _ARGUMENTS = 0, 4, 16
#: numbers from here on are those of the x32 ABI
_X32 = 0x40000000
_WORD = 0xFFFFFFFF


def compile_filter(seccomp: Seccomp) -> Filter:
    """The filter of a profile.  Raises ControlError."""
    if seccomp.listener_path or "SCMP_ACT_NOTIFY" in [
        seccomp.default_action,
        *(rule.action for rule in seccomp.syscalls),
    ]:
        raise ControlError(
            "seccomp: SCMP_ACT_NOTIFY: a listener outside of the sandbox is not supported",
            UNSUPPORTED,
        )
    program = _Compiler(seccomp).compile()
    try:
        return Filter(program, None, "SECCOMP_FILTER_FLAG_LOG" in seccomp.flags)
    except KernelError as error:
        raise ControlError.of_kernel("seccomp: loading the filter", error) from None


def _answer(action: str, errno: int | None) -> int:
    """SECCOMP_RET_… with its data."""
    if action not in _WITH_DATA:
        return _ACTIONS[action]
    number = EPERM.number if errno is None else errno
    if number > MAXIMUM_ERRNO:
        raise ControlError(f"seccomp: errno {number} of {action} is too large")
    return _ACTIONS[action] | number


class _Compiler:
    """From rules to a program."""

    def __init__(self, seccomp: Seccomp) -> None:
        self._seccomp = seccomp
        self._default = _answer(seccomp.default_action, seccomp.default_errno_ret)
        #: number → answer, for calls with a rule that has no conditions
        self._plain: dict[int, int] = {}
        #: number → (conditions, answer) of each rule
        self._conditional: dict[int, list[tuple[list[Argument], int]]] = {}
        self._last = -1

    def compile(self) -> list[Instruction]:
        """The program."""
        numbers = syscall_numbers()
        for rule in self._seccomp.syscalls:
            answer = _answer(rule.action, rule.errno_ret)
            for name in rule.names:
                number = numbers.get(name)
                if number is not None:
                    self._last = max(self._last, number)
                    self._add(number, rule, answer)
        program = [
            _load(_ARCHITECTURE),
            (JMP | JEQ, 1, 0, AUDIT_ARCH_X86_64),
            (RET, 0, 0, SECCOMP_RET_KILL_THREAD),
            _load(_NUMBER),
            (JMP | JGE, 0, 1, _X32),
            (RET, 0, 0, SECCOMP_RET_KILL_THREAD),
        ]
        if self._refuses_newer():
            program += [
                (JMP | JGT, 0, 1, self._last),
                (RET, 0, 0, SECCOMP_RET_ERRNO | ENOSYS.number),
            ]
        # Calls with conditions first: what they are answered is not remembered by number.
        for number, rules in self._conditional.items():
            if number not in self._plain:
                block = self._rules(rules)
                program += [(JMP | JEQ, 1, 0, number), (JMP | JA, 0, 0, len(block)), *block]
        for number, answer in self._plain.items():
            program += [(JMP | JEQ, 0, 1, number), (RET, 0, 0, answer)]
        return [*program, (RET, 0, 0, self._default)]

    def _refuses_newer(self) -> bool:
        seccomp = self._seccomp
        if seccomp.default_errno_ret == ENOSYS.number or self._last < 0:
            return False
        return seccomp.default_action not in _PERMISSIVE

    def _add(self, number: int, rule: Rule, answer: int) -> None:
        if answer == self._default:
            return
        if not rule.args:
            self._plain.setdefault(number, answer)
            return
        rules = self._conditional.setdefault(number, [])
        indices = [condition.index for condition in rule.args]
        if len(set(indices)) < len(indices):
            # Two conditions on one argument were alternatives once, and are so for good.
            rules += [([condition], answer) for condition in rule.args]
        else:
            rules.append((rule.args, answer))

    def _rules(self, rules: list[tuple[list[Argument], int]]) -> list[Instruction]:
        """What decides about one call."""
        block: list[Instruction] = []
        for conditions, answer in rules:
            end: list[Instruction] = [(RET, 0, 0, answer)]
            for condition in reversed(conditions):
                end = _test(condition, len(end)) + end
            block += end
        return [*block, (RET, 0, 0, self._default)]


def _load(offset: int) -> Instruction:
    return (LD | ABSOLUTE, 0, 0, offset)


def _test(condition: Argument, rest: int) -> list[Instruction]:
    """Falls through when the condition holds, and jumps over `rest` instructions otherwise."""
    low_word = _ARGUMENTS + 8 * condition.index
    operator, value = condition.op, condition.value
    high, low = value >> 32, value & _WORD
    load_high, load_low = _load(low_word + 4), _load(low_word)
    if operator == "SCMP_CMP_EQ":
        return [
            load_high, (JMP | JEQ, 0, 2 + rest, high),
            load_low, (JMP | JEQ, 0, rest, low),
        ]  # fmt: skip
    if operator == "SCMP_CMP_NE":
        return [
            load_high, (JMP | JEQ, 0, 2, high),
            load_low, (JMP | JEQ, rest, 0, low),
        ]  # fmt: skip
    if operator == "SCMP_CMP_MASKED_EQ":
        wanted = condition.value_two
        return [
            load_high, (ALU | AND, 0, 0, high), (JMP | JEQ, 0, 3 + rest, wanted >> 32),
            load_low, (ALU | AND, 0, 0, low), (JMP | JEQ, 0, rest, wanted & _WORD),
        ]  # fmt: skip
    # Where the upper words differ they decide.
    if operator in ("SCMP_CMP_GT", "SCMP_CMP_GE"):
        comparison = JGT if operator == "SCMP_CMP_GT" else JGE
        return [
            load_high, (JMP | JGT, 3, 0, high), (JMP | JEQ, 0, 2 + rest, high),
            load_low, (JMP | comparison, 0, rest, low),
        ]  # fmt: skip
    comparison = JGE if operator == "SCMP_CMP_LT" else JGT
    return [
        load_high, (JMP | JGT, 3 + rest, 0, high), (JMP | JEQ, 0, 2, high),
        load_low, (JMP | comparison, rest, 0, low),
    ]  # fmt: skip
