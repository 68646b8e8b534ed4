"""The process that waits for one inside: what it makes of an answer, and how small it is."""

import os
import signal
import socket
import time
from pathlib import Path
from typing import NamedTuple

import pytest

from runsc_py.platform.ptrace.waiter import ExitTexts, SignalRequest, become_waiter
from runsc_py.runsc.confinement.walls import waiter_filter
from runsc_py.runsc.control import wire

LIMIT = 30.0


class Waiter(NamedTuple):
    """One that runs, our end of its connection, and the file it writes."""

    pid: int
    connection: socket.socket
    record: Path

    def end(self) -> tuple[int, str]:
        """Its exit status, and what it has written."""
        self.connection.close()
        return os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1]), self.record.read_text()


@pytest.fixture
def waiter(tmp_path: Path) -> Waiter:
    """Forked from the test process."""
    ours, theirs = socket.socketpair()
    reader, writer = os.pipe()
    record = tmp_path / "record"
    descriptor = os.open(record, os.O_CREAT | os.O_WRONLY)
    pid = os.fork()
    if pid == 0:
        for other in (ours.fileno(), reader):
            os.close(other)
        try:
            become_waiter(
                theirs.fileno(), 3, descriptor, writer, ExitTexts(b"<", b">", b"gone"),
                SignalRequest(b"signal .", 7), waiter_filter(),
            )  # fmt: skip
        finally:
            os._exit(99)
    theirs.close()
    for other in (descriptor, writer):
        os.close(other)
    assert os.read(reader, 1) == b""  # it is ready
    os.close(reader)
    return Waiter(pid, ours, record)


@pytest.mark.parametrize(
    ("status", "code"),
    [(0, 0), (7 << 8, 7), (42 << 8, 42), (255 << 8, 255), (9, 137), (15, 143), (11 | 0x80, 139)],
)
def test_statuses(waiter: Waiter, status: int, code: int) -> None:
    """As wait(2) has them on the way in, as a shell has them on the way out."""
    waiter.connection.sendall(wire.encode((wire.REPLY, 3, status)))
    assert waiter.end() == (code, f"<{code}>")


def test_an_answer_in_pieces(waiter: Waiter) -> None:
    """A stream has no frames."""
    for byte in wire.encode((wire.REPLY, 3, 7 << 8)):
        waiter.connection.sendall(bytes([byte]))
        time.sleep(0.001)
    assert waiter.end() == (7, "<7>")


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"\1",
        wire.encode((wire.REPLY, 3, 7))[:-1],
        wire.encode((wire.REPLY, 3, None)),
        wire.encode((wire.REPLY, 3, 1 << 20)),
        wire.encode((wire.REPLY, 3, -1)),
        wire.encode((wire.REPLY, 300, 7)),
        wire.encode((wire.REQUEST, 3, "x", 7)),
        wire.encode((wire.ERROR, 3, {"code": "not-found", "errno": 0, "message": "", "hint": ""})),
        b"\xff\xff\xff\xff" + b"a" * 64,
        b"\0\0\0\0",
    ],
)
def test_what_is_no_status(waiter: Waiter, answer: bytes) -> None:
    """The sandbox is gone, or as good as gone."""
    waiter.connection.sendall(answer)
    assert waiter.end() == (137, "gone")


def test_answers_to_others(waiter: Waiter) -> None:
    """Only that of its own request ends it, however long the others are."""
    error = {"code": "not-found", "errno": 3, "message": "x" * 5000, "hint": ""}
    for frame in ((wire.REPLY, 4, 0), (wire.ERROR, 4, error), (wire.REPLY, 3, 5 << 8)):
        waiter.connection.sendall(wire.encode(frame))
    assert waiter.end() == (5, "<5>")


def test_signals_are_passed_on(waiter: Waiter) -> None:
    """Each is a request, with its number."""
    for number in (signal.SIGTERM, signal.SIGUSR1, signal.SIGWINCH, signal.SIGRTMAX):
        os.kill(waiter.pid, number)
        assert waiter.connection.recv(100) == b"signal " + bytes([number])
    waiter.connection.sendall(wire.encode((wire.REPLY, 3, signal.SIGTERM)))
    assert waiter.end() == (143, "<143>")


def others(maps: str) -> list[str]:
    """Mappings that are neither without a name nor this library's; [vsyscall] is everybody's."""
    lines = (line.split(maxsplit=5) for line in maps.splitlines())
    names = [fields[5] for fields in lines if len(fields) > 5 and "_hot." not in fields[5]]
    return [name for name in names if name != "[vsyscall]"]


def test_it_keeps_nothing_of_its_maker(waiter: Waiter) -> None:
    """Two pages of its own, and this library's code."""
    proc = Path(f"/proc/{waiter.pid}")
    deadline = time.monotonic() + LIMIT
    while foreign := others(maps := (proc / "maps").read_text()):
        assert time.monotonic() < deadline, foreign
        time.sleep(0.01)
    assert maps.count(" rw-p ") == 1 and " rwx" not in maps
    assert (proc / "comm").read_text() == "runsc-wait\n"
    assert "Seccomp:\t2\n" in (proc / "status").read_text()
    sizes = (line.split() for line in (proc / "smaps_rollup").read_text().splitlines()[1:])
    assert int({fields[0]: fields[1] for fields in sizes}["Private_Dirty:"]) <= 8
    waiter.connection.sendall(wire.encode((wire.REPLY, 3, 0)))
    assert waiter.end() == (0, "<0>")
