"""The terminals of a container by number: pseudo-terminals and the host's.

A terminal of the host that a program was started on appears in /dev/pts like a pseudo-terminal, so
that ttyname(3), tty(1) and ps(1) find a name for it.  A plain `run` has one registry,
`kernel.terminals`; each container has one of its own, and none sees another's.  So has each devpts
that is mounted inside.
"""

from __future__ import annotations

from weakref import ref

from runsc_py.sentry.errors import ENOSPC

TYPE_CHECKING = False
if TYPE_CHECKING:
    from runsc_py.sentry.fs.devpts.pair import PseudoTerminal
    from runsc_py.sentry.fs.host_terminal import HostTerminal
    from runsc_py.sentry.kernel.kernel import Kernel
    from runsc_py.sentry.kernel.task import Task
    from runsc_py.sentry.vfs.mount import MountNamespace

#: /proc/sys/kernel/pty/max
MAXIMUM = 4096
#: what the option max= of a devpts may be at most (NR_UNIX98_PTY_MAX)
LARGEST_MAXIMUM = 1 << 20


class TerminalRegistry:
    """Terminals by their number in /dev/pts."""

    __slots__ = ("_namespace", "_terminals", "host", "kernel", "maximum")

    def __init__(self, kernel: Kernel) -> None:
        self.kernel = kernel
        #: the one that /dev/console is
        self.host: HostTerminal | None = None
        self._terminals: dict[int, PseudoTerminal | HostTerminal] = {}
        self._namespace: ref[MountNamespace] | None = None
        #: how many there may be; 0: as many as the machine allows
        self.maximum = 0

    @property
    def namespace(self) -> MountNamespace | None:
        """Where /dev/pts is looked for; None when it is gone."""
        if self._namespace is None:
            return self.kernel.root_mount_namespace
        return self._namespace()

    @namespace.setter
    def namespace(self, namespace: MountNamespace) -> None:
        self._namespace = ref(namespace)

    def get(self, number: int) -> PseudoTerminal | HostTerminal | None:
        """The terminal with this number."""
        return self._terminals.get(number)

    def numbers(self) -> list[int]:
        """Those in use, ascending."""
        return sorted(self._terminals)

    def free_number(self) -> int:
        """The lowest.  Errors: ENOSPC."""
        number = 0
        while number in self._terminals:
            number += 1
        if number >= min(self.maximum or MAXIMUM, MAXIMUM):
            raise ENOSPC
        return number

    def new_pair(self) -> PseudoTerminal:
        """What opening /dev/ptmx makes.  Errors: ENOSPC."""
        from runsc_py.sentry.fs.devpts.pair import PseudoTerminal

        number = self.free_number()
        pair = self._terminals[number] = PseudoTerminal(self, number)
        return pair

    def add_host(self, terminal: HostTerminal) -> None:
        """A terminal of the host becomes known by its number; the first one is the console."""
        self._terminals[terminal.number] = terminal
        if self.host is None:
            self.host = terminal

    def remove(self, number: int) -> None:
        """Both ends of a pair, or all of a host's terminal, are closed."""
        removed = self._terminals.pop(number, None)
        if removed is self.host:
            self.host = None


def terminals_of(task: Task) -> TerminalRegistry:
    """The terminals of the task's container."""
    container = task.thread_group.container
    return task.kernel.terminals if container is None else container.terminals
