"""What root may change in /proc/sys/fs: proc_sys_fs(5).  There is one: `kernel.file_settings`."""

from runsc_py.sentry.vfs.dentry_cache import DEFAULT_LIMIT


class FileSettings:
    """Numbers that the VFS obeys; the names are those of /proc/sys/fs with underscores."""

    __slots__ = (
        "dentry_limit",
        "lease_break_time",
        "max_queued_events",
        "nr_open",
        "pipe_max_size",
        "protected_hardlinks",
        "protected_symlinks",
    )

    def __init__(self) -> None:
        #: names that a file system remembers although nobody uses them (not Linux's to set)
        self.dentry_limit = DEFAULT_LIMIT
        #: seconds that the holder of a lease has to give it back
        self.lease_break_time = 45
        #: of an inotify instance made from now on
        self.max_queued_events = 16384
        #: RLIMIT_NOFILE cannot be set higher
        self.nr_open = 1 << 20
        #: bytes that an ordinary user may make a pipe hold
        self.pipe_max_size = 1 << 20
        #: 1: hard links only to files that the caller could write or owns
        self.protected_hardlinks = 1
        #: 1: links in sticky directories of everybody are followed for their owner only
        self.protected_symlinks = 0
