"""msgget(2), msgsnd(2), msgrcv(2), msgctl(2)."""

from runsc_py.sentry.abi.ipc import (
    IPC_INFO,
    IPC_NOWAIT,
    IPC_PERM,
    IPC_RMID,
    IPC_SET,
    IPC_STAT,
    MSG_COPY,
    MSG_EXCEPT,
    MSG_INFO,
    MSG_NOERROR,
    MSG_STAT,
    MSG_STAT_ANY,
    MSGINFO,
    MSGMNB,
    MSGMNI,
    MSQID_DS,
)
from runsc_py.sentry.auth.capabilities import CAP_SYS_RESOURCE
from runsc_py.sentry.errors import E2BIG, EINVAL, ENOMSG, EPERM
from runsc_py.sentry.ipc.messages import MessageQueue, message_queues, receive, send
from runsc_py.sentry.ipc.registry import READ, WRITE, Registry
from runsc_py.sentry.ipc.settings import IpcSettings, ipc_settings
from runsc_py.sentry.kernel.task import Task
from runsc_py.sentry.syscalls.table import Restart, syscall
from runsc_py.sentry.syscalls.types import Address, Int, Long, Size


@syscall(68, "msgget")
def msgget(task: Task, key: Int, flags: Int) -> int:
    """msgget(2)"""
    registry = message_queues(task.namespaces.ipc)

    def make() -> MessageQueue:
        registry.check_space()
        return MessageQueue(task, key, flags)

    return registry.find_or_make(task, key, flags, make, lambda existing: None)


@syscall(69, "msgsnd", restart=Restart.NEVER)
async def msgsnd(task: Task, identifier: Int, message: Address, size: Size, flags: Int) -> int:
    """msgsnd(2)"""
    if size > ipc_settings(task.namespaces.ipc).msgmax or identifier < 0:
        raise EINVAL
    raw = task.memory.copy_in(message, 8 + size)
    kind = int.from_bytes(raw[:8], "little", signed=True)
    if kind < 1:
        raise EINVAL
    target = message_queues(task.namespaces.ipc).get(identifier)
    target.check(task, WRITE)
    await send(task, target, kind, raw[8:], flags)
    return 0


@syscall(70, "msgrcv", restart=Restart.NEVER)
async def msgrcv(
    task: Task, identifier: Int, message: Address, size: Size, kind: Long, flags: Int
) -> int:
    """msgrcv(2)"""
    if size >> 63 or identifier < 0:
        raise EINVAL
    if flags & MSG_COPY and flags & (MSG_EXCEPT | IPC_NOWAIT) != IPC_NOWAIT:
        raise EINVAL
    target = message_queues(task.namespaces.ipc).get(identifier)
    target.check(task, READ)
    if flags & MSG_COPY:
        message_kind, text = _look_at(target, kind, size, flags)
    else:
        message_kind, text = await receive(task, target, kind, size, flags)
    task.memory.copy_out(message, message_kind.to_bytes(8, "little", signed=True) + text)
    return len(text)


def _look_at(target: MessageQueue, index: int, size: int, flags: int) -> tuple[int, bytes]:
    """MSG_COPY: the message at a place, which stays.  Errors: ENOMSG, E2BIG, EINVAL."""
    if not 0 <= index < len(target.messages):
        raise ENOMSG
    message_kind, text = target.messages[index]
    if len(text) > size:
        raise EINVAL if flags & MSG_NOERROR else E2BIG
    return message_kind, text


@syscall(71, "msgctl")
def msgctl(task: Task, identifier: Int, command: Int, address: Address) -> int:
    """msgctl(2)"""
    registry = message_queues(task.namespaces.ipc)
    if command in (IPC_INFO, MSG_INFO):
        information = _information(registry, ipc_settings(task.namespaces.ipc), command)
        task.memory.copy_out(address, information)
        return registry.highest_slot()
    if command in (MSG_STAT, MSG_STAT_ANY):
        found = registry.at_slot(identifier)
        if command == MSG_STAT:
            found.check(task, READ)
        task.memory.copy_out(address, found.status(task))
        return found.identifier
    target = registry.get(identifier)
    if command == IPC_STAT:
        target.check(task, READ)
        task.memory.copy_out(address, target.status(task))
    elif command == IPC_SET:
        _set(task, target, task.memory.copy_in(address, MSQID_DS.size))
    elif command == IPC_RMID:
        target.check_owner(task)
        registry.remove(target)
        target.queue.notify()
    else:
        raise EINVAL
    return 0


def _set(task: Task, target: MessageQueue, raw: bytes) -> None:
    """IPC_SET: a larger queue than usual needs CAP_SYS_RESOURCE."""
    target.check_owner(task)
    limit = MSQID_DS.as_dict(raw)["msg_qbytes"]
    namespace = task.namespaces.ipc
    if limit > ipc_settings(namespace).msgmnb and not task.credentials.has_capability(
        CAP_SYS_RESOURCE, namespace.user_namespace
    ):
        raise EPERM
    target.set_permissions(task, raw[: IPC_PERM.size])
    target.limit = limit
    target.queue.notify()


def _information(registry: Registry[MessageQueue], settings: IpcSettings, command: int) -> bytes:
    pool, entries, total = MSGMNI * MSGMNB // 1024, MSGMNB, MSGMNB
    if command == MSG_INFO:
        queues = registry.slots.values()
        pool = len(registry.slots)
        entries = sum(len(found.messages) for found in queues)
        total = sum(found.used for found in queues)
    return MSGINFO.pack(
        pool, entries, settings.msgmax, settings.msgmnb, registry.limit, 16, total, 0xFFFF
    )
