"""Containers of an ordinary user who is in no user namespace: walls are Landlock and filters."""

import json
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from harness import ordinary

BUSYBOX = shutil.which("busybox")
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(BUSYBOX is None, reason="Debian: busybox-static"),
    pytest.mark.skipif(os.geteuid() != 0, reason="becoming another user needs root"),
    pytest.mark.skipif(shutil.which("setpriv") is None, reason="Debian: util-linux"),
]
AS_NOBODY = ("setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups")


class Nobody:
    """runsc-py as nobody has it."""

    def __init__(self, place: Path, command: Path) -> None:
        self.home = place / "home"
        self.home.mkdir()
        self.command = command
        self.bundle = self.home / "bundle"
        (self.bundle / "rootfs" / "bin").mkdir(parents=True)
        shutil.copy(str(BUSYBOX), self.bundle / "rootfs" / "bin" / "busybox")
        for path in (self.home, self.bundle, *self.bundle.rglob("*")):
            os.chown(path, ordinary.NOBODY, ordinary.NOBODY)

    def __call__(self, *words: object) -> str:
        """`runsc-py --root … WORDS`; its output."""
        command = [*AS_NOBODY, str(self.command), "--root", str(self.home / "state")]
        with tempfile.TemporaryFile() as output:  # no pipe that a sandbox could hold
            subprocess.run(
                [*command, *map(str, words)],
                check=True,
                cwd=self.home,
                env={"HOME": str(self.home), "PATH": os.environ["PATH"]},
                stdin=subprocess.DEVNULL,
                stdout=output,
                timeout=60,
            )
            output.seek(0)
            return output.read().decode()


@pytest.fixture
def nobody() -> Iterator[Nobody]:
    python = ordinary.interpreter()
    if python is None:
        pytest.skip("no Python of this version that an ordinary user may execute")
    with tempfile.TemporaryDirectory(prefix="ordinary-") as directory:
        place = Path(directory)
        place.chmod(0o755)
        runsc = Nobody(place, ordinary.install(place / "installed", python))
        try:
            yield runsc
        finally:
            runsc("delete", "--force", "one")


def test_a_life_behind_walls(nobody: Nobody) -> None:
    """All that a container does works; its sandbox and gofer are filtered."""
    nobody("spec", "--bundle", nobody.bundle, "--", "/bin/busybox", "sleep", "600")
    path = nobody.bundle / "config.json"
    config = json.loads(path.read_text())
    config["process"]["terminal"] = config["root"]["readonly"] = False
    path.write_text(json.dumps(config))
    nobody("create", "--bundle", nobody.bundle, "one")
    nobody("start", "one")
    assert nobody("exec", "one", "/bin/busybox", "id", "-u") == "0\n"
    nobody("exec", "one", "/bin/busybox", "sh", "-c", "echo made > /made")
    assert (nobody.bundle / "rootfs" / "made").read_text() == "made\n"
    pid = json.loads(nobody("state", "one"))["pid"]
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    names = {child: Path(f"/proc/{child}/comm").read_text() for child in children}
    gofers = [child for child, name in names.items() if name != "runsc-guest\n"]
    assert len(gofers) == 1 and len(children) > 2
    for process in (pid, *gofers):
        status = Path(f"/proc/{process}/status").read_text()
        assert "NoNewPrivs:\t1\n" in status and "Seccomp:\t2\n" in status
    nobody("kill", "one", "KILL")
    assert json.loads(nobody("wait", "one"))["exitStatus"] == 137
