"""A platform for every test, and the proof that it leaves nothing behind."""

import os
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from runsc_py.platform.ptrace import PtracePlatform


def stub_processes() -> set[int]:
    """The stubs among this process's children, which may be a killed sentry's zombies too."""
    children = Path("/proc/thread-self/children").read_text().split()
    return {
        int(pid)
        for pid in children
        if Path(f"/proc/{pid}/comm").read_text().strip() == "runsc-guest"
    }


def reap_orphans() -> None:
    """Collect what earlier tests left us as subreaper: a platform would wake for each of them."""
    with suppress(ChildProcessError):
        while os.waitpid(-1, os.WNOHANG) != (0, 0):
            pass


@pytest.fixture
def platform() -> Iterator[PtracePlatform]:
    """A platform; after the test not one process of it is left."""
    reap_orphans()
    before = stub_processes()
    with PtracePlatform() as platform:
        assert len(stub_processes() - before) == 2
        yield platform
    assert stub_processes() <= before
