"""A program that `exec` has started: its limits, kept by the sandbox, and what it came to.

Limits hold for the program's first process and all that descends from it, daemons included, until
the first one ends.  Whoever asked for the program need not be there for that.
"""

from __future__ import annotations

from runsc_py.runsc.control.calls import ProgramEnd
from runsc_py.runsc.control.errors import ControlError
from runsc_py.runsc.supervision import FILL_RATE, SECOND, next_look
from runsc_py.sentry.kernel.containers import OneTimeWaiter, Program

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from runsc_py.runsc.control.calls import ExecuteAsync
    from runsc_py.sentry.kernel.kernel import Kernel
    from runsc_py.sentry.kernel.thread_group import ThreadGroup
    from runsc_py.sentry.kernel.timers import TimerHandle


class LimitedProgram:
    """One program and the limits it was given."""

    def __init__(self, kernel: Kernel, call: ExecuteAsync) -> None:
        """Raises ControlError."""
        for name in ("wall_ns", "cpu_ns", "memory"):
            if getattr(call, name) < 0:
                raise ControlError(f"invalid limit {name}={getattr(call, name)}")
        self._kernel = kernel
        self._call = call
        self.processes = Program(kernel)
        self._timers: dict[str, TimerHandle] = {}
        self._began = self._ended = 0
        #: the limit that ended it
        self._reason = self._message = ""
        self._memory_peak = 0

    def watch(self, group: ThreadGroup) -> None:
        """Its first process runs: from now on the limits are kept."""
        self._began = self._kernel.clock.monotonic()
        OneTimeWaiter(group.exit_queue, self._first_ended)
        if self._call.wall_ns:
            self._look_again("wall", self._call.wall_ns, self._end_wall)
        if self._call.cpu_ns:
            self._look_at_cpu()
        if self._call.memory:
            self._look_at_memory()

    def _look_again(self, what: str, delay: int, look: Callable[[], None]) -> None:
        moment = self._kernel.clock.monotonic() + delay
        self._timers[what] = self._kernel.timers.at(moment, look)

    def _end_wall(self) -> None:
        self._end("wall", f"wall-clock limit of {self._call.wall_ns / SECOND:g} s reached")

    def _look_at_cpu(self) -> None:
        limit = self._call.cpu_ns
        left = limit - self.processes.cpu_time()
        if left <= 0:
            self._end("cpu", f"processor time limit of {limit / SECOND:g} s reached")
            return
        # Nothing can use it up sooner than all processors together.
        self._look_again(
            "cpu", next_look(left // self._kernel.options.processors), self._look_at_cpu
        )

    def _look_at_memory(self) -> None:
        limit = self._call.memory
        memories = {group.leader.memory for group in self.processes.living()}
        used = sum(memory.resident_set_size() for memory in memories)
        if used > limit:
            # Shared pages and the files of the host were counted, too.
            used = sum(sum(memory.memory_use()) for memory in memories)
        self._memory_peak = max(self._memory_peak, used)
        if used > limit:
            self._end("memory", f"memory limit of {limit / (1 << 20):g} MiB reached")
            return
        delay = next_look((limit - used) * SECOND // FILL_RATE)
        self._look_again("memory", delay, self._look_at_memory)

    def _end(self, reason: str, message: str) -> None:
        self._reason, self._message = reason, message
        self.processes.kill()

    def _first_ended(self) -> None:
        self._ended = self._kernel.clock.monotonic()
        for timer in self._timers.values():
            timer.cancel()

    def end(self, status: int) -> ProgramEnd:
        """What became of it, once its first process has ended with this wait status."""
        used = self.processes.usage()
        return ProgramEnd(
            status,
            self._reason,
            self._message,
            self._ended - self._began,
            used.user,
            used.system,
            self._memory_peak,
            used.maximum_resident,
        )
