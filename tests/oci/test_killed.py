"""kill -9 at every step: whatever was killed, and whenever, `delete --force` clears what is left.

A command's steps are its system calls that change something or talk to somebody.  strace(1) sends
the signal at the first of them, in the next run at the second, and so on until the command ends by
itself.  A sandbox and its gofers, which are not traced, are killed between commands, and at moments
spread over a start.
"""

import os
import shutil
import signal
import subprocess
import time
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from harness.containers import BUSYBOX, WAIT, Engine
from harness.processes import descendants, settle
from harness.sandbox import EXECUTABLE

pytestmark = [
    pytest.mark.skipif(BUSYBOX is None, reason="Debian: busybox-static"),
    pytest.mark.skipif(shutil.which("strace") is None, reason="Debian: strace"),
]

MOST_STEPS = 60
"""Of one system call in one command; more of them is a loop that never ends."""
CREATE = ["flock", "rename", "mkdir", "clone"]
CREATE_INSIDE = ["rename", "connect", "sendmsg", "recvmsg", "clone"]
START = ["flock", "connect", "sendmsg", "recvmsg", "rename"]
START_INSIDE = [*START, "socketpair", "clone"]
EXEC = ["connect", "sendmsg", "recvmsg", "clone", "rename"]
DELETE = ["flock", "rmdir", "unlink"]


class Place:
    """One state directory, and everything of the host that a container may leave something in."""

    def __init__(self, folder: Path) -> None:
        self.engine = Engine(folder)
        self.name = f"killed-{uuid.uuid4().hex[:12]}"
        self.inside = f"{self.name}-inside"
        self._known = set(descendants())

    def bundles(self) -> tuple[Path, Path]:
        """Of a sandbox's first container, and of one that joins it."""

        def join(document: Any) -> None:
            document["annotations"] = {
                "io.kubernetes.cri.container-type": "container",
                "io.kubernetes.cri.sandbox-id": self.name,
            }

        def begin(document: Any) -> None:
            document["annotations"] = {"io.kubernetes.cri.container-type": "sandbox"}

        first = self.engine.bundle(*WAIT, change=begin)
        return first, self.engine.bundle(*WAIT, change=join)

    def do(self, *words: str | Path) -> None:
        """A command that has to work."""
        done = self.engine(*words)
        assert done.returncode == 0, done.stderr

    def clear(self) -> None:
        """What a user does after a crash; then nothing may be left of it."""
        for identifier in (self.inside, self.name):
            done = self.engine("delete", "--force", identifier)
            assert done.returncode == 0, done.stderr
        left = settle(self._known, 10.0, kill=False)
        assert not left, [Path(f"/proc/{pid}/cmdline").read_bytes() for pid in left]
        root = self.engine.root
        assert not root.exists() or os.listdir(root) == []
        assert groups_of(self.name) == []
        assert mounts(self.engine.folder) == []


def mounts(folder: Path) -> list[str]:
    """What is mounted there."""
    lines = Path("/proc/self/mountinfo").read_text().splitlines()
    return [line.split()[4] for line in lines if str(folder) in line]


def groups_of(name: str) -> list[str]:
    """Control groups whose name begins so; those of others come and go meanwhile."""
    return [
        os.path.join(directory, one)
        for directory, names, _ in os.walk("/sys/fs/cgroup")
        for one in names
        if one.startswith(name)
    ]


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    """Ended whatever happens in between."""
    made = Place(tmp_path)
    try:
        yield made
    finally:
        made.clear()


def killed_at_every(call: str, before: Callable[[], None], place: Place, *words: str | Path) -> int:
    """Run a command again and again, killed at the first, second… of a call; how often it was."""
    for number in range(1, MOST_STEPS):
        before()
        inject = f"inject={call}:signal=SIGKILL:when={number}"
        prefix = ["strace", "-qq", "-o", "/dev/null", "-e", f"trace={call}", "-e", inject]
        done = place.engine(*words, prefix=prefix)
        place.clear()
        if done.returncode == 0:
            return number - 1
        assert done.returncode == -signal.SIGKILL, done.stderr
    raise AssertionError(f"{words[0]} calls {call} more than {MOST_STEPS} times")


@pytest.mark.parametrize("call", CREATE)
def test_create_of_a_sandbox(place: Place, call: str) -> None:
    """The command that starts everything."""
    first, _ = place.bundles()
    words = ("create", "--bundle", first, place.name)
    assert killed_at_every(call, lambda: None, place, *words) > 0


@pytest.mark.parametrize("call", CREATE_INSIDE)
def test_create_of_a_container_inside(place: Place, call: str) -> None:
    """The sandbox runs on, and is deleted as ever."""
    first, second = place.bundles()

    def before() -> None:
        place.do("create", "--bundle", first, place.name)
        place.do("start", place.name)

    words = ("create", "--bundle", second, place.inside)
    assert killed_at_every(call, before, place, *words) > 0


@pytest.mark.parametrize("call", START)
def test_start(place: Place, call: str) -> None:
    """The program runs already or never will."""
    first, _ = place.bundles()

    def before() -> None:
        place.do("create", "--bundle", first, place.name)

    assert killed_at_every(call, before, place, "start", place.name) > 0


@pytest.mark.parametrize("call", START_INSIDE)
def test_start_of_a_container_inside(place: Place, call: str) -> None:
    """A gofer more, whose connection is on the way."""
    first, second = place.bundles()

    def before() -> None:
        place.do("create", "--bundle", first, place.name)
        place.do("start", place.name)
        place.do("create", "--bundle", second, place.inside)

    assert killed_at_every(call, before, place, "start", place.inside) > 0


@pytest.mark.parametrize("call", EXEC)
def test_exec(place: Place, call: str) -> None:
    """One process more, and one that waits for it."""
    first, _ = place.bundles()
    pid_file = place.engine.folder / "exec-pid"

    def before() -> None:
        place.do("create", "--bundle", first, place.name)
        place.do("start", place.name)

    words = ("exec", "--detach", "--pid-file", pid_file, place.name, *WAIT)
    assert killed_at_every(call, before, place, *words) > 0


@pytest.mark.parametrize("call", DELETE)
def test_delete(place: Place, call: str) -> None:
    """What a half delete leaves, a whole one takes."""
    first, _ = place.bundles()

    def before() -> None:
        place.do("create", "--bundle", first, place.name)

    killed_at_every(call, before, place, "delete", "--force", place.name)


@pytest.mark.parametrize("milliseconds", [0, 5, 10, 20, 40, 80, 160])
def test_the_sandbox_while_it_starts(place: Place, milliseconds: int) -> None:
    """`create` fails with a reason, or was done before."""
    first, _ = place.bundles()
    words = [EXECUTABLE, "--root", place.engine.root, "create", "--bundle", first, place.name]
    with subprocess.Popen(
        words, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
    ) as create:
        children = Path(f"/proc/{create.pid}/task/{create.pid}/children")
        sandbox = 0
        while create.poll() is None and not sandbox:
            sandbox = next(map(int, children.read_text().split()), 0)
        time.sleep(milliseconds / 1000)
        if sandbox and str(sandbox) in children.read_text().split():
            os.kill(sandbox, signal.SIGKILL)
            assert create.wait(30) != 0
            assert create.stderr is not None and b"sandbox" in create.stderr.read()


def sandbox_and_gofer(place: Place) -> tuple[int, int]:
    """The process ids of a running sandbox and of its first child that is a gofer."""
    pid = int((place.engine.folder / "pid").read_text())
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return pid, int(children[0])


@pytest.mark.parametrize("victim", ["sandbox", "gofer"])
@pytest.mark.parametrize("moment", ["created", "running", "joined", "executing"])
def test_a_server_dies(place: Place, victim: str, moment: str) -> None:
    """Commands afterwards say that nothing runs; none of them hangs."""
    first, second = place.bundles()
    place.do("create", "--bundle", first, "--pid-file", place.engine.folder / "pid", place.name)
    if moment != "created":
        place.do("start", place.name)
    if moment == "joined":
        place.do("create", "--bundle", second, place.inside)
        place.do("start", place.inside)
    if moment == "executing":
        place.do("exec", "--detach", place.name, *WAIT)
    sandbox, gofer = sandbox_and_gofer(place)
    os.kill(sandbox if victim == "sandbox" else gofer, signal.SIGKILL)
    status = os.waitpid(sandbox, 0)[1]
    assert os.waitstatus_to_exitcode(status) != 0
    assert place.engine.status(place.name) == "stopped"
    for words in (("start",), ("exec",), ("kill",)):
        arguments = ("/bin/sh",) if words == ("exec",) else ()
        assert place.engine(*words, place.name, *arguments).returncode != 0


def test_the_process_that_stands_for_a_container(place: Place) -> None:
    """The one an engine waits for: the container is reached as before, and ends with `delete`."""
    first, second = place.bundles()
    place.do("create", "--bundle", first, place.name)
    place.do("start", place.name)
    pid_file = place.engine.folder / "pid"
    place.do("create", "--bundle", second, "--pid-file", pid_file, place.inside)
    place.do("start", place.inside)
    pid = int(pid_file.read_text())
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)
    assert place.engine.status(place.inside) == "stopped"
    assert place.engine.status(place.name) == "running"
