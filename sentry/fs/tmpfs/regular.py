"""Regular files of tmpfs: small ones are Python bytes, the others a host memfd each.

Bytes belong into host objects, so that the host moves them and maps them.  A file that is small
and mapped by nobody is the exception: a descriptor for each would exhaust the host's limit after
some ten thousand files (an unpacked source tree), and making one costs more (7 us) than the whole
life of a small file that is a bytearray (1 us).  Up to `INLINE_LIMIT`, where the two cost the
same, the content is a bytearray without holes; what grows beyond it, gets a hole, is mapped or
asked for its descriptor moves to a memfd and stays there.

Pages are charged to the file system before they are written.  As long as a file is dense (its
pages are exactly the first `charged` ones) that is arithmetic; of a sparse one the host is asked.
"""

import errno
import fcntl
import os

from runsc_py.sentry.errors import ENOSPC, ENXIO
from runsc_py.sentry.fs.host_file import (
    FALLOC_FL_PUNCH_HOLE,
    PAGE_SIZE,
    SEEK_HOLE,
    RegularFile,
    check_allocation,
    data_ranges,
    host_allocate,
)
from runsc_py.sentry.fs.layer import LayerFile
from runsc_py.sentry.fs.tmpfs.node import TmpfsInode
from runsc_py.sentry.vfs.attributes import S_IFREG
from runsc_py.sentry.vfs.open_file import O_APPEND, O_TRUNC

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from runsc_py.sentry.fs.tmpfs.filesystem import Tmpfs
    from runsc_py.sentry.kernel.task import Task
    from runsc_py.sentry.vfs.open_file import OpenFile
    from runsc_py.sentry.vfs.path import Path

#: bytes; measured, see above
INLINE_LIMIT = 65536

#: bytes copied at a time, each charged before
_COPY_PART = 1 << 24

F_ADD_SEALS = 1033
F_GET_SEALS = 1034


def page_count(size: int) -> int:
    """How many pages hold `size` bytes."""
    return -(-size // PAGE_SIZE)


class TmpfsRegular(TmpfsInode, LayerFile):
    """A regular file: `content` when it is small, else `descriptor`, a memfd."""

    __slots__ = ("_reader", "charged", "content", "descriptor", "sparse")

    def __init__(self, tmpfs: "Tmpfs", mode: int, uid: int, gid: int, descriptor: int = -1) -> None:
        #: the memfd, or -1 while the content is here
        self.descriptor = descriptor
        self.content: bytearray | None = bytearray() if descriptor < 0 else None
        #: the memfd again, open for reading only, once a mapping needed it
        self._reader = -1
        #: pages that the file system counts for this file
        self.charged = 0
        #: the charged pages may not be the first ones: ask the host
        self.sparse = False
        super().__init__(tmpfs, mode & 0o7777 | S_IFREG, uid, gid)

    def __del__(self, close: "Callable[[int], None]" = os.close) -> None:
        for descriptor in (self.descriptor, self._reader):
            if descriptor >= 0:
                close(descriptor)
        tmpfs = getattr(self, "tmpfs", None)
        if tmpfs is not None:
            tmpfs.recharge(self.charged, 0)
        super().__del__()

    # -- size and place --------------------------------------------------------------

    def size(self) -> int:
        if self.content is not None:
            return len(self.content)
        return os.fstat(self.descriptor).st_size

    def pages(self) -> int:
        if self.sparse:
            self._recount()
        return self.charged

    def promote(self) -> int:
        """Move the content to a memfd, if it is not in one, and return that.

        Errors: OSError (EMFILE, ENFILE, ENOMEM).
        """
        if self.content is not None:
            descriptor = self.tmpfs.new_content_file()
            try:
                if self.content:
                    os.pwrite(descriptor, self.content, 0)
            except OSError:
                os.close(descriptor)
                raise
            self.descriptor = descriptor
            self.content = None
        return self.descriptor

    def descriptor_to_map(self, shared: bool, writable: bool) -> int:
        """The memfd for a mapping: the guest may touch pages that we do not see charged.

        A shared mapping of a file that is open for reading must never become writable by
        mprotect(2), which the host decides by the descriptor.
        """
        descriptor = self.promote()
        self.sparse = True
        if not shared or writable:
            return descriptor
        if self._reader < 0:
            self._reader = os.open(
                b"%d" % descriptor,
                os.O_RDONLY | os.O_CLOEXEC,
                dir_fd=self.tmpfs.kernel.descriptor_directory,
            )
        return self._reader

    def _promote_for_growth(self, offset: int) -> bytearray | None:
        """Promote before a write at `offset`; the content where the host has no descriptor left."""
        try:
            self.promote()
        except OSError as error:
            if error.errno not in (errno.EMFILE, errno.ENFILE) or offset > len(self.content or b""):
                raise
        return self.content

    # -- reading and writing -----------------------------------------------------------

    def read(self, size: int, offset: int) -> bytes:
        """Up to `size` bytes from `offset` on."""
        if self.content is not None:
            return bytes(self.content[offset : offset + size])
        return os.pread(self.descriptor, size, offset)

    def write(self, data: bytes, offset: int) -> int:
        """Store `data` at `offset`; less when the file system fills.  Errors: ENOSPC, EFBIG."""
        if not data:
            return 0
        end = offset + len(data)
        content = self.content
        if content is not None and (end > INLINE_LIMIT or offset // PAGE_SIZE > self.charged):
            content = self._promote_for_growth(offset)
        allowed = self._charge(offset, len(data))
        if allowed < len(data):
            data = data[:allowed]
        if content is not None:
            if offset > len(content):
                content.extend(bytes(offset - len(content)))
            content[offset : offset + allowed] = data
            written = allowed
        else:
            written = self._write_host(data, offset)
        self.modified()
        return written

    def _write_host(self, data: bytes, offset: int) -> int:
        written = 0
        try:
            written = os.pwrite(self.descriptor, data, offset)
        finally:
            self._account(len(data), written)
        return written

    def _account(self, allowed: int, written: int) -> None:
        """The charge was for more than was written: no memory, a bad address, or a seal."""
        if self.sparse or written < allowed:
            self.sparse = True
            self._recount()

    def begin_native_write(self, size: int, offset: int) -> tuple[int, int]:
        """The memfd and how much of a write it may take.  Errors: ENOSPC."""
        if self.content is not None and (
            offset + size <= INLINE_LIMIT or self._promote_for_growth(offset) is not None
        ):
            return -1, 0
        return self.descriptor, self._charge(offset, size)

    def end_native_write(self, allowed: int, written: int) -> None:
        """The write is done; only what was written counts."""
        self._account(allowed, written)
        if written:
            self.modified()

    def resize(self, size: int) -> None:
        """truncate(2).  Errors: EFBIG, ENOMEM."""
        content = self.content
        if content is not None and page_count(size) > page_count(len(content)):
            self.promote()
            content = None
        if content is None:
            os.ftruncate(self.descriptor, size)
        elif size < len(content):
            del content[size:]
        else:
            content.extend(bytes(size - len(content)))
        if not self.sparse:
            self._set_charged(min(self.charged, page_count(size)))
        else:
            self._recount()
        self.modified()

    def allocate(self, mode: int, offset: int, size: int) -> None:
        """fallocate(2).  Errors: ENOSPC, EOPNOTSUPP, EINVAL, EFBIG."""
        check_allocation(mode, offset, size)
        descriptor = self.promote()
        if (
            not mode & FALLOC_FL_PUNCH_HOLE
            and self._missing_pages(offset, offset + size) > self.tmpfs.free_pages
        ):
            raise ENOSPC
        self.sparse = True
        host_allocate(descriptor, mode, offset, size)
        self._recount()
        self.modified()

    def seek_content(self, offset: int, whence: int) -> int:
        """SEEK_DATA, SEEK_HOLE; `offset` lies inside of the file."""
        if self.content is not None:
            return len(self.content) if whence == SEEK_HOLE else offset
        return os.lseek(self.descriptor, offset, whence)

    # -- as a layer of an overlay ---------------------------------------------------------

    def content_descriptor(self) -> int:
        return self.promote()

    def small_content(self) -> bytes | None:
        return None if self.content is None else bytes(self.content)

    def copy_content(self, descriptor: int, size: int) -> None:
        if size <= INLINE_LIMIT:
            self.write(os.pread(descriptor, size, 0), 0)
            return
        target = self.promote()
        os.ftruncate(target, size)
        for start, end in data_ranges(descriptor, size):
            position = start
            while position < end:
                part = min(end - position, _COPY_PART)
                allowed = self._charge(position, part)
                os.lseek(target, position, os.SEEK_SET)
                count = os.sendfile(target, descriptor, position, allowed)
                if count == 0:
                    return
                position += count
                if self.sparse:
                    self._recount()
        self.modified()

    # -- accounts -----------------------------------------------------------------------

    def _charge(self, offset: int, size: int) -> int:
        """Charge the pages of a write; returns how many of its bytes may be written."""
        end = offset + size
        if not self.sparse:
            if page_count(end) <= self.charged:
                return size
            if offset // PAGE_SIZE <= self.charged:
                wanted = page_count(end) - self.charged
                granted = self.tmpfs.charge_up_to(wanted)
                self.charged += granted
                allowed = size if granted == wanted else self.charged * PAGE_SIZE - offset
                if allowed <= 0:
                    raise ENOSPC
                return allowed
            self.sparse = True
        first = offset // PAGE_SIZE
        room = self.tmpfs.free_pages
        if page_count(end) - first <= room or self._missing_pages(offset, end) <= room:
            return size
        # Not exact when some of these pages are there already, but never too much.
        allowed = (first + room) * PAGE_SIZE - offset
        if allowed <= 0:
            raise ENOSPC
        return allowed

    def _missing_pages(self, start: int, end: int) -> int:
        """How many pages the memfd has not yet between two offsets."""
        missing = page_count(end) - start // PAGE_SIZE
        position = start - start % PAGE_SIZE
        while position < end:
            try:
                position = os.lseek(self.descriptor, position, os.SEEK_DATA)
            except OSError as error:
                if error.errno != errno.ENXIO:
                    raise
                break
            hole = os.lseek(self.descriptor, position, os.SEEK_HOLE)
            missing -= max(page_count(min(hole, end)) - position // PAGE_SIZE, 0)
            position = hole
        return missing

    def _set_charged(self, pages: int) -> None:
        self.tmpfs.recharge(self.charged, pages)
        self.charged = pages

    def _recount(self) -> None:
        """Charge what the host says the file takes."""
        if self.descriptor >= 0:
            self._set_charged(os.fstat(self.descriptor).st_blocks // (PAGE_SIZE // 512))

    # -- opening -------------------------------------------------------------------------

    def open(self, task: "Task", path: "Path", flags: int) -> "OpenFile":
        if flags & O_TRUNC and self.size():
            self.resize(0)
        return TmpfsFile(path, flags, self)

    def open_content(self, path: "Path", flags: int) -> "OpenFile":
        return TmpfsFile(path, flags, self)


class TmpfsFile(RegularFile):
    """An open regular file.  `node` holds the bytes; `inode` may be an overlay's around it."""

    __slots__ = ("node",)

    def __init__(self, path: "Path", flags: int, node: TmpfsRegular) -> None:
        super().__init__(path, flags)
        self.node = node

    @property
    def size(self) -> int:
        return self.node.size()

    def host_descriptor(self) -> int | None:
        return self.node.promote()

    def map_descriptor(self, task: "Task", protection: int, shared: bool) -> int:
        return self.node.descriptor_to_map(shared, self.writable)

    def read_at(self, size: int, offset: int) -> bytes:
        data = self.node.read(size, offset)
        self.node.accessed(self)
        return data

    def native_reader(self) -> int:
        return self.node.descriptor

    def accessed(self) -> None:
        self.node.accessed(self)

    def begin_native_write(self, size: int, offset: int) -> tuple[int, int]:
        return (-1, 0) if self.flags & O_APPEND else self.node.begin_native_write(size, offset)

    def end_native_write(self, allowed: int, written: int) -> None:
        self.node.end_native_write(allowed, written)

    def write_bytes(self, data: bytes, offset: int) -> int:
        return self.node.write(data, offset)

    def seek_content(self, offset: int, whence: int) -> int:
        position = self.node.seek_content(offset, whence)
        if position >= self.node.size() and whence != SEEK_HOLE:
            raise ENXIO
        return position

    def truncate(self, size: int) -> None:
        self.node.resize(size)

    def allocate(self, mode: int, offset: int, size: int) -> None:
        self.node.allocate(mode, offset, size)

    def sync(self, data_only: bool) -> None:
        pass

    # -- seals (memfd_create(2)) -----------------------------------------------------------

    def add_seals(self, seals: int) -> None:
        """F_ADD_SEALS: the host keeps the seals and enforces them, mappings included.

        Errors: EPERM (not writable, sealed against it), EBUSY (mapped for writing), EINVAL.
        """
        fcntl.fcntl(self.node.promote(), F_ADD_SEALS, seals)

    def get_seals(self) -> int:
        """F_GET_SEALS."""
        return fcntl.fcntl(self.node.promote(), F_GET_SEALS)
