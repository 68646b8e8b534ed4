"""The devices without hardware: null, zero, full, random, urandom.

null(4), full(4), random(4).
"""

import os

from runsc_py.sentry.abi.ioctl import INT, RNDGETENTCNT
from runsc_py.sentry.errors import EINVAL, ENODEV, ENOSPC, ENOTTY
from runsc_py.sentry.fs.dev.registry import FULL, NULL, RANDOM, URANDOM, ZERO
from runsc_py.sentry.vfs.open_file import OpenFile

TYPE_CHECKING = False
if TYPE_CHECKING:
    from runsc_py.sentry.kernel.kernel import Kernel
    from runsc_py.sentry.kernel.task import Task
    from runsc_py.sentry.vfs.path import Path

#: no single read returns more; the system calls ask for far less at a time
LARGEST_READ = 1 << 26
#: bits; the pool is always full
ENTROPY = 256
#: size of the sparse object behind mappings of /dev/zero
ZERO_SPAN = 1 << 40


class MemoryDevice(OpenFile):
    """What they share: a position that never moves, writes that vanish."""

    __slots__ = ()

    seekable = True

    def read(self, size: int) -> bytes:
        return b""

    def read_at(self, size: int, offset: int) -> bytes:
        return self.read(size)

    def write(self, data: bytes) -> int:
        return len(data)

    def write_at(self, data: bytes, offset: int) -> int:
        return self.write(data)

    def seek(self, offset: int, whence: int) -> int:
        return 0

    def sync(self, data_only: bool) -> None:
        raise EINVAL


class ZeroFile(MemoryDevice):
    """/dev/zero.  A mapping of it is a mapping of a sparse, empty memfd."""

    __slots__ = ("descriptor",)

    def __init__(self, path: "Path", flags: int) -> None:
        super().__init__(path, flags)
        self.descriptor = -1

    def read(self, size: int) -> bytes:
        return bytes(min(size, LARGEST_READ))

    def map_descriptor(self, task: "Task", protection: int, shared: bool) -> int:
        if self.descriptor < 0:
            self.descriptor = os.memfd_create("dev-zero", os.MFD_CLOEXEC)
            os.ftruncate(self.descriptor, ZERO_SPAN)
        return self.descriptor

    def release(self) -> None:
        if self.descriptor >= 0:
            os.close(self.descriptor)
            self.descriptor = -1


class FullFile(MemoryDevice):
    """/dev/full: reads zeros, and has no space left."""

    __slots__ = ()

    def read(self, size: int) -> bytes:
        return bytes(min(size, LARGEST_READ))

    def write(self, data: bytes) -> int:
        raise ENOSPC

    def map_descriptor(self, task: "Task", protection: int, shared: bool) -> int:
        raise ENODEV


class RandomFile(MemoryDevice):
    """/dev/random and /dev/urandom; a write adds entropy that nobody needs."""

    __slots__ = ("kernel",)

    def __init__(self, path: "Path", flags: int, kernel: "Kernel") -> None:
        super().__init__(path, flags)
        self.kernel = kernel

    def read(self, size: int) -> bytes:
        return self.kernel.random(min(size, LARGEST_READ))

    def ioctl(self, task: "Task", request: int, argument: int) -> int:
        if request != RNDGETENTCNT:
            raise ENOTTY
        task.memory.copy_out(argument, INT.pack(ENTROPY))
        return 0


def open_device(task: "Task", path: "Path", flags: int, device: int) -> OpenFile:
    """The open file description of one of the devices above."""
    if device == NULL:
        return MemoryDevice(path, flags)
    if device == ZERO:
        return ZeroFile(path, flags)
    if device == FULL:
        return FullFile(path, flags)
    assert device in (RANDOM, URANDOM)
    return RandomFile(path, flags, task.kernel)
