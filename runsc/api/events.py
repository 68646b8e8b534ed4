"""What happens to the containers of a sandbox, one after the other."""

from __future__ import annotations

from runsc_py.runsc.api.closing import Closing
from runsc_py.runsc.api.results import Event

TYPE_CHECKING = False
if TYPE_CHECKING:
    from runsc_py.runsc.control.client import ControlClient


class Events(Closing):
    """An iterator that waits for the next event; it ends with the sandbox.

    Use it in a `with` statement, or call `close`.
    """

    def __init__(self, client: ControlClient) -> None:
        """Listen from now on.  Takes over the connection."""
        self._client = client
        self._events = client.events(client.subscribe())

    def __iter__(self) -> Events:
        return self

    def __next__(self) -> Event:
        event = next(self._events)
        return Event(event.kind, event.container_id, event.data)

    def close(self) -> None:
        """Listen no more."""
        self._client.close()
