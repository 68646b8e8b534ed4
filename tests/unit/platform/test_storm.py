"""Everything at once, in random order: nothing hangs, nothing is lost, nothing is left."""

import os
import random
import signal
from collections import Counter
from contextlib import suppress

import pytest

from harness.machine_code import DATA, PAGE, SPIN, again, call, new_guest, read_byte
from runsc_py.platform.interface import ContextGone, Event
from runsc_py.platform.ptrace import PtracePlatform
from runsc_py.platform.ptrace.context import PtraceContext

SYS_MPROTECT = 10
HOLE = 0x700000
PROGRAMS = (again(call(39)), SPIN, again(call(39) + read_byte(HOLE)))
STRANGERS = [getattr(signal, f"SIG{name}") for name in ["KILL", "STOP", "CONT", "USR1", "SEGV"]]
MOST_GUESTS = 40


class Storm:
    """A sentry without a plan."""

    def __init__(self, platform: PtracePlatform, seed: int) -> None:
        self.platform = platform
        self.chance = random.Random(seed)
        self.stopped: list[PtraceContext] = []
        self.running: list[PtraceContext] = []
        self.events: Counter[int] = Counter()

    def start(self) -> None:
        if len(self.stopped) + len(self.running) < MOST_GUESTS:
            self.stopped.append(new_guest(self.platform, self.chance.choice(PROGRAMS)))

    def resume(self) -> None:
        context = self.stopped.pop(self.chance.randrange(len(self.stopped)))
        if self.chance.random() < 0.7:
            context.set_result(5)
        if context.event == Event.FAULT:
            context.registers.rip += len(read_byte(HOLE))
            context.set_registers_changed()
        context.resume()
        self.running.append(context)

    def clone(self) -> None:
        if len(self.stopped) + len(self.running) >= MOST_GUESTS:
            return
        context = self.chance.choice(self.stopped)
        with suppress(ContextGone):
            if self.chance.random() < 0.5:
                self.stopped.append(context.clone_thread())
            else:
                self.stopped.append(context.clone_process(self.chance.random() < 0.5))

    def execute(self) -> None:
        with suppress(ContextGone):
            assert self.chance.choice(self.stopped).execute(SYS_MPROTECT, DATA, PAGE, 3) == 0

    def end(self) -> None:
        contexts = self.chance.choice([each for each in (self.stopped, self.running) if each])
        contexts.pop(self.chance.randrange(len(contexts))).exit()

    def strike(self) -> None:
        context = self.chance.choice(self.stopped + self.running)
        with suppress(ProcessLookupError):
            os.kill(context.pid, self.chance.choice(STRANGERS))

    def wait(self) -> None:
        self.chance.choice(self.running).interrupt()
        context = self.platform.wait()
        if context is None:
            return
        self.events[context.event] += 1
        if context.event == Event.EXITED:
            owners = self.running if context in self.running else self.stopped
            owners.remove(context)
            context.exit()
        else:
            self.running.remove(context)
            self.stopped.append(context)

    def step(self) -> None:
        """One thing that may happen now."""
        choices = [(self.start, 1)]
        if self.stopped:
            choices += [(self.resume, 20), (self.clone, 4), (self.execute, 3)]
        if self.running:
            choices += [(self.wait, 20)]
        if self.stopped or self.running:
            choices += [(self.end, 2), (self.strike, 1)]
        actions, weights = zip(*choices, strict=True)
        self.chance.choices(actions, weights)[0]()
        assert self.platform.running <= len(self.running)


@pytest.mark.parametrize("seed", range(4))
def test_storm(platform: PtracePlatform, seed: int) -> None:
    storm = Storm(platform, seed)
    for _ in range(3000):
        storm.step()
    assert set(storm.events) == {Event.SYSCALL, Event.FAULT, Event.INTERRUPTED, Event.EXITED}
