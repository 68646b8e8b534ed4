"""Tasks that make system calls without a guest."""

import pytest

from harness.io_world import IoTask, IoWorld


@pytest.fixture
def world() -> IoWorld:
    return IoWorld()


@pytest.fixture
def task(world: IoWorld) -> IoTask:
    """A process of root's."""
    return world.new_task()
