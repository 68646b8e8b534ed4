"""Holding everything: `runsc-py pause`.

`pause` asks for it, the run loop then stays in `hold` until `resume` or the end.  Guest threads are
stopped wherever they are; what they stopped for is kept and served afterwards.  Signals sent
meanwhile wait, but SIGKILL ends its process at once, as in a frozen control group of today's Linux.
"""

from __future__ import annotations

from runsc_py.sentry.abi.signals import SIGKILL
from runsc_py.sentry.kernel.exit import exit_thread_group
from runsc_py.sentry.kernel.task import DEAD, RUNNING

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from runsc_py.platform.interface import Context
    from runsc_py.sentry.kernel.kernel import Kernel


def pause(kernel: Kernel) -> None:
    """Hold everything from the next round of the run loop on."""
    kernel.paused = True


def resume(kernel: Kernel) -> None:
    """Let everything go on."""
    kernel.paused = False


def hold(kernel: Kernel, serve: Callable[[Context], Context | None]) -> None:
    """Stop the guest's threads and return when they may go on, which they then do.

    `serve` is the run loop's: it takes a stop, and returns the context when that is to run again.
    """
    for context in kernel.current_contexts():
        if context.owner.state == RUNNING:  # type: ignore[attr-defined]
            context.interrupt()
    stops: list[Context] = []
    while kernel.paused and not kernel.finished:
        while kernel.doomed:
            exit_thread_group(kernel.doomed.pop(), SIGKILL)
        if kernel.finished:
            break
        if not kernel.platform.running:
            kernel.events.poll(block=True)
            continue
        stop = kernel.platform.wait(None)
        if stop is not None:
            stops.append(stop)
        else:
            kernel.events.poll(block=False)
    for stop in stops:
        if kernel.finished or stop.owner.state == DEAD:  # type: ignore[attr-defined]
            continue
        again = serve(stop)
        if again is not None:
            again.resume()
