"""Types of the compiled module; `native/hot.h` says what each function does."""

from collections.abc import Callable
from typing import Any

class Registers:
    r15: int
    r14: int
    r13: int
    r12: int
    rbp: int
    rbx: int
    r11: int
    r10: int
    r9: int
    r8: int
    rax: int
    rcx: int
    rdx: int
    rsi: int
    rdi: int
    orig_rax: int
    rip: int
    cs: int
    eflags: int
    rsp: int
    ss: int
    fs_base: int
    gs_base: int
    ds: int
    es: int
    fs: int
    gs: int

class NativeContext:
    registers: Registers
    arguments: object
    number: int
    result: int
    signal_info: object
    slot: int
    tid: int
    pid: int
    state: int
    call_pending: int
    changed: int
    together: int
    effort: int

class NativePlatform:
    running: int
    failed_step: int
    failed_errno: int
    effort: int
    others: int
    other_pids: list[int]
    other_statuses: list[int]

class Array:
    """A char array owned by cffi."""

class Lib:
    STUB_PAGE: int
    LOWEST_ADDRESS: int
    WAIT_WAKE: int
    WAIT_BROKEN: int
    CALL_DONE: int
    CALL_GONE: int
    CALL_REFUSED: int
    STRING_FAULT: int
    STRING_ENDLESS: int
    STATE_FREE: int
    STATE_RUNNING: int
    STATE_AT_CALL: int
    STATE_STOPPED: int
    STATE_DYING: int
    STATE_GONE: int
    STEP_MEMORY: int
    STEP_CLONE: int
    STEP_SEIZE: int
    STEP_SETUP: int
    STEP_PARENT: int
    STEP_RSEQ: int
    STEP_STUB_PAGE: int
    STEP_NO_NEW_PRIVILEGES: int
    STEP_FILTER: int
    STEP_REGISTERS: int
    STEP_UNMAP: int
    STEP_DOORBELL: int
    STEP_CAPABILITIES: int
    STUB_MASTER: int
    STUB_DOORBELL: int
    PLACEMENT_SPREAD: int
    PLACEMENT_TOGETHER: int
    PLACEMENT_AUTO: int

    def file_allocate(self, fd: int, mode: int, offset: int, size: int, /) -> int: ...
    def file_tee(self, source: int, target: int, size: int, /) -> int: ...
    def waiter_become(self, setup: object, /) -> int: ...
    def platform_create(self) -> NativePlatform: ...
    def platform_start_stub(
        self, platform: NativePlatform, which: int, program: bytes, size: int, /
    ) -> int: ...
    def platform_stub_pid(self, platform: NativePlatform, which: int, /) -> int: ...
    def platform_stub_unmap(
        self, platform: NativePlatform, which: int, start: int, size: int, /
    ) -> int: ...
    def platform_finish_master(self, platform: NativePlatform, /) -> int: ...
    def platform_finish_doorbell(self, platform: NativePlatform, /) -> int: ...
    def platform_watch(self, platform: NativePlatform, fd: int, /) -> None: ...
    def platform_place(self, platform: NativePlatform, policy: int, proc: int, /) -> None: ...
    def platform_accompany(self, platform: NativePlatform, pid: int, /) -> None: ...
    def platform_kill_all(self, platform: NativePlatform, /) -> None: ...
    def platform_destroy(self, platform: NativePlatform, /) -> None: ...
    def platform_wait(self, platform: NativePlatform, resume: NativeContext, /) -> int: ...
    def platform_new_context(self, platform: NativePlatform, /) -> NativeContext: ...
    def context_resume(self, platform: NativePlatform, context: NativeContext, /) -> None: ...
    def context_interrupt(self, context: NativeContext, /) -> None: ...
    def context_execute(
        self,
        platform: NativePlatform,
        context: NativeContext,
        number: int,
        a: int,
        b: int,
        c: int,
        d: int,
        e: int,
        f: int,
        /,
    ) -> int: ...
    def context_compare_exchange(
        self,
        platform: NativePlatform,
        context: NativeContext,
        address: int,
        old: int,
        new: int,
        /,
    ) -> int: ...
    def context_clone(
        self,
        platform: NativePlatform,
        context: NativeContext,
        share_memory: int,
        thread: int,
        /,
    ) -> NativeContext: ...
    def context_exit(self, platform: NativePlatform, context: NativeContext, /) -> None: ...
    def context_get_extended_state(
        self, context: NativeContext, buffer: Array, size: int, /
    ) -> int: ...
    def context_set_extended_state(
        self, context: NativeContext, buffer: bytes, size: int, /
    ) -> int: ...
    def context_get_debug_register(self, context: NativeContext, number: int, /) -> int: ...
    def context_set_debug_register(
        self, context: NativeContext, number: int, value: int, /
    ) -> int: ...
    def context_touch(self, context: NativeContext, address: int, /) -> int: ...
    def context_poke(
        self, context: NativeContext, address: int, data: bytes, size: int, /
    ) -> int: ...
    def memory_read(self, tid: int, address: int, buffer: Array, size: int, /) -> int: ...
    def memory_write(self, tid: int, address: int, data: bytes | Array, size: int, /) -> int: ...
    def memory_read_string(self, tid: int, address: int, buffer: Array, limit: int, /) -> int: ...

class Ffi:
    NULL: Any
    errno: int
    def new_allocator(self, *, should_clear_after_alloc: bool) -> Callable[[str, int], Array]: ...
    def new(self, cdecl: str, init: int | bytes | dict[str, object], /) -> Array: ...
    def cast(self, cdecl: str, value: int, /) -> object: ...
    def buffer(self, cdata: object, size: int = ..., /) -> memoryview: ...
    def addressof(self, cdata: NativeContext, field: str, /) -> object: ...
    def unpack(self, cdata: Array, length: int, /) -> bytes: ...
    def from_buffer(self, data: bytes | bytearray | memoryview, /) -> Array: ...

ffi: Ffi
lib: Lib
