"""The limits of System V IPC in a namespace: /proc/sys/kernel/msgmax and its like (sysvipc(7)).

How many objects there may be of a kind is the limit of its registry.
"""

from runsc_py.sentry.abi.ipc import (
    MSGMAX,
    MSGMNB,
    SEMMNS,
    SEMMSL,
    SEMOPM,
    SHMALL,
    SHMMAX,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from runsc_py.sentry.kernel.namespaces import IpcNamespace

KIND = "settings"


class IpcSettings:
    """The names are those of the files; of `sem` those of semctl(2)'s IPC_INFO."""

    __slots__ = (
        "msgmax",
        "msgmnb",
        "semmns",
        "semmsl",
        "semopm",
        "shm_rmid_forced",
        "shmall",
        "shmmax",
    )

    def __init__(self) -> None:
        #: bytes in a message, and in a new queue
        self.msgmax = MSGMAX
        self.msgmnb = MSGMNB
        #: semaphores in a set, in all sets, operations in a call
        self.semmsl = SEMMSL
        self.semmns = SEMMNS
        self.semopm = SEMOPM
        #: bytes in a segment, pages in all
        self.shmmax = SHMMAX
        self.shmall = SHMALL
        #: a segment ends when nobody has it attached and its maker is gone
        self.shm_rmid_forced = 0


def ipc_settings(namespace: "IpcNamespace") -> IpcSettings:
    """Those of a namespace."""
    settings = namespace.objects.get(KIND)
    if settings is None:
        settings = namespace.objects[KIND] = IpcSettings()
    assert isinstance(settings, IpcSettings)
    return settings
