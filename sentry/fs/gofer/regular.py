"""Regular files of the gofer, on descriptors that it donates.

All descriptions that read a file share one read-only host descriptor, all that write share one
more: positions are ours, so that pread(2) and pwrite(2) do.  The two are kept apart because what
may be mapped and then made writable depends on the descriptor.
"""

import os

from runsc_py.gofer import protocol
from runsc_py.gofer.protocol import Attributes as HostAttributes
from runsc_py.sentry.errors import EACCES
from runsc_py.sentry.fs.gofer.node import GoferInode
from runsc_py.sentry.fs.host_file import HostFile, check_allocation, data_ranges
from runsc_py.sentry.fs.layer import LayerFile
from runsc_py.sentry.vfs.attributes import AttributeChange
from runsc_py.sentry.vfs.open_file import (
    O_ACCMODE,
    O_APPEND,
    O_RDONLY,
    O_TRUNC,
    O_WRONLY,
    OpenFile,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from runsc_py.sentry.fs.gofer.filesystem import GoferFileSystem
    from runsc_py.sentry.kernel.task import Task
    from runsc_py.sentry.vfs.path import Path

_COPY_PART = 1 << 24


class GoferRegular(GoferInode, LayerFile):
    """A regular file; its descriptors are -1 when there are none."""

    __slots__ = ("_reader", "_readers", "_writer", "_writers")

    def __init__(self, gofer: "GoferFileSystem", node: int, attributes: HostAttributes) -> None:
        super().__init__(gofer, node, attributes)
        self._reader = -1
        self._readers = 0
        self._writer = -1
        self._writers = 0

    def __del__(self, close: "Callable[[int], None]" = os.close) -> None:
        for descriptor in (self._reader, self._writer):
            if descriptor >= 0:
                close(descriptor)
        # In a cycle of garbage the cache may still know this file, and be told to close it.
        self._reader = self._writer = -1
        super().__del__()

    # -- descriptors ---------------------------------------------------------------------

    def acquire_reader(self) -> int:
        """The read-only descriptor, for one more user."""
        descriptor = self._idle_reader()
        self._readers += 1
        self.gofer.descriptors.remove(self)
        return descriptor

    def _idle_reader(self) -> int:
        if self._reader < 0:
            self._reader = self.gofer.ask(self.gofer.client.open, self.node, os.O_RDONLY)
        return self._reader

    def release_reader(self) -> None:
        """One user less; the last leaves the descriptor to the cache."""
        self._readers -= 1
        if self._readers == 0:
            self.gofer.descriptors.add(self)

    def close_reader(self) -> None:
        """The cache has no room for the idle descriptor."""
        if self._readers == 0 and self._reader >= 0:
            os.close(self._reader)
            self._reader = -1

    def acquire_writer(self, reads: bool = True) -> int:
        """The descriptor to write through, for one more user; it can read too if he `reads`.

        Errors: those of open(2) on the host.
        """
        if self._writer < 0:
            client = self.gofer.client
            try:
                self._writer = self.gofer.ask(client.open, self.node, os.O_RDWR)
            except EACCES:
                if reads:
                    raise
                self._writer = self.gofer.ask(client.open, self.node, os.O_WRONLY)
        self._writers += 1
        return self._writer

    def release_writer(self) -> None:
        """One user less; the last one closes it, so that the host sees the file at rest."""
        self._writers -= 1
        if self._writers == 0:
            os.close(self._writer)
            self._writer = -1

    def adopt_writer(self, descriptor: int) -> None:
        """The descriptor that came with a new file: the open that follows takes it.

        mknod(2) opens nothing, so the one of the file that was made before is closed here.
        """
        before = self.gofer.unclaimed
        if before is not None and before._writers == 0 and before._writer >= 0:
            os.close(before._writer)
            before._writer = -1
        self._writer = descriptor
        self.gofer.unclaimed = self

    # -- attributes ------------------------------------------------------------------------

    def refresh(self) -> None:
        if not self.stale and not self._writers and not self.gofer.shared:
            return
        descriptor = self._writer if self._writer >= 0 else self._reader
        if descriptor < 0:
            super().refresh()
        else:
            self.learn(_attributes_of(os.fstat(descriptor), self.known))

    def set_attributes(self, change: AttributeChange) -> None:
        if change.size is not None and self._writer >= 0:
            # The right to write was checked when it was opened, and may be gone by now.
            os.ftruncate(self._writer, change.size)
            self.stale = True
            change.size = None
            if change.is_empty:
                return
        super().set_attributes(change)

    # -- as a layer of an overlay ---------------------------------------------------------------

    def content_descriptor(self) -> int:
        descriptor = self._idle_reader()
        if self._readers == 0:
            self.gofer.descriptors.add(self)
        return descriptor

    def copy_content(self, descriptor: int, size: int) -> None:
        target = self.acquire_writer(reads=False)
        try:
            os.ftruncate(target, size)
            for start, end in data_ranges(descriptor, size):
                os.lseek(target, start, os.SEEK_SET)
                position = start
                while position < end:
                    part = min(end - position, _COPY_PART)
                    count = os.sendfile(target, descriptor, position, part)
                    if count == 0:
                        return
                    position += count
        finally:
            self.release_writer()
            self.stale = True

    # -- opening -------------------------------------------------------------------------------

    def open(self, task: "Task", path: "Path", flags: int) -> OpenFile:
        file = self.open_content(path, flags)
        if flags & O_TRUNC:
            file.truncate(0)
        return file

    def open_content(self, path: "Path", flags: int) -> OpenFile:
        access = flags & O_ACCMODE
        if access == O_RDONLY and not flags & O_TRUNC:
            return GoferFile(path, flags, self, self.acquire_reader(), writes=False)
        descriptor = self.acquire_writer(reads=access != O_WRONLY)
        return GoferFile(path, flags, self, descriptor, writes=True)


class GoferFile(HostFile):
    """An open regular file of the host."""

    __slots__ = ("_descriptor", "_node", "_writes")

    def __init__(
        self, path: "Path", flags: int, node: GoferRegular, descriptor: int, writes: bool
    ) -> None:
        super().__init__(path, flags)
        self._node = node
        self._descriptor = descriptor
        self._writes = writes

    @property
    def descriptor(self) -> int:
        return self._descriptor

    def modified(self) -> None:
        self._node.stale = True

    def write(self, data: bytes) -> int:
        if not self.flags & O_APPEND:
            return super().write(data)
        # The host finds the end: somebody there may append to the same file.
        count = os.pwritev(self._descriptor, (data,), 0, os.RWF_APPEND)
        self._node.stale = True
        self.position = self.size
        return count

    def map_descriptor(self, task: "Task", protection: int, shared: bool) -> int:
        if shared and self.writable:
            # What the guest writes through the mapping shows in nothing that we see.
            self._node.stale = True
        return self._descriptor

    def allocate(self, mode: int, offset: int, size: int) -> None:
        check_allocation(mode, offset, size)
        gofer = self._node.gofer
        gofer.ask(gofer.client.fallocate, self._node.node, mode, offset, size)
        self._node.stale = True

    def release(self) -> None:
        if self._writes:
            self._node.stale = True
            self._node.release_writer()
        else:
            self._node.release_reader()


def _attributes_of(status: os.stat_result, before: HostAttributes) -> HostAttributes:
    """fstat(2) of a donated descriptor in the gofer's form; what it lacks stays as it was."""
    changed = list(before)
    if status.st_ctime_ns != before[protocol.CHANGE_TIME]:
        changed[protocol.ACL_STATE] = protocol.ACL_UNKNOWN
    changed[protocol.MODE] = status.st_mode
    changed[protocol.LINKS] = status.st_nlink
    changed[protocol.UID] = status.st_uid
    changed[protocol.GID] = status.st_gid
    changed[protocol.SIZE] = status.st_size
    changed[protocol.BLOCKS] = status.st_blocks
    changed[protocol.ACCESS_TIME] = status.st_atime_ns
    changed[protocol.MODIFICATION_TIME] = status.st_mtime_ns
    changed[protocol.CHANGE_TIME] = status.st_ctime_ns
    return tuple(changed)
