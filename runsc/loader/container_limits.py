"""Limits of the containers of a sandbox: what their specifications and `update` say of them.

Those of the root container are the sandbox's, as it ends with that.  Another container has its own
beside them: when its processes and memory files need more memory than it may have, all of its
processes are killed, as in a control group with memory.oom.group; the others live on.
"""

from __future__ import annotations

from runsc_py.runsc.containers.cgroups import sentry_limits
from runsc_py.runsc.control import calls
from runsc_py.runsc.supervision import MemoryWatch, memory_used
from runsc_py.sentry.fs.overlay.filesystem import Overlay
from runsc_py.sentry.fs.tmpfs import Tmpfs

TYPE_CHECKING = False
if TYPE_CHECKING:
    from runsc_py.runsc.loader.loader import ContainerInformation, Loader
    from runsc_py.runsc.oci.resources import Resources
    from runsc_py.sentry.kernel.limits import SandboxLimits
    from runsc_py.sentry.vfs.inode import FileSystem

#: microseconds: the period of a quota that comes without one
PERIOD = 100_000


class ContainerLimits:
    """Keeps them, of all containers of one sandbox."""

    def __init__(self, loader: Loader) -> None:
        self._loader = loader
        self._sandbox = MemoryWatch(loader.kernel)
        self._watches: dict[str, ContainerMemoryWatch] = {}
        loader.observers.append(self._heard)
        self._begin(loader.root)

    def _limits(self, information: ContainerInformation) -> SandboxLimits:
        if information is self._loader.root:
            return self._loader.kernel.limits
        return information.container.limits

    def _begin(self, information: ContainerInformation) -> None:
        """What the specification says."""
        linux = information.spec.linux
        if linux is None or linux.resources is None:
            return
        cpu = linux.resources.cpu
        quota, period = (cpu.quota, cpu.period) if cpu is not None else (None, None)
        memory, pids = sentry_limits(_plain(linux.resources))
        self.change(information, memory, pids, quota, period)

    def change(
        self,
        information: ContainerInformation,
        memory: int | None,
        pids: int | None,
        quota: int | None,
        period: int | None,
    ) -> None:
        """Other limits; None leaves one, -1 takes it away."""
        limits = self._limits(information)
        if pids is not None:
            limits.pids = pids if pids > 0 else None
        if quota is not None or period is not None:
            old = limits.quota or (-1, PERIOD)
            new = old[0] if quota is None else quota, period or old[1]
            limits.quota = new if new[0] > 0 else None
        if memory is None:
            return
        limits.memory = memory if memory > 0 else None
        if information is self._loader.root:
            self._sandbox.start()
        else:
            self._watch(information)

    def _watch(self, information: ContainerInformation) -> None:
        watch = self._watches.get(information.identifier)
        if watch is None:
            watch = ContainerMemoryWatch(self._loader, information)
            self._watches[information.identifier] = watch
        watch.start()

    def _heard(self, event: calls.EventMessage) -> None:
        """A container has started, or its first process has ended."""
        information = self._loader.containers.get(event.container_id)
        if event.kind == "started" and information not in (None, self._loader.root):
            self._begin(information)
        elif event.kind == "exited" and event.container_id in self._watches:
            self._watches.pop(event.container_id).stop()


class ContainerMemoryWatch(MemoryWatch):
    """Ends one container, and not the sandbox."""

    def __init__(self, loader: Loader, information: ContainerInformation) -> None:
        super().__init__(loader.kernel)
        self._loader = loader
        self._container = information.container
        namespace = information.mount_namespace
        for mount in namespace.mounts if namespace is not None else ():
            self._charge(mount.filesystem)

    def _charge(self, filesystem: FileSystem) -> None:
        """What is in the container's own mounts is its memory; a shared one is its maker's."""
        if isinstance(filesystem, Overlay):
            filesystem = filesystem.counted
        if isinstance(filesystem, Tmpfs) and filesystem.container is None:
            filesystem.container = self._container
            self._container.memory_file_pages += filesystem.pages_used

    def limit(self) -> int | None:
        """The container's own."""
        return self._container.limits.memory

    def used(self, limit: int | None) -> int:
        """Of its processes, and of files in its memory."""
        container = self._container
        return memory_used(container.living(), container.memory_file_pages, limit)

    def end(self) -> None:
        """Kill it, and say why."""
        container, limit = self._container, self._container.limits.memory
        assert limit is not None
        message = f"memory limit of {limit / (1 << 20):g} MiB reached"
        container.kernel.log.warning(f"container {container.identifier}: {message}")
        data: dict[str, object] = {"message": message}
        self._loader.announce(calls.EventMessage("oom", container.identifier, data))
        container.kill()


def _plain(resources: Resources) -> dict[str, dict[str, int | None]]:
    """The two that the sandbox enforces, as a document has them."""
    memory, pids = resources.memory, resources.pids
    return {
        "memory": {"limit": memory.limit} if memory is not None else {},
        "pids": {"limit": pids.limit} if pids is not None else {},
    }
