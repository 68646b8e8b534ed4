"""Which system calls of the host the sentry and the gofer may make once they serve, and why.

The filters of both are made from these tables when the C module is compiled (`make native`), and so
are the tables in SECURITY.md (`make docs`).  A new call of ours is added here with its reason; a
call that is not here ends the process.
"""

from __future__ import annotations

from runsc_py.runsc.confinement.filters import Call, make_filter, none_of, one_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

_EACCES, _ENOSYS = 13, 38
_SIGSYS = 31
_PROT_READ, _PROT_EXEC = 1, 4
_MAP_PRIVATE, _MAP_FIXED, _MAP_DENYWRITE = 2, 0x10, 0x800
_AT_FDCWD = -100
_AF_UNIX, _AF_INET, _AF_INET6, _AF_NETLINK = 1, 2, 10, 16
_PR_SET_VMA = 0x53564D41
#: O_ACCMODE, O_CREAT, O_TRUNC, O_APPEND, O_TMPFILE without O_DIRECTORY
_WRITING = 0o3 | 0o100 | 0o1000 | 0o2000 | 0o20000000
_NEGATIVE = 0x80000000

#: F_DUPFD, F_GETFD, F_SETFD, F_GETFL, F_SETFL, F_DUPFD_CLOEXEC, F_SETPIPE_SZ, F_GETPIPE_SZ,
#: F_ADD_SEALS, F_GET_SEALS; nothing that locks, leases or signals
_FCNTL = (0, 1, 2, 3, 4, 1030, 1031, 1032, 1033, 1034)
#: TCGETS, TCSETS, TCSETSW, TCSETSF, TCFLSH, TIOCOUTQ, TIOCGWINSZ, TIOCSWINSZ, FIONREAD, FIONBIO,
#: TIOCGETD, FIONCLEX, FIOCLEX, TCGETS2, TCSETS2, TCSETSW2, TCSETSF2; not TIOCSTI, which types
_IOCTL = (
    0x5401, 0x5402, 0x5403, 0x5404, 0x540B, 0x5411, 0x5413, 0x5414, 0x541B, 0x5421, 0x5424,
    0x5450, 0x5451, 0x802C542A, 0x402C542B, 0x402C542C, 0x402C542D,
)  # fmt: skip
#: SIOCATMARK, and SIOCGIF… but those about maps and links
_IOCTL_OF_THE_NETWORK = (
    0x8905, 0x8910, 0x8912, 0x8913, 0x8915, 0x8917, 0x8919, 0x891B, 0x891D, 0x8921, 0x8927,
    0x8933, 0x8942,
)  # fmt: skip
#: PEEKDATA, PEEKUSER, POKEDATA, POKEUSER, CONT, GETREGS, SETREGS, SYSCALL, GETEVENTMSG, GETSIGINFO,
#: GETREGSET, SETREGSET, INTERRUPT: of threads that are traced already, and neither ATTACH nor SEIZE
_PTRACE = (2, 3, 5, 6, 7, 12, 13, 24, 0x4201, 0x4202, 0x4204, 0x4205, 0x4207)

#: what the interpreter, its allocator and the C library need anywhere
INTERPRETER = (
    Call("brk", "memory of the interpreter"),
    Call("clock_gettime", "clocks that the vDSO does not have"),
    Call("close", "descriptors"),
    Call("dup", "descriptors"),
    Call("exit", "the end of a thread"),
    Call("exit_group", "the end"),
    Call("fcntl", "flags, seals and copies of descriptors, sizes of pipes", one_of(1, *_FCNTL)),
    Call("fstat", "descriptors"),
    Call("futex", "locks of the interpreter"),
    Call("getdents64", "lists of open directories"),
    Call("getegid", "who we are"),
    Call("geteuid", "who we are, and so who may use the control socket"),
    Call("getgid", "who we are"),
    Call("getpid", "who we are"),
    Call("getrandom", "random numbers"),
    Call("gettid", "who we are"),
    Call("gettimeofday", "clocks that the vDSO does not have"),
    Call("getuid", "who we are"),
    Call("ioctl", "settings of terminals, lengths of queues; no TIOCSTI", one_of(1, *_IOCTL)),
    Call("lseek", "files"),
    Call("madvise", "memory of the interpreter"),
    Call("mmap", "memory, never executable", one_of(2, 0, mask=_PROT_EXEC), errno=_EACCES),
    Call("mprotect", "memory, never executable", one_of(2, 0, mask=_PROT_EXEC), errno=_EACCES),
    Call("mremap", "memory of the interpreter"),
    Call("munmap", "memory of the interpreter"),
    Call("newfstatat", "descriptors, and which modules there are"),
    Call("prctl", "names of memory, by the C library", one_of(0, _PR_SET_VMA)),
    Call("pread64", "files"),
    Call("pwrite64", "files"),
    Call("read", "files, pipes, modules"),
    Call("readlink", "which modules there are"),
    Call("restart_syscall", "made by the host itself, after a stop"),
    Call("rt_sigaction", "handlers; never of SIGSYS, which ends us", none_of(0, _SIGSYS)),
    Call("rt_sigprocmask", "blocked signals"),
    Call("rt_sigreturn", "the end of a handler"),
    Call("sched_yield", "locks of the interpreter"),
    Call("sigaltstack", "a stack for handlers"),
    Call("time", "clocks that the vDSO does not have"),
    Call("write", "files, pipes, the log"),
)

SENTRY = (
    *INTERPRETER,
    Call("access", "which modules there are"),
    Call("clock_nanosleep", "waiting"),
    Call("dup2", "a socket in the place of another"),
    Call("dup3", "a socket in the place of another"),
    Call("epoll_create1", "events, and epoll(7) of guests"),
    Call("epoll_ctl", "events"),
    Call("epoll_pwait", "events"),
    Call("epoll_wait", "events"),
    Call("eventfd2", "events"),
    Call("fadvise64", "files that the gofer donated"),
    Call("fallocate", "files in memory, and those that the gofer donated"),
    Call("fdatasync", "files that the gofer donated"),
    Call("fstatfs", "files that the gofer donated"),
    Call("fsync", "files that the gofer donated"),
    Call("ftruncate", "files in memory, and those that the gofer donated"),
    Call("getcwd", "which modules there are"),
    Call("getpeername", "sockets that the gofer or a client donated"),
    Call("getrusage", "time used"),
    Call("getsockname", "sockets that the gofer or a client donated"),
    Call("getsockopt", "who is at the other end, errors"),
    Call(
        "kill",
        "stubs, and itself; never a group",
        one_of(0, 0, mask=_NEGATIVE),
        none_of(0, 0),
    ),
    Call("memfd_create", "files in memory"),
    Call("nanosleep", "waiting"),
    Call(
        "openat",
        "for reading: modules, /proc of its stubs, its own descriptors",
        one_of(2, 0, mask=_WRITING),
        errno=_EACCES,
    ),
    Call("pipe2", "pipes of guests"),
    Call("poll", "one descriptor, without waiting"),
    Call("ppoll", "one descriptor, without waiting"),
    Call("preadv", "files"),
    Call("preadv2", "files"),
    Call("prlimit64", "limits of stubs"),
    Call("process_vm_readv", "memory of guests"),
    Call("process_vm_writev", "memory of guests"),
    Call("pselect6", "one descriptor, without waiting"),
    Call("ptrace", "threads of guests, which are traced already", one_of(0, *_PTRACE)),
    Call("pwritev", "files"),
    Call("pwritev2", "files"),
    Call("readv", "files"),
    Call("recvfrom", "answers of the gofer, sockets of guests"),
    Call("recvmsg", "answers of the gofer, sockets of guests"),
    Call("sched_getaffinity", "processors"),
    Call("sched_setaffinity", "stubs and the gofer beside the tracer"),
    Call("select", "one descriptor, without waiting"),
    Call("sendfile", "from one file in memory to another, exports"),
    Call("sendmsg", "requests to the gofer, sockets of guests"),
    Call("sendto", "requests to the gofer, sockets of guests"),
    Call("setitimer", "timers of guests"),
    Call("setsockopt", "sockets that the gofer or a client donated"),
    Call("shutdown", "sockets of guests"),
    Call("socketpair", "sockets of guests", one_of(0, _AF_UNIX)),
    Call("splice", "pipes of guests"),
    Call("sync_file_range", "files that the gofer donated"),
    Call("sysinfo", "memory of the host"),
    Call("tee", "pipes of guests"),
    Call(
        "tgkill",
        "stubs, and itself; never a group",
        one_of(0, 0, mask=_NEGATIVE),
        none_of(0, 0),
    ),
    Call("timerfd_create", "timers of guests"),
    Call("timerfd_gettime", "timers of guests"),
    Call("timerfd_settime", "timers of guests"),
    Call("uname", "the host's name"),
    Call("wait4", "stops and ends of guests, the end of the gofer"),
    Call("waitid", "stops and ends of guests, the end of the gofer"),
    Call("writev", "files"),
)

#: CLONE_VM, _FS, _FILES, _SIGHAND, _THREAD, _SYSVSEM, _SETTLS, _PARENT_SETTID, _CHILD_CLEARTID
_CLONE_OF_A_THREAD = 0x3D0F00
_NEVER = one_of(0, 1, mask=0)

#: of a sandbox for containers, besides
CONTROL = (
    Call("clone", "threads of the watchdog, never processes", one_of(0, _CLONE_OF_A_THREAD)),
    Call("clone3", "is not there, so that the C library uses clone(2)", _NEVER, errno=_ENOSYS),
    Call("rseq", "threads of the watchdog"),
    Call("set_robust_list", "threads of the watchdog"),
    Call("accept4", "clients of the control socket, sockets of `--host-uds`"),
    Call("listen", "sockets of `--host-uds`"),
)

#: of any other sandbox, which may still load extension modules: the dynamic linker's own flags
MODULES = (
    Call(
        "mmap",
        "code of extension modules, from files",
        one_of(2, _PROT_READ | _PROT_EXEC),
        one_of(3, _MAP_PRIVATE | _MAP_DENYWRITE, _MAP_PRIVATE | _MAP_DENYWRITE | _MAP_FIXED),
        errno=_EACCES,
    ),
)

#: of a sandbox with `--network host`, besides
NETWORK = (
    Call("accept4", "sockets of guests"),
    Call("bind", "sockets of guests"),
    Call("connect", "sockets of guests"),
    Call("ioctl", "what interfaces there are", one_of(1, *_IOCTL_OF_THE_NETWORK)),
    Call("listen", "sockets of guests"),
    Call("socket", "sockets of guests", one_of(0, _AF_INET, _AF_INET6, _AF_NETLINK)),
)

#: a name is one component in a directory that the gofer holds
_BENEATH = none_of(0, _AT_FDCWD)

GOFER = (
    *INTERPRETER,
    Call("bind", "a socket of the host, where the mount allows it"),
    Call("connect", "a socket of the host, where the mount allows it"),
    Call("fallocate", "space of a file"),
    Call("fchmod", "modes"),
    Call("fchmodat", "modes, by /proc/self/fd"),
    Call("fchown", "owners"),
    Call("fchownat", "owners, of a descriptor"),
    Call("fdatasync", "data to the disk"),
    Call("fgetxattr", "extended attributes"),
    Call("flistxattr", "extended attributes"),
    Call("fremovexattr", "extended attributes"),
    Call("fsetxattr", "extended attributes"),
    Call("fstatfs", "file systems"),
    Call("fsync", "data to the disk"),
    Call("ftruncate", "sizes"),
    Call("getxattr", "extended attributes, by /proc/self/fd"),
    Call("linkat", "names beneath a mount", none_of(2, _AT_FDCWD)),
    Call("listxattr", "extended attributes, by /proc/self/fd"),
    Call("mkdirat", "names beneath a mount", _BENEATH),
    Call("mknodat", "names beneath a mount", _BENEATH),
    Call("openat", "itself in /proc/self/fd, and names where openat2(2) is missing", _BENEATH),
    Call("openat2", "names beneath a mount", _BENEATH),
    Call("readlinkat", "symbolic links", _BENEATH),
    Call("recvfrom", "requests"),
    Call("removexattr", "extended attributes, by /proc/self/fd"),
    Call("renameat", "names beneath a mount", _BENEATH, none_of(2, _AT_FDCWD)),
    Call("renameat2", "names beneath a mount", _BENEATH, none_of(2, _AT_FDCWD)),
    Call("sendmsg", "answers with a descriptor"),
    Call("sendto", "answers"),
    Call("setxattr", "extended attributes, by /proc/self/fd"),
    Call("socket", "a socket of the host, where the mount allows it", one_of(0, _AF_UNIX)),
    Call("statx", "attributes"),
    Call("symlinkat", "names beneath a mount", none_of(1, _AT_FDCWD)),
    Call("syncfs", "data to the disk"),
    Call("umask", "a guest's, while a file of it is made"),
    Call("unlinkat", "names beneath a mount", _BENEATH),
    Call("utimensat", "times, by /proc/self/fd", _BENEATH),
)


#: of a process that waits for one inside, once it has become a few pages of C
WAITER = (
    Call("exit_group", "the end"),
    Call("munmap", "what it was before"),
    Call("poll", "answers and signals"),
    Call("pwritev", "the exit record"),
    Call("read", "answers and signals"),
    Call("restart_syscall", "made by the host itself, after a stop"),
    Call("sendto", "signals that it passes on"),
)


def programs(numbers: Mapping[str, int]) -> list[bytes]:
    """The filters in the order of native/walls.h's WALLS_…; `numbers`: of calls by name."""
    sentries = (
        SENTRY + MODULES,
        SENTRY + MODULES + NETWORK,
        SENTRY + CONTROL,
        SENTRY + CONTROL + NETWORK,
    )
    return [make_filter(calls, numbers) for calls in (*sentries, GOFER, WAITER)]
