"""Streams of bytes under an archive: decompressed, counted, their digests taken on the way."""

from collections.abc import Callable
from importlib import import_module

from runsc_py.runsc.archive.errors import ArchiveError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import ModuleType
    from typing import Protocol

    class Stream(Protocol):
        """What is read from: bytes up to a size; fewer only at the end."""

        def read(self, size: int = ..., /) -> bytes: ...

        def seek(self, offset: int, whence: int = ..., /) -> int: ...


GZIP = b"\x1f\x8b"
ZSTD = b"\x28\xb5\x2f\xfd"
XZ = b"\xfd7zXZ\0"
BZIP2 = b"BZh"

CHUNK = 1 << 18


class Measured:
    """A stream with the sha256 of what was read from it, and its length.

    No more than `limit` bytes are read.  `progress` is told of every piece.
    """

    def __init__(
        self,
        stream: "Stream",
        *,
        limit: int | None = None,
        progress: Callable[[int], None] | None = None,
    ) -> None:
        from hashlib import sha256

        self._stream = stream
        self._limit = limit
        self._progress = progress
        self._digest = sha256()
        self.size = 0

    def read(self, size: int = -1) -> bytes:
        """Up to `size` bytes, or a piece of our choice."""
        if size < 0:
            size = CHUNK
        data = self._stream.read(size)
        self._digest.update(data)
        self.size += len(data)
        if self._limit is not None and self.size > self._limit:
            raise ArchiveError("it is longer than it says")
        if self._progress is not None:
            self._progress(len(data))
        return data

    def seek(self, offset: int, whence: int = 0) -> int:
        """What is measured is read from the beginning to the end."""
        raise ArchiveError("a measured stream cannot be searched")

    def drain(self) -> None:
        """Read to the end."""
        while self.read(CHUNK):
            pass

    @property
    def digest(self) -> str:
        """`sha256:…` of what was read."""
        return f"sha256:{self._digest.hexdigest()}"


class Peekable:
    """A stream whose first bytes were looked at."""

    def __init__(self, stream: "Stream", size: int) -> None:
        self._stream = stream
        self.head = stream.read(size)
        self._rest = self.head

    def read(self, size: int = -1) -> bytes:
        if not self._rest:
            return self._stream.read(size)
        if size < 0:
            size = len(self._rest)
        data, self._rest = self._rest[:size], self._rest[size:]
        return data

    def seek(self, offset: int, whence: int = 0) -> int:
        raise ArchiveError("a compressed stream cannot be searched")


class _Checked:
    """A decompressor whose errors are ArchiveError."""

    def __init__(self, stream: "Stream", errors: tuple[type[Exception], ...]) -> None:
        self._stream = stream
        self._errors = errors

    def read(self, size: int = -1) -> bytes:
        try:
            return self._stream.read(size)
        except EOFError:
            raise ArchiveError("the compressed data is cut off") from None
        except self._errors as error:
            raise ArchiveError(f"the compressed data is damaged: {error}") from None

    def seek(self, offset: int, whence: int = 0) -> int:
        raise ArchiveError("a compressed stream cannot be searched")


def decompressed(stream: "Stream") -> "Stream":
    """The stream without its compression, which its first bytes tell: gzip, zstd, xz, bzip2, none.

    Raises ArchiveError where this Python lacks a module for it.
    """
    peekable = Peekable(stream, 6)
    head = peekable.head
    if head.startswith(GZIP):
        return _gunzip(peekable)
    if head.startswith(ZSTD):
        return _unzstd(peekable)
    if head.startswith(XZ):
        return _unxz(peekable)
    if head.startswith(BZIP2):
        return _bunzip2(peekable)
    return peekable


def is_compressed(head: bytes) -> bool:
    """Whether a file that begins so is compressed in a way that `decompressed` undoes."""
    return head.startswith((GZIP, ZSTD, XZ, BZIP2))


def _gunzip(stream: Peekable) -> "Stream":
    import gzip
    import zlib

    # BadGzipFile is an OSError, and so is a disk that fails: only the former has no errno.
    return _Checked(gzip.GzipFile(fileobj=stream), (zlib.error, gzip.BadGzipFile))


def zstd_module() -> "ModuleType | None":
    """The standard library's since 3.14, else that of PyPI; None when there is neither."""
    for name in ("compression.zstd", "backports.zstd"):
        try:
            return import_module(name)
        except ImportError:
            continue
    return None


def _unzstd(stream: Peekable) -> "Stream":
    zstd = zstd_module()
    if zstd is None:
        raise ArchiveError(
            "it is compressed with zstd, for which a package is missing: pip install backports.zstd"
        )
    return _Checked(zstd.ZstdFile(stream), (zstd.ZstdError,))


def _unxz(stream: Peekable) -> "Stream":
    try:
        import lzma
    except ImportError:
        raise ArchiveError("it is compressed with xz, which this Python lacks") from None
    return _Checked(lzma.LZMAFile(stream), (lzma.LZMAError,))  # type: ignore[arg-type]


def _bunzip2(stream: Peekable) -> "Stream":
    try:
        import bz2
    except ImportError:
        raise ArchiveError("it is compressed with bzip2, which this Python lacks") from None
    return _Checked(bz2.BZ2File(stream), (OSError,))  # type: ignore[call-overload]
