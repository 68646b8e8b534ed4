"""A program that is started on a terminal has it inside: its name, settings, keys and size."""

import fcntl
import os
import pty
import re
import select
import signal
import struct
import termios
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from harness import sandbox
from harness.differential import environment
from harness.processes import descendants, settle

PROMPT = b"ready> "
SHELL = ["bash", "--norc", "--noediting", "-i"]


class Session:
    """A shell on a new terminal of the host, natively or inside."""

    def __init__(self, command: list[str], directory: Path) -> None:
        self.known = set(descendants())
        self.pid, self.master = pty.fork()
        if self.pid == 0:
            os.chdir(directory)
            os.execvpe(command[0], command, {**environment(), "PS1": PROMPT.decode()})
        self.resize(30, 90)
        self.start = self.until(PROMPT)

    def resize(self, rows: int, columns: int) -> None:
        size = struct.pack("HHHH", rows, columns, 0, 0)
        fcntl.ioctl(self.master, termios.TIOCSWINSZ, size)

    def until(self, end: bytes, timeout: float = 15.0) -> bytes:
        """What is shown until `end` is, which it may be already."""
        seen = b""
        deadline = time.monotonic() + timeout
        while not seen.endswith(end):
            left = deadline - time.monotonic()
            assert left > 0 and select.select([self.master], [], [], left)[0], seen
            try:
                seen += os.read(self.master, 4096)
            except OSError:  # the terminal has been hung up
                break
        return seen

    def type(self, keys: bytes, end: bytes = PROMPT) -> bytes:
        """Type, and return what is shown until `end`."""
        os.write(self.master, keys)
        return self.until(end)

    def close(self) -> int:
        """End it; the exit status of the shell."""
        os.write(self.master, b"\n")
        self.type(b"exit 7\n", b"exit\r\n")
        _, status = os.waitpid(self.pid, 0)
        return os.waitstatus_to_exitcode(status)

    def clean_up(self) -> None:
        os.close(self.master)
        settle(self.known, 3.0, kill=True)


@pytest.fixture(params=["natively", "inside"])
def session(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Session]:
    command = SHELL if request.param == "natively" else sandbox.command(SHELL)
    running = Session([str(word) for word in command], tmp_path)
    yield running
    running.clean_up()


def test_the_terminal_has_a_name(session: Session) -> None:
    assert re.search(rb"\n/dev/pts/\d+\r\n", session.type(b"tty\n"))
    assert b"yes" in session.type(b"echo data > /dev/tty && echo y''es\n")
    assert session.close() == 7


def test_window_size(session: Session) -> None:
    assert b"\n30 90\r\n" in session.type(b"stty size\n")
    session.type(b"trap 'echo CHANGED' WINCH\n")
    os.write(session.master, b"sleep 0.3; stty size\n")
    session.until(b"size\r\n")
    session.resize(40, 100)
    assert b"40 100\r\n" in session.until(PROMPT)
    assert session.close() == 7


def test_interrupt_key(session: Session) -> None:
    os.write(session.master, b"sleep 100\n")
    session.until(b"100\r\n")
    time.sleep(0.2)  # until the shell has made the job the foreground
    assert b"^C" in session.type(b"\x03")
    assert b"\n130\r\n" in session.type(b"echo $?\n")
    assert session.close() == 7


def test_stop_key_and_jobs(session: Session) -> None:
    os.write(session.master, b"sleep 100\n")
    session.until(b"100\r\n")
    time.sleep(0.2)  # until the shell has made the job the foreground
    assert b"Stopped" in session.type(b"\x1a")
    assert b"Stopped" in session.type(b"jobs\n")
    os.write(session.master, b"fg\n")
    session.until(b"sleep 100\r\n")
    time.sleep(0.2)
    session.type(b"\x03")
    assert b"sleep" not in session.type(b"jobs\n").removeprefix(b"jobs\r\n")
    assert session.close() == 7


def test_background_reader_stops(session: Session) -> None:
    session.type(b"cat &\n")
    assert b"Stopped" in session.type(b"sleep 0.2\n") + session.type(b"jobs\n")
    session.type(b"kill -9 $!; sleep 0.3\n")
    assert session.close() == 7


def test_settings_come_back(session: Session, request: pytest.FixtureRequest) -> None:
    before = termios.tcgetattr(session.master)
    session.type(b"stty intr ^B\n")
    assert termios.tcgetattr(session.master) != before
    assert session.close() == 7
    if "inside" in request.node.name:
        assert termios.tcgetattr(session.master) == before


def test_hang_up_ends_it(session: Session) -> None:
    os.kill(session.pid, signal.SIGHUP)
    _, status = os.waitpid(session.pid, 0)
    assert os.waitstatus_to_exitcode(status) in (-signal.SIGHUP, 128 + signal.SIGHUP)
