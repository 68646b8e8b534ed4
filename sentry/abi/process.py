"""Constants and structures of clone(2), wait(2), prctl-free process calls."""

from runsc_py.sentry.abi.structure import Structure

CSIGNAL = 0xFF
#: how deep PID namespaces nest, and how many numbers clone3 can ask for
MAX_PID_NS_LEVEL = 32
CLONE_VM = 0x100
CLONE_FS = 0x200
CLONE_FILES = 0x400
CLONE_SIGHAND = 0x800
CLONE_PIDFD = 0x1000
CLONE_PTRACE = 0x2000
CLONE_VFORK = 0x4000
CLONE_PARENT = 0x8000
CLONE_THREAD = 0x10000
CLONE_NEWTIME = 0x00000080
CLONE_NEWNS = 0x20000
CLONE_SYSVSEM = 0x40000
CLONE_SETTLS = 0x80000
CLONE_PARENT_SETTID = 0x100000
CLONE_CHILD_CLEARTID = 0x200000
CLONE_DETACHED = 0x400000
CLONE_UNTRACED = 0x800000
CLONE_CHILD_SETTID = 0x1000000
CLONE_NEWCGROUP = 0x2000000
CLONE_NEWUTS = 0x4000000
CLONE_NEWIPC = 0x8000000
CLONE_NEWUSER = 0x10000000
CLONE_NEWPID = 0x20000000
CLONE_NEWNET = 0x40000000
CLONE_IO = 0x80000000
CLONE_CLEAR_SIGHAND = 0x100000000
CLONE_INTO_CGROUP = 0x200000000

NAMESPACE_FLAGS = (
    CLONE_NEWNS
    | CLONE_NEWCGROUP
    | CLONE_NEWUTS
    | CLONE_NEWIPC
    | CLONE_NEWUSER
    | CLONE_NEWPID
    | CLONE_NEWNET
    | CLONE_NEWTIME
)

WNOHANG = 1
WUNTRACED = 2
WSTOPPED = 2
WEXITED = 4
WCONTINUED = 8
WNOWAIT = 0x01000000
WAIT_NOTHREAD = 0x20000000
WAIT_ALL = 0x40000000
WAIT_CLONE = 0x80000000

P_ALL = 0
P_PID = 1
P_PGID = 2
P_PIDFD = 3

CLONE_ARGS = Structure(
    "struct clone_args",
    ("flags", "Q"),
    ("pidfd", "Q"),
    ("child_tid", "Q"),
    ("parent_tid", "Q"),
    ("exit_signal", "Q"),
    ("stack", "Q"),
    ("stack_size", "Q"),
    ("tls", "Q"),
    ("set_tid", "Q"),
    ("set_tid_size", "Q"),
    ("cgroup", "Q"),
)
CLONE_ARGS_SIZE_VER0 = 64
CLONE_ARGS_SIZE_VER1 = 80

#: struct rusage: two timevals and fourteen longs
RUSAGE = Structure(
    "struct rusage",
    ("ru_utime_sec", "q"),
    ("ru_utime_usec", "q"),
    ("ru_stime_sec", "q"),
    ("ru_stime_usec", "q"),
    ("ru_maxrss", "q"),
    ("ru_ixrss", "q"),
    ("ru_idrss", "q"),
    ("ru_isrss", "q"),
    ("ru_minflt", "q"),
    ("ru_majflt", "q"),
    ("ru_nswap", "q"),
    ("ru_inblock", "q"),
    ("ru_oublock", "q"),
    ("ru_msgsnd", "q"),
    ("ru_msgrcv", "q"),
    ("ru_nsignals", "q"),
    ("ru_nvcsw", "q"),
    ("ru_nivcsw", "q"),
)

FUTEX_WAITV = Structure(
    "struct futex_waitv", ("val", "Q"), ("uaddr", "Q"), ("flags", "I"), ("__reserved", "I")
)

# arch_prctl(2)
ARCH_SET_GS = 0x1001
ARCH_SET_FS = 0x1002
ARCH_GET_FS = 0x1003
ARCH_GET_GS = 0x1004
ARCH_CET_STATUS = 0x3001

#: PR_SET_DUMPABLE: everybody with the right may look into it
SUID_DUMP_USER = 1

# What is executed by the host, in a stub.
SYS_PRCTL = 157
SYS_MEMBARRIER = 324
PR_SET_TSC = 26
PR_SET_THP_DISABLE = 41
PR_TSC_ENABLE = 1
PR_TSC_SIGSEGV = 2

KCMP_EPOLL_SLOT = Structure("struct kcmp_epoll_slot", ("efd", "I"), ("tfd", "I"), ("toff", "I"))
