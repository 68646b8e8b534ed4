"""Files of a container that its engine changes while it runs (`podman cp`).

The root directory is for the container alone, and so cached without asking the host again.  That
ends with the first who opens something of it by way of our mount namespace: from then on the
host is asked.  A host that does not tell of it (in a user namespace) is asked from the beginning.
Whoever knows the directory by another path is not noticed; `--file-access=shared` is for those.
"""

from __future__ import annotations

import os

from runsc_py.sentry.fs.gofer.filesystem import GoferFileSystem
from runsc_py.sentry.kernel.waiting import POLLIN, WaitQueue

TYPE_CHECKING = False
if TYPE_CHECKING:
    from runsc_py.runsc.loader.loader import ContainerInformation
    from runsc_py.sentry.kernel.kernel import Kernel


class Visits:
    """Waits for the first one."""

    __slots__ = ("_descriptor", "_filesystem", "_kernel", "_queue")

    def __init__(self, kernel: Kernel, filesystem: GoferFileSystem, descriptor: int) -> None:
        self._kernel = kernel
        self._filesystem = filesystem
        self._descriptor = descriptor
        self._queue = WaitQueue()
        self._queue.add(self)
        kernel.events.watch(descriptor, POLLIN, self._queue)

    def wake(self, events: int) -> None:
        """Somebody came (Waiter protocol).  What he opened is not asked for: one is enough."""
        self._filesystem.share()
        self.close()

    def close(self) -> None:
        """Wait no longer; nothing happens twice."""
        if self._descriptor >= 0:
            self._kernel.events.unwatch(self._descriptor, self._queue)
            os.close(self._descriptor)
            self._descriptor = -1


def await_visits(information: ContainerInformation, descriptor: int) -> None:
    """Have the root directory of a container looked after; takes over the descriptor."""
    filesystem = _exclusive_root(information)
    if filesystem is not None:
        information.visits = Visits(information.container.kernel, filesystem, descriptor)
    else:
        os.close(descriptor)


def expect_visits(information: ContainerInformation) -> None:
    """Somebody may come unnoticed at any time."""
    filesystem = _exclusive_root(information)
    if filesystem is not None:
        filesystem.share()


def _exclusive_root(information: ContainerInformation) -> GoferFileSystem | None:
    namespace = information.mount_namespace
    assert namespace is not None
    filesystem = namespace.root.filesystem
    if isinstance(filesystem, GoferFileSystem) and not filesystem.shared:
        return filesystem
    return None
