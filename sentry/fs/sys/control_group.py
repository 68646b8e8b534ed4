"""/sys/fs/cgroup: the sandbox's limits, in the files of cgroup v2.

Runtimes (the JVM, Go, Node) size themselves by memory.max and cpu.max.  There are no other
groups and none can be made.
"""

from runsc_py.sentry.errors import EPERM
from runsc_py.sentry.fs.proc.machine import busy_time, used_memory
from runsc_py.sentry.fs.proc.process_status import PAGE_SIZE
from runsc_py.sentry.fs.synthetic import File, Specification
from runsc_py.sentry.kernel.limits import limits_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from runsc_py.sentry.kernel.task import Task

#: what can be limited, or is counted
CONTROLLERS = ("cpuset", "cpu", "memory", "pids")
#: microseconds: the period of cpu.max
PERIOD = 100_000


def _limit(value: int | None) -> bytes:
    return b"max\n" if value is None else b"%d\n" % value


def _memory_maximum(task: "Task") -> bytes:
    return _limit(limits_of(task).memory)


def _memory_current(task: "Task") -> bytes:
    kernel = task.kernel
    return b"%d\n" % (used_memory(kernel) + kernel.memory_file_pages * PAGE_SIZE)


def _memory_statistics(task: "Task") -> bytes:
    files = task.kernel.memory_file_pages * PAGE_SIZE
    names = b"kernel kernel_stack slab sock inactive_file active_file pgfault pgmajfault"
    rest = b"".join(b"%s 0\n" % name for name in names.split())
    return b"anon %d\nfile %d\nshmem %d\n" % (used_memory(task.kernel), files, files) + rest


def _pids_maximum(task: "Task") -> bytes:
    return _limit(limits_of(task).pids)


def _pids_current(task: "Task") -> bytes:
    return b"%d\n" % len(task.kernel.root_pid_namespace.tasks)


def _cpu_maximum(task: "Task") -> bytes:
    """What the host enforces; no quota: all of the sandbox's processors (cpuset.cpus)."""
    quota = limits_of(task).quota
    return b"max %d\n" % PERIOD if quota is None else b"%d %d\n" % quota


def _cpu_statistics(task: "Task") -> bytes:
    user, system = (nanoseconds // 1000 for nanoseconds in busy_time(task.kernel))
    return b"usage_usec %d\nuser_usec %d\nsystem_usec %d\n" % (user + system, user, system)


def _processes(task: "Task") -> bytes:
    namespace = task.pid_namespace
    numbers = (group.identifier_in(namespace) for group in namespace.thread_groups())
    return b"".join(b"%d\n" % number for number in numbers)


def _threads(task: "Task") -> bytes:
    return b"".join(b"%d\n" % number for number in sorted(task.pid_namespace.tasks))


def _refuse(task: "Task", data: bytes) -> None:
    """The limits are the command line's."""
    raise EPERM


def make_tree() -> dict[bytes, Specification]:
    """The files of the root group, and of a container's group (Linux's root has no limits)."""
    return {
        b"cgroup.controllers": " ".join(CONTROLLERS).encode() + b"\n",
        b"cgroup.events": b"populated 1\nfrozen 0\n",
        b"cgroup.max.depth": b"max\n",
        b"cgroup.max.descendants": b"0\n",
        b"cgroup.procs": File(_processes, _refuse),
        b"cgroup.stat": b"nr_descendants 0\nnr_dying_descendants 0\n",
        b"cgroup.subtree_control": File(lambda task: b"\n", _refuse),
        b"cgroup.threads": File(_threads, _refuse),
        b"cgroup.type": b"domain\n",
        b"cpu.max": File(_cpu_maximum, _refuse),
        b"cpu.stat": File(_cpu_statistics),
        b"cpu.weight": File(lambda task: b"100\n", _refuse),
        b"cpuset.cpus.effective": File(_processor_list),
        b"cpuset.mems.effective": b"0\n",
        b"memory.current": File(_memory_current),
        b"memory.events": b"low 0\nhigh 0\nmax 0\noom 0\noom_kill 0\noom_group_kill 0\n",
        b"memory.high": File(lambda task: b"max\n", _refuse),
        b"memory.low": File(lambda task: b"0\n", _refuse),
        b"memory.max": File(_memory_maximum, _refuse),
        b"memory.min": File(lambda task: b"0\n", _refuse),
        b"memory.stat": File(_memory_statistics),
        b"memory.swap.current": b"0\n",
        b"memory.swap.max": File(lambda task: b"0\n", _refuse),
        b"pids.current": File(_pids_current),
        b"pids.max": File(_pids_maximum, _refuse),
    }


def _processor_list(task: "Task") -> bytes:
    from runsc_py.sentry.fs.sys.tree import processor_list

    return processor_list(task.kernel.options.processors)
