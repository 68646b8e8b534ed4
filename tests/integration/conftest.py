"""What several modules of this directory need."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from harness.containers import Engine


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    """Whatever a test leaves, `delete --force` clears."""
    made = Engine(tmp_path)
    yield made
    for identifier in made("list", "-q").stdout.split():
        assert made("delete", "--force", identifier).returncode == 0
    assert not made.root.exists() or os.listdir(made.root) == []
