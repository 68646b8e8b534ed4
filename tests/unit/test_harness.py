"""The test machinery does what the other tests rely on: limits, leaks, differences."""

import sys
import time
from pathlib import Path

import pytest

from harness.differential import Case
from harness.guest import Guest, discover
from harness.outcome import Outcome, differences
from harness.processes import Finished, descendants, run

DETACHED = (
    "import os, time\n"
    "if os.fork() == 0:\n"
    "    os.setsid()\n"
    "    if os.fork() == 0:\n"
    "        null = os.open(os.devnull, os.O_RDWR)\n"
    "        [os.dup2(null, fd) for fd in range(3)]\n"
    "        time.sleep(60)\n"
    "    os._exit(0)\n"
    "os.wait()\n"
)


def test_time_limit_kills_the_whole_tree(tmp_path: Path) -> None:
    """Children in other sessions too, and the call returns soon."""
    before = set(descendants())
    started = time.monotonic()
    script = DETACHED + "time.sleep(60)"
    finished = run([sys.executable, "-c", script], cwd=tmp_path, timeout=1.0)
    assert finished.timed_out
    assert time.monotonic() - started < 10
    assert set(descendants()) <= before


def test_leaked_process_is_reported_and_killed(tmp_path: Path) -> None:
    """A daemon that detached itself is found."""
    before = set(descendants())
    finished = run([sys.executable, "-c", DETACHED], cwd=tmp_path)
    assert finished.status == 0 and len(finished.leaked) == 1
    assert set(descendants()) <= before


def test_differences_name_what_differs() -> None:
    """Status, output, files; equal outcomes give nothing."""
    one = Outcome(Finished(0, b"same\na\n", b""), {"f": "x"})
    two = Outcome(Finished(-9, b"same\nb\n", b"oops\n"), {"f": "y"})
    assert differences(one, one) == ""
    report = differences(one, two)
    for expected in ("137 (SIGKILL)", "-a", "+b", "+oops", "-f: x", "+f: y"):
        assert expected in report
    assert "+oops" not in differences(one, two, stderr=False)


def test_directives(tmp_path: Path) -> None:
    """They are read from comments; one that does not exist is an error."""
    source = tmp_path / "case.sh"
    source.write_text("# guest: args = a 'b c'\n# guest: stdin = x\\n\n# guest: status = 3\necho\n")
    guest = Guest(source, tmp_path)
    assert (guest.name, guest.arguments, guest.stdin) == ("case", ["a", "b c"], b"x\n")
    assert guest.status == 3
    assert [found.name for found in discover(tmp_path)] == ["case"]
    source.write_text("# guest: argz = a\n")
    with pytest.raises(ValueError, match="argz"):
        Guest(source, tmp_path)


def test_directory_is_fresh_each_time(tmp_path: Path) -> None:
    """What one run left, even unreadable, is gone for the next."""
    script = "test ! -e d && mkdir d && touch d/f && chmod 0 d"
    case = Case(["/bin/sh", "-c", script], tmp_path / "work")
    assert case.native().status == 0
    assert case.native().status == 0
