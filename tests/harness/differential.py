"""Run a program natively, then inside, from the same directory, and compare the two."""

import os
import shutil
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from harness import sandbox
from harness.outcome import Outcome, snapshot
from harness.processes import run

Command = Sequence[str | os.PathLike[str]]
Prepare = Callable[[Path], None]

# The fixtures of tests/conftest.py, as tests see them.
Compare = Callable[..., Outcome]
Inside = Callable[..., Outcome]
Find = Callable[[str, str], str]

KEPT_VARIABLES = ("PATH", "HOME", "CARGO_HOME", "RUSTUP_HOME", "RUSTUP_TOOLCHAIN")


def environment(extra: Mapping[str, str] | None = None) -> dict[str, str]:
    """A small environment, the same natively and inside, whoever runs the tests."""
    kept = {name: os.environ[name] for name in KEPT_VARIABLES if name in os.environ}
    return {**kept, "LC_ALL": "C.UTF-8", "TZ": "UTC", "TERM": "dumb", **(extra or {})}


def same_user() -> list[str]:
    """Options for a comparison: an ordinary user is root inside unless told otherwise."""
    return [] if os.geteuid() == 0 else ["--user", f"{os.geteuid()}:{os.getegid()}"]


def _remove(directory: Path) -> None:
    """Remove a tree, also one whose directories a guest made unreadable."""
    if directory.exists():
        directory.chmod(0o700)
    for path, directories, _ in os.walk(directory):
        for name in directories:
            if not os.path.islink(os.path.join(path, name)):
                os.chmod(os.path.join(path, name), 0o700)
    if directory.exists():
        shutil.rmtree(directory)


class Case:
    """One command with its input, run in a directory that `prepare` fills anew each time."""

    def __init__(
        self,
        command: Command,
        directory: Path,
        *,
        stdin: bytes = b"",
        env: Mapping[str, str] | None = None,
        timeout: float = 10.0,
        prepare: Prepare | None = None,
        compare_files: bool = False,
        options: Sequence[str] = (),
    ) -> None:
        self.command = command
        self.directory = directory
        self.stdin = stdin
        self.env = environment(env)
        self.timeout = timeout
        self.prepare = prepare
        self.compare_files = compare_files
        self.options = list(options)

    def native(self) -> Outcome:
        """The program on this machine's kernel."""
        outcome = self._run(self.command)
        if not self.compare_files:
            outcome.files = {}
        return outcome

    def inside(self, options: Sequence[str] = ()) -> Outcome:
        """The program in the sandbox; writes go to memory unless files are compared."""
        chosen = [*options, *self.options]
        if self.compare_files:
            chosen += ["--volume", f"{self.directory}:{self.directory}:rw"]
        outcome = self._run(sandbox.command(self.command, chosen))
        if not self.compare_files:
            untouched = self._fresh()
            assert outcome.files == untouched, "the sandbox changed files of the host"
            outcome.files = {}
        return outcome

    def _fresh(self) -> dict[str, str]:
        _remove(self.directory)
        self.directory.mkdir(mode=0o755)
        if self.prepare:
            self.prepare(self.directory)
        return snapshot(self.directory)

    def _run(self, command: Command) -> Outcome:
        self._fresh()
        finished = run(
            command, cwd=self.directory, stdin=self.stdin, env=self.env, timeout=self.timeout
        )
        return Outcome(finished, snapshot(self.directory))
