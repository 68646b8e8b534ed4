"""Hosts that do not let the platform work: one line that says what to do."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from runsc_py.platform.interface import PlatformError
from runsc_py.platform.ptrace import PtracePlatform, stubs

#: Refuses one system call with EPERM for the rest of the process's life, then makes a platform.
REFUSING = """
import ctypes, sys
from struct import pack
from runsc_py.platform.interface import PlatformError
from runsc_py.platform.ptrace import PtracePlatform, bpf
program = bpf.assemble((
    (bpf.LOAD_WORD, 0, 0, bpf.NUMBER_OFFSET),
    (bpf.JUMP_EQUAL, 0, 1, {number}),
    (bpf.RETURN, 0, 0, bpf.RET_ERRNO | 1),
    bpf.ALLOW,
))
code = ctypes.create_string_buffer(program)
filter = ctypes.create_string_buffer(pack("HxxxxxxQ", len(program) // 8, ctypes.addressof(code)))
libc = ctypes.CDLL(None)
assert libc.prctl(38, 1, 0, 0, 0) == 0
assert libc.prctl(22, 2, filter) == 0
try:
    PtracePlatform()
except PlatformError as error:
    print(error)
"""
CHILDREN = Path("/proc/thread-self/children")
SYS_CLONE = 56
SYS_PTRACE = 101
SYS_SECCOMP_BY_PRCTL = 157


def message_without(number: int) -> str:
    """What the platform says on a host that refuses one system call."""
    finished = subprocess.run(
        [sys.executable, "-c", REFUSING.format(number=number)],
        capture_output=True,
        text=True,
        timeout=30,
        check=True,
    )
    assert finished.stderr == ""
    assert finished.stdout.count("\n") == 1
    return finished.stdout


def test_no_ptrace() -> None:
    message = message_without(SYS_PTRACE)
    assert "ptrace(2) is refused (Operation not permitted)" in message
    assert "SYS_PTRACE" in message


def test_no_new_processes() -> None:
    assert "ulimit -u" in message_without(SYS_CLONE)


def test_no_prctl() -> None:
    assert "prctl(2)" in message_without(SYS_SECCOMP_BY_PRCTL)


def test_yama_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stubs, "yama_scope", lambda: 2)
    assert "kernel.yama.ptrace_scope=1" in stubs.ptrace_remedy()


def test_other_machines(monkeypatch: pytest.MonkeyPatch) -> None:
    real = os.uname()
    fake = os.uname_result((*real[:4], "aarch64"))
    monkeypatch.setattr(os, "uname", lambda: fake)
    with pytest.raises(PlatformError, match="x86-64 Linux is needed"):
        PtracePlatform()


def test_failure_leaves_no_process_and_no_descriptor(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(native: object, proc_fd: int) -> None:
        raise PlatformError("no")

    before = os.listdir("/proc/self/fd")
    children = CHILDREN.read_text()
    monkeypatch.setattr("runsc_py.platform.ptrace.platform.start_doorbell", refuse)
    with pytest.raises(PlatformError):
        PtracePlatform()
    assert os.listdir("/proc/self/fd") == before
    assert CHILDREN.read_text() == children


def test_nothing_stays_open_after_close() -> None:
    PtracePlatform().close()
    before = os.listdir("/proc/self/fd")
    platform = PtracePlatform()
    platform.close()
    platform.close()
    assert os.listdir("/proc/self/fd") == before


def test_undumpable_process_can_trace() -> None:
    """As one is that changed its user id; nor is it dumpable afterwards."""
    program = (
        "import ctypes; prctl = ctypes.CDLL(None).prctl\n"
        "from runsc_py.platform.ptrace import PtracePlatform\n"
        "import os\n"
        "if os.getuid() == 0: os.setresuid(65534, 65534, 65534)\n"
        "prctl(4, 0, 0, 0, 0)\n"
        "with PtracePlatform() as platform:\n"
        "    context = platform.new_address_space()\n"
        "    assert context.execute(9, 0x400000, 4096, 3, 0x32, -1, 0) == 0x400000\n"
        "    context.address_space.write(0x400000, b'memory')\n"
        "    print(context.address_space.read(0x400000, 6), prctl(3, 0, 0, 0, 0))\n"
    )
    finished = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, timeout=30
    )
    assert (finished.stdout, finished.stderr) == ("b'memory' 0\n", "")
