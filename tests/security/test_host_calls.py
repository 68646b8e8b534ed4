"""The filters of the sentry and the gofer: what they let pass is what SECURITY.md says, no more."""

import faulthandler
import os
import signal
import struct
from collections.abc import Callable
from pathlib import Path

import pytest

from runsc_py.runsc.confinement import allowed_calls
from runsc_py.runsc.confinement._walls import ffi, lib
from runsc_py.runsc.confinement.documentation import with_tables
from runsc_py.runsc.confinement.filters import Call
from runsc_py.sentry.syscalls.numbers import syscall_numbers

ROOT = Path(__file__).resolve().parents[2]
NUMBERS = syscall_numbers()
EVERYBODYS = (*allowed_calls.SENTRY, *allowed_calls.CONTROL, *allowed_calls.MODULES)
KILLED = 128 + signal.SIGSYS

#: by which one leaves a sandbox, or reaches what is rarely tested in a kernel
_DANGEROUS = """
    execve execveat fork vfork clone clone3 unshare setns mount umount2 pivot_root chroot move_mount
    open_tree fsopen fsmount fspick mount_setattr name_to_handle_at open_by_handle_at bpf
    perf_event_open userfaultfd io_uring_setup io_uring_enter io_uring_register keyctl add_key
    request_key kexec_load kexec_file_load init_module finit_module delete_module reboot swapon
    swapoff sethostname setdomainname settimeofday clock_settime adjtimex clock_adjtime acct
    quotactl setuid setgid setreuid setregid setresuid setresgid setfsuid setfsgid setgroups
    capset personality pidfd_open pidfd_getfd pidfd_send_signal process_madvise kcmp
    rt_sigqueueinfo rt_tgsigqueueinfo tkill seccomp modify_ldt iopl ioperm syslog shmat shmget
    semget msgget fanotify_init fanotify_mark inotify_init1 lookup_dcookie vmsplice setsid setpgid
    creat open truncate chmod chown rename mkdir rmdir link symlink unlink mknod
"""


def program(which: int) -> bytes:
    """A filter as it was compiled."""
    return ffi.buffer(lib.walls_filter_program(which), lib.walls_filter_size(which))[:]


def test_compiled_filters_are_those_of_the_table() -> None:
    """Else: `make native`."""
    assert [program(which) for which in range(6)] == allowed_calls.programs(NUMBERS)


def test_security_page_lists_every_call() -> None:
    """Else: `make docs`."""
    page = (ROOT / "SECURITY.md").read_text()
    assert with_tables(page) == page
    for call in (*EVERYBODYS, *allowed_calls.NETWORK, *allowed_calls.GOFER, *allowed_calls.WAITER):
        assert f"`{call.name}`" in page and call.reason in page


@pytest.mark.parametrize(
    "calls",
    [EVERYBODYS, allowed_calls.NETWORK, allowed_calls.GOFER, allowed_calls.WAITER],
    ids=["sentry", "net", "gofer", "waiter"],
)
def test_no_dangerous_call(calls: tuple[Call, ...]) -> None:
    dangerous = {call.name for call in calls} & set(_DANGEROUS.split())
    assert dangerous <= {"clone", "clone3"}  # for threads: test_arguments
    assert not {"socket", "connect", "bind", "openat2"} & {call.name for call in EVERYBODYS}
    assert not {"ptrace", "kill", "tgkill", "process_vm_readv"} & {
        call.name for call in allowed_calls.GOFER
    }


# -- run against an interpreter of BPF, argument by argument -----------------------------------

TRAP, ALLOW, REFUSE = 0x30000, 0x7FFF0000, 0x5000D
_X86_64, _X32 = 0xC000003E, 0x40000000


def decide(filter_program: bytes, number: int, *arguments: int, machine: int = _X86_64) -> int:
    """What the filter answers to a call."""
    padded = [argument & (1 << 64) - 1 for argument in arguments] + [0] * (6 - len(arguments))
    data = struct.pack("=IIQ6Q", number, machine, 0, *padded)
    code = list(struct.iter_unpack("=HBBI", filter_program))
    at = accumulator = 0
    while True:
        operation, if_true, if_false, operand = code[at]
        at += 1
        if operation == 0x20:
            (accumulator,) = struct.unpack_from("=I", data, operand)
        elif operation == 0x54:
            accumulator &= operand
        elif operation == 0x06:
            return int(operand)
        else:
            holds = {
                0x15: accumulator == operand,
                0x25: accumulator > operand,
                0x35: accumulator >= operand,
                0x45: bool(accumulator & operand),
            }[operation]
            at += if_true if holds else if_false


@pytest.mark.parametrize("which", range(5))
def test_every_number(which: int) -> None:
    """A call is answered as its table says, every other number is trapped; foreign ones too."""
    table = [
        allowed_calls.SENTRY + allowed_calls.MODULES,
        allowed_calls.SENTRY + allowed_calls.MODULES + allowed_calls.NETWORK,
        allowed_calls.SENTRY + allowed_calls.CONTROL,
        allowed_calls.SENTRY + allowed_calls.CONTROL + allowed_calls.NETWORK,
        allowed_calls.GOFER,
    ][which]
    plain = {NUMBERS[call.name] for call in table if not call.tests}
    tested = {NUMBERS[call.name] for call in table if call.tests} - plain
    compiled = program(which)
    for number in range(600):
        if number not in tested:
            assert decide(compiled, number) == (ALLOW if number in plain else TRAP), number
    for number in plain:
        assert decide(compiled, number | _X32) == TRAP
        assert decide(compiled, number, machine=0x40000003) == TRAP


SENTRY_CASES = [
    ("openat", (5, 0, os.O_RDONLY | os.O_CLOEXEC), ALLOW),
    ("openat", (-100, 0, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW), ALLOW),
    ("openat", (-100, 0, os.O_WRONLY), REFUSE),
    ("openat", (-100, 0, os.O_RDWR), REFUSE),
    ("openat", (-100, 0, os.O_RDONLY | os.O_CREAT), REFUSE),
    ("openat", (-100, 0, os.O_RDONLY | os.O_TRUNC), REFUSE),
    ("openat", (-100, 0, os.O_TMPFILE), REFUSE),
    ("ptrace", (7, 1), ALLOW),
    ("ptrace", (16, 1), TRAP),  # PTRACE_ATTACH
    ("ptrace", (0x4206, 1), TRAP),  # PTRACE_SEIZE
    ("ptrace", (0, 0), TRAP),  # PTRACE_TRACEME
    ("kill", (77, 9), ALLOW),
    ("kill", (0, 9), TRAP),
    ("kill", (-1, 9), TRAP),
    ("kill", (-77, 9), TRAP),
    ("mprotect", (0, 4096, 3), ALLOW),
    ("mprotect", (0, 4096, 5), REFUSE),
    ("mmap", (0, 4096, 3, 0x22, -1), ALLOW),
    ("mmap", (0, 4096, 7, 0x22, -1), REFUSE),
    ("mmap", (0, 4096, 5, 0x22, -1), REFUSE),
    ("rt_sigaction", (signal.SIGALRM,), ALLOW),
    ("rt_sigaction", (signal.SIGSYS,), TRAP),
    ("ioctl", (0, 0x5413), ALLOW),
    ("ioctl", (0, 0x5412), TRAP),  # TIOCSTI
    ("fcntl", (0, 1033), ALLOW),
    ("fcntl", (0, 8), TRAP),  # F_SETOWN
    ("prctl", (0x53564D41,), ALLOW),
    ("prctl", (22,), TRAP),  # PR_SET_SECCOMP
    ("socketpair", (1,), ALLOW),
    ("socketpair", (2,), TRAP),
    ("socket", (2,), TRAP),
]
NETWORK_CASES = [("socket", (2,), ALLOW), ("socket", (1,), TRAP), ("socket", (17,), TRAP)]
MODULE = (0, 4096, 5, 0x802, 3)
RUN_CASES = [
    ("mmap", MODULE, ALLOW),
    ("accept4", (), TRAP),
    ("clone", (0x3D0F00,), TRAP),
    ("clone3", (), TRAP),
]
CONTROL_CASES = [
    ("mmap", MODULE, REFUSE),
    ("accept4", (), ALLOW),
    ("clone", (0x3D0F00,), ALLOW),  # pthread_create(3)
    ("clone", (signal.SIGCHLD,), TRAP),  # fork(2)
    ("clone", (0x4111,), TRAP),  # vfork(2)
    ("clone3", (), 0x50026),  # ENOSYS
]
GOFER_CASES = [
    ("openat2", (5,), ALLOW),
    ("openat2", (-100,), TRAP),
    ("openat", (5, 0, os.O_RDWR), ALLOW),
    ("openat", (-100, 0, os.O_RDONLY), TRAP),
    ("mkdirat", (-100,), TRAP),
    ("linkat", (5, 0, 6), ALLOW),
    ("linkat", (5, 0, -100), TRAP),
    ("renameat2", (5, 0, -100), TRAP),
    ("symlinkat", (0, 6), ALLOW),
    ("symlinkat", (0, -100), TRAP),
    ("socket", (1,), ALLOW),
    ("socket", (2,), TRAP),
    ("ptrace", (7, 1), TRAP),
    ("kill", (77, 9), TRAP),
    ("mmap", MODULE, REFUSE),
]


@pytest.mark.parametrize(
    ("which", "cases"),
    [
        (lib.WALLS_SENTRY, [*SENTRY_CASES, *RUN_CASES]),
        (lib.WALLS_CONTROL, [*SENTRY_CASES, *CONTROL_CASES]),
        (lib.WALLS_NETWORK, NETWORK_CASES),
        (lib.WALLS_NETWORK | lib.WALLS_CONTROL, NETWORK_CASES),
        (lib.WALLS_GOFER, GOFER_CASES),
    ],
    ids=["run", "container", "run-network", "container-network", "gofer"],
)
def test_arguments(which: int, cases: list[tuple[str, tuple[int, ...], int]]) -> None:
    compiled = program(which)
    for name, arguments, answer in cases:
        assert decide(compiled, NUMBERS[name], *arguments) == answer, (name, arguments)


# -- in a process --------------------------------------------------------------------------------


def in_child(act: Callable[[], object], which: int) -> tuple[int, str]:
    """Do it in a process under a filter, or under none with -1: wait status and last words."""
    reader, writer = os.pipe()
    pid = os.fork()
    if pid == 0:
        status = 3
        faulthandler.disable()  # pytest's, which would have the last word
        try:
            if which >= 0 and lib.walls_install_filter(which, writer, b"<", b">") < 0:
                os._exit(4)
            act()
            status = 0
        except OSError as error:
            status = 100 + (error.errno or 0)
        finally:
            os._exit(status)
    os.close(writer)
    with open(reader) as words:
        text = words.read()
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), text


def attack_fork() -> None:
    if os.fork() == 0:
        os._exit(0)


def attack_exec() -> None:
    os.execv("/bin/true", ["true"])


def attack_socket() -> None:
    import socket

    socket.socket(socket.AF_INET, socket.SOCK_STREAM).close()


def attack_write() -> None:
    os.close(os.open("/tmp", os.O_TMPFILE | os.O_RDWR))


def attack_signal_handler() -> None:
    signal.signal(signal.SIGSYS, signal.SIG_IGN)


@pytest.mark.parametrize(
    ("attack", "status", "words"),
    [
        (attack_fork, KILLED, "clone"),
        (attack_exec, KILLED, "59 (execve)"),
        (attack_socket, KILLED, "41 (socket)"),
        (attack_write, 113, ""),
        (attack_signal_handler, KILLED, "13 (rt_sigaction)"),
    ],
)
def test_attacks(attack: Callable[[], None], status: int, words: str) -> None:
    """Each works without the filter; with it the process has ended, and says why."""
    assert in_child(attack, -1) == (0, "")
    ended, text = in_child(attack, lib.WALLS_SENTRY)
    assert ended == status
    assert words in text and (not words or (text[0], text[-1]) == ("<", ">"))
