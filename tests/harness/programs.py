"""Programs of the system that tests need."""

import shutil
import sys
from pathlib import Path

import pytest

PYTHON = next(
    str(path)
    for path in (Path("/usr/bin/python3"), Path(sys.base_prefix) / "bin" / "python3")
    if path.exists()
)


def require(*programs: tuple[str, str]) -> None:
    """Skip the test without these programs; the second word of each is Debian's package."""
    for name, package in programs:
        if shutil.which(name) is None:
            pytest.skip(f"{name} is not installed; Debian's package is {package}")
