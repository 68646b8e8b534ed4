"""The competitors: native Linux, runsc-py, and the peers that are installed.

A peer is a command line that runs another one.  Each gets the options with which
it works for an ordinary user, without network, from the host's root directory.
"""

import shutil
import tempfile
from pathlib import Path

from harness.sandbox import EXECUTABLE


class Peer:
    """One column of the table."""

    def __init__(self, name: str, prefix: list[str], program: str | None) -> None:
        self.name = name
        self.prefix = prefix
        self.program = program

    @property
    def installed(self) -> bool:
        """Whether its program is there."""
        return self.program is None or shutil.which(self.program) is not None

    def command(self, command: list[str], options: tuple[str, ...] = ()) -> list[str]:
        """The command line that runs `command`; `options` are this peer's own."""
        return [*self.prefix, *options, *(["--"] if self.name == "runsc-py" else []), *command]

    def volume(self, directory: Path) -> tuple[str, ...]:
        """The options with which what is written to `directory` reaches the host."""
        if self.name == "runsc-py":
            return ("--volume", f"{directory}:{directory}:rw")
        return ("-force-overlay=false",) if self.name == "gVisor ptrace" else ()


GVISOR = ["--rootless", "--network=none", "--platform=ptrace", "--ignore-cgroups"]


def competitors() -> list[Peer]:
    """All that are installed, native first."""
    state = Path(tempfile.gettempdir()) / "runsc-py-benchmark-gvisor"
    gvisor = ["runsc", *GVISOR, f"--root={state}", "do"]
    peers = [
        Peer("native", [], None),
        Peer("runsc-py", [str(EXECUTABLE), "run"], str(EXECUTABLE)),
        Peer("gVisor ptrace", gvisor, "runsc"),
        Peer("proot", ["proot", "-r", "/"], "proot"),
    ]
    return [peer for peer in peers if peer.installed]
