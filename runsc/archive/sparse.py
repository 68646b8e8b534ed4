"""Holes in files, as GNU tar writes them.

Format 1.0, the one we write, keeps the map in front of the content, as decimal lines; 0.0 and 0.1
keep it in pax records; the oldest has it in the header itself and in blocks after it.
"""

from collections.abc import Callable

from runsc_py.runsc.archive.errors import ArchiveError
from runsc_py.runsc.archive.headers import BLOCK, decimal, number_field
from runsc_py.runsc.archive.member import Extents

#: a map with more entries than this is not read
MOST_EXTENTS = 1 << 18
_LONGEST_NUMBER = 20

# The old format's header: four entries at 386, then "more follow" and the file's size.
_OLD_ENTRIES, _OLD_MORE, _OLD_SIZE = 386, 482, (483, 495)
# Of a block that follows: 21 entries, "more follow".
_MORE_COUNT, _MORE_MORE = 21, 504


def check_extents(extents: Extents, size: int, stored: int) -> Extents:
    """The map without empty entries.  Raises ArchiveError when it is not in order."""
    position = 0
    for offset, length in extents:
        if offset < position or length < 0 or offset + length > size:
            raise ArchiveError("the map of a sparse file is damaged")
        position = offset + length
    if sum(length for _, length in extents) != stored:
        raise ArchiveError("the map of a sparse file does not fit its content")
    return [(offset, length) for offset, length in extents if length]


def read_old(header: bytes, read_block: Callable[[], bytes]) -> tuple[Extents, int]:
    """The map of type "S", and the file's size."""
    extents = _old_entries(header, _OLD_ENTRIES, 4)
    more = header[_OLD_MORE]
    while more:
        block = read_block()
        extents += _old_entries(block, 0, _MORE_COUNT)
        more = block[_MORE_MORE]
        if len(extents) > MOST_EXTENTS:
            raise ArchiveError("a sparse file has too many holes")
    return extents, number_field(header, _OLD_SIZE)


def _old_entries(block: bytes, start: int, count: int) -> Extents:
    entries = []
    for place in range(start, start + 24 * count, 24):
        length = number_field(block, (place + 12, place + 24))
        if length:
            entries.append((number_field(block, (place, place + 12)), length))
    return entries


def parse_list(text: bytes) -> Extents:
    """The map of format 0.1: `OFFSET,LENGTH,OFFSET,LENGTH…`."""
    if not text:
        return []
    numbers = text.split(b",")
    if len(numbers) % 2 or len(numbers) > 2 * MOST_EXTENTS:
        raise ArchiveError("the map of a sparse file is damaged")
    values = [decimal(number) for number in numbers]
    return list(zip(values[::2], values[1::2], strict=True))


def read_map(read_block: Callable[[], bytes]) -> tuple[Extents, int]:
    """The map of format 1.0, and how many bytes of the content it took."""
    data = b""
    taken = 0

    def line() -> int:
        nonlocal data, taken
        while b"\n" not in data:
            if len(data) > _LONGEST_NUMBER:
                raise ArchiveError("the map of a sparse file is damaged")
            data += read_block()
            taken += BLOCK
        number, _, data = data.partition(b"\n")
        return decimal(number)

    count = line()
    if count > MOST_EXTENTS:
        raise ArchiveError("a sparse file has too many holes")
    return [(line(), line()) for _ in range(count)], taken


def make_map(extents: Extents, size: int) -> bytes:
    """The map of format 1.0 for a file of `size` bytes, padded to whole blocks."""
    if not extents or sum(extents[-1]) < size:
        # GNU tar wants a hole at the end to be closed by an empty entry.
        extents = [*extents, (size, 0)]
    numbers = [len(extents), *(number for extent in extents for number in extent)]
    text = b"".join(b"%d\n" % number for number in numbers)
    return text + bytes(-len(text) % BLOCK)
