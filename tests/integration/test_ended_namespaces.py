"""What belonged to a namespace ends with its last process, also on the host."""

import os
from pathlib import Path

import pytest

from harness import sandbox
from harness.differential import Find
from harness.live import Live


def held_after(script: str, directory: Path) -> list[str]:
    """What the sandbox's descriptors refer to when a shell has come to the end of a script."""
    words = ["/bin/sh", "-c", f"{script}; echo done; read line"]
    with Live(sandbox.command(words), directory) as live:
        live.expect(b"done\n")
        descriptors = Path(f"/proc/{live.process.pid}/fd")
        held = [os.readlink(entry) for entry in descriptors.iterdir()]
        live.send(b"\n")
        assert live.wait() == 0
    return held


@pytest.fixture
def unshare(program: Find, native_only: bool) -> str:
    """The program that runs another one in new namespaces."""
    if native_only:
        pytest.skip("it is about the sandbox's descriptors")
    return program("unshare", "util-linux")


def test_shared_memory(tmp_path: Path, unshare: str, program: Find) -> None:
    """A System V segment that nobody removed goes with its IPC namespace (ipc_namespaces(7))."""
    ipcmk = program("ipcmk", "util-linux")
    held = held_after(f"{ipcmk} -M 8192; {unshare} --ipc {ipcmk} -M 8192", tmp_path)
    assert sum("SYSV" in name for name in held) == 1, held


def test_tmpfs(tmp_path: Path, unshare: str) -> None:
    """The files of a tmpfs go with the last mount namespace that has it (mount_namespaces(7))."""
    fill = "mount -t tmpfs new /mnt; mkdir -p /mnt/a/b; head -c 100000 /dev/zero >/mnt/a/b/file"
    held = held_after(f"{unshare} --mount sh -c '{fill}'", tmp_path)
    assert not any("tmpfs" in name for name in held), held
