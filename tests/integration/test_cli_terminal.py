"""`runsc-py run` on a terminal: the program's modes, size, keys and job control."""

import signal
import termios
from pathlib import Path

import pytest

from harness.live import OnTerminal
from harness.programs import PYTHON
from harness.sandbox import command

LOCAL = 3
"""Index of c_lflag in what termios.tcgetattr returns."""
SHELL = ["bash", "--norc", "--noprofile", "-i"]
PROMPT = ["-e", "PS1=prompt> "]
INTERRUPT, QUIT, SUSPEND, END = b"\x03", b"\x1c", b"\x1a", b"\x04"


def test_terminal_is_one(tmp_path: Path) -> None:
    """It has a name, is the controlling terminal, and can be read and written."""
    script = "tty; test -t 0 && test -t 1 && test -t 2; echo $?; echo via > /dev/tty; ps -o tty= $$"
    with OnTerminal(command(["sh", "-c", script], ["-it"]), tmp_path) as live:
        status, output = live.finish()
        assert status == 0
        assert output.split() == [b"/dev/pts/0", b"0", b"via", b"pts/0"]


def test_window_size(tmp_path: Path) -> None:
    """The size is the host's, and the program hears of a change."""
    script = """
import os, signal, time
changes = []
signal.signal(signal.SIGWINCH, lambda number, frame: changes.append(number))
size = os.get_terminal_size(0)
print("at first", size.lines, size.columns, flush=True)
while not changes:
    time.sleep(0.05)
size = os.get_terminal_size(0)
print("changed to", size.lines, size.columns, flush=True)
"""
    with OnTerminal(command([PYTHON, "-c", script]), tmp_path) as live:
        live.expect(b"at first 24 80\r\n")
        live.resize(50, 132)
        live.expect(b"changed to 50 132\r\n")
        assert live.finish()[0] == 0


def test_interrupt_key(tmp_path: Path) -> None:
    """^C ends the program, as a signal."""
    with OnTerminal(command(["sh", "-c", "echo ready; exec sleep 60"]), tmp_path) as live:
        live.expect(b"ready")
        live.send(INTERRUPT)
        assert live.finish()[0] == 128 + signal.SIGINT


def test_interrupt_key_reaches_the_foreground_group_only(tmp_path: Path) -> None:
    """A shell with job control goes on, its foreground job ends."""
    with OnTerminal(command(SHELL, PROMPT), tmp_path) as live:
        live.expect(b"prompt> ")
        # The job itself says so: before, bash would take the key, and lose it at times.
        live.send(b"sh -c 'echo rea\"\"dy; exec sleep 60'; echo status $?\n")
        live.expect(b"ready\r\n")
        live.send(INTERRUPT)
        live.expect(b"prompt> ")
        live.send(b"echo still he''re\n")
        live.expect(b"still here\r\n")
        live.send(b"exit 4\n")
        assert live.finish()[0] == 4


def test_job_control_inside(tmp_path: Path) -> None:
    """^Z stops the job of a shell inside, which lists and continues it."""
    with OnTerminal(command(SHELL, PROMPT), tmp_path) as live:
        live.expect(b"prompt> ")
        live.send(b"sh -c 'echo rea\"\"dy; exec cat'\n")
        live.expect(b"ready\r\n")
        live.send(b"one\n")
        live.expect(b"one\r\none\r\n")
        live.send(SUSPEND)
        live.expect(b"Stopped")
        live.send(b"jobs\n")
        live.expect(b"Stopped")
        live.send(b"fg\n")
        live.expect(b"\rsh -c ")
        live.expect(b"cat'\r\n")
        live.send(b"two\n")
        live.expect(b"two\r\ntwo\r\n")
        live.send(END)
        live.expect(b"prompt> ")
        live.send(b"exit\n")
        assert live.finish()[0] == 0


def test_job_control_outside(tmp_path: Path) -> None:
    """^Z stops the whole run in the host's shell, which gets a sane terminal; fg continues."""
    script = """
import sys, termios, tty
settings = termios.tcgetattr(0)
settings[3] &= ~termios.ECHO
termios.tcsetattr(0, termios.TCSANOW, settings)
print("ready", flush=True)
for line in sys.stdin:
    print("read", line.strip(), "echo", bool(termios.tcgetattr(0)[3] & termios.ECHO), flush=True)
"""
    (tmp_path / "program.py").write_text(script)
    words = " ".join(map(str, command([PYTHON, "program.py"])))
    with OnTerminal(SHELL, tmp_path) as live:
        live.send(f"{words}\n".encode())
        live.expect(b"ready\r\n")
        assert not live.settings()[LOCAL] & termios.ECHO
        live.send(SUSPEND)
        live.expect(b"Stopped")
        live.send(b"stty -a | grep -o ' echo '; echo host''shell\n")
        live.expect(b" echo \r\n")
        live.expect(b"hostshell\r\n")
        live.send(b"fg\n")
        live.expect(b"program.py\r\n")
        live.send(b"hello\n")
        live.expect(b"read hello echo False\r\n")
        live.send(END)
        live.send(b"exit $?\n")
        assert live.finish()[0] == 0


def test_program_that_stops_itself(tmp_path: Path) -> None:
    """Editors take ^Z as a key and stop themselves: the run stops with them."""
    script = "echo ready; kill -TSTP 0; echo con''tinued; sleep 0.1; exit 3"
    words = " ".join(map(str, command(["sh", "-c"])))
    with OnTerminal(SHELL, tmp_path) as live:
        live.send(f"{words} '{script}'\n".encode())
        live.expect(b"ready\r\n")
        live.expect(b"Stopped")
        live.send(b"fg; echo status $?\n")
        live.expect(b"continued\r\n")
        live.expect(b"status 3\r\n")
        live.send(b"exit\n")
        assert live.finish()[0] == 0


RAW = """
import os, sys, tty
tty.setraw(0)
os.write(1, b"raw\\r\\n")
key = os.read(0, 1)
os.write(1, b"key %d\\r\\n" % key[0])
{}
"""


@pytest.mark.parametrize(
    ("end", "status"),
    [
        ("sys.exit(5)", 5),
        ("os.kill(os.getpid(), 9)", 137),
        ("os.kill(os.getpid(), 11)", 139),
        ("import time; time.sleep(60)", 124),
    ],
    ids=["exit", "kill", "crash", "limit"],
)
def test_modes_are_restored(end: str, status: int, tmp_path: Path) -> None:
    """However the program ends, the terminal is as it was; keys in raw mode are input."""
    words = command([PYTHON, "-c", RAW.format(end)], ["--wall", "4"])
    with OnTerminal(words, tmp_path) as live:
        before = live.settings()
        live.expect(b"raw\r\n")
        assert live.settings() != before
        live.send(INTERRUPT)
        live.expect(b"key 3\r\n")
        assert live.finish()[0] == status
        assert live.settings() == before


def test_terminate_restores_the_modes(tmp_path: Path) -> None:
    """SIGTERM to us, while the program has the terminal in raw mode."""
    words = command([PYTHON, "-c", RAW.format("")])
    with OnTerminal(words, tmp_path) as live:
        before = live.settings()
        live.expect(b"raw\r\n")
        live.signal(signal.SIGTERM)
        assert live.finish()[0] == 128 + signal.SIGTERM
        assert live.settings() == before


def test_hang_up(tmp_path: Path) -> None:
    """The terminal goes away: the program hears SIGHUP and nothing stays."""
    import os

    with OnTerminal(command(["sh", "-c", "echo ready; exec sleep 60"]), tmp_path) as live:
        live.expect(b"ready")
        os.close(live.master)
        os.close(live.slave)
        assert live.wait() in (128 + signal.SIGHUP, -signal.SIGHUP)
        live.master, live.slave = os.open("/dev/null", os.O_RDONLY), os.dup(1)


def test_tty_option_insists(tmp_path: Path) -> None:
    """-t without a terminal is refused in one line."""
    from harness.processes import run

    finished = run(command(["true"], ["-t"]), cwd=tmp_path)
    assert finished.status == 125
    assert finished.stderr == b"runsc-py: --tty: standard input is not a terminal; leave -t out\n"


def test_only_input_is_a_terminal(tmp_path: Path) -> None:
    """`runsc-py run … > file` on a terminal."""
    with open(tmp_path / "out", "wb") as out:
        script = "test -t 0; echo $?; test -t 1; echo $?; read line; echo $line"
        words = command(["sh", "-c", script])
        with OnTerminal(words, tmp_path, stdout=out) as live:
            live.send(b"typed\n")
            assert live.finish()[0] == 0
    assert (tmp_path / "out").read_bytes() == b"0\n1\ntyped\n"
