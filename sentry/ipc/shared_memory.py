"""System V shared memory: shmget(2), shmat(2), shmdt(2), shmctl(2).

A segment is a memfd that the host maps into every process which attaches it.
"""

import os

from runsc_py.sentry.abi.ipc import SHM_DEST, SHM_LOCKED, SHMID_DS, SHMMNI
from runsc_py.sentry.errors import EINVAL
from runsc_py.sentry.ipc.registry import IpcObject, Registry, now

TYPE_CHECKING = False
if TYPE_CHECKING:
    from runsc_py.sentry.kernel.namespaces import IpcNamespace
    from runsc_py.sentry.kernel.task import Task

KIND = "shared memory"


class Segment(IpcObject):
    """A shared memory segment; `size` is what was asked for, bytes."""

    __slots__ = (
        "attach_time",
        "attached",
        "creator",
        "descriptor",
        "detach_time",
        "last_user",
        "locked",
        "registry",
        "size",
    )

    def __init__(
        self, task: "Task", key: int, mode: int, size: int, registry: "Registry[Segment]"
    ) -> None:
        super().__init__(task, key, mode)
        #: SHM_LOCK: shown; the host decides what stays in memory
        self.locked = False
        self.size = size
        self.descriptor = os.memfd_create(f"SYSV{key & 0xFFFFFFFF:08x}", os.MFD_CLOEXEC)
        try:
            os.ftruncate(self.descriptor, (size + 4095) & ~4095)
        except OSError:
            os.close(self.descriptor)
            raise
        self.registry = registry
        self.attached = 0
        self.creator = task.thread_group.identifier
        self.last_user = 0
        self.attach_time = 0
        self.detach_time = 0

    def attach(self, task: "Task") -> None:
        """A process maps it."""
        self.attached += 1
        self.last_user = task.thread_group.identifier
        self.attach_time = now(task)

    def detach(self) -> None:
        """A process unmapped it; a removed segment ends with its last user."""
        self.attached -= 1
        if not self.attached and self.removed:
            self.destroy()

    def remove(self) -> None:
        """IPC_RMID: gone at once, or once nobody has it attached."""
        if self.attached:
            self.registry.forget_key(self)
            self.key = 0
        else:
            self.destroy()

    def destroy(self) -> None:
        """Give the memory back."""
        self.registry.remove(self)
        os.close(self.descriptor)

    def status(self) -> bytes:
        """struct shmid_ds."""
        return SHMID_DS.pack(
            self.permissions(
                (SHM_DEST if self.removed else 0) | (SHM_LOCKED if self.locked else 0)
            ),
            self.size,
            self.attach_time,
            self.detach_time,
            self.change_time,
            self.creator,
            self.last_user,
            self.attached,
        )


def segments(namespace: "IpcNamespace") -> "Registry[Segment]":
    """The namespace's segments."""
    registry = namespace.objects.get(KIND)
    if registry is None:
        registry = namespace.objects[KIND] = Registry[Segment](SHMMNI)
    assert isinstance(registry, Registry)
    return registry


def check_size(size: int) -> None:
    """Errors: EINVAL."""
    if not 0 < size < 1 << 46:
        raise EINVAL
