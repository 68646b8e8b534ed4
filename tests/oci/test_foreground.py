"""`run` and `exec --tty` in the foreground: a terminal inside, whatever our own files are.

Standard input and output are pipes; only standard error is a terminal, as in a script whose output
somebody keeps.  What comes out is what comes out of runc (which sets the size a little late).
"""

import fcntl
import os
import pty
import struct
import subprocess
import termios
from collections.abc import Iterator
from pathlib import Path

import pytest

from harness.oci_bundle import busybox, make_bundle
from harness.oci_runtime import LIMIT, Runtime, ours

SCRIPT = "read line; echo got $line; tty; test -t 2 && echo terminal; stty size; exit 7"
OUTPUT = b"typed\ngot typed\n/dev/pts/0\nterminal\n33 99\n"
PROCESS = {"terminal": True, "args": ["sh", "-c", SCRIPT]}

pytestmark = pytest.mark.skipif(busybox() is None, reason="Debian: busybox-static")


@pytest.fixture
def terminal() -> Iterator[int]:
    """A terminal of 33 lines."""
    master, slave = pty.openpty()
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 33, 99, 0, 0))
    yield slave
    os.close(slave)
    os.close(master)


def _call(runtime: Runtime, terminal: int, cwd: Path, *words: str) -> tuple[int, bytes]:
    done = subprocess.run(
        runtime.command(*words),
        cwd=cwd,
        input=b"typed\n",
        stdout=subprocess.PIPE,
        stderr=terminal,
        timeout=LIMIT,
        start_new_session=True,
    )
    return done.returncode, done.stdout


def test_run_and_exec(tmp_path: Path, terminal: int) -> None:
    """Lines go in and come out as the program ends them; the status is the program's."""
    runtime = ours(tmp_path / "state")
    bundle = make_bundle(tmp_path / "run", {"process": PROCESS})
    assert _call(runtime, terminal, bundle, "run", "foreground") == (7, OUTPUT)
    assert runtime.call("state", "foreground").status != 0, "run has deleted it"
    bundle = make_bundle(tmp_path / "exec", {"process": {"args": ["sleep", "600"]}})
    started = runtime.call("run", "--detach", "--bundle", bundle, "other", stdout=2, stderr=2)
    assert started.status == 0
    words = ("exec", "--tty", "other", "sh", "-c", SCRIPT)
    assert _call(runtime, terminal, bundle, *words) == (7, OUTPUT)
    assert runtime.call("delete", "--force", "other").status == 0


def test_no_terminal_anywhere(tmp_path: Path) -> None:
    """Nobody could look at it."""
    bundle = make_bundle(tmp_path / "bundle", {"process": PROCESS})
    runtime = ours(tmp_path / "state")
    called = runtime.call("run", "foreground", cwd=bundle)
    assert called.status != 0 and "/dev/tty" in called.stderr
    assert runtime.call("state", "foreground").status != 0


def test_kept(tmp_path: Path) -> None:
    """`--keep` leaves the stopped container."""
    bundle = make_bundle(tmp_path / "bundle", {"process": {"args": ["true"]}})
    runtime = ours(tmp_path / "state")
    assert runtime.call("run", "--keep", "kept", cwd=bundle).status == 0
    assert '"stopped"' in runtime.call("state", "kept").stdout
    assert runtime.call("delete", "kept").status == 0
