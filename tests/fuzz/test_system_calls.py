"""A guest that fires random system calls with random arguments harms nobody but itself.

One sandbox plays every round (`system_calls.c` tells what that is). After each, a program of the
same sandbox still runs, the sandbox does not gather host descriptors, and its log has nothing to
report; in the end no host process and no file is left. A handler that raises what is not an errno
ends the sandbox with a traceback, so the round that did it is found.

`make test` plays the same few rounds at every run, `make fuzz` new ones for about a minute.
"""

import os
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from harness import sandbox
from harness.compiler import compile_c
from harness.live import Live

ROUNDS = int(os.environ.get("RUNSC_FUZZ_ROUNDS", "40"))
SECONDS_A_ROUND = 5
EXPECTED = ("unsupported system call", "debug: EXEC: ")
"""What the log may say."""
UNCOLLECTED = 10
"""Host descriptors of objects in reference cycles, which the interpreter has yet to find."""


class Rounds:
    """A sandbox with the driver in it; started anew when a round was its end."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.log = directory / "log"
        self.live: Live | None = None
        self.descriptors = 0

    def start(self) -> Live:
        """The running sandbox, after a round that makes what is made once."""
        options = ("--network", "none", "--memory", "2G", "--debug", "--log", str(self.log))
        program = compile_c(Path(__file__).with_name("system_calls.c"))
        self.live = Live(sandbox.command([program], options), self.directory)
        self.answer("1 300 1 0")
        self.descriptors = len(self.held())
        return self.live

    def held(self) -> list[str]:
        """What the sandbox's open host descriptors refer to."""
        assert self.live is not None
        directory = Path(f"/proc/{self.live.process.pid}/fd")
        return [os.readlink(entry) for entry in directory.iterdir()]

    def answer(self, line: str) -> bytes:
        """Play a round; what the driver says of it."""
        assert self.live is not None
        self.live.send(line.encode() + b"\n")
        return self.live.expect(b"\n", patience=60.0)

    def play(self, line: str) -> None:
        """Play a round and see that nothing came of it."""
        live = self.live or self.start()
        try:
            answer = self.answer(line)
            assert answer in (b"finished, true: 0", b"ended, true: 0"), answer + live.seen
            held = self.held()
            assert len(held) <= self.descriptors + UNCOLLECTED, Counter(held)
            assert not self.reports()
        except BaseException:
            self.live = None
            live.__exit__(AssertionError, None, None)
            self.log.unlink(missing_ok=True)
            raise

    def reports(self) -> list[str]:
        """The lines of the log that should not be there."""
        if not self.log.exists():
            return []
        lines = self.log.read_text().splitlines()
        return [line for line in lines if not any(expected in line for expected in EXPECTED)]

    def finish(self) -> None:
        """The driver and with it the sandbox end when there is nothing more to play."""
        if self.live is None:
            return
        with self.live as live:
            assert live.process.stdin is not None
            live.process.stdin.close()
            assert live.rest() == b""
            assert live.wait() == 0


@pytest.fixture
def rounds(tmp_path: Path, native_only: bool) -> Iterator[Rounds]:
    """A sandbox to play in; its end is part of the test."""
    if native_only:
        pytest.skip("the calls are for the sandbox; the host is spared")
    played = Rounds(tmp_path)
    yield played
    played.finish()
    assert {path.name for path in tmp_path.iterdir()} <= {"log"}


@pytest.mark.slow
@pytest.mark.timeout(120 + ROUNDS * SECONDS_A_ROUND)
@settings(
    max_examples=ROUNDS,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(
    seed=st.integers(0, 2**48),
    calls=st.integers(1, 400),
    tasks=st.integers(1, 4),
    privileges=st.sampled_from((0, 1, 2)),
)
def test_random_calls(rounds: Rounds, seed: int, calls: int, tasks: int, privileges: int) -> None:
    """Whatever a round calls, the sandbox goes on as before."""
    rounds.play(f"{seed} {calls} {tasks} {privileges}")
