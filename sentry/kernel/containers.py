"""Containers of one kernel, and programs in them: which processes belong together.

A process belongs to the container of the process that made it, and to the program (what one call
of the runtime started) as well; nothing inside can leave either.  They say who gets a signal that
is for all, what `ps` lists and who is charged.
"""

from __future__ import annotations

from runsc_py.sentry.abi.signals import SIGKILL
from runsc_py.sentry.kernel.exit import exit_thread_group
from runsc_py.sentry.kernel.limits import SandboxLimits
from runsc_py.sentry.kernel.task import DEAD
from runsc_py.sentry.kernel.usage import Usage

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from runsc_py.sentry.fs.devpts.registry import TerminalRegistry
    from runsc_py.sentry.kernel.kernel import Kernel
    from runsc_py.sentry.kernel.signals import SignalInfo
    from runsc_py.sentry.kernel.thread_group import ThreadGroup
    from runsc_py.sentry.kernel.waiting import WaitQueue
    from runsc_py.sentry.vfs.mount import Mount


class ProcessSet:
    """Processes that belong together, and what those of them that have ended used."""

    __slots__ = ("ended_usage", "kernel")

    def __init__(self, kernel: Kernel) -> None:
        self.kernel = kernel
        self.ended_usage = Usage()

    def has(self, group: ThreadGroup) -> bool:
        """Whether a process belongs to it."""
        raise NotImplementedError

    def processes(self) -> list[ThreadGroup]:
        """Its thread groups in order of their numbers, zombies included."""
        return [one for one in self.kernel.root_pid_namespace.thread_groups() if self.has(one)]

    def living(self) -> list[ThreadGroup]:
        """Those that have not ended."""
        return [group for group in self.processes() if group.tasks]

    def usage(self) -> Usage:
        """What its processes used, ended ones included."""
        return sum((group.usage() for group in self.living()), self.ended_usage)

    def cpu_time(self) -> int:
        """Processor nanoseconds of its processes, ended ones included."""
        ended = self.ended_usage
        return ended.user + ended.system + sum(group.cpu_time() for group in self.living())

    def send_signal(self, info: SignalInfo) -> None:
        """Send to every process.

        Nothing of the guest runs meanwhile, so that no process escapes by forking.
        """
        for group in self.living():
            group.send_signal(info)

    def kill(self) -> None:
        """SIGKILL for every process; they are gone when the run loop has come round."""
        for group in self.living():
            self.kernel.doom(group)

    def end(self) -> None:
        """End every process now, the first one first; for callers that no call waits for."""
        for group in self.living():
            exit_thread_group(group, SIGKILL)

    @property
    def task_count(self) -> int:
        """Its living tasks."""
        return sum(len(group.tasks) for group in self.processes())


class Container(ProcessSet):
    """What belongs together in one sandbox; `identifier` is the runtime's."""

    __slots__ = ("identifier", "limits", "memory_file_pages", "memory_mount", "terminals")

    def __init__(self, kernel: Kernel, identifier: str, terminals: TerminalRegistry) -> None:
        super().__init__(kernel)
        self.terminals = terminals
        self.identifier = identifier
        #: its own, beside those of the sandbox
        self.limits = SandboxLimits()
        #: of its mounts of tmpfs and of its memfds
        self.memory_file_pages = 0
        #: the file system of its memfds, once there is one
        self.memory_mount: Mount | None = None

    def has(self, group: ThreadGroup) -> bool:
        """Whether a process runs in it."""
        return group.container is self


class Program(ProcessSet):
    """A process that the runtime started in a container, and all that came of it."""

    __slots__ = ()

    def has(self, group: ThreadGroup) -> bool:
        """Whether a process is it or descends from it, daemons included."""
        return group.program is self


class OneTimeWaiter:
    """Calls a function once when a queue is notified: how runsc waits for the end of a process."""

    __slots__ = ("_call", "_queue")

    def __init__(self, queue: WaitQueue, call: Callable[[], None]) -> None:
        self._queue = queue
        self._call = call
        queue.add(self)

    def wake(self, events: int) -> None:
        """The queue was notified (Waiter protocol)."""
        self._queue.remove(self)
        self._call()

    def cancel(self) -> None:
        """Wait no longer."""
        self._queue.remove(self)


def is_running(group: ThreadGroup) -> bool:
    """Whether a process has a living leader."""
    return group.leader.state != DEAD and not group.exiting
