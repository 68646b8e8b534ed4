"""The vDSO of a guest, which is the host's: vdso(7).

Its clocks are the machine's.  For a program in a time namespace clock_gettime is overwritten with
the system call of that name; pages that a debugger could write to become the process's own.
"""

from runsc_py.sentry.abi.elf import DYNAMIC, ELF_HEADER, PROGRAM_HEADER, PT_DYNAMIC, SYMBOL

TYPE_CHECKING = False
if TYPE_CHECKING:
    from runsc_py.sentry.mm.memory_manager import MemoryManager

VDSO = "[vdso]"
_CLOCK_GETTIME = b"__vdso_clock_gettime"
#: mov $228, %eax; syscall; ret
_SYSTEM_CALL = bytes((0xB8, 228, 0, 0, 0, 0x0F, 0x05, 0xC3))

_DT_HASH = 4
_DT_STRTAB = 5
_DT_SYMTAB = 6


def symbol_address(image: bytes, name: bytes) -> int | None:
    """Where a symbol of a shared object that is in memory lies, from its first byte."""
    header = ELF_HEADER.as_dict(image[: ELF_HEADER.size])
    dynamic: dict[int, int] = {}
    for number in range(header["e_phnum"]):
        start = header["e_phoff"] + number * PROGRAM_HEADER.size
        segment = PROGRAM_HEADER.as_dict(image[start : start + PROGRAM_HEADER.size])
        if segment["p_type"] == PT_DYNAMIC:
            end = segment["p_vaddr"] + segment["p_memsz"]
            dynamic = dict(DYNAMIC.unpack_from(image, each)
                           for each in range(segment["p_vaddr"], end, DYNAMIC.size))  # fmt: skip
    symbols, strings = dynamic[_DT_SYMTAB], dynamic[_DT_STRTAB]
    for start in range(symbols, strings, SYMBOL.size):
        symbol = SYMBOL.as_dict(image[start : start + SYMBOL.size])
        at = strings + symbol["st_name"]
        if image[at : at + len(name) + 1] == name + b"\0":
            return int(symbol["st_value"])
    return None


def divert_clock_gettime(memory: "MemoryManager") -> None:
    """Have the process of this memory ask the sentry for the time; one context has to be stopped.

    A process that has moved or unmapped its vDSO reads no clock there.
    """
    image = memory.kernel.platform.vdso_image()
    address = symbol_address(image, _CLOCK_GETTIME) if image else None
    if address is None:
        return  # nothing in there reads clocks
    for mapping in memory.mappings():
        if (
            mapping.path == VDSO
            and mapping.end - mapping.start == len(image)
            and not memory.poke(mapping.start + address, _SYSTEM_CALL)
        ):
            memory.kernel.log.warning("a process keeps the machine's clocks: its vDSO is read-only")
