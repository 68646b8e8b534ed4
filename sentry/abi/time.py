"""Structures and constants of time: time(7), clock_gettime(2), timer_create(2), adjtimex(2)."""

from runsc_py.sentry.abi.structure import Structure

NANOSECONDS = 1_000_000_000
#: clock_t ticks are 1/100 s (USER_HZ)
NANOSECONDS_PER_TICK = 10_000_000

TIMER_ABSTIME = 1

ITIMER_REAL = 0
ITIMER_VIRTUAL = 1
ITIMER_PROF = 2

SIGEV_SIGNAL = 0
SIGEV_NONE = 1
SIGEV_THREAD = 2
SIGEV_THREAD_ID = 4

#: adjtimex(2): the clock is not synchronised, which a sandbox cannot know
TIME_ERROR = 5
STA_UNSYNC = 0x0040

TIMESPEC = Structure("struct timespec", ("tv_sec", "q"), ("tv_nsec", "q"))
TIMEVAL = Structure("struct timeval", ("tv_sec", "q"), ("tv_usec", "q"))
TIMEZONE = Structure("struct timezone", ("tz_minuteswest", "i"), ("tz_dsttime", "i"))

ITIMERSPEC = Structure(
    "struct itimerspec",
    ("it_interval.tv_sec", "q"),
    ("it_interval.tv_nsec", "q"),
    ("it_value.tv_sec", "q"),
    ("it_value.tv_nsec", "q"),
)
ITIMERVAL = Structure(
    "struct itimerval",
    ("it_interval.tv_sec", "q"),
    ("it_interval.tv_usec", "q"),
    ("it_value.tv_sec", "q"),
    ("it_value.tv_usec", "q"),
)

TMS = Structure(
    "struct tms", ("tms_utime", "q"), ("tms_stime", "q"), ("tms_cutime", "q"), ("tms_cstime", "q")
)

#: the union begins with the thread id of SIGEV_THREAD_ID
SIGEVENT = Structure(
    "struct sigevent",
    ("sigev_value", "Q"),
    ("sigev_signo", "i"),
    ("sigev_notify", "i"),
    ("sigev_notify_thread_id", "i"),
    ("_rest", "44x"),
)

TIMEX = Structure(
    "struct timex",
    ("modes", "I"),
    ("_pad", "4x"),
    ("offset", "q"),
    ("freq", "q"),
    ("maxerror", "q"),
    ("esterror", "q"),
    ("status", "i"),
    ("_pad2", "4x"),
    ("constant", "q"),
    ("precision", "q"),
    ("tolerance", "q"),
    ("time.tv_sec", "q"),
    ("time.tv_usec", "q"),
    ("tick", "q"),
    ("ppsfreq", "q"),
    ("jitter", "q"),
    ("shift", "i"),
    ("_pad3", "4x"),
    ("stabil", "q"),
    ("jitcnt", "q"),
    ("calcnt", "q"),
    ("errcnt", "q"),
    ("stbcnt", "q"),
    ("tai", "i"),
    ("_rest", "44x"),
)


def timespec(nanoseconds: int) -> bytes:
    """A struct timespec."""
    return TIMESPEC.pack(*divmod(nanoseconds, NANOSECONDS))


def timeval(nanoseconds: int) -> bytes:
    """A struct timeval."""
    seconds, rest = divmod(nanoseconds, NANOSECONDS)
    return TIMEVAL.pack(seconds, rest // 1000)
