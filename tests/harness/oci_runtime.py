"""OCI runtimes as command lines: ours, and runc and crun beside it.

A runtime keeps its state below a directory of the test's own, takes part in no
control group of the host's services, and is asked with the words of the OCI
command line.
"""

import functools
import os
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

from harness.differential import environment
from harness.sandbox import EXECUTABLE

LIMIT = 60.0
UNIFIED = "/sys/fs/cgroup/unified"
WITHOUT_UNIFIED = [
    "unshare",
    "--mount",
    "--propagation",
    "private",
    "sh",
    "-c",
    f'umount -l {UNIFIED}; exec "$@"',
    "-",
]


class Called:
    """What one invocation of a runtime said."""

    def __init__(self, done: "subprocess.CompletedProcess[bytes]") -> None:
        self.status = done.returncode
        self.stdout = (done.stdout or b"").decode(errors="backslashreplace")
        self.stderr = (done.stderr or b"").decode(errors="backslashreplace")

    def __repr__(self) -> str:
        return f"status {self.status}\n{self.stdout}\n{self.stderr}"


class Runtime:
    """One runtime with its state directory."""

    def __init__(self, name: str, prefix: Sequence[str], state: Path) -> None:
        self.name = name
        self.prefix = list(prefix)
        self.state = state

    def command(self, *words: str | os.PathLike[str], options: Sequence[str] = ()) -> list[str]:
        """The command line; `options` come before the subcommand."""
        return [*self.prefix, "--root", str(self.state), *options, *map(str, words)]

    def call(
        self,
        *words: str | os.PathLike[str],
        options: Sequence[str] = (),
        cwd: Path | None = None,
        env: Mapping[str, str] | None = None,
        stdin: int = subprocess.DEVNULL,
        stdout: int = subprocess.PIPE,
        stderr: int = subprocess.PIPE,
    ) -> Called:
        """Run it to its end. A container that outlives the call must not hold our pipes."""
        done = subprocess.run(
            self.command(*words, options=options),
            cwd=cwd,
            env=environment(env),
            stdin=stdin,
            stdout=stdout,
            stderr=stderr,
            timeout=LIMIT,
            start_new_session=True,
        )
        return Called(done)


@functools.cache
def _hybrid() -> bool:
    """Whether control groups are mounted in the mixed way that crun refuses."""
    controllers = Path(UNIFIED, "cgroup.controllers")
    return controllers.exists() and controllers.read_text().strip() != ""


def ours(state: Path) -> Runtime:
    """runsc-py."""
    return Runtime("runsc-py", [str(EXECUTABLE)], state)


def peers(state: Path) -> list[Runtime]:
    """runc and crun, those that are installed. They need root."""
    found = []
    for name in ("runc", "crun"):
        path = shutil.which(name) or shutil.which(name, path="/usr/sbin")
        if path is not None:
            prefix = [*WITHOUT_UNIFIED, path] if name == "crun" and _hybrid() else [path]
            found.append(Runtime(name, prefix, state / name))
    return found
