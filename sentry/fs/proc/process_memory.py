"""/proc/PID/mem: proc_pid_mem(5)."""

from runsc_py.platform.interface import MemoryFault
from runsc_py.sentry.errors import EACCES, EINVAL, EIO
from runsc_py.sentry.fs.proc.access import may_inspect
from runsc_py.sentry.fs.proc.process import Subject
from runsc_py.sentry.fs.synthetic import SyntheticFileSystem, SyntheticInode
from runsc_py.sentry.vfs.attributes import S_IFREG
from runsc_py.sentry.vfs.open_file import OpenFile

TYPE_CHECKING = False
if TYPE_CHECKING:
    from runsc_py.sentry.kernel.task import Task
    from runsc_py.sentry.mm.memory_manager import MemoryManager
    from runsc_py.sentry.vfs.path import Path

#: one read or write
LARGEST_TRANSFER = 1 << 20
#: guest addresses end here
ADDRESS_LIMIT = 1 << 47


class MemoryFile(SyntheticInode):
    """The inode."""

    __slots__ = ("subject",)

    def __init__(self, filesystem: SyntheticFileSystem, subject: Subject) -> None:
        super().__init__(filesystem, S_IFREG | 0o600)
        self.subject = subject

    def owner(self) -> tuple[int, int]:
        return self.subject.owner(self.mode)

    def open(self, task: "Task", path: "Path", flags: int) -> OpenFile:
        if self.subject.is_gone or not may_inspect(task, self.subject.task):
            raise EACCES
        return OpenMemory(path, flags, self.subject.task.memory)


class OpenMemory(OpenFile):
    """The memory that the process had when this was opened: execve(2) ends it."""

    __slots__ = ("memory",)

    seekable = True

    def __init__(self, path: "Path", flags: int, memory: "MemoryManager") -> None:
        super().__init__(path, flags)
        self.memory = memory

    def read(self, size: int) -> bytes:
        data = self.read_at(size, self.position)
        self.position += len(data)
        return data

    def write(self, data: bytes) -> int:
        count = self.write_at(data, self.position)
        self.position += count
        return count

    def read_at(self, size: int, offset: int) -> bytes:
        if not self.memory.users:
            return b""
        size = self._bounded(size, offset)
        try:
            return self.memory.read(offset, size)
        except MemoryFault as fault:
            if not fault.done:
                raise EIO from None
            return self.memory.read(offset, fault.done)

    def write_at(self, data: bytes, offset: int) -> int:
        if not self.memory.users:
            return 0
        data = data[: self._bounded(len(data), offset)]
        try:
            self.memory.address_space.write_forced(offset, data)
        except MemoryFault:
            raise EIO from None
        return len(data)

    def _bounded(self, size: int, offset: int) -> int:
        # The platform's own page lies below what a guest can map and is not to be touched.
        lowest = self.memory.kernel.platform.lowest_address
        if offset < lowest or offset >= ADDRESS_LIMIT:
            raise EIO
        return min(size, LARGEST_TRANSFER, ADDRESS_LIMIT - offset)

    def seek(self, offset: int, whence: int) -> int:
        if whence == 1:
            offset += self.position
        elif whence != 0:
            raise EINVAL
        self.position = offset
        return offset
