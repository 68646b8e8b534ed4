"""/proc/config.gz: what this kernel has, in the words of Linux's build configuration.

Programs and test suites look here before they use a feature; what is not named is not there.
"""

from runsc_py.sentry.abi.system import KERNEL_RELEASE

TYPE_CHECKING = False
if TYPE_CHECKING:
    from runsc_py.sentry.kernel.task import Task

_BUILT_IN = (
    "64BIT X86 X86_64 MMU SMP MULTIUSER POSIX_TIMERS HIGH_RES_TIMERS PRINTK FUTEX EPOLL SIGNALFD "
    "TIMERFD EVENTFD AIO SHMEM ADVISE_SYSCALLS FILE_LOCKING INOTIFY_USER SYSVIPC SYSVIPC_SYSCTL "
    "BINFMT_ELF BINFMT_SCRIPT SECCOMP SECCOMP_FILTER NAMESPACES UTS_NS IPC_NS USER_NS PID_NS "
    "NET_NS PROC_FS PROC_SYSCTL PROC_PID_CPUSET SYSFS TMPFS TMPFS_XATTR DEVTMPFS UNIX98_PTYS TTY "
    "OVERLAY_FS MEMFD_CREATE NET UNIX INET IPV6 IKCONFIG IKCONFIG_PROC CROSS_MEMORY_ATTACH KCMP"
)
_ABSENT = (
    "SWAP MODULES NUMA HUGETLBFS BSD_PROCESS_ACCT FANOTIFY USERFAULTFD IO_URING BPF_SYSCALL "
    "PERF_EVENTS POSIX_MQUEUE TIME_NS CGROUPS CHECKPOINT_RESTORE MEMBARRIER RSEQ KEYS QUOTA "
    "MEMORY_FAILURE BLOCK DNOTIFY PREEMPT_RT"
)


def _text() -> str:
    lines = [f"# Linux/x86 {KERNEL_RELEASE.decode()} Kernel Configuration"]
    lines += [f"CONFIG_{name}=y" for name in _BUILT_IN.split()]
    lines += [f"# CONFIG_{name} is not set" for name in _ABSENT.split()]
    return "\n".join(lines) + "\n"


def configuration(task: "Task") -> bytes:
    """The file's bytes: gzip, the same every time."""
    import gzip

    return gzip.compress(_text().encode(), mtime=0)
