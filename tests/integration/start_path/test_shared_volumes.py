"""A volume that the containers of a pod share outlives whoever had it first."""

import os
from pathlib import Path

import pytest

from harness.pod import ROOT, SLEEP, Pod
from harness.processes import descendants

PREFIX = "dev.gvisor.spec.mount.volume."


def holds(directory: Path) -> bool:
    """Whether a process of ours has a directory, or a file below it, open."""
    for pid in descendants():
        try:
            links = [os.readlink(link) for link in Path(f"/proc/{pid}/fd").iterdir()]
        except OSError:  # it has ended
            continue
        if any(link.startswith(str(directory)) for link in links):
            return True
    return False


@pytest.mark.parametrize("overlay", ["none", "all:memory"])
def test_the_container_that_brought_it_goes(empty: Pod, tmp_path: Path, overlay: str) -> None:
    """Those that have it keep it, and new ones get the same; nobody holds the first one's root."""
    volume = tmp_path / "volume"
    volume.mkdir()
    hints = {f"{PREFIX}source": str(volume), f"{PREFIX}type": "bind", f"{PREFIX}share": "pod"}
    override = {"dev.gvisor.flag.overlay2": overlay} if overlay != "none" else {}
    empty.running(ROOT, SLEEP, {"annotations": hints | override})
    mount = {"destination": "/v", "type": "bind", "source": str(volume), "options": ["rbind"]}
    changes = {"mounts+": [mount], "annotations": override}
    empty.running("first", ["sh", "-c", "exec 3< /etc/passwd; sleep 600"], changes)
    first = max(empty.folder.glob("bundle*"), key=lambda path: int(path.name[6:])) / "rootfs"
    empty.running("second", SLEEP, changes)
    assert empty("exec", "first", "sh", "-c", "echo a > /v/a").status == 0
    assert empty("exec", "second", "cat", "/v/a").stdout == "a\n"
    assert (volume / "a").exists() == (overlay == "none")
    assert holds(first)
    assert empty("delete", "--force", "first").status == 0
    assert not holds(first)
    assert empty("exec", "second", "sh", "-c", "cat /v/a; echo b > /v/b").stdout == "a\n"
    empty.running("third", SLEEP, changes)
    assert empty("exec", "third", "cat", "/v/b").stdout == "b\n"
