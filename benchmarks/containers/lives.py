"""How long the life of a container takes, commands about one, and how much memory fifty take."""

import os
import statistics
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from benchmarks.containers.runtimes import SANDBOX, TYPE, makes_sandboxes
from benchmarks.measure import Failed, Question
from benchmarks.programs.idle_memory import proportional_memory
from harness.oci_bundle import make_bundle
from harness.oci_runtime import Runtime
from harness.processes import descendants, settle

CROWD = 50
"""Containers at once."""

REPETITIONS = 5
"""Of a short command, of which the median counts."""


def call(runtime: Runtime, *words: str | Path) -> None:
    """A command that has to work; it writes nowhere that a container would keep open."""
    try:
        done = runtime.call(*words, stdout=NOWHERE, stderr=NOWHERE)
    except subprocess.TimeoutExpired:
        raise Failed(f"{words[0]}: no answer") from None
    if done.status != 0:
        raise Failed(f"{words[0]}: status {done.status}")


NOWHERE = os.open("/dev/null", os.O_RDWR | os.O_CLOEXEC)


@contextmanager
def tidy(runtime: Runtime, made: list[str]) -> Iterator[set[int]]:
    """The processes from before; afterwards no container that was made and no process is left."""
    known = set(descendants())
    try:
        yield known
    finally:
        for identifier in reversed(made):
            with suppress(subprocess.TimeoutExpired):
                runtime.call("delete", "--force", identifier)
        settle(known, 5.0, kill=True)


def bundle(directory: Path, arguments: list[str], **annotations: str) -> Path:
    """One that runs this."""
    changes: dict[str, Any] = {"process": {"args": arguments}, "annotations": annotations}
    directory.mkdir(parents=True)
    return make_bundle(directory, changes)


class Life(Question[Runtime]):
    """create, start, wait for the end, delete."""

    title = "create, start, wait, delete of `true`"
    unit = "ms"

    def ask(self, runtime: Runtime, workplace: Path) -> float:
        """The wall time of all four, in milliseconds."""
        name = f"life-{os.getpid()}"
        pid_file = workplace / "pid"
        made = bundle(workplace / "bundle", ["true"])
        with tidy(runtime, [name]) as known:
            began = time.monotonic()
            call(runtime, "create", "--bundle", made, "--pid-file", pid_file, name)
            call(runtime, "start", name)
            os.waitpid(int(pid_file.read_text()), 0)
            settle(known, 5.0, kill=False)  # gVisor's gofer has to be reaped before
            call(runtime, "delete", name)
            return (time.monotonic() - began) * 1000


class Command(Question[Runtime]):
    """A command about one container that runs."""

    unit = "ms"

    def __init__(self, title: str, *words: str) -> None:
        self.title = title
        #: NAME stands for the container
        self.words = words

    def ask(self, runtime: Runtime, workplace: Path) -> float:
        """Its wall time, in milliseconds."""
        with crowd(runtime, workplace, 1, together=False) as (names, _):
            words = [names[0] if word == "NAME" else word for word in self.words]
            return repeat(runtime, words)


def repeat(runtime: Runtime, words: list[str]) -> float:
    """The median wall time of a command, in milliseconds."""
    times = []
    for _ in range(REPETITIONS):
        began = time.monotonic()
        call(runtime, *words)
        times.append((time.monotonic() - began) * 1000)
    return statistics.median(times)


@contextmanager
def crowd(
    runtime: Runtime, workplace: Path, size: int, *, together: bool
) -> Iterator[tuple[list[str], set[int]]]:
    """Containers that sleep, each in a sandbox of its own or all in one; the processes before."""
    names = [f"crowd-{os.getpid()}-{number}" for number in range(size)]
    begun: list[str] = []
    with tidy(runtime, begun) as known:
        for number, name in enumerate(names):
            annotations = {}
            if together:
                kind = "container" if number else "sandbox"
                annotations = {TYPE: kind, SANDBOX: names[0]}
            made = bundle(workplace / name, ["sleep", "600"], **annotations)
            begun.append(name)
            call(runtime, "create", "--bundle", made, name)
            call(runtime, "start", name)
        yield names, known


class Listing(Question[Runtime]):
    """How long it takes to look over fifty containers."""

    title = f"list of {CROWD} containers"
    unit = "ms"
    rounds = 1

    def ask(self, runtime: Runtime, workplace: Path) -> float:
        """The wall time of `list`, in milliseconds."""
        with crowd(runtime, workplace, CROWD, together=False):
            return repeat(runtime, ["list"])


class Crowd(Question[Runtime]):
    """Fifty containers that sleep, each in a sandbox of its own or all in one."""

    unit = "MB"
    rounds = 1

    def __init__(self, *, together: bool) -> None:
        self.together = together
        where = "in one sandbox" if together else "sandboxes"
        self.title = f"memory a container, {CROWD} {where}"

    def ask(self, runtime: Runtime, workplace: Path) -> float:
        """The proportional set size of all their processes, divided by their number, in MB."""
        if self.together and not makes_sandboxes(runtime):
            raise Failed("")
        with crowd(runtime, workplace, CROWD, together=self.together) as (_, known):
            pids = [pid for pid in descendants() if pid not in known]
            return proportional_memory(pids) / 1024 / CROWD


QUESTIONS: list[Question[Runtime]] = [
    Life(),
    Command("exec of `true` in a running container", "exec", "NAME", "true"),
    Command("state of a container", "state", "NAME"),
    Listing(),
    Crowd(together=True),
    Crowd(together=False),
]
