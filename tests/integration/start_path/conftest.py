"""Sandboxes for the tests of the way to a container's first process."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from harness.oci_bundle import busybox
from harness.pod import ROOT, SLEEP, Pod
from harness.processes import descendants, settle


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """All of them need busybox."""
    for item in items:
        if Path(__file__).parent in item.path.parents and busybox() is None:
            item.add_marker(pytest.mark.skip(reason="Debian: busybox-static"))


@pytest.fixture
def empty(tmp_path: Path) -> Iterator[Pod]:
    """No sandbox yet."""
    known = set(descendants())
    made = Pod(tmp_path)
    try:
        yield made
    finally:
        made.close()
        assert settle(known, 5.0, kill=False) == []


@pytest.fixture(scope="module")
def pod(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pod]:
    """A sandbox whose first container sleeps; one for all tests of a module."""
    made = Pod(tmp_path_factory.mktemp("pod"))
    try:
        made.running(ROOT, SLEEP)
        yield made
    finally:
        made.close()
