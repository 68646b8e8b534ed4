"""Every family of system calls: a module of this package, and the names of its calls.

A family is imported when one of its calls is made for the first time: a short program uses six of
them, and importing the others would be a third of the sandbox's start.  A new family or call is
added here and nowhere else; a test compares the names with the modules.
"""

from runsc_py.sentry.syscalls.table import TABLE

FAMILIES = {
    "asynchronous_io": "io_setup io_destroy io_getevents io_submit io_cancel io_pgetevents",
    "attribute_changes": (
        "truncate ftruncate chmod fchmod chown fchown lchown utime utimes fchownat futimesat "
        "fchmodat utimensat fallocate fchmodat2"
    ),
    "clocks": (
        "nanosleep gettimeofday times adjtimex settimeofday time clock_settime clock_gettime "
        "clock_getres clock_nanosleep clock_adjtime"
    ),
    "copying": "sendfile readahead fadvise64 copy_file_range",
    "descriptors": "lseek ioctl dup dup2 fsync fdatasync sync sync_file_range dup3 syncfs",
    "directories": "getdents getcwd chdir fchdir mkdir rmdir umask chroot getdents64 mkdirat",
    "epoll": "epoll_create epoll_wait epoll_ctl epoll_pwait epoll_create1 epoll_pwait2",
    "events": "signalfd timerfd_create eventfd timerfd_settime timerfd_gettime signalfd4 eventfd2",
    "execution": "execve exit arch_prctl exit_group execveat",
    "file_attributes": (
        "stat fstat lstat access statfs fstatfs newfstatat faccessat statx faccessat2"
    ),
    "file_control": "fcntl",
    "file_flags": "file_getattr file_setattr",
    "filesystem_contexts": "fsopen fsconfig fsmount fspick",
    "futex": "futex",
    "futex2": "futex_waitv futex_wake futex_wait futex_requeue",
    "handles": "name_to_handle_at open_by_handle_at",
    "identity": (
        "getuid getgid setuid setgid geteuid getegid setreuid setregid getgroups setgroups "
        "setresuid getresuid setresgid getresgid setfsuid setfsgid capget capset"
    ),
    "limits": "getrlimit getrusage setrlimit prlimit64",
    "links": (
        "rename link unlink symlink readlink mknod mknodat unlinkat renameat linkat symlinkat "
        "readlinkat renameat2"
    ),
    "locks": "flock",
    "memfd": "memfd_create",
    "memory": (
        "mmap mprotect munmap brk mremap msync mincore madvise mlock munlock mlockall "
        "munlockall mlock2"
    ),
    "memory_policies": "mbind set_mempolicy get_mempolicy migrate_pages move_pages",
    "mount_queries": "statmount listmount",
    "mount_trees": "open_tree move_mount mount_setattr open_tree_attr",
    "mounts": "pivot_root mount umount2",
    "namespaces": "unshare setns",
    "opening": "open close creat openat close_range openat2",
    "pidfd": "pidfd_send_signal pidfd_open pidfd_getfd",
    "pipes": "pipe pipe2",
    "polling": "poll select pselect6 ppoll",
    "posix_messages": "mq_open mq_unlink mq_timedsend mq_timedreceive mq_notify mq_getsetattr",
    "prctl": "prctl",
    "privileged": (
        "vhangup acct swapon swapoff reboot iopl ioperm init_module delete_module quotactl "
        "kexec_load finit_module kexec_file_load"
    ),
    "barriers": "membarrier",
    "process_memory": "process_vm_readv process_vm_writev kcmp",
    "processes": (
        "getpid clone fork vfork wait4 setpgid getppid getpgrp setsid getpgid getsid gettid "
        "set_tid_address waitid set_robust_list get_robust_list clone3"
    ),
    "ptrace": "ptrace",
    "reading": "read pread64 readv preadv preadv2",
    "scheduling": (
        "sched_yield getpriority setpriority sched_setparam sched_getparam sched_setscheduler "
        "sched_getscheduler sched_get_priority_max sched_get_priority_min sched_rr_get_interval "
        "sched_setaffinity sched_getaffinity ioprio_set ioprio_get getcpu sched_setattr "
        "sched_getattr"
    ),
    "seccomp": "seccomp",
    "signals": (
        "rt_sigaction rt_sigprocmask rt_sigreturn pause kill rt_sigpending rt_sigtimedwait "
        "rt_sigqueueinfo rt_sigsuspend sigaltstack tkill restart_syscall tgkill "
        "rt_tgsigqueueinfo"
    ),
    "socket_messages": "sendto recvfrom sendmsg recvmsg recvmmsg sendmmsg",
    "sockets": (
        "socket connect accept shutdown bind listen getsockname getpeername socketpair "
        "setsockopt getsockopt accept4"
    ),
    "splicing": "splice tee vmsplice",
    "system": "uname sysinfo syslog personality sysfs sethostname setdomainname getrandom",
    "sysv_messages": "msgget msgsnd msgrcv msgctl",
    "sysv_semaphores": "semget semop semctl semtimedop",
    "sysv_shared_memory": "shmget shmat shmctl shmdt",
    "timers": (
        "getitimer alarm setitimer timer_create timer_settime timer_gettime timer_getoverrun "
        "timer_delete"
    ),
    "watches": "inotify_init inotify_add_watch inotify_rm_watch inotify_init1",
    "writing": "write pwrite64 writev pwritev pwritev2",
    "xattrs": (
        "setxattr lsetxattr fsetxattr getxattr lgetxattr fgetxattr listxattr llistxattr "
        "flistxattr removexattr lremovexattr fremovexattr setxattrat getxattrat listxattrat "
        "removexattrat"
    ),
}

for _family, _names in FAMILIES.items():
    TABLE.declare(f"{__package__}.{_family}", _names.split())

__all__ = ["FAMILIES", "TABLE"]
