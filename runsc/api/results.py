"""How a program ended: data, which is no failure of ours whatever it says."""

from __future__ import annotations

import stat
from collections.abc import Sequence
from dataclasses import dataclass, field

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


@dataclass(frozen=True)
class Result:
    """A program that has ended."""

    command: Sequence[str]
    #: "exited", "signal", or the limit that ended it: "wall", "cpu", "memory", "output";
    #: "sandbox" when the sandbox was closed or broke down under it
    reason: str
    #: the program's own; None unless `reason` is "exited"
    exit_code: int | None
    #: what ended it; None when it exited
    signal: int | None
    stdout: bytes = field(repr=False)
    stderr: bytes = field(repr=False)
    #: one line for a person; empty when it ended by itself
    message: str = ""
    #: seconds, of time and of processor time
    wall: float = 0.0
    cpu: float = 0.0
    #: bytes; None when it was not measured
    memory_peak: int | None = None
    #: the whole record as `--result` writes it: docs/command-line.md
    details: dict[str, object] = field(default_factory=dict, repr=False)

    @classmethod
    def of_record(
        cls, command: Sequence[str], record: dict[str, Any], stdout: bytes, stderr: bytes
    ) -> Result:
        """From RunResult.as_dict()."""
        return cls(
            command=command,
            reason=record["reason"],
            exit_code=record["exit_code"],
            signal=record["signal"],
            stdout=stdout,
            stderr=stderr,
            message=record["message"],
            wall=record["wall_ms"] / 1000,
            cpu=(record["cpu_user_ms"] + record["cpu_system_ms"]) / 1000,
            memory_peak=record["memory_peak_bytes"],
            details=record,
        )

    @property
    def ok(self) -> bool:
        """Whether it exited with 0."""
        return self.exit_code == 0

    @property
    def text(self) -> str:
        """Standard output as text; bytes that are no UTF-8 are replaced."""
        return self.stdout.decode(errors="replace")

    @property
    def error_text(self) -> str:
        """Standard error as text."""
        return self.stderr.decode(errors="replace")

    def check(self) -> Result:
        """This, if it exited with 0.  Raises ProcessFailed otherwise."""
        if not self.ok:
            raise ProcessFailed(self)
        return self


class ProcessFailed(Exception):
    """A program that was to succeed did not: `result` tells how it ended."""

    def __init__(self, result: Result) -> None:
        how = result.message or (
            f"exit status {result.exit_code}"
            if result.signal is None
            else f"signal {result.signal}"
        )
        super().__init__(f"{' '.join(result.command)}: {how}")
        self.result = result


@dataclass(frozen=True)
class FileInfo:
    """A name in a container and what it leads to, as lstat(2) tells it."""

    name: str
    mode: int
    uid: int
    gid: int
    size: int
    #: seconds since 1970
    modified: float
    #: of a symbolic link
    target: str = ""

    @property
    def is_directory(self) -> bool:
        """Whether names are below it."""
        return stat.S_ISDIR(self.mode)

    @property
    def is_file(self) -> bool:
        """Whether it has a content."""
        return stat.S_ISREG(self.mode)

    @property
    def is_symlink(self) -> bool:
        """Whether it leads to another name."""
        return stat.S_ISLNK(self.mode)


@dataclass(frozen=True)
class Event:
    """What has happened to a container: "started", "exited" or "oom"."""

    kind: str
    container: str
    data: dict[str, object]


@dataclass(frozen=True)
class Change:
    """A name that differs from what was there before the sandbox."""

    #: "A" added, "C" changed, "D" deleted
    kind: str
    path: str
    #: of a plain file, bytes
    size: int | None = None
