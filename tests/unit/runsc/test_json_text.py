"""JSON written and read without the standard library's package: the same texts, the same values."""

import json
import subprocess
import sys
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runsc_py.runsc.json_text import decode, encode, encode_indented

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=20,
)  # fmt: skip


@given(VALUES)
def test_beside_the_standard_library(value: Any) -> None:
    """Every value, in both forms."""
    assert encode(value) == json.dumps(value)
    assert encode_indented(value) == json.dumps(value, indent=2)
    assert decode(encode_indented(value).encode()) == value


@pytest.mark.parametrize(
    "text",
    [b"", b" \n", b"{", b"nul", b"[1,]", b'{"a":1} x', b"NaN", b"\xff", b'"\n"', b"{1:2}",
     b"[" * 100_000, b"1" * 5000],
)  # fmt: skip
def test_what_is_no_json(text: bytes) -> None:
    """One kind of error."""
    with pytest.raises(ValueError):
        decode(text)


def test_without_the_package() -> None:
    """The scanner's errors are the package's; it is imported for them."""
    program = """if True:
        import sys
        from runsc_py.runsc.json_text import decode
        sys.modules.pop("json", None), sys.modules.pop("json.decoder", None)
        try:
            decode(b"{")
        except ValueError as error:
            print(error)
    """
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=60
    )
    assert "Expecting property name" in done.stdout


@pytest.mark.parametrize("value", [object(), {1, 2}, b"bytes", float("nan"), float("inf")])
def test_what_cannot_be_written(value: object) -> None:
    """Nothing is made up."""
    with pytest.raises(ValueError):
        encode(value)
