"""One entry of an archive."""

from runsc_py.runsc.archive.errors import ArchiveError

#: types of entries, as their headers have them
REGULAR = b"0"
HARD_LINK = b"1"
SYMLINK = b"2"
CHARACTER_DEVICE = b"3"
BLOCK_DEVICE = b"4"
DIRECTORY = b"5"
FIFO = b"6"

#: those without bytes of their own, whatever their headers say
WITHOUT_CONTENT = frozenset((HARD_LINK, SYMLINK, CHARACTER_DEVICE, BLOCK_DEVICE, DIRECTORY, FIFO))

#: words for them
TYPE_NAMES = {
    REGULAR: "file",
    HARD_LINK: "hardlink",
    SYMLINK: "symlink",
    CHARACTER_DEVICE: "character-device",
    BLOCK_DEVICE: "block-device",
    DIRECTORY: "directory",
    FIFO: "fifo",
}

#: where a file has bytes: (offset, length), in order; lengths are whole blocks but for the last
#: one, since GNU tar looks for the next extent in a block of its own
Extents = list[tuple[int, int]]


class Member:
    """An entry.  Times are nanoseconds since the epoch; `mode` is permissions alone."""

    __slots__ = (
        "comment",
        "device",
        "extents",
        "gid",
        "link",
        "mode",
        "mtime",
        "name",
        "size",
        "type",
        "uid",
        "xattrs",
    )

    def __init__(self, name: bytes, kind: bytes = REGULAR) -> None:
        self.name = name
        self.type = kind
        self.mode = 0o644
        self.uid = 0
        self.gid = 0
        #: of the file, holes included
        self.size = 0
        self.mtime = 0
        #: the target of a symbolic link; the name of another entry for a hard link
        self.link = b""
        #: major and minor number of a device node
        self.device = (0, 0)
        self.xattrs: dict[bytes, bytes] = {}
        #: None: no holes
        self.extents: Extents | None = None
        #: pax's own field for a remark that no reader acts upon
        self.comment = b""

    @property
    def stored(self) -> int:
        """How many bytes of content are in the archive."""
        if self.extents is None:
            return self.size
        return sum(length for _, length in self.extents)

    def components(self) -> list[bytes]:
        """The path's components.  Raises ArchiveError for a path that climbs."""
        return split_path(self.name)


def split_path(path: bytes) -> list[bytes]:
    """Components of a path below the archive's root, wherever it says it starts.

    Raises ArchiveError for `..`, for NUL and for what no file system takes.
    """
    if b"\0" in path:
        raise ArchiveError("a name contains a NUL byte")
    parts = [part for part in path.split(b"/") if part not in (b"", b".")]
    for part in parts:
        if part == b"..":
            raise ArchiveError(f"{show(path)}: climbs with '..'")
        if len(part) > 255:
            raise ArchiveError(f"{show(path)}: a component has more than 255 bytes")
    return parts


def show(name: bytes) -> str:
    """A name for a message."""
    text = name.decode(errors="surrogateescape")
    return text if len(text) <= 200 else text[:200] + "…"
