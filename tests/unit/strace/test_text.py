"""strace's notation of strings, flags and structures."""

import pytest

from runsc_py.sentry.abi.files import STAT
from runsc_py.sentry.abi.signals import SIGINFO_CHILD, SIGINFO_KILL
from runsc_py.sentry.strace.flags import FLAG_SETS
from runsc_py.sentry.strace.names import NAME_SETS
from runsc_py.sentry.strace.requests import ioctl_name
from runsc_py.sentry.strace.signals import siginfo, signal, signal_set, wait_status
from runsc_py.sentry.strace.sockets import socket_address
from runsc_py.sentry.strace.structures import STRUCTURES, file_mode, open_flags
from runsc_py.sentry.strace.text import quote


@pytest.mark.parametrize(
    ("data", "shown"),
    [
        (b"plain", '"plain"'),
        (b'a"b\\c', r'"a\"b\\c"'),
        (b"\x7fELF\x02", r'"\177ELF\2"'),
        (b"\x011", r'"\0011"'),
        (b"\x00\x00", r'"\0\0"'),
        (b"\n\t\r\v\f\a", r'"\n\t\r\v\f\7"'),
        (b"x" * 33, '"' + "x" * 32 + '"...'),
        (b"", '""'),
    ],
)
def test_strings(data: bytes, shown: str) -> None:
    assert quote(data) == shown


def test_flags_and_names() -> None:
    assert FLAG_SETS["protection"].format(0) == "PROT_NONE"
    assert FLAG_SETS["protection"].format(3) == "PROT_READ|PROT_WRITE"
    assert FLAG_SETS["flock"].format(6) == "LOCK_EX|LOCK_NB"
    assert FLAG_SETS["rename"].format(9) == "RENAME_NOREPLACE|0x8"
    assert FLAG_SETS["rename"].format(8) == "0x8 /* RENAME_??? */"
    assert NAME_SETS["whence"].format(1) == "SEEK_CUR"
    assert NAME_SETS["whence"].format(9) == "0x9 /* SEEK_??? */"
    assert open_flags(0o2000101) == "O_WRONLY|O_CREAT|O_CLOEXEC"
    assert file_mode(0o041777) == "S_IFDIR|S_ISVTX|0777"
    assert file_mode(0o100004) == "S_IFREG|004"


def test_ioctl_requests() -> None:
    assert ioctl_name(0x5401) == "TCGETS"
    assert ioctl_name(0x80047A01) == "_IOC(_IOC_READ, 0x7a, 0x1, 0x4)"


def test_signals() -> None:
    assert signal(11) == "SIGSEGV"
    assert signal(32) == "SIGRTMIN"
    assert signal(34) == "SIGRT_2"
    assert signal(99) == "99"
    assert signal_set(0) == "[]"
    assert signal_set(1 << 1 | 1 << 14) == "[INT TERM]"
    assert signal_set((1 << 64) - 1 - (1 << 8)) == "~[KILL]"


@pytest.mark.parametrize(
    ("status", "shown"),
    [
        (0x300, "[{WIFEXITED(s) && WEXITSTATUS(s) == 3}]"),
        (0x09, "[{WIFSIGNALED(s) && WTERMSIG(s) == SIGKILL}]"),
        (0x8B, "[{WIFSIGNALED(s) && WTERMSIG(s) == SIGSEGV && WCOREDUMP(s)}]"),
        (0x137F, "[{WIFSTOPPED(s) && WSTOPSIG(s) == SIGSTOP}]"),
        (0xFFFF, "[{WIFCONTINUED(s)}]"),
    ],
)
def test_wait_status(status: int, shown: str) -> None:
    assert wait_status(status) == shown


def test_siginfo() -> None:
    child = SIGINFO_CHILD.pack(17, 0, 1, 5, 0, 3, 0, 0)
    assert siginfo(child) == (
        "{si_signo=SIGCHLD, si_code=CLD_EXITED, si_pid=5, si_uid=0, si_status=3, "
        "si_utime=0, si_stime=0}"
    )
    sent = SIGINFO_KILL.pack(15, 0, 0, 7, 1000, 0)
    assert siginfo(sent) == "{si_signo=SIGTERM, si_code=SI_USER, si_pid=7, si_uid=1000}"


def test_structures() -> None:
    values = dict.fromkeys(STAT.names, 0) | {"st_mode": 0o100644, "st_size": 12}
    assert STRUCTURES["stat"][1](STAT.pack(*values.values())) == (
        "{st_mode=S_IFREG|0644, st_size=12, ...}"
    )
    limit = (8 << 20).to_bytes(8, "little") + b"\xff" * 8
    assert STRUCTURES["rlimit"][1](limit) == "{rlim_cur=8192*1024, rlim_max=RLIM_INFINITY}"


@pytest.mark.parametrize(
    ("data", "shown"),
    [
        (b"\x01\0/run/x\0junk", '{sa_family=AF_UNIX, sun_path="/run/x"}'),
        (b"\x01\0\0abstract", '{sa_family=AF_UNIX, sun_path=@"abstract"}'),
        (b"\x01\0", "{sa_family=AF_UNIX}"),
        (
            b"\x02\0\x1f\x90\x7f\0\0\x01" + bytes(8),
            '{sa_family=AF_INET, sin_port=htons(8080), sin_addr=inet_addr("127.0.0.1")}',
        ),
    ],
)
def test_socket_addresses(data: bytes, shown: str) -> None:
    assert socket_address(data) == shown
