"""A process's memory as the sentry sees it: copies in and out, and what only we know of it.

The host's memory map is the truth.  There is no list of mappings here; what stays is what
the host cannot know: the guest's files behind mapped host objects, the heap's limits, where
arguments and environment lie.  The map's text is made in `mm/maps.py`.
"""

import os

from runsc_py.platform.interface import AddressSpace, HostMapping, MemoryFault
from runsc_py.sentry.errors import E2BIG, EFAULT, ENAMETOOLONG

TYPE_CHECKING = False
if TYPE_CHECKING:
    from runsc_py.sentry.ipc.shared_memory import Segment
    from runsc_py.sentry.kernel.kernel import Kernel
    from runsc_py.sentry.mm.aio import AioContext
    from runsc_py.sentry.mm.policies import RangePolicies
    from runsc_py.sentry.vfs.path import Path

PATH_MAX = 4096


class MemoryManager:
    """Linux's mm_struct.  Shared by the tasks of CLONE_VM; counts them."""

    __slots__ = (
        "__weakref__",
        "address_space",
        "aio_contexts",
        "arguments_range",
        "attachments",
        "auxiliary",
        "brk_end",
        "brk_start",
        "code_range",
        "data_range",
        "dump_filter",
        "dumpable",
        "environment_range",
        "executable",
        "has_shared_mappings",
        "huge_pages_disabled",
        "kernel",
        "limits",
        "mapped_files",
        "mdwe",
        "read",
        "policies",
        "stack_start",
        "user_namespace",
        "users",
        "vdso_end",
        "written_files",
    )

    def __init__(self, kernel: "Kernel", address_space: AddressSpace) -> None:
        self.kernel = kernel
        self.address_space = address_space
        #: AddressSpace.read, bound: it is called for nearly every system call
        self.read = address_space.read
        self.users = 1
        #: [start, end) of the heap, bytes; `brk_end` is what brk(2) returns
        self.brk_start = 0
        self.brk_end = 0
        #: stack pointer at exec, which marks the [stack] mapping
        self.stack_start = 0
        self.code_range = self.data_range = (0, 0)
        self.arguments_range = (0, 0)
        self.environment_range = (0, 0)
        self.auxiliary = b""
        self.executable: Path | None = None
        #: that of who executed the program: who may look into it when it is not dumpable
        self.user_namespace = kernel.root_user_namespace
        #: PR_SET_DUMPABLE
        self.dumpable = 1
        #: /proc/PID/coredump_filter
        self.dump_filter = 0x33
        #: guest files by the (host device, host inode) that the host's map shows
        self.mapped_files: dict[tuple[int, int], Path] = {}
        #: those of them that were mapped from a file which is open for writing
        self.written_files: set[tuple[int, int]] = set()
        #: System V segments by the address they are attached at
        self.attachments: dict[int, Segment] = {}
        #: what mbind(2) asked for, once that was called
        self.policies: RangePolicies | None = None
        #: asynchronous I/O contexts by their identifiers
        self.aio_contexts: dict[int, AioContext] = {}
        #: whether MAP_SHARED was ever asked for: only then can a shared futex have another key
        self.has_shared_mappings = False
        #: PR_SET_MDWE (mm/write_execute.py)
        self.mdwe = 0
        #: PR_SET_THP_DISABLE
        self.huge_pages_disabled = False

    # -- life ---------------------------------------------------------------------

    def acquire(self) -> "MemoryManager":
        """Another task uses this memory (CLONE_VM)."""
        self.users += 1
        return self

    def release(self) -> None:
        """A task ended or executed another program."""
        self.users -= 1
        if not self.users:
            self.executable = None
            self.mapped_files.clear()
            self.written_files.clear()
            for segment in self.attachments.values():
                segment.detach()
            self.attachments.clear()
            for context in self.aio_contexts.values():
                context.release()
            self.aio_contexts.clear()

    def fork(self, address_space: AddressSpace) -> "MemoryManager":
        """The child's copy, over the host's copy-on-write."""
        child = MemoryManager(self.kernel, address_space)
        child.brk_start, child.brk_end = self.brk_start, self.brk_end
        child.stack_start = self.stack_start
        child.code_range, child.data_range = self.code_range, self.data_range
        child.arguments_range = self.arguments_range
        child.environment_range = self.environment_range
        child.auxiliary = self.auxiliary
        child.executable = self.executable
        child.user_namespace = self.user_namespace
        child.policies = None if self.policies is None else self.policies.copy()
        child.dumpable = self.dumpable
        child.dump_filter = self.dump_filter
        child.mapped_files = dict(self.mapped_files)
        child.written_files = set(self.written_files)
        child.has_shared_mappings = self.has_shared_mappings
        child.inherit_policies(self)
        for address, segment in self.attachments.items():
            segment.attached += 1
            child.attachments[address] = segment
        return child

    def inherit_policies(self, parent: "MemoryManager") -> None:
        """What prctl(2) set, which children and new programs keep."""
        if parent.mdwe:
            from runsc_py.sentry.mm.write_execute import PR_MDWE_NO_INHERIT

            self.mdwe = 0 if parent.mdwe & PR_MDWE_NO_INHERIT else parent.mdwe
        self.huge_pages_disabled = parent.huge_pages_disabled

    # -- copies ---------------------------------------------------------------------

    def copy_in(self, address: int, size: int) -> bytes:
        """Exactly `size` bytes of guest memory.  Errors: EFAULT."""
        try:
            return self.read(address, size)
        except MemoryFault:
            raise EFAULT from None

    def copy_in_part(self, address: int, size: int) -> bytes:
        """As many of `size` bytes as are readable.  Errors: EFAULT when there is none."""
        try:
            return self.read(address, size)
        except MemoryFault as fault:
            if not fault.done:
                raise EFAULT from None
            return self.read(address, fault.done)

    def copy_out(self, address: int, data: bytes | bytearray | memoryview) -> None:
        """Write guest memory.  Errors: EFAULT."""
        try:
            self.address_space.write(address, data)
        except MemoryFault:
            raise EFAULT from None

    def copy_out_part(self, address: int, data: bytes | bytearray | memoryview) -> int:
        """Write as much as fits before the first bad address.  Errors: EFAULT when nothing does."""
        try:
            self.address_space.write(address, data)
        except MemoryFault as fault:
            if not fault.done:
                raise EFAULT from None
            return fault.done
        return len(data)

    def copy_in_extensible(self, address: int, size: int, known: int) -> bytes:
        """A structure that grows with Linux (copy_struct_from_user), `known` bytes of it.

        What the caller's version lacks is 0.  Errors: EFAULT; E2BIG when it asks for what we lack.
        """
        raw = self.copy_in(address, size)
        if any(raw[known:]):
            raise E2BIG
        return raw[:known].ljust(known, b"\0")

    def copy_in_string(self, address: int, limit: int = PATH_MAX) -> bytes:
        """A NUL-terminated string without its NUL.

        Errors: EFAULT; ENAMETOOLONG when `limit` bytes hold no NUL.
        """
        try:
            value = self.address_space.read_string(address, limit)
        except MemoryFault:
            raise EFAULT from None
        if value is None:
            raise ENAMETOOLONG
        return value

    def poke(self, address: int, data: bytes) -> bool:
        """Write whatever the protection says, as a debugger does; False where nothing is mapped.

        A page that is mapped from a file becomes a private copy.
        """
        if address < self.kernel.platform.lowest_address:
            return False
        try:
            self.address_space.write_forced(address, data)
        except MemoryFault:
            return False
        return True

    def zero(self, address: int, size: int) -> None:
        """Clear a small range.  Errors: EFAULT."""
        self.copy_out(address, bytes(size))

    def detach_segments(self, start: int, end: int) -> None:
        """The range is unmapped, or mapped over: shared memory that lay there is detached."""
        for address, segment in list(self.attachments.items()):
            if start <= address and address + (segment.pages << 12) <= end:
                del self.attachments[address]
                segment.detach()

    # -- what is mapped --------------------------------------------------------------

    def note_mapped_file(self, descriptor: int, path: "Path", writable: bool = False) -> None:
        """A host object was mapped, from an open file that may be `writable`.

        `path` is what /proc/PID/maps shows for it.
        """
        status = os.fstat(descriptor)
        key = (status.st_dev, status.st_ino)
        self.mapped_files[key] = path
        if writable:
            self.written_files.add(key)

    def mappings(self) -> list[HostMapping]:
        """The host's map; see mm/maps.py for its translation."""
        return self.address_space.mappings()

    def shared_object_at(self, address: int) -> tuple[object, int] | None:
        """(object, offset) behind a shared mapping at `address`; None for private memory."""
        if not self.has_shared_mappings:
            return None
        for mapping in self.mappings():
            if mapping.start <= address < mapping.end:
                if mapping.permissions[3] != "s":
                    return None
                identity = (mapping.device, mapping.inode)
                return identity, mapping.offset + address - mapping.start
        return None

    # -- what /proc shows ----------------------------------------------------------------

    def peak_resident_set_size(self) -> int:
        """Bytes of memory that were resident at the most."""
        return self.address_space.peak_resident_set_size()

    def maps_text(self) -> bytes:
        """/proc/PID/maps."""
        from runsc_py.sentry.mm.maps import maps_text

        return maps_text(self)

    def smaps_text(self) -> bytes:
        """/proc/PID/smaps."""
        from runsc_py.sentry.mm.maps import smaps_text

        return smaps_text(self)

    def smaps_rollup_text(self) -> bytes:
        """The sums of smaps; the platform's page is among them."""
        from runsc_py.sentry.mm.maps import smaps_rollup_text

        return smaps_rollup_text(self)

    def statistics(self) -> tuple[int, int, int, int, int]:
        """(size, resident, shared, text, data), in pages (proc_pid_statm(5))."""
        from runsc_py.sentry.mm.maps import statistics

        return statistics(self)

    def command_line(self) -> bytes:
        """/proc/PID/cmdline, read from the process, which may have changed it."""
        return self._read_range(self.arguments_range)

    def environment(self) -> bytes:
        """/proc/PID/environ."""
        return self._read_range(self.environment_range)

    def auxiliary_vector(self) -> bytes:
        """/proc/PID/auxv."""
        return self.auxiliary

    def _read_range(self, bounds: tuple[int, int]) -> bytes:
        start, end = bounds
        if start >= end:
            return b""
        try:
            return self.copy_in_part(start, end - start)
        except EFAULT:
            return b""

    def resident_set_size(self) -> int:
        """Bytes of host memory in it, shared ones included; cheap."""
        return self.address_space.resident_set_size()

    def locked_size(self) -> int:
        """Bytes locked into memory."""
        return self.address_space.locked_size()

    def memory_use(self) -> tuple[int, int]:
        """Bytes of anonymous and of shared memory, pages of several processes by their share."""
        return self.address_space.memory_use()

    def set_limit(self, resource: int, soft: int) -> None:
        """Pass a limit on mappings to the host, which enforces it.

        Only the soft one: it may be raised again, as far as the host lets this process go.
        """
        from resource import getrlimit

        _, host_hard = getrlimit(resource)
        unlimited = soft >> 63
        if host_hard >= 0 and (unlimited or soft > host_hard):
            soft, unlimited = host_hard, 0
        self.address_space.set_limit(resource, -1 if unlimited else soft, host_hard)
