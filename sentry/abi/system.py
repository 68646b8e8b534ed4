"""What the system says about itself: uname(2), sysinfo(2), reboot(2), syslog(2)."""

from runsc_py.sentry.abi.structure import Structure

#: what the sandbox calls itself; programs (glibc, Go, systemd) compare the release only
SYSTEM_NAME = b"Linux"
KERNEL_RELEASE = b"6.18.0-runsc-py"
KERNEL_VERSION = b"#1 SMP PREEMPT_DYNAMIC runsc-py"
MACHINE = b"x86_64"
#: what a program of the 32-bit personality is told
MACHINE_32 = b"i686"
PER_MASK, PER_LINUX32 = 0xFF, 0x08

#: each field of struct utsname, the terminating NUL included
UTSNAME_FIELD_SIZE = 65

UTSNAME = Structure(
    "struct new_utsname",
    ("sysname", "65s"),
    ("nodename", "65s"),
    ("release", "65s"),
    ("version", "65s"),
    ("machine", "65s"),
    ("domainname", "65s"),
)

SYSINFO = Structure(
    "struct sysinfo",
    ("uptime", "q"),
    ("loads[0]", "Q"),
    ("loads[1]", "Q"),
    ("loads[2]", "Q"),
    ("totalram", "Q"),
    ("freeram", "Q"),
    ("sharedram", "Q"),
    ("bufferram", "Q"),
    ("totalswap", "Q"),
    ("freeswap", "Q"),
    ("procs", "H"),
    ("_pad", "6x"),
    ("totalhigh", "Q"),
    ("freehigh", "Q"),
    ("mem_unit", "I"),
    ("_pad2", "4x"),
)

GRND_NONBLOCK = 1
GRND_RANDOM = 2
GRND_INSECURE = 4

#: personality(2): what is left of a timeout is not written back
STICKY_TIMEOUTS = 0x4000000
