"""The output half of the line discipline: translation, columns, flow control, echoes.

Linux's do_output_char and __process_echoes in drivers/tty/n_tty.c.
"""

from runsc_py.sentry.abi.ioctl import (
    IUTF8,
    OCRNL,
    OLCUC,
    ONLCR,
    ONLRET,
    ONOCR,
    OPOST,
    TABDLY,
    XTABS,
)
from runsc_py.sentry.fs.devpts.settings import CARRIAGE_RETURN, NEWLINE, Settings

#: what waits to be read from the master at most
CAPACITY = 8192
#: the master's share of it (its N_TTY_BUF_SIZE)
MASTER_BUFFER = 4096
#: echoes that wait while the master does not read (Linux's N_TTY_BUF_SIZE)
LARGEST_ECHO = 4096
TAB = 0x09
BACKSPACE = 0x08

#: Linux marks its echo operations with this byte, and so echoes it as it is
UNTRANSLATED = 0xFF

# Echo operations besides plain bytes.
_CONTROL = 1
_LINE_START = 2
_MOVE_BACK = 3
_ERASE_TAB = 4


def is_control(byte: int) -> bool:
    """iscntrl() of Linux's character table."""
    return byte < 0x20 or byte == 0x7F


class OutputProcessor:
    """What the terminal shows: program output and echoes, as bytes for the master."""

    __slots__ = ("_echoes", "_line_column", "column", "queue", "settings", "stopped")

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        #: translated bytes that the master has not read
        self.queue = bytearray()
        #: ^S was typed, or TCOOFF
        self.stopped = False
        self.column = 0
        #: the column where the line being typed begins
        self._line_column = 0
        #: bytes (operation 0) and operations that wait for `process_echoes`
        self._echoes: list[tuple[int, int]] = []

    @property
    def room(self) -> int:
        """How many bytes fit."""
        return 0 if self.stopped else max(CAPACITY - len(self.queue), 0)

    def flush(self) -> None:
        """TCOFLUSH: forget what has not reached the master yet.

        What is in the master's own buffer has; Linux moves it there at once while there is room.
        """
        del self.queue[MASTER_BUFFER:]
        self._echoes.clear()

    # -- program output ----------------------------------------------------------------------

    def write(self, data: bytes) -> int:
        """Translate and queue; returns how many bytes of `data` were taken."""
        if self._echoes:
            self.process_echoes()
        if not self.settings.output & OPOST:
            count = min(len(data), self.room)
            self.queue += data[:count]
            return count
        for done, byte in enumerate(data):
            if self.room < 8:  # the widest translation: a tab as spaces
                return done
            self._put(byte)
        return len(data)

    def _put(self, byte: int) -> None:
        """Queue one byte as the output flags have it."""
        flags = self.settings.output
        if byte == NEWLINE:
            if flags & ONLRET:
                self.column = 0
            if flags & ONLCR:
                self._line_column = self.column = 0
                self.queue += b"\r\n"
                return
            self._line_column = self.column
        elif byte == CARRIAGE_RETURN:
            if flags & ONOCR and self.column == 0:
                return
            if flags & OCRNL:
                byte = NEWLINE
                if flags & ONLRET:
                    self._line_column = self.column = 0
            else:
                self._line_column = self.column = 0
        elif byte == TAB:
            spaces = 8 - (self.column & 7)
            self.column += spaces
            if flags & TABDLY == XTABS:
                self.queue += b" " * spaces
                return
        elif byte == BACKSPACE:
            if self.column > 0:
                self.column -= 1
        elif not is_control(byte):
            if flags & OLCUC:
                byte = _upper(byte)
            if not (self.settings.input & IUTF8 and byte & 0xC0 == 0x80):
                self.column += 1
        self.queue.append(byte)

    # -- echoes: recorded while input is looked at, done when output is not stopped -------------

    def _record(self, *echoes: tuple[int, int]) -> None:
        # Nobody may read what the terminal shows; the oldest echoes are lost then, as in Linux.
        if len(self._echoes) > LARGEST_ECHO:
            del self._echoes[: LARGEST_ECHO // 4]
        self._echoes += echoes

    def echo_raw(self, byte: int) -> None:
        """A byte that goes through the output translation."""
        self._record((0, byte))

    def echo_control(self, byte: int) -> None:
        """A control character as ^X."""
        self._record((_CONTROL, byte))

    def echo_line_start(self) -> None:
        """The line that is typed begins here."""
        self._record((_LINE_START, 0))

    def echo_move_back(self) -> None:
        """The byte before was no column of its own."""
        self._record((_MOVE_BACK, 0))

    def echo_back(self) -> None:
        """Wipe out a column."""
        self._record((0, BACKSPACE), (0, 0x20), (0, BACKSPACE))

    def echo_erase_tab(self, columns: int, after_tab: bool) -> None:
        """Go back over a tab; `columns` lie between it and the line's start or another tab."""
        self._record((_ERASE_TAB, columns & 7 | after_tab << 7))

    def process_echoes(self) -> None:
        """Queue what the recorded echoes show."""
        if self.stopped or not self._echoes:
            return
        done = 0
        translate = self.settings.output & OPOST
        for operation, value in self._echoes:
            if self.room < 8:
                break
            done += 1
            if operation == 0:
                if value == UNTRANSLATED:
                    self.queue.append(value)
                    self.column += 1
                elif translate:
                    self._put(value)
                else:
                    self.queue.append(value)
            elif operation == _CONTROL:
                self.queue += bytes((0x5E, value ^ 0x40))
                self.column += 2
            elif operation == _LINE_START:
                self._line_column = self.column
            elif operation == _MOVE_BACK:
                self.column = max(self.column - 1, 0)
            else:
                columns = value if value & 0x80 else value + self._line_column
                back = 8 - (columns & 7)
                self.queue += b"\b" * back
                self.column = max(self.column - back, 0)
        del self._echoes[:done]


def _upper(byte: int) -> int:
    """toupper() of Linux's character table (ISO 8859-1)."""
    if 0x61 <= byte <= 0x7A or (byte >= 0xE0 and byte != 0xF7):
        return byte - 0x20
    return byte
