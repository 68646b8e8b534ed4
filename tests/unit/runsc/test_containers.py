"""Containers as the host sees them: names, states, records, locks, processes."""

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from itertools import product
from pathlib import Path

import pytest

from runsc_py.runsc.containers.host_process import HostProcess
from runsc_py.runsc.containers.identifiers import check_identifier
from runsc_py.runsc.containers.pid_file import write_pid_file
from runsc_py.runsc.containers.record import ContainerRecord
from runsc_py.runsc.containers.status import (
    STATUSES,
    TRANSITIONS,
    IllegalTransition,
    check_transition,
)
from runsc_py.runsc.containers.store import NoSuchContainer, StateDirectory
from runsc_py.runsc.errors import RunscError

LEGAL = {
    ("creating", "created"),
    ("creating", "stopped"),
    ("created", "running"),
    ("created", "stopped"),
    ("running", "paused"),
    ("running", "stopped"),
    ("paused", "running"),
    ("paused", "stopped"),
}


@pytest.mark.parametrize(("old", "new"), list(product(STATUSES, STATUSES)))
def test_transitions(old: str, new: str) -> None:
    """Eight are legal, seventeen are bugs; a refused one changes nothing."""
    record = ContainerRecord("a", "a")
    record.status = old
    if (old, new) in LEGAL:
        record.become(new)
        assert record.status == new
        return
    with pytest.raises(IllegalTransition, match=f"that is {old} cannot become {new}"):
        record.become(new)
    assert record.status == old


def test_every_status_has_transitions() -> None:
    """The table is whole."""
    assert set(TRANSITIONS) == set(STATUSES)
    with pytest.raises(KeyError):
        check_transition("dreaming", "stopped")


@pytest.mark.parametrize("name", ["a", "A-b_c+d.9", "f" * 64, "...", "-"])
def test_identifiers(name: str) -> None:
    """What engines make up."""
    assert check_identifier(name) == name


@pytest.mark.parametrize(
    "name", ["", ".", "..", "a/b", "../a", "a b", "a\0", "ä", "a:b", "x" * 101]
)
def test_identifiers_that_are_none(name: str) -> None:
    """They would become other files."""
    with pytest.raises(RunscError, match="container id"):
        check_identifier(name)


# -- host processes ------------------------------------------------------------------------------


@pytest.fixture
def sleeper() -> Iterator["subprocess.Popen[bytes]"]:
    """A process that waits to be killed."""
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as process:
        yield process
        process.kill()


def test_a_zombie_is_dead(sleeper: "subprocess.Popen[bytes]") -> None:
    """buildah reaps only after it has deleted."""
    process = HostProcess.find(sleeper.pid)
    assert process is not None and process.is_alive() and not process.wait(0.01)
    assert process.kill(signal.SIGKILL)
    assert process.wait(30)
    assert not process.is_alive() and not process.kill()
    assert HostProcess.find(sleeper.pid) is None


def test_a_process_id_given_out_again() -> None:
    """Another start time is another process."""
    process = HostProcess.find(os.getpid())
    assert process is not None
    assert not HostProcess(os.getpid(), process.start_time + 1).is_alive()
    assert HostProcess.find(0) is None and HostProcess.find(-1) is None


# -- records ---------------------------------------------------------------------------------------


def record(identifier: str, sandbox: str | None = None) -> ContainerRecord:
    """One that runs as long as we do."""
    made = ContainerRecord(identifier, sandbox or identifier)
    made.status = "running"
    made.process = made.sandbox = HostProcess.find(os.getpid())
    made.bundle = "/b"
    made.spec = {"ociVersion": "1.0.2", "annotations": {"a": "b"}}
    return made


def test_records_are_the_same_again() -> None:
    """All of it, processes too."""
    first = record("a", "box")
    second = ContainerRecord.decode(first.encode())
    assert second.encode() == first.encode()
    assert not second.is_root and second.current_status() == "running"
    assert second.oci_state() == {
        "ociVersion": "1.0.2",
        "id": "a",
        "status": "running",
        "pid": os.getpid(),
        "bundle": "/b",
        "annotations": {"a": "b"},
    }


@pytest.mark.parametrize("status", [status for status in STATUSES if status != "stopped"])
def test_what_has_died_is_stopped(status: str) -> None:
    """Whatever was written down; and it has no process."""
    dead = record("a")
    dead.status = status
    dead.process = dead.sandbox = HostProcess(os.getpid(), 1)
    assert dead.current_status() == "stopped"
    assert (dead.oci_state()["status"], dead.oci_state()["pid"]) == ("stopped", 0)


@pytest.mark.parametrize(
    "content",
    [b"", b"{}", b"[]", b"null", b'{"version": 2}', b'{"version": 1, "status": "dreaming"}'],
)
def test_damaged_records(content: bytes) -> None:
    """An error of ours, whatever is in the file."""
    with pytest.raises(RunscError, match="container state is damaged"):
        ContainerRecord.decode(content)


def test_save_load_remove(tmp_path: Path) -> None:
    """One state file; nothing is left in the end."""
    store = StateDirectory(str(tmp_path))
    assert store.identifiers() == []
    with store.locked("a"):
        store.save(record("a"))
        store.save(record("a"))
    assert sorted(os.listdir(tmp_path)) == ["a.lock", "a_sandbox:a.state"]
    assert store.load("a").identifier == "a"
    Path(store.socket_path("a")).touch()
    (tmp_path / "a.new").write_text("of a command that was killed")
    with store.locked("a"):
        store.remove("a")
        store.remove("a")
    assert os.listdir(tmp_path) == []


def test_abbreviations(tmp_path: Path) -> None:
    """Accepted when only one is meant; a whole name always is."""
    store = StateDirectory(str(tmp_path))
    for name in ("abc", "abd", "ab", "x"):
        store.save(record(name, "box"))
    assert store.load("abc").identifier == "abc"
    assert store.load("ab").identifier == "ab"
    with pytest.raises(RunscError, match="'a' is ambiguous: ab, abc, abd"):
        store.load("a")
    for name in ("y", "", "abcd"):
        with pytest.raises(NoSuchContainer, match="does not exist"):
            store.load(name)
    assert [one.identifier for one in store.of_sandbox("x")] == []
    assert {one.identifier for one in store.of_sandbox("box")} == {"ab", "abc", "abd", "x"}


def test_a_directory_of_somebody_else(tmp_path: Path) -> None:
    """Who may write there could have us signal any process."""
    tmp_path.chmod(0o777)
    with pytest.raises(RunscError, match="others may write there"):
        StateDirectory(str(tmp_path)).prepare()
    with pytest.raises(RunscError, match="File exists|Not a directory"):
        StateDirectory("/dev/null").prepare()
    made = tmp_path / "a" / "b"
    StateDirectory(str(made)).prepare()
    assert made.stat().st_mode & 0o777 == 0o700


def test_locks_exclude_each_other(tmp_path: Path) -> None:
    """Also while the lock file is taken away and made again."""
    store = StateDirectory(str(tmp_path))
    inside, most = 0, 0

    def work() -> None:
        nonlocal inside, most
        for _ in range(50):
            with store.locked("a"):
                inside += 1
                most = max(most, inside)
                inside -= 1

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (inside, most) == (0, 1)
    assert os.listdir(tmp_path) == []


def test_a_lock_of_a_killed_command_is_free(tmp_path: Path) -> None:
    """It is the host's, and ends with the process."""
    code = (
        "import sys\n"
        "from runsc_py.runsc.containers.store import StateDirectory\n"
        f"with StateDirectory({str(tmp_path)!r}).locked('a'):\n"
        "    print(flush=True)\n"
        "    sys.stdin.read()\n"
    )
    command = [sys.executable, "-c", code]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        process.stdout.readline()
        process.kill()
        process.wait()
    with StateDirectory(str(tmp_path)).locked("a"):
        assert os.listdir(tmp_path) == ["a.lock"]
    assert os.listdir(tmp_path) == []


def test_pid_files(tmp_path: Path) -> None:
    """Just the number; replaced whole; an error names the file."""
    path = tmp_path / "pid"
    path.write_text("old content")
    write_pid_file(str(path), 123)
    assert path.read_text() == "123" and os.listdir(tmp_path) == ["pid"]
    with pytest.raises(RunscError, match="pid file /nowhere/pid: No such file"):
        write_pid_file("/nowhere/pid", 1)


def test_states_are_json() -> None:
    """As the specification's own schema has them: names and types."""
    state = json.loads(json.dumps(record("a").oci_state()))
    assert {name: type(value) for name, value in state.items()} == {
        "ociVersion": str, "id": str, "status": str, "pid": int, "bundle": str,
        "annotations": dict,
    }  # fmt: skip
