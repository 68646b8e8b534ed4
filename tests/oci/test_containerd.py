"""containerd with runsc-py below its runc shim: `ctr run --runc-binary`."""

import json
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from harness.differential import Find
from harness.engines import IMAGE, Containerd, Engine, Podman, until
from harness.processes import descendants, settle
from harness.programs import require
from harness.sandbox import EXECUTABLE
from harness.screen import PROMPT, Screen

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


@pytest.fixture
def task(ctr: Engine, runtime: str) -> Iterator[str]:
    """A task in the background."""
    ctr("run", "--detach", "--runc-binary", runtime, IMAGE, "task", "sleep", "1000")
    yield "task"
    ctr.call("tasks", "delete", "--force", "task")
    ctr.call("containers", "delete", "task")


def test_metrics(ctr: Engine, task: str) -> None:
    """What its control groups count."""
    shown = ctr("tasks", "metrics", "--format", "json", task)
    assert "memory" in json.loads(shown), shown


def test_checkpoint(ctr: Engine, runtime: str, task: str) -> None:
    """It is refused with a reason, and the task goes on."""
    called = ctr.call("tasks", "checkpoint", task)
    assert called.status != 0, repr(called)
    if runtime == str(EXECUTABLE):
        assert "checkpoint" in called.stderr
    assert ctr("tasks", "exec", "--exec-id", "after", task, "echo", "on") == "on\n"


def test_terminal(ctr: Engine, runtime: str, program: Find, tmp_path: Path) -> None:
    """`ctr run --tty` in a terminal emulator: its size, Ctrl-C, a second terminal, the status."""
    words = ["run", "--rm", "--tty", "--runc-binary", runtime, "--env", f"PS1={PROMPT}"]
    shell = [*ctr.prefix, *words, IMAGE, "terminal", "sh"]
    script = ['"$@"; echo "ended with $?"; exec cat', "sh", *shell]
    screen = Screen(program("tmux", "tmux"), tmp_path / "socket", ["sh", "-c", *script], ctr.env)
    try:
        screen.until(lambda text: text.endswith(PROMPT.rstrip()))
        screen.enter("tty", "/dev/")
        screen.resize(100, 30)
        screen.enter("clear; until stty size | grep '30 100'; do usleep 50000; done", "30 100")
        screen.start("sleep 1000")
        screen.press("C-c")
        screen.until(lambda text: text.endswith(PROMPT.rstrip()))
        screen.enter("echo status $?", "status 130")
        screen.press("-l", "exit 4")
        screen.press("Enter")
        screen.until(lambda text: "ended with 4" in text)
    finally:
        ctr.call("tasks", "delete", "--force", "terminal")
        ctr.call("containers", "delete", "terminal")
        screen.close()
