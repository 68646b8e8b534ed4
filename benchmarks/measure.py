"""What a question is, and how it is asked of one competitor."""

import abc
import re
from pathlib import Path
from typing import Generic, Protocol, TypeVar

from benchmarks.peers import Peer
from harness.compiler import compile_c
from harness.differential import environment
from harness.processes import Finished, run

GUESTS = Path(__file__).parent / "guests"
LIMIT = 120.0
"""Seconds after which one run is given up."""


class Failed(Exception):
    """A competitor could not answer; the text says why, for the notes below the table."""


class Named(Protocol):
    """A column of a table."""

    name: str


Competitor = TypeVar("Competitor", bound=Named)


class Question(abc.ABC, Generic[Competitor]):
    """One row of a table, which is asked of all competitors of that table."""

    title: str
    unit: str
    rounds = 5

    @abc.abstractmethod
    def ask(self, peer: Competitor, workplace: Path) -> float:
        """One measurement, in `unit`. Raises Failed."""


def finish(command: list[str], workplace: Path) -> Finished:
    """Run a command to its end in `workplace`; Failed unless it exits with 0."""
    finished = run(command, cwd=workplace, env=environment(), timeout=LIMIT)
    if finished.timed_out:
        raise Failed(f"no answer in {LIMIT:.0f} s")
    if finished.status != 0:
        words = (finished.stderr or finished.stdout).decode(errors="replace").strip().splitlines()
        raise Failed(f"status {finished.status}" + (f": {words[-1]}" if words else ""))
    return finished


class Operation(Question[Peer]):
    """A C program that measures one operation itself and prints nanoseconds."""

    unit = "µs"

    def __init__(self, source: Path) -> None:
        found = re.search(r"question: (.*?) *\*/", source.read_text())
        if found is None:
            raise ValueError(f"{source} has no question")
        self.title = found.group(1)
        self.source = source

    def ask(self, peer: Peer, workplace: Path) -> float:
        """The nanoseconds it prints, as microseconds."""
        program = compile_c(self.source, ["-O2", "-static", "-pthread"])
        finished = finish(peer.command([str(program)]), workplace)
        return float(finished.stdout) / 1000


class Duration(Question[Peer]):
    """The wall time of a command."""

    unit = "ms"

    def __init__(self, title: str, command: list[str]) -> None:
        self.title = title
        self.command = command

    def ask(self, peer: Peer, workplace: Path) -> float:
        """From starting the competitor to its end, in milliseconds."""
        return finish(peer.command(self.command), workplace).seconds * 1000


def operations() -> list[Question[Peer]]:
    """The questions of `guests/`, in the order of their file names."""
    return [Operation(source) for source in sorted(GUESTS.glob("*.c"))]
