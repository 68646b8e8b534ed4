"""System V shared memory: shmget(2), shmat(2), shmdt(2), shmctl(2).

A segment is a memfd that the host maps into every process which attaches it.  It ends with
IPC_RMID, or with its IPC namespace once nobody has it attached.
"""

import os
from weakref import ref

from runsc_py.sentry.abi.ipc import SHM_DEST, SHM_LOCKED, SHMID_DS, SHMMNI
from runsc_py.sentry.errors import EINVAL, ENOSPC
from runsc_py.sentry.ipc.registry import IpcObject, LastUser, Registry, now
from runsc_py.sentry.ipc.settings import ipc_settings

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from runsc_py.sentry.kernel.namespaces import IpcNamespace
    from runsc_py.sentry.kernel.task import Task

KIND = "shared memory"
#: what the host can make a memfd of
MAXIMUM_SIZE = 1 << 46


class Segment(IpcObject):
    """A shared memory segment; `size` is what was asked for, bytes."""

    __slots__ = (
        "_registry",
        "attach_time",
        "attached",
        "creator",
        "descriptor",
        "detach_time",
        "last_user",
        "locked",
        "maker",
        "pages",
        "settings",
        "size",
    )

    def __init__(
        self, task: "Task", key: int, mode: int, size: int, registry: "Registry[Segment]"
    ) -> None:
        self.descriptor = -1
        super().__init__(task, key, mode)
        #: SHM_LOCK: shown; the host decides what stays in memory
        self.locked = False
        self.size = size
        self.descriptor = os.memfd_create(f"SYSV{key & 0xFFFFFFFF:08x}", os.MFD_CLOEXEC)
        os.ftruncate(self.descriptor, (size + 4095) & ~4095)
        #: weakly: who has the segment attached does not keep its namespace alive, nor it itself
        self._registry = ref(registry)
        self.attached = 0
        self.pages = ((size + 4095) & ~4095) >> 12
        self.settings = ipc_settings(task.namespaces.ipc)
        self.creator = LastUser(task)
        self.maker = task.thread_group
        self.last_user = LastUser()
        self.attach_time = 0
        self.detach_time = 0

    def __del__(self, close: "Callable[[int], None]" = os.close) -> None:
        if self.descriptor >= 0:
            close(self.descriptor)

    def charge(self) -> int:
        return self.pages

    def attach(self, task: "Task") -> None:
        """A process maps it."""
        self.attached += 1
        self.last_user = LastUser(task)
        self.attach_time = now(task)

    def detach(self) -> None:
        """A process unmapped it; a removed segment ends with its last user."""
        self.attached -= 1
        if not self.attached and (self.removed or self.settings.shm_rmid_forced):
            self.remove()

    def is_abandoned(self) -> bool:
        """Whether shm_rmid_forced ends it though nobody has detached it: its maker is gone."""
        return bool(self.settings.shm_rmid_forced) and not self.maker.tasks

    def remove(self) -> None:
        """IPC_RMID: gone at once, or once nobody has it attached."""
        registry = self._registry()
        if registry is None:
            return
        if self.attached:
            registry.forget_key(self)
            self.key = 0
        else:
            registry.remove(self)

    def status(self, task: "Task") -> bytes:
        """struct shmid_ds."""
        extra_mode = (SHM_DEST if self.removed else 0) | (SHM_LOCKED if self.locked else 0)
        return SHMID_DS.pack(
            self.permissions(task, extra_mode),
            self.size,
            self.attach_time,
            self.detach_time,
            self.change_time,
            self.creator.seen_by(task),
            self.last_user.seen_by(task),
            self.attached,
        )


def segments(namespace: "IpcNamespace") -> "Registry[Segment]":
    """The namespace's segments."""
    registry = namespace.objects.get(KIND)
    if registry is None:
        registry = namespace.objects[KIND] = Registry[Segment](SHMMNI)
    assert isinstance(registry, Registry)
    return registry


def check_size(namespace: "IpcNamespace", size: int) -> None:
    """Errors: EINVAL, ENOSPC."""
    settings = ipc_settings(namespace)
    if not 0 < size <= min(settings.shmmax, MAXIMUM_SIZE):
        raise EINVAL
    if segments(namespace).used + (size + 4095 >> 12) > settings.shmall:
        raise ENOSPC


def destroy_abandoned(namespace: "IpcNamespace") -> None:
    """End the segments that shm_rmid_forced is about."""
    for segment in list(segments(namespace).slots.values()):
        if not segment.attached and segment.is_abandoned():
            segment.remove()


def makes_no_more(namespace: "IpcNamespace") -> None:
    """A process that may have made segments has ended, or left the namespace."""
    if KIND in namespace.objects and ipc_settings(namespace).shm_rmid_forced:
        destroy_abandoned(namespace)
