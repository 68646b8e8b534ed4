"""From an OCI process to what the kernel makes a process of: identity, rights, limits, environment.

The same for a container's first process, for one that `exec` adds and for one that an embedder
starts: no way around the policy on capabilities (`--net-raw`).
"""

from __future__ import annotations

import os
import resource

from runsc_py.runsc.control.errors import ControlError
from runsc_py.sentry.auth.capabilities import CAP_NET_RAW, CAPABILITY_NAMES
from runsc_py.sentry.auth.credentials import Credentials
from runsc_py.sentry.kernel.limits import (
    MAXIMUM_OPEN_FILES,
    RLIM_INFINITY,
    RLIM_NLIMITS,
    RLIMIT_CORE,
    RLIMIT_FSIZE,
    RLIMIT_MEMLOCK,
    RLIMIT_MSGQUEUE,
    RLIMIT_NAMES,
    RLIMIT_NICE,
    RLIMIT_NOFILE,
    RLIMIT_NPROC,
    RLIMIT_RTPRIO,
    RLIMIT_SIGPENDING,
    RLIMIT_STACK,
    Limits,
)
from runsc_py.sentry.kernel.process_creation import ProcessArguments
from runsc_py.sentry.kernel.scheduling import (
    SCHED_BATCH,
    SCHED_DEADLINE,
    SCHED_FIFO,
    SCHED_IDLE,
    SCHED_OTHER,
    SCHED_RR,
    Scheduling,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from runsc_py.runsc.config import Config
    from runsc_py.runsc.oci.process import Capabilities, Process, Rlimit
    from runsc_py.sentry.auth.user_namespace import UserNamespace

#: queued signals and timers: Linux computes it from the machine's memory, it never is none at all
_PENDING_SIGNALS = (32768, 32768)
#: what a container starts with where it differs from no limit at all
_CONTAINER_LIMITS = {
    RLIMIT_MEMLOCK: (65536, 65536),
    RLIMIT_MSGQUEUE: (819200, 819200),
    RLIMIT_NICE: (0, 0),
    RLIMIT_NOFILE: (MAXIMUM_OPEN_FILES, MAXIMUM_OPEN_FILES),
    RLIMIT_RTPRIO: (0, 0),
    RLIMIT_SIGPENDING: _PENDING_SIGNALS,
    RLIMIT_STACK: (8 << 20, RLIM_INFINITY),
}
_POLICIES = {
    "SCHED_OTHER": SCHED_OTHER,
    "SCHED_FIFO": SCHED_FIFO,
    "SCHED_RR": SCHED_RR,
    "SCHED_BATCH": SCHED_BATCH,
    "SCHED_IDLE": SCHED_IDLE,
    "SCHED_DEADLINE": SCHED_DEADLINE,
}
_IO_CLASSES = {"IOPRIO_CLASS_RT": 1, "IOPRIO_CLASS_BE": 2, "IOPRIO_CLASS_IDLE": 3}
_IO_CLASS_SHIFT = 13
#: Linux's for its first process, with a distribution's soft limit of processes
_INITIAL_LIMITS = {
    RLIMIT_STACK: (8 << 20, RLIM_INFINITY),
    RLIMIT_CORE: (0, RLIM_INFINITY),
    RLIMIT_NPROC: (1 << 20, (1 << 29) - 1),
    RLIMIT_NOFILE: (1024, 4096),
    RLIMIT_MEMLOCK: (65536, 65536),
    RLIMIT_SIGPENDING: _PENDING_SIGNALS,
    RLIMIT_MSGQUEUE: (819200, 819200),
    RLIMIT_NICE: (0, 0),
    RLIMIT_RTPRIO: (0, 0),
}
#: those of this process count where they are lower
_HOST_LIMITS = ((RLIMIT_FSIZE, resource.RLIMIT_FSIZE), (RLIMIT_NOFILE, resource.RLIMIT_NOFILE))


def capability_set(names: Iterable[str], config: Config) -> int:
    """Names (`CAP_…`) as a set; without --net-raw nobody has CAP_NET_RAW.  Raises ControlError."""
    result = 0
    for name in names:
        plain = name.removeprefix("CAP_").lower()
        if not name.startswith("CAP_") or plain not in CAPABILITY_NAMES:
            raise ControlError(f"unknown capability {name!r}")
        result |= 1 << CAPABILITY_NAMES.index(plain)
    return result & ~withheld_by(config)


def credentials_of(process: Process, config: Config, namespace: UserNamespace) -> Credentials:
    """Who the process is.  Raises ControlError."""
    user = process.user
    sets: Capabilities | None = process.capabilities
    permitted = effective = inheritable = bounding = ambient = 0
    if sets is not None:
        bounding = capability_set(sets.bounding, config)
        effective = capability_set(sets.effective, config)
        inheritable = capability_set(sets.inheritable, config)
        permitted = capability_set(sets.permitted, config)
        ambient = capability_set(sets.ambient, config) & permitted & inheritable
    return Credentials(
        uid=user.uid,
        gid=user.gid,
        groups=tuple(sorted(set(user.additional_gids))),
        user_namespace=namespace,
        permitted=permitted,
        effective=effective & permitted,
        inheritable=inheritable,
        bounding=bounding,
        ambient=ambient,
    )


def withheld_by(config: Config) -> int:
    """The capabilities that nobody in a sandbox has, whatever a specification says."""
    return 0 if config.net_raw else 1 << CAP_NET_RAW


def process_arguments(process: Process, credentials: Credentials) -> ProcessArguments:
    """What the specification says of a process, but for its files.  Raises ControlError."""
    argv = [os.fsencode(argument) for argument in process.args]
    arguments = ProcessArguments(argv, credentials, limits_of(process.rlimits))
    arguments.environment = resolve_environment(process.env)
    arguments.working_directory = os.fsencode(process.cwd or "/")
    if process.user.umask is not None:
        arguments.umask = process.user.umask & 0o777
    arguments.no_new_privileges = process.no_new_privileges
    arguments.oom_score_adjustment = process.oom_score_adj or 0
    arguments.scheduling = scheduling_of(process)
    return arguments


def initial_limits() -> Limits:
    """What a distribution starts programs with; the specification's are another matter."""
    return _limits(_INITIAL_LIMITS)


def container_limits() -> Limits:
    """What every container starts with: an object of its own each time."""
    limits = _limits(_CONTAINER_LIMITS)
    for number, host in _HOST_LIMITS:
        soft, hard = resource.getrlimit(host)
        if hard != resource.RLIM_INFINITY and hard < limits.get(number)[1]:
            limits.set(number, soft if soft != resource.RLIM_INFINITY else hard, hard)
    return limits


def _limits(special: Mapping[int, tuple[int, int]]) -> Limits:
    """A new object: none at all but these."""
    return Limits(
        [special.get(number, (RLIM_INFINITY, RLIM_INFINITY)) for number in range(RLIM_NLIMITS)]
    )


def limits_of(rlimits: Sequence[Rlimit]) -> Limits:
    """The container's limits with those of a specification.  Raises ControlError."""
    limits = container_limits()
    for one in rlimits:
        set_limit(limits, one.type.removeprefix("RLIMIT_"), one.soft, one.hard, one.type)
    return limits


def set_limit(limits: Limits, name: str, soft: int, hard: int, shown: str) -> None:
    """Set a limit by its name.  Raises ControlError."""
    if name not in RLIMIT_NAMES:
        raise ControlError(f"creating limits: unknown resource {shown!r}")
    if soft > hard:
        raise ControlError(f"creating limits: {shown}: soft limit {soft} above hard limit {hard}")
    limits.set(RLIMIT_NAMES.index(name), min(soft, RLIM_INFINITY), min(hard, RLIM_INFINITY))


def resolve_environment(entries: Iterable[str]) -> list[bytes]:
    """Each variable once, with its last value, in the order of the last ones.

    Raises ControlError.
    """
    values: dict[str, str] = {}
    for entry in entries:
        name, equals, value = entry.partition("=")
        if not equals:
            raise ControlError(f"resolving env: invalid variable: {entry}")
        values.pop(name, None)
        values[name] = value
    return [os.fsencode(f"{name}={value}") for name, value in values.items()]


def scheduling_of(process: Process) -> Scheduling | None:
    """`scheduler` and `ioPriority`, as sched_setattr(2) and ioprio_set(2) would keep them."""
    scheduler, io_priority = process.scheduler, process.io_priority
    if scheduler is None and io_priority is None:
        return None
    scheduling = Scheduling()
    if scheduler is not None:
        scheduling = Scheduling(
            policy=_POLICIES[scheduler.policy],
            priority=scheduler.priority,
            nice=scheduler.nice,
            reset_on_fork="SCHED_FLAG_RESET_ON_FORK" in scheduler.flags,
            deadline=(scheduler.runtime, scheduler.deadline, scheduler.period),
        )
    if io_priority is not None:
        number = _IO_CLASSES[io_priority.klass] << _IO_CLASS_SHIFT | io_priority.priority
        scheduling = scheduling.replace(io_priority=number)
    return scheduling
