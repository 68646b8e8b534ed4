"""runc's Container.start, in what of it is ours: the launch of a sandbox and its start gate.

What stands for runc's steps: 3 one first process, 6 no descriptor of the caller, 7 reasons travel,
8 the launch, then the gate that `start` opens, and the hooks around it.
"""

import json
import os
import socket
import subprocess
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from harness.pod import ROOT, SLEEP, Pod
from harness.processes import descendants
from harness.sandbox import EXECUTABLE
from runsc_py.runsc.standard_files import close_others


def hooks(phase: str, script: str) -> dict[str, Any]:
    """One hook, a shell script."""
    return {"hooks": {phase: [{"path": "/bin/sh", "args": ["sh", "-c", script]}]}}


def nothing_is_left(pod: Pod) -> bool:
    """No record, lock or socket."""
    return not pod.runtime.state.exists() or os.listdir(pod.runtime.state) == []


def test_step_3_there_is_one_first_process(empty: Pod) -> None:
    """A second start, a second create of the name."""
    empty.running(ROOT, SLEEP)
    again = empty("start", ROOT)
    assert again.status != 0 and "cannot start an already running container" in again.stderr
    again = empty.create(ROOT, SLEEP)
    assert again.status != 0 and "container with given ID already exists" in again.stderr


def test_step_6_descriptors_of_the_caller_stay_outside(empty: Pod) -> None:
    """A directory of the host that somebody left open is the way out of CVE-2024-21626."""
    bundle = empty.bundle(["sh", "-c", "ls /proc/self/fd > /seen; ls -l /proc/self/fd >> /seen"])
    secret = empty.folder / "secret"
    secret.mkdir()
    descriptor = os.open(secret, os.O_RDONLY)
    high = os.dup2(descriptor, 77, inheritable=True)
    pid_file = empty.folder / "root.pid"
    words = empty.runtime.command("create", "--bundle", bundle, "--pid-file", pid_file, ROOT)
    try:
        null = subprocess.DEVNULL
        subprocess.run(words, pass_fds=[descriptor, high], stdin=null, stdout=null, check=True)
        pid = int(pid_file.read_text())
        sandbox = [*Path(f"/proc/{pid}/task").glob("*/children")]
        children = [int(word) for path in sandbox for word in path.read_text().split()]
        for process in (pid, *children):
            held = [os.readlink(path) for path in Path(f"/proc/{process}/fd").iterdir()]
            assert str(secret) not in held
        assert empty("start", ROOT).status == 0
        assert empty.ended(ROOT) == 0
        seen = (bundle / "rootfs" / "seen").read_text()
        assert seen.split()[:4] == ["0", "1", "2", "3"] and "secret" not in seen
    finally:
        os.close(descriptor)
        os.close(high)


@pytest.mark.parametrize("number", [3, 7, 9])
def test_step_6_a_directory_named_by_a_descriptor(empty: Pod, number: int) -> None:
    """/proc/self/fd is the container's own when the working directory is looked up."""
    started = empty.start(ROOT, SLEEP, {"process": {"cwd": f"/proc/self/fd/{number}"}})
    assert started.status != 0
    assert not empty.runtime.state.exists() or "cwd" not in started.stdout


def test_step_6_descriptors_are_passed_on_when_asked(empty: Pod) -> None:
    """By the number that the container knows it by."""
    bundle = empty.bundle(["sh", "-c", "cat <&5 > /seen"])
    reader, writer = os.pipe()
    os.write(writer, b"through\n")
    os.close(writer)
    pid_file = empty.folder / "root.pid"
    words = ("create", "--bundle", bundle, "--pid-file", pid_file, "--pass-fd", f"{reader}:5", ROOT)
    null = subprocess.DEVNULL
    command = empty.runtime.command(*words)
    try:
        subprocess.run(command, pass_fds=[reader], stdin=null, stdout=null, check=True)
    finally:
        os.close(reader)
    assert empty("start", ROOT).status == 0
    assert empty.ended(ROOT) == 0
    assert (bundle / "rootfs" / "seen").read_text() == "through\n"


def test_step_6_the_environment_of_the_caller_is_forgotten(empty: Pod) -> None:
    """No process that lives as long as a container shows what its starter was started with."""
    secret = "PROXY_PASSWORD"
    empty.runtime.prefix[:0] = ["env", f"{secret}=swordfish"]
    hook = {"path": "/bin/sh", "args": ["sh", "-c", f"echo ${secret} > {empty.folder}/hook"]}
    empty.running(ROOT, SLEEP)
    known = descendants()
    empty.running("a", SLEEP, {"hooks": {"poststart": [hook]}})
    assert empty("exec", "--detach", "a", *SLEEP).status == 0
    assert len(descendants()) > len(known) + 1
    for pid in descendants():
        with suppress(ProcessLookupError):  # a zombie has none
            assert b"swordfish" not in Path(f"/proc/{pid}/environ").read_bytes()
    # What hooks get is not what the process itself inherited.
    assert (empty.folder / "hook").read_text() == "swordfish\n"


def test_step_6_without_proc(tmp_path: Path) -> None:
    """Descriptors are closed by their numbers, not by what some /proc lists."""
    files = [os.open("/dev/null", os.O_RDONLY) for _ in range(5)]
    os.set_inheritable(files[2], True)
    pid = os.fork()
    if pid == 0:
        close_others({files[2]})
        still = [number for number in files if os.path.exists(f"/proc/self/fd/{number}")]
        os._exit(0 if still == [files[2]] and not os.get_inheritable(files[2]) else 1)
    assert os.waitpid(pid, 0)[1] == 0
    for number in files:
        os.close(number)


def test_step_7_the_reason_is_the_last_line_of_the_log(empty: Pod) -> None:
    """As an object that containerd's shim reads."""
    log = empty.folder / "log"
    bundle = empty.bundle(["missing"])
    done = empty("--log", log, "--log-format", "json", "create", "--bundle", bundle, ROOT)
    assert done.status == 127
    entry = json.loads(log.read_text().splitlines()[-1])
    assert entry["level"] == "error" and "executable file not found in $PATH" in entry["msg"]
    assert nothing_is_left(empty)


@pytest.mark.parametrize(
    ("changes", "status", "reason"),
    [
        ({"process": {"args": ["/missing"]}}, 127, "no such file or directory"),
        ({"process": {"args": ["/etc"]}}, 126, "permission denied"),
        ({"process": {"args": ["/etc/passwd"]}}, 126, "permission denied"),
        ({"root": {"path": "missing"}}, 125, "missing"),
        (
            {"mounts+": [{"destination": "/m", "source": "/nowhere", "options": ["bind"]}]},
            125,
            "/n",
        ),
    ],
)
def test_step_8_what_fails_at_create_leaves_nothing(
    empty: Pod, changes: dict[str, Any], status: int, reason: str
) -> None:
    """The program is looked for at once, so that an engine hears of it before it starts."""
    arguments = changes.get("process", {}).pop("args", SLEEP)
    created = empty.create(ROOT, arguments, changes)
    assert (created.status, reason in created.stderr) == (status, True), created
    assert nothing_is_left(empty)


def test_the_record_is_written_before_anything_runs(empty: Pod) -> None:
    """A hook sees the container with its process while it is being created."""
    seen = empty.folder / "seen"
    command = f"{EXECUTABLE} --root {empty.runtime.state} state {ROOT} > {seen}"
    assert empty.create(ROOT, SLEEP, hooks("createRuntime", command)).status == 0
    state = json.loads(seen.read_text())
    assert (state["id"], state["status"]) == (ROOT, "creating")
    assert state["pid"] == int((empty.folder / "root.pid").read_text())


def test_the_gate_holds_until_start(empty: Pod) -> None:
    """Not one instruction of the program before."""
    bundle = empty.bundle(["sh", "-c", "echo ran > /ran"])
    pid_file = empty.folder / "root.pid"
    assert empty("create", "--bundle", bundle, "--pid-file", pid_file, ROOT).status == 0
    with empty.client() as client:
        assert client.processes("") == []
    assert not (bundle / "rootfs" / "ran").exists()
    assert empty("start", ROOT).status == 0
    assert empty.ended(ROOT) == 0
    assert (bundle / "rootfs" / "ran").read_text() == "ran\n"


def test_a_sandbox_that_died_before_its_start(empty: Pod) -> None:
    """`start` says what is the matter, and `delete` clears."""
    assert empty.create(ROOT, SLEEP).status == 0
    os.kill(int((empty.folder / "root.pid").read_text()), 9)
    assert empty.ended(ROOT) == -9
    started = empty("start", ROOT)
    assert started.status != 0 and "cannot start a container that has stopped" in started.stderr
    assert empty("delete", ROOT).status == 0


def test_a_failing_poststart_hook_ends_the_container(empty: Pod) -> None:
    """It is run when the program runs; its failure is that of `start`."""
    started = empty.start(ROOT, SLEEP, hooks("poststart", "echo broken; exit 6"))
    assert started.status != 0
    assert "error running poststart hook #0: /bin/sh: exit status 6" in started.stderr
    assert "broken" in started.stderr
    assert empty.ended(ROOT) == -9
    assert empty("delete", ROOT).status == 0


def test_hooks_of_create_see_each_other_in_order(empty: Pod) -> None:
    """prestart, createRuntime, createContainer; a failing one leaves the later ones out."""
    seen = empty.folder / "seen"
    changes: dict[str, Any] = {"hooks": {}}
    for phase, status in (("createContainer", 0), ("createRuntime", 3), ("prestart", 0)):
        changes["hooks"] |= hooks(phase, f"echo {phase} >> {seen}; exit {status}")["hooks"]
    created = empty.create(ROOT, SLEEP, changes)
    assert created.status != 0 and "createRuntime hook #0" in created.stderr
    assert seen.read_text().split() == ["prestart", "createRuntime"]
    assert nothing_is_left(empty)


def test_a_pid_file_that_cannot_be_written(empty: Pod) -> None:
    """Then there is no container."""
    bundle = empty.bundle(SLEEP)
    missing = empty.folder / "missing" / "pid"
    created = empty("create", "--bundle", bundle, "--pid-file", missing, ROOT)
    assert created.status != 0 and "No such file or directory" in created.stderr
    assert nothing_is_left(empty)


def test_a_pid_file_is_replaced_whole(empty: Pod) -> None:
    """Whatever was there before, and a link is not followed."""
    victim = empty.folder / "victim"
    victim.write_text("kept")
    (empty.folder / "root.pid").symlink_to(victim)
    assert empty.create(ROOT, SLEEP).status == 0
    assert victim.read_text() == "kept"
    assert not (empty.folder / "root.pid").is_symlink()
    assert int((empty.folder / "root.pid").read_text()) > 1


@pytest.mark.parametrize("terminal", [True, False])
@pytest.mark.parametrize("detached", [True, False])
@pytest.mark.parametrize("given", [True, False])
def test_consoles(empty: Pod, terminal: bool, detached: bool, given: bool) -> None:
    """A console socket is needed for a terminal that nobody attends, and forbidden otherwise."""
    bundle = empty.bundle(["true"], {"process": {"terminal": terminal}})
    path = empty.folder / "console"
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(path))
        listener.listen()
        words: list[str | Path] = ["run", "--bundle", bundle]
        words += ["--detach", "--pid-file", empty.folder / "root.pid"] if detached else []
        words += ["--console-socket", path] if given else []
        done = empty(*words, ROOT)
    allowed = given == (terminal and detached)
    if not allowed:
        assert done.status != 0 and "console socket" in done.stderr
        assert nothing_is_left(empty)
    elif terminal == detached:
        assert done.status == 0, done
    elif terminal:  # the terminal would be our standard input, which is none
        assert done.status != 0 and "terminal" in done.stderr


@pytest.mark.parametrize("name", ["a", "A.b-c_d+9", "x" * 100])
def test_names(empty: Pod, name: str) -> None:
    """Letters, digits, and what runc allows beside them."""
    bundle = empty.bundle(SLEEP)
    assert empty("create", "--bundle", bundle, name).status == 0
    assert empty("delete", name).status == 0


@pytest.mark.parametrize(
    "name", ["", ".", "..", "a/b", "../a", "a b", "ä", "a\n", "a:b", "*", "x" * 101]
)
def test_names_that_are_none(empty: Pod, name: str) -> None:
    """They would be names of files elsewhere."""
    bundle = empty.bundle(SLEEP)
    created = empty("create", "--bundle", bundle, name)
    assert created.status != 0 and created.stderr
    assert nothing_is_left(empty)
