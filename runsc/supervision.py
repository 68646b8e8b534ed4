"""Limits of a whole sandbox that are watched from outside of the guest: time and memory.

`--pids` and `--files` are refused where they are asked for, inside the sentry, and memory files
(tmpfs) are counted as they grow.  What is here looks at the clock, at the processor time and at
the memory of the processes: the less of it is left, the more often.
"""

import resource
from collections.abc import Callable

from runsc_py.runsc.options import RunOptions
from runsc_py.runsc.result import RunResult
from runsc_py.sentry.kernel.kernel import Kernel
from runsc_py.sentry.kernel.timers import TimerHandle

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from runsc_py.sentry.kernel.thread_group import ThreadGroup

SECOND = 1_000_000_000
PAGE_SIZE = 4096
#: nanoseconds between two looks
LONGEST_INTERVAL = 50_000_000
SHORTEST_INTERVAL = 5_000_000
#: bytes a second that processes can fill at most, as far as the interval is concerned
FILL_RATE = 4 << 30


class Supervisor:
    """Ends the kernel when a limit is reached, and says how the run ended."""

    def __init__(self, kernel: Kernel, options: RunOptions) -> None:
        self._kernel = kernel
        self._options = options
        self._memory = MemoryWatch(kernel, measures=options.measures_memory)
        self._own_cpu_before = own_cpu_time()
        if options.wall is not None:
            self._at(int(options.wall * SECOND), self._end_wall)
        if options.cpu is not None:
            self._look_at_cpu()
        self._memory.start()

    def _at(self, delay: int, callback: Callable[[], None]) -> None:
        self._kernel.timers.at(self._kernel.clock.monotonic() + delay, callback)

    def _end_wall(self) -> None:
        self._kernel.end("wall", f"wall-clock limit of {self._options.wall:g} s reached")

    def _look_at_cpu(self) -> None:
        limit = self._options.cpu
        assert limit is not None
        kernel = self._kernel
        left = int(limit * SECOND) - self._cpu_time()
        if left <= 0:
            kernel.end("cpu", f"processor time limit of {limit:g} s reached")
            return
        # Nothing can use it up sooner than all processors together.
        self._at(next_look(left // kernel.options.processors), self._look_at_cpu)

    def _cpu_time(self) -> int:
        """Processor nanoseconds of the guest's processes and of the sentry for them."""
        return guest_cpu_time(self._kernel) + own_cpu_time() - self._own_cpu_before

    def result(self) -> RunResult:
        """The record of the run, which has ended."""
        kernel = self._kernel
        assert kernel.init is not None
        if kernel.end_reason:
            result = RunResult.of_limit(kernel.end_reason, kernel.end_message)
        else:
            result = RunResult.of_status(kernel.init.exit_status)
        result.wall_ns = kernel.clock.boottime() - kernel.boot_time_ns
        result.cpu_user_ns = guest_cpu_time(kernel)
        result.cpu_system_ns = own_cpu_time() - self._own_cpu_before
        result.memory_peak = self._memory.peak or None
        result.processes_peak = kernel.processes_peak
        result.unsupported = dict(kernel.unsupported)
        result.limits_reached = dict(kernel.limits_reached)
        return result


class MemoryWatch:
    """Ends the kernel when it uses more memory than `kernel.limits` says at that moment."""

    def __init__(self, kernel: Kernel, *, measures: bool = False) -> None:
        """`measures`: look even if there is no limit."""
        self._kernel = kernel
        self._measures = measures
        self._timer: TimerHandle | None = None
        #: bytes, the most that was seen
        self.peak = 0

    def limit(self) -> int | None:
        """Bytes; None is none."""
        return self._kernel.limits.memory

    def used(self, limit: int | None) -> int:
        """Bytes in use; see memory_used."""
        kernel = self._kernel
        groups = kernel.root_pid_namespace.thread_groups()
        return memory_used(groups, kernel.memory_file_pages, limit)

    def end(self) -> None:
        """The limit is reached."""
        self._kernel.end_for_memory()

    def stop(self) -> None:
        """Look no longer."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def start(self) -> None:
        """Look now and from now on; also when the limit has changed."""
        self.stop()
        limit = self.limit()
        if limit is None and not self._measures:
            return
        used = self.used(limit)
        self.peak = max(self.peak, used)
        interval = LONGEST_INTERVAL
        if limit is not None:
            if used > limit:
                self.end()
                return
            interval = next_look((limit - used) * SECOND // FILL_RATE)
        now = self._kernel.clock.monotonic()
        self._timer = self._kernel.timers.at(now + interval, self.start)


def next_look(nanoseconds: int) -> int:
    """When to look again at what may be used up in this time: not for ever, and not too often."""
    return min(max(nanoseconds, SHORTEST_INTERVAL), LONGEST_INTERVAL)


def own_cpu_time() -> int:
    """Processor nanoseconds that this process has used."""
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return int((usage.ru_utime + usage.ru_stime) * SECOND)


def guest_cpu_time(kernel: Kernel) -> int:
    """User nanoseconds of every process of the sandbox, ended ones included."""
    living = sum(
        group.user_time() for group in kernel.root_pid_namespace.thread_groups() if group.tasks
    )
    return kernel.ended_usage.user + living


def memory_used(groups: "Iterable[ThreadGroup]", file_pages: int, limit: int | None) -> int:
    """Bytes of memory in use: anonymous and shared memory of processes, and memory files.

    Cached files of the host do not count.  The cheap sum of what is resident will do while it is
    below `limit`, since it is never too little.  Memory files that are mapped would be counted
    twice: of them and of all shared memory the larger counts.
    """
    files = file_pages * PAGE_SIZE
    memories = {group.leader.memory for group in groups if group.tasks}
    resident = sum(memory.resident_set_size() for memory in memories)
    if limit is not None and resident + files <= limit:
        return resident + files
    uses = [memory.memory_use() for memory in memories]
    return sum(use[0] for use in uses) + max(sum(use[1] for use in uses), files)
