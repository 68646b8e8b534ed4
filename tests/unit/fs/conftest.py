"""File systems of the sentry without guests."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from harness.file_world import FileWorld, fake_kernel
from harness.gofer import Served, serving_directory
from runsc_py.sentry.fs.gofer import GoferFileSystem, IdMapper
from runsc_py.sentry.fs.overlay import Overlay
from runsc_py.sentry.fs.tmpfs import Tmpfs

#: an ordinary user's files are those of the sandbox's root
IDS = IdMapper() if os.geteuid() == 0 else IdMapper.rootless(os.getuid(), os.getgid())


@pytest.fixture
def memory() -> FileWorld:
    """An empty tmpfs."""
    return FileWorld(Tmpfs(fake_kernel()))


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """The host directory that a gofer serves."""
    directory = tmp_path / "tree"
    directory.mkdir()
    return directory


@pytest.fixture
def served(tree: Path) -> Iterator[Served]:
    with serving_directory(tree) as running:
        yield running


@pytest.fixture
def host(served: Served) -> FileWorld:
    """The host directory, exclusively cached."""
    return FileWorld(GoferFileSystem(fake_kernel(), served.client, 0, ids=IDS))


@pytest.fixture
def shared_host(served: Served) -> FileWorld:
    """The host directory, which the host may change meanwhile."""
    return FileWorld(GoferFileSystem(fake_kernel(), served.client, 0, shared=True, ids=IDS))


@pytest.fixture
def overlay(served: Served) -> FileWorld:
    """A memory overlay over the host directory."""
    kernel = fake_kernel()
    lower = GoferFileSystem(kernel, served.client, 0, ids=IDS)
    return FileWorld(Overlay(kernel, Tmpfs(kernel, mode=0o755).root, (lower.root,)))
