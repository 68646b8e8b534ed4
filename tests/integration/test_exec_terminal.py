"""Keys and windows of terminals that are not the root container's: of `exec`, of a pod's others.

The host has a terminal for each; somebody has to hear of its keys and tell those inside.
"""

import fcntl
import json
import os
import pty
import select
import signal
import socket
import struct
import termios
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from harness.containers import Engine
from harness.sandbox import EXECUTABLE

LIMIT = 60.0
PROMPT = b"ready> "
SHELL = ["/bin/busybox", "sh"]
WAITING = ["/bin/busybox", "tail", "-f", "/dev/null"]


class Screen:
    """The other end of a terminal."""

    def __init__(self, master: int) -> None:
        self.master = master
        self.seen = b""

    def until(self, mark: bytes) -> bytes:
        """Read up to a mark."""
        deadline = time.monotonic() + LIMIT
        while mark not in self.seen:
            ready, _, _ = select.select([self.master], [], [], max(deadline - time.monotonic(), 0))
            assert ready, f"no {mark!r} in {self.seen!r}"
            self.seen += os.read(self.master, 4096)
        before, _, self.seen = self.seen.partition(mark)
        return before

    def type(self, text: bytes) -> None:
        """Press keys."""
        os.write(self.master, text)

    def resize(self, rows: int, columns: int) -> None:
        """Pull at the window."""
        fcntl.ioctl(self.master, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))


def start_sleep(engine: Engine, identifier: str, screen: Screen, seconds: bytes) -> None:
    """It is in the foreground before it is itself."""
    screen.type(b"sleep " + seconds + b"\n")
    screen.until(b"sleep " + seconds)
    deadline = time.monotonic() + LIMIT
    while "sleep" not in engine("ps", identifier).stdout.split():
        assert time.monotonic() < deadline


def check_a_shell(engine: Engine, identifier: str, screen: Screen) -> None:
    """Interrupted, stopped, resized: what is in the foreground hears of it, the shell goes on."""
    screen.until(PROMPT)
    start_sleep(engine, identifier, screen, b"1000")
    screen.type(b"\x03")
    screen.until(PROMPT)
    screen.type(b"echo status $?\n")
    screen.until(b"status 130")
    screen.until(PROMPT)
    start_sleep(engine, identifier, screen, b"1001")
    screen.type(b"\x1a")
    screen.until(b"Stopped")
    screen.until(PROMPT)
    screen.type(b"kill -KILL %1\n")
    screen.until(PROMPT)
    screen.type(
        b"sh -c \"trap 'stty size; exit' WINCH; echo wait''ing; while :; do sleep 0.1; done\"\n"
    )
    screen.until(b"waiting")
    screen.resize(30, 100)
    screen.until(b"30 100")
    screen.until(PROMPT)
    screen.type(b"exit 4\n")


def receive(path: Path) -> Iterator[socket.socket]:
    """Somebody who takes a terminal."""
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(path))
        listener.listen()
        yield listener


@pytest.fixture
def console(engine: Engine) -> Iterator[socket.socket]:
    """A console socket."""
    yield from receive(engine.folder / "console")


def taken(console: socket.socket) -> Screen:
    """The terminal that was sent."""
    console.settimeout(LIMIT)
    connection, _ = console.accept()
    with connection:
        _, descriptors, _, _ = socket.recv_fds(connection, 100, 1)
    return Screen(descriptors[0])


def with_terminal(document: Any) -> None:
    """Of a bundle."""
    document["process"]["terminal"] = True
    document["process"]["env"].append(f"PS1={PROMPT.decode()}")


def status_of(pid: int) -> int:
    """When it has ended."""
    deadline = time.monotonic() + LIMIT
    while time.monotonic() < deadline:
        ended, status = os.waitpid(pid, os.WNOHANG)
        if ended:
            return os.waitstatus_to_exitcode(status)
        time.sleep(0.02)
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)
    raise AssertionError("it does not end")


def test_exec_that_is_detached(engine: Engine, console: socket.socket) -> None:
    """As engines do it: podman exec -it, docker exec -it."""
    engine.create("a", *WAITING)
    assert engine("start", "a").returncode == 0
    words = ["exec", "--detach", "--tty", "--env", f"PS1={PROMPT.decode()}"]
    words += ["--console-socket", str(engine.folder / "console"), "a", *SHELL]
    screens: list[Screen] = []
    thread = threading.Thread(target=lambda: screens.append(taken(console)))
    thread.start()
    done = engine(*words)
    thread.join()
    assert done.returncode == 0, done.stderr
    check_a_shell(engine, "a", screens[0])
    os.close(screens[0].master)


def test_a_container_that_comes_to_a_sandbox(engine: Engine, console: socket.socket) -> None:
    """Its terminal is another one than the root container's."""
    engine.create("a", *WAITING)
    assert engine("start", "a").returncode == 0

    def change(document: Any) -> None:
        with_terminal(document)
        document["annotations"] = {
            "io.kubernetes.cri.container-type": "container",
            "io.kubernetes.cri.sandbox-id": "a",
        }

    bundle = engine.bundle(*SHELL, change=change)
    screens: list[Screen] = []
    thread = threading.Thread(target=lambda: screens.append(taken(console)))
    thread.start()
    words = ["--bundle", bundle, "--console-socket", engine.folder / "console", "b"]
    done = engine("create", *words)
    thread.join()
    assert done.returncode == 0, done.stderr
    assert engine("start", "b").returncode == 0
    check_a_shell(engine, "b", screens[0])
    assert json.loads(engine("wait", "b").stdout)["exitStatus"] == 4
    os.close(screens[0].master)


@pytest.mark.parametrize("input_is_a_pipe", [False, True], ids=["own", "relayed"])
def test_exec_in_the_foreground(engine: Engine, input_is_a_pipe: bool) -> None:
    """On the terminal of whoever typed it; or on one that is copied to it."""
    engine.create("a", *WAITING)
    assert engine("start", "a").returncode == 0
    words = [EXECUTABLE, "--root", engine.root, "exec", "-t", "-e", f"PS1={PROMPT.decode()}", "a"]
    reader, writer = os.pipe()
    pid, master = pty.fork()
    if pid == 0:
        if input_is_a_pipe:
            os.dup2(reader, 0)
        os.execv(EXECUTABLE, [str(word) for word in [*words, *SHELL]])
    os.close(reader)
    screen = Screen(master)
    if input_is_a_pipe:
        screen.type = lambda text: _write(writer, text)  # type: ignore[method-assign]
    check_a_shell(engine, "a", screen)
    assert status_of(pid) == 4
    os.close(master)
    os.close(writer)


def _write(descriptor: int, text: bytes) -> None:
    os.write(descriptor, text)


def test_run_in_the_foreground(engine: Engine) -> None:
    """The sandbox cannot have somebody else's terminal: the command tells it of keys."""
    bundle = engine.bundle(*SHELL, change=with_terminal)
    engine.root.mkdir(mode=0o700)
    words = [EXECUTABLE, "--root", engine.root, "run", "--bundle", bundle, "a"]
    pid, master = pty.fork()
    if pid == 0:
        os.execv(EXECUTABLE, [str(word) for word in words])
    check_a_shell(engine, "a", Screen(master))
    assert status_of(pid) == 4
    os.close(master)
