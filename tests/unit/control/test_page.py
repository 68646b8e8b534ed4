"""docs/control.md is about the calls that there are."""

from pathlib import Path

import pytest

from runsc_py.runsc.control import errors
from runsc_py.runsc.control.calls import Call, calls
from runsc_py.runsc.control.documentation import with_table

PAGE = (Path(__file__).parents[3] / "docs" / "control.md").read_text()
CODES = "INVALID NOT_FOUND EXISTS STATE NOT_EXECUTABLE COMMAND_NOT_FOUND GUEST UNSUPPORTED"


def test_the_table_is_that_of_today() -> None:
    """`make docs` makes it."""
    assert with_table(PAGE) == PAGE


@pytest.mark.parametrize(("method", "kind"), calls().items())
def test_every_call_is_told(method: str, kind: type[Call]) -> None:
    """With what it does: each declaration says so."""
    assert f"\n| `{method}` | " in PAGE
    assert kind.__doc__


@pytest.mark.parametrize("name", [*CODES.split(), "PROTOCOL", "CLOSED", "TIMEOUT", "INTERNAL"])
def test_every_code_is_told(name: str) -> None:
    """Those of errors.py."""
    assert f"`{getattr(errors, name)}`" in PAGE
