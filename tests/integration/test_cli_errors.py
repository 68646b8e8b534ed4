"""What `runsc-py` says when it cannot do what it is asked: one line, a status, nothing left."""

import os
from pathlib import Path

import pytest

from harness.differential import environment
from harness.processes import Finished, run
from harness.sandbox import EXECUTABLE


def runsc(directory: Path, *words: str, **environment_changes: str) -> Finished:
    """`runsc-py …`, which must leave no process behind."""
    env = environment(environment_changes)
    finished = run([EXECUTABLE, *words], cwd=directory, env=env, timeout=30)
    assert not finished.leaked and not finished.timed_out
    return finished


@pytest.mark.parametrize(
    ("words", "status", "message"),
    [
        (["run"], 125, "no command given; for example: runsc-py run -- ls /"),
        (["run", "--"], 125, "no command given; for example: runsc-py run -- ls /"),
        (["do"], 125, "no command given; for example: runsc-py do -- ls /"),
        (["run", "--wal", "1", "ls"], 125, "unknown option --wal; did you mean --wall?"),
        (["run", "--wall", "soon", "ls"], 125, "--wall 'soon': use seconds, or for example "),
        (["run", "--memory", "much", "ls"], 125, "--memory 'much': use a size, for example 64M"),
        (["run", "-v", "/none:/x", "ls"], 125, "--volume '/none:/x': /none: No such file or "),
        (["run", "--rootfs", "/none", "ls"], 125, "--rootfs /none: No such file or directory"),
        (["run", "--rootfs", "/etc/passwd", "ls"], 125, "--rootfs /etc/passwd: not a directory"),
        (["run", "-w", "/none", "ls"], 125, "--workdir /none: No such file or directory"),
        (["run", "-w", "/etc/passwd", "ls"], 125, "--workdir /etc/passwd: Not a directory"),
        (["run", "-u", "nobody-here", "ls"], 125, "--user nobody-here: no user 'nobody-here' in "),
        (["run", "-u", "0:no-group", "ls"], 125, "--user 0:no-group: no group 'no-group' in "),
        (["run", "--log", "/none/log", "ls"], 125, "--log /none/log: No such file or directory"),
        (["run", "--strace=/none/x", "ls"], 125, "--strace=/none/x: No such file or directory"),
        (["run", "--tmpfs", "/etc/passwd/x", "ls"], 125, "cannot make the mount point /etc/passwd"),
        (["run", "no-such"], 127, "no-such: command not found in the sandbox's PATH"),
        (["run", "./no-such"], 127, "./no-such: No such file or directory"),
        (["run", "./plain"], 126, "./plain: Permission denied"),
        (["run", "./garbage"], 126, "./garbage: Exec format error"),
        (["run", "/etc"], 126, "/etc: Permission denied"),
        (["run", "./orphan"], 127, "./orphan: its interpreter is missing"),
        (["run", "-e", "PATH=.", "orphan"], 127, "./orphan: its interpreter is missing"),
        (["diff", "."], 125, "diff .: no changes.json in it"),
        (["run", "--image", "plain", "ls"], 125, "--image plain: no archive"),
        (["rum"], 125, "unknown command 'rum'; did you mean run?"),
        (["--frob"], 125, "unknown option --frob; see runsc-py --help"),
    ],
)
def test_message(words: list[str], status: int, message: str, tmp_path: Path) -> None:
    """The first words of the one line, and the status."""
    (tmp_path / "plain").write_text("echo\n")
    (tmp_path / "garbage").write_bytes(b"\x7fELF nonsense")
    (tmp_path / "garbage").chmod(0o755)
    (tmp_path / "orphan").write_text("#!/no/interpreter\n")
    (tmp_path / "orphan").chmod(0o755)
    before = sorted(path.name for path in tmp_path.iterdir())
    finished = runsc(tmp_path, *words)
    text = finished.stderr.decode()
    assert text.startswith(f"runsc-py: {message}"), text
    assert text.count("\n") == 1 and "Traceback" not in text
    assert (finished.status, finished.stdout) == (status, b"")
    assert sorted(path.name for path in tmp_path.iterdir()) == before


def test_no_command_shows_help(tmp_path: Path) -> None:
    """On standard error, with a failing status."""
    finished = runsc(tmp_path)
    assert finished.status == 125 and finished.stderr.startswith(b"usage: runsc-py")


@pytest.mark.parametrize("words", [["--help"], ["-h"], ["help"], ["run", "--help"], ["do", "-h"]])
def test_help(words: list[str], tmp_path: Path) -> None:
    """On standard output, in 80 columns, also with a wrong option later."""
    finished = runsc(tmp_path, *words)
    text = finished.stdout.decode()
    assert (finished.status, finished.stderr) == (0, b"")
    assert text.startswith("usage: runsc-py")
    assert max(map(len, text.splitlines())) <= 100


def test_debug_shows_the_log(tmp_path: Path) -> None:
    """--debug tells about calls that are not there."""
    script = "import ctypes; ctypes.CDLL(None).syscall(425, 0, 0)"
    finished = runsc(tmp_path, "run", "--debug", "/usr/bin/python3", "-c", script)
    assert b"unsupported system call io_uring_setup (425)" in finished.stderr


def test_current_directory_is_gone(tmp_path: Path) -> None:
    """Started in a directory that was removed: a clear error, or a way to go on."""
    gone = tmp_path / "gone"
    gone.mkdir()
    script = 'rmdir ../gone; "$0" run pwd; "$0" run -w / pwd'
    finished = run(["sh", "-c", script, EXECUTABLE], cwd=gone)
    assert finished.stderr.decode().count("\n") == 1
    assert b"the current directory is gone; see --workdir" in finished.stderr
    assert finished.stdout == b"/\n"


def test_unreadable_volume(tmp_path: Path) -> None:
    """The host's own permissions hold for the gofer."""
    if os.getuid() == 0:
        pytest.skip("root may read everything")
    (tmp_path / "secret").mkdir(mode=0)
    finished = runsc(tmp_path, "run", "-v", f"{tmp_path}/secret/x:/x", "ls")
    assert finished.status == 125 and b"Permission denied" in finished.stderr
