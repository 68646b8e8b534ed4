"""Engines for the tests of this directory, each started and ended by the module that uses it."""

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from harness.engines import IMAGE, Podman, make_archive
from harness.processes import descendants, settle
from harness.programs import require
from harness.sandbox import EXECUTABLE


@pytest.fixture(scope="module")
def runtime(request: pytest.FixtureRequest) -> str:
    """The runtime that engines are told to use: with --native-only it is runc."""
    if request.config.getoption("--native-only"):
        return shutil.which("runc", path="/usr/sbin:/usr/bin") or "runc"
    return str(EXECUTABLE)


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tar archive of a root directory of busybox."""
    require(("busybox", "busybox-static"))
    return make_archive(tmp_path_factory.mktemp("archive"))


@pytest.fixture(scope="module")
def podman(runtime: str, archive: Path) -> Iterator[Podman]:
    """podman with one image."""
    require(("podman", "podman"))
    known = set(descendants())
    # Not below tmp_path: the paths of sockets have to be short.
    with tempfile.TemporaryDirectory(prefix="podman-") as directory:
        engine = Podman(Path(directory), runtime)
        try:
            engine("import", "-", IMAGE, stdin=archive.read_bytes())
            yield engine
        finally:
            engine.close()
            left = settle(known, 5.0, kill=False)
            settle(known, 5.0, kill=True)
    assert not left, "podman's tests left processes behind"
