"""Classic BPF and seccomp(2): <linux/filter.h>, <linux/seccomp.h>."""

from runsc_py.sentry.abi.structure import Structure

SECCOMP_MODE_DISABLED = 0
SECCOMP_MODE_STRICT = 1
SECCOMP_MODE_FILTER = 2

SECCOMP_SET_MODE_STRICT = 0
SECCOMP_SET_MODE_FILTER = 1
SECCOMP_GET_ACTION_AVAIL = 2
SECCOMP_GET_NOTIF_SIZES = 3

SECCOMP_FILTER_FLAG_TSYNC = 1
SECCOMP_FILTER_FLAG_LOG = 2
SECCOMP_FILTER_FLAG_SPEC_ALLOW = 4
SECCOMP_FILTER_FLAG_NEW_LISTENER = 8
SECCOMP_FILTER_FLAG_TSYNC_ESRCH = 16
SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV = 32

SECCOMP_RET_KILL_PROCESS = 0x80000000
SECCOMP_RET_KILL_THREAD = 0x00000000
SECCOMP_RET_TRAP = 0x00030000
SECCOMP_RET_ERRNO = 0x00050000
SECCOMP_RET_USER_NOTIF = 0x7FC00000
SECCOMP_RET_TRACE = 0x7FF00000
SECCOMP_RET_LOG = 0x7FFC0000
SECCOMP_RET_ALLOW = 0x7FFF0000
SECCOMP_RET_ACTION = 0xFFFF0000
SECCOMP_RET_DATA = 0x0000FFFF

AUDIT_ARCH_X86_64 = 0xC000003E
SYS_SECCOMP_CODE = 1

# Requests of a listener; ADDFD's without direction and size, which its structure's version decides.
SECCOMP_IOCTL_NOTIF_RECV = 0xC0502100
SECCOMP_IOCTL_NOTIF_SEND = 0xC0182101
SECCOMP_IOCTL_NOTIF_ID_VALID = 0x40082102
#: its direction was wrong until Linux 5.17
SECCOMP_IOCTL_NOTIF_ID_VALID_WRONG_DIR = 0x80082102
SECCOMP_IOCTL_NOTIF_ADDFD = 0x00002103
SECCOMP_IOCTL_NOTIF_SET_FLAGS = 0x40082104

SECCOMP_USER_NOTIF_FLAG_CONTINUE = 1
SECCOMP_USER_NOTIF_FD_SYNC_WAKE_UP = 1
SECCOMP_ADDFD_FLAG_SETFD = 1
SECCOMP_ADDFD_FLAG_SEND = 2

BPF_MAXIMUM_INSTRUCTIONS = 4096

SOCK_FILTER = Structure("struct sock_filter", ("code", "H"), ("jt", "B"), ("jf", "B"), ("k", "I"))
SOCK_FPROG = Structure("struct sock_fprog", ("len", "H"), ("_pad", "6x"), ("filter", "Q"))

#: nr, arch, instruction_pointer, args[6]
SECCOMP_DATA = Structure(
    "struct seccomp_data",
    ("nr", "i"),
    ("arch", "I"),
    ("instruction_pointer", "Q"),
    ("arg0", "Q"),
    ("arg1", "Q"),
    ("arg2", "Q"),
    ("arg3", "Q"),
    ("arg4", "Q"),
    ("arg5", "Q"),
)
#: where what follows the number and architecture begins
SECCOMP_DATA_VARIABLE = 8

SIGINFO_SYSCALL = Structure(
    "siginfo_t",
    ("si_signo", "i"),
    ("si_errno", "i"),
    ("si_code", "i"),
    ("_pad", "4x"),
    ("si_call_addr", "Q"),
    ("si_syscall", "i"),
    ("si_arch", "I"),
    ("_rest", "96x"),
)

SECCOMP_NOTIF = Structure(
    "struct seccomp_notif", ("id", "Q"), ("pid", "I"), ("flags", "I"), ("data", "64s")
)
SECCOMP_NOTIF_RESP = Structure(
    "struct seccomp_notif_resp", ("id", "Q"), ("val", "q"), ("error", "i"), ("flags", "I")
)
SECCOMP_NOTIF_SIZES = Structure(
    "struct seccomp_notif_sizes",
    ("seccomp_notif", "H"),
    ("seccomp_notif_resp", "H"),
    ("seccomp_data", "H"),
)
SECCOMP_NOTIF_ADDFD = Structure(
    "struct seccomp_notif_addfd",
    ("id", "Q"),
    ("flags", "I"),
    ("srcfd", "I"),
    ("newfd", "I"),
    ("newfd_flags", "I"),
)
