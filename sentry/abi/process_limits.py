"""Resource limits and usage, scheduling and capabilities as structures.

getrlimit(2), getrusage(2), sched_setattr(2), capget(2).
"""

from runsc_py.sentry.abi.process import RUSAGE
from runsc_py.sentry.abi.structure import Structure
from runsc_py.sentry.abi.time import NANOSECONDS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Protocol
else:
    Protocol = object  # the real one is for type checkers, and slow to import

RLIMIT = Structure("struct rlimit", ("rlim_cur", "Q"), ("rlim_max", "Q"))

RUSAGE_SELF = 0
RUSAGE_CHILDREN = -1
RUSAGE_THREAD = 1


class _Usage(Protocol):
    """Nanoseconds of user and of system time, bytes of memory, page faults, waits."""

    user: int
    system: int
    maximum_resident: int
    minor_faults: int
    major_faults: int
    voluntary_switches: int


def rusage(usage: _Usage) -> bytes:
    """A struct rusage; what nobody counts (blocks, involuntary switches) is 0."""
    user, user_rest = divmod(usage.user, NANOSECONDS)
    system, system_rest = divmod(usage.system, NANOSECONDS)
    return RUSAGE.pack(
        *(user, user_rest // 1000, system, system_rest // 1000, usage.maximum_resident // 1024),
        *(0, 0, 0, usage.minor_faults, usage.major_faults),
        *(0, 0, 0, 0, 0, 0, usage.voluntary_switches, 0),
    )


SCHED_PARAM = Structure("struct sched_param", ("sched_priority", "i"))

#: version 0 (48 bytes) ends before sched_util_min
SCHED_ATTR = Structure(
    "struct sched_attr",
    ("size", "I"),
    ("sched_policy", "I"),
    ("sched_flags", "Q"),
    ("sched_nice", "i"),
    ("sched_priority", "I"),
    ("sched_runtime", "Q"),
    ("sched_deadline", "Q"),
    ("sched_period", "Q"),
    ("sched_util_min", "I"),
    ("sched_util_max", "I"),
)
SCHED_ATTR_SIZE_VER0 = 48

_LINUX_CAPABILITY_VERSION_1 = 0x19980330
_LINUX_CAPABILITY_VERSION_2 = 0x20071026
LINUX_CAPABILITY_VERSION_3 = 0x20080522
#: how many 32-bit halves each version of the interface has
CAPABILITY_HALVES = {
    _LINUX_CAPABILITY_VERSION_1: 1,
    _LINUX_CAPABILITY_VERSION_2: 2,
    LINUX_CAPABILITY_VERSION_3: 2,
}

CAP_USER_HEADER = Structure("struct __user_cap_header_struct", ("version", "I"), ("pid", "i"))
CAP_USER_DATA = Structure(
    "struct __user_cap_data_struct", ("effective", "I"), ("permitted", "I"), ("inheritable", "I")
)
