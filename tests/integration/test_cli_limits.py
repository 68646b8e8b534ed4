"""Limits of `runsc-py run`, and the record that tells which one ended the program."""

import json
import os
import shlex
from pathlib import Path
from typing import Any

import pytest

from harness.differential import Inside
from harness.outcome import Outcome
from harness.processes import run
from harness.programs import PYTHON
from harness.sandbox import command


@pytest.fixture
def record(tmp_path: Path) -> Path:
    """Where --result writes."""
    return tmp_path / "result.json"


def read(record: Path) -> dict[str, Any]:
    """The document, which is one line."""
    text = record.read_text()
    assert text.endswith("\n") and text.count("\n") == 1
    document: dict[str, Any] = json.loads(text)
    return document


def allocate(megabytes: int, chunk: int = 1) -> list[str]:
    """A program that touches memory, a chunk at a time."""
    script = (
        f"kept = [bytearray({chunk} << 20) for _ in range({megabytes // chunk})]; print('done')"
    )
    return [PYTHON, "-I", "-S", "-c", script]


# -- time --------------------------------------------------------------------------------------


@pytest.mark.parametrize("option", ["--wall", "--timeout"])
@pytest.mark.parametrize("program", ["sleep 30", "while :; do :; done", "sleep 30 & wait"])
def test_wall(option: str, program: str, record: Path, inside: Inside) -> None:
    """Whatever the program does, the whole tree ends, with status 124."""
    options = [option, "400ms", "--result", str(record)]
    done = inside(["sh", "-c", program], options=options, timeout=15)
    assert done.status == 124
    assert done.stderr == b"runsc-py: wall-clock limit of 0.4 s reached\n"
    result = read(record)
    assert (result["reason"], result["exit_code"], result["signal"]) == ("wall", None, 9)
    assert 400 <= result["wall_ms"] < 5000


def test_wall_is_not_escaped_by_stopping(inside: Inside) -> None:
    """A program that stops itself, or ignores every signal, ends all the same."""
    script = "trap '' TERM INT HUP TSTP; kill -STOP $$; sleep 30"
    assert inside(["sh", "-c", script], options=["--wall", "0.5"], timeout=15).status == 124


@pytest.mark.parametrize(
    "program",
    [
        "while :; do :; done",
        "while :; do :; done & while :; do :; done & wait",
        # Processes that nobody waits for, each of them short.
        "(while :; do (for i in 1 2 3 4 5 6 7 8 9; do :; done) & done) & wait",
    ],
    ids=["one", "two", "many"],
)
def test_cpu(program: str, record: Path, inside: Inside) -> None:
    """Processor time of all processes together, ended ones too."""
    options = ["--cpu", "0.5", "--wall", "60", "--result", str(record)]
    done = inside(["sh", "-c", program], options=options, timeout=90)
    result = read(record)
    assert (done.status, result["reason"]) == (124, "cpu")
    assert b"processor time limit of 0.5 s reached" in done.stderr
    assert 500 <= result["cpu_user_ms"] + result["cpu_system_ms"] < 1500


def test_sleeping_costs_no_processor_time(inside: Inside) -> None:
    """--cpu does not count waiting."""
    assert inside(["sleep", "1"], options=["--cpu", "0.5"]).status == 0


# -- memory ------------------------------------------------------------------------------------


@pytest.mark.parametrize("chunk", [1, 400])
def test_memory_of_a_process(chunk: int, record: Path, inside: Inside) -> None:
    """Touched at once or bit by bit: the record says memory, and what the peak was."""
    options = ["--memory", "100M", "--result", str(record)]
    done = inside(allocate(400, chunk), options=options)
    result = read(record)
    assert (done.status, done.stdout, result["reason"]) == (137, b"", "memory")
    assert result["message"] == "memory limit of 100 MiB reached"
    assert (100 << 20) < result["memory_peak_bytes"] < (400 << 20)


def test_memory_below_the_limit(record: Path, inside: Inside) -> None:
    """Reserved but untouched memory, and the host's cached files, do not count."""
    script = """
import mmap
reserved = mmap.mmap(-1, 4 << 30)
kept = bytearray(40 << 20)
for name in ("/usr/bin/python3", "/lib/x86_64-linux-gnu/libc.so.6"):
    with open(name, "rb") as file:
        file.read()
print("done")
"""
    options = ["--memory", "100M", "--result", str(record)]
    done = inside([PYTHON, "-c", script], options=options)
    assert (done.status, done.text) == (0, "done\n")
    assert read(record)["memory_peak_bytes"] < 100 << 20


def test_memory_shared_by_a_fork_counts_once(inside: Inside) -> None:
    """Copy-on-write pages are not counted for each process."""
    script = """
import os, time
kept = bytearray(60 << 20)
children = []
for _ in range(4):
    pid = os.fork()
    if pid == 0:
        time.sleep(0.5)
        os._exit(0)
    children.append(pid)
for pid in children:
    os.waitpid(pid, 0)
print("done")
"""
    done = inside([PYTHON, "-I", "-S", "-c", script], options=["--memory", "110M"])
    assert (done.status, done.text) == (0, "done\n")


@pytest.mark.parametrize(
    "program",
    [
        "for i in 1 2 3 4; do head -c 40M /dev/zero > /dev/shm/$i; done; echo survived",
        "head -c 45M /dev/zero > /a; head -c 45M /dev/zero > /dev/shm/b;"
        " mkdir /m; mount -t tmpfs tmpfs /m; head -c 45M /dev/zero > /m/c; echo survived",
    ],
    ids=["one", "several"],
)
def test_memory_files_count(program: str, record: Path, inside: Inside) -> None:
    """What is written to memory file systems: one is full first, several end the program."""
    options = ["--memory", "100M", "--result", str(record)]
    done = inside(["sh", "-c", program], options=options)
    result = read(record)
    if "mount" in program:
        assert (done.status, result["reason"], done.text) == (137, "memory", "")
    else:
        assert (done.status, result["reason"], done.text) == (0, "exited", "survived\n")
        assert b"No space left on device" in done.stderr


def test_memfds_count(inside: Inside) -> None:
    """Also those that nobody maps."""
    script = """
import os
kept = []
for number in range(400):
    kept.append(os.memfd_create("x"))
    os.write(kept[-1], bytes(1 << 20))
print("survived")
"""
    done = inside([PYTHON, "-I", "-S", "-c", script], options=["--memory", "100M"])
    assert (done.status, done.stdout) == (137, b"")


def test_programs_see_their_memory(inside: Inside) -> None:
    """Runtimes size themselves by it."""
    script = "free -b | awk '/Mem/ { print $2 }'; cat /sys/fs/cgroup/memory.max"
    done = inside(["sh", "-c", script], options=["--memory", "128M"])
    assert done.text.split() == [str(128 << 20)] * 2


# -- processes and files -----------------------------------------------------------------------


def test_pids(record: Path, inside: Inside) -> None:
    """fork(2) fails with EAGAIN; the record tells that it did."""
    script = """
import os, signal
children, error = [], None
while error is None:
    try:
        pid = os.fork()
    except OSError as problem:
        error = problem
        break
    if pid == 0:
        signal.pause()
    children.append(pid)
print(len(children), error.strerror)
for pid in children:
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)
os.waitpid(os.posix_spawn("/bin/true", ["true"], {}), 0)
"""
    options = ["--pids", "8", "--result", str(record)]
    done = inside([PYTHON, "-I", "-S", "-c", script], options=options)
    assert (done.status, done.text) == (0, "7 Resource temporarily unavailable\n")
    assert done.stderr.count(b"limit of 8 pids reached") == 1
    result = read(record)
    assert result["limits_reached"] == {"pids": 1}
    assert (result["reason"], result["processes_peak"]) == ("exited", 8)


def test_pids_counts_threads(inside: Inside) -> None:
    """As the pids controller of cgroups does."""
    script = """
import threading
stop = threading.Event()
count = 0
try:
    for _ in range(20):
        threading.Thread(target=stop.wait).start()
        count += 1
except RuntimeError:
    pass
print(count)
stop.set()
"""
    done = inside([PYTHON, "-I", "-S", "-c", script], options=["--pids", "5"])
    assert done.text == "4\n"


def test_fork_bomb(inside: Inside) -> None:
    """It neither outlives its time nor leaves anything behind."""
    # The first shell itself needs no fork, which would fail like the others'.
    bomb = "f() { f | f & }; f & while :; do :; done"
    options = ["--pids", "40", "--wall", "2"]
    done = inside(["sh", "-c", bomb], options=options, timeout=60)
    assert done.status == 124


def test_files(inside: Inside) -> None:
    """RLIMIT_NOFILE, soft and hard, which root cannot raise either."""
    script = """
import os, resource
print(resource.getrlimit(resource.RLIMIT_NOFILE))
opened = []
try:
    while True:
        opened.append(os.open("/dev/null", os.O_RDONLY))
except OSError as error:
    print(opened[-1], error.strerror)
try:
    resource.setrlimit(resource.RLIMIT_NOFILE, (100, 100))
except (OSError, ValueError):
    print("refused")
"""
    done = inside([PYTHON, "-I", "-S", "-c", script], options=["--files", "16"])
    assert done.text == "(16, 16)\n15 Too many open files\nrefused\n"


def test_the_callers_soft_limit_is_not_the_sandboxs(tmp_path: Path) -> None:
    """Our own limit is raised as far as the host allows; the program has its own."""
    script = """
import os
opened = [os.open("/etc/passwd", os.O_RDONLY) for _ in range(600)]
pipes = [os.pipe() for _ in range(150)]
print(os.read(opened[-1], 4))
"""
    words = " ".join(map(shlex.quote, map(str, command([PYTHON, "-I", "-S", "-c", script]))))
    finished = run(["bash", "-c", f"ulimit -Sn 256; {words}"], cwd=tmp_path)
    assert (finished.status, finished.stdout) == (0, b"b'root'\n"), finished.stderr


# -- the record --------------------------------------------------------------------------------


def test_record_of_an_exit(record: Path, inside: Inside) -> None:
    """Every member that the documentation names is there."""
    options = ["--result", str(record)]
    done = inside(["sh", "-c", "exit 3"], options=options)
    result = read(record)
    assert done.status == result["exit_status"] == result["exit_code"] == 3
    expected = {"version": 1, "reason": "exited", "signal": None, "message": ""}
    assert expected.items() <= result.items()
    assert result["processes_peak"] == 1
    assert result["limits_reached"] == {}
    for name in ("wall_ms", "cpu_user_ms", "cpu_system_ms", "memory_peak_bytes"):
        assert isinstance(result[name], int), name
    assert isinstance(result["unsupported"], dict)


@pytest.mark.parametrize("name", ["KILL", "TERM", "SEGV", "USR1"])
def test_record_of_a_signal(name: str, record: Path, inside: Inside) -> None:
    """Not guessed from the status."""
    import signal

    number = getattr(signal, f"SIG{name}")
    done = inside(["sh", "-c", f"kill -{name} $$"], options=["--result", str(record)])
    result = read(record)
    assert done.status == result["exit_status"] == 128 + number
    assert (result["reason"], result["signal"], result["exit_code"]) == ("signal", number, None)


def test_status_above_128_is_no_signal(record: Path, inside: Inside) -> None:
    """The number is a lossy channel; the record is not."""
    done = inside(["sh", "-c", "exit 137"], options=["--result", str(record)])
    assert done.status == 137
    assert (read(record)["reason"], read(record)["exit_code"]) == ("exited", 137)


def test_record_names_unsupported_calls(record: Path, inside: Inside) -> None:
    """What the program tried and the sentry does not have."""
    script = "import ctypes; [ctypes.CDLL(None).syscall(425, 0, 0) for _ in range(3)]"
    inside([PYTHON, "-c", script], options=["--result", str(record)])
    assert read(record)["unsupported"]["io_uring_setup"] == 3


def test_record_of_our_own_failure(record: Path, inside: Inside) -> None:
    """A run that did not come about has a record, too."""
    done = inside(["no-such-program"], options=["--result", str(record)])
    result = read(record)
    assert done.status == result["exit_status"] == 127
    assert (result["reason"], result["exit_code"]) == ("internal", None)
    assert "no-such-program" in result["message"]


def test_record_to_a_descriptor(tmp_path: Path) -> None:
    """`fd:N` for programs that start us; `-` for standard output."""
    reader, writer = os.pipe()
    os.set_inheritable(writer, True)
    import subprocess

    words = command(["true"], ["--result", f"fd:{writer}"])
    subprocess.run(words, check=True, pass_fds=[writer], timeout=30)
    os.close(writer)
    with open(reader, "rb") as file:
        assert json.loads(file.read())["reason"] == "exited"
    finished = run(command(["echo", "hi"], ["--result", "-"]), cwd=tmp_path)
    first, second = finished.stdout.splitlines()
    assert (first, json.loads(second)["reason"]) == (b"hi", "exited")


def test_record_replaces_a_file_whole(record: Path, inside: Inside) -> None:
    """By renaming: nobody reads half of one, and no temporary file stays."""
    record.write_text("x" * 10000)
    before = record.stat().st_ino
    inside(["true"], options=["--result", str(record)])
    assert read(record)["reason"] == "exited"
    assert record.stat().st_ino != before
    assert [path.name for path in record.parent.iterdir() if path.name != "work"] == [record.name]


def test_record_to_a_device(inside: Inside) -> None:
    """/dev/null is not replaced by a file."""
    assert inside(["true"], options=["--result", "/dev/null"]).status == 0
    assert not Path("/dev/null").is_file()


def check_refused(done: Outcome, text: str) -> None:
    """The program did not run."""
    assert (done.status, done.stdout) == (125, b"")
    assert done.stderr.decode().startswith("runsc-py: --result") and text in done.stderr.decode()


def test_record_that_cannot_be_written(tmp_path: Path, inside: Inside) -> None:
    """Said before the program runs, not after an hour."""
    missing = tmp_path / "missing" / "file"
    check_refused(inside(["echo"], options=["--result", str(missing)]), "no directory")
    check_refused(inside(["echo"], options=["--result", "fd:77"]), "no descriptor 77")
    check_refused(inside(["echo"], options=["--result", "fd:x"]), "fd:N")
