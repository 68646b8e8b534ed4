"""The settings of a terminal: termios(3)."""

from runsc_py.sentry.abi.ioctl import (
    B38400,
    CREAD,
    CS8,
    ECHO,
    ECHOCTL,
    ECHOE,
    ECHOK,
    ECHOKE,
    ICANON,
    ICRNL,
    IEXTEN,
    IGNCR,
    INLCR,
    ISIG,
    IXON,
    ONLCR,
    OPOST,
    TERMIO,
    TERMIOS,
    TERMIOS2,
    VEOF,
    VEOL,
    VEOL2,
    VERASE,
    VINTR,
    VKILL,
    VLNEXT,
    VQUIT,
    VREPRINT,
    VSTART,
    VSTOP,
    VSUSP,
    VWERASE,
)

#: INIT_C_CC: ^C ^\ DEL ^U ^D, time 0, min 1, none, ^Q ^S ^Z, none, ^R ^O ^W ^V, none
DEFAULT_CHARACTERS = b"\x03\x1c\x7f\x15\x04\x00\x01\x00\x11\x13\x1a\x00\x12\x0f\x17\x16\x00\x00\x00"
#: a control character that is switched off
DISABLED = 0
CARRIAGE_RETURN = 0x0D
NEWLINE = 0x0A


class Settings:
    """Linux's struct ktermios.  Never changed, only replaced as a whole."""

    __slots__ = (
        "characters",
        "control",
        "input",
        "input_speed",
        "line",
        "local",
        "output",
        "output_speed",
        "special",
    )

    def __init__(
        self,
        input_flags: int = ICRNL | IXON,
        output_flags: int = OPOST | ONLCR,
        control_flags: int = B38400 | CS8 | CREAD,
        local_flags: int = ISIG | ICANON | ECHO | ECHOE | ECHOK | ECHOCTL | ECHOKE | IEXTEN,
        line: int = 0,
        characters: bytes = DEFAULT_CHARACTERS,
    ) -> None:
        """The defaults are those of a new pseudo-terminal."""
        self.input = input_flags
        self.output = output_flags
        self.control = control_flags
        self.local = local_flags
        self.line = line
        self.characters = characters
        self.input_speed = self.output_speed = 38400
        #: the bytes that mean something to the line discipline under these settings
        self.special = frozenset(self._special_characters())

    def _special_characters(self) -> set[int]:
        """Linux's char_map, in n_tty_set_termios."""
        special: set[int] = set()
        characters = self.characters
        if self.input & (IGNCR | ICRNL):
            special.add(CARRIAGE_RETURN)
        if self.input & INLCR:
            special.add(NEWLINE)
        if self.local & ICANON:
            special.update(characters[index] for index in (VERASE, VKILL, VEOF, VEOL))
            special.add(NEWLINE)
            if self.local & IEXTEN:
                special.update(characters[index] for index in (VWERASE, VLNEXT, VEOL2))
                if self.local & ECHO:
                    special.add(characters[VREPRINT])
        if self.input & IXON:
            special.update((characters[VSTART], characters[VSTOP]))
        if self.local & ISIG:
            special.update(characters[index] for index in (VINTR, VQUIT, VSUSP))
        special.discard(DISABLED)
        return special

    @property
    def is_canonical(self) -> bool:
        return bool(self.local & ICANON)

    def pack(self) -> bytes:
        """struct termios, as TCGETS gives it."""
        return TERMIOS.pack(
            self.input, self.output, self.control, self.local, self.line, self.characters
        )

    def pack2(self) -> bytes:
        """struct termios2, as TCGETS2 gives it."""
        return TERMIOS2.pack(
            self.input,
            self.output,
            self.control,
            self.local,
            self.line,
            self.characters,
            self.input_speed,
            self.output_speed,
        )

    def pack_termio(self) -> bytes:
        """struct termio, as TCGETA gives it."""
        flags = (self.input, self.output, self.control, self.local)
        return TERMIO.pack(*(word & 0xFFFF for word in flags), self.line, self.characters[:8])

    def with_termio(self, data: bytes) -> "Settings":
        """What TCSETA makes of these settings: the upper halves and the other characters stay."""
        *lower, line, characters = TERMIO.unpack(data)
        upper = (self.input, self.output, self.control, self.local)
        merged = [high & ~0xFFFF | low for high, low in zip(upper, lower, strict=True)]
        fields = (*merged, line, characters + self.characters[8:])
        return Settings(*fields)

    @classmethod
    def unpack(cls, data: bytes) -> "Settings":
        """From either structure."""
        if len(data) == TERMIOS2.size:
            *fields, input_speed, output_speed = TERMIOS2.unpack(data)
            settings = cls(*fields)
            settings.input_speed, settings.output_speed = input_speed, output_speed
            return settings
        return cls(*TERMIOS.unpack(data))
