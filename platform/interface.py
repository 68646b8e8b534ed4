"""What the sentry may ask of a platform, and nothing of Linux semantics.

A *platform* runs guest threads and stops each of them at every system call and
fault.  It knows address spaces and register sets; it does not know what a
process, a signal handler or a file is.  `platform/ptrace` is the first
implementation; the sentry is written against these protocols only.

Ownership::

    Platform                 one per sentry
      AddressSpace           one per guest memory image (shared by CLONE_VM)
        Context              one per guest thread

All methods must be called from the one thread that created the platform.
"""

from enum import IntEnum

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Protocol
else:
    Protocol = object  # the real one is for type checkers, and slow to import


class Event(IntEnum):
    """Why `Platform.wait` returned."""

    SYSCALL = 1  # a context stopped before a system call
    FAULT = 2  # a context stopped by a synchronous signal; see Context.signal_info
    INTERRUPTED = 3  # the answer to Context.interrupt
    EXITED = 4  # a context's host thread, even a stopped one's, was killed from outside
    WAKE = 5  # the watched descriptor is readable, or a host signal arrived


class MemoryFault(Exception):
    """Guest memory could not be read or written.

    `done` is the number of bytes transferred before the first bad address.
    """

    def __init__(self, done: int = 0) -> None:
        super().__init__(done)
        self.done = done


class ContextGone(Exception):
    """The host thread of a context has died; nothing can be asked of it any more."""


class PlatformError(Exception):
    """The host does not let the platform work; the message says what to do, in one line."""


class HostMapping:
    """One line of the host's map of an address space (proc_pid_maps(5))."""

    __slots__ = ("device", "end", "inode", "offset", "path", "permissions", "start")

    def __init__(
        self,
        start: int,
        end: int,
        permissions: str,
        offset: int,
        device: int,
        inode: int,
        path: str,
    ) -> None:
        self.start = start
        self.end = end
        self.permissions = permissions
        self.offset = offset
        self.device = device
        self.inode = inode
        self.path = path


class AddressSpace(Protocol):
    """A guest memory image."""

    def read(self, address: int, size: int) -> bytes:
        """Exactly `size` bytes, or MemoryFault."""

    def write(self, address: int, data: bytes | bytearray | memoryview) -> None:
        """All of `data`, or MemoryFault (protections are respected)."""

    def read_string(self, address: int, limit: int) -> bytes | None:
        """The bytes before the first NUL within `limit` bytes; None when there is none.

        Raises MemoryFault when unreadable memory comes before a NUL.
        """

    def read_into(self, address: int, destination: bytearray | memoryview) -> None:
        """Fill a writable buffer of contiguous bytes, or MemoryFault; a copy less than `read`."""

    def write_forced(self, address: int, data: bytes) -> None:
        """Write regardless of protections (a debugger's poke).  A context here must be stopped."""

    def mappings(self) -> list[HostMapping]:
        """The host's map without what belongs to the platform; the stub page is not shown."""

    def smaps_rollup(self) -> str:
        """The host's smaps_rollup text, untranslated."""

    def smaps(self) -> str:
        """The host's smaps text, untranslated."""

    def sizes(self) -> tuple[int, int, int, int]:
        """(virtual, resident, shared, data) pages as proc_pid_statm(5) counts them: cheap."""

    def resident_set_size(self) -> int:
        """Bytes of host memory in it, shared ones included: cheap, and never too little."""

    def is_present(self, address: int) -> bool:
        """Whether the page at an address is in memory or in swap; False when it is gone."""

    def page_faults(self) -> tuple[int, int]:
        """(minor, major) faults so far, by all threads; zeros when it is gone."""

    def locked_size(self) -> int:
        """Bytes locked into memory (VmLck of proc_pid_status(5))."""

    def memory_use(self) -> tuple[int, int]:
        """Bytes of anonymous and of shared memory (memfd, MAP_SHARED) that it is charged with.

        Pages in several address spaces are counted by their share; the host's cached files are
        not.
        """

    def peak_resident_set_size(self) -> int:
        """The highest resident_set_size so far, in bytes."""

    def set_limit(self, resource: int, soft: int, hard: int) -> None:
        """Set a memory-map limit (RLIMIT_AS, DATA, STACK, MEMLOCK) where the host enforces it."""


class Registers(Protocol):
    """The general registers of a stopped context, as ptrace(2) user_regs_struct."""

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


class Context(Protocol):
    """One guest thread.  Everything but `interrupt` needs it stopped."""

    @property
    def address_space(self) -> AddressSpace:
        """The memory it runs in."""

    @property
    def registers(self) -> Registers:
        """The registers at the last stop, to read and to change."""

    #: the same registers as one writable 216-byte buffer, to save and load them whole
    register_bytes: memoryview
    #: why it stopped last
    event: int
    #: system call number of a SYSCALL event
    number: int
    #: six little-endian 64-bit argument registers, in calling order, as a 48-byte buffer
    arguments: memoryview
    #: free for the sentry: its Task
    owner: object

    def set_result(self, value: int) -> None:
        """Decide the pending system call: it is not executed, the guest sees `value` in rax.

        Without a pending call it only sets rax.  A context resumed after a SYSCALL event with
        no decision gets -ENOSYS.
        """

    def set_registers_changed(self) -> None:
        """The sentry rewrote `registers` (signal frame, exec, sigreturn): they are used as they are
        and the pending system call, if any, is neither executed nor restarted by the host."""

    def execute(self, number: int, *arguments: int) -> int:
        """Run one host system call of a short fixed list inside this context.

        The list: mmap, munmap, mprotect, mremap, madvise, mincore, msync, mlock family, and
        pread64, pwrite64 on a descriptor of ours.
        Returns what the host returned (negative errno included); the guest's registers are
        unchanged.  Must be called at a stop; the caller has checked the arguments.
        Raises ContextGone; ValueError for a call outside the list or one that touches the stub
        page or lies across the end of the address space.
        """

    def compare_exchange(self, address: int, old: int, new: int) -> int:
        """Replace an aligned 32-bit word of guest memory if it is `old`; returns what it was.

        Atomic beside guest threads that run: for the few words that kernel and guest both change
        (futex(2)).  Must be called at a stop.  Raises MemoryFault where the guest could not
        write, and for a misaligned address; ContextGone.
        """

    def clone_process(self, share_memory: bool) -> "Context":
        """A new host process with this context's registers: copy-on-write, or sharing memory."""

    def clone_thread(self) -> "Context":
        """A new host thread in the same host process, with this context's registers."""

    def resume(self) -> None:
        """Let the guest run; its next event comes from `Platform.wait`."""

    def interrupt(self) -> None:
        """Ask a running context to stop; INTERRUPTED follows unless another event comes first."""

    def signal_info(self) -> bytes:
        """The 128-byte siginfo_t of a FAULT event."""

    def get_extended_state(self) -> bytes:
        """The floating point and vector state, XSAVE format (NT_X86_XSTATE)."""

    def set_extended_state(self, state: bytes) -> None:
        """Replace it.  Raises ValueError when the host refuses the image."""

    def get_debug_register(self, number: int) -> int:
        """DR0 to DR7, as ptrace(2) shows them at `u_debugreg` of struct user."""

    def set_debug_register(self, number: int, value: int) -> None:
        """Replace it: hardware breakpoints.  Raises ValueError with the errno (EINVAL, EIO, ENOSPC)
        of a value that the host refuses; what reaches below `lowest_address` is refused."""

    def cpu_time(self) -> int:
        """CPU time used by this host thread, nanoseconds."""

    def process_cpu_time(self) -> int:
        """CPU time used by the host process, in which threads share, ended ones included."""

    def take_effort(self) -> tuple[int, int]:
        """What this context's stops have cost this process since the last call, and what those
        of all contexts have that was not taken yet: in a unit of its own, for comparison."""

    def set_affinity(self, mask: int) -> None:
        """Move it to CPUs out of `Platform.processors`, a bit for each; works on a running one too.

        A hint: the platform may move it again.
        """

    def exit(self) -> None:
        """End this host thread (and the host process, when it is the last context in it).

        Works on a running and on a dead context too.  The context must not be used afterwards.
        """


class Platform(Protocol):
    """A way to run guest code under control."""

    @property
    def running(self) -> int:
        """Contexts that were resumed and have not stopped."""

    def new_address_space(self) -> Context:
        """A fresh address space with one context: nothing mapped but the stub page and vDSO."""

    #: address of the vDSO in every address space, 0 without one
    vdso_address: int

    def vdso_image(self) -> bytes:
        """What every address space has there to begin with; empty without a vDSO."""

    #: lowest address a guest may map (the stub page lies below)
    lowest_address: int
    #: CPUs that guests can have; sched_getaffinity(2) of this process may tell less by now
    processors: int

    def watch(self, fd: int) -> None:
        """Make `wait` return WAKE when `fd` (an epoll descriptor) becomes readable."""

    def wait(self, resume: Context | None = None) -> Context | None:
        """Resume `resume` if given, then block for the next event of any context.

        Returns the context (its `event` tells why), or None for WAKE.
        This is the one entry per trap.
        """

    def accompany(self, pid: int) -> None:
        """Keep a child of this process, whose answers it waits for, where it runs itself."""

    def kill_all(self) -> None:
        """Kill every host process of the platform and reap it; used at the end of a run."""

    def close(self) -> None:
        """Kill every host process and free what the platform holds; nothing works afterwards."""

    def take_child(self) -> tuple[int, int] | None:
        """A child of this process that `wait` has reaped though it is no guest: pid, wait status.

        `wait` returns WAKE when there is one; None when there is none (left).
        """
