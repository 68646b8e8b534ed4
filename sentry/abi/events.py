"""Structures of poll(2), select(2), epoll_ctl(2) and signalfd(2)."""

from runsc_py.sentry.abi.structure import Structure

POLLFD = Structure("struct pollfd", ("fd", "i"), ("events", "h"), ("revents", "h"))

#: packed on x86-64
EPOLL_EVENT = Structure("struct epoll_event", ("events", "I"), ("data", "Q"))

EPOLL_CTL_ADD = 1
EPOLL_CTL_DEL = 2
EPOLL_CTL_MOD = 3

EPOLL_CLOEXEC = 0o2000000

EPOLLEXCLUSIVE = 1 << 28
EPOLLWAKEUP = 1 << 29
EPOLLONESHOT = 1 << 30
EPOLLET = 1 << 31

EFD_SEMAPHORE = 1

TFD_TIMER_ABSTIME = 1
TFD_TIMER_CANCEL_ON_SET = 2

PIDFD_NONBLOCK = 0o4000
PIDFD_THREAD = 0o200
PIDFD_SIGNAL_THREAD = 1
PIDFD_SIGNAL_THREAD_GROUP = 2
PIDFD_SIGNAL_PROCESS_GROUP = 4

#: the last argument of pselect6(2)
SIGSET_ARGUMENT = Structure("sigset_argpack", ("p", "Q"), ("size", "Q"))

SIGNALFD_SIGINFO = Structure(
    "struct signalfd_siginfo",
    ("ssi_signo", "I"),
    ("ssi_errno", "i"),
    ("ssi_code", "i"),
    ("ssi_pid", "I"),
    ("ssi_uid", "I"),
    ("ssi_fd", "i"),
    ("ssi_tid", "I"),
    ("ssi_band", "I"),
    ("ssi_overrun", "I"),
    ("ssi_trapno", "I"),
    ("ssi_status", "i"),
    ("ssi_int", "i"),
    ("ssi_ptr", "Q"),
    ("ssi_utime", "Q"),
    ("ssi_stime", "Q"),
    ("ssi_addr", "Q"),
    ("ssi_addr_lsb", "H"),
    ("_pad", "46x"),
)
