"""Which of stress-ng's stressors run, by what they stress."""

_FAMILIES = {
    "processes": """clone daemon exec exit-group fork forkheavy kill pidfd session spawn vfork
        vforkmany wait zombie""",
    "scheduling": "affinity nice schedpolicy yield",
    "signals": """bad-altstack sigabrt sigchld sigfd sigfpe sigio signal signest sigpending sigpipe
        sigq sigrt sigsegv sigsuspend sigtrap""",
    "timers": "alarm clock cyclic hrtimers itimer nanosleep sleep timer timerfd",
    "threads": "futex mutex pthread sem",
    "ipc": "mq msg sem-sysv shm shm-sysv",
    "files": """access chattr chdir chmod chown copy-file dentry dir dirdeep dirmany dup eventfd
        fallocate fcntl file-ioctl filename flock fpunch fsize fstat getdent handle hdd inode-flags
        inotify io iomix ioprio lease link locka lockf lockofd mknod open procfs rename symlink
        sync-file touch utime xattr""",
    "bad-input": "enosys sysbadaddr sysinval",
}
STRESSORS = [
    (family, stressor) for family, names in _FAMILIES.items() for stressor in names.split()
]

_QUICK_NAMES = "clone fork vfork wait signal sigq timer futex pthread sem-sysv msg mq"
QUICK = _QUICK_NAMES.split()
"""What `make test` runs, for a second each."""
NOT_FOR_ROOT = ("exec", "spawn")
"""stress-ng refuses these to root."""
