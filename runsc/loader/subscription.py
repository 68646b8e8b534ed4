"""Events.Subscribe: what happens to containers, told as it happens, and figures now and then."""

from __future__ import annotations

from runsc_py.runsc.control import calls, codec
from runsc_py.runsc.control.errors import ControlError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from runsc_py.runsc.control.server import Deferred
    from runsc_py.runsc.loader.loader import Loader
    from runsc_py.sentry.kernel.timers import TimerHandle

#: nanoseconds between two statistics, at least: nobody is to keep the sandbox busy by watching it
SHORTEST_INTERVAL = 10_000_000


class Subscription:
    """Of one client, until it hangs up."""

    def __init__(
        self,
        loader: Loader,
        call: calls.Subscribe,
        later: Deferred,
        statistics: Callable[[str], calls.ContainerStats],
    ) -> None:
        """Raises ControlError for an interval that cannot be kept."""
        interval = call.stats_interval
        if interval and not SHORTEST_INTERVAL <= interval < 1 << 62:
            raise ControlError(f"invalid interval {interval}: at least {SHORTEST_INTERVAL} ns")
        self._loader = loader
        self._container_id = call.container_id
        self._interval = interval
        self._later = later
        self._statistics = statistics
        self._timer: TimerHandle | None = None
        loader.listeners.append(self._tell)
        later.confirm(self._close)
        if interval:
            self._tick()

    def _tell(self, event: calls.EventMessage) -> None:
        if self._container_id in ("", event.container_id):
            self._later.event(event)

    def _tick(self) -> None:
        """Send statistics of every container that was started and lives."""
        kernel = self._loader.kernel
        self._timer = kernel.timers.at(kernel.clock.monotonic() + self._interval, self._tick)
        for identifier in list(self._loader.containers):
            if self._loader.runtime_state(identifier) == calls.RUNNING:
                data = codec.encode(self._statistics(identifier))
                assert isinstance(data, dict)
                self._tell(calls.EventMessage("stats", identifier, data))

    def _close(self) -> None:
        self._loader.listeners.remove(self._tell)
        if self._timer is not None:
            self._timer.cancel()
