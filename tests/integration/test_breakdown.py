"""A sandbox that hangs or breaks down says where: the watchdog, --panic-signal, --panic-log."""

import json
import os
import signal
from pathlib import Path
from typing import Any

import pytest

from harness.containers import BUSYBOX, WAIT, Engine
from harness.live import eventually

pytestmark = pytest.mark.skipif(BUSYBOX is None, reason="Debian: busybox-static")

#: looks for files that nobody knows of yet, each a question to the gofer
CURIOUS = "busybox sleep 0.1; i=0; while :; do i=$((i+1)); [ -e /nowhere/$i ] || [ -e /$i/x ]; done"


def gofer_of(pid: int) -> int:
    """The child of a sandbox that holds no tracee: the one that sleeps in recvmsg."""
    for task in Path(f"/proc/{pid}/task").iterdir():
        for word in (task / "children").read_text().split():
            status = Path(f"/proc/{word}/status").read_text()
            if "TracerPid:\t0\n" in status:
                return int(word)
    raise AssertionError("no gofer")


@pytest.fixture
def hanging(engine: Engine, request: pytest.FixtureRequest) -> int:
    """A container whose gofer does not answer any more; its sandbox's process."""
    engine.options = [
        "--debug-log", str(engine.folder / "sandbox.log"), "--watchdog-timeout", "3s",
        "--panic-log", str(engine.folder / "panic"), "--file-access", "shared",
        "--watchdog-action", request.param,
    ]  # fmt: skip

    def writable(document: Any) -> None:
        document["root"]["readonly"] = False

    bundle = engine.bundle("/bin/sh", "-c", CURIOUS, change=writable)
    pid_file = engine.folder / "pid"
    done = engine("create", "--bundle", bundle, "--pid-file", pid_file, "a")
    assert done.returncode == 0, done.stderr
    assert engine("start", "a").returncode == 0
    pid = int(pid_file.read_text())
    os.kill(gofer_of(pid), signal.SIGSTOP)
    return pid


@pytest.mark.parametrize("hanging", ["log"], indirect=True)
def test_watchdog_logs(engine: Engine, hanging: int) -> None:
    """Once, with the stacks; and it goes on when the gofer does."""
    log = engine.folder / "sandbox.log"
    eventually("the watchdog barks", lambda: "watchdog: the sentry has been" in log.read_text())
    lines = [line for line in log.read_text().splitlines() if "watchdog:" in line]
    assert len(lines) == 1
    assert "GoferClient._request" in lines[0] and "(sh): in the kernel" in lines[0]
    os.kill(gofer_of(hanging), signal.SIGCONT)
    assert engine.status("a") == "running"
    assert engine("kill", "a", "KILL").returncode == 0
    assert json.loads(engine("wait", "a").stdout)["exitStatus"] == 137
    assert not (engine.folder / "panic").read_text()


@pytest.mark.parametrize("hanging", ["panic"], indirect=True)
def test_watchdog_ends_it(engine: Engine, hanging: int) -> None:
    """With a crash record, and an answer for who waits."""
    assert json.loads(engine("wait", "a").stdout)["exitStatus"] == 125
    (line,) = (engine.folder / "panic").read_text().splitlines()
    record = json.loads(line)
    assert record["id"] == "a" and "watchdog: the sentry has been busy" in record["error"]
    assert any("GoferClient._request" in one for one in record["traceback"])
    assert engine.status("a") == "stopped"
    assert engine("delete", "a").returncode == 0


def test_an_idle_sandbox_is_none_that_hangs(engine: Engine) -> None:
    """Neither one that waits nor one whose programs compute."""
    log = engine.folder / "sandbox.log"
    engine.options = ["--debug-log", str(log), "--watchdog-timeout", "2s"]
    engine.options += ["--watchdog-action", "panic"]
    for script in ("busybox sleep 3", "busybox timeout 3 sh -c 'while :; do :; done'; :"):
        assert (
            engine("run", "--bundle", engine.bundle("/bin/sh", "-c", script), "a").returncode == 0
        )
    assert "watchdog" not in log.read_text()


def test_panic_signal(engine: Engine) -> None:
    """Whoever looks after a sandbox that hangs makes it say where."""
    engine.options = ["--panic-signal", "12", "--panic-log", str(engine.folder / "panic")]
    pid = engine.create("a", *WAIT)
    assert engine("start", "a").returncode == 0
    eventually("it sleeps", lambda: "busybox" in engine("ps", "a").stdout)
    os.kill(pid, signal.SIGUSR2)
    assert json.loads(engine("wait", "a").stdout)["exitStatus"] == 125
    record = json.loads((engine.folder / "panic").read_text())
    assert record["error"] == "signal 12 asked for a panic"
    assert any("(busybox): " in one for one in record["traceback"])
    assert "signal 12 asked for a panic" in engine.log.read_text()
