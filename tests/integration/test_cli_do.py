"""`do`: gVisor's options, as far as they mean something here."""

import os
import shutil
from pathlib import Path

import pytest

from harness.containers import BUSYBOX
from harness.processes import Finished, run
from harness.sandbox import EXECUTABLE

pytestmark = pytest.mark.skipif(BUSYBOX is None, reason="Debian: busybox-static")


def do(*words: str | Path) -> Finished:
    """`runsc-py do …`"""
    return run([EXECUTABLE, "do", *words], cwd=Path("/"), timeout=60)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A root directory with busybox."""
    folder = tmp_path / "root"
    (folder / "bin").mkdir(parents=True)
    assert BUSYBOX is not None
    shutil.copy(BUSYBOX, folder / "bin" / "sh")
    return folder


def test_writes_stay_in_memory(root: Path) -> None:
    """Unless told otherwise."""
    words = ("--root", root, "--cwd", "/bin", "--", "sh", "-c", "echo x > ../new; cat ../new; pwd")
    done = do(*words)
    assert (done.status, done.stdout) == (0, b"x\n/bin\n")
    assert not (root / "new").exists()
    done = do("--force-overlay=false", *words)
    assert (done.status, done.stdout) == (0, b"x\n/bin\n")
    assert (root / "new").read_text() == "x\n"


@pytest.mark.parametrize("other", ["--export", "--diff", "--image"])
def test_without_overlay_nothing_is_told_of_changes(other: str, root: Path) -> None:
    """There is no upper layer to look at."""
    done = do("--force-overlay=false", f"{other}=/nowhere/x", "ls")
    assert done.status == 125 and b"exclude each other" in done.stderr


def test_volume_without_destination(root: Path, tmp_path: Path) -> None:
    """At the same place, and read-only."""
    (tmp_path / "data").write_text("here\n")
    script = f"cat {tmp_path}/data; echo new > {tmp_path}/data"
    done = do("--root", root, "--volume", tmp_path, "sh", "-c", script)
    assert done.stdout == b"here\n" and b"Read-only file system" in done.stderr
    assert (tmp_path / "data").read_text() == "here\n"


def test_ids(root: Path) -> None:
    """Owners of the host's files as the maps say."""
    own = os.stat(root / "bin" / "sh")
    maps = ["--uid-map", f"7 {own.st_uid} 1", "--gid-map", f"8 {own.st_gid} 2"]
    done = do("--root", root, *maps, "sh", "-c", "stat -c '%u %g' /bin/sh")
    assert done.stdout == b"7 8\n", done.stderr
    for wrong in ("0", "a b c", "0 0 0", "0 4294967295 2"):
        assert do("--uid-map", wrong, "ls").status == 125


def test_quiet(root: Path, tmp_path: Path) -> None:
    """Nothing of ours on standard error; a start that fails still says why."""
    words = ("--root", root, "--wall", "0.05", "sh", "-c", "sleep 60")
    assert b"wall-clock limit" in do(*words).stderr
    done = do("--quiet", *words)
    assert (done.status, done.stderr) == (124, b"")
    assert do("--quiet", "--root", tmp_path, "ls").stderr != b""


@pytest.mark.parametrize("word", ["--ip", "--erofs"])
def test_what_only_gvisor_has(word: str) -> None:
    """Refused, with what does the same here."""
    done = do(word, "x", "ls")
    assert done.status == 125 and b"; see --" in done.stderr
