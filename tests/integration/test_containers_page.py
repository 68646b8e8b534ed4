"""What docs/containers.md has its readers type."""

import os
import re
import shutil
import subprocess
from pathlib import Path

from harness.programs import require
from harness.sandbox import EXECUTABLE

PAGE = Path(__file__).parents[2] / "docs" / "containers.md"


def test_by_hand(tmp_path: Path) -> None:
    """As it stands, one command after the other."""
    require(("busybox", "busybox-static"))
    (block,) = re.findall(r"```sh\n(.*?)```", PAGE.read_text(), re.DOTALL)
    busybox = shutil.which("busybox")
    assert busybox is not None
    done = subprocess.run(
        ["bash", "-exm", "-c", block.replace("/bin/busybox", busybox)],
        cwd=tmp_path,
        env={**os.environ, "PATH": f"{EXECUTABLE.parent}:{os.environ['PATH']}"},
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "running" in done.stdout and os.listdir(tmp_path / "state") == []
