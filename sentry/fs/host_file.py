"""Regular files: an open file description with a position over bytes that somebody holds.

`RegularFile` is what read(2), write(2), lseek(2) and their relatives mean for every regular
file; `HostFile` is the one whose bytes are a host descriptor (a memfd, a file that the gofer
donated).  A file system derives its own from one of them and says what it must know: limits
before a write, times after one.

Neighbours: `fs/tmpfs/regular.py`, `fs/gofer/regular.py` and `fs/memfd.py` derive from these.
Host errors are raised as the OSError they are; the dispatcher passes their errno on.
"""

import errno
import os
from collections.abc import Iterator

from runsc_py.sentry.errors import EFBIG, EINVAL, ENXIO, EOPNOTSUPP
from runsc_py.sentry.vfs.open_file import O_APPEND, OpenFile

SEEK_SET, SEEK_CUR, SEEK_END, SEEK_DATA, SEEK_HOLE = range(5)

FALLOC_FL_KEEP_SIZE = 0x01
FALLOC_FL_PUNCH_HOLE = 0x02
FALLOC_FL_COLLAPSE_RANGE = 0x08
FALLOC_FL_ZERO_RANGE = 0x10
FALLOC_FL_INSERT_RANGE = 0x20
FALLOC_FL_UNSHARE_RANGE = 0x40

#: the largest file offset (Linux's MAX_LFS_FILESIZE)
MAXIMUM_OFFSET = (1 << 63) - 1

PAGE_SIZE = 4096


class RegularFile(OpenFile):
    """The position and append rules of a regular file; where the bytes are is left open.

    Derived classes give `size`, `read_at`, `write_bytes` and `seek_content`.
    """

    __slots__ = ()

    seekable = True
    has_storage = True

    @property
    def size(self) -> int:
        """Current size of the file, bytes."""
        raise NotImplementedError

    def write_bytes(self, data: bytes, offset: int) -> int:
        """Store `data` at `offset`, wherever that is; returns how many bytes were stored.

        Errors: ENOSPC, EFBIG.
        """
        raise NotImplementedError

    def seek_content(self, offset: int, whence: int) -> int:
        """SEEK_DATA and SEEK_HOLE; `offset` lies inside of the file.  Errors: ENXIO."""
        raise NotImplementedError

    def read(self, size: int) -> bytes:
        data = self.read_at(size, self.position)
        self.position += len(data)
        return data

    def write(self, data: bytes) -> int:
        offset = self.size if self.flags & O_APPEND else self.position
        count = self.write_bytes(data, offset)
        self.position = offset + count
        return count

    def write_at(self, data: bytes, offset: int) -> int:
        # pwrite(2), BUGS: O_APPEND appends, whatever the offset.
        return self.write_bytes(data, self.size if self.flags & O_APPEND else offset)

    def seek(self, offset: int, whence: int) -> int:
        """lseek(2).  Errors: EINVAL (unknown whence, negative result), ENXIO (no such data)."""
        if whence == SEEK_SET:
            position = offset
        elif whence == SEEK_CUR:
            position = self.position + offset
        elif whence == SEEK_END:
            position = self.size + offset
        elif whence in (SEEK_DATA, SEEK_HOLE):
            if offset < 0 or offset >= self.size:
                raise ENXIO
            position = self.seek_content(offset, whence)
        else:
            raise EINVAL
        if not 0 <= position <= MAXIMUM_OFFSET:
            raise EINVAL
        self.position = position
        return position


class HostFile(RegularFile):
    """A regular file whose bytes are those of a host file.

    `descriptor` is open for what the access mode promises.  Who closes it is up to the derived
    class: here nobody does.
    """

    __slots__ = ()

    @property
    def descriptor(self) -> int:
        """The host descriptor with the bytes."""
        raise NotImplementedError

    def modified(self) -> None:
        """Bytes or the size were changed: so are mtime and ctime."""

    @property
    def size(self) -> int:
        return os.fstat(self.descriptor).st_size

    def host_descriptor(self) -> int | None:
        return self.descriptor

    def native_reader(self) -> int:
        return self.descriptor

    def begin_native_write(self, size: int, offset: int) -> tuple[int, int]:
        return (-1, 0) if self.flags & O_APPEND else (self.descriptor, size)

    def end_native_write(self, allowed: int, written: int) -> None:
        self.modified()

    def read_at(self, size: int, offset: int) -> bytes:
        data = os.pread(self.descriptor, size, offset)
        self.accessed()
        return data

    def write_bytes(self, data: bytes, offset: int) -> int:
        count = os.pwrite(self.descriptor, data, offset)
        self.modified()
        return count

    def seek_content(self, offset: int, whence: int) -> int:
        return os.lseek(self.descriptor, offset, whence)

    def truncate(self, size: int) -> None:
        os.ftruncate(self.descriptor, size)
        self.modified()

    def allocate(self, mode: int, offset: int, size: int) -> None:
        host_allocate(self.descriptor, mode, offset, size)
        self.modified()

    def sync(self, data_only: bool) -> None:
        if data_only:
            os.fdatasync(self.descriptor)
        else:
            os.fsync(self.descriptor)


def check_allocation(mode: int, offset: int, size: int) -> None:
    """The argument checks of fallocate(2), in Linux's order.

    Errors: EINVAL, EOPNOTSUPP (an unknown or impossible mode), EFBIG.
    """
    if offset < 0 or size <= 0:
        raise EINVAL
    known = (
        FALLOC_FL_KEEP_SIZE
        | FALLOC_FL_PUNCH_HOLE
        | FALLOC_FL_COLLAPSE_RANGE
        | FALLOC_FL_ZERO_RANGE
        | FALLOC_FL_INSERT_RANGE
        | FALLOC_FL_UNSHARE_RANGE
    )
    if mode & ~known:
        raise EOPNOTSUPP
    if mode & FALLOC_FL_PUNCH_HOLE and mode != FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE:
        raise EOPNOTSUPP
    if offset + size > MAXIMUM_OFFSET:
        raise EFBIG


def host_allocate(descriptor: int, mode: int, offset: int, size: int) -> None:
    """fallocate(2) on a host descriptor, with its mode (os.posix_fallocate has none)."""
    check_allocation(mode, offset, size)
    from runsc_py.platform.host_files import allocate

    allocate(descriptor, mode, offset, size)


def data_ranges(descriptor: int, size: int) -> Iterator[tuple[int, int]]:
    """The (start, end) of what is no hole in the first `size` bytes of a host file."""
    position = 0
    while position < size:
        try:
            start = os.lseek(descriptor, position, os.SEEK_DATA)
        except OSError as error:
            if error.errno == errno.ENXIO:
                return
            raise
        position = os.lseek(descriptor, start, os.SEEK_HOLE)
        if start < size:
            yield start, min(position, size)
