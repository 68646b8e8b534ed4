"""The stub page is out of every guest's reach, whatever the sentry can be talked into."""

import os
import random
import signal
from collections.abc import Iterator
from struct import unpack_from

import pytest

from harness.machine_code import (
    DATA,
    PAGE,
    SPIN,
    call,
    jump,
    load,
    new_guest,
    next_stop,
    write_byte,
)
from runsc_py.platform.interface import Event, MemoryFault
from runsc_py.platform.ptrace import PtracePlatform
from runsc_py.platform.ptrace.context import PtraceContext

STUB = 0x10000
LOWEST = 0x11000
BEYOND = (1 << 64) - PAGE
MMAP, MPROTECT, MUNMAP, MREMAP, MSYNC, MINCORE, MADVISE = 9, 10, 11, 25, 26, 27, 28
PREAD64, PWRITE64 = 17, 18
MLOCK, MUNLOCK, MLOCK2 = 149, 150, 325
PRIVATE_ANONYMOUS = 0x22
FIXED = 0x10
FIXED_NOREPLACE = 0x100000
MAYMOVE, REMAP_FIXED, DONTUNMAP = 1, 2, 4
HWPOISON, SOFT_OFFLINE = 100, 101


@pytest.fixture
def platform() -> Iterator[PtracePlatform]:
    with PtracePlatform() as platform:
        yield platform


@pytest.fixture
def context(platform: PtracePlatform) -> PtraceContext:
    return new_guest(platform, SPIN)


def stub_page(context: PtraceContext) -> tuple[bytes, str]:
    """The page as the host has it, and its line of the host's map."""
    with open(f"/proc/{context.pid}/maps") as maps:
        line = maps.readline()
    fd = os.open(f"/proc/{context.pid}/mem", os.O_RDONLY)
    try:
        return os.pread(fd, PAGE, STUB), line
    finally:
        os.close(fd)


ATTACKS = [
    (MUNMAP, STUB, PAGE),
    (MUNMAP, 0, LOWEST),
    (MUNMAP, 0, 1 << 47),
    (MUNMAP, STUB - PAGE, 3 * PAGE),
    (MUNMAP, BEYOND, 2 * PAGE + STUB),
    (MPROTECT, STUB, PAGE, 7),
    (MPROTECT, STUB, 1 << 40, 0),
    (MMAP, STUB, PAGE, 7, PRIVATE_ANONYMOUS | FIXED, -1, 0),
    (MMAP, 0, LOWEST, 7, PRIVATE_ANONYMOUS | FIXED, -1, 0),
    (MMAP, 0, LOWEST, 7, PRIVATE_ANONYMOUS | FIXED_NOREPLACE, -1, 0),
    (MMAP, STUB - PAGE, PAGE, 7, PRIVATE_ANONYMOUS | FIXED, -1, 0),
    (MMAP, STUB - PAGE, 1 << 30, 7, PRIVATE_ANONYMOUS | FIXED, -1, 0),
    (MMAP, STUB, PAGE, 7, PRIVATE_ANONYMOUS, -1, 0),
    (MMAP, BEYOND, 2 * PAGE + STUB, 7, PRIVATE_ANONYMOUS | FIXED, -1, 0),
    (MREMAP, STUB, PAGE, PAGE, MAYMOVE | REMAP_FIXED, 0x900000),
    (MREMAP, STUB, PAGE, 2 * PAGE, MAYMOVE),
    (MREMAP, STUB, PAGE, PAGE, MAYMOVE | DONTUNMAP),
    (MREMAP, STUB, 0, PAGE, MAYMOVE),
    (MREMAP, DATA, PAGE, PAGE, MAYMOVE | REMAP_FIXED, STUB),
    (MREMAP, DATA, PAGE, PAGE, MAYMOVE | REMAP_FIXED, 0),
    (MREMAP, DATA, PAGE, PAGE, MAYMOVE | REMAP_FIXED, STUB - PAGE),
    (MREMAP, DATA, PAGE, 3 * PAGE, MAYMOVE | REMAP_FIXED, BEYOND),
    (MREMAP, DATA, PAGE, BEYOND, MAYMOVE),
    (MADVISE, STUB, PAGE, 4),
    (MADVISE, 0, 1 << 47, 4),
    (MLOCK, STUB, PAGE),
    (MLOCK2, STUB, PAGE, 0),
    (MUNLOCK, STUB, PAGE),
    (MSYNC, STUB, PAGE, 2),
    (MINCORE, STUB, PAGE, DATA),
    (PREAD64, 0, STUB, PAGE, 0),
    (PREAD64, 0, STUB + PAGE - 1, 1, 0),
    (PREAD64, 0, BEYOND, 2 * PAGE + STUB, 0),
    (PWRITE64, 0, STUB, PAGE, 0),
    (PWRITE64, 0, 0, LOWEST, 0),
]


@pytest.mark.parametrize("attack", ATTACKS)
def test_call_on_the_stub_page_is_refused(
    platform: PtracePlatform, context: PtraceContext, attack: tuple[int, ...]
) -> None:
    before = stub_page(context)
    with pytest.raises(ValueError, match="not for guests"):
        context.execute(*attack)
    assert stub_page(context) == before
    assert context.execute(MPROTECT, DATA, PAGE, 3) == 0


@pytest.mark.parametrize(
    "number",
    [0, 1, 2, 56, 57, 58, 59, 60, 101, 157, 158, 216, 231, 310, 317, 329, 435, -1, 1 << 32],
)
def test_other_calls_are_refused(context: PtraceContext, number: int) -> None:
    with pytest.raises(ValueError, match="not for guests"):
        context.execute(number, DATA, PAGE)


def test_advice_that_poisons_the_hosts_memory_is_refused(context: PtraceContext) -> None:
    for advice in (HWPOISON, SOFT_OFFLINE, HWPOISON | 1 << 32):
        with pytest.raises(ValueError, match="not for guests"):
            context.execute(MADVISE, DATA, PAGE, advice)


def test_the_same_calls_work_one_page_higher(context: PtraceContext) -> None:
    """It is the address that is refused, by one comparison."""
    assert context.execute(MMAP, LOWEST, PAGE, 3, PRIVATE_ANONYMOUS | FIXED, -1, 0) == LOWEST
    assert context.execute(MPROTECT, LOWEST, PAGE, 1) == 0
    assert context.execute(MADVISE, LOWEST, PAGE, 4) == 0
    moved = context.execute(MREMAP, DATA, PAGE, PAGE, MAYMOVE | REMAP_FIXED, LOWEST)
    assert moved == LOWEST
    assert context.execute(MUNMAP, LOWEST, PAGE) == 0


@pytest.mark.parametrize("address", [STUB, STUB + 32, LOWEST - 4, 0, BEYOND, (1 << 64) - 4])
def test_exchange_on_the_stub_page_is_refused(context: PtraceContext, address: int) -> None:
    before = stub_page(context)
    with pytest.raises(MemoryFault):
        context.compare_exchange(address, 0xCCCCCCCC, 0)
    assert stub_page(context) == before


@pytest.mark.parametrize("offset", [0, 16, 32, 36])
def test_guest_that_jumps_into_it_stays_in_our_hands(platform: PtracePlatform, offset: int) -> None:
    """Its code makes a call, which is stopped, changes what the guest may change, or faults."""
    context = new_guest(platform, load("rdi", 8) + jump(STUB + offset))
    assert next_stop(platform, context) is context
    assert context.event == (Event.SYSCALL if offset in (0, 16) else Event.FAULT)
    assert context.compare_exchange(DATA, 0, 3) == 0
    assert context.compare_exchange(DATA, 0, 4) == 3


def test_growing_into_the_stub_page_is_impossible(context: PtraceContext) -> None:
    """A mapping that grows downwards stops short of it."""
    grows_down = PRIVATE_ANONYMOUS | FIXED | 0x100
    before = stub_page(context)
    assert context.execute(MMAP, LOWEST, PAGE, 3, grows_down, -1, 0) == LOWEST
    with pytest.raises(MemoryFault):
        context.address_space.write(LOWEST - 8, b"12345678")
    assert stub_page(context)[0] == before[0]


def test_guest_itself_cannot_write_it(platform: PtracePlatform) -> None:
    context = new_guest(platform, load("rax", 0x90) + write_byte(STUB))
    before = stub_page(context)
    assert next_stop(platform, context) is context
    assert context.event == Event.FAULT
    number, _, _, _, address = unpack_from("<iiiiQ", context.signal_info())
    assert (number, address) == (signal.SIGSEGV, STUB)
    assert stub_page(context) == before
    assert "r-xp" in before[1]


def test_guest_itself_cannot_unmap_it(platform: PtracePlatform) -> None:
    code = call(MUNMAP, STUB, PAGE) + call(MPROTECT, STUB, PAGE, 7) + call(1000)
    context = new_guest(platform, code)
    before = stub_page(context)
    while context.number != 1000:
        assert next_stop(platform, context) is context
    assert stub_page(context) == before


def test_sentry_cannot_be_made_to_write_it(context: PtraceContext) -> None:
    space = context.address_space
    for address in (STUB, STUB + 8, LOWEST - 4):
        for write in (space.write, space.write_forced):
            with pytest.raises(MemoryFault):
                write(address, b"\x90" * 8)


def any_argument(chance: random.Random) -> int:
    """Addresses, sizes and flags around everything that matters."""
    base = chance.choice([0, STUB, LOWEST, DATA, 1 << 47, (1 << 64) - PAGE, (1 << 63)])
    return (base + chance.choice([-PAGE, -1, 0, 1, PAGE, STUB, LOWEST])) & (1 << 64) - 1


def test_no_combination_of_arguments_harms_it(platform: PtracePlatform) -> None:
    chance = random.Random(2)
    numbers = [MMAP, MPROTECT, MUNMAP, MREMAP, MADVISE]
    context = new_guest(platform, SPIN)
    before = stub_page(context)
    made = 0
    for _ in range(3000):
        arguments = [any_argument(chance) for _ in range(3)]
        arguments += [chance.randrange(128) | chance.choice([0, FIXED_NOREPLACE])]
        arguments += [any_argument(chance), 0]
        number = chance.choice(numbers)
        if number == MMAP:
            arguments[4] = (1 << 64) - 1
        try:
            context.execute(number, *arguments)
            made += 1
        except ValueError:
            continue
    assert made > 100
    assert stub_page(context) == before
