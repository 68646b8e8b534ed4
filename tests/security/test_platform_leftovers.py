"""However a run ends, no guest process outlives it."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from harness.machine_code import SPIN, again, call, new_guest, next_stop
from runsc_py.platform.interface import Event
from runsc_py.platform.ptrace import PtracePlatform

FORK = 57
TIMEOUT = 10.0

#: A sentry with guests in every state: it prints their host pids, then goes on as told.
SENTRY = """
import sys, time
sys.path.insert(0, {tests!r})
from harness.machine_code import SPIN, again, call, new_guest
from runsc_py.platform.ptrace import PtracePlatform
platform = PtracePlatform()
spinning = new_guest(platform, SPIN)
stopped = new_guest(platform, call(1))
platform.wait(stopped)
executed = new_guest(platform, call(1))
platform.wait(executed)
executed.execute(10, 0x500000, 4096, 1)
child = stopped.clone_process(share_memory=False)
thread = stopped.clone_thread()
spinning.resume()
print(*(context.tid for context in (spinning, stopped, executed, child, thread)), flush=True)
{ending}
"""


def is_there(pid: int) -> bool:
    """Whether a thread or process exists and is not just waiting to be reaped."""
    try:
        status = Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return False
    return "State:\tZ" not in status and "State:\tX" not in status


def run_sentry(ending: str) -> tuple["subprocess.Popen[bytes]", list[int]]:
    """The sentry's process and its guests' host threads."""
    program = SENTRY.format(tests=str(Path(__file__).parent.parent), ending=ending)
    sentry = subprocess.Popen(
        [sys.executable, "-c", program],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    assert sentry.stdout is not None
    guests = [int(word) for word in sentry.stdout.readline().split()]
    assert len(guests) == 5
    return sentry, guests


def assert_all_end(guests: list[int]) -> None:
    deadline = time.monotonic() + TIMEOUT
    while any(is_there(pid) for pid in guests):
        assert time.monotonic() < deadline, f"{guests} are still there"
        time.sleep(0.002)


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGSEGV, signal.SIGTERM])
def test_killed_sentry_leaves_no_guest(number: int) -> None:
    sentry, guests = run_sentry("time.sleep(60)")
    assert all(is_there(pid) for pid in guests)
    os.kill(sentry.pid, number)
    assert sentry.wait(TIMEOUT) == -number
    assert_all_end(guests)


@pytest.mark.parametrize("delay", [0.0, 0.001, 0.003, 0.01])
def test_sentry_killed_while_its_guests_fork(delay: float) -> None:
    forking = """
family = []
while True:
    family.append(stopped.clone_process(share_memory=False))
    family[-1].resume()
    if len(family) > 50: family.pop(0).exit()
"""
    sentry, guests = run_sentry(forking)
    time.sleep(delay)
    children = Path(f"/proc/{sentry.pid}/task/{sentry.pid}/children").read_text().split()
    os.kill(sentry.pid, signal.SIGKILL)
    sentry.wait(TIMEOUT)
    assert_all_end(guests + [int(pid) for pid in children])


@pytest.mark.parametrize(
    "ending", ["sys.exit(0)", "1 / 0", "platform.close()", "import os; os._exit(3)"]
)
def test_sentry_that_ends_leaves_no_guest(ending: str) -> None:
    sentry, guests = run_sentry(ending)
    sentry.wait(TIMEOUT)
    assert_all_end(guests)


@pytest.mark.parametrize("stage", range(0, 40, 4))
def test_sentry_killed_while_it_starts(stage: int) -> None:
    """Between the stub's birth and EXITKILL something else must hold."""
    program = "import os; print(os.getpid(), flush=True)\n" + (
        "from runsc_py.platform.ptrace import PtracePlatform\nPtracePlatform(); os.pause"
    )
    sentry = subprocess.Popen(
        [sys.executable, "-c", program], stdout=subprocess.PIPE, start_new_session=True
    )
    assert sentry.stdout is not None
    sentry.stdout.readline()
    time.sleep(0.015 + stage / 4000)
    os.kill(sentry.pid, signal.SIGKILL)
    sentry.wait(TIMEOUT)
    # All stubs had the sentry's session or one of their own, and its output: that ends with them.
    assert sentry.stdout.read() == b""


@pytest.fixture
def platform() -> Iterator[PtracePlatform]:
    with PtracePlatform() as platform:
        yield platform


def test_close_ends_spinning_guests() -> None:
    platform = PtracePlatform()
    guests = [new_guest(platform, SPIN) for _ in range(5)]
    for guest in guests:
        guest.resume()
    pids = [guest.pid for guest in guests]
    platform.close()
    assert not any(Path(f"/proc/{pid}").exists() for pid in pids)


def test_close_ends_a_fork_bomb() -> None:
    """Every member of the family forks whenever it runs."""
    platform = PtracePlatform()
    family = [new_guest(platform, again(call(FORK)))]
    family[0].resume()
    while len(family) < 200:
        parent = next_stop(platform)
        assert parent.event == Event.SYSCALL
        child = parent.clone_process(share_memory=False)
        family.append(child)
        for member in (parent, child):
            member.set_result(0)
            member.resume()
    pids = [member.pid for member in family]
    platform.close()
    assert not any(Path(f"/proc/{pid}").exists() for pid in pids)


def test_close_ends_threads_whose_leader_is_gone() -> None:
    platform = PtracePlatform()
    leader = new_guest(platform, call(1) + SPIN)
    next_stop(platform, leader)
    threads = [leader.clone_thread() for _ in range(5)]
    pid = leader.pid
    leader.exit()
    for thread in threads:
        thread.resume()
    platform.close()
    assert not Path(f"/proc/{pid}").exists()


def test_kill_all_then_close(platform: PtracePlatform) -> None:
    guest = new_guest(platform, SPIN)
    guest.resume()
    platform.kill_all()
    assert not Path(f"/proc/{guest.pid}").exists()
    assert platform.running == 0
