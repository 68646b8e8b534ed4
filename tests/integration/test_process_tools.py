"""psutil, procps, lsof and htop find in /proc what they find natively."""

import sys
from pathlib import Path

import pytest

from harness.differential import Compare, Find
from harness.programs import require
from harness.sandbox import EXECUTABLE
from harness.screen import PROMPT, Screen

PROGRAMS = Path(__file__).parent / "programs"


def test_psutil(compare: Compare) -> None:
    """Every answer is of the same kind."""
    compare([sys.executable, "-W", "error", str(PROGRAMS / "psutil_fields.py")], timeout=60)


def test_procps_and_lsof(compare: Compare) -> None:
    """The same lines, once numbers are left out."""
    require(("pmap", "procps"), ("lsof", "lsof"))
    compare(["/bin/bash", str(PROGRAMS / "process-tools.sh")], timeout=60)


@pytest.mark.slow
def test_htop(program: Find, tmp_path: Path) -> None:
    """On screen: its own process, the meters, and a tree of what runs."""
    program("htop", "htop")
    shell = ["bash", "--norc", "--noprofile", "-i"]
    command = [str(EXECUTABLE), "run", "-t", "-e", f"PS1={PROMPT}", "--", *shell]
    screen = Screen(program("tmux", "tmux"), tmp_path / "socket", command)
    try:
        screen.until(lambda text: text.endswith(PROMPT.rstrip()))
        screen.press("-l", "sleep 1000 & htop")
        screen.press("Enter")
        text = screen.until(lambda text: "sleep 1000" in text and "F10" in text)
        assert "Tasks: 3" in text and "Load average" in text and "Mem[" in text, text
        screen.press("F5")
        screen.until(lambda text: "─ sleep 1000" in text)
        screen.press("q")
        screen.until(lambda text: text.endswith(PROMPT.rstrip()))
    finally:
        screen.close()
