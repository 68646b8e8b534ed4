"""Resource limits and usage, scheduling and capabilities as structures.

getrlimit(2), getrusage(2), sched_setattr(2), capget(2).
"""

from runsc_py.sentry.abi.process import RUSAGE
from runsc_py.sentry.abi.structure import Structure
from runsc_py.sentry.abi.time import NANOSECONDS

RLIMIT = Structure("struct rlimit", ("rlim_cur", "Q"), ("rlim_max", "Q"))

RUSAGE_SELF = 0
RUSAGE_CHILDREN = -1
RUSAGE_THREAD = 1


def rusage(cpu_time: int, maximum_resident: int = 0) -> bytes:
    """A struct rusage: nanoseconds of user time, and kilobytes.

    The guest's own instructions are all user time; what the sentry does for it is not charged.
    """
    seconds, rest = divmod(cpu_time, NANOSECONDS)
    return RUSAGE.pack(
        seconds, rest // 1000, 0, 0, maximum_resident, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0
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
