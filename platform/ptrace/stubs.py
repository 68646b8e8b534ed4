"""Starting the two stub processes, and saying in one line why it failed."""

import os
import sys

from runsc_py.platform.interface import PlatformError
from runsc_py.platform.ptrace._hot import lib
from runsc_py.platform.ptrace.bpf import doorbell_filter, guest_filter
from runsc_py.platform.ptrace.process_maps import parse_mapping, read_process_file

TYPE_CHECKING = False
if TYPE_CHECKING:
    from runsc_py.platform.ptrace._hot import NativePlatform

#: munmap(2) of a whole address space ends here: 47 bits less the guard page.
ADDRESS_SPACE_END = 0x7FFFFFFFF000
KEPT = ("[vdso]", "[vvar]", "[vvar_vclock]")
VDSO = "[vdso]"

STEPS = {
    lib.STEP_MEMORY: "out of memory or descriptors: raise `ulimit -n` or the memory limit",
    lib.STEP_CLONE: "cannot create a process: raise `ulimit -u` or the pids limit",
    lib.STEP_SETUP: "the stub process died: see the host's log for the out-of-memory killer",
    lib.STEP_PARENT: "the sentry died while the stub process started",
    lib.STEP_RSEQ: "cannot unregister rseq(2): run with GLIBC_TUNABLES=glibc.pthread.rseq=0",
    lib.STEP_STUB_PAGE: "cannot map 0x10000: set `sysctl vm.mmap_min_addr=65536` or lower",
    lib.STEP_NO_NEW_PRIVILEGES: "PR_SET_NO_NEW_PRIVS is refused: allow prctl(2) on this host",
    lib.STEP_CAPABILITIES: "cannot drop capabilities: allow capset(2) on this host",
    lib.STEP_FILTER: "seccomp filters are refused: allow prctl(PR_SET_SECCOMP) on this host",
    lib.STEP_REGISTERS: "cannot set a stub's registers: ptrace(2) is restricted on this host",
    lib.STEP_UNMAP: "cannot unmap a stub's memory",
    lib.STEP_DOORBELL: "cannot set up the doorbell: raise `ulimit -n`",
}


def require_machine() -> None:
    """Raises PlatformError on any machine but x86-64 Linux in 64-bit mode."""
    machine = os.uname().machine
    if sys.platform != "linux" or machine != "x86_64" or sys.maxsize < 1 << 32:
        raise PlatformError(f"this machine is {sys.platform} {machine}: x86-64 Linux is needed")


def yama_scope() -> int:
    """The setting kernel.yama.ptrace_scope; 0 without Yama."""
    try:
        with open("/proc/sys/kernel/yama/ptrace_scope", "rb") as setting:
            return int(setting.read())
    except (OSError, ValueError):
        return 0


def ptrace_remedy() -> str:
    """What to do when ptrace(2) is refused."""
    scope = yama_scope()
    if scope >= 2:
        return f"kernel.yama.ptrace_scope is {scope}: run `sysctl kernel.yama.ptrace_scope=1`"
    return "allow it in the container's seccomp profile, or add the capability SYS_PTRACE"


def failure(native: "NativePlatform") -> PlatformError:
    """The error for what the C core failed at last."""
    step, number = native.failed_step, native.failed_errno
    reason = f" ({os.strerror(number)})" if number else ""
    if step == lib.STEP_SEIZE:
        return PlatformError(f"ptrace(2) is refused{reason}: {ptrace_remedy()}")
    return PlatformError(STEPS.get(step, f"step {step} failed") + reason)


def unmap_sentry(native: "NativePlatform", which: int, proc_fd: int) -> range:
    """Unmap what a stub inherited but the stub page and the vDSO.  Returns where the vDSO lies."""
    text = read_process_file(proc_fd, lib.platform_stub_pid(native, which), "maps")
    kept = [parse_mapping(line) for line in text.splitlines() if line.endswith(KEPT)]
    start = lib.LOWEST_ADDRESS
    vdso = range(0)
    for mapping in kept:
        if mapping.path == VDSO:
            vdso = range(mapping.start, mapping.end)
        unmap(native, which, start, mapping.start)
        start = mapping.end
    unmap(native, which, start, ADDRESS_SPACE_END)
    return vdso


def unmap(native: "NativePlatform", which: int, start: int, end: int) -> None:
    """Unmap [start, end) of a stub."""
    if start < end and lib.platform_stub_unmap(native, which, start, end - start):
        raise failure(native)


def start_master(native: "NativePlatform", proc_fd: int) -> range:
    """Start the process that guests are cloned from.  Returns where the vDSO lies, if anywhere."""
    program = guest_filter()
    if lib.platform_start_stub(native, lib.STUB_MASTER, program, len(program)):
        raise failure(native)
    vdso = unmap_sentry(native, lib.STUB_MASTER, proc_fd)
    if lib.platform_finish_master(native):
        raise failure(native)
    return vdso


def start_doorbell(native: "NativePlatform", proc_fd: int) -> None:
    """Start the process that wakes the tracer."""
    program = doorbell_filter()
    if lib.platform_start_stub(native, lib.STUB_DOORBELL, program, len(program)):
        raise failure(native)
    unmap_sentry(native, lib.STUB_DOORBELL, proc_fd)
    if lib.platform_finish_doorbell(native):
        native.failed_step = lib.STEP_DOORBELL
        raise failure(native)
