"""Guest memory from the sentry's side."""

import errno
import os
import resource
import tempfile

import pytest

from harness.machine_code import CODE, DATA, PAGE, SPIN, STACK, call, new_guest, next_stop
from runsc_py.platform.interface import Event, MemoryFault
from runsc_py.platform.ptrace import PtracePlatform
from runsc_py.platform.ptrace.address_space import PtraceAddressSpace
from runsc_py.platform.ptrace.context import PtraceContext

SYS_MMAP = 9
SYS_MPROTECT = 10
SYS_PREAD64 = 17
SYS_PWRITE64 = 18
BIG = 0x1000000
MEGABYTE = 1 << 20


@pytest.fixture
def context(platform: PtracePlatform) -> PtraceContext:
    return new_guest(platform, SPIN)


@pytest.fixture
def space(context: PtraceContext) -> PtraceAddressSpace:
    return context.address_space


def test_write_then_read(space: PtraceAddressSpace) -> None:
    for data in (b"bytes", bytearray(b"a bytearray"), memoryview(b"a view")):
        space.write(DATA + 1, data)
        assert space.read(DATA + 1, len(data)) == data
    assert space.read(DATA, 0) == b""
    space.write(0, b"")


def test_large_transfers(context: PtraceContext, space: PtraceAddressSpace) -> None:
    assert context.execute(SYS_MMAP, BIG, MEGABYTE, 3, 0x32, -1, 0) == BIG
    data = bytes(range(256)) * 4096
    space.write(BIG, data)
    assert space.read(BIG, MEGABYTE) == data
    destination = bytearray(MEGABYTE)
    space.read_into(BIG, destination)
    assert destination == data
    space.read_into(BIG, memoryview(destination)[:0])


def test_a_file_is_read_into_and_written_from_guest_memory(
    context: PtraceContext, space: PtraceAddressSpace
) -> None:
    with tempfile.TemporaryFile() as file:
        space.write(DATA, b"guest")
        assert context.execute(SYS_PWRITE64, file.fileno(), DATA, 5, 3) == 5
        assert os.pread(file.fileno(), 9, 0) == b"\0\0\0guest"
        assert context.execute(SYS_PREAD64, file.fileno(), DATA + 1, PAGE, 2) == 6
        assert space.read(DATA, 8) == b"g\0guest\0"
        assert context.execute(SYS_PREAD64, file.fileno(), DATA + 100 * PAGE, 1, 0) == -errno.EFAULT
        assert context.execute(SYS_PREAD64, 1 << 20, DATA, 1, 0) == -errno.EBADF


@pytest.mark.parametrize("size", [100, PAGE + 100])
def test_transfer_ends_at_the_first_bad_page(space: PtraceAddressSpace, size: int) -> None:
    address = DATA + PAGE - 60
    with pytest.raises(MemoryFault) as read:
        space.read(address, size)
    with pytest.raises(MemoryFault) as write:
        space.write(address, b"x" * size)
    with pytest.raises(MemoryFault) as read_into:
        space.read_into(address, bytearray(size))
    assert read.value.done == write.value.done == read_into.value.done == 60
    assert space.read(address, 60) == b"x" * 60


def test_stack_grows_to_what_the_sentry_reaches(
    context: PtraceContext, space: PtraceAddressSpace
) -> None:
    """A guest hands out addresses of its stack that it has not touched yet."""
    flags = 0x22 | 0x10 | 0x100  # growing down
    assert context.execute(SYS_MMAP, BIG, PAGE, 3, flags, -1, 0) == BIG
    space.write(BIG - 50_000, b"x" * 50_000)
    assert space.read(BIG - 50_000, 50_000) == b"x" * 50_000
    assert space.read(BIG - 100_000, 10) == bytes(10)
    with pytest.raises(MemoryFault):
        space.read(BIG + PAGE, 1)


@pytest.mark.parametrize("address", [0, 0x10000, 0x10FFF, 1 << 47, (1 << 64) - 1])
def test_addresses_that_are_nobodys(space: PtraceAddressSpace, address: int) -> None:
    with pytest.raises(MemoryFault):
        space.read(address, 8)
    with pytest.raises(MemoryFault):
        space.write(address, b"8 bytes.")
    with pytest.raises(MemoryFault):
        space.read_string(address, 8)
    with pytest.raises(MemoryFault):
        space.write_forced(address, b"8 bytes.")


def test_protections_hold(context: PtraceContext, space: PtraceAddressSpace) -> None:
    assert context.execute(SYS_MPROTECT, DATA, PAGE, 1) == 0
    assert space.read(DATA, 1) == b"\0"
    with pytest.raises(MemoryFault):
        space.write(DATA, b"x")
    assert context.execute(SYS_MPROTECT, DATA, PAGE, 0) == 0
    with pytest.raises(MemoryFault):
        space.read(DATA, 1)


def test_strings(space: PtraceAddressSpace) -> None:
    space.write(DATA, b"hello\0world\0")
    assert space.read_string(DATA, 100) == b"hello"
    assert space.read_string(DATA, 6) == b"hello"
    assert space.read_string(DATA, 5) is None
    assert space.read_string(DATA + 5, 100) == b""
    assert space.read_string(DATA, 0) is None


def test_string_at_the_end_of_its_page(space: PtraceAddressSpace) -> None:
    space.write(DATA + PAGE - 4, b"abc\0")
    assert space.read_string(DATA + PAGE - 4, 4096) == b"abc"
    space.write(DATA + PAGE - 1, b"d")
    with pytest.raises(MemoryFault):
        space.read_string(DATA + PAGE - 4, 4096)
    assert space.read_string(DATA + PAGE - 4, 4) is None


def test_string_across_pages(context: PtraceContext, space: PtraceAddressSpace) -> None:
    assert context.execute(SYS_MMAP, BIG, MEGABYTE, 3, 0x32, -1, 0) == BIG
    space.write(BIG + 10, b"x" * 200_000)
    assert space.read_string(BIG + 10, MEGABYTE - 10) == b"x" * 200_000


@pytest.mark.parametrize("offset", range(9))
@pytest.mark.parametrize("size", [1, 7, 8, 9, 100])
def test_forced_write(
    context: PtraceContext, space: PtraceAddressSpace, offset: int, size: int
) -> None:
    before = bytes(range(200))
    space.write(DATA, before)
    assert context.execute(SYS_MPROTECT, DATA, PAGE, 1) == 0
    space.write_forced(DATA + offset, b"#" * size)
    after = before[:offset] + b"#" * size + before[offset + size :]
    assert space.read(DATA, 200) == after


def test_forced_write_at_the_end_of_the_mapping(space: PtraceAddressSpace) -> None:
    space.write_forced(DATA + PAGE - 3, b"end")
    assert space.read(DATA + PAGE - 3, 3) == b"end"


def test_forced_write_needs_a_stopped_context(
    context: PtraceContext, space: PtraceAddressSpace
) -> None:
    context.resume()
    with pytest.raises(MemoryFault):
        space.write_forced(DATA, b"x")


def test_mappings(platform: PtracePlatform, space: PtraceAddressSpace) -> None:
    mappings = {mapping.start: mapping for mapping in space.mappings()}
    assert {CODE, DATA, STACK} <= set(mappings)
    assert mappings[CODE].permissions == "rwxp"
    assert mappings[DATA].end == DATA + PAGE
    assert mappings[DATA].path == ""
    assert min(mappings) >= platform.lowest_address
    if platform.vdso_address:
        assert mappings[platform.vdso_address].path == "[vdso]"


def test_smaps_hides_the_stub_page(space: PtraceAddressSpace) -> None:
    lines = space.smaps().splitlines()
    assert lines[0].startswith("00400000-00401000 ")
    assert lines[1].startswith("Size:")
    assert not any(line.startswith("00010000-") for line in lines)


def test_memory_use(context: PtraceContext, space: PtraceAddressSpace) -> None:
    resident, (anonymous, shared) = space.resident_set_size(), space.memory_use()
    assert context.execute(SYS_MMAP, BIG, MEGABYTE, 3, 0x32, -1, 0) == BIG
    space.write(BIG, bytes(MEGABYTE))
    assert MEGABYTE <= space.memory_use()[0] - anonymous < 2 * MEGABYTE
    assert MEGABYTE <= space.resident_set_size() - resident < 2 * MEGABYTE
    assert context.execute(SYS_MMAP, BIG, MEGABYTE, 3, 0x31, -1, 0) == BIG
    space.write(BIG, bytes(MEGABYTE))
    assert MEGABYTE <= space.memory_use()[1] - shared < 2 * MEGABYTE
    context.exit()
    assert (space.resident_set_size(), space.memory_use()) == (0, (0, 0))


def test_limits_hold_for_the_copies_too(platform: PtracePlatform) -> None:
    context = new_guest(platform, call(1))
    platform.wait(context)
    context.address_space.set_limit(resource.RLIMIT_AS, MEGABYTE, MEGABYTE)
    child = context.clone_process(share_memory=False)
    for each in (context, child):
        assert each.execute(SYS_MMAP, BIG, MEGABYTE, 3, 0x32, -1, 0) == -12


def test_compare_exchange(context: PtraceContext, space: PtraceAddressSpace) -> None:
    space.write(DATA, (7).to_bytes(4, "little") + b"rest")
    assert context.compare_exchange(DATA, 8, 9) == 7
    assert context.compare_exchange(DATA, 7, 0xFFFFFFFF) == 7
    assert space.read(DATA, 8) == b"\xff\xff\xff\xffrest"
    assert context.compare_exchange(DATA, 0xFFFFFFFF, 0) == 0xFFFFFFFF
    assert space.read(DATA, 8) == bytes(4) + b"rest"


def test_compare_exchange_leaves_the_registers_alone(platform: PtracePlatform) -> None:
    context = new_guest(platform, call(39) + SPIN)
    assert next_stop(platform, context) is context
    before = bytes(context.register_bytes)
    assert context.compare_exchange(DATA, 0, 5) == 0
    with pytest.raises(MemoryFault):
        context.compare_exchange(8, 0, 5)
    assert bytes(context.register_bytes) == before
    address = context.registers.rip
    context.set_result(1234)
    context.resume()
    context.interrupt()
    assert platform.wait() is context
    assert (context.event, context.registers.rax) == (Event.INTERRUPTED, 1234)
    assert context.registers.rip == address


@pytest.mark.parametrize(
    "address", [DATA + 2, DATA + PAGE, CODE + PAGE, 0, 1 << 47, 1 << 63, (1 << 64) - 4]
)
def test_compare_exchange_where_the_guest_cannot_write(
    context: PtraceContext, address: int
) -> None:
    with pytest.raises(MemoryFault):
        context.compare_exchange(address, 0, 0)
    assert context.compare_exchange(DATA, 0, 0) == 0


def test_compare_exchange_respects_protections(context: PtraceContext) -> None:
    assert context.execute(SYS_MPROTECT, DATA, PAGE, 1) == 0
    with pytest.raises(MemoryFault):
        context.compare_exchange(DATA, 0, 1)


def test_compare_exchange_is_atomic_beside_a_running_thread(platform: PtracePlatform) -> None:
    """Neither its increments nor ours are lost; the thread counts its own in rbx."""
    delay = b"\xb9" + (20000).to_bytes(4, "little") + b"\xe2\xfe"  # mov $20000, %ecx; loop .
    increment = b"\xf0\xff\x04\x25" + DATA.to_bytes(4, "little")  # lock incl DATA
    loop = delay + increment + b"\xff\xc3"  # inc %ebx
    runner = new_guest(platform, loop + b"\xeb" + (-len(loop) - 2 & 0xFF).to_bytes(1, "little"))
    stopped = runner.clone_thread()
    space = runner.address_space
    runner.resume()
    ours = 0
    while ours < 300:
        value = int.from_bytes(space.read(DATA, 4), "little")
        ours += stopped.compare_exchange(DATA, value, value + 1) == value
    runner.interrupt()
    assert platform.wait() is runner
    total = int.from_bytes(space.read(DATA, 4), "little")
    assert runner.registers.rbx
    assert total - ours - runner.registers.rbx in (0, 1)
