"""The host's processes that stand for those inside: engines signal them by their ids."""

import json
import os
import signal
import time
from collections.abc import Callable

import pytest

from harness.containers import BUSYBOX, WAIT, Engine

pytestmark = pytest.mark.skipif(BUSYBOX is None, reason="Debian: busybox-static")

LIMIT = 60.0
#: ends with its own status when it is told to; says when it listens
SCRIPT = "trap 'exit 7' TERM; echo; while :; do /bin/busybox usleep 10000; done"


def until(condition: Callable[[], bool]) -> None:
    """Wait for it."""
    deadline = time.monotonic() + LIMIT
    while not condition():
        assert time.monotonic() < deadline, "it never comes"
        time.sleep(0.02)


def processes(engine: Engine, identifier: str) -> list[int]:
    """Those inside."""
    found: list[int] = json.loads(engine("ps", "--format", "json", identifier).stdout)
    return found


def execute(engine: Engine) -> int:
    """SCRIPT in the running container "a", in the background; the process that stands for it."""
    pid_file = engine.folder / "exec-pid"
    words = ("exec", "--detach", "--pid-file", pid_file, "a", "/bin/busybox", "sh", "-c", SCRIPT)
    assert engine(*words).returncode == 0
    until(lambda: (engine.folder / "out").read_text() == "\n")
    return int(pid_file.read_text())


def status_of(pid: int) -> int:
    """How the process ended, which is a child of whoever reaps orphans: of this one."""
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


@pytest.fixture
def running(engine: Engine) -> Engine:
    """With a container "a"."""
    engine.create("a", *WAIT)
    assert engine("start", "a").returncode == 0
    return engine


def start_beside(engine: Engine) -> int:
    """A container "b" in the sandbox of "a"; the process that stands for it."""

    def join(document: dict[str, dict[str, str]]) -> None:
        document["annotations"] = {
            "io.kubernetes.cri.container-type": "container",
            "io.kubernetes.cri.sandbox-id": "a",
        }

    bundle, pid_file = engine.bundle(*WAIT, change=join), engine.folder / "pid"
    assert engine("create", "--bundle", bundle, "--pid-file", pid_file, "b").returncode == 0
    assert engine("start", "b").returncode == 0
    return int(pid_file.read_text())


def test_a_signal_for_what_exec_started(running: Engine) -> None:
    """It reaches the process inside, which does with it what it likes."""
    pid = execute(running)
    os.kill(pid, signal.SIGTERM)
    assert status_of(pid) == 7
    assert processes(running, "a") == [1]


def test_the_end_of_what_stands_for_a_process(running: Engine) -> None:
    """SIGKILL, as for a probe that timed out, takes the process inside along, and no other."""
    pid = execute(running)
    assert len(processes(running, "a")) > 1
    os.kill(pid, signal.SIGKILL)
    assert status_of(pid) == -signal.SIGKILL
    until(lambda: processes(running, "a") in ([1], []))
    assert running.status("a") == "running"
    assert running("exec", "a", "/bin/busybox", "true").returncode == 0


def test_the_end_of_what_stands_for_a_container(running: Engine) -> None:
    """The same for a container of a pod: the others go on."""

    pid = start_beside(running)
    assert running("debug", "--ps", "a").stdout.count("busybox") == 2
    os.kill(pid, signal.SIGKILL)
    assert status_of(pid) == -signal.SIGKILL
    assert running.status("b") == "stopped"
    until(lambda: running("debug", "--ps", "a").stdout.count("busybox") == 1)
    assert running("delete", "b").returncode == 0
    assert running.status("a") == "running"


def test_kill_of_a_container_that_has_just_ended(running: Engine) -> None:
    """It does not run, though what stands for it has not noticed: engines go by these words."""
    pid = start_beside(running)
    os.kill(pid, signal.SIGSTOP)
    try:
        assert running("kill", "b", "KILL").returncode == 0
        until(lambda: running("kill", "b", "TERM").returncode != 0)
        assert "container not running" in running("kill", "b", "TERM").stderr
    finally:
        os.kill(pid, signal.SIGCONT)
    assert status_of(pid) in (-signal.SIGKILL, 137)
