"""The ptrace platform: one tracer thread, many stubs.

`native/` holds what must be C; this class maps its contexts onto Python objects.
Neighbours: context.py (a guest thread), address_space.py (guest memory), stubs.py
(how it starts), placement.py (CPUs), bpf.py (the seccomp filters).

Rules: one platform per process, used from the thread that made it.  That process
must not handle SIGCHLD (every trap would interrupt it), and must confine itself
with Landlock before it makes the platform: Landlock forbids access to the memory
of processes outside of one's own domain.
"""

from __future__ import annotations

import os
from errno import ESRCH

from runsc_py.platform.interface import Event, PlatformError
from runsc_py.platform.ptrace._hot import ffi, lib
from runsc_py.platform.ptrace.address_space import BUFFER_SIZE, PtraceAddressSpace, allocate
from runsc_py.platform.ptrace.context import EXTENDED_STATE_SIZE, PtraceContext
from runsc_py.platform.ptrace.placement import place
from runsc_py.platform.ptrace.process_maps import read_process_file
from runsc_py.platform.ptrace.stubs import require_machine, start_doorbell, start_master

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from runsc_py.platform.ptrace._hot import NativeContext
    from runsc_py.platform.ptrace.placement import Placement

EXITED = int(Event.EXITED)
SYSCALL = int(Event.SYSCALL)


class PtracePlatform:
    """Platform, on any Linux that lets a process trace its own children."""

    def __init__(self, placement: Placement = "auto", processes: int = -1) -> None:
        """Raises PlatformError, with what to do about it.

        `processes` is a descriptor of a procfs(5) to look at stubs by, the platform's from now on;
        -1 for the host's /proc.
        """
        require_machine()
        self._contexts: dict[int, PtraceContext] = {}
        self._closed = False
        self.native = lib.platform_create()
        if self.native == ffi.NULL:
            raise PlatformError("out of memory")
        self._buffer = allocate("char[]", BUFFER_SIZE)  # for transfers of guest memory
        #: for transfers of extended state
        self.state_buffer = ffi.new("char[]", EXTENDED_STATE_SIZE)
        if processes < 0:
            processes = os.open("/proc", os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
        self._proc_fd = processes
        #: the host's numbers of the CPUs that guests number from 0
        self.cpus = sorted(os.sched_getaffinity(0))
        self.processors = len(self.cpus)
        self.lowest_address = lib.LOWEST_ADDRESS
        try:
            place(self.native, placement, self._proc_fd)
            self._vdso = start_master(self.native, self._proc_fd)
            self.vdso_address = self._vdso.start
            start_doorbell(self.native, self._proc_fd)
        except BaseException:
            self.close()
            raise

    def __enter__(self) -> PtracePlatform:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    @property
    def running(self) -> int:
        """Contexts that were resumed and have not stopped."""
        return self.native.running

    def thread_cpu_time(self, tid: int) -> int:
        """CPU time of one host thread, nanoseconds.  Raises OSError when it is gone."""
        return int(read_process_file(self._proc_fd, tid, "schedstat").split()[0])

    def new_memory(self) -> PtraceAddressSpace:
        """An address space object for contexts to be added to."""
        return PtraceAddressSpace(self._proc_fd, self._buffer)

    def add_context(self, native: NativeContext, space: PtraceAddressSpace) -> PtraceContext:
        """The Python side of a context that the C core has made."""
        context = PtraceContext(self, native, space)
        self._contexts[native.slot] = context
        return context

    def remove_context(self, context: PtraceContext) -> None:
        """Forget a context and end its host thread."""
        native = context._native
        if self._closed or self._contexts.get(native.slot) is not context:
            return
        del self._contexts[native.slot]
        context.address_space.remove(context)
        lib.context_exit(self.native, native)

    def new_address_space(self) -> PtraceContext:
        """A fresh address space with one context in it: nothing mapped but the stub page and vDSO.

        Raises OSError with the host's errno, PlatformError.
        """
        native = lib.platform_new_context(self.native)
        if native == ffi.NULL:
            number = ffi.errno
            if number == ESRCH:
                raise PlatformError("the master stub was killed")
            raise OSError(number, os.strerror(number))
        return self.add_context(native, self.new_memory())

    def vdso_image(self) -> bytes:
        """The vDSO as every address space has it: this process's own, at the same place."""
        return bytes(ffi.buffer(ffi.cast("char *", self._vdso.start), len(self._vdso)))

    def watch(self, fd: int) -> None:
        """Make `wait` return WAKE when `fd` (an epoll descriptor) becomes readable; -1 for none."""
        lib.platform_watch(self.native, fd)

    def accompany(self, pid: int) -> None:
        """Keep a child of this process, whose answers it waits for, on the tracer's CPU."""
        lib.platform_accompany(self.native, pid)

    def take_child(self) -> tuple[int, int] | None:
        """A child of this process that `wait` has reaped though it is no guest: pid, wait status.

        At most 16 are kept.  None when there is none (left).
        """
        native = self.native
        if native.others == 0:
            return None
        native.others -= 1
        return native.other_pids[native.others], native.other_statuses[native.others]

    def wait(self, resume: Any = None) -> PtraceContext | None:
        """Resume `resume` (a PtraceContext) if given, then block for the next event of any context.

        Returns the context (its `event` tells why), or None for WAKE: the watched descriptor
        is readable, a host signal arrived, or another child of this process ended.  Raises
        PlatformError when the platform's own processes were killed.
        """
        found = lib.platform_wait(self.native, ffi.NULL if resume is None else resume._native)
        if found > 0:
            context = self._contexts[found >> 3]
            event = found & 7
            context.event = event
            if event == SYSCALL:
                context.number = context._native.number
            elif event == EXITED:
                context.address_space.remove(context)
            return context
        if found == 0:
            return None
        raise PlatformError("a process of the platform was killed from outside")

    def kill_all(self) -> None:
        """Kill every host process of the platform and reap it; used at the end of a run."""
        lib.platform_kill_all(self.native)

    def close(self) -> None:
        """Kill every host process and free what the platform holds; contexts are dead after it."""
        if self._closed:
            return
        self._closed = True
        lib.platform_destroy(self.native)
        os.close(self._proc_fd)
