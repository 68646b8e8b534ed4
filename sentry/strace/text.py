"""How strace(1) writes values: strings, numbers, sets of flags, names."""

from collections.abc import Sequence

#: longer data is cut and followed by "..."
STRING_LIMIT = 32

#: strace has none for bell and backspace
_ESCAPES = {
    0x09: "\\t",
    0x0A: "\\n",
    0x0B: "\\v",
    0x0C: "\\f",
    0x0D: "\\r",
    0x22: '\\"',
    0x5C: "\\\\",
}
_DIGITS = frozenset(b"01234567")


def escape(data: bytes) -> str:
    """Bytes as they stand between the quotes: C escapes, octal as short as is unambiguous."""
    parts: list[str] = []
    for index, byte in enumerate(data):
        if byte in _ESCAPES:
            parts.append(_ESCAPES[byte])
        elif 0x20 <= byte < 0x7F:
            parts.append(chr(byte))
        elif index + 1 < len(data) and data[index + 1] in _DIGITS:
            parts.append(f"\\{byte:03o}")
        else:
            parts.append(f"\\{byte:o}")
    return "".join(parts)


def quote(data: bytes, limit: int = STRING_LIMIT) -> str:
    """Quoted data, cut after `limit` bytes."""
    if len(data) > limit:
        return f'"{escape(data[:limit])}"...'
    return f'"{escape(data)}"'


def quote_hexadecimal(data: bytes, limit: int = STRING_LIMIT) -> str:
    """Quoted data with every byte as an escape, for what is never text."""
    shown = "".join(f"\\x{byte:02x}" for byte in data[:limit])
    return f'"{shown}"' + ("..." if len(data) > limit else "")


def pointer(value: int) -> str:
    """An address; NULL for 0."""
    return f"{value:#x}" if value else "NULL"


def hexadecimal(value: int) -> str:
    """0, 0x1f"""
    return f"{value:#x}" if value else "0"


def array(elements: Sequence[str]) -> str:
    """[a, b, c]"""
    return "[" + ", ".join(elements) + "]"


def structure(fields: Sequence[tuple[str, str]], more: bool = False) -> str:
    """{name=value, …}; `more` says that fields were left out."""
    parts = [f"{name}={value}" for name, value in fields]
    if more:
        parts.append("...")
    return "{" + ", ".join(parts) + "}"


class FlagSet:
    """Names of bits.  Names of several bits come before those of one of them."""

    __slots__ = ("_pairs", "_unknown", "_zero")

    def __init__(self, unknown: str, names: str) -> None:
        """`names` is "NAME value NAME value …"; `unknown` the comment for what has no name."""
        words = names.split()
        pairs = [(name, int(value, 0)) for name, value in zip(words[::2], words[1::2], strict=True)]
        self._zero = next((name for name, value in pairs if value == 0), "0")
        self._pairs = [(name, value) for name, value in pairs if value]
        self._unknown = unknown

    def known(self, value: int) -> tuple[list[str], int]:
        """The names of the bits in `value`, and the bits that have none."""
        names = []
        for name, bits in self._pairs:
            if value & bits == bits:
                names.append(name)
                value &= ~bits
        return names, value

    def format(self, value: int) -> str:
        """A|B|0x40; with no name at all, 0x40 /* X_??? */."""
        if value == 0:
            return self._zero
        names, rest = self.known(value)
        if not names:
            return f"{rest:#x} /* {self._unknown} */"
        if rest:
            names.append(f"{rest:#x}")
        return "|".join(names)


class NameSet:
    """Names of values."""

    __slots__ = ("_names", "_unknown")

    def __init__(self, unknown: str, names: str) -> None:
        """As of FlagSet; the first name of a value counts."""
        words = names.split()
        self._names: dict[int, str] = {}
        for name, value in zip(words[::2], words[1::2], strict=True):
            self._names.setdefault(int(value, 0), name)
        self._unknown = unknown

    def format(self, value: int) -> str:
        """The name, or 0x63 /* X_??? */."""
        name = self._names.get(value)
        return name if name is not None else f"{value & 0xFFFFFFFF:#x} /* {self._unknown} */"
