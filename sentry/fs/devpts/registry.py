"""The terminals of a sandbox by number: pseudo-terminals and the host's own.

The host's terminal, when `run` was started on one, is terminal 0 and appears in /dev/pts like a
pseudo-terminal, so that ttyname(3), tty(1) and ps(1) find a name for it.
"""

from runsc_py.sentry.errors import ENOSPC

TYPE_CHECKING = False
if TYPE_CHECKING:
    from runsc_py.sentry.fs.devpts.pair import PseudoTerminal
    from runsc_py.sentry.fs.host_terminal import HostTerminal
    from runsc_py.sentry.kernel.kernel import Kernel

#: /proc/sys/kernel/pty/max
MAXIMUM = 4096


class TerminalRegistry:
    """Terminals by their number in /dev/pts."""

    __slots__ = ("host", "kernel", "pairs")

    def __init__(self, kernel: "Kernel") -> None:
        self.kernel = kernel
        self.host: HostTerminal | None = None
        self.pairs: dict[int, PseudoTerminal] = {}

    def get(self, number: int) -> "PseudoTerminal | HostTerminal | None":
        """The terminal with this number."""
        if number == 0 and self.host is not None:
            return self.host
        return self.pairs.get(number)

    def numbers(self) -> list[int]:
        """Those in use, ascending."""
        numbers = sorted(self.pairs)
        return [0, *numbers] if self.host is not None else numbers

    def new_pair(self) -> "PseudoTerminal":
        """What opening /dev/ptmx makes.  Errors: ENOSPC."""
        from runsc_py.sentry.fs.devpts.pair import PseudoTerminal

        number = 0 if self.host is None else 1
        while number in self.pairs:
            number += 1
        if number >= MAXIMUM:
            raise ENOSPC
        pair = PseudoTerminal(self.kernel, number)
        self.pairs[number] = pair
        return pair

    def remove(self, number: int) -> None:
        """Both ends of a pair are closed."""
        self.pairs.pop(number, None)
