"""Options of file systems: how values are read, and what is said of those that are none."""

import pytest

from runsc_py.sentry.auth.user_namespace import UserNamespace
from runsc_py.sentry.vfs.parameters import (
    BINARY,
    FILE,
    FLAG,
    STRING,
    Given,
    Parameter,
    Refusal,
    boolean,
    file_or_string,
    flag,
    gid,
    number,
    octal,
    one_of,
    string,
    uid,
)

INITIAL = UserNamespace.initial()


def of(parameter: Parameter, text: bytes, namespace: UserNamespace = INITIAL) -> object:
    return parameter(b"name", Given(STRING, text), namespace)


@pytest.mark.parametrize(
    ("parameter", "text", "value"),
    [
        (number, b"10", 10),
        (number, b"+10", 10),
        (number, b"0x1f", 31),
        (number, b"010", 8),
        (number, b"0", 0),
        (number, b"4294967295", 0xFFFFFFFF),
        (octal, b"755", 0o755),
        (octal, b"0755", 0o755),
        (string, b"text", b"text"),
        (file_or_string, b"text", b"text"),
        (boolean, b"yes", True),
        (boolean, b"0", False),
        (one_of({b"a": 1}), b"a", 1),
        (uid, b"5", 5),
        (gid, b"0x10", 16),
    ],
)
def test_values(parameter: Parameter, text: bytes, value: object) -> None:
    assert of(parameter, text) == value


@pytest.mark.parametrize(
    ("parameter", "text"),
    [
        (number, b""),
        (number, b"-1"),
        (number, b"1_0"),
        (number, b" 1"),
        (number, b"08"),
        (number, b"0x"),
        (number, b"4294967296"),
        (octal, b"8"),
        (string, b""),
        (boolean, b"maybe"),
        (one_of({b"a": 1}), b"b"),
        (flag, b"1"),
        (uid, b"root"),
        (uid, b"4294967295"),
    ],
)
def test_no_values(parameter: Parameter, text: bytes) -> None:
    with pytest.raises(Refusal):
        of(parameter, text)


def test_a_flag_has_no_value_and_the_others_need_one() -> None:
    assert flag(b"name", Given(FLAG), INITIAL) is True
    for parameter in (number, octal, string, file_or_string, boolean, uid, gid):
        for kind in (FLAG, BINARY):
            with pytest.raises(Refusal):
                parameter(b"name", Given(kind), INITIAL)
    with pytest.raises(Refusal):
        string(b"name", Given(FILE), INITIAL)


def test_ids_are_those_of_the_caller() -> None:
    inside = UserNamespace(INITIAL)
    with pytest.raises(Refusal) as refused:
        of(uid, b"0", inside)
    assert refused.value.messages == (b"Invalid name '0'",)
    with pytest.raises(Refusal) as refused:
        of(uid, b"x", inside)
    assert refused.value.messages == (b"Bad value for 'name'",) * 2
