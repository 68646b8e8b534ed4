"""Guests of a few instructions, for tests of the platform without a sentry.

Code is built as bytes, instruction by instruction, and put at a fixed address of a
fresh address space with a page of data and a stack.
"""

from struct import pack

from runsc_py.platform.ptrace import PtracePlatform
from runsc_py.platform.ptrace.context import PtraceContext

CODE = 0x400000
DATA = 0x500000
STACK = 0x600000
PAGE = 4096

READ_WRITE_EXECUTE = 7
READ_WRITE = 3
PRIVATE_ANONYMOUS_FIXED = 0x32
SYS_MMAP = 9

SYSCALL = b"\x0f\x05"
INT_80 = b"\xcd\x80"
SPIN = b"\xeb\xfe"
BREAKPOINT = b"\xcc"
ILLEGAL = b"\x0f\x0b"

#: how `mov $imm64, %reg` begins
LOAD = {
    "rax": b"\x48\xb8",
    "rcx": b"\x48\xb9",
    "rdx": b"\x48\xba",
    "rbx": b"\x48\xbb",
    "rsp": b"\x48\xbc",
    "rbp": b"\x48\xbd",
    "rsi": b"\x48\xbe",
    "rdi": b"\x48\xbf",
    "r8": b"\x49\xb8",
    "r9": b"\x49\xb9",
    "r10": b"\x49\xba",
}
ARGUMENTS = ("rdi", "rsi", "rdx", "r10", "r8", "r9")


def load(register: str, value: int) -> bytes:
    """mov $value, %register"""
    return LOAD[register] + pack("<Q", value & (1 << 64) - 1)


def call(number: int, *arguments: int) -> bytes:
    """A system call with its arguments loaded."""
    loads = [load(register, value) for register, value in zip(ARGUMENTS, arguments, strict=False)]
    return b"".join(loads) + load("rax", number) + SYSCALL


def store_rax(address: int) -> bytes:
    """movabs %rax, address"""
    return b"\x48\xa3" + pack("<Q", address)


def read_byte(address: int) -> bytes:
    """movabs address, %al"""
    return b"\xa0" + pack("<Q", address)


def write_byte(address: int) -> bytes:
    """movabs %al, address"""
    return b"\xa2" + pack("<Q", address)


def jump(address: int) -> bytes:
    """mov $address, %rax; jmp *%rax"""
    return load("rax", address) + b"\xff\xe0"


def call_function(address: int) -> bytes:
    """mov $address, %rax; call *%rax"""
    return load("rax", address) + b"\xff\xd0"


def again(body: bytes) -> bytes:
    """The body, for ever."""
    return body + b"\xe9" + pack("<i", -len(body) - 5)


def new_guest(platform: PtracePlatform, code: bytes) -> PtraceContext:
    """A stopped context that will run `code`, with a zeroed data page and a stack."""
    context = platform.new_address_space()
    for address, protection in (
        (CODE, READ_WRITE_EXECUTE),
        (DATA, READ_WRITE),
        (STACK, READ_WRITE),
    ):
        mapped = context.execute(
            SYS_MMAP, address, PAGE, protection, PRIVATE_ANONYMOUS_FIXED, -1, 0
        )
        assert mapped == address
    context.address_space.write(CODE, code)
    context.registers.rip = CODE
    context.registers.rsp = STACK + PAGE
    context.set_registers_changed()
    return context


def read_word(context: PtraceContext, address: int = DATA) -> int:
    """A signed 64-bit word of guest memory."""
    return int.from_bytes(context.address_space.read(address, 8), "little", signed=True)


def next_stop(platform: PtracePlatform, resume: PtraceContext | None = None) -> PtraceContext:
    """The next context that stops; other reasons to wake are passed over."""
    stopped = platform.wait(resume)
    while stopped is None:
        stopped = platform.wait()
    return stopped
