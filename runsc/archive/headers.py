"""How tar writes numbers and extended records: ustar, GNU, and pax (POSIX.1-2001)."""

from collections.abc import Iterator

from runsc_py.runsc.archive.errors import ArchiveError

BLOCK = 512
SECOND = 1_000_000_000

DAMAGED = "a header is damaged: this is no tar archive, or not a whole one"

#: the header's fields: (start, end)
NAME = (0, 100)
MODE = (100, 108)
UID = (108, 116)
GID = (116, 124)
SIZE = (124, 136)
MTIME = (136, 148)
CHECKSUM = (148, 156)
TYPE = (156, 157)
LINK = (157, 257)
MAGIC = (257, 265)
MAJOR = (329, 337)
MINOR = (337, 345)
PREFIX = (345, 500)

POSIX_MAGIC = b"ustar\00000"
GNU_MAGIC = b"ustar  \0"

#: a file cannot be larger (loff_t)
LARGEST_SIZE = (1 << 63) - 1
#: seconds that every file system we may unpack to can keep
EARLIEST, LATEST = -(1 << 31), (1 << 34) - 1


def padded(size: int) -> int:
    """The space that `size` bytes take: whole blocks."""
    return -(-size // BLOCK) * BLOCK


def text_field(block: bytes, field: tuple[int, int]) -> bytes:
    """A field of text, up to its NUL."""
    return block[field[0] : field[1]].partition(b"\0")[0]


def number_field(block: bytes, field: tuple[int, int]) -> int:
    """A field with a number: octal digits, or GNU's base 256.  Raises ArchiveError."""
    raw = block[field[0] : field[1]]
    if raw[:1] in (b"\x80", b"\xff"):
        value = int.from_bytes(raw[1:], "big")
        return value - (1 << 8 * (len(raw) - 1)) if raw[0] == 0xFF else value
    digits = raw.partition(b"\0")[0].strip()
    if not digits:
        return 0
    if digits.strip(b"01234567"):
        raise ArchiveError(DAMAGED)
    return int(digits, 8)


def check_header(block: bytes) -> None:
    """Raises ArchiveError when the checksum is not that of the header."""
    start, end = CHECKSUM
    rest = block[:start] + b" " * (end - start) + block[end:]
    wanted = number_field(block, CHECKSUM)
    # Some old writers added the bytes as signed ones.
    if wanted != sum(rest) and wanted != sum(byte - 256 if byte > 127 else byte for byte in rest):
        raise ArchiveError(DAMAGED)


def decimal(text: bytes) -> int:
    """A decimal number of an extended record.  Raises ArchiveError."""
    if not text or len(text) > 20 or text.strip(b"0123456789"):
        raise ArchiveError("an extended header's number is damaged")
    return int(text)


def timestamp(text: bytes) -> int:
    """A pax time, `1700000000.123456789`, in nanoseconds.  Raises ArchiveError."""
    negative = text.startswith(b"-")
    whole, _, fraction = text[1:].partition(b".") if negative else text.partition(b".")
    digits = fraction[:9]
    if digits.strip(b"0123456789"):
        raise ArchiveError("an extended header's time is damaged")
    value = decimal(whole) * SECOND + int(digits.ljust(9, b"0"))
    return -value if negative else value


def representable(time: int) -> int:
    """The nearest time that file systems can keep."""
    return min(max(time, EARLIEST * SECOND), LATEST * SECOND)


def parse_records(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    """The records of a pax header: `LENGTH KEY=VALUE\\n`, in order.  Raises ArchiveError."""
    position = 0
    while position < len(data):
        if data[position] == 0:
            return  # padding, which some writers count in
        space = data.find(b" ", position, position + 21)
        if space < 0:
            raise ArchiveError("an extended header is damaged")
        end = position + decimal(data[position:space])
        key, equals, value = data[space + 1 : end - 1].partition(b"=")
        if end <= space + 1 or end > len(data) or data[end - 1] != 0x0A or not (key and equals):
            raise ArchiveError("an extended header is damaged")
        yield key, value
        position = end


def make_record(key: bytes, value: bytes) -> bytes:
    """One record of a pax header; its length counts its own digits."""
    rest = b" " + key + b"=" + value + b"\n"
    length = len(rest)
    while length != len(rest) + len(b"%d" % length):
        length = len(rest) + len(b"%d" % length)
    return b"%d" % length + rest
