"""A terminal for a program in the foreground whose command is not one's own terminal altogether.

As runc has it: the program's terminal is a new one, and bytes are copied between that and the
standard input and output of the command, which may be pipes or files.  Somebody has to look at a
terminal nevertheless (standard error, or /dev/tty): its size is the program's, and it is raw
meanwhile, so that keys mean what they mean inside.
"""

import fcntl
import os
import select
import signal
import termios
import tty

from runsc_py.runsc.errors import RunscError
from runsc_py.runsc.terminal_keys import signals_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from types import FrameType
    from typing import Any

CHUNK = 1 << 16
#: index into what tcgetattr(3) gives
OUTPUT_FLAGS = 1


def has_own_terminal() -> bool:
    """Whether the program can simply be given the terminal that this command has."""
    return os.isatty(0) and os.isatty(1)


def _open_host_terminal() -> int:
    """A descriptor of the terminal that somebody looks at.  Raises RunscError."""
    for number in (2, 1, 0):
        if os.isatty(number):
            return os.dup(number)
    try:
        return os.open("/dev/tty", os.O_RDWR | os.O_NOCTTY | os.O_CLOEXEC)
    except OSError as error:
        raise RunscError(
            f"the process wants a terminal, and there is none: /dev/tty: {error.strerror}"
        ) from None


class ConsoleRelay:
    """The program's terminal, and the copying for as long as it runs."""

    def __init__(self) -> None:
        """Raises RunscError when there is no terminal at all."""
        self._host = _open_host_terminal()
        try:
            self._master, self.terminal = os.openpty()
        except OSError as error:
            os.close(self._host)
            raise RunscError(f"cannot make a terminal: {error.strerror}") from None
        os.set_blocking(self._master, False)
        self._attributes: list[Any] | None = None
        self._send: Callable[[int], None] | None = None
        # Lines end as the program ends them; a terminal that they are copied to does the rest.
        attributes = termios.tcgetattr(self.terminal)
        attributes[OUTPUT_FLAGS] &= ~termios.ONLCR
        termios.tcsetattr(self.terminal, termios.TCSANOW, attributes)
        self._copy_size()

    def _copy_size(self) -> None:
        size = fcntl.ioctl(self._host, termios.TIOCGWINSZ, bytes(8))
        fcntl.ioctl(self._master, termios.TIOCSWINSZ, size)

    def close(self) -> None:
        """Nobody copies any longer; the host's terminal is as it was."""
        if self._attributes is not None:
            termios.tcsetattr(self._host, termios.TCSADRAIN, self._attributes)
            self._attributes = None
        self._close_terminal()
        os.close(self._master)
        os.close(self._host)

    def _close_terminal(self) -> None:
        if self.terminal >= 0:
            os.close(self.terminal)
        self.terminal = -1

    def run(self, until: int, send: "Callable[[int], None] | None" = None) -> None:
        """Copy until this descriptor is readable, and then what is left.

        `send` gets the signals that keys and the window make, unless a process of the host has the
        terminal for its own.  The program has its terminal by now: ours is closed, so that its last
        one is the last.
        """
        self._close_terminal()
        if os.isatty(0) or os.isatty(1):
            self._attributes = termios.tcgetattr(self._host)
            tty.setraw(self._host)
            attributes = termios.tcgetattr(self._host)
            attributes[OUTPUT_FLAGS] |= termios.OPOST
            termios.tcsetattr(self._host, termios.TCSANOW, attributes)

        def resize(number: int, frame: "FrameType | None") -> None:
            self._copy_size()
            if send is not None:
                send(signal.SIGWINCH)

        self._send = send
        previous = signal.signal(signal.SIGWINCH, resize)
        try:
            self._copy(until)
        finally:
            signal.signal(signal.SIGWINCH, previous)

    def _copy(self, until: int) -> None:
        typing, printing, typed = True, True, b""
        while True:
            # What the program does not read is not read here either.
            sources = [until, *([0] if typing and not typed else []),
                       *([self._master] if printing else [])]  # fmt: skip
            ready, _, _ = select.select(sources, [self._master] if typed else [], [])
            if 0 in ready:
                typed = os.read(0, CHUNK)
                typing = bool(typed)  # as at runc, the end of a file is not the end of typing
            if typed:
                typed = self._type(typed)
            if printing:
                printing = self._print()
            if until in ready:
                return

    def _type(self, text: bytes) -> bytes:
        """Write into the program's terminal; what did not fit."""
        try:
            count = os.write(self._master, text)
        except BlockingIOError:
            return text
        if self._send is not None:
            for number in signals_of(self._master, text[:count]):
                self._send(number)
        return text[count:]

    def _print(self) -> bool:
        """Write all that the program has printed; False when nobody has its terminal any more."""
        while True:
            try:
                text = os.read(self._master, CHUNK)
            except BlockingIOError:
                return True
            except OSError:  # EIO: the other end is closed everywhere
                return False
            while text:
                text = text[os.write(1, text) :]
