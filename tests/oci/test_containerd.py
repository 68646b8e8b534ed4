"""containerd with runsc-py below its runc shim: `ctr run --runc-binary`."""

import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from harness.engines import IMAGE, Containerd, Engine, Podman, until
from harness.processes import descendants, settle
from harness.programs import require

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def ctr(archive: Path) -> Iterator[Engine]:
    """A containerd with one image, which podman has made."""
    require(("containerd", "containerd"), ("podman", "podman"))
    if os.geteuid() != 0:
        pytest.skip("containerd needs root")
    known = set(descendants())
    # Not below tmp_path: the path of a socket has to be short.
    with tempfile.TemporaryDirectory(prefix="containerd-") as name:
        directory = Path(name)
        (directory / "podman").mkdir()
        podman = Podman(directory / "podman", "runc")
        podman("import", "-", IMAGE, stdin=archive.read_bytes())
        podman("save", "--format", "oci-archive", "--output", directory / "image.tar", IMAGE)
        daemon = Containerd(directory)
        try:
            daemon.ctr("images", "import", directory / "image.tar")
            yield daemon.ctr
        finally:
            for task in daemon.ctr("tasks", "list", "--quiet").split():
                daemon.ctr.call("tasks", "delete", "--force", task)
            daemon.close()
            podman.close()
            left = settle(known, 10.0, kill=False)
            settle(known, 5.0, kill=True)
    assert not left, "containerd's tests left processes behind"


def test_run(ctr: Engine, runtime: str) -> None:
    """Output and status of a task that is removed afterwards."""
    words = ("run", "--rm", "--runc-binary", runtime, IMAGE, "short", "sh", "-c")
    called = ctr.call(*words, "echo out; echo err >&2; exit 6")
    assert (called.status, called.stdout) == (6, "out\n") and "err\n" in called.stderr
    assert ctr("containers", "list", "--quiet") == ""


def test_program_not_found(ctr: Engine, runtime: str) -> None:
    """The runtime's reason reaches the user."""
    called = ctr.call("run", "--rm", "--runc-binary", runtime, IMAGE, "none", "/missing")
    assert called.status != 0 and "no such file" in called.stderr, repr(called)


def test_exec_pause_kill(ctr: Engine, runtime: str) -> None:
    """A task in the background: exec, processes, pause, resume, kill, delete."""
    ctr("run", "--detach", "--runc-binary", runtime, IMAGE, "long", "sh", "-c", "sleep 1000; true")
    shown = ctr(
        "tasks", "exec", "--exec-id", "one", "long", "sh", "-c", "echo inside; cat /proc/1/comm"
    )
    assert shown == "inside\nsh\n"
    assert ctr.call("tasks", "exec", "--exec-id", "two", "long", "sh", "-c", "exit 9").status == 9
    assert ctr("tasks", "ps", "long").splitlines()[1:]
    ctr("tasks", "pause", "long")
    assert "PAUSED" in ctr("tasks", "list")
    ctr("tasks", "resume", "long")
    assert "RUNNING" in ctr("tasks", "list")
    ctr("tasks", "kill", "--signal", "KILL", "long")
    until(lambda: "STOPPED" in ctr("tasks", "list"))
    ctr.call("tasks", "delete", "long")
    ctr("containers", "delete", "long")
    assert ctr("tasks", "list", "--quiet") == ""
