"""A container whose gofer dies ends; the others of its sandbox go on."""

import os
import signal
from pathlib import Path

from harness.pod import ROOT, SLEEP, Pod

BUSY = ["sh", "-c", "while :; do echo busy > /file; done"]
KILLED = 137


def holder(directory: Path) -> int:
    """The process that serves a directory: it holds it open."""
    for process in Path("/proc").iterdir():
        if not process.name.isdigit():
            continue
        try:
            links = [os.readlink(link) for link in (process / "fd").iterdir()]
        except OSError:  # it has ended, or is somebody else's
            continue
        if str(directory) in links:
            return int(process.name)
    raise AssertionError(f"nobody serves {directory}")


def test_it_takes_its_container_along(empty: Pod) -> None:
    """Also when a request is under way; the sandbox and its other containers go on."""
    empty.running(ROOT, SLEEP)
    for name, arguments in (("busy", BUSY), ("idle", SLEEP)):
        empty.running(name, arguments)
        rootfs = max(empty.folder.glob("bundle*")) / "rootfs"
        os.kill(holder(rootfs), signal.SIGKILL)
        assert empty.ended(name) == KILLED
        assert empty("exec", ROOT, "echo", "alive").stdout == "alive\n"
        assert empty("delete", name).status == 0


def test_nothing_of_an_ended_container_stays_open(empty: Pod) -> None:
    """Engines unmount its root directory: neither files nor directories are held by the sandbox."""
    empty.running(ROOT, SLEEP)
    sandbox = Path("/proc") / (empty.folder / f"{ROOT}.pid").read_text()
    script = "cat /etc/passwd > /dev/null; id; sleep 600"
    empty.running("one", ["sh", "-c", script])
    rootfs = max(empty.folder.glob("bundle*")) / "rootfs"
    assert empty("exec", "one", "cat", "/etc/group").status == 0
    assert empty("kill", "one", "KILL").status == 0
    assert empty.ended("one") == KILLED
    assert empty("delete", "one").status == 0
    links = [os.readlink(link) for link in (sandbox / "fd").iterdir()]
    assert not [link for link in links if link.startswith(str(rootfs))]
