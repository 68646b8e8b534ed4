"""Resource limits and usage: getrlimit(2), prlimit(2), getrusage(2)."""

from runsc_py.sentry.abi.process_limits import (
    RLIMIT,
    RUSAGE_CHILDREN,
    RUSAGE_SELF,
    RUSAGE_THREAD,
    rusage,
)
from runsc_py.sentry.auth.capabilities import CAP_SYS_RESOURCE
from runsc_py.sentry.errors import EINVAL, EPERM, ESRCH
from runsc_py.sentry.kernel.interval_timers import watch_cpu_limit
from runsc_py.sentry.kernel.limits import (
    MAXIMUM_OPEN_FILES,
    MEMORY_LIMITS,
    RLIM_NLIMITS,
    RLIMIT_CPU,
    RLIMIT_NOFILE,
)
from runsc_py.sentry.kernel.task import Task
from runsc_py.sentry.kernel.usage import Usage
from runsc_py.sentry.syscalls.table import Support, syscall
from runsc_py.sentry.syscalls.types import (
    InRlimit,
    InRlimit64,
    OutRlimit,
    OutRlimit64,
    OutRusage,
    Pid,
    Resource,
    RusageWho,
)


def _check_resource(resource: int) -> None:
    if resource >= RLIM_NLIMITS:
        raise EINVAL


def _set_limit(task: Task, target: Task, resource: int, soft: int, hard: int) -> None:
    """Errors: EINVAL, EPERM."""
    if soft > hard:
        raise EINVAL
    if resource == RLIMIT_NOFILE and hard > min(
        task.kernel.limits.files or MAXIMUM_OPEN_FILES, task.kernel.file_settings.nr_open
    ):
        raise EPERM
    group = target.thread_group
    before = group.limits.get(resource)[1]
    if hard > before and not task.credentials.has_capability(CAP_SYS_RESOURCE):
        raise EPERM
    if resource in MEMORY_LIMITS:
        target.memory.set_limit(resource, soft)
    group.limits.set(resource, soft, hard)
    if resource == RLIMIT_CPU:
        watch_cpu_limit(group)


def _may_change_limits_of(task: Task, target: Task) -> bool:
    """prlimit(2): all ids of the target are the caller's real ones, or CAP_SYS_RESOURCE."""
    own, other = task.credentials, target.credentials
    if task.thread_group is target.thread_group:
        return True
    same = (own.uid, own.gid) == (other.uid, other.gid)
    same = same and own.uid == other.euid == other.suid and own.gid == other.egid == other.sgid
    return same or own.has_capability(CAP_SYS_RESOURCE, other.user_namespace)


@syscall(97, "getrlimit")
def getrlimit(task: Task, resource: Resource, limit: OutRlimit) -> int:
    """getrlimit(2)"""
    _check_resource(resource)
    task.memory.copy_out(limit, RLIMIT.pack(*task.thread_group.limits.get(resource)))
    return 0


@syscall(
    160,
    "setrlimit",
    support=Support.PARTIAL,
    note="RSS, LOCKS, NICE, RTPRIO, RTTIME and SIGPENDING are kept, not enforced",
)
def setrlimit(task: Task, resource: Resource, limit: InRlimit) -> int:
    """setrlimit(2)"""
    soft, hard = RLIMIT.unpack(task.memory.copy_in(limit, RLIMIT.size))
    _check_resource(resource)
    _set_limit(task, task, resource, soft, hard)
    return 0


@syscall(302, "prlimit64", support=Support.PARTIAL, note="as setrlimit")
def prlimit64(
    task: Task, pid: Pid, resource: Resource, new_limit: InRlimit64, old_limit: OutRlimit64
) -> int:
    """prlimit(2)"""
    _check_resource(resource)
    wanted = RLIMIT.unpack(task.memory.copy_in(new_limit, RLIMIT.size)) if new_limit else None
    target = task.pid_namespace.tasks.get(pid) if pid else task
    if target is None:
        raise ESRCH
    if not _may_change_limits_of(task, target):
        raise EPERM
    before = target.thread_group.limits.get(resource)
    if wanted is not None:
        _set_limit(task, target, resource, *wanted)
    if old_limit:
        task.memory.copy_out(old_limit, RLIMIT.pack(*before))
    return 0


@syscall(
    98,
    "getrusage",
    support=Support.PARTIAL,
    note="no blocks, no involuntary switches; faults of the process only",
)
def getrusage(task: Task, who: RusageWho, usage: OutRusage) -> int:
    """getrusage(2)"""
    group = task.thread_group
    if who == RUSAGE_CHILDREN:
        used = group.children_usage
    elif who in (RUSAGE_SELF, RUSAGE_THREAD):
        used = group.usage()
        if who == RUSAGE_THREAD:
            used = Usage(task.user_time(), task.system_time(), used.maximum_resident)
            used.voluntary_switches = task.voluntary_switches
    else:
        raise EINVAL
    task.memory.copy_out(usage, rusage(used))
    return 0
