"""Standard input, output and error: shared with the host as if no sandbox were in between."""

import os
import subprocess
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from harness.differential import environment
from harness.processes import descendants, settle
from harness.programs import PYTHON
from harness.sandbox import EXECUTABLE, command


def shell(script: str, directory: Path, **settings: Any) -> "subprocess.CompletedProcess[bytes]":
    """A host's shell script in which $RUN is `runsc-py run`."""
    known = set(descendants())
    done = subprocess.run(
        ["bash", "-c", script],
        cwd=directory,
        env={**environment(), "RUN": f"{EXECUTABLE} run"},
        capture_output=True,
        timeout=60,
        start_new_session=True,
        **settings,
    )
    assert settle(known, 3.0, kill=False) == []
    return done


def lines(*words: str) -> bytes:
    """Lines of output."""
    return "".join(f"{word}\n" for word in words).encode()


def test_appending_appends(tmp_path: Path) -> None:
    """Two programs and two sandboxes take turns in one log file."""
    script = """
        echo first > log
        { echo host; $RUN -- sh -c 'echo inside; echo again'; echo host; } >> log
        $RUN -- sh -c 'echo both; echo error >&2' >> log 2>&1
        cat log"""
    done = shell(script, tmp_path)
    assert done.stdout == lines(*["first", "host", "inside", "again", "host", "both", "error"])


def test_output_offset_is_shared(tmp_path: Path) -> None:
    """Without O_APPEND too: what follows does not overwrite."""
    script = "{ echo one; $RUN -- sh -c 'echo two; seq 3'; echo three; } > out; cat out"
    done = shell(script, tmp_path)
    assert done.stdout == lines("one", "two", "1", "2", "3", "three")


def test_input_offset_is_shared(tmp_path: Path) -> None:
    """The sandbox takes the lines that it reads and leaves the rest, from a file."""
    script = "seq 5 > in; { read a; $RUN -- sh -c 'read b; echo $b'; read c; echo $c; } < in"
    assert shell(script, tmp_path).stdout == lines("2", "3")


def test_input_of_a_pipe_is_left_to_the_next(tmp_path: Path) -> None:
    """Nothing is read ahead."""
    script = "seq 5 | { $RUN -- sh -c 'read a; echo $a'; cat; }"
    assert shell(script, tmp_path).stdout == lines("1", "2", "3", "4", "5")


def test_program_that_does_not_read(tmp_path: Path) -> None:
    """Standard input is open without -i, and what is not read is not lost."""
    script = "echo kept | { $RUN -i -- true; cat; }"
    assert shell(script, tmp_path).stdout == lines("kept")


def test_read_and_write_description(tmp_path: Path) -> None:
    """One description for reading and writing, `<>`."""
    script = (
        "printf 12345 > f; $RUN -- sh -c 'dd bs=1 count=2 status=none; printf x >&0' <> f; cat f"
    )
    assert shell(script, tmp_path).stdout == b"1212x45"


def test_stdout_and_stderr_on_one_pipe_keep_their_order(tmp_path: Path) -> None:
    """They are one description."""
    script = "$RUN -- sh -c 'for i in 1 2 3; do echo o$i; echo e$i >&2; done' 2>&1 | cat"
    assert shell(script, tmp_path).stdout == lines("o1", "e1", "o2", "e2", "o3", "e3")


def test_flags_of_shared_descriptions_stay(tmp_path: Path) -> None:
    """We never set O_NONBLOCK on what is not ours, nor does a guest for others."""
    script = f"""
import os, fcntl, subprocess
reader, writer = os.pipe()
words = {[*map(str, command([PYTHON, "-c", "import os; os.set_blocking(1, False)"]))]!r}
subprocess.run(words, stdout=writer, check=True)
print(bool(fcntl.fcntl(writer, fcntl.F_GETFL) & os.O_NONBLOCK))
"""
    done = subprocess.run([PYTHON, "-c", script], cwd=tmp_path, capture_output=True, timeout=30)
    assert done.stdout == b"False\n"


@pytest.mark.parametrize(
    ("redirections", "closed"),
    [("<&-", [0]), (">&-", [1]), ("2>&-", [2]), ("<&- >&-", [0, 1]), ("<&- >&- 2>&-", [0, 1, 2])],
)
def test_closed_descriptors(redirections: str, closed: Sequence[int], tmp_path: Path) -> None:
    """They are closed inside, and nothing of ours takes their place."""
    script = f"""
        cat > look.py <<'END'
import os, sys
found = []
for fd in range(3):
    try:
        os.fstat(fd)
    except OSError:
        found.append(fd)
with open(sys.argv[1], "w") as file:
    print(found, file=file)
END
        touch found
        $RUN -v $PWD/found:/found:rw -- {PYTHON} -S look.py /found {redirections}
        echo $? >> found"""
    shell(script, tmp_path)
    assert (tmp_path / "found").read_text() == f"{[*closed]}\n0\n"


def test_reports_with_closed_standard_error(tmp_path: Path) -> None:
    """A report that nobody can read changes neither the status nor the program's files."""
    done = shell("$RUN --wall 0.3 -- sleep 9 2>&-; echo $?; $RUN /none 2>&-; echo $?", tmp_path)
    assert done.stdout == lines("124", "127")


def test_broken_pipe(tmp_path: Path) -> None:
    """SIGPIPE ends the program as it would natively."""
    script = "$RUN -- yes | head -n 1; echo ${PIPESTATUS[0]}"
    assert shell(script, tmp_path).stdout == lines("y", "141")


def test_reader_sees_the_end_when_the_program_closes(tmp_path: Path) -> None:
    """Not only when the whole sandbox ends."""
    words = command(["sh", "-c", "echo x; exec >&-; sleep 30"])
    with subprocess.Popen(words, stdout=subprocess.PIPE, cwd=tmp_path) as process:
        assert process.stdout is not None
        started = time.monotonic()
        try:
            assert process.stdout.read() == b"x\n"
            assert time.monotonic() - started < 20
        finally:
            process.kill()


def test_full_pipe_holds_the_program_up(tmp_path: Path) -> None:
    """Output larger than a pipe waits for its reader, other processes go on, nothing is lost."""
    script = "$RUN -- sh -c 'seq 100000 & seq 100000; wait' | (sleep 1; wc -c)"
    size = 2 * sum(len(str(number)) + 1 for number in range(1, 100001))
    assert shell(script, tmp_path).stdout == lines(str(size))


def test_large_input(tmp_path: Path) -> None:
    """From a file and from a pipe."""
    script = """
        head -c 20000000 /dev/urandom > data; sha256sum < data
        $RUN -- sha256sum < data; cat data | $RUN -- sha256sum; $RUN -- cat < data | sha256sum"""
    done = shell(script, tmp_path)
    assert len(set(done.stdout.splitlines())) == 1 and done.stdout.count(b"\n") == 4


def test_other_descriptors_do_not_come_in(tmp_path: Path) -> None:
    """Only 0, 1 and 2 of the caller's are the program's."""
    (tmp_path / "secret").write_text("secret")
    script = "exec 7< secret 9> out; $RUN -- sh -c 'ls /proc/self/fd; cat <&7'"
    done = shell(script, tmp_path)
    assert done.stdout == lines("0", "1", "2", "3")
    assert b"secret" not in done.stderr + done.stdout


def test_devices_name_the_standard_files(tmp_path: Path) -> None:
    """/dev/stdin and /dev/stdout work as natively."""
    script = "echo hello | $RUN -- sh -c 'cat /dev/stdin > /dev/stdout; echo e > /dev/stderr' 2>&1"
    assert shell(script, tmp_path).stdout == lines("hello", "e")


def test_log_file(tmp_path: Path) -> None:
    """--log appends, with times; standard error is the program's alone."""
    script = f"""
        for i in 1 2; do
            $RUN --log log -- {PYTHON} -c 'import ctypes; ctypes.CDLL(None).syscall(425, 0, 0)'
        done
        grep -c io_uring_setup log"""
    done = shell(script, tmp_path)
    assert (done.stdout, done.stderr) == (b"2\n", b"")


def test_strace_to_a_file(tmp_path: Path) -> None:
    """--strace=FILE keeps it apart; the file is emptied first."""
    script = "echo old > trace; $RUN --strace=trace -- echo hi; grep -v old trace | head -1"
    done = shell(script, tmp_path)
    first, second = done.stdout.splitlines()
    assert first == b"hi" and b"execve(" in second and done.stderr == b""
    assert not (tmp_path / "trace").read_text().startswith("old")


def test_strace_to_standard_error(tmp_path: Path) -> None:
    """Without a value the next word is the command."""
    done = shell("$RUN --strace echo hi", tmp_path)
    assert done.stdout == b"hi\n"
    assert b'write(1, "hi\\n", 3)' in done.stderr


def test_strace_to_a_full_device(tmp_path: Path) -> None:
    """The program goes on without it."""
    if not os.path.exists("/dev/full"):
        pytest.skip("there is no /dev/full here")
    done = shell("$RUN --strace=/dev/full -- echo hi", tmp_path)
    assert (done.returncode, done.stdout) == (0, b"hi\n")
    assert b"strace stopped" in done.stderr
