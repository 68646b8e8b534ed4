"""An interactive shell in a terminal emulator: tmux drives `run -t -- bash -i`.

Each step waits for what the screen must show; nothing waits for a time.
"""

import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from harness.differential import Find
from harness.sandbox import EXECUTABLE

PROMPT = "ready> "
LIMIT = 30.0


class Screen:
    """One tmux server with one window."""

    def __init__(self, tmux: str, socket: Path, command: list[str]) -> None:
        self._base = [tmux, "-S", str(socket), "-f", "/dev/null"]
        self._tmux("new-session", "-d", "-x", "80", "-y", "24", *command)

    def _tmux(self, *words: str) -> str:
        done = subprocess.run([*self._base, *words], capture_output=True, text=True, timeout=LIMIT)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def press(self, *keys: str) -> None:
        """Keys by tmux's names; other words are typed."""
        self._tmux("send-keys", *keys)

    def resize(self, columns: int, rows: int) -> None:
        self._tmux("resize-window", "-x", str(columns), "-y", str(rows))

    def text(self) -> str:
        return self._tmux("capture-pane", "-p").rstrip()

    def until(self, shown: Callable[[str], bool]) -> str:
        """The screen once it shows what is awaited."""
        deadline = time.monotonic() + LIMIT
        while not shown(text := self.text()):
            assert time.monotonic() < deadline, f"never came:\n{text}"
            time.sleep(0.02)
        return text

    def enter(self, line: str, expected: str) -> str:
        """Type a line; wait for `expected` and the next prompt."""
        self.press("-l", line)
        self.press("Enter")
        return self.until(lambda text: expected in text and text.endswith(PROMPT.rstrip()))

    def start(self, command: str) -> None:
        """Type a command that stays in the foreground; wait until it has the terminal.

        What is typed before that is the shell's, natively too.
        """
        self.press("-l", f"sh -c 'echo on; exec {command}'")
        self.press("Enter")
        self.until(lambda text: text.endswith("\non"))

    def close(self) -> None:
        """End the server and what runs in it."""
        subprocess.run([*self._base, "kill-server"], capture_output=True, timeout=LIMIT)


@pytest.fixture(params=["natively", "inside"])
def screen(request: pytest.FixtureRequest, program: Find, tmp_path: Path) -> Iterator[Screen]:
    """A shell with a known prompt, natively and inside."""
    tmux = program("tmux", "tmux")
    bash = ["env", "-u", "ENV", f"PS1={PROMPT}", "bash", "--norc", "--noprofile", "-i"]
    command = bash if request.param == "natively" else [str(EXECUTABLE), "run", "-t", "--", *bash]
    shown = Screen(tmux, tmp_path / "socket", command)
    try:
        shown.until(lambda text: text.endswith(PROMPT.rstrip()))
        yield shown
    finally:
        shown.close()


@pytest.mark.slow
def test_job_control(screen: Screen) -> None:
    """Ctrl-C ends, Ctrl-Z stops, fg and bg go on, the shell knows of it all."""
    screen.start("sleep 1000")
    screen.press("C-c")
    screen.enter("echo status $?", "status 130")
    screen.start("cat")
    screen.press("-l", "echoed")
    screen.press("Enter")
    screen.until(lambda text: text.count("echoed") == 2)
    screen.press("C-z")
    screen.until(lambda text: "Stopped" in text)
    screen.enter("jobs", "[1]+  Stopped")
    screen.press("-l", "fg")
    screen.press("Enter")
    screen.until(lambda text: text.endswith("exec cat'"))
    screen.press("-l", "again")
    screen.press("Enter")
    screen.until(lambda text: text.count("again") == 2)
    screen.press("C-d")
    screen.enter("sleep 0.2 & wait; echo done $?", "done 0")


@pytest.mark.slow
def test_size_and_full_screen(screen: Screen) -> None:
    """A new window size reaches the shell; a pager takes the screen and gives it back."""
    screen.enter("stty size", "24 80")
    screen.resize(100, 30)
    screen.enter("stty size", "30 100")
    screen.press("-l", "seq 500 | less")
    screen.press("Enter")
    screen.until(lambda text: text.startswith("1\n2\n") and text.endswith(":"))
    screen.press("G")
    screen.until(lambda text: "\n500" in text)
    screen.press("q")
    screen.enter("echo back", "back")
