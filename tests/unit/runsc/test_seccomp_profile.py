"""linux.seccomp compiled: what the program answers is what the rules say."""

import operator
import struct
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runsc_py.runsc.control.errors import ControlError
from runsc_py.runsc.loader.seccomp import compile_filter
from runsc_py.runsc.oci.seccomp import Argument, Operator, Rule, Seccomp
from runsc_py.sentry.abi.seccomp import AUDIT_ARCH_X86_64

ALLOW, ERRNO, KILL = 0x7FFF0000, 0x50000, 0
OPEN, KILL_CALL, MKDIR, STATX = 2, 62, 83, 332

COMPARE: dict[Operator, Callable[[int, int], bool]] = {
    "SCMP_CMP_NE": operator.ne,
    "SCMP_CMP_LT": operator.lt,
    "SCMP_CMP_LE": operator.le,
    "SCMP_CMP_EQ": operator.eq,
    "SCMP_CMP_GE": operator.ge,
    "SCMP_CMP_GT": operator.gt,
}
#: near each other and near where the words of a value meet
VALUES = st.sampled_from(
    [0, 1, 2, 0xFFFFFFFF, 1 << 32, (1 << 32) + 1, (1 << 64) - 1]
) | st.integers(0, (1 << 64) - 1)


def answer(seccomp: Seccomp, number: int, *arguments: int, arch: int = AUDIT_ARCH_X86_64) -> int:
    """What the profile says about a call."""
    padded = (*arguments, *[0] * (6 - len(arguments)))
    return compile_filter(seccomp).evaluate(number, struct.pack("=iIQ6Q", number, arch, 0, *padded))


@given(st.sampled_from(list(COMPARE)), VALUES, VALUES, st.integers(0, 5))
def test_comparisons(op: Operator, wanted: int, given_value: int, index: int) -> None:
    """All 64 bits count, for every argument."""
    rule = Rule(["kill"], "SCMP_ACT_ERRNO", 7, [Argument(index, wanted, op)])
    arguments = [0] * 6
    arguments[index] = given_value
    holds = COMPARE[op](given_value, wanted)
    found = answer(Seccomp("SCMP_ACT_ALLOW", syscalls=[rule]), KILL_CALL, *arguments)
    assert found == (ERRNO | 7 if holds else ALLOW)


@given(VALUES, VALUES, VALUES)
def test_masked_comparison(mask: int, wanted: int, given_value: int) -> None:
    """`value` is the mask, `valueTwo` what has to be left."""
    rule = Rule(["kill"], "SCMP_ACT_ERRNO", 7, [Argument(1, mask, "SCMP_CMP_MASKED_EQ", wanted)])
    found = answer(Seccomp("SCMP_ACT_ALLOW", syscalls=[rule]), KILL_CALL, 0, given_value)
    assert found == (ERRNO | 7 if given_value & mask == wanted else ALLOW)


@given(st.lists(VALUES, min_size=6, max_size=6), st.lists(VALUES, min_size=6, max_size=6))
def test_conditions_of_a_rule_hold_together(wanted: list[int], arguments: list[int]) -> None:
    """One of each argument: all have to hold; the rule behind is asked when they do not."""
    conditions = [Argument(index, value, "SCMP_CMP_GE") for index, value in enumerate(wanted)]
    other = Rule(["kill"], "SCMP_ACT_ERRNO", 9, [Argument(0, 1, "SCMP_CMP_EQ")])
    rules = [Rule(["kill"], "SCMP_ACT_ERRNO", 7, conditions), other]
    found = answer(Seccomp("SCMP_ACT_ALLOW", syscalls=rules), KILL_CALL, *arguments)
    if all(one >= value for one, value in zip(arguments, wanted, strict=True)):
        assert found == ERRNO | 7
    else:
        assert found == (ERRNO | 9 if arguments[0] == 1 else ALLOW)


def test_two_conditions_on_one_argument_are_alternatives() -> None:
    """As runc has kept it."""
    conditions = [Argument(1, 3, "SCMP_CMP_EQ"), Argument(1, 5, "SCMP_CMP_EQ")]
    profile = Seccomp("SCMP_ACT_ALLOW", syscalls=[Rule(["kill"], "SCMP_ACT_KILL", args=conditions)])
    assert [answer(profile, KILL_CALL, 0, number) for number in (3, 4, 5)] == [KILL, ALLOW, KILL]


def test_no_conditions_come_first() -> None:
    """A rule without conditions decides, wherever it stands."""
    conditional = Rule(["kill"], "SCMP_ACT_KILL", args=[Argument(1, 3, "SCMP_CMP_EQ")])
    plain = Rule(["kill"], "SCMP_ACT_ERRNO")
    for rules in ([conditional, plain], [plain, conditional]):
        assert answer(Seccomp("SCMP_ACT_ALLOW", syscalls=rules), KILL_CALL, 0, 3) == ERRNO | 1


def test_newer_calls_of_a_restrictive_profile() -> None:
    """They do not exist, unless the profile says with what they fail."""
    rules = [Rule(["open", "mkdir", "no_such_call"], "SCMP_ACT_ALLOW")]
    profile = Seccomp("SCMP_ACT_ERRNO", syscalls=rules)
    assert answer(profile, OPEN) == ALLOW
    assert answer(profile, KILL_CALL) == ERRNO | 1
    assert answer(profile, STATX) == ERRNO | 38
    assert answer(Seccomp("SCMP_ACT_LOG", syscalls=rules), STATX) == 0x7FFC0000
    assert answer(Seccomp("SCMP_ACT_ERRNO"), STATX) == ERRNO | 1


def test_other_architectures_are_killed() -> None:
    """Whatever the profile names: there is one here."""
    profile = Seccomp("SCMP_ACT_ALLOW", architectures=["SCMP_ARCH_X86"])
    assert answer(profile, MKDIR) == ALLOW
    assert answer(profile, MKDIR, arch=0x40000003) == KILL
    assert answer(profile, 0x40000000 + MKDIR) == KILL


def test_what_cannot_be_had() -> None:
    """Listeners on the host, and errnos that are none."""
    with pytest.raises(ControlError, match="SCMP_ACT_NOTIFY"):
        compile_filter(Seccomp("SCMP_ACT_NOTIFY"))
    with pytest.raises(ControlError, match="errno 5000"):
        compile_filter(Seccomp("SCMP_ACT_ERRNO", 5000))
