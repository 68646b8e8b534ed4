"""Reading an archive: a stream of bytes in, entries out, nothing kept.

Understood are the formats of GNU tar, of POSIX (ustar, pax) and of Unix V7.  Whatever comes, what
is held in memory is bounded: `HEADER_LIMIT` for an entry's extended headers, a chunk of content.
"""

from collections.abc import Iterator

from runsc_py.runsc.archive import headers
from runsc_py.runsc.archive.errors import ArchiveError
from runsc_py.runsc.archive.headers import BLOCK, padded
from runsc_py.runsc.archive.member import DIRECTORY, REGULAR, WITHOUT_CONTENT, Extents, Member
from runsc_py.runsc.archive.sparse import check_extents, parse_list, read_map, read_old

TYPE_CHECKING = False
if TYPE_CHECKING:
    from runsc_py.runsc.archive.streams import Stream

#: bytes of extended headers of one entry
HEADER_LIMIT = 1 << 20
CHUNK = 1 << 18

_GNU_LONG_NAME, _GNU_LONG_LINK, _GNU_SPARSE, _GNU_LABEL = b"L", b"K", b"S", b"V"
_PAX, _PAX_GLOBAL = b"x", b"g"
_EXTENSIONS = (_GNU_LONG_NAME, _GNU_LONG_LINK, _PAX)
#: the same thing under another letter: old and contiguous files, GNU's directory with a listing
_SYNONYMS = {b"\0": REGULAR, b"7": REGULAR, _GNU_SPARSE: REGULAR, b"D": DIRECTORY}
_KNOWN = WITHOUT_CONTENT | {REGULAR}

_XATTR = b"SCHILY.xattr."


class TarReader:
    """Iterates over the entries of `stream`; content is read in between, or skipped.

    Reading raises ArchiveError for an archive that is damaged, or cut off within an entry.
    """

    def __init__(self, stream: "Stream", *, seekable: bool = False) -> None:
        self._stream = stream
        self._seekable = seekable
        #: bytes taken from the stream
        self.position = 0
        #: whether the end marker was met; an archive may do without, and may be cut off there
        self.ended = False
        #: of the content of the entry before: what was not read, and what pads it
        self._left = 0
        self._padding = 0
        self._extents: Extents = []

    def __iter__(self) -> Iterator[Member]:
        while (member := self._next()) is not None:
            yield member

    def content(self) -> Iterator[tuple[int, bytes]]:
        """The bytes of the entry that was read last, in chunks: (offset in the file, bytes)."""
        for offset, length in self._extents:
            end = offset + length
            while offset < end:
                data = self._read(min(end - offset, CHUNK))
                self._left -= len(data)
                yield offset, data
                offset += len(data)
        self._extents = []

    # -- bytes ------------------------------------------------------------------------------

    def _read(self, size: int) -> bytes:
        """Exactly `size` bytes."""
        data = self._stream.read(size)
        if len(data) < size:
            parts = [data]
            missing = size - len(data)
            while missing:
                if not data:
                    whole = self.position >= BLOCK
                    raise ArchiveError(
                        "the archive is cut off" if whole else "no archive, or cut off"
                    )
                data = self._stream.read(missing)
                parts.append(data)
                missing -= len(data)
            data = b"".join(parts)
        self.position += size
        return data

    def _skip(self, size: int) -> None:
        if self._seekable and size > CHUNK:
            # The last byte is read, so that a file that is cut off is noticed.
            self._stream.seek(size - 1, 1)
            self.position += size - 1
            size = 1
        while size:
            part = min(size, CHUNK)
            self._read(part)
            size -= part

    def _block(self) -> bytes:
        return self._read(BLOCK)

    # -- headers ----------------------------------------------------------------------------

    def _next(self) -> Member | None:
        """The next entry; None at the end marker."""
        self._skip(self._left + self._padding)
        self._left = self._padding = 0
        self._extents = []
        extended: dict[bytes, bytes] = {}
        extents: Extents = []
        taken = 0
        while True:
            header = self._stream.read(1)
            if not header and not extended:
                return None
            self.position += len(header)
            header += self._read(BLOCK - 1)
            if not header.strip(b"\0"):
                # A second block of zeros belongs to it; there are archives without.
                self.ended = True
                return None
            headers.check_header(header)
            size = headers.number_field(header, headers.SIZE)
            if not 0 <= size <= headers.LARGEST_SIZE:
                raise ArchiveError("an entry's size is damaged")
            kind = header[headers.TYPE[0] : headers.TYPE[1]]
            if kind in (_PAX_GLOBAL, _GNU_LABEL):
                self._skip(padded(size))
            elif kind in _EXTENSIONS:
                taken += size
                if taken > HEADER_LIMIT:
                    raise ArchiveError("an extended header is too long")
                data = self._read(padded(size))[:size]
                self._extend(kind, data, extended, extents)
            else:
                return self._member(header, kind, size, extended, extents)

    def _extend(
        self, kind: bytes, data: bytes, extended: dict[bytes, bytes], extents: Extents
    ) -> None:
        """Take the records of an extended header."""
        if kind == _GNU_LONG_NAME:
            extended[b"path"] = data.partition(b"\0")[0]
            return
        if kind == _GNU_LONG_LINK:
            extended[b"linkpath"] = data.partition(b"\0")[0]
            return
        for key, value in headers.parse_records(data):
            # Format 0.0 of sparse files repeats its records.
            if key == b"GNU.sparse.offset":
                extents.append((headers.decimal(value), 0))
            elif key == b"GNU.sparse.numbytes" and extents:
                extents[-1] = (extents[-1][0], headers.decimal(value))
            else:
                extended[key] = value

    def _member(
        self,
        header: bytes,
        kind: bytes,
        size: int,
        extended: dict[bytes, bytes],
        extents: Extents,
    ) -> Member:
        """The entry that a header and the extended ones before it describe."""
        if b"size" in extended:
            size = headers.decimal(extended[b"size"])
            if size > headers.LARGEST_SIZE:
                raise ArchiveError("an entry's size is damaged")
        member = Member(_name(header, extended), _SYNONYMS.get(kind, kind))
        if member.type not in _KNOWN:
            raise ArchiveError(f"an entry is of unknown type {kind!r}")
        if member.type == REGULAR and member.name.endswith(b"/"):
            member.type = DIRECTORY  # as Unix V7 wrote them
        _attributes(member, header, extended)
        if member.type in WITHOUT_CONTENT:
            return member
        self._left = size
        self._padding = padded(size) - size
        member.size = size
        self._extents = [(0, size)]
        self._find_holes(member, header, kind, extended, extents)
        return member

    def _find_holes(
        self,
        member: Member,
        header: bytes,
        kind: bytes,
        extended: dict[bytes, bytes],
        extents: Extents,
    ) -> None:
        """Set the real size and the extents of a sparse file."""
        stored = self._left
        if kind == _GNU_SPARSE:
            # The blocks of the map do not count as content.
            extents, size = read_old(header, self._block)
        elif extended.get(b"GNU.sparse.major") == b"1":
            extents, taken = read_map(self._block)
            stored = self._left = stored - taken
            if stored < 0:
                raise ArchiveError("the map of a sparse file is damaged")
            size = headers.decimal(extended.get(b"GNU.sparse.realsize", b""))
        elif b"GNU.sparse.size" in extended:
            if b"GNU.sparse.map" in extended:
                extents = parse_list(extended[b"GNU.sparse.map"])
            size = headers.decimal(extended[b"GNU.sparse.size"])
        else:
            return
        if not 0 <= size <= headers.LARGEST_SIZE:
            raise ArchiveError("an entry's size is damaged")
        member.size = size
        member.extents = self._extents = check_extents(extents, size, stored)


def _name(header: bytes, extended: dict[bytes, bytes]) -> bytes:
    for key in (b"GNU.sparse.name", b"path"):
        if key in extended:
            return extended[key]
    name = headers.text_field(header, headers.NAME)
    magic = header[headers.MAGIC[0] : headers.MAGIC[1]]
    if magic.startswith(b"ustar\0"):
        prefix = headers.text_field(header, headers.PREFIX)
        if prefix:
            return prefix + b"/" + name
    return name


def _attributes(member: Member, header: bytes, extended: dict[bytes, bytes]) -> None:
    """Everything but name, type and content."""
    member.link = extended.get(b"linkpath", headers.text_field(header, headers.LINK))
    member.mode = headers.number_field(header, headers.MODE) & 0o7777
    member.uid = _number(header, headers.UID, extended, b"uid")
    member.gid = _number(header, headers.GID, extended, b"gid")
    member.device = (
        headers.number_field(header, headers.MAJOR) & 0xFFF,
        headers.number_field(header, headers.MINOR) & 0xFFFFF,
    )
    if b"mtime" in extended:
        time = headers.timestamp(extended[b"mtime"])
    else:
        time = headers.number_field(header, headers.MTIME) * headers.SECOND
    member.mtime = headers.representable(time)
    member.comment = extended.get(b"comment", b"")
    for key, value in extended.items():
        if key.startswith(_XATTR):
            member.xattrs[key.removeprefix(_XATTR)] = value


def _number(header: bytes, field: tuple[int, int], extended: dict[bytes, bytes], key: bytes) -> int:
    """A user or group id.  Raises ArchiveError for one that Linux does not have."""
    if key in extended:
        value = headers.decimal(extended[key])
    else:
        value = headers.number_field(header, field)
    if not 0 <= value < 0xFFFFFFFF:
        raise ArchiveError("an owner's number is out of range")
    return value
