"""Talk to a command while it runs: through pipes, or at the other end of a terminal.

Every wait is for something that is seen (output, a state, the end) and has a deadline.
"""

import fcntl
import os
import pty
import select
import struct
import subprocess
import termios
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any

from harness.differential import environment
from harness.processes import GRACE, descendants, settle

PATIENCE = 20.0
"""Seconds until something that must happen counts as not happening."""

Words = Sequence[str | os.PathLike[str]]


def eventually(what: str, condition: Callable[[], bool], patience: float = PATIENCE) -> None:
    """Wait until a condition that nothing announces holds."""
    deadline = time.monotonic() + patience
    while not condition():
        assert time.monotonic() < deadline, f"it did not happen that {what}"
        time.sleep(0.01)


class Live:
    """A running command.  As a context manager it checks that nothing is left behind."""

    def __init__(self, command: Words, directory: Path, **settings: Any) -> None:
        self._known = set(descendants())
        self.seen = b""
        self.process = self._start(command, directory, settings)

    def _start(
        self, command: Words, directory: Path, settings: dict[str, Any]
    ) -> "subprocess.Popen[bytes]":
        return subprocess.Popen(
            command,
            cwd=directory,
            env=environment(),
            bufsize=0,
            start_new_session=True,
            **{
                "stdin": subprocess.PIPE,
                "stdout": subprocess.PIPE,
                "stderr": subprocess.STDOUT,
                **settings,
            },
        )

    def __enter__(self) -> "Live":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._close()
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        left = settle(self._known, GRACE, kill=False)
        settle(self._known, GRACE, kill=True)
        if kind is None:
            assert not left, f"processes left behind: {left}"

    def _close(self) -> None:
        for pipe in (self.process.stdin, self.process.stdout):
            if pipe is not None:
                pipe.close()

    def _output(self) -> int:
        assert self.process.stdout is not None
        return self.process.stdout.fileno()

    def _input(self) -> int:
        assert self.process.stdin is not None
        return self.process.stdin.fileno()

    def send(self, data: bytes) -> None:
        """Write to its standard input, or type."""
        os.write(self._input(), data)

    def expect(self, text: bytes, patience: float = PATIENCE) -> bytes:
        """Read until `text` appears in what was not yet seen; returns what came up to it."""
        self._read_until((text,), patience)
        found, self.seen = self.seen.split(text, 1)
        return found

    def expect_all(self, *texts: bytes, patience: float = PATIENCE) -> None:
        """Read until each of them has appeared, in whatever order."""
        self._read_until(texts, patience)
        self.seen = b""

    def _read_until(self, texts: Sequence[bytes], patience: float) -> None:
        deadline = time.monotonic() + patience
        while not all(text in self.seen for text in texts):
            left = deadline - time.monotonic()
            assert left > 0, f"{texts!r} did not appear in {self.seen!r}"
            ready, _, _ = select.select([self._output()], [], [], left)
            if ready and not self._read():
                raise AssertionError(f"the end came before {texts!r}: {self.seen!r}")

    def _read(self) -> bool:
        try:
            data = os.read(self._output(), 4096)
        except OSError:  # EIO: the other side of the terminal is closed
            return False
        self.seen += data
        return bool(data)

    def rest(self) -> bytes:
        """Everything that comes until its output ends."""
        while self._read():
            pass
        found, self.seen = self.seen, b""
        return found

    def signal(self, number: int) -> None:
        """Send a signal to the command itself."""
        self.process.send_signal(number)

    def wait(self, patience: float = PATIENCE) -> int:
        """The exit status, negative for a signal."""
        return self.process.wait(patience)

    def state(self) -> str:
        """One letter, as in proc_pid_stat(5)."""
        stat = Path(f"/proc/{self.process.pid}/stat").read_text()
        return stat.rpartition(")")[2].split()[0]


class OnTerminal(Live):
    """A command on a terminal of its own: 24 rows of 80 columns at first."""

    def __init__(self, command: Words, directory: Path, **settings: Any) -> None:
        self.master, self.slave = pty.openpty()
        self.resize(24, 80)
        super().__init__(command, directory, **settings)

    def _start(
        self, command: Words, directory: Path, settings: dict[str, Any]
    ) -> "subprocess.Popen[bytes]":
        return subprocess.Popen(
            command,
            cwd=directory,
            env=environment({"TERM": "xterm"}),
            start_new_session=True,
            preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),
            **{"stdin": self.slave, "stdout": self.slave, "stderr": self.slave, **settings},
        )

    def _close(self) -> None:
        os.close(self.slave)
        os.close(self.master)

    def _output(self) -> int:
        return self.master

    _input = _output

    def resize(self, rows: int, columns: int) -> None:
        """Change the window's size; the kernel tells the foreground group."""
        fcntl.ioctl(self.master, termios.TIOCSWINSZ, struct.pack("4H", rows, columns, 0, 0))

    def settings(self) -> list[Any]:
        """The terminal's struct termios."""
        return termios.tcgetattr(self.slave)

    def finish(self, patience: float = PATIENCE) -> tuple[int, bytes]:
        """The exit status and the output that was not yet seen."""
        status = self.wait(patience)
        while select.select([self.master], [], [], 0)[0] and self._read():
            pass
        found, self.seen = self.seen, b""
        return status, found
