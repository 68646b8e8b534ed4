"""Signals to `runsc-py run`: passed on; and the ends that must leave nothing behind."""

import os
import signal
import subprocess
from collections.abc import Sequence
from pathlib import Path

import pytest

from harness.live import Live
from harness.processes import descendants
from harness.programs import PYTHON
from harness.sandbox import command

TRAPS = "trap 'echo got {0}; exit 7' {0}; echo ready; while :; do sleep 0.1; done"
FORWARDED = ["TERM", "INT", "HUP", "QUIT", "USR1", "USR2"]


def run_live(words: Sequence[str], directory: Path, options: Sequence[str] = ()) -> Live:
    """A program in the sandbox."""
    return Live(command(words, options), directory)


@pytest.mark.parametrize("name", FORWARDED)
def test_signal_is_handled_inside(name: str, tmp_path: Path) -> None:
    """The program's handler runs, and its status is ours."""
    with run_live(["sh", "-c", TRAPS.format(name)], tmp_path) as live:
        live.expect(b"ready\n")
        live.signal(getattr(signal, f"SIG{name}"))
        assert live.wait() == 7
        assert live.rest() == f"got {name}\n".encode()


@pytest.mark.parametrize("name", FORWARDED)
def test_signal_ends_the_program(name: str, tmp_path: Path) -> None:
    """Without a handler the default action ends it, pid 1 or not."""
    number = getattr(signal, f"SIG{name}")
    with run_live(["sh", "-c", "echo ready; exec sleep 60"], tmp_path) as live:
        live.expect(b"ready\n")
        live.signal(number)
        assert live.wait() == 128 + number


def test_signal_while_computing(tmp_path: Path) -> None:
    """A program that makes no system calls hears it as well."""
    with run_live(["sh", "-c", "echo ready; while :; do :; done"], tmp_path) as live:
        live.expect(b"ready\n")
        live.signal(signal.SIGTERM)
        assert live.wait() == 128 + signal.SIGTERM


def test_signals_in_quick_succession(tmp_path: Path) -> None:
    """None is lost that Linux would not merge."""
    script = """
import signal, time
seen = set()
for number in (signal.SIGUSR1, signal.SIGUSR2, signal.SIGHUP, signal.SIGINT):
    signal.signal(number, lambda number, frame: seen.add(number))
print("ready", flush=True)
while len(seen) < 4:
    time.sleep(10)
print("all", flush=True)
"""
    with run_live([PYTHON, "-c", script], tmp_path) as live:
        live.expect(b"ready\n")
        for number in (signal.SIGUSR1, signal.SIGUSR2, signal.SIGHUP, signal.SIGINT):
            live.signal(number)
        live.expect(b"all\n")
        assert live.wait() == 0


@pytest.mark.parametrize("name", ["HUP", "INT", "QUIT", "TERM"])
def test_ignored_signals_stay_ignored(name: str, tmp_path: Path) -> None:
    """nohup(1), and background jobs of sh."""
    number = getattr(signal, f"SIG{name}")
    words = command(["sh", "-c", "echo ready; read line; echo $line"])
    with Live(
        ["sh", "-c", f"trap '' {name}; exec \"$@\"", "sh", *words], tmp_path, stdin=subprocess.PIPE
    ) as live:
        live.expect(b"ready\n")
        live.signal(number)
        live.send(b"alive\n")
        live.expect(b"alive\n")
        assert live.wait() == 0


def test_job_control_signals_without_a_shell(tmp_path: Path) -> None:
    """SIGTSTP and SIGCONT reach handlers; nothing stops where no shell could continue it.

    As natively, in an orphaned process group; test_cli_terminal has the other case.
    """
    loop = """
os.write(1, b"ready\\n")
while True:
    os.write(1, os.read(0, 100))
"""
    traps = """
signal.signal(signal.SIGTSTP, lambda number, frame: os.write(1, b"asked "))
signal.signal(signal.SIGCONT, lambda number, frame: os.write(1, b"continued "))
"""
    for handlers, first, second in ((traps, b"asked ", b"continued "), ("", b"", b"")):
        words = [PYTHON, "-c", f"import os, signal{handlers}{loop}"]
        with run_live(words, tmp_path) as live:
            live.expect(b"ready\n")
            live.signal(signal.SIGTSTP)
            live.send(b"one\n")
            live.expect_all(first, b"one\n")
            live.signal(signal.SIGCONT)
            live.send(b"two\n")
            live.expect_all(second, b"two\n")
            live.signal(signal.SIGTERM)
            assert live.wait() == 128 + signal.SIGTERM


PROGRAMS = {
    "idle": "echo ready; exec sleep 60",
    "busy": "echo ready; while :; do :; done",
    "family": "for i in 1 2 3 4 5; do (while :; do :; done) & sleep 60 & done; echo ready; wait",
    "sessions": "setsid setsid sh -c 'sleep 60 & sleep 60' & echo ready; sleep 60",
    "stopped": "setsid sleep 60 & kill -STOP $!; echo ready; wait",
}


@pytest.mark.parametrize("program", PROGRAMS)
def test_killing_the_run_leaves_nothing(program: str, tmp_path: Path) -> None:
    """SIGKILL of the sentry: no guest, no gofer stays."""
    known = set(descendants())
    with run_live(["sh", "-c", PROGRAMS[program]], tmp_path) as live:
        live.expect(b"ready\n")
        assert set(descendants()) - known, "there is nothing to leave behind"
        live.signal(signal.SIGKILL)
        assert live.wait() == -signal.SIGKILL


@pytest.mark.parametrize("program", PROGRAMS)
def test_end_of_the_first_process_ends_all(program: str, tmp_path: Path) -> None:
    """As in a PID namespace: nothing outlives it."""
    script = f"({PROGRAMS[program]}) & sleep 1; exit 5"
    with run_live(["sh", "-c", script], tmp_path) as live:
        live.expect(b"ready\n")
        assert live.wait() == 5


def test_gofer_killed(tmp_path: Path) -> None:
    """A clear error, status 125, nothing left."""
    known = set(descendants())
    script = "echo ready; while :; do ls /usr/share/* > /dev/null; done"
    with run_live(["sh", "-c", script], tmp_path) as live:
        live.expect(b"ready\n")
        first = min(set(descendants()) - known - {live.process.pid})
        os.kill(first, signal.SIGKILL)
        assert live.wait() == 125
        assert b"runsc-py: the gofer failed" in live.rest()


def test_killed_before_it_is_up(tmp_path: Path) -> None:
    """At whatever moment of the start the end comes."""
    for milliseconds in range(0, 240, 15):
        with run_live(["sleep", "60"], tmp_path) as live:
            try:
                live.wait(milliseconds / 1000)
            except subprocess.TimeoutExpired:
                live.signal(signal.SIGKILL if milliseconds % 2 else signal.SIGTERM)
            live.wait()
