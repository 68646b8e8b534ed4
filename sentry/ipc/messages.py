"""System V message queues: msgget(2), msgsnd(2), msgrcv(2), msgctl(2)."""

from runsc_py.sentry.abi.ipc import (
    IPC_NOWAIT,
    MSG_EXCEPT,
    MSG_NOERROR,
    MSGMNI,
    MSQID_DS,
)
from runsc_py.sentry.errors import E2BIG, EAGAIN, EIDRM, ENOMSG
from runsc_py.sentry.ipc.registry import IpcObject, LastUser, Registry, now
from runsc_py.sentry.ipc.settings import ipc_settings
from runsc_py.sentry.kernel.waiting import ANY_EVENT, WaitQueue, wait

TYPE_CHECKING = False
if TYPE_CHECKING:
    from runsc_py.sentry.kernel.namespaces import IpcNamespace
    from runsc_py.sentry.kernel.task import Task

KIND = "message queues"


class MessageQueue(IpcObject):
    """Messages in order of arrival: (type, text)."""

    __slots__ = (
        "last_receiver",
        "last_sender",
        "limit",
        "messages",
        "queue",
        "receive_time",
        "send_time",
        "used",
    )

    def __init__(self, task: "Task", key: int, mode: int) -> None:
        super().__init__(task, key, mode)
        self.messages: list[tuple[int, bytes]] = []
        #: bytes of text held, and allowed
        self.used = 0
        self.limit = ipc_settings(task.namespaces.ipc).msgmnb
        self.last_sender = self.last_receiver = LastUser()
        self.send_time = self.receive_time = 0
        self.queue = WaitQueue()

    def select(self, kind: int, flags: int) -> int | None:
        """The index of the message that msgrcv(2) takes."""
        best: int | None = None
        for index, (message_kind, _) in enumerate(self.messages):
            if kind == 0:
                return index
            if kind > 0:
                if (message_kind == kind) != bool(flags & MSG_EXCEPT):
                    return index
            elif message_kind <= -kind and (best is None or message_kind < self.messages[best][0]):
                best = index
        return best

    def status(self, task: "Task") -> bytes:
        """struct msqid_ds."""
        return MSQID_DS.pack(
            self.permissions(task),
            self.send_time,
            self.receive_time,
            self.change_time,
            self.used,
            len(self.messages),
            self.limit,
            self.last_sender.seen_by(task),
            self.last_receiver.seen_by(task),
        )


def message_queues(namespace: "IpcNamespace") -> "Registry[MessageQueue]":
    """The namespace's queues."""
    registry = namespace.objects.get(KIND)
    if registry is None:
        registry = namespace.objects[KIND] = Registry[MessageQueue](MSGMNI)
    assert isinstance(registry, Registry)
    return registry


async def send(task: "Task", target: MessageQueue, kind: int, text: bytes, flags: int) -> None:
    """msgsnd(2).  Errors: EAGAIN, EIDRM; Interrupted."""
    while target.used + len(text) > target.limit or len(target.messages) + 1 > target.limit:
        if flags & IPC_NOWAIT:
            raise EAGAIN
        await wait(task, ((target.queue, ANY_EVENT),))
        if target.removed:
            raise EIDRM
    target.messages.append((kind, text))
    target.used += len(text)
    target.last_sender = LastUser(task)
    target.send_time = now(task)
    target.queue.notify()


async def receive(
    task: "Task", target: MessageQueue, kind: int, size: int, flags: int
) -> tuple[int, bytes]:
    """msgrcv(2): (type, text).  Errors: ENOMSG, E2BIG, EIDRM; Interrupted."""
    while (index := target.select(kind, flags)) is None:
        if flags & IPC_NOWAIT:
            raise ENOMSG
        await wait(task, ((target.queue, ANY_EVENT),))
        if target.removed:
            raise EIDRM
    message_kind, text = target.messages[index]
    if len(text) > size and not flags & MSG_NOERROR:
        raise E2BIG
    del target.messages[index]
    target.used -= len(text)
    target.last_receiver = LastUser(task)
    target.receive_time = now(task)
    target.queue.notify()
    return message_kind, text[:size]
