"""Structures in strace's notation, by the names that argument types give them.

Each function gets the bytes.  What is abbreviated is what strace(1) abbreviates without -v.
"""

import time
from collections.abc import Callable

from runsc_py.sentry.abi.events import EPOLL_EVENT
from runsc_py.sentry.abi.files import FLOCK, OPEN_HOW, STAT, STATFS, STATX
from runsc_py.sentry.abi.ioctl import WINSIZE
from runsc_py.sentry.abi.process import RUSAGE
from runsc_py.sentry.abi.process_limits import CAP_USER_DATA, CAP_USER_HEADER, RLIMIT
from runsc_py.sentry.abi.signals import SIGACTION, SIGINFO_SIZE, STACK_T
from runsc_py.sentry.abi.structure import Structure
from runsc_py.sentry.abi.system import SYSINFO, UTSNAME
from runsc_py.sentry.abi.time import (
    ITIMERSPEC,
    ITIMERVAL,
    SIGEVENT,
    TIMESPEC,
    TIMEVAL,
    TIMEZONE,
    TMS,
)
from runsc_py.sentry.auth.capabilities import CAP_LAST_CAP, CAPABILITY_NAMES
from runsc_py.sentry.kernel.limits import RLIM_INFINITY
from runsc_py.sentry.strace.flags import FLAG_SETS, OPEN
from runsc_py.sentry.strace.names import NAME_SETS
from runsc_py.sentry.strace.signals import (
    sigaction,
    siginfo,
    signal,
    signal_set,
    signal_value,
    wait_status,
)
from runsc_py.sentry.strace.text import array, escape, pointer, quote, structure

_S_IFMT = 0o170000
_TYPES = {
    0o140000: "S_IFSOCK",
    0o120000: "S_IFLNK",
    0o100000: "S_IFREG",
    0o060000: "S_IFBLK",
    0o040000: "S_IFDIR",
    0o020000: "S_IFCHR",
    0o010000: "S_IFIFO",
}
_UTIME_NOW = (1 << 30) - 1
_UTIME_OMIT = (1 << 30) - 2


def file_mode(mode: int) -> str:
    """S_IFDIR|S_ISVTX|0777"""
    parts = []
    if mode & _S_IFMT:
        parts.append(_TYPES.get(mode & _S_IFMT, f"{mode & _S_IFMT:#o}"))
    for bit, name in ((0o4000, "S_ISUID"), (0o2000, "S_ISGID"), (0o1000, "S_ISVTX")):
        if mode & bit:
            parts.append(name)
    parts.append(f"0{mode & 0o777:02o}")
    return "|".join(parts)


def open_flags(flags: int) -> str:
    """O_RDWR|O_CREAT|O_CLOEXEC"""
    access = ("O_RDONLY", "O_WRONLY", "O_RDWR", "O_ACCMODE")[flags & 3]
    names, rest = OPEN.known(flags & 0xFFFFFFFF & ~3)
    if rest:
        names.append(f"{rest:#x}")
    return "|".join([access, *names])


def device(number: int) -> str:
    """makedev(0x88, 0)"""
    major = (number >> 8 & 0xFFF) | (number >> 32 & ~0xFFF)
    minor = (number & 0xFF) | (number >> 12 & 0xFFFFFF00)
    return f"makedev({major:#x}, {minor:#x})"


def _timespec(data: bytes) -> str:
    seconds, rest = TIMESPEC.unpack(data)
    if rest in (_UTIME_NOW, _UTIME_OMIT):
        return "UTIME_NOW" if rest == _UTIME_NOW else "UTIME_OMIT"
    return f"{{tv_sec={seconds}, tv_nsec={rest}}}"


def _file_time(data: bytes) -> str:
    """As utimensat shows it: with the date."""
    shown = _timespec(data)
    seconds, rest = TIMESPEC.unpack(data)
    if shown.startswith("{"):
        date = time.strftime("%Y-%m-%dT%H:%M:%S", time.localtime(seconds))
        zone = time.strftime("%z", time.localtime(seconds))
        shown += f" /* {date}.{rest:09}{zone} */" if rest else f" /* {date}{zone} */"
    return shown


def _timeval(data: bytes) -> str:
    seconds, rest = TIMEVAL.unpack(data)
    return f"{{tv_sec={seconds}, tv_usec={rest}}}"


def _two(one: Callable[[bytes], str]) -> Callable[[bytes], str]:
    return lambda data: array([one(data[:16]), one(data[16:])])


def _interval_pair(one: Callable[[bytes], str]) -> Callable[[bytes], str]:
    return lambda data: structure([("it_interval", one(data[:16])), ("it_value", one(data[16:]))])


def _plain(layout: Structure) -> Callable[[bytes], str]:
    """All fields as decimal numbers."""
    return lambda data: structure(
        [(name, str(value)) for name, value in layout.as_dict(data).items()]
    )


def _limit_value(value: int, infinity: str) -> str:
    if value == RLIM_INFINITY:
        return infinity
    if value > 1024 and value % 1024 == 0:
        return f"{value // 1024}*1024"
    return str(value)


def _rlimit(infinity: str) -> Callable[[bytes], str]:
    def show(data: bytes) -> str:
        soft, hard = RLIMIT.unpack(data)
        return structure(
            [
                ("rlim_cur", _limit_value(soft, infinity)),
                ("rlim_max", _limit_value(hard, infinity)),
            ]
        )

    return show


def _rusage(data: bytes) -> str:
    return structure(
        [("ru_utime", _timeval(data[:16])), ("ru_stime", _timeval(data[16:32]))], more=True
    )


def _stat(data: bytes) -> str:
    values = STAT.as_dict(data)
    fields = [("st_mode", file_mode(values["st_mode"]))]
    if values["st_mode"] & _S_IFMT in (0o020000, 0o060000):
        fields.append(("st_rdev", device(values["st_rdev"])))
    else:
        fields.append(("st_size", str(values["st_size"])))
    return structure(fields, more=True)


def _statx(data: bytes) -> str:
    values = STATX.as_dict(data)
    fields = [
        ("stx_mask", FLAG_SETS["statx_mask"].format(values["stx_mask"])),
        ("stx_attributes", FLAG_SETS["statx_attributes"].format(values["stx_attributes"])),
        ("stx_mode", file_mode(values["stx_mode"])),
        ("stx_size", str(values["stx_size"])),
    ]
    return structure(fields, more=True)


def _statfs(data: bytes) -> str:
    values = STATFS.as_dict(data)
    fields = [("f_type", NAME_SETS["file_system"].format(values["f_type"]))]
    for name in ("f_bsize", "f_blocks", "f_bfree", "f_bavail", "f_files", "f_ffree"):
        fields.append((name, str(values[name])))
    identifier = values["f_fsid"]
    fields.append(("f_fsid", f"{{val=[{identifier & 0xFFFFFFFF:#x}, {identifier >> 32:#x}]}}"))
    fields.append(("f_namelen", str(values["f_namelen"])))
    fields.append(("f_frsize", str(values["f_frsize"])))
    fields.append(("f_flags", FLAG_SETS["statfs_flags"].format(values["f_flags"])))
    return structure(fields)


def _utsname(data: bytes) -> str:
    values = UTSNAME.as_dict(data)
    names = [(name, f'"{escape(values[name].split(bytes(1))[0])}"') for name in UTSNAME.names[:2]]
    return structure(names, more=True)


def _sysinfo(data: bytes) -> str:
    values = SYSINFO.as_dict(data)
    loads = array([str(values[f"loads[{index}]"]) for index in range(3)])
    fields = [("uptime", str(values["uptime"])), ("loads", loads)]
    fields += [(name, str(values[name])) for name in SYSINFO.names[4:]]
    return structure(fields)


def _sigevent(data: bytes) -> str:
    value, number, notify, thread = SIGEVENT.unpack(data)
    fields = [("sigev_value", signal_value(value))]
    fields.append(("sigev_signo", signal(number)))
    fields.append(("sigev_notify", NAME_SETS["sigev"].format(notify)))
    if notify == 4:
        fields.append(("sigev_notify_thread_id", str(thread)))
    return structure(fields)


def _stack(data: bytes) -> str:
    address, flags, size = STACK_T.unpack(data)
    shown = FLAG_SETS["signal_stack"].format(flags & 0xFFFFFFFF)
    return structure([("ss_sp", pointer(address)), ("ss_flags", shown), ("ss_size", str(size))])


def _capability_set(value: int) -> str:
    if not value:
        return "0"
    names = [
        f"1<<CAP_{CAPABILITY_NAMES[number].upper()}"
        for number in range(CAP_LAST_CAP + 1)
        if value >> number & 1
    ]
    rest = value >> (CAP_LAST_CAP + 1) << (CAP_LAST_CAP + 1)
    return "|".join(names + ([f"{rest:#x}"] if rest else []))


def _capability_header(data: bytes) -> str:
    version, pid = CAP_USER_HEADER.unpack(data)
    shown = NAME_SETS["capability_version"].format(version)
    return structure([("version", shown), ("pid", str(pid))])


def _capability_data(data: bytes) -> str:
    low = CAP_USER_DATA.unpack_from(data)
    high = CAP_USER_DATA.unpack_from(data, CAP_USER_DATA.size)
    return structure(
        [
            (name, _capability_set(low[index] | high[index] << 32))
            for index, name in enumerate(CAP_USER_DATA.names)
        ]
    )


def epoll_event(data: bytes) -> str:
    """{events=EPOLLIN, data={u32=3, u64=3}}"""
    events, value = EPOLL_EVENT.unpack(data)
    shown = structure([("u32", str(value & 0xFFFFFFFF)), ("u64", str(value))])
    return structure([("events", FLAG_SETS["epoll"].format(events)), ("data", shown)])


def _open_how(data: bytes) -> str:
    flags, mode, resolve = OPEN_HOW.unpack(data)
    fields = [("flags", open_flags(flags))]
    if flags & 0o100 or mode:
        fields.append(("mode", f"0{mode:o}"))
    fields.append(("resolve", FLAG_SETS["resolve"].format(resolve)))
    return structure(fields)


def _flock(data: bytes) -> str:
    kind, whence, start, length, _ = FLOCK.unpack(data)
    return structure(
        [
            ("l_type", NAME_SETS["lock"].format(kind)),
            ("l_whence", NAME_SETS["whence"].format(whence)),
            ("l_start", str(start)),
            ("l_len", str(length)),
        ]
    )


def _integer(size: int, signed: bool) -> Callable[[bytes], str]:
    return lambda data: f"[{int.from_bytes(data[:size], 'little', signed=signed)}]"


def _int_pair(data: bytes) -> str:
    first = int.from_bytes(data[:4], "little", signed=True)
    second = int.from_bytes(data[4:], "little", signed=True)
    return array([str(first), str(second)])


#: name → (size in bytes, how to show it)
STRUCTURES: dict[str, tuple[int, Callable[[bytes], str]]] = {
    "timespec": (TIMESPEC.size, _timespec),
    "timespec[2]": (2 * TIMESPEC.size, _two(_file_time)),
    "timeval": (TIMEVAL.size, _timeval),
    "timeval[2]": (2 * TIMEVAL.size, _two(_timeval)),
    "timezone": (TIMEZONE.size, _plain(TIMEZONE)),
    "itimerval": (ITIMERVAL.size, _interval_pair(_timeval)),
    "itimerspec": (ITIMERSPEC.size, _interval_pair(_timespec)),
    "tms": (TMS.size, _plain(TMS)),
    "rlimit": (RLIMIT.size, _rlimit("RLIM_INFINITY")),
    "rlimit64": (RLIMIT.size, _rlimit("RLIM64_INFINITY")),
    "rusage": (RUSAGE.size, _rusage),
    "stat": (STAT.size, _stat),
    "statx": (STATX.size, _statx),
    "statfs": (STATFS.size, _statfs),
    "utsname": (UTSNAME.size, _utsname),
    "sysinfo": (SYSINFO.size, _sysinfo),
    "sigevent": (SIGEVENT.size, _sigevent),
    "sigset": (8, lambda data: signal_set(int.from_bytes(data, "little"))),
    "sigaction": (SIGACTION.size, lambda data: sigaction(*SIGACTION.unpack(data))),
    "siginfo": (SIGINFO_SIZE, siginfo),
    "stack": (STACK_T.size, _stack),
    "wait_status": (4, lambda data: wait_status(int.from_bytes(data, "little"))),
    "cap_header": (CAP_USER_HEADER.size, _capability_header),
    "cap_data": (2 * CAP_USER_DATA.size, _capability_data),
    "epoll_event": (EPOLL_EVENT.size, epoll_event),
    "open_how": (OPEN_HOW.size, _open_how),
    "flock": (FLOCK.size, _flock),
    "winsize": (WINSIZE.size, _plain(WINSIZE)),
    "int": (4, _integer(4, True)),
    "unsigned": (4, _integer(4, False)),
    "long": (8, _integer(8, True)),
    "int[2]": (8, _int_pair),
    "name16": (16, lambda data: quote(data.split(b"\0", 1)[0])),
}
