"""A directory that a gofer serves writable."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from harness.gofer import Served, serving_directory


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """The served directory."""
    directory = tmp_path / "tree"
    directory.mkdir()
    return directory


@pytest.fixture
def served(tree: Path) -> Iterator[Served]:
    with serving_directory(tree) as running:
        yield running
