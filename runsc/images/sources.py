"""Where the blobs of an image come from: files of a directory, or entries of an archive."""

import os
import stat

from runsc_py.runsc.archive.errors import ArchiveError
from runsc_py.runsc.archive.member import HARD_LINK, REGULAR, SYMLINK, show, split_path
from runsc_py.runsc.archive.reader import TarReader
from runsc_py.runsc.archive.streams import Measured

TYPE_CHECKING = False
if TYPE_CHECKING:
    from runsc_py.runsc.archive.streams import Stream

#: entries of an archive of blobs
MOST_ENTRIES = 1 << 16
#: links from entry to entry
MOST_LINKS = 8

_OPEN = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC


class Extent:
    """Part of an open file, as a stream with a position of its own."""

    def __init__(self, descriptor: int, offset: int, size: int) -> None:
        self._descriptor = descriptor
        self._offset = offset
        self._end = offset + size

    def read(self, size: int = -1, /) -> bytes:
        left = self._end - self._offset
        data = os.pread(self._descriptor, left if size < 0 else min(size, left), self._offset)
        self._offset += len(data)
        return data

    def seek(self, offset: int, whence: int = 0, /) -> int:
        """From where it is (`whence` 1) only."""
        if whence != 1:
            raise ValueError(whence)
        self._offset += offset
        return self._offset


class Blob:
    """Some bytes of a source, and what is claimed of them."""

    def __init__(self, name: str, stream: "Stream", size: int, digest: str | None) -> None:
        self.name = name
        self._stream = stream
        #: as it is, which is checked against what was said
        self.size = size
        #: what was said; None when nothing was
        self.digest = digest

    def open(self) -> "Stream":
        """To be read once."""
        return self._stream

    def check_digest(self, measured: str) -> None:
        """Raises ArchiveError when the digest is not the one that was said."""
        if self.digest is not None and measured != self.digest:
            raise ArchiveError(f"{self.name} is damaged: its digest is {measured}")

    def measured_digest(self, data: bytes) -> str:
        """The digest of the whole blob, checked."""
        from hashlib import sha256

        digest = f"sha256:{sha256(data).hexdigest()}"
        self.check_digest(digest)
        return digest

    def read(self, limit: int) -> bytes:
        """The whole of a small blob, its digest checked."""
        if self.size > limit:
            raise ArchiveError(f"{self.name} is too large: {self.size} bytes")
        measured = Measured(self._stream)
        parts = []
        while part := measured.read():
            parts.append(part)
        self.check_digest(measured.digest)
        return b"".join(parts)


class Source:
    """Blobs by name."""

    def blob(self, name: str, *, size: int | None = None, digest: str | None = None) -> Blob:
        """A blob, with what was said of it.  Raises ArchiveError where it is not, or not so."""
        found = self._find(name)
        if found is None:
            raise ArchiveError(f"{show(os.fsencode(name))} is missing")
        stream, actual = found
        if size is not None and actual != size:
            raise ArchiveError(f"{name} is damaged: it has {actual} bytes instead of {size}")
        return Blob(name, stream, actual, digest)

    def has(self, name: str) -> bool:
        """Whether there is such a blob."""
        return self._find(name) is not None

    def _find(self, name: str) -> "tuple[Stream, int] | None":
        """A stream from the beginning, and its length."""
        raise NotImplementedError

    def close(self) -> None:
        """Give the descriptors back."""


class DirectorySource(Source):
    """Files below a directory of the host.  No symbolic link is followed."""

    def __init__(self, path: str) -> None:
        self._root = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        self._opened: list[int] = []

    def _find(self, name: str) -> "tuple[Stream, int] | None":
        *parents, last = split_path(os.fsencode(name))
        directory = os.dup(self._root)
        try:
            for parent in parents:
                inner = os.open(parent, _OPEN | os.O_DIRECTORY, dir_fd=directory)
                os.close(directory)
                directory = inner
            descriptor = os.open(last, _OPEN, dir_fd=directory)
        except FileNotFoundError:
            return None
        except OSError as error:
            raise ArchiveError(f"{show(os.fsencode(name))}: {error.strerror}") from None
        finally:
            os.close(directory)
        self._opened.append(descriptor)
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode):
            raise ArchiveError(f"{show(os.fsencode(name))} is not a file")
        return Extent(descriptor, 0, status.st_size), status.st_size

    def close(self) -> None:
        for descriptor in self._opened:
            os.close(descriptor)
        self._opened.clear()
        os.close(self._root)


class ArchiveSource(Source):
    """Entries of an uncompressed tar archive, found once and then read in place."""

    def __init__(self, descriptor: int) -> None:
        """`descriptor` is closed with this."""
        self._descriptor = descriptor
        #: path to (offset, size)
        self._files: dict[bytes, tuple[int, int]] = {}
        self._links: dict[bytes, bytes] = {}
        reader = TarReader(Extent(descriptor, 0, os.fstat(descriptor).st_size), seekable=True)
        for member in reader:
            path = b"/".join(member.components())
            if member.type == REGULAR and member.extents is None:
                self._files[path] = (reader.position, member.size)
                self._links.pop(path, None)
            elif member.type == SYMLINK:
                self._links[path] = b"/".join((path.rpartition(b"/")[0], member.link))
            elif member.type == HARD_LINK:
                self._links[path] = member.link
            if len(self._files) + len(self._links) > MOST_ENTRIES:
                # No image has so many blobs: a file system, of which nothing is to be found.
                self._files.clear()
                return

    def _find(self, name: str) -> "tuple[Stream, int] | None":
        path = b"/".join(split_path(os.fsencode(name)))
        for _ in range(MOST_LINKS):
            if path in self._files:
                offset, size = self._files[path]
                return Extent(self._descriptor, offset, size), size
            if path not in self._links:
                return None
            path = os.path.normpath(self._links[path]).lstrip(b"/")
        return None

    def close(self) -> None:
        os.close(self._descriptor)
