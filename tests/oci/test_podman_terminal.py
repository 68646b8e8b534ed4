"""`podman run --tty` in a terminal emulator: a container's shell has a terminal like any other."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from harness.differential import Find
from harness.engines import IMAGE, LIMITS, Podman
from harness.screen import PROMPT, Screen

pytestmark = pytest.mark.slow


@pytest.fixture
def screen(podman: Podman, program: Find, native_only: bool, tmp_path: Path) -> Iterator[Screen]:
    """An interactive shell in a container."""
    options = ["--rm", "--interactive", "--tty", "--network", "none", "--env", f"PS1={PROMPT}"]
    options += ["--name", "terminal", *(LIMITS if native_only else ())]
    shell = [*podman.prefix, "run", *options, IMAGE, "sh"]
    script = ['"$@"; echo "ended with $?"; exec cat', "sh", *shell]
    shown = Screen(program("tmux", "tmux"), tmp_path / "socket", ["sh", "-c", *script], podman.env)
    try:
        shown.until(lambda text: text.endswith(PROMPT.rstrip()))
        yield shown
    finally:
        podman.call("rm", "--force", "--time", "0", "terminal")
        shown.close()


def test_a_shell(screen: Screen) -> None:
    """Line editing, the window's size and its changes, Ctrl-C, job control, the exit status."""
    screen.enter("tty", "/dev/pts/")
    screen.enter("stty size", "24 80")
    screen.resize(100, 30)
    screen.until(lambda text: text.endswith(PROMPT.rstrip()))
    screen.enter("clear; stty size", "30 100")
    screen.enter("echo mistaken\b\b\b\b\b\b\b\bright", "\nright")
    screen.start("sleep 1000")
    screen.press("C-c")
    screen.until(lambda text: text.endswith(PROMPT.rstrip()))
    screen.enter("echo status $?", "status 130")
    screen.start("sleep 1001")
    screen.press("C-z")
    screen.until(lambda text: "Stopped" in text and text.endswith(PROMPT.rstrip()))
    screen.enter("kill -KILL %1; fg; echo status $?", "status 137")
    screen.press("-l", "exit 4")
    screen.press("Enter")
    screen.until(lambda text: "ended with 4" in text)


def test_exec_with_a_terminal(screen: Screen, podman: Podman) -> None:
    """A second terminal in the same container is another one."""
    shown = podman("exec", "--tty", "terminal", "tty")
    assert shown.startswith("/dev/pts/")
    screen.enter("tty", "/dev/pts/")
