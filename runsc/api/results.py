"""How a program ended: data, which is no failure of ours whatever it says."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field


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
    #: seconds
    wall: float = 0.0
    #: further figures of `run`: docs/command-line.md, --result
    details: dict[str, object] = field(default_factory=dict, repr=False)

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
class Change:
    """A name that differs from what was there before the sandbox."""

    #: "A" added, "C" changed, "D" deleted
    kind: str
    path: str
    #: of a plain file, bytes
    size: int | None = None
