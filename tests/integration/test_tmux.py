"""An interactive shell in a terminal emulator: tmux drives `run -t -- bash -i`.

Each step waits for what the screen must show; nothing waits for a time.
"""

from collections.abc import Iterator
from pathlib import Path

import pytest

from harness.differential import Find
from harness.sandbox import EXECUTABLE
from harness.screen import PROMPT, Screen


@pytest.fixture(params=["natively", "inside"])
def screen(request: pytest.FixtureRequest, program: Find, tmp_path: Path) -> Iterator[Screen]:
    """A shell with a known prompt, natively and inside."""
    tmux = program("tmux", "tmux")
    bash = ["env", "-u", "ENV", f"PS1={PROMPT}", "bash", "--norc", "--noprofile", "-i"]
    command = bash if request.param == "natively" else [str(EXECUTABLE), "run", "-t", "--", *bash]
    shown = Screen(tmux, tmp_path / "socket", command)
    try:
        shown.until(lambda text: text.endswith(PROMPT.rstrip()))
        yield shown
    finally:
        shown.close()


@pytest.mark.slow
def test_job_control(screen: Screen) -> None:
    """Ctrl-C ends, Ctrl-Z stops, fg and bg go on, the shell knows of it all."""
    screen.start("sleep 1000")
    screen.press("C-c")
    screen.enter("echo status $?", "status 130")
    screen.start("cat")
    screen.press("-l", "echoed")
    screen.press("Enter")
    screen.until(lambda text: text.count("echoed") == 2)
    screen.press("C-z")
    screen.until(lambda text: "Stopped" in text)
    screen.enter("jobs", "[1]+  Stopped")
    screen.press("-l", "fg")
    screen.press("Enter")
    screen.until(lambda text: text.endswith("exec cat'"))
    screen.press("-l", "again")
    screen.press("Enter")
    screen.until(lambda text: text.count("again") == 2)
    screen.press("C-d")
    screen.enter("sleep 0.2 & wait; echo done $?", "done 0")


@pytest.mark.slow
def test_size_and_full_screen(screen: Screen) -> None:
    """A new window size reaches the shell; a pager takes the screen and gives it back."""
    screen.enter("stty size", "24 80")
    screen.resize(100, 30)
    screen.enter("stty size", "30 100")
    screen.press("-l", "seq 500 | less")
    screen.press("Enter")
    screen.until(lambda text: text.startswith("1\n2\n") and text.endswith(":"))
    screen.press("G")
    screen.until(lambda text: "\n500" in text)
    screen.press("q")
    screen.enter("echo back", "back")
