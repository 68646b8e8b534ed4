"""A guest memory image and the host threads through which it is reached.

Several host processes may share one image (CLONE_VM without CLONE_THREAD), and
any of their threads may die; whichever context is left gives access.
"""

import os
from contextlib import suppress
from resource import prlimit

from runsc_py.platform.interface import HostMapping, MemoryFault
from runsc_py.platform.ptrace._hot import ffi, lib
from runsc_py.platform.ptrace.context import PtraceContext
from runsc_py.platform.ptrace.process_maps import (
    read_mappings,
    read_process_file,
    without_low_mappings,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from runsc_py.platform.ptrace._hot import Array

#: Transfers up to this size go through one buffer of the platform's; MAX_ARG_STRLEN fits.
BUFFER_SIZE = 1 << 17
PAGE_SIZE = 4096
ADDRESS_LIMIT = 1 << 64
#: of an entry of /proc/PID/pagemap: in memory, or swapped out
PAGEMAP_PRESENT = 3 << 62
#: ffi.new without filling the array with zeros
allocate = ffi.new_allocator(should_clear_after_alloc=False)
#: how /proc says that a thread has died
GONE = (FileNotFoundError, ProcessLookupError)


class PtraceAddressSpace:
    """AddressSpace, by process_vm_readv(2) and /proc."""

    __slots__ = ("_buffer", "_contexts", "_proc_fd", "_tid")

    def __init__(self, proc_fd: int, buffer: "Array") -> None:
        self._proc_fd = proc_fd
        self._buffer = buffer  # BUFFER_SIZE bytes, used for the length of one call
        self._contexts: list[PtraceContext] = []
        self._tid = 0  # of one live context, 0 without any

    def add(self, context: PtraceContext) -> None:
        """A context runs in this memory from now on."""
        self._contexts.append(context)
        self._tid = self._contexts[0].tid

    def remove(self, context: PtraceContext) -> None:
        """The context has ended; harmless when it was removed before."""
        if context in self._contexts:
            self._contexts.remove(context)
            self._tid = self._contexts[0].tid if self._contexts else 0

    def read(self, address: int, size: int) -> bytes:
        """Exactly `size` bytes, or MemoryFault."""
        if size <= 0:
            return b""
        buffer = self._buffer if size <= BUFFER_SIZE else allocate("char[]", size)
        self._read(address, buffer, size)
        return ffi.unpack(buffer, size)

    def read_into(self, address: int, destination: bytearray | memoryview) -> None:
        """Fill a writable buffer, or MemoryFault; saves a copy over `read`."""
        size = len(destination)
        if size:
            self._read(address, ffi.from_buffer(destination), size)

    def _read(self, address: int, buffer: "Array", size: int) -> None:
        if address + size > ADDRESS_LIMIT:
            raise MemoryFault
        done = lib.memory_read(self._tid, address, buffer, size)
        if done != size:
            self._grow_stack(address, done)
            done = lib.memory_read(self._tid, address, buffer, size)
            if done != size:
                raise MemoryFault(max(done, 0))

    def write(self, address: int, data: bytes | bytearray | memoryview) -> None:
        """All of `data` (contiguous bytes), or MemoryFault (protections are respected)."""
        size = len(data)
        if size == 0:
            return
        if address + size > ADDRESS_LIMIT:
            raise MemoryFault
        source = data if isinstance(data, bytes) else ffi.from_buffer(data)
        done = lib.memory_write(self._tid, address, source, size)
        if done != size:
            self._grow_stack(address, done)
            done = lib.memory_write(self._tid, address, source, size)
            if done != size:
                raise MemoryFault(max(done, 0))

    def _grow_stack(self, address: int, done: int) -> None:
        """After a transfer that ended early: if the bad page lies below a stack, let that grow.

        Raises MemoryFault when there is no memory even so.
        """
        done = max(done, 0)
        for context in self._contexts:
            if context.is_stopped():
                if context.touch(address + done):
                    break
                return
        raise MemoryFault(done)

    def read_string(self, address: int, limit: int) -> bytes | None:
        """The bytes before the first NUL within `limit` bytes; None when there is none."""
        if address + limit > ADDRESS_LIMIT:
            raise MemoryFault
        buffer = self._buffer if limit <= BUFFER_SIZE else allocate("char[]", limit)
        length = lib.memory_read_string(self._tid, address, buffer, limit)
        if length >= 0:
            return ffi.unpack(buffer, length)
        if length == lib.STRING_ENDLESS:
            return None
        raise MemoryFault

    def write_forced(self, address: int, data: bytes) -> None:
        """Write regardless of protections (a debugger's poke).

        One context of this address space must be stopped, as the one that is debugged is.
        Raises MemoryFault.
        """
        for context in self._contexts:
            if context.is_stopped():
                if address + len(data) > ADDRESS_LIMIT or context.poke(address, data):
                    raise MemoryFault
                return
        raise MemoryFault

    def mappings(self) -> list[HostMapping]:
        """The host's map without what belongs to the platform; the stub page is not shown."""
        try:
            return read_mappings(self._proc_fd, self._tid, lib.LOWEST_ADDRESS)
        except GONE:
            return []

    def smaps_rollup(self) -> str:
        """The host's smaps_rollup text, untranslated."""
        try:
            return read_process_file(self._proc_fd, self._tid, "smaps_rollup")
        except GONE:
            return ""

    def smaps(self) -> str:
        """The host's smaps text, untranslated."""
        try:
            text = read_process_file(self._proc_fd, self._tid, "smaps")
        except GONE:
            return ""
        return without_low_mappings(text, lib.LOWEST_ADDRESS)

    def process_ids(self) -> set[int]:
        """The host processes that live in this memory."""
        return {context.pid for context in self._contexts}

    def sizes(self) -> tuple[int, int, int, int]:
        """(virtual, resident, shared, data) pages, our own few included; 0 when it is gone."""
        try:
            statm = read_process_file(self._proc_fd, self._tid, "statm").split()
        except GONE:
            return 0, 0, 0, 0
        return int(statm[0]), int(statm[1]), int(statm[2]), int(statm[5])

    def resident_set_size(self) -> int:
        """Bytes of host memory in it, shared ones included; 0 when it is gone."""
        return self.sizes()[1] * PAGE_SIZE

    def peak_resident_set_size(self) -> int:
        """Bytes of host memory that it had at most; 0 when it is gone."""
        return self._size_in_status("VmHWM:")

    def is_present(self, address: int) -> bool:
        """Whether the page at an address is in memory or in swap; False when it is gone."""
        try:
            fd = os.open(f"{self._tid}/pagemap", os.O_RDONLY | os.O_CLOEXEC, dir_fd=self._proc_fd)
        except GONE:
            return False
        try:
            entry = os.pread(fd, 8, address // PAGE_SIZE * 8)
        finally:
            os.close(fd)
        return bool(int.from_bytes(entry, "little") & PAGEMAP_PRESENT)

    def page_faults(self) -> tuple[int, int]:
        """(minor, major) faults so far, by all threads; zeros when it is gone."""
        try:
            text = read_process_file(self._proc_fd, self._tid, "stat")
        except GONE:
            return 0, 0
        fields = text.rpartition(")")[2].split()
        return int(fields[7]), int(fields[9])

    def locked_size(self) -> int:
        """Bytes that mlock(2) and the like keep in memory; 0 when it is gone."""
        return self._size_in_status("VmLck:")

    def _size_in_status(self, name: str) -> int:
        try:
            text = read_process_file(self._proc_fd, self._tid, "status")
        except GONE:
            return 0
        found = text.partition(name)[2]
        return int(found.split(maxsplit=1)[0]) * 1024 if found else 0

    def memory_use(self) -> tuple[int, int]:
        """Bytes of anonymous and of shared memory, counted by this address space's share.

        Pages that were swapped out count too: they are used all the same.
        """
        try:
            text = read_process_file(self._proc_fd, self._tid, "smaps_rollup")
        except GONE:
            return 0, 0
        sizes = {}
        for line in text.splitlines()[1:]:
            name, _, value = line.partition(":")
            sizes[name] = int(value.split()[0]) * 1024
        return sizes["Pss_Anon"] + sizes.get("SwapPss", 0), sizes["Pss_Shmem"]

    def set_limit(self, resource: int, soft: int, hard: int) -> None:
        """Set a memory-map limit (RLIMIT_AS, DATA, STACK, MEMLOCK) where the host enforces it.

        Host processes cloned later inherit it; those of an execve do not.  -1 is no limit.
        Raises OSError, ValueError as prlimit(2) does.
        """
        for pid in self.process_ids():
            with suppress(ProcessLookupError):
                prlimit(pid, resource, (soft, hard))
