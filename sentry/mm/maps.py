"""/proc/PID/maps and its relatives: the host's text, translated.

The host shows its own devices, inodes and paths; a guest sees the file it mapped.  What
is ours (the stub page) the platform has left out already.
"""

from runsc_py.platform.interface import HostMapping
from runsc_py.sentry.abi.memory import PAGE_SIZE

TYPE_CHECKING = False
if TYPE_CHECKING:
    from runsc_py.sentry.mm.memory_manager import MemoryManager

#: names that the host gives to what is no file, and that are right for the guest as well
KERNEL_NAMES = ("[vdso]", "[vvar]", "[vvar_vclock]", "[vsyscall]")
#: the path column starts here (proc_pid_maps(5))
PATH_COLUMN = 73


def _describe(memory: "MemoryManager", mapping: HostMapping) -> tuple[int, int, bytes]:
    """(device, inode, name) as the guest knows them."""
    if mapping.inode:
        path = memory.mapped_files.get((mapping.device, mapping.inode))
        if path is not None:
            attributes = path.inode.get_attributes()
            name = memory.kernel.path_name(path)
            return attributes.device, attributes.inode, name
        # Shared anonymous memory, which Linux shows as a deleted /dev/zero of its own device.
        return mapping.device, mapping.inode, b"/dev/zero (deleted)"
    if mapping.path in KERNEL_NAMES:
        return 0, 0, mapping.path.encode()
    if mapping.start <= memory.stack_start < mapping.end:
        return 0, 0, b"[stack]"
    if mapping.start < memory.brk_end and mapping.end > memory.brk_start:
        return 0, 0, b"[heap]"
    return 0, 0, b""


def _line(memory: "MemoryManager", mapping: HostMapping) -> bytes:
    device, inode, name = _describe(memory, mapping)
    major = (device >> 8) & 0xFFF
    minor = (device & 0xFF) | ((device >> 12) & ~0xFF)
    head = (
        f"{mapping.start:08x}-{mapping.end:08x} {mapping.permissions} "
        f"{mapping.offset if mapping.inode else 0:08x} {major:02x}:{minor:02x} {inode} "
    )
    if not name:
        return head.encode() + b"\n"
    return head.ljust(PATH_COLUMN).encode() + name.replace(b"\n", b"\\012") + b"\n"


def maps_text(memory: "MemoryManager") -> bytes:
    """One line a mapping."""
    return b"".join(_line(memory, mapping) for mapping in memory.mappings())


def smaps_text(memory: "MemoryManager") -> bytes:
    """The host's smaps with translated head lines."""
    by_start = {mapping.start: mapping for mapping in memory.mappings()}
    output: list[bytes] = []
    shown = False
    for line in memory.address_space.smaps().splitlines():
        start, dash, _ = line.partition("-")
        if dash and start and all(digit in "0123456789abcdef" for digit in start):
            mapping = by_start.get(int(start, 16))
            shown = mapping is not None
            if mapping is not None:
                output.append(_line(memory, mapping))
        elif shown:
            output.append(line.encode() + b"\n")
    return b"".join(output)


def smaps_rollup_text(memory: "MemoryManager") -> bytes:
    """The host's sums below a head line of the guest's."""
    mappings = memory.mappings()
    sums = memory.address_space.smaps_rollup().partition("\n")[2]
    if not mappings or not sums:
        return b""
    head = f"{mappings[0].start:08x}-{mappings[-1].end:08x} ---p 00000000 00:00 0 "
    return f"{head.ljust(PATH_COLUMN)}[rollup]\n{sums}".encode()


def statistics(memory: "MemoryManager") -> tuple[int, int, int, int, int]:
    """(size, resident, shared, text, data) in pages (proc_pid_statm(5))."""
    size, resident, shared, data = memory.address_space.sizes()
    text = sum(
        mapping.end - mapping.start
        for mapping in memory.mappings()
        if "x" in mapping.permissions and mapping.path not in KERNEL_NAMES
    )
    return size, resident, shared, text // PAGE_SIZE, data
