"""The files of /proc/sys/kernel and /proc/sys/fs/mqueue that an IPC namespace has for itself.

ipc_namespaces(7), sysvipc(7), mq_overview(7).  They belong to the superuser of the user namespace
that owns the IPC namespace.
"""

from collections.abc import Callable

from runsc_py.sentry.abi.mqueue import (
    HARD_MSG_MAX,
    HARD_MSGSIZE_MAX,
    MINIMUM_MSGSIZE_MAX,
)
from runsc_py.sentry.errors import EINVAL, ERANGE
from runsc_py.sentry.fs.proc.setting_files import INT_MAX, root_of, setting
from runsc_py.sentry.fs.synthetic import File, Specification

TYPE_CHECKING = False
if TYPE_CHECKING:
    from runsc_py.sentry.auth.user_namespace import UserNamespace
    from runsc_py.sentry.ipc.settings import IpcSettings
    from runsc_py.sentry.kernel.task import Task

#: Linux's IPCMNI: objects of one kind in a namespace
MAXIMUM_IPC_OBJECTS = 32768
ULONG_MAX = (1 << 64) - 1


def _queues(task: "Task") -> object:
    from runsc_py.sentry.ipc.messages import message_queues

    return message_queues(task.namespaces.ipc)


def _segments(task: "Task") -> object:
    from runsc_py.sentry.ipc.shared_memory import segments

    return segments(task.namespaces.ipc)


def _semaphore_sets(task: "Task") -> object:
    from runsc_py.sentry.ipc.semaphores import semaphore_sets

    return semaphore_sets(task.namespaces.ipc)


def _settings(task: "Task") -> "IpcSettings":
    from runsc_py.sentry.ipc.settings import ipc_settings

    return ipc_settings(task.namespaces.ipc)


def _user_namespace(task: "Task") -> "UserNamespace":
    return task.namespaces.ipc.user_namespace


def _ipc_setting(
    owner: Callable[["Task"], object], name: str, maximum: int, minimum: int = 0
) -> File:
    return setting(owner, name, maximum, minimum, _user_namespace)


def _mqueue_setting(name: str, maximum: int, minimum: int) -> File:
    """A number of the QueueSettings of the IPC namespace."""

    def settings(task: "Task") -> object:
        from runsc_py.sentry.fs.mqueue import mqueue_of

        return mqueue_of(task.kernel, task.namespaces.ipc).settings

    return _ipc_setting(settings, name, maximum, minimum)


def _next_identifier(owner: Callable[["Task"], object]) -> File:
    """What the next System V object is called; -1 once that was used."""
    return _ipc_setting(owner, "next_identifier", INT_MAX, -1)


# -- sem: four numbers in a line -----------------------------------------------------------------


def _semaphore_limits(task: "Task") -> bytes:
    from runsc_py.sentry.ipc.semaphores import semaphore_sets

    settings = _settings(task)
    limit = semaphore_sets(task.namespaces.ipc).limit
    return b"%d\t%d\t%d\t%d\n" % (settings.semmsl, settings.semmns, settings.semopm, limit)


def _set_semaphore_limits(task: "Task", data: bytes) -> None:
    """As many as are given; those before one that is wrong are taken.  Errors: EINVAL, ERANGE."""
    from runsc_py.sentry.ipc.semaphores import semaphore_sets

    settings, registry = _settings(task), semaphore_sets(task.namespaces.ipc)
    owners = (
        (settings, "semmsl"),
        (settings, "semmns"),
        (settings, "semopm"),
        (registry, "limit"),
    )
    words = data.split()
    if len(words) > 3 and words[3].isdigit() and int(words[3]) > MAXIMUM_IPC_OBJECTS:
        raise ERANGE
    for (owner, name), word in zip(owners, words, strict=False):
        try:
            value = int(word)
        except ValueError:
            raise EINVAL from None
        if not 0 <= value <= INT_MAX:
            raise EINVAL
        setattr(owner, name, value)


# -- shm_rmid_forced -----------------------------------------------------------------------------


def _removal_forced(task: "Task") -> bytes:
    return b"%d\n" % _settings(task).shm_rmid_forced


def _force_removal(task: "Task", data: bytes) -> None:
    """Errors: EINVAL."""
    from runsc_py.sentry.ipc.shared_memory import destroy_abandoned

    word = data.strip()
    if word not in (b"0", b"1"):
        raise EINVAL
    _settings(task).shm_rmid_forced = int(word)
    destroy_abandoned(task.namespaces.ipc)


OF_KERNEL: dict[bytes, Specification] = {
    b"auto_msgmni": File(lambda task: b"0\n", lambda task, data: None),
    b"msg_next_id": _next_identifier(_queues),
    b"msgmax": _ipc_setting(_settings, "msgmax", INT_MAX),
    b"msgmnb": _ipc_setting(_settings, "msgmnb", INT_MAX),
    b"msgmni": _ipc_setting(_queues, "limit", MAXIMUM_IPC_OBJECTS),
    b"sem": File(_semaphore_limits, _set_semaphore_limits, owner=root_of(_user_namespace)),
    b"sem_next_id": _next_identifier(_semaphore_sets),
    b"shm_next_id": _next_identifier(_segments),
    b"shm_rmid_forced": File(_removal_forced, _force_removal, owner=root_of(_user_namespace)),
    b"shmall": _ipc_setting(_settings, "shmall", ULONG_MAX),
    b"shmmax": _ipc_setting(_settings, "shmmax", ULONG_MAX),
    b"shmmni": _ipc_setting(_segments, "limit", MAXIMUM_IPC_OBJECTS),
}

MQUEUE: dict[bytes, Specification] = {
    b"msg_default": _mqueue_setting("msg_default", HARD_MSG_MAX, 1),
    b"msg_max": _mqueue_setting("msg_max", HARD_MSG_MAX, 1),
    b"msgsize_default": _mqueue_setting("msgsize_default", HARD_MSGSIZE_MAX, MINIMUM_MSGSIZE_MAX),
    b"msgsize_max": _mqueue_setting("msgsize_max", HARD_MSGSIZE_MAX, MINIMUM_MSGSIZE_MAX),
    b"queues_max": _mqueue_setting("queues_max", INT_MAX, 0),
}
