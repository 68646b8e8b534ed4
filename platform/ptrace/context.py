"""One guest thread: a stopped or running host thread under ptrace(2)."""

import os
import time
from contextlib import suppress
from errno import ESRCH

from runsc_py.platform.interface import ContextGone, Event, MemoryFault
from runsc_py.platform.ptrace._hot import ffi, lib

TYPE_CHECKING = False
if TYPE_CHECKING:
    from runsc_py.platform.ptrace._hot import NativeContext
    from runsc_py.platform.ptrace.address_space import PtraceAddressSpace
    from runsc_py.platform.ptrace.platform import PtracePlatform

MASK = (1 << 64) - 1
EXTENDED_STATE_SIZE = 16384  # as in native/internal.h
CPUCLOCK_SCHED = 2  # a CPU clock id is ~pid << 3 | kind, see clock_getcpuclockid(3)


class PtraceContext:
    """Context.  `registers`, `arguments` and `register_bytes` are views of C memory: they show
    the last stop, and are the context's own until `exit`."""

    __slots__ = (
        "_native",
        "_platform",
        "address_space",
        "arguments",
        "event",
        "number",
        "owner",
        "pid",
        "register_bytes",
        "registers",
        "tid",
    )

    def __init__(
        self,
        platform: "PtracePlatform",
        native: "NativeContext",
        address_space: "PtraceAddressSpace",
    ) -> None:
        self._platform = platform
        self._native = native
        self.address_space = address_space
        self.registers = native.registers
        #: the registers as one buffer in user_regs_struct order, to save and load them whole
        self.register_bytes = memoryview(ffi.buffer(ffi.addressof(native, "registers")))
        self.arguments = memoryview(ffi.buffer(native.arguments))
        self.event: int = Event.INTERRUPTED
        self.number = -1
        self.owner: object = None
        #: host thread and process; never shown to a guest
        self.tid = native.tid
        self.pid = native.pid
        address_space.add(self)

    def set_result(self, value: int) -> None:
        """Decide the pending system call: it is not executed, the guest sees `value` in rax."""
        native = self._native
        self.registers.rax = value & MASK
        native.call_pending = 0
        native.changed = 1

    def set_registers_changed(self) -> None:
        """The sentry rewrote `registers`: they are used as they are."""
        native = self._native
        native.call_pending = 0
        native.changed = 1

    def execute(self, number: int, *arguments: int) -> int:
        """Run one host system call of a short fixed list inside this context.

        Returns what the host returned (negative errno included).  Raises ContextGone; ValueError
        for a call outside the list or one that touches the stub page.
        """
        a, b, c, d, e, f = (*(value & MASK for value in arguments), 0, 0, 0, 0, 0, 0)[:6]
        native = self._native
        ended = lib.context_execute(self._platform.native, native, number, a, b, c, d, e, f)
        if ended == lib.CALL_DONE:
            return native.result
        if ended == lib.CALL_GONE:
            raise ContextGone
        raise ValueError(f"call {number} of {arguments} is not for guests")

    def compare_exchange(self, address: int, old: int, new: int) -> int:
        """Replace a 32-bit word of guest memory if it is `old`; returns what it was.

        Atomic beside guest threads that run.  Raises MemoryFault, ContextGone.
        """
        native = self._native
        ended = lib.context_compare_exchange(
            self._platform.native, native, address & MASK, old, new
        )
        if ended == lib.CALL_DONE:
            return native.result
        if ended == lib.CALL_GONE:
            raise ContextGone
        raise MemoryFault

    def clone_process(self, share_memory: bool) -> "PtraceContext":
        """A new host process with this context's registers: copy-on-write, or sharing memory.

        Raises OSError with the host's errno, ContextGone.
        """
        native = self._clone(share_memory, False)
        space = self.address_space if share_memory else self._platform.new_memory()
        return self._platform.add_context(native, space)

    def clone_thread(self) -> "PtraceContext":
        """A new host thread in the same host process, with this context's registers.

        Raises OSError with the host's errno, ContextGone.
        """
        return self._platform.add_context(self._clone(True, True), self.address_space)

    def _clone(self, share_memory: bool, thread: bool) -> "NativeContext":
        native = lib.context_clone(self._platform.native, self._native, share_memory, thread)
        if native == ffi.NULL:
            number = ffi.errno
            if number == ESRCH:
                raise ContextGone
            raise OSError(number, os.strerror(number))
        return native

    def resume(self) -> None:
        """Let the guest run; its next event comes from `Platform.wait`."""
        lib.context_resume(self._platform.native, self._native)

    def interrupt(self) -> None:
        """Ask a running context to stop; does nothing to a stopped one."""
        lib.context_interrupt(self._native)

    def is_stopped(self) -> bool:
        """Whether the context is stopped in the sentry's hands."""
        return self._native.state in (lib.STATE_AT_CALL, lib.STATE_STOPPED)

    def signal_info(self) -> bytes:
        """The 128-byte siginfo_t of a FAULT event."""
        return bytes(ffi.buffer(self._native.signal_info))

    def get_extended_state(self) -> bytes:
        """The floating point and vector state, XSAVE format (NT_X86_XSTATE)."""
        buffer = self._platform.state_buffer
        size = lib.context_get_extended_state(self._native, buffer, EXTENDED_STATE_SIZE)
        if size < 0:
            raise ContextGone
        return ffi.unpack(buffer, size)

    def set_extended_state(self, state: bytes) -> None:
        """Replace it.  Raises ValueError when the host refuses the image."""
        error = lib.context_set_extended_state(self._native, state, len(state))
        if error:
            raise ValueError(f"extended state of {len(state)} bytes: {os.strerror(-error)}")

    def get_debug_register(self, number: int) -> int:
        """DR0 to DR7, as PTRACE_PEEKUSER tells them."""
        if lib.context_get_debug_register(self._native, number):
            raise ContextGone
        return self._native.result & MASK

    def set_debug_register(self, number: int, value: int) -> None:
        """Replace it.  Raises ValueError with the errno when the host refuses the value."""
        error = lib.context_set_debug_register(self._native, number, value)
        if error == -ESRCH:
            raise ContextGone
        if error:
            raise ValueError(-error)

    def touch(self, address: int) -> int:
        """Reach for a byte as a debugger does, which lets a stack grow; 0 or an errno."""
        return lib.context_touch(self._native, address & MASK)

    def poke(self, address: int, data: bytes) -> int:
        """PTRACE_POKEDATA; 0 or an errno."""
        return lib.context_poke(self._native, address, data, len(data))

    def cpu_time(self) -> int:
        """CPU time used by this host thread, nanoseconds; 0 when it is gone.

        Lags behind by up to a timer tick while the thread runs.
        """
        try:
            return self._platform.thread_cpu_time(self.tid)
        except (FileNotFoundError, ProcessLookupError):
            return 0

    def process_cpu_time(self) -> int:
        """CPU time used by the host process, ended threads included; 0 when it is gone."""
        try:
            return time.clock_gettime_ns(~self.pid << 3 | CPUCLOCK_SCHED)
        except OSError:  # EINVAL: no such clock any more
            return 0

    def take_effort(self) -> tuple[int, int]:
        """What serving this context has cost since the last call, and what serving all has."""
        native, platform = self._native, self._platform.native
        own, total = native.effort, platform.effort
        native.effort = 0
        platform.effort = total - own
        return own, total

    def set_affinity(self, mask: int) -> None:
        """Move this host thread to CPUs by the guest's numbers, a bit for each; stopped or not.

        A hint: placement (native/placement.c) moves it again when its traps ask for that.
        """
        cpus = [cpu for number, cpu in enumerate(self._platform.cpus) if mask >> number & 1]
        with suppress(ProcessLookupError):
            os.sched_setaffinity(self.tid, cpus)

    def exit(self) -> None:
        """End this host thread (and the host process, when it is the last context in it).

        Works at any time, running or dead; the context must not be used afterwards.
        """
        self._platform.remove_context(self)
