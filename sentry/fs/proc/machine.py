"""The files of /proc about the machine: proc_stat(5), proc_meminfo(5), proc_cpuinfo(5) and others.

The machine that a guest sees is the sandbox: its memory limit, its processors, its processes.
"""

import os

from runsc_py.sentry.abi.system import KERNEL_RELEASE, KERNEL_VERSION, SYSTEM_NAME
from runsc_py.sentry.fs.proc.process_status import CLOCK_TICK_NS, PAGE_SIZE
from runsc_py.sentry.kernel.clock import CLOCK_BOOTTIME
from runsc_py.sentry.kernel.limits import limits_of
from runsc_py.sentry.kernel.load_averages import FIXED_1, LoadAverages
from runsc_py.sentry.kernel.task import BLOCKED

TYPE_CHECKING = False
if TYPE_CHECKING:
    from runsc_py.sentry.kernel.kernel import Kernel
    from runsc_py.sentry.kernel.task import Task

SECOND = 1_000_000_000


# -- memory ------------------------------------------------------------------------------


def total_memory(task: "Task") -> int:
    """Bytes of memory that a task's container may have: its limit, or what the host has."""
    total = os.sysconf("SC_PHYS_PAGES") * PAGE_SIZE
    limit = limits_of(task).memory
    return total if limit is None else min(limit, total)


def used_memory(kernel: "Kernel") -> int:
    """Bytes resident in the sandbox's processes."""
    memories = {
        thread_group.leader.memory
        for thread_group in kernel.root_pid_namespace.thread_groups()
        if thread_group.tasks
    }
    return sum(memory.resident_set_size() for memory in memories)


def memory_information(task: "Task") -> bytes:
    """proc_meminfo(5).  What the sentry has no notion of (caches, slabs, swap) is 0.

    Files in memory (tmpfs, memfds) are Shmem and, as in Linux, part of Cached.
    """
    total = total_memory(task) // 1024
    used = min(used_memory(task.kernel) // 1024, total)
    files = min(task.kernel.memory_file_pages * PAGE_SIZE // 1024, total - used)
    free = total - used - files
    values = dict.fromkeys(_MEMORY_FIELDS.split(), 0)
    values.update(
        MemTotal=total,
        MemFree=free,
        MemAvailable=free,
        Active=used,
        AnonPages=used,
        Cached=files,
        Shmem=files,
        CommitLimit=total // 2,
        Committed_AS=used + files,
        VmallocTotal=34359738367,
        Hugepagesize=2048,
    )
    values["Active(anon)"] = used
    lines = [
        f"{name + ':':<16}{value:8d}{'' if name.startswith('HugePages_') else ' kB'}\n"
        for name, value in values.items()
    ]
    return "".join(lines).encode()


_MEMORY_FIELDS = (
    "MemTotal MemFree MemAvailable Buffers Cached SwapCached Active Inactive Active(anon) "
    "Inactive(anon) Active(file) Inactive(file) Unevictable Mlocked SwapTotal SwapFree Dirty "
    "Writeback AnonPages Mapped Shmem KReclaimable Slab SReclaimable SUnreclaim KernelStack "
    "PageTables NFS_Unstable Bounce WritebackTmp CommitLimit Committed_AS VmallocTotal "
    "VmallocUsed VmallocChunk Percpu AnonHugePages ShmemHugePages ShmemPmdMapped FileHugePages "
    "FilePmdMapped HugePages_Total HugePages_Free HugePages_Rsvd HugePages_Surp Hugepagesize "
    "Hugetlb"
)


def memory_statistics(task: "Task") -> bytes:
    """proc_vmstat(5): the counters that tools ask for."""
    total = total_memory(task) // PAGE_SIZE
    used = min(used_memory(task.kernel) // PAGE_SIZE, total)
    values = {
        "nr_free_pages": total - used,
        "nr_active_anon": used,
        "nr_anon_pages": used,
        **dict.fromkeys(_COUNTERS.split(), 0),
    }
    return "".join(f"{name} {value}\n" for name, value in values.items()).encode()


_COUNTERS = (
    "nr_inactive_anon nr_inactive_file nr_active_file nr_mapped nr_file_pages nr_dirty "
    "nr_writeback nr_shmem pgpgin pgpgout pswpin pswpout pgalloc_normal pgfree pgfault "
    "pgmajfault oom_kill"
)


# -- processors --------------------------------------------------------------------------


def processor_information(task: "Task") -> bytes:
    """proc_cpuinfo(5): the host's text for as many processors as the sandbox has."""
    options = task.kernel.options
    blocks = [block for block in options.cpu_information().split(b"\n\n") if block.strip()]
    if not blocks:
        blocks = [_PLAIN_PROCESSOR] * options.processors
    lines = []
    for number, block in enumerate(blocks[: options.processors]):
        for line in block.split(b"\n"):
            if line.startswith(b"processor"):
                line = b"processor\t: %d" % number
            lines.append(line)
        lines.append(b"")
    return b"\n".join(lines) + b"\n"


_PLAIN_PROCESSOR = (
    b"processor\t: 0\nvendor_id\t: GenuineIntel\ncpu family\t: 6\nmodel\t\t: 1\n"
    b"model name\t: x86-64\nstepping\t: 1\ncpu MHz\t\t: 2000.000\ncache size\t: 1024 KB\n"
    b"physical id\t: 0\nsiblings\t: 1\ncore id\t\t: 0\ncpu cores\t: 1\nfpu\t\t: yes\n"
    b"cpuid level\t: 13\nwp\t\t: yes\n"
    b"flags\t\t: fpu tsc msr cx8 cmov mmx fxsr sse sse2 syscall nx lm\nbogomips\t: 4000.00\n"
    b"clflush size\t: 64\ncache_alignment\t: 64\n"
    b"address sizes\t: 46 bits physical, 48 bits virtual"
)


def busy_time(kernel: "Kernel") -> tuple[int, int]:
    """User and system time of all processes so far, nanoseconds."""
    ended = kernel.ended_usage
    groups = [group for group in kernel.root_pid_namespace.thread_groups() if group.tasks]
    return (
        ended.user + sum(group.user_time() for group in groups),
        ended.system + sum(group.system_time() for group in groups),
    )


def statistics(task: "Task") -> bytes:
    """proc_stat(5)."""
    kernel = task.kernel
    processors = kernel.options.processors
    user, system = (nanoseconds // CLOCK_TICK_NS for nanoseconds in busy_time(kernel))
    elapsed = kernel.clock.boottime() // CLOCK_TICK_NS
    idle = max(elapsed * processors - user - system, 0)
    lines = [f"cpu  {user} 0 {system} {idle} 0 0 0 0 0 0"]
    for number in range(processors):
        share = f"{user // processors} 0 {system // processors} {idle // processors}"
        lines.append(f"cpu{number} {share} 0 0 0 0 0 0")
    running, blocked, _ = _task_counts(kernel)
    boot_offset = task.namespaces.time.offset(CLOCK_BOOTTIME)
    boot_time = (kernel.clock.realtime() - kernel.clock.boottime() - boot_offset) // SECOND
    lines += [
        "intr 0",
        "ctxt 0",
        f"btime {boot_time}",
        f"processes {kernel.forks}",
        f"procs_running {running}",
        f"procs_blocked {blocked}",
        "softirq 0 0 0 0 0 0 0 0 0 0 0",
    ]
    return "\n".join(lines).encode() + b"\n"


def _task_counts(kernel: "Kernel") -> tuple[int, int, int]:
    """(runnable, blocked uninterruptibly, all) threads."""
    running = blocked = total = 0
    for group in kernel.root_pid_namespace.thread_groups():
        for task in group.tasks:
            total += 1
            if task.state < BLOCKED:
                running += 1
            elif task.state == BLOCKED and not task.interruptible:
                blocked += 1
    return running, blocked, total


# -- time and load -----------------------------------------------------------------------


def uptime(task: "Task") -> bytes:
    """proc_uptime(5): seconds since boot, seconds that processors were idle."""
    kernel = task.kernel
    elapsed = kernel.clock.boottime() / SECOND
    idle = max(elapsed * kernel.options.processors - sum(busy_time(kernel)) / SECOND, 0)
    elapsed += task.namespaces.time.offset(CLOCK_BOOTTIME) / SECOND
    return b"%.2f %.2f\n" % (elapsed, idle)


def load_averages(kernel: "Kernel") -> tuple[int, int, int]:
    """Of one, five and fifteen minutes, times FIXED_1."""
    loads = kernel.load_averages
    if loads is None:
        loads = kernel.load_averages = LoadAverages(kernel.boot_time_ns)
    loads.advance(kernel.clock.boottime(), sum(busy_time(kernel)))
    return loads.values


def load_average(task: "Task") -> bytes:
    """proc_loadavg(5), rounded to hundredths."""
    running, _, total = _task_counts(task.kernel)
    averages = ((load + FIXED_1 // 200) / FIXED_1 for load in load_averages(task.kernel))
    shown = " ".join(f"{int(average * 100) / 100:.2f}" for average in averages)
    return b"%s %d/%d %d\n" % (shown.encode(), running, total, task.pid_namespace.last)


def version(task: "Task") -> bytes:
    """proc_version(5): what uname(2) says, in one line."""
    return b"%s version %s %s\n" % (SYSTEM_NAME, KERNEL_RELEASE, KERNEL_VERSION)


# -- what kinds of things there are ------------------------------------------------------

#: those that the kernel has without anybody mounting them
_INTERNAL_TYPES = ("sockfs", "pipefs")


def file_systems(task: "Task") -> bytes:
    """proc_filesystems(5): none needs a block device."""
    names = [*task.kernel.file_systems, *_INTERNAL_TYPES]
    return "".join(f"nodev\t{name}\n" for name in names).encode()
