"""What a sandbox gets from whoever starts it, and what is heard of one that does not come up."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from harness.containers import BUSYBOX, WAIT, Engine
from harness.sandbox import EXECUTABLE
from runsc_py.runsc.config import Config
from runsc_py.runsc.errors import RunscError
from runsc_py.runsc.loader import sandbox
from runsc_py.runsc.oci.reading import decode_spec
from runsc_py.runsc.runtime_log import open_runtime_log
from runsc_py.runsc.sandbox_process import SandboxDied, SandboxRequest, launch_sandbox

needs_busybox = pytest.mark.skipif(BUSYBOX is None, reason="Debian: busybox-static")

#: executes its arguments with every signal blocked and SIGCHLD ignored
IN_BAD_COMPANY = (
    "import os, signal, sys;"
    "signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals());"
    "signal.signal(signal.SIGCHLD, signal.SIG_IGN);"
    "os.execv(sys.argv[1], sys.argv[1:])"
)


@needs_busybox
def test_no_descriptor_is_inherited(engine: Engine, tmp_path: Path) -> None:
    """CVE-2024-21626: what the caller left open is in no process of the sandbox, and no hook's."""
    secret = tmp_path / "secret"
    secret.write_text("nothing for others")
    listing = tmp_path / "hook"

    def add_hook(document: dict[str, object]) -> None:
        script = f"readlink /proc/self/fd/* > {listing}; :"
        document["hooks"] = {"createRuntime": [{"path": "/bin/sh", "args": ["sh", "-c", script]}]}

    bundle = engine.bundle(*WAIT, change=add_hook)
    pid_file = tmp_path / "pid"
    words = f'exec 9<{secret} 10<{tmp_path}; exec "$@"'
    prefix = ["bash", "-c", words, "bash"]
    create = ("create", "--bundle", bundle, "--pid-file", pid_file, "a")
    assert engine(*create, prefix=prefix).returncode == 0
    assert engine("start", "a", prefix=prefix).returncode == 0
    pid = int(pid_file.read_text())
    assert listing.read_text() and str(secret) not in listing.read_text()
    for process in [pid, *children(pid)]:
        links = Path(f"/proc/{process}/fd")
        targets = [os.readlink(link) for link in links.iterdir() if link.is_symlink()]
        assert str(secret) not in targets and str(tmp_path) not in targets


def children(pid: int) -> list[int]:
    """Of all threads of a process."""
    tasks = Path(f"/proc/{pid}/task").iterdir()
    return [int(word) for task in tasks for word in (task / "children").read_text().split()]


@pytest.mark.parametrize("words", [["--wall", "0.5", "--", "sh", "-c", "while :; do :; done"]])
def test_blocked_signals_of_a_run(words: list[str]) -> None:
    """Whoever starts us may block what wakes us, and ignore what tells of children."""
    command = [sys.executable, "-c", IN_BAD_COMPANY, EXECUTABLE, "run", *words]
    assert subprocess.run(command, capture_output=True, timeout=60).returncode == 124


@needs_busybox
def test_blocked_signals_of_a_container(engine: Engine) -> None:
    """The same for what outlives the command."""
    script = "busybox sleep 0.1; busybox timeout 0.2 busybox yes >/dev/null; exit 7"
    bundle = engine.bundle("/bin/sh", "-c", script)
    pid_file = engine.folder / "pid"
    prefix = [sys.executable, "-c", IN_BAD_COMPANY]
    create = ("create", "--bundle", bundle, "--pid-file", pid_file, "a")
    assert engine(*create, prefix=prefix).returncode == 0
    assert engine("start", "a", prefix=prefix).returncode == 0
    assert json.loads(engine("wait", "a", prefix=prefix).stdout)["exitStatus"] == 7
    os.waitpid(int(pid_file.read_text()), 0)


@needs_busybox
def test_oom_score_of_the_sandbox(engine: Engine) -> None:
    """The host's choice of whom to kill is about the whole sandbox."""

    def adjust(document: dict[str, dict[str, object]]) -> None:
        document["process"]["oomScoreAdj"] = 345

    pid_file = engine.folder / "pid"
    bundle = engine.bundle(*WAIT, change=adjust)
    assert engine("create", "--bundle", bundle, "--pid-file", pid_file, "a").returncode == 0
    score = Path(f"/proc/{int(pid_file.read_text())}/oom_score_adj").read_text()
    assert score == "345\n"


@needs_busybox
def test_a_start_that_was_killed_before_it_could_say_so(engine: Engine) -> None:
    """The program runs, the record says `created`: every command finds out."""
    pid = engine.create("a", *WAIT)
    (path,) = engine.root.glob("a_*.state")
    before = path.read_bytes()
    assert engine("start", "a").returncode == 0
    path.write_bytes(before)
    assert engine.status("a") == "running"
    again = engine("start", "a")
    assert "cannot start an already running container" in again.stderr
    assert engine.status("a") == "running"
    assert engine("pause", "a").returncode == 0
    assert engine("resume", "a").returncode == 0
    assert engine("kill", "a", "KILL").returncode == 0
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 137


# -- sandboxes that do not come up ------------------------------------------------------------


@pytest.fixture
def request_(tmp_path: Path) -> SandboxRequest:
    """Of a sandbox with all its logs."""
    spec = decode_spec(b'{"ociVersion": "1.2.0", "process": {"cwd": "/"}, "root": {"path": "/"}}')
    config = Config(
        log=str(tmp_path / "log"),
        log_format="json",
        debug_log=f"{tmp_path}/debug/%ID%",
        panic_log=str(tmp_path / "panic"),
    )
    made = SandboxRequest("name", spec, config, str(tmp_path))
    made.log = open_runtime_log(config)
    return made


def test_a_sandbox_that_breaks_down(
    request_: SandboxRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its last warnings are in the error, in both logs and in the report of the breakdown."""

    def run_sandbox(request: object, log: "sandbox.SandboxLog", created: object) -> int:
        log.debug("for developers")
        log.warning("a last word")
        raise ValueError("broken")

    monkeypatch.setattr(sandbox, "run_sandbox", run_sandbox)
    with pytest.raises(RunscError) as caught:
        launch_sandbox(request_)
    assert "internal error in the sandbox: ValueError: broken" in str(caught.value)
    assert "a last word" in str(caught.value)
    panic = json.loads((tmp_path / "panic").read_text())
    assert (panic["id"], panic["error"]) == ("name", "ValueError: broken")
    assert "in run_sandbox" in "".join(panic["traceback"])
    assert "for developers" in (tmp_path / "debug" / "name").read_text()
    lines = [json.loads(line) for line in (tmp_path / "log").read_text().splitlines()]
    assert {"warning"} == {line["level"] for line in lines}
    assert lines[0]["msg"] == "sandbox name: a last word"


def assert_reaped(pids: list[int]) -> None:
    """One process, which is no child any more."""
    (pid,) = pids
    with pytest.raises(ChildProcessError):
        os.waitpid(pid, os.WNOHANG)


@pytest.mark.parametrize(
    ("end", "kind", "message"),
    [
        (lambda: os.kill(os.getpid(), signal.SIGKILL), SandboxDied, "was killed while it started"),
        (lambda: os._exit(3), SandboxDied, "was killed while it started"),
    ],
    ids=["killed", "gone"],
)
def test_a_sandbox_that_dies_without_a_word(
    request_: SandboxRequest,
    monkeypatch: pytest.MonkeyPatch,
    end: Callable[[], None],
    kind: type[RunscError],
    message: str,
) -> None:
    """That is an error of its own, and its process is reaped."""

    def run_sandbox(request: object, log: object, created: object) -> int:
        end()
        return 0

    monkeypatch.setattr(sandbox, "run_sandbox", run_sandbox)
    pids: list[int] = []
    request_.join_resources = pids.append
    with pytest.raises(kind, match=message):
        launch_sandbox(request_)
    assert_reaped(pids)


def test_a_failure_with_a_reason(request_: SandboxRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its status is that of the command, 127 for a program that is not there."""

    def run_sandbox(request: object, log: object, created: object) -> int:
        raise RunscError("no such program", 127)

    monkeypatch.setattr(sandbox, "run_sandbox", run_sandbox)
    with pytest.raises(RunscError, match="no such program") as caught:
        launch_sandbox(request_)
    assert caught.value.status == 127


def test_a_starter_that_fails_at_the_gate(
    request_: SandboxRequest, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Before the sandbox may go on, its state is written down: no state, no sandbox."""
    started = tmp_path / "started"

    def run_sandbox(request: object, log: object, created: object) -> int:
        started.touch()
        return 0

    pids = []

    def fail(pid: int) -> None:
        pids.append(pid)
        raise RunscError("no state")

    monkeypatch.setattr(sandbox, "run_sandbox", run_sandbox)
    request_.join_resources = fail
    with pytest.raises(RunscError, match="no state"):
        launch_sandbox(request_)
    assert not started.exists()
    assert_reaped(pids)
