"""The line discipline: what lies between the keys that are typed and what read(2) returns.

termios(3); Linux's drivers/tty/n_tty.c, which this follows function by function.  Pure: bytes go
in, bytes come out, and a signal is a call back.  `devpts/pair.py` connects it to open files.
tests/fuzz/test_line_discipline.py compares it with the host's.
"""

from collections.abc import Callable

from runsc_py.sentry.abi.ioctl import (
    ECHO,
    ECHOCTL,
    ECHOE,
    ECHOK,
    ECHOKE,
    ECHONL,
    ECHOPRT,
    EXTPROC,
    ICANON,
    ICRNL,
    IEXTEN,
    IGNCR,
    INLCR,
    ISIG,
    ISTRIP,
    IUCLC,
    IUTF8,
    IXANY,
    IXON,
    NOFLSH,
    PARMRK,
    VEOF,
    VEOL,
    VEOL2,
    VERASE,
    VINTR,
    VKILL,
    VLNEXT,
    VMIN,
    VQUIT,
    VREPRINT,
    VSTART,
    VSTOP,
    VSUSP,
    VTIME,
    VWERASE,
)
from runsc_py.sentry.abi.signals import SIGINT, SIGQUIT, SIGTSTP
from runsc_py.sentry.fs.devpts.output import OutputProcessor, is_control
from runsc_py.sentry.fs.devpts.settings import CARRIAGE_RETURN, DISABLED, NEWLINE, Settings

#: Linux's N_TTY_BUF_SIZE: input that waits to be read
BUFFER_SIZE = 4096
TAB = 0x09
BACKSPACE = 0x08
SPACE = 0x20
CARET = 0x5E

_SIGNAL_CHARACTERS = ((VINTR, SIGINT), (VQUIT, SIGQUIT), (VSUSP, SIGTSTP))


class LineDiscipline:
    """Input editing, echo, and the output's translation for one terminal."""

    __slots__ = (
        "_delimiters",
        "_erasing",
        "_input",
        "_literal_next",
        "_send_signal",
        "complete",
        "output",
        "settings",
    )

    def __init__(self, send_signal: Callable[[int], None]) -> None:
        """`send_signal` gets the number of a signal for the foreground process group."""
        self.settings = Settings()
        self.output = OutputProcessor(self.settings)
        self._send_signal = send_signal
        #: what was typed and not read yet
        self._input = bytearray()
        #: parallel to `_input`: 1 where a line ends.  An end of file is a marked NUL
        self._delimiters = bytearray()
        #: how much of `_input` is complete lines (Linux's canon_head); 0 in raw mode
        self.complete = 0
        self._erasing = False
        self._literal_next = False

    # -- settings ----------------------------------------------------------------------------

    def change_settings(self, settings: Settings) -> None:
        """TCSETS.  Leaving or entering canonical mode redefines what is complete."""
        old = self.settings
        self.settings = self.output.settings = settings
        if (old.local ^ settings.local) & (ICANON | EXTPROC):
            self._delimiters = bytearray(len(self._input))
            self.complete = 0
            if settings.is_canonical and self._input:
                self._delimiters[-1] = 1
                self.complete = len(self._input)
            self._erasing = self._literal_next = False
        if not settings.input & IXON and old.input & IXON and self.output.stopped:
            self.output.stopped = False
            self.output.process_echoes()

    def flush_input(self) -> None:
        """TCIFLUSH: forget what was typed."""
        self._input.clear()
        self._delimiters.clear()
        self.complete = 0
        self._erasing = self._literal_next = False

    # -- reading -----------------------------------------------------------------------------

    @property
    def waiting(self) -> int:
        """Bytes typed and not read, complete or not."""
        return len(self._input)

    def readable_bytes(self) -> int:
        """FIONREAD: what read(2) could return, ends of file not counted."""
        if not self.settings.is_canonical:
            return len(self._input)
        count = self.complete
        for position in range(count):
            if self._delimiters[position] and self._input[position] == DISABLED:
                count -= 1
        return count

    def has_input(self, for_poll: bool = False) -> bool:
        """Whether a read would return at once."""
        if self.settings.is_canonical:
            return self.complete > 0
        characters = self.settings.characters
        wanted = 1
        if for_poll and not characters[VTIME] and characters[VMIN]:
            wanted = characters[VMIN]
        return len(self._input) >= wanted

    def take(self, size: int) -> bytes:
        """What one read(2) returns: at most a line in canonical mode, empty for an end of file."""
        if not self.settings.is_canonical:
            data = bytes(self._input[:size])
            self._drop(len(data))
            return data
        limit = min(size, self.complete)
        end = self._delimiters.find(1, 0, limit)
        found = end >= 0
        count = end + 1 if found else limit
        data = bytes(self._input[:count])
        if found and data[-1] == DISABLED:
            data = data[:-1]
        self._drop(count)
        if not found and self.complete and self._delimiters[0] and self._input[0] == DISABLED:
            self._drop(1)  # the end of file that ended just this read
        return data

    def _drop(self, count: int) -> None:
        del self._input[:count]
        del self._delimiters[:count]
        self.complete = max(self.complete - count, 0)

    # -- typing ------------------------------------------------------------------------------

    def receive(self, data: bytes) -> int:
        """Characters come in.  Returns how many were taken; the rest must wait for a reader."""
        done = 0
        for byte in data:
            room = BUFFER_SIZE - len(self._input)
            if self.settings.input & PARMRK:
                room = -(-room // 3)
            if room <= 1:
                # Nobody can read before the line ends: take what might end it, drop the rest.
                if not self.settings.is_canonical or self.complete:
                    break
                if room < 1:
                    self._unput()
            self._receive(byte)
            done += 1
        self.output.process_echoes()
        return done

    def _receive(self, byte: int) -> None:
        settings = self.settings
        if settings.input & ISTRIP:
            byte &= 0x7F
        if settings.input & IUCLC and settings.local & IEXTEN and 0x41 <= byte <= 0x5A:
            byte |= 0x20
        if self._literal_next:
            self._literal_next = False
            self._receive_plain(byte)
        elif byte in settings.special:
            self._receive_special(byte)
        else:
            self._receive_plain(byte)

    def _receive_plain(self, byte: int) -> None:
        """A character that means itself."""
        self._restart_by_any()
        if self.settings.local & ECHO:
            self._finish_erasing()
            if self.complete == len(self._input):
                self.output.echo_line_start()
            self._echo(byte)
        self._put(byte)

    def _restart_by_any(self) -> None:
        both = IXON | IXANY
        if self.output.stopped and self.settings.input & both == both:
            self.output.stopped = False
            self.output.process_echoes()

    def _receive_special(self, byte: int) -> None:
        settings = self.settings
        characters = settings.characters
        if settings.input & IXON:
            if byte == characters[VSTART]:
                self.output.stopped = False
                self.output.process_echoes()
                return
            if byte == characters[VSTOP]:
                self.output.stopped = True
                return
        if settings.local & ISIG:
            for index, number in _SIGNAL_CHARACTERS:
                if byte == characters[index]:
                    self._signal(number, byte)
                    return
        self._restart_by_any()
        if byte == CARRIAGE_RETURN:
            if settings.input & IGNCR:
                return
            if settings.input & ICRNL:
                byte = NEWLINE
        elif byte == NEWLINE and settings.input & INLCR:
            byte = CARRIAGE_RETURN
        if settings.is_canonical and self._edit(byte):
            return
        if settings.local & ECHO:
            self._finish_erasing()
            if byte == NEWLINE:
                self.output.echo_raw(NEWLINE)
            else:
                if self.complete == len(self._input):
                    self.output.echo_line_start()
                self._echo(byte)
        self._put(byte)

    def _signal(self, number: int, byte: int) -> None:
        """A key that sends a signal, and (without NOFLSH) throws away both queues."""
        self._send_signal(number)
        if not self.settings.local & NOFLSH:
            self.output.flush()
            self.flush_input()
        if self.settings.input & IXON:
            self.output.stopped = False
        if self.settings.local & ECHO:
            self._echo(byte)
        else:
            self.output.process_echoes()

    def _put(self, byte: int) -> None:
        """Queue a character; PARMRK doubles the byte that marks."""
        if byte == 0xFF and self.settings.input & PARMRK:
            self._input.append(byte)
            self._delimiters.append(0)
        self._input.append(byte)
        self._delimiters.append(0)

    def _unput(self) -> None:
        del self._input[-1:]
        del self._delimiters[-1:]

    # -- canonical mode ------------------------------------------------------------------------

    def _edit(self, byte: int) -> bool:
        """Editing and line ends.  False: the character is to be treated as any other."""
        characters = self.settings.characters
        local = self.settings.local
        extended = bool(local & IEXTEN)
        if byte in (characters[VERASE], characters[VKILL]) or (
            byte == characters[VWERASE] and extended
        ):
            self._erase(byte)
        elif byte == characters[VLNEXT] and extended:
            self._literal_next = True
            if local & ECHO:
                self._finish_erasing()
                if local & ECHOCTL:
                    self.output.echo_raw(CARET)
                    self.output.echo_raw(BACKSPACE)
        elif byte == characters[VREPRINT] and local & ECHO and extended:
            self._finish_erasing()
            self._echo(byte)
            self.output.echo_raw(NEWLINE)
            for typed in self._input[self.complete :]:
                self._echo(typed)
        elif byte == NEWLINE:
            if local & (ECHO | ECHONL):
                self.output.echo_raw(NEWLINE)
            self._end_line(byte)
        elif byte == characters[VEOF]:
            self._end_line(DISABLED)
        elif byte == characters[VEOL] or (byte == characters[VEOL2] and extended):
            if local & ECHO:
                if self.complete == len(self._input):
                    self.output.echo_line_start()
                self._echo(byte)
            self._end_line(byte)
        else:
            return False
        return True

    def _end_line(self, byte: int) -> None:
        self._put(byte)
        self._delimiters[-1] = 1
        self.complete = len(self._input)

    def _erase(self, byte: int) -> None:
        """VERASE, VWERASE and VKILL (Linux's eraser)."""
        if self.complete == len(self._input):
            return
        settings = self.settings
        local = settings.local
        is_kill = byte == settings.characters[VKILL]
        is_word = not is_kill and byte == settings.characters[VWERASE]
        if byte == settings.characters[VERASE]:
            is_kill = is_word = False
        if is_kill:
            visibly = ECHOK | ECHOKE | ECHOE
            if not local & ECHO or local & visibly != visibly:
                self._forget_line()
                if local & ECHO:
                    self._finish_erasing()
                    self._echo(settings.characters[VKILL])
                    if local & ECHOK:
                        self.output.echo_raw(NEWLINE)
                return
        seen_word = False
        while len(self._input) > self.complete:
            start = self._last_character()
            first = self._input[start]
            if self._is_continuation(first):
                break  # the rest of a character whose head was read already
            if is_word:
                if _is_word_character(first):
                    seen_word = True
                elif seen_word:
                    break
            removed = bytes(self._input[start:])
            del self._input[start:]
            del self._delimiters[start:]
            if local & ECHO:
                self._echo_erasure(removed, by_character=not is_kill and not is_word)
            if not is_kill and not is_word:
                break
        if len(self._input) == self.complete and local & ECHO:
            self._finish_erasing()

    def _forget_line(self) -> None:
        del self._input[self.complete :]
        del self._delimiters[self.complete :]

    def _last_character(self) -> int:
        """Where the last, maybe multi-byte, character of the unfinished line begins."""
        start = len(self._input) - 1
        while start > self.complete and self._is_continuation(self._input[start]):
            start -= 1
        return start

    def _is_continuation(self, byte: int) -> bool:
        return bool(self.settings.input & IUTF8) and byte & 0xC0 == 0x80

    # -- echo ------------------------------------------------------------------------------------

    def _echo(self, byte: int) -> None:
        """Show a character; control characters as ^X with ECHOCTL."""
        if self.settings.local & ECHOCTL and is_control(byte) and byte != TAB:
            self.output.echo_control(byte)
        else:
            self.output.echo_raw(byte)

    def _finish_erasing(self) -> None:
        if self._erasing:
            self.output.echo_raw(0x2F)
            self._erasing = False

    def _echo_erasure(self, removed: bytes, by_character: bool) -> None:
        """Show that a character went."""
        local = self.settings.local
        output = self.output
        first = removed[0]
        if local & ECHOPRT:
            if not self._erasing:
                output.echo_raw(0x5C)
                self._erasing = True
            self._echo(first)
            for byte in removed[1:]:
                output.echo_raw(byte)
                output.echo_move_back()
        elif by_character and not local & ECHOE:
            self._echo(self.settings.characters[VERASE])
        elif first == TAB:
            output.echo_erase_tab(*self._columns_before_tab())
        else:
            shows_control = bool(local & ECHOCTL)
            if is_control(first) and shows_control:
                output.echo_back()
            if not is_control(first) or shows_control:
                output.echo_back()

    def _columns_before_tab(self) -> tuple[int, bool]:
        """(columns since the line's start or the previous tab, whether it was a tab)."""
        columns = 0
        for byte in reversed(self._input[self.complete :]):
            if byte == TAB:
                return columns, True
            if is_control(byte):
                columns += 2 if self.settings.local & ECHOCTL else 0
            elif not self._is_continuation(byte):
                columns += 1
        return columns, False


def _is_word_character(byte: int) -> bool:
    """isalnum() of Linux's character table (ISO 8859-1), and the underscore."""
    if byte < 0x80:
        return chr(byte).isalnum() or byte == 0x5F
    return byte >= 0xC0 and byte not in (0xD7, 0xF7)
