"""docs/control.md is about the calls that there are."""

from pathlib import Path

import pytest

from runsc_py.runsc.control import errors
from runsc_py.runsc.control.calls import Call, calls
from runsc_py.runsc.control.message import fields_of

PAGE = (Path(__file__).parents[3] / "docs" / "control.md").read_text()
CODES = "INVALID NOT_FOUND EXISTS STATE NOT_EXECUTABLE COMMAND_NOT_FOUND GUEST UNSUPPORTED"


@pytest.mark.parametrize(("method", "kind"), calls().items())
def test_every_call_is_told_with_its_arguments(method: str, kind: type[Call]) -> None:
    """In a row of the table."""
    arguments = ", ".join(f"`{name}`" for name in fields_of(kind) or ())
    assert f"\n| `{method}` | {arguments} | " in PAGE


@pytest.mark.parametrize("name", [*CODES.split(), "PROTOCOL", "CLOSED", "TIMEOUT", "INTERNAL"])
def test_every_code_is_told(name: str) -> None:
    """Those of errors.py."""
    assert f"`{getattr(errors, name)}`" in PAGE
