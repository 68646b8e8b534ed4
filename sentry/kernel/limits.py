"""Resource limits: those of a process (getrlimit(2)) and those of the whole sandbox."""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from runsc_py.sentry.kernel.containers import Container
    from runsc_py.sentry.kernel.task import Task

RLIMIT_CPU = 0
RLIMIT_FSIZE = 1
RLIMIT_DATA = 2
RLIMIT_STACK = 3
RLIMIT_CORE = 4
RLIMIT_RSS = 5
RLIMIT_NPROC = 6
RLIMIT_NOFILE = 7
RLIMIT_MEMLOCK = 8
RLIMIT_AS = 9
RLIMIT_LOCKS = 10
RLIMIT_SIGPENDING = 11
RLIMIT_MSGQUEUE = 12
RLIMIT_NICE = 13
RLIMIT_RTPRIO = 14
RLIMIT_RTTIME = 15
RLIM_NLIMITS = 16
RLIM_INFINITY = (1 << 64) - 1

_NAMES = (
    "CPU FSIZE DATA STACK CORE RSS NPROC NOFILE MEMLOCK AS LOCKS SIGPENDING MSGQUEUE NICE RTPRIO "
    "RTTIME"
)
#: by number, without RLIMIT_
RLIMIT_NAMES = tuple(_NAMES.split())

#: limits of the memory map: the host kernel enforces them on the address space
MEMORY_LIMITS = frozenset((RLIMIT_DATA, RLIMIT_STACK, RLIMIT_MEMLOCK, RLIMIT_AS))

#: counted by user (auth/user_counts.py)
COUNTED_RESOURCES = (RLIMIT_SIGPENDING, RLIMIT_MSGQUEUE)

#: /proc/sys/fs/nr_open: RLIMIT_NOFILE cannot be set higher
MAXIMUM_OPEN_FILES = 1 << 20

#: INIT_RLIMITS of <asm-generic/resource.h>; tasks and signals as a small machine computes them
_DEFAULTS = {
    RLIMIT_STACK: (8 << 20, RLIM_INFINITY),
    RLIMIT_CORE: (0, RLIM_INFINITY),
    RLIMIT_NPROC: (32768, 32768),
    RLIMIT_NOFILE: (1024, MAXIMUM_OPEN_FILES),
    RLIMIT_MEMLOCK: (8 << 20, 8 << 20),
    RLIMIT_SIGPENDING: (32768, 32768),
    RLIMIT_MSGQUEUE: (819200, 819200),
    RLIMIT_NICE: (0, 0),
    RLIMIT_RTPRIO: (0, 0),
}


class Limits:
    """The (soft, hard) pairs of one thread group."""

    __slots__ = ("values",)

    def __init__(self, values: list[tuple[int, int]] | None = None) -> None:
        """`values` by resource number; the default is Linux's."""
        self.values = (
            [
                _DEFAULTS.get(resource, (RLIM_INFINITY, RLIM_INFINITY))
                for resource in range(RLIM_NLIMITS)
            ]
            if values is None
            else values
        )

    def get(self, resource: int) -> tuple[int, int]:
        """(soft, hard) of an RLIMIT_* number below RLIM_NLIMITS."""
        return self.values[resource]

    def soft(self, resource: int) -> int:
        """What is enforced."""
        return self.values[resource][0]

    def set(self, resource: int, soft: int, hard: int) -> None:
        """Replace a pair; the caller has checked that it may."""
        self.values[resource] = (soft, hard)

    def copy(self) -> "Limits":
        """For fork(2)."""
        return Limits(list(self.values))


class SandboxLimits:
    """What the whole sandbox may use; None is no limit.

    `memory` is bytes, `pids` tasks, `files` the highest RLIMIT_NOFILE, `cpu` processor
    nanoseconds, `quota` microseconds of processor time in a period of so many, which the host
    enforces and the guest may know.  runsc sets them from the command line or the OCI
    specification.  A container of several in a sandbox has limits of its own beside the sandbox's.
    """

    __slots__ = ("cpu", "files", "memory", "pids", "quota")

    def __init__(
        self,
        *,
        memory: int | None = None,
        pids: int | None = None,
        files: int | None = None,
        cpu: int | None = None,
    ) -> None:
        self.memory = memory
        self.pids = pids
        self.files = files
        self.cpu = cpu
        self.quota: tuple[int, int] | None = None

    def narrowed_by(self, other: "SandboxLimits") -> "SandboxLimits":
        """What holds where both do."""
        both = SandboxLimits(
            memory=_lower(self.memory, other.memory),
            pids=_lower(self.pids, other.pids),
            files=_lower(self.files, other.files),
            cpu=_lower(self.cpu, other.cpu),
        )
        both.quota = other.quota or self.quota
        return both


def _lower(one: int | None, other: int | None) -> int | None:
    return min((limit for limit in (one, other) if limit is not None), default=None)


def is_full(container: "Container | None") -> bool:
    """Whether a container has as many tasks as it may."""
    if container is None or container.limits.pids is None:
        return False
    return container.task_count >= container.limits.pids


def limits_of(task: "Task") -> SandboxLimits:
    """What holds for a task: the sandbox's limits and its container's."""
    container = task.thread_group.container
    limits = task.kernel.limits
    return limits if container is None else limits.narrowed_by(container.limits)
