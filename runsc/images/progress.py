"""What is said on standard error while an image is unpacked: nothing when that is quick."""

import os
import time

from runsc_py.runsc.text import printable

#: seconds until the first word, and between two of them: on a terminal, elsewhere
_TERMINAL = (0.3, 0.1)
_PLAIN = (3.0, 10.0)
MEBIBYTE = 1 << 20


class Progress:
    """A line that is written over and over on a terminal; elsewhere a new one now and then."""

    def __init__(self, what: str, descriptor: int = 2) -> None:
        self._what = printable(what)
        self._descriptor = descriptor
        self._terminal = os.isatty(descriptor)
        first, self._interval = _TERMINAL if self._terminal else _PLAIN
        self._next = time.monotonic() + first
        self._step = ""
        self._done = self._total = 0
        self._shown = 0

    def step(self, text: str, total: int = 0) -> None:
        """What is done now; `total` bytes of it are to come."""
        self._step = text
        self._done, self._total = 0, total
        self._show()

    def advance(self, count: int) -> None:
        """`count` bytes more are done."""
        self._done += count
        self._show()

    def say(self, text: str) -> None:
        """A line of its own, at once."""
        self._clear()
        self._write(f"runsc-py: {printable(text)}\n")

    def close(self) -> None:
        """Leave the terminal as it was."""
        self._clear()

    def _show(self) -> None:
        now = time.monotonic()
        if now < self._next:
            return
        self._next = now + self._interval
        line = f"{self._what}: {self._step}"
        if self._total:
            line += f", {self._done / MEBIBYTE:.1f} of {self._total / MEBIBYTE:.1f} MiB"
        if self._terminal:
            self._write(f"\r{line.ljust(self._shown)}")
            self._shown = len(line)
        else:
            self._write(f"runsc-py: {line}\n")

    def _clear(self) -> None:
        if self._shown:
            self._write("\r" + " " * self._shown + "\r")
            self._shown = 0

    def _write(self, text: str) -> None:
        try:
            os.write(self._descriptor, text.encode(errors="backslashreplace"))
        except OSError:
            self._next = float("inf")  # nobody listens
