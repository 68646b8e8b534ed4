"""Writing an archive as a stream: ustar headers, pax records for what does not fit into them.

What comes out is read by GNU tar, bsdtar, Python and the container tools.
"""

from collections.abc import Callable, Iterable

from runsc_py.runsc.archive.headers import (
    BLOCK,
    CHECKSUM,
    POSIX_MAGIC,
    SECOND,
    make_record,
    padded,
)
from runsc_py.runsc.archive.member import DIRECTORY, REGULAR, Member
from runsc_py.runsc.archive.sparse import make_map

#: what fits into the octal fields of a header
_SMALL, _LARGE = 0o7777777, 0o77777777777
_PAX = b"x"


class TarWriter:
    """Entries to bytes, which go to `write` as they are made."""

    def __init__(self, write: Callable[[bytes], None]) -> None:
        self._write = write
        self._padding = 0

    def add(self, member: Member) -> None:
        """Write an entry's headers.

        Exactly `member.stored` bytes of content must follow, by `content` or written elsewhere;
        then `end_content`.
        """
        records: dict[bytes, bytes] = {}
        stored = member.stored if member.type == REGULAR else 0
        name = member.name + (b"/" if member.type == DIRECTORY else b"")
        before = b""
        if member.extents is not None:
            before = make_map(member.extents, member.size)
            stored += len(before)
            records[b"GNU.sparse.major"] = b"1"
            records[b"GNU.sparse.minor"] = b"0"
            records[b"GNU.sparse.name"] = name
            records[b"GNU.sparse.realsize"] = b"%d" % member.size
            name = b"GNUSparseFile.0/" + name.rpartition(b"/")[2]
        _collect(member, name, stored, records)
        headers = b""
        if records:
            data = b"".join(make_record(key, value) for key, value in records.items())
            extended = Member(b"PaxHeaders/" + name.strip(b"/").rpartition(b"/")[2][:80])
            headers = _header(extended, extended.name, _PAX, len(data))
            headers += data + bytes(-len(data) % BLOCK)
        headers += _header(member, name, member.type, stored)
        self._padding = padded(stored) - stored
        self._write(headers + before)

    def end_content(self) -> None:
        """The content of the entry is complete."""
        if self._padding:
            self._write(bytes(self._padding))

    def add_with(self, member: Member, content: Iterable[bytes]) -> None:
        """An entry with its content, which is `member.stored` bytes long."""
        self.add(member)
        for part in content:
            self._write(part)
        self.end_content()

    def finish(self) -> None:
        """The end marker."""
        self._write(bytes(2 * BLOCK))


def _collect(member: Member, name: bytes, stored: int, records: dict[bytes, bytes]) -> None:
    """The pax records for what the header has no room for."""
    prefix, base = _split(name)
    if len(base) > 100 or len(prefix) > 155:
        records[b"path"] = name
    if len(member.link) > 100:
        records[b"linkpath"] = member.link
    for key, number in ((b"uid", member.uid), (b"gid", member.gid)):
        if number > _SMALL:
            records[key] = b"%d" % number
    if stored > _LARGE:
        records[b"size"] = b"%d" % stored
    if member.mtime % SECOND or not 0 <= member.mtime // SECOND <= _LARGE:
        records[b"mtime"] = _time(member.mtime)
    if member.comment:
        records[b"comment"] = member.comment
    for key, value in member.xattrs.items():
        records[b"SCHILY.xattr." + key] = value


def _time(time: int) -> bytes:
    seconds, nanoseconds = divmod(abs(time), SECOND)
    return b"%s%d.%09d" % (b"-" if time < 0 else b"", seconds, nanoseconds)


def _split(name: bytes) -> tuple[bytes, bytes]:
    """A name as the header's prefix and name; it does not fit when one of them is too long."""
    if len(name) <= 100:
        return b"", name
    # The first slash that leaves few enough bytes behind it.
    place = name.find(b"/", len(name) - 101, len(name) - 1)
    return (name[:place], name[place + 1 :]) if place > 0 else (b"", name)


def _octal(value: int, width: int) -> bytes:
    """A number of a header; one that does not fit has a pax record, and is 0 here."""
    digits = b"%0*o" % (width - 1, value if value >= 0 else 0)
    return (digits if len(digits) < width else b"0" * (width - 1)) + b"\0"


def _header(member: Member, name: bytes, kind: bytes, size: int) -> bytes:
    prefix, base = _split(name)
    if len(base) > 100 or len(prefix) > 155:
        prefix, base = b"", base[:100]
    block = b"".join(
        (
            base.ljust(100, b"\0"),
            _octal(member.mode, 8),
            _octal(member.uid, 8),
            _octal(member.gid, 8),
            _octal(size, 12),
            _octal(member.mtime // SECOND, 12),
            b" " * 8,
            kind,
            member.link[:100].ljust(100, b"\0"),
            POSIX_MAGIC,
            bytes(64),  # names of the owner: numbers are what counts
            _octal(member.device[0], 8),
            _octal(member.device[1], 8),
            prefix.ljust(167, b"\0"),
        )
    )
    start, end = CHECKSUM
    return block[:start] + b"%06o\0 " % sum(block) + block[end:]
