"""A terminal emulator that a test types into and looks at: tmux(1)."""

import subprocess
import time
from collections.abc import Callable, Mapping
from pathlib import Path

PROMPT = "ready> "
"""Of the shells that are started here."""
LIMIT = 30.0


class Screen:
    """One tmux server with one window."""

    def __init__(
        self, tmux: str, socket: Path, command: list[str], env: Mapping[str, str] | None = None
    ) -> None:
        self._base = [tmux, "-S", str(socket), "-f", "/dev/null"]
        self._env = env
        self._tmux("new-session", "-d", "-x", "80", "-y", "24", *command)

    def _tmux(self, *words: str) -> str:
        done = subprocess.run(
            [*self._base, *words], capture_output=True, text=True, env=self._env, timeout=LIMIT
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    def press(self, *keys: str) -> None:
        """Keys by tmux's names; other words are typed."""
        self._tmux("send-keys", *keys)

    def resize(self, columns: int, rows: int) -> None:
        """The window's new size."""
        self._tmux("resize-window", "-x", str(columns), "-y", str(rows))

    def text(self) -> str:
        """What is on the screen."""
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
