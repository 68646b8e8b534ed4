"""Who opens files for a service: the superuser of a container, in its mounts."""

from __future__ import annotations

from runsc_py.runsc.control.errors import NOT_FOUND, STATE, ControlError
from runsc_py.sentry.kernel.kernel_thread import KernelThread

TYPE_CHECKING = False
if TYPE_CHECKING:
    from runsc_py.runsc.loader.loader import ContainerInformation, Loader
    from runsc_py.sentry.vfs.mount import MountNamespace


def find_container(loader: Loader, identifier: str) -> ContainerInformation:
    """A container that was started or can be.  Raises ControlError."""
    information = loader.containers.get(identifier)
    if information is None:
        raise ControlError(f'container "{identifier}" does not exist', NOT_FOUND)
    return information


def mounts_of(information: ContainerInformation) -> MountNamespace:
    """What it has mounted, while its first process lives.  Raises ControlError."""
    if information.mount_namespace is None:
        raise ControlError(f'container "{information.identifier}" has stopped', STATE)
    return information.mount_namespace


def walker_in(loader: Loader, identifier: str) -> KernelThread:
    """Somebody who names files as the container does.  Raises ControlError."""
    mounts = mounts_of(find_container(loader, identifier))
    namespaces = loader.namespaces.copy()
    namespaces.mount = mounts
    walker = KernelThread(loader.kernel, namespaces, mounts.root.root_path)
    loader.kernel.current_task = walker
    return walker
