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
