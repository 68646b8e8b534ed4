"""A guest finds nothing of the sentry: no memory, no register contents."""

import ctypes
import os

import pytest

from runsc_py.platform.ptrace import PtracePlatform, stubs
from runsc_py.platform.ptrace._hot import lib

SECRET = b"a password in the sentry's memory " + os.urandom(16).hex().encode()


def host_memory(pid: int) -> dict[str, bytes]:
    """Everything readable in a process, by line of its map."""
    found = {}
    fd = os.open(f"/proc/{pid}/mem", os.O_RDONLY)
    try:
        with open(f"/proc/{pid}/maps") as maps:
            for line in maps:
                start, end = (int(part, 16) for part in line.split()[0].split("-"))
                try:
                    found[line] = os.pread(fd, end - start, start)
                except (OSError, OverflowError):  # vvar, vsyscall
                    found[line] = b""
    finally:
        os.close(fd)
    return found


def kinds(pid: int) -> set[str]:
    """What the mappings of a process are."""
    names = set()
    for line in host_memory(pid):
        fields = line.split()
        names.add("stub" if fields[0].startswith("00010000-") else " ".join(fields[5:]))
    return names


def test_nothing_of_the_sentry_is_mapped() -> None:
    with PtracePlatform() as platform:
        context = platform.new_address_space()
        assert kinds(context.pid) <= {"stub", "[vdso]", "[vvar]", "[vvar_vclock]", "[vsyscall]"}
        for content in host_memory(context.pid).values():
            assert SECRET not in content


def test_the_secret_would_be_there_otherwise(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stubs, "unmap_sentry", lambda native, which, proc_fd: 0)
    monkeypatch.setattr(stubs, "start_doorbell", lambda native, proc_fd: None)
    native = lib.platform_create()
    proc_fd = os.open("/proc", os.O_PATH)
    try:
        stubs.start_master(native, proc_fd)
        address = ctypes.cast(ctypes.c_char_p(SECRET), ctypes.c_void_p).value
        assert address is not None
        with open(f"/proc/{lib.platform_stub_pid(native, lib.STUB_MASTER)}/mem", "rb") as memory:
            memory.seek(address)
            assert memory.read(len(SECRET)) == SECRET
    finally:
        lib.platform_destroy(native)
        os.close(proc_fd)


def test_environment_and_arguments_are_gone() -> None:
    with PtracePlatform() as platform:
        context = platform.new_address_space()
        for name in ("cmdline", "environ"):
            with open(f"/proc/{context.pid}/{name}", "rb") as file:
                assert file.read().strip(b"\0") == b""


def test_registers_are_clear() -> None:
    with PtracePlatform() as platform:
        state = platform.new_address_space().get_extended_state()
        assert not any(state[32:416])  # x87 and SSE registers
        present = int.from_bytes(state[512:520], "little")
        assert present & ~(1 << 9) == 0  # no part but protection keys is in use
        # What is not present reads as zeros.
        assert not any(state[576:]) or present
