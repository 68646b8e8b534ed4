"""The tests that may pass natively and not inside: exceptions.toml, test id → reason."""

import functools
import tomllib
from pathlib import Path

FILE = Path(__file__).with_name("exceptions.toml")


class BadException(Exception):
    """An entry of exceptions.toml that is no reason."""


@functools.cache
def exceptions() -> dict[str, str]:
    """Test id → why it may differ; raises `BadException` for what is no reason."""
    found: dict[str, str] = tomllib.loads(FILE.read_text())
    for test, reason in found.items():
        if not isinstance(reason, str) or len(reason) < 20:
            raise BadException(f"{test}: a sentence is wanted")
        if "not implemented" in reason.lower():
            raise BadException(f"{test}: 'not implemented' is a task, not a reason")
    return found
