"""`Sandbox`: a kernel of its own for programs that nobody trusts, as long as somebody holds it."""

from __future__ import annotations

import atexit
import os
import tempfile
import weakref
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Lock

from runsc_py.runsc.api.arguments import size_of
from runsc_py.runsc.api.container import Container
from runsc_py.runsc.api.events import Events
from runsc_py.runsc.api.settings import ContainerOptions, Settings
from runsc_py.runsc.control.calls import MemoryUsage
from runsc_py.runsc.options import parse_host_name

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Unpack

    from runsc_py.runsc.control.client import ControlClient


class Sandbox(Container):
    """A kernel, and a container in it to run programs in.

    It ends with the Python process that made it, however that ends, and belongs to that process
    alone: a fork of it cannot use it, and does not keep it.
    """

    def __init__(
        self,
        *,
        hostname: str = "sandbox",
        network: str = "none",
        memory: int | str | None = None,
        pids: int | None = None,
        **options: Unpack[ContainerOptions],
    ) -> None:
        """Start it.  Raises RunscError.

        `memory` (bytes or "256M") is that of all programs together; more ends the sandbox.
        `pids`: processes and threads at a time.  The others are those of the first container
        (settings.py).
        """
        self._containers: list[Container] = []
        self._events: ControlClient | None = None
        self._end: tuple[str, str] | None = None
        self._end_lock = Lock()
        settings = Settings(options)
        settings.host_name = parse_host_name(hostname)
        settings.network = network
        settings.memory = None if memory is None else size_of("memory", memory)
        settings.pids = pids
        directory = tempfile.mkdtemp(prefix="runsc-py-")
        super().__init__(settings, directory, os.path.join(directory, "state"))
        try:
            self._events = self.client()
            self._subscription = self._events.subscribe(self.identifier)
        except BaseException:
            self.close()
            raise
        _open.add(self)

    def add_container(self, **options: Unpack[ContainerOptions]) -> Container:
        """One more container: other files and processes, the same kernel, network and limits.

        Its end leaves the others alone.  Raises RunscError.
        """
        settings = Settings(options)
        settings.sandbox = self.identifier
        settings.network = self._settings.network
        directory = os.path.join(self._directory, f"{self.identifier}-{len(self._containers) + 1}")
        os.mkdir(directory, 0o700)
        made = _FurtherContainer(self, settings, directory, self._state)
        self._containers.append(made)
        return made

    def close(self) -> None:
        """End every program and forget the sandbox; nothing happens twice."""
        super().close()
        for container in self._containers:
            container.close()
        if self._events is not None:
            self.why_it_ended()
            self._events.close()
            self._events = None
        _open.discard(self)

    def abandon(self) -> None:
        """As for each container."""
        super().abandon()
        for container in self._containers:
            container.abandon()
        if self._events is not None:
            self._events.close()
            self._events = None

    # -- the whole sandbox ---------------------------------------------------------------------

    def pause(self) -> None:
        """Stop everything in it where it is."""
        with self.client() as client:
            client.pause()

    def resume(self) -> None:
        """Let it go on."""
        with self.client() as client:
            client.resume()

    @contextmanager
    def paused(self) -> Iterator[None]:
        """Everything stands still for as long as a `with` statement takes."""
        self.pause()
        try:
            yield
        finally:
            self.resume()

    def update(self, *, memory: int | str | None = None, pids: int | None = None) -> None:
        """Other limits; None leaves one as it is, -1 takes it away."""
        size = memory if memory in (None, -1) else size_of("memory", memory or 0)
        with self.client() as client:
            client.update(size if isinstance(size, int) else None, pids)

    def usage(self) -> MemoryUsage:
        """Memory of the sandbox, bytes."""
        with self.client() as client:
            return client.usage(full=True)

    def events(self) -> Events:
        """What happens to its containers from now on: an iterator, and to be closed."""
        return Events(self.client())

    def why_it_ended(self) -> tuple[str, str]:
        """The reason and a line for a person, once it is gone."""
        with self._end_lock:
            if self._end is None:
                self._end = "sandbox", "the sandbox has ended"
                if self._events is not None:
                    for event in self._events.events(self._subscription):
                        if event.kind == "oom":
                            self._end = "memory", str(event.data.get("message", ""))
            return self._end


class _FurtherContainer(Container):
    """One that `Sandbox.add_container` has made."""

    def __init__(self, sandbox: Sandbox, settings: Settings, directory: str, state: str) -> None:
        self._sandbox = sandbox
        super().__init__(settings, directory, state)

    def why_it_ended(self) -> tuple[str, str]:
        """The sandbox's reason."""
        return self._sandbox.why_it_ended()


#: those that this process has to close
_open: weakref.WeakSet[Sandbox] = weakref.WeakSet()


def _close_all() -> None:
    for sandbox in list(_open):
        sandbox.close()


def _abandon_all() -> None:
    for sandbox in list(_open):
        sandbox.abandon()
    _open.clear()


atexit.register(_close_all)
os.register_at_fork(after_in_child=_abandon_all)
