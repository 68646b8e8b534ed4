"""Scheduling calls: sched(7), nice values, CPU affinity, I/O priorities.

Attributes are kept per task (`kernel/scheduling.py`) and answered truly; the host schedules.
"""

from collections.abc import Iterator

from runsc_py.sentry.abi.process_limits import SCHED_ATTR, SCHED_ATTR_SIZE_VER0
from runsc_py.sentry.abi.time import timespec
from runsc_py.sentry.auth.capabilities import CAP_SYS_ADMIN, CAP_SYS_NICE
from runsc_py.sentry.errors import E2BIG, EACCES, EINVAL, EPERM, ESRCH, KernelError
from runsc_py.sentry.kernel.limits import RLIMIT_NICE, RLIMIT_RTPRIO
from runsc_py.sentry.kernel.scheduling import (
    SCHED_BATCH,
    SCHED_DEADLINE,
    SCHED_FIFO,
    SCHED_IDLE,
    SCHED_OTHER,
    SCHED_RR,
    Scheduling,
    online_processors,
    scheduling_of,
    set_scheduling,
)
from runsc_py.sentry.kernel.task import Task
from runsc_py.sentry.syscalls.table import Support, syscall
from runsc_py.sentry.syscalls.types import (
    Address,
    InCpuSet,
    InInt,
    Int,
    OutCpuSet,
    OutInt,
    OutTimespec,
    OutUnsigned,
    Pid,
    PriorityWhich,
    SchedulingPolicy,
    UnsignedInt,
)

_KEPT = "kept and shown; the host schedules"

_PRIO_PROCESS = 0
_PRIO_PGRP = 1
_PRIO_USER = 2
#: ioprio_set's `which` counts the same things from 1
_IOPRIO_WHO_BASE = 1
_IOPRIO_CLASS_SHIFT = 13
_IOPRIO_CLASS_NONE, _IOPRIO_CLASS_RT, _IOPRIO_CLASS_BE, _IOPRIO_CLASS_IDLE = range(4)
_IOPRIO_LEVELS = 8

_SCHED_RESET_ON_FORK = 0x40000000
_SCHED_FLAG_RESET_ON_FORK = 1
#: RESET_ON_FORK, RECLAIM, DL_OVERRUN, KEEP_POLICY, KEEP_PARAMS, UTIL_CLAMP_*
_SCHED_FLAGS_KNOWN = 0x7F
#: of SCHED_DEADLINE, nanoseconds
_SHORTEST_RUNTIME = 1024
_REAL_TIME = (SCHED_FIFO, SCHED_RR)
_SCHED_ATTR_MAXIMUM = 4096
_ROUND_ROBIN_INTERVAL = 100_000_000
#: nanoseconds: of SCHED_DEADLINE's runtime, and the bounds of its period
_SHORTEST_RUNTIME = 1024
_PERIODS = (100_000, (1 << 22) * 1000)


def _find(task: Task, pid: int) -> Task:
    """The task of a pid argument, 0 being the caller.  Errors: EINVAL, ESRCH."""
    if pid < 0:
        raise EINVAL
    return _find_any(task, pid)


def _find_any(task: Task, pid: int) -> Task:
    """As `_find`, for the calls to which a negative pid is just one that nobody has."""
    found = task.pid_namespace.tasks.get(pid) if pid else task
    if found is None:
        raise ESRCH
    return found


def _select(task: Task, which: int, who: int) -> Iterator[Task]:
    """The tasks that setpriority(2) and ioprio_set(2) name.  Errors: EINVAL, ESRCH."""
    namespace = task.pid_namespace
    if which == _PRIO_PROCESS:
        chosen = [namespace.tasks.get(who) if who else task]
    elif which == _PRIO_PGRP:
        group = namespace.process_groups.get(who) if who else task.thread_group.process_group
        members = group.members if group is not None else set()
        chosen = [member for process in members for member in process.tasks]
    elif which == _PRIO_USER:
        uid = task.credentials.user_namespace.uid_map.to_global(who) if who else None
        uid = task.credentials.uid if who == 0 else uid
        chosen = [other for other in namespace.tasks.values() if other.credentials.uid == uid]
    else:
        raise EINVAL
    found = [member for member in chosen if member is not None]
    if not found:
        raise ESRCH
    return iter(found)


def _may_change(task: Task, target: Task) -> bool:
    """Same owner, or CAP_SYS_NICE."""
    own, other = task.credentials, target.credentials
    return own.euid in (other.uid, other.euid) or own.has_capability(
        CAP_SYS_NICE, other.user_namespace
    )


def _may_be_as_nice(task: Task, target: Task, nice: int) -> bool:
    """RLIMIT_NICE counts 1 to 40 where nice counts 19 to -20."""
    allowed = target.thread_group.limits.get(RLIMIT_NICE)[0]
    return 20 - nice <= allowed or task.credentials.has_capability(CAP_SYS_NICE)


@syscall(24, "sched_yield")
def sched_yield(task: Task) -> int:
    """sched_yield(2): the guest's threads are the host's to schedule, and it just did."""
    return 0


@syscall(140, "getpriority")
def getpriority(task: Task, which: PriorityWhich, who: Int) -> int:
    """getpriority(2): the highest priority found, as 20 - nice."""
    return max(20 - scheduling_of(target).nice for target in _select(task, which, who))


@syscall(141, "setpriority", support=Support.PARTIAL, note=_KEPT)
def setpriority(task: Task, which: PriorityWhich, who: Int, priority: Int) -> int:
    """setpriority(2)"""
    nice = max(-20, min(19, priority))
    error: type[KernelError] | None = None
    for target in _select(task, which, who):
        state = scheduling_of(target)
        if not _may_change(task, target):
            error = EPERM
        elif nice < state.nice and not _may_be_as_nice(task, target, nice):
            error = EACCES
        else:
            set_scheduling(target, state.replace(nice=nice))
    if error is not None:
        raise error
    return 0


def _priority_range(policy: int) -> tuple[int, int]:
    """Raises EINVAL for an unknown policy."""
    if policy in _REAL_TIME:
        return 1, 99
    if policy in (SCHED_OTHER, SCHED_BATCH, SCHED_IDLE, SCHED_DEADLINE):
        return 0, 0
    raise EINVAL


@syscall(146, "sched_get_priority_max")
def sched_get_priority_max(task: Task, policy: SchedulingPolicy) -> int:
    """sched_get_priority_max(2)"""
    return _priority_range(policy)[1]


@syscall(147, "sched_get_priority_min")
def sched_get_priority_min(task: Task, policy: SchedulingPolicy) -> int:
    """sched_get_priority_min(2)"""
    return _priority_range(policy)[0]


def _change_policy(task: Task, target: Task, new: Scheduling) -> None:
    """Errors: EINVAL, EPERM."""
    lowest, highest = _priority_range(new.policy)
    if not lowest <= new.priority <= highest:
        raise EINVAL
    if not task.credentials.has_capability(CAP_SYS_NICE):
        old = scheduling_of(target)
        limit = target.thread_group.limits.get(RLIMIT_RTPRIO)[0]
        becomes_real_time = new.policy in _REAL_TIME and (
            (new.policy != old.policy and limit == 0) or new.priority > max(old.priority, limit)
        )
        if (
            becomes_real_time
            or new.policy == SCHED_DEADLINE
            or not _may_change(task, target)
            or (old.reset_on_fork and not new.reset_on_fork)
        ):
            raise EPERM
    set_scheduling(target, new)


@syscall(144, "sched_setscheduler", support=Support.PARTIAL, note=_KEPT)
def sched_setscheduler(task: Task, pid: Pid, policy: SchedulingPolicy, parameter: InInt) -> int:
    """sched_setscheduler(2)"""
    if parameter == 0 or policy < 0:
        raise EINVAL
    data = task.memory.copy_in(parameter, 4)
    target = _find(task, pid)
    priority = int.from_bytes(data, "little", signed=True)
    policy_alone = policy & ~_SCHED_RESET_ON_FORK
    if policy_alone == SCHED_DEADLINE:
        raise EINVAL  # it needs the parameters of sched_setattr
    new = scheduling_of(target).replace(
        policy=policy_alone,
        priority=priority,
        reset_on_fork=bool(policy & _SCHED_RESET_ON_FORK),
    )
    _change_policy(task, target, new)
    return 0


@syscall(145, "sched_getscheduler")
def sched_getscheduler(task: Task, pid: Pid) -> int:
    """sched_getscheduler(2)"""
    state = scheduling_of(_find(task, pid))
    return state.policy | (_SCHED_RESET_ON_FORK if state.reset_on_fork else 0)


@syscall(142, "sched_setparam", support=Support.PARTIAL, note=_KEPT)
def sched_setparam(task: Task, pid: Pid, parameter: InInt) -> int:
    """sched_setparam(2)"""
    if parameter == 0:
        raise EINVAL
    priority = int.from_bytes(task.memory.copy_in(parameter, 4), "little", signed=True)
    target = _find(task, pid)
    _change_policy(task, target, scheduling_of(target).replace(priority=priority))
    return 0


@syscall(143, "sched_getparam")
def sched_getparam(task: Task, pid: Pid, parameter: OutInt) -> int:
    """sched_getparam(2)"""
    if parameter == 0:
        raise EINVAL
    priority = scheduling_of(_find(task, pid)).priority
    task.memory.copy_out(parameter, priority.to_bytes(4, "little"))
    return 0


def _copy_in_attributes(task: Task, address: int) -> dict[str, int]:
    """A struct sched_attr of any size.  Errors: EFAULT, E2BIG with the known size left there."""
    size = int.from_bytes(task.memory.copy_in(address, 4), "little") or SCHED_ATTR_SIZE_VER0
    if SCHED_ATTR_SIZE_VER0 <= size <= _SCHED_ATTR_MAXIMUM:
        data = task.memory.copy_in(address, size)
        known, rest = data[: SCHED_ATTR.size], data[SCHED_ATTR.size :]
        if not any(rest):
            return SCHED_ATTR.as_dict(known.ljust(SCHED_ATTR.size, b"\0"))
    task.memory.copy_out(address, SCHED_ATTR.size.to_bytes(4, "little"))
    raise E2BIG


def _deadline_parameters(wanted: dict[str, int]) -> tuple[int, int, int]:
    """Runtime, deadline and period of SCHED_DEADLINE.  Errors: EINVAL."""
    runtime, deadline, period = (
        wanted[name] for name in ("sched_runtime", "sched_deadline", "sched_period")
    )
    period = period or deadline
    if not _SHORTEST_RUNTIME <= runtime <= deadline <= period < 1 << 63:
        raise EINVAL
    return runtime, deadline, period


@syscall(314, "sched_setattr", support=Support.PARTIAL, note=_KEPT)
def sched_setattr(task: Task, pid: Pid, attributes: Address, flags: UnsignedInt) -> int:
    """sched_setattr(2)"""
    if attributes == 0 or flags or pid < 0:
        raise EINVAL
    wanted = _copy_in_attributes(task, attributes)
    target = _find(task, pid)
    policy = wanted["sched_policy"]
    if wanted["sched_flags"] & ~_SCHED_FLAGS_KNOWN:
        raise EINVAL
    old = scheduling_of(target)
    nice = old.nice
    if policy in (SCHED_OTHER, SCHED_BATCH):
        nice = max(-20, min(19, wanted["sched_nice"]))
        if nice < old.nice and not _may_be_as_nice(task, target, nice):
            raise EPERM
    new = old.replace(
        policy=policy,
        priority=wanted["sched_priority"],
        nice=nice,
        reset_on_fork=bool(wanted["sched_flags"] & _SCHED_FLAG_RESET_ON_FORK),
        deadline=_deadline_parameters(wanted) if policy == SCHED_DEADLINE else (0, 0, 0),
    )
    _change_policy(task, target, new)
    return 0


@syscall(315, "sched_getattr")
def sched_getattr(
    task: Task, pid: Pid, attributes: Address, size: UnsignedInt, flags: UnsignedInt
) -> int:
    """sched_getattr(2)"""
    if attributes == 0 or flags or not SCHED_ATTR_SIZE_VER0 <= size <= _SCHED_ATTR_MAXIMUM:
        raise EINVAL
    state = scheduling_of(_find(task, pid))
    filled = min(size, SCHED_ATTR.size)
    nice = 0 if state.policy in _REAL_TIME else state.nice
    flags_shown = _SCHED_FLAG_RESET_ON_FORK if state.reset_on_fork else 0
    data = SCHED_ATTR.pack(
        filled, state.policy, flags_shown, nice, state.priority, *state.deadline, 0, 1024
    )
    task.memory.copy_out(attributes, data[:filled])
    return 0


@syscall(148, "sched_rr_get_interval")
def sched_rr_get_interval(task: Task, pid: Pid, interval: OutTimespec) -> int:
    """sched_rr_get_interval(2)"""
    policy = scheduling_of(_find(task, pid)).policy
    slices = {SCHED_RR: _ROUND_ROBIN_INTERVAL, SCHED_FIFO: 0}
    task.memory.copy_out(interval, timespec(slices.get(policy, 4_000_000)))
    return 0


def _cpu_set_size(task: Task) -> int:
    """The bytes of a set of processors as the kernel has it: whole words."""
    return (online_processors(task.kernel).bit_length() + 63) // 64 * 8


@syscall(203, "sched_setaffinity", support=Support.PARTIAL, note="a hint to the host")
def sched_setaffinity(task: Task, pid: Pid, size: UnsignedInt, mask: InCpuSet) -> int:
    """sched_setaffinity(2)"""
    usable = _cpu_set_size(task)
    wanted = int.from_bytes(task.memory.copy_in(mask, min(size, usable)), "little")
    target = _find_any(task, pid)
    if not _may_change(task, target):
        raise EPERM
    allowed = wanted & online_processors(task.kernel)
    if not allowed:
        raise EINVAL
    set_scheduling(target, scheduling_of(target).replace(affinity=allowed))
    target.context.set_affinity(allowed)
    return 0


@syscall(204, "sched_getaffinity")
def sched_getaffinity(task: Task, pid: Pid, size: UnsignedInt, mask: OutCpuSet) -> int:
    """sched_getaffinity(2): the raw call returns the bytes written, a multiple of 8."""
    everything = online_processors(task.kernel)
    if size * 8 & 0xFFFFFFFF < everything.bit_length() or size % 8:
        raise EINVAL
    affinity = scheduling_of(_find_any(task, pid)).affinity
    written = min(size, _cpu_set_size(task))
    shown = everything if affinity is None else affinity
    task.memory.copy_out(mask, shown.to_bytes(written, "little"))
    return written


@syscall(309, "getcpu", support=Support.PARTIAL, note="the first CPU of the affinity mask")
def getcpu(task: Task, cpu: OutUnsigned, node: OutUnsigned, cache: Address) -> int:
    """getcpu(2); usually the vDSO answers, and truly."""
    affinity = scheduling_of(task).affinity or 1
    if cpu:
        lowest = (affinity & -affinity).bit_length() - 1
        task.memory.copy_out(cpu, lowest.to_bytes(4, "little"))
    if node:
        task.memory.copy_out(node, bytes(4))
    return 0


def _check_io_priority(task: Task, priority: int) -> None:
    """Errors: EINVAL, EPERM."""
    kind = priority >> _IOPRIO_CLASS_SHIFT & 7
    level = priority & 7
    own = task.credentials
    may_be_real_time = own.has_capability(CAP_SYS_ADMIN) or own.has_capability(CAP_SYS_NICE)
    if kind == _IOPRIO_CLASS_RT and not may_be_real_time:
        raise EPERM
    if kind in (_IOPRIO_CLASS_RT, _IOPRIO_CLASS_BE):
        if level >= _IOPRIO_LEVELS:
            raise EINVAL
    elif kind not in (_IOPRIO_CLASS_NONE, _IOPRIO_CLASS_IDLE) or (
        kind == _IOPRIO_CLASS_NONE and level
    ):
        raise EINVAL


@syscall(251, "ioprio_set", support=Support.PARTIAL, note=_KEPT)
def ioprio_set(task: Task, which: Int, who: Int, priority: Int) -> int:
    """ioprio_set(2)"""
    _check_io_priority(task, priority)
    for target in _select(task, which - _IOPRIO_WHO_BASE, who):
        if not _may_change(task, target):
            raise EPERM
        set_scheduling(target, scheduling_of(target).replace(io_priority=priority))
    return 0


@syscall(252, "ioprio_get")
def ioprio_get(task: Task, which: Int, who: Int) -> int:
    """ioprio_get(2): the highest, which is the lowest number but 0."""
    found = [
        scheduling_of(target).io_priority for target in _select(task, which - _IOPRIO_WHO_BASE, who)
    ]
    return min((priority for priority in found if priority), default=0)
