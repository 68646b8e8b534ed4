"""Reading an ELF file's headers, and placing its segments into an address space.

elf(5).  The file is hostile: every number is checked before it is used.  This is Linux's
binfmt_elf for x86-64 and nothing else.
"""

from runsc_py.sentry.abi.elf import (
    ELF_HEADER,
    ELF_MAGIC,
    ELFCLASS64,
    ELFDATA2LSB,
    EM_X86_64,
    ET_DYN,
    ET_EXEC,
    PF_R,
    PF_W,
    PF_X,
    PROGRAM_HEADER,
    PT_GNU_STACK,
    PT_INTERP,
    PT_LOAD,
)
from runsc_py.sentry.abi.memory import (
    MAP_ANONYMOUS,
    MAP_FIXED,
    MAP_FIXED_NOREPLACE,
    MAP_PRIVATE,
    PAGE_SIZE,
    PROT_EXEC,
    PROT_NONE,
    PROT_READ,
    PROT_WRITE,
    SYS_MMAP,
    SYS_MUNMAP,
    TASK_SIZE,
    page_down,
    page_up,
)
from runsc_py.sentry.errors import (
    EINVAL,
    EIO,
    ELIBBAD,
    ENOEXEC,
    ENOMEM,
    KernelError,
    error_for,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from runsc_py.platform.interface import Context
    from runsc_py.sentry.mm.memory_manager import MemoryManager
    from runsc_py.sentry.vfs.open_file import OpenFile

#: Linux reads at most one page of program headers' worth
MAX_PROGRAM_HEADERS = 65536 // PROGRAM_HEADER.size
MAX_INTERPRETER_PATH = 4096


class Segment:
    """A PT_LOAD program header."""

    __slots__ = ("address", "file_size", "flags", "memory_size", "offset")

    def __init__(
        self, flags: int, offset: int, address: int, file_size: int, memory_size: int
    ) -> None:
        self.flags = flags
        self.offset = offset
        self.address = address
        self.file_size = file_size
        self.memory_size = memory_size

    @property
    def protection(self) -> int:
        return (
            (PROT_READ if self.flags & PF_R else 0)
            | (PROT_WRITE if self.flags & PF_W else 0)
            | (PROT_EXEC if self.flags & PF_X else 0)
        )


class ElfImage:
    """What the headers of an ELF file say."""

    __slots__ = (
        "alignment",
        "entry",
        "executable_stack",
        "file",
        "header_address",
        "header_count",
        "interpreter",
        "position_independent",
        "segments",
    )

    def __init__(self, file: "OpenFile", head: bytes) -> None:
        """Parse.  `head` is the start of the file.  Errors: ENOEXEC, EIO, ELIBBAD."""
        self.file = file
        if len(head) < ELF_HEADER.size or head[:4] != ELF_MAGIC:
            raise ENOEXEC
        header = ELF_HEADER.as_dict(head)
        identity = header["e_ident"]
        if (
            identity[4] != ELFCLASS64
            or identity[5] != ELFDATA2LSB
            or header["e_machine"] != EM_X86_64
            or header["e_type"] not in (ET_EXEC, ET_DYN)
            or header["e_phentsize"] != PROGRAM_HEADER.size
            or not 0 < header["e_phnum"] <= MAX_PROGRAM_HEADERS
        ):
            raise ENOEXEC
        self.position_independent = header["e_type"] == ET_DYN
        self.entry: int = header["e_entry"]
        self.header_count: int = header["e_phnum"]
        self.segments: list[Segment] = []
        self.interpreter: bytes | None = None
        self.executable_stack = True
        self.header_address = 0
        self.alignment = PAGE_SIZE
        self._parse_program_headers(head, header["e_phoff"])

    def _parse_program_headers(self, head: bytes, offset: int) -> None:
        size = self.header_count * PROGRAM_HEADER.size
        table = head[offset : offset + size]
        if len(table) != size:
            table = self.file.read_at(size, offset) if offset < 1 << 62 else b""
        if len(table) != size:
            raise EIO
        self.executable_stack = True
        for position in range(0, size, PROGRAM_HEADER.size):
            kind, flags, start, address, _, file_size, memory_size, alignment = (
                PROGRAM_HEADER.unpack_from(table, position)
            )
            if kind == PT_LOAD:
                self._add_segment(flags, start, address, file_size, memory_size, alignment)
                if start <= offset < start + file_size:
                    self.header_address = address + offset - start
            elif kind == PT_INTERP and self.interpreter is None:
                self.interpreter = self._read_interpreter(start, file_size)
            elif kind == PT_GNU_STACK:
                self.executable_stack = bool(flags & PF_X)
        if not self.segments:
            raise ENOEXEC

    def _add_segment(
        self, flags: int, offset: int, address: int, file_size: int, memory_size: int, align: int
    ) -> None:
        if not memory_size:
            return
        if (
            file_size > memory_size
            or address + memory_size > TASK_SIZE
            or offset + file_size >= 1 << 62
            or (offset - address) % PAGE_SIZE
            or (self.segments and address < self.segments[-1].address)
        ):
            raise ENOEXEC
        if align & (align - 1) == 0 and align <= 1 << 30:
            self.alignment = max(self.alignment, align)
        self.segments.append(Segment(flags, offset, address, file_size, memory_size))

    def _read_interpreter(self, offset: int, size: int) -> bytes:
        if not 2 <= size <= MAX_INTERPRETER_PATH or offset >= 1 << 62:
            raise ENOEXEC
        name = self.file.read_at(size, offset)
        if len(name) != size:
            raise EIO
        if name[-1]:
            raise ENOEXEC
        return name[: name.index(b"\0")]

    @property
    def lowest(self) -> int:
        return page_down(self.segments[0].address)

    @property
    def highest(self) -> int:
        """End of the last segment in memory, not rounded: where the heap may begin."""
        return max(segment.address + segment.memory_size for segment in self.segments)


class LoadedImage:
    """Where an ELF file came to lie."""

    __slots__ = ("bias", "image")

    def __init__(self, image: ElfImage, bias: int) -> None:
        self.image = image
        #: added to every address of the file
        self.bias = bias

    @property
    def entry(self) -> int:
        return self.image.entry + self.bias

    @property
    def code_range(self) -> tuple[int, int]:
        """From the first executable byte to the last, as proc_pid_stat(5) shows it."""
        code = [segment for segment in self.image.segments if segment.flags & PF_X]
        return (
            self.bias + min((segment.address for segment in code), default=0),
            self.bias + max((segment.address + segment.file_size for segment in code), default=0),
        )

    @property
    def data_range(self) -> tuple[int, int]:
        """From the start of the last segment to the end of what the file gives."""
        segments = self.image.segments
        return (
            self.bias + max(segment.address for segment in segments),
            self.bias + max(segment.address + segment.file_size for segment in segments),
        )

    @property
    def header_address(self) -> int:
        """Address of the program headers (AT_PHDR)."""
        return self.image.header_address + self.bias

    @property
    def end(self) -> int:
        return self.image.highest + self.bias


def checked(result: int) -> int:
    """The result of a host call in the guest, or its error raised."""
    if -4096 < result < 0:
        raise error_for(-result)
    return result


def load_image(
    context: "Context", memory: "MemoryManager", image: ElfImage, preferred: int
) -> LoadedImage:
    """Map every segment.

    A position-independent image goes to `preferred` (0: wherever the host likes); a fixed one to
    its own addresses.  Errors: ENOMEM, EINVAL, EEXIST, ENOEXEC.
    """
    descriptor = image.file.host_descriptor()
    if descriptor is None:
        raise ENOEXEC
    bias = _reserve(context, image, preferred)
    for segment in image.segments:
        _map_segment(context, memory, segment, descriptor, bias)
    return LoadedImage(image, bias)


def _reserve(context: "Context", image: ElfImage, preferred: int) -> int:
    """Take the whole range first, so that nothing else is replaced.  Returns the bias."""
    start = image.lowest
    size = page_up(image.highest) - start
    flags = MAP_PRIVATE | MAP_ANONYMOUS
    if not image.position_independent:
        flags |= MAP_FIXED_NOREPLACE
        checked(context.execute(SYS_MMAP, start, size, PROT_NONE, flags, -1, 0))
        return 0
    alignment = image.alignment
    if preferred:
        wanted = preferred & ~(alignment - 1)
        got = context.execute(SYS_MMAP, wanted, size, PROT_NONE, flags | MAP_FIXED_NOREPLACE, -1, 0)
        if got == wanted:
            return got - start
    slack = alignment - PAGE_SIZE
    got = checked(context.execute(SYS_MMAP, 0, size + slack, PROT_NONE, flags, -1, 0))
    aligned = (got + slack) & ~(alignment - 1)
    for begin, end in ((got, aligned), (aligned + size, got + slack + size)):
        if begin < end:
            checked(context.execute(SYS_MUNMAP, begin, end - begin))
    return aligned - start


def _map_segment(
    context: "Context", memory: "MemoryManager", segment: Segment, descriptor: int, bias: int
) -> None:
    """Map a segment's bytes, then zero or map what is beyond them (.bss)."""
    start = page_down(segment.address + bias)
    file_end = segment.address + segment.file_size + bias
    memory_end = page_up(segment.address + segment.memory_size + bias)
    mapped_end = start
    if segment.file_size:
        mapped_end = page_up(file_end)
        checked(
            context.execute(
                SYS_MMAP,
                start,
                mapped_end - start,
                segment.protection,
                MAP_PRIVATE | MAP_FIXED,
                descriptor,
                page_down(segment.offset),
            )
        )
    if segment.memory_size > segment.file_size and segment.flags & PF_W and segment.file_size:
        _zero_tail(memory, file_end, mapped_end)
    if memory_end > mapped_end:
        checked(
            context.execute(
                SYS_MMAP,
                mapped_end,
                memory_end - mapped_end,
                segment.protection,
                MAP_PRIVATE | MAP_FIXED | MAP_ANONYMOUS,
                -1,
                0,
            )
        )


def _zero_tail(memory: "MemoryManager", start: int, end: int) -> None:
    if start < end:
        memory.zero(start, end - start)


def read_head(file: "OpenFile") -> bytes:
    """The first page: what decides how a file is executed."""
    try:
        return file.read_at(PAGE_SIZE, 0)
    except EINVAL:
        raise ENOEXEC from None


def open_interpreter(file: "OpenFile") -> ElfImage:
    """The program interpreter's image.  Errors: ELIBBAD when it is no usable ELF file."""
    try:
        return ElfImage(file, read_head(file))
    except KernelError as error:
        if isinstance(error, ENOMEM):
            raise
        raise ELIBBAD from None
