"""Run one command in a session of its own and leave nothing behind.

The test process makes itself a *child subreaper*: whatever loses its parent, in
whatever session it is, becomes our child.  So every process that a run started
is below us in the tree and can be found and killed by its id, never by a name
or a group.  A process that is still there when a run has ended is a leak.
"""

import ctypes
import os
import signal
import subprocess
import time
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

PR_SET_CHILD_SUBREAPER = 36
GRACE = 3.0
"""Seconds that dying processes get before they count as leaked."""


class Finished:
    """How a command ended. `status` is negative for a signal, as `subprocess` has it."""

    __slots__ = ("leaked", "seconds", "status", "stderr", "stdout", "timed_out")

    def __init__(self, status: int, stdout: bytes, stderr: bytes) -> None:
        self.status = status
        self.stdout = stdout
        self.stderr = stderr
        self.timed_out = False
        self.leaked: list[str] = []
        self.seconds = 0.0


def become_subreaper() -> None:
    """Adopt orphaned descendants (PR_SET_CHILD_SUBREAPER of prctl(2))."""
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), "PR_SET_CHILD_SUBREAPER")


def _children(pid: int) -> list[int]:
    found: list[int] = []
    for children in Path(f"/proc/{pid}/task").glob("*/children"):
        try:
            found += map(int, children.read_text().split())
        except OSError:  # that thread has ended meanwhile
            continue
    return found


def descendants() -> list[int]:
    """The ids of all processes below this one, zombies included, parents first."""
    found: list[int] = []
    queue = _children(os.getpid())
    while queue:
        pid = queue.pop(0)
        found.append(pid)
        queue += _children(pid)
    return found


def _describe(pid: int) -> str:
    try:
        status = Path(f"/proc/{pid}/status").read_text().splitlines()
        command = Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode()
    except OSError:
        return f"{pid} (gone)"
    state = next((line for line in status if line.startswith("State:")), "State: ?")
    return f"{pid} {status[0].split()[-1]} {state} {command}".rstrip()


def reap_orphans(known: set[int]) -> None:
    """Collect zombies that became our children; `subprocess` waits for its own."""
    for pid in _children(os.getpid()):
        if pid in known:
            continue
        try:
            os.waitpid(pid, os.WNOHANG)
        except ChildProcessError:
            continue


def _kill(pids: Iterable[int]) -> None:
    for pid in pids:
        if pid > 1:
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                continue


def settle(known: set[int], grace: float, *, kill: bool) -> list[int]:
    """Wait until no descendant but `known` is left; return those that stay."""
    deadline = time.monotonic() + grace
    while True:
        reap_orphans(known)
        left = [pid for pid in descendants() if pid not in known]
        if not left or time.monotonic() > deadline:
            return left
        if kill:
            _kill(left)
        time.sleep(0.005)


def run(
    command: Sequence[str | os.PathLike[str]],
    *,
    cwd: Path,
    stdin: bytes = b"",
    env: Mapping[str, str] | None = None,
    timeout: float = 20.0,
    umask: int = 0o022,
) -> Finished:
    """Run `command` to its end, or for `timeout` seconds; then no process of it is left."""
    known = set(descendants())
    started = time.monotonic()
    process = subprocess.Popen(
        command,
        cwd=cwd,
        env=env,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=True,
        umask=umask,
    )
    timed_out = False
    try:
        stdout, stderr = process.communicate(stdin, timeout=timeout)
    except subprocess.TimeoutExpired:
        timed_out = True
        settle(known | {process.pid}, GRACE, kill=True)
        process.kill()
        stdout, stderr = process.communicate()
    except BaseException:
        process.kill()
        process.wait()
        settle(known, GRACE, kill=True)
        raise
    finished = Finished(process.returncode, stdout, stderr)
    finished.timed_out = timed_out
    finished.seconds = time.monotonic() - started
    left = settle(known, 0.0 if timed_out else GRACE, kill=timed_out)
    if not timed_out:
        finished.leaked = [_describe(pid) for pid in left]
    if left:
        settle(known, GRACE, kill=True)
    return finished
