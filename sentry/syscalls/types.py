"""Argument types of system calls.

Each alias says two things about an argument: how its register is read (a `struct` format of
eight bytes: `i4x` is a C int, `Q` an unsigned long) and how strace(1) shows it (the name of
a formatter in `sentry/strace`).  Handlers just see an int.

`ArgumentType.of` names the flag set, the set of names or the structure.  Relations between
arguments (a buffer and its length) belong to the formatter.
"""


class ArgumentType:
    """How an argument register is read and shown."""

    __slots__ = ("format", "formatter", "of")

    def __init__(self, register_format: str, formatter: str, of: str = "") -> None:
        self.format = register_format
        self.formatter = formatter
        #: what the formatter needs to know: a flag set's or structure's name
        self.of = of


TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Annotated
else:

    class Annotated:
        """At run time an alias is its ArgumentType: making the real ones takes 5 ms of a start."""

        def __class_getitem__(cls, words: tuple[type, ArgumentType]) -> ArgumentType:
            return words[1]


INT = "i4x"
UNSIGNED = "I4x"
LONG = "q"
UNSIGNED_LONG = "Q"

# Numbers
Int = Annotated[int, ArgumentType(INT, "integer")]
UnsignedInt = Annotated[int, ArgumentType(UNSIGNED, "integer")]
Long = Annotated[int, ArgumentType(LONG, "integer")]
UnsignedLong = Annotated[int, ArgumentType(UNSIGNED_LONG, "integer")]
#: size_t
Size = Annotated[int, ArgumentType(UNSIGNED_LONG, "integer")]
#: off_t
Offset = Annotated[int, ArgumentType(LONG, "integer")]
Hexadecimal = Annotated[int, ArgumentType(UNSIGNED_LONG, "hexadecimal")]
#: a pointer nobody decodes
Address = Annotated[int, ArgumentType(UNSIGNED_LONG, "address")]
#: a file descriptor
Fd = Annotated[int, ArgumentType(INT, "fd")]
#: a directory descriptor or AT_FDCWD
DirectoryFd = Annotated[int, ArgumentType(INT, "directory_fd")]
Pid = Annotated[int, ArgumentType(INT, "integer")]
Uid = Annotated[int, ArgumentType(INT, "integer")]
Signal = Annotated[int, ArgumentType(INT, "signal")]
#: octal permission bits
Mode = Annotated[int, ArgumentType(UNSIGNED, "mode")]
LongMode = Annotated[int, ArgumentType(UNSIGNED_LONG, "mode")]
#: with the file type (mknod)
FileMode = Annotated[int, ArgumentType(UNSIGNED, "file_mode")]
#: a dev_t, shown as makedev(major, minor)
Device = Annotated[int, ArgumentType(UNSIGNED_LONG, "device")]

# Strings and data
#: pointer to a NUL-terminated path or string
PathAddress = Annotated[int, ArgumentType(UNSIGNED_LONG, "string")]
StringAddress = Annotated[int, ArgumentType(UNSIGNED_LONG, "string")]
StringArray = Annotated[int, ArgumentType(UNSIGNED_LONG, "string_array")]
#: the environment of execve(2), of which strace shows the size
EnvironmentArray = Annotated[int, ArgumentType(UNSIGNED_LONG, "environment")]
#: a string that the kernel fills in, NUL-terminated (getcwd)
OutString = Annotated[int, ArgumentType(UNSIGNED_LONG, "out_string")]
#: data the guest passes in; the length is the next argument
InBuffer = Annotated[int, ArgumentType(UNSIGNED_LONG, "in_buffer")]
#: data the kernel fills; the length is the result
OutBuffer = Annotated[int, ArgumentType(UNSIGNED_LONG, "out_buffer")]
#: struct iovec arrays; the number of elements is the next argument
InVector = Annotated[int, ArgumentType(UNSIGNED_LONG, "in_vector")]
OutVector = Annotated[int, ArgumentType(UNSIGNED_LONG, "out_vector")]

# Flag sets and names
OpenFlags = Annotated[int, ArgumentType(INT, "open_flags")]
AtFlags = Annotated[int, ArgumentType(INT, "flags", "at")]
AccessAtFlags = Annotated[int, ArgumentType(INT, "flags", "at_access")]
StatxFlags = Annotated[int, ArgumentType(INT, "statx_flags")]
AccessMode = Annotated[int, ArgumentType(INT, "flags", "access")]
Whence = Annotated[int, ArgumentType(INT, "name", "whence")]
FcntlCommand = Annotated[int, ArgumentType(INT, "name", "fcntl")]
#: the third argument of fcntl(2); strace shows it by the command
FcntlArgument = Annotated[int, ArgumentType(UNSIGNED_LONG, "hexadecimal")]
IoctlRequest = Annotated[int, ArgumentType(UNSIGNED, "ioctl_request")]
#: the third argument of ioctl(2); strace shows it by the request
IoctlArgument = Annotated[int, ArgumentType(UNSIGNED_LONG, "hexadecimal")]
FlockOperation = Annotated[int, ArgumentType(INT, "flags", "flock")]
RenameFlags = Annotated[int, ArgumentType(UNSIGNED, "flags", "rename")]
StatxMask = Annotated[int, ArgumentType(UNSIGNED, "flags", "statx_mask")]
MountFlags = Annotated[int, ArgumentType(UNSIGNED_LONG, "flags", "mount")]
OpenTreeFlags = Annotated[int, ArgumentType(UNSIGNED, "flags", "open_tree")]
FsopenFlags = Annotated[int, ArgumentType(UNSIGNED, "flags", "fsopen")]
FspickFlags = Annotated[int, ArgumentType(UNSIGNED, "flags", "fspick")]
FsmountFlags = Annotated[int, ArgumentType(UNSIGNED, "flags", "fsmount")]
FsconfigCommand = Annotated[int, ArgumentType(UNSIGNED, "name", "fsconfig")]
MountAttributes = Annotated[int, ArgumentType(UNSIGNED, "flags", "mount_attributes")]
MoveMountFlags = Annotated[int, ArgumentType(UNSIGNED, "flags", "move_mount")]
UmountFlags = Annotated[int, ArgumentType(INT, "flags", "umount")]
XattrFlags = Annotated[int, ArgumentType(INT, "flags", "xattr")]
PipeFlags = Annotated[int, ArgumentType(INT, "flags", "pipe")]
Protection = Annotated[int, ArgumentType(INT, "flags", "protection")]
LongProtection = Annotated[int, ArgumentType(UNSIGNED_LONG, "flags", "protection")]
MapFlags = Annotated[int, ArgumentType(INT, "map_flags")]
RemapFlags = Annotated[int, ArgumentType(UNSIGNED_LONG, "flags", "mremap")]
Advice = Annotated[int, ArgumentType(INT, "name", "madvise")]
CloneFlags = Annotated[int, ArgumentType(UNSIGNED_LONG, "clone_flags")]
WaitOptions = Annotated[int, ArgumentType(INT, "flags", "wait")]
Wait4Options = Annotated[int, ArgumentType(INT, "flags", "wait4")]
WaitIdType = Annotated[int, ArgumentType(INT, "name", "wait_id")]
SignalHow = Annotated[int, ArgumentType(INT, "name", "signal_how")]
FutexOperation = Annotated[int, ArgumentType(INT, "futex_operation")]
SocketDomain = Annotated[int, ArgumentType(INT, "name", "address_family")]
SocketType = Annotated[int, ArgumentType(INT, "socket_type")]
#: by the domain, two arguments before
SocketProtocol = Annotated[int, ArgumentType(INT, "socket_protocol")]
SocketLevel = Annotated[int, ArgumentType(INT, "name", "socket_level")]
#: by the level, the argument before
SocketOption = Annotated[int, ArgumentType(INT, "socket_option")]
MessageFlags = Annotated[int, ArgumentType(INT, "flags", "message")]
ShutdownHow = Annotated[int, ArgumentType(INT, "name", "shutdown")]
EpollOperation = Annotated[int, ArgumentType(INT, "name", "epoll_operation")]
EpollFlags = Annotated[int, ArgumentType(INT, "flags", "epoll_create")]
EventFdFlags = Annotated[int, ArgumentType(INT, "flags", "eventfd")]
SignalFdFlags = Annotated[int, ArgumentType(INT, "flags", "signalfd")]
InotifyFlags = Annotated[int, ArgumentType(INT, "flags", "inotify_init")]
InotifyMask = Annotated[int, ArgumentType(UNSIGNED, "flags", "inotify")]
TimerFdSetFlags = Annotated[int, ArgumentType(INT, "flags", "timerfd_settime")]
CloseRangeFlags = Annotated[int, ArgumentType(UNSIGNED, "flags", "close_range")]
FallocateMode = Annotated[int, ArgumentType(INT, "flags", "fallocate")]
SpliceFlags = Annotated[int, ArgumentType(UNSIGNED, "flags", "splice")]
SyncMapFlags = Annotated[int, ArgumentType(INT, "flags", "msync")]
LockAllFlags = Annotated[int, ArgumentType(INT, "flags", "mlockall")]
FileAdvice = Annotated[int, ArgumentType(INT, "name", "fadvise")]
ReadWriteFlags = Annotated[int, ArgumentType(INT, "flags", "readwrite")]
PidFdFlags = Annotated[int, ArgumentType(UNSIGNED, "flags", "pidfd")]
TimerFdFlags = Annotated[int, ArgumentType(INT, "flags", "timerfd")]
MemFdFlags = Annotated[int, ArgumentType(UNSIGNED, "flags", "memfd")]
RandomFlags = Annotated[int, ArgumentType(UNSIGNED, "flags", "random")]
SeccompOperation = Annotated[int, ArgumentType(UNSIGNED, "name", "seccomp")]
SeccompFlags = Annotated[int, ArgumentType(UNSIGNED, "flags", "seccomp")]
ClockId = Annotated[int, ArgumentType(INT, "name", "clock")]
TimerFlags = Annotated[int, ArgumentType(INT, "flags", "timer")]
IntervalTimer = Annotated[int, ArgumentType(INT, "name", "itimer")]
Resource = Annotated[int, ArgumentType(UNSIGNED, "name", "rlimit")]
RusageWho = Annotated[int, ArgumentType(INT, "name", "rusage_who")]
PriorityWhich = Annotated[int, ArgumentType(INT, "name", "priority_which")]
SchedulingPolicy = Annotated[int, ArgumentType(INT, "name", "scheduling_policy")]
PrctlOption = Annotated[int, ArgumentType(INT, "name", "prctl")]
ArchPrctlOption = Annotated[int, ArgumentType(INT, "name", "arch_prctl")]

# Structures the guest passes in
InTimespec = Annotated[int, ArgumentType(UNSIGNED_LONG, "in_structure", "timespec")]
InTimespecs2 = Annotated[int, ArgumentType(UNSIGNED_LONG, "in_structure", "timespec[2]")]
InTimeval = Annotated[int, ArgumentType(UNSIGNED_LONG, "in_structure", "timeval")]
InTimevals2 = Annotated[int, ArgumentType(UNSIGNED_LONG, "in_structure", "timeval[2]")]
InItimerval = Annotated[int, ArgumentType(UNSIGNED_LONG, "in_structure", "itimerval")]
InItimerspec = Annotated[int, ArgumentType(UNSIGNED_LONG, "in_structure", "itimerspec")]
InSigevent = Annotated[int, ArgumentType(UNSIGNED_LONG, "in_structure", "sigevent")]
InRlimit = Annotated[int, ArgumentType(UNSIGNED_LONG, "in_structure", "rlimit")]
InSignalSet = Annotated[int, ArgumentType(UNSIGNED_LONG, "in_structure", "sigset")]
InSigaction = Annotated[int, ArgumentType(UNSIGNED_LONG, "in_structure", "sigaction")]
InSignalStack = Annotated[int, ArgumentType(UNSIGNED_LONG, "in_structure", "stack")]
InEpollEvent = Annotated[int, ArgumentType(UNSIGNED_LONG, "in_structure", "epoll_event")]
InCapabilityHeader = Annotated[int, ArgumentType(UNSIGNED_LONG, "in_structure", "cap_header")]
InCapabilityData = Annotated[int, ArgumentType(UNSIGNED_LONG, "in_structure", "cap_data")]
InMessage = Annotated[int, ArgumentType(UNSIGNED_LONG, "in_message")]
InOpenHow = Annotated[int, ArgumentType(UNSIGNED_LONG, "in_structure", "open_how")]
InInt = Annotated[int, ArgumentType(UNSIGNED_LONG, "in_structure", "int")]
InLong = Annotated[int, ArgumentType(UNSIGNED_LONG, "in_structure", "long")]
#: the value of a socket option; the length is the next argument
InSocketOption = Annotated[int, ArgumentType(UNSIGNED_LONG, "in_socket_option")]
#: a CPU mask; its size is the argument before
InCpuSet = Annotated[int, ArgumentType(UNSIGNED_LONG, "in_cpu_set")]
#: a socket address; the length is the next argument
InSocketAddress = Annotated[int, ArgumentType(UNSIGNED_LONG, "in_socket_address")]

# Structures the kernel fills
OutTimespec = Annotated[int, ArgumentType(UNSIGNED_LONG, "out_structure", "timespec")]
OutTimeval = Annotated[int, ArgumentType(UNSIGNED_LONG, "out_structure", "timeval")]
OutTimezone = Annotated[int, ArgumentType(UNSIGNED_LONG, "out_structure", "timezone")]
OutItimerval = Annotated[int, ArgumentType(UNSIGNED_LONG, "out_structure", "itimerval")]
OutItimerspec = Annotated[int, ArgumentType(UNSIGNED_LONG, "out_structure", "itimerspec")]
OutTms = Annotated[int, ArgumentType(UNSIGNED_LONG, "out_structure", "tms")]
InRlimit64 = Annotated[int, ArgumentType(UNSIGNED_LONG, "in_structure", "rlimit64")]
OutRlimit64 = Annotated[int, ArgumentType(UNSIGNED_LONG, "out_structure", "rlimit64")]
OutRlimit = Annotated[int, ArgumentType(UNSIGNED_LONG, "out_structure", "rlimit")]
OutRusage = Annotated[int, ArgumentType(UNSIGNED_LONG, "out_structure", "rusage")]
OutSysinfo = Annotated[int, ArgumentType(UNSIGNED_LONG, "out_structure", "sysinfo")]
OutUtsname = Annotated[int, ArgumentType(UNSIGNED_LONG, "out_structure", "utsname")]
OutSignalSet = Annotated[int, ArgumentType(UNSIGNED_LONG, "out_structure", "sigset")]
OutSigaction = Annotated[int, ArgumentType(UNSIGNED_LONG, "out_structure", "sigaction")]
OutSignalStack = Annotated[int, ArgumentType(UNSIGNED_LONG, "out_structure", "stack")]
InSiginfo = Annotated[int, ArgumentType(UNSIGNED_LONG, "in_structure", "siginfo")]
#: a signal set behind a pointer, with its size (pselect6)
InSignalSetArgument = Annotated[int, ArgumentType(UNSIGNED_LONG, "in_signal_mask")]
OutSiginfo = Annotated[int, ArgumentType(UNSIGNED_LONG, "out_structure", "siginfo")]
OutStat = Annotated[int, ArgumentType(UNSIGNED_LONG, "out_structure", "stat")]
OutStatx = Annotated[int, ArgumentType(UNSIGNED_LONG, "out_structure", "statx")]
OutStatfs = Annotated[int, ArgumentType(UNSIGNED_LONG, "out_structure", "statfs")]
OutWaitStatus = Annotated[int, ArgumentType(UNSIGNED_LONG, "out_structure", "wait_status")]
OutMessage = Annotated[int, ArgumentType(UNSIGNED_LONG, "out_message")]
OutCapabilityData = Annotated[int, ArgumentType(UNSIGNED_LONG, "out_structure", "cap_data")]
#: int and id results: *fd_pair*, *length*, and so on
OutLong = Annotated[int, ArgumentType(UNSIGNED_LONG, "out_structure", "long")]
OutInt = Annotated[int, ArgumentType(UNSIGNED_LONG, "out_structure", "int")]
OutUnsigned = Annotated[int, ArgumentType(UNSIGNED_LONG, "out_structure", "unsigned")]
OutFdPair = Annotated[int, ArgumentType(UNSIGNED_LONG, "out_structure", "int[2]")]
#: directory entries; the length is the result
OutDirectoryEntries = Annotated[int, ArgumentType(UNSIGNED_LONG, "out_directory_entries")]
#: epoll_event array; the number of elements is the result
OutEpollEvents = Annotated[int, ArgumentType(UNSIGNED_LONG, "out_epoll_events")]
#: a socket address; the next argument points to its length
OutSocketAddress = Annotated[int, ArgumentType(UNSIGNED_LONG, "out_socket_address")]
#: the length of what the argument before points to, read and written
OutSocketLength = Annotated[int, ArgumentType(UNSIGNED_LONG, "out_socket_length")]
#: the value of a socket option; the next argument points to its length
OutSocketOption = Annotated[int, ArgumentType(UNSIGNED_LONG, "out_socket_option")]
#: a CPU mask; the length is the result
OutCpuSet = Annotated[int, ArgumentType(UNSIGNED_LONG, "out_cpu_set")]
#: pollfd array read and written; the number of elements is the next argument
PollFds = Annotated[int, ArgumentType(UNSIGNED_LONG, "poll_fds")]
#: fd_set read and written; the first argument is the number of descriptors
FdSet = Annotated[int, ArgumentType(UNSIGNED_LONG, "fd_set")]
