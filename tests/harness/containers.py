"""What a container engine does with us: a state directory, and bundles made of busybox."""

import json
import shutil
import subprocess
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from harness.sandbox import EXECUTABLE

BUSYBOX = shutil.which("busybox")
Result = subprocess.CompletedProcess[str]
WAIT = ["/bin/busybox", "sleep", "600"]


class Engine:
    """A container engine: one state directory, bundles, the commands."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.root = folder / "state"
        self.log = folder / "log"
        #: further options before every command
        self.options: list[str] = []

    def __call__(self, *words: str | Path, prefix: Sequence[str] = ()) -> Result:
        """`runsc-py --root … WORDS`; its output goes to files, which a container may keep open."""
        options: list[str | Path] = ["--root", self.root, "--log", self.log, "--log-format", "json"]
        with open(self.folder / "out", "w+") as out, open(self.folder / "err", "w+") as err:
            done = subprocess.run(
                [*prefix, EXECUTABLE, *options, *self.options, *words],
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=err,
                start_new_session=True,
                timeout=60,
            )
            out.seek(0)
            err.seek(0)
            return Result(done.args, done.returncode, out.read(), err.read())

    def bundle(self, *arguments: str, change: Callable[[Any], None] | None = None) -> Path:
        """A bundle that runs this."""
        assert BUSYBOX is not None
        bundle = self.folder / f"bundle{len(list(self.folder.glob('bundle*')))}"
        (bundle / "rootfs" / "bin").mkdir(parents=True)
        shutil.copy(BUSYBOX, bundle / "rootfs" / "bin" / "busybox")
        (bundle / "rootfs" / "bin" / "sh").symlink_to("busybox")
        assert self("spec", "--bundle", bundle, "--", *arguments).returncode == 0
        document = json.loads((bundle / "config.json").read_text())
        del document["process"]["terminal"]
        if change is not None:
            change(document)
        (bundle / "config.json").write_text(json.dumps(document))
        return bundle

    def create(self, identifier: str, *arguments: str) -> int:
        """A created container; the process of its pid file."""
        pid_file = self.folder / "pid"
        bundle = self.bundle(*arguments)
        done = self("create", "--bundle", bundle, "--pid-file", pid_file, identifier)
        assert done.returncode == 0, done.stderr
        return int(pid_file.read_text())

    def status(self, identifier: str) -> str:
        """As `state` prints it."""
        return str(json.loads(self("state", identifier).stdout)["status"])

    def last_error(self) -> str:
        """The last line of the log, as containerd reads it."""
        entry = json.loads(self.log.read_text().splitlines()[-1])
        assert entry["level"] == "error"
        return str(entry["msg"])
