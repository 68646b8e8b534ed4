"""Usage.*: memory told without being asked each time, caches given back, what files cost."""

from __future__ import annotations

import gc
import os
import stat
import struct

from runsc_py.runsc.control import calls
from runsc_py.runsc.control.errors import ControlError
from runsc_py.runsc.control.inspection import FileIoStats
from runsc_py.runsc.control.server import LATER
from runsc_py.sentry.fs.gofer.filesystem import GoferFileSystem
from runsc_py.sentry.kernel.io_accounting import IoAccounting

TYPE_CHECKING = False
if TYPE_CHECKING:
    from runsc_py.runsc.control import inspection
    from runsc_py.runsc.control.server import Deferred
    from runsc_py.runsc.loader.loader import ContainerInformation
    from runsc_py.runsc.services.services import Services
    from runsc_py.sentry.kernel.timers import TimerHandle

#: nanoseconds between two looks, at least
SHORTEST_INTERVAL = 10_000_000
#: total, anonymous, mapped, tmpfs, sentry
FIGURES = struct.Struct("<5Q")


def usage_descriptor(
    services: Services, call: inspection.UsageDescriptor, files: list[int], later: Deferred
) -> object:
    """Write figures into the client's file until it hangs up."""
    if len(files) != 1 or not stat.S_ISREG(os.fstat(files[0]).st_mode):
        raise ControlError("usage arguments must contain 1 FD of a regular file")
    if not SHORTEST_INTERVAL <= call.interval < 1 << 62:
        raise ControlError(f"invalid interval {call.interval}: at least {SHORTEST_INTERVAL} ns")
    page = _Page(services, files[0], call.interval)
    page.write()
    files.clear()
    later.confirm(page.close)
    return LATER


class _Page:
    """A file of a client's that holds the figures of a moment ago."""

    def __init__(self, services: Services, descriptor: int, interval: int) -> None:
        self._services = services
        self._kernel = services.loader.kernel
        self._descriptor = descriptor
        self._interval = interval
        self._timer: TimerHandle | None = None

    def write(self) -> None:
        """Now, and again after the interval.  Raises OSError the first time only."""
        usage = self._services.observation.usage(calls.Usage())
        figures = (usage.total, usage.anonymous, usage.mapped, usage.tmpfs, usage.sentry)
        os.pwrite(self._descriptor, FIGURES.pack(*figures), 0)
        now = self._kernel.clock.monotonic()
        self._timer = self._kernel.timers.at(now + self._interval, self._again)

    def _again(self) -> None:
        try:
            self.write()
        except OSError as error:  # its disk is full, or it was sealed: the client's own doing
            self._kernel.log.debug(f"control: figures of memory: {error.strerror}")

    def close(self) -> None:
        """Nobody reads them any more."""
        if self._timer is not None:
            self._timer.cancel()
        os.close(self._descriptor)


def reduce(services: Services, call: inspection.Reduce, files: list[int], later: Deferred) -> int:
    """Drop what is kept for the case that it is wanted again."""
    before = services.observation.usage(calls.Usage()).sentry
    mounts = (
        mount
        for information in services.loader.containers.values()
        if information.mount_namespace is not None
        for mount in information.mount_namespace.mounts
    )
    for filesystem in {mount.filesystem for mount in mounts}:
        if isinstance(filesystem, GoferFileSystem):
            filesystem.forget_unused()
        else:
            filesystem.dentries.drop_unused()
    gc.collect()
    return max(before - services.observation.usage(calls.Usage()).sentry, 0)


def file_io(
    services: Services, call: inspection.GetFileIoStats, files: list[int], later: Deferred
) -> dict[str, FileIoStats]:
    """Sums of /proc/PID/io."""
    return {name: file_io_of(one) for name, one in services.loader.containers.items()}


def file_io_of(information: ContainerInformation) -> FileIoStats:
    """Of one container."""
    total = IoAccounting()
    for group in information.container.processes():
        total.add(group.past_io)
        for task in group.tasks:
            total.add(task.io)
    return FileIoStats(total.reads, total.writes, total.characters_read, total.characters_written)
