"""Resource limits: those of a process (getrlimit(2)) and those of the whole sandbox."""

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
    nanoseconds.  runsc sets them from the command line or the OCI specification.
    """

    __slots__ = ("cpu", "files", "memory", "pids")

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
