"""System V semaphores: semget(2), semop(2), semctl(2), and what SEM_UNDO undoes at exit."""

from runsc_py.sentry.abi.ipc import IPC_NOWAIT, SEM_UNDO, SEMID_DS, SEMMNI, SEMVMX
from runsc_py.sentry.errors import EAGAIN, EFBIG, EIDRM, ERANGE
from runsc_py.sentry.ipc.registry import IpcObject, LastUser, Registry, now
from runsc_py.sentry.kernel.waiting import ANY_EVENT, WaitQueue, wait

TYPE_CHECKING = False
if TYPE_CHECKING:
    from runsc_py.sentry.kernel.namespaces import IpcNamespace
    from runsc_py.sentry.kernel.task import Task
    from runsc_py.sentry.kernel.thread_group import ThreadGroup

KIND = "semaphores"
UNDO = "semaphore undo"

#: (number, operation, flags), as struct sembuf
Operation = tuple[int, int, int]


class SemaphoreSet(IpcObject):
    """Some semaphores that change together."""

    __slots__ = ("last_users", "operation_time", "queue", "values", "waiting")

    def __init__(self, task: "Task", key: int, mode: int, count: int) -> None:
        super().__init__(task, key, mode)
        self.values = [0] * count
        #: process id of the last operation on each
        self.last_users = [LastUser()] * count
        self.operation_time = 0
        self.queue = WaitQueue()
        #: by waiter: the semaphore number and whether it waits for zero
        self.waiting: dict[object, tuple[int, bool]] = {}

    def charge(self) -> int:
        return len(self.values)

    def count_waiting(self, number: int, for_zero: bool) -> int:
        """GETNCNT and GETZCNT."""
        return sum(1 for what in self.waiting.values() if what == (number, for_zero))

    def status(self, task: "Task") -> bytes:
        """struct semid_ds."""
        return SEMID_DS.pack(
            self.permissions(task), self.operation_time, self.change_time, len(self.values)
        )

    def apply(self, operations: list[Operation]) -> Operation | None:
        """Do all operations, or none: then the one that cannot be done.

        Errors: EFBIG for a bad number, ERANGE.
        """
        values = list(self.values)
        for operation in operations:
            number, change, _ = operation
            if number >= len(values):
                raise EFBIG
            if change == 0:
                if values[number]:
                    return operation
                continue
            if values[number] + change < 0:
                return operation
            values[number] += change
            if values[number] > SEMVMX:
                raise ERANGE
        self.values = values
        return None


class Undo:
    """What a process owes to the semaphores it changed with SEM_UNDO."""

    __slots__ = ("adjustments",)

    def __init__(self) -> None:
        self.adjustments: dict[SemaphoreSet, dict[int, int]] = {}

    def note(self, target: SemaphoreSet, operations: list[Operation]) -> None:
        for number, change, flags in operations:
            if flags & SEM_UNDO and change:
                changes = self.adjustments.setdefault(target, {})
                changes[number] = changes.get(number, 0) - change

    def forget(self, target: SemaphoreSet, number: int | None = None) -> None:
        """SETVAL and SETALL clear what is owed."""
        if number is None:
            self.adjustments.pop(target, None)
        elif target in self.adjustments:
            self.adjustments[target].pop(number, None)

    def settle(self) -> None:
        """The process ends."""
        for target, changes in self.adjustments.items():
            if target.removed:
                continue
            for number, change in changes.items():
                target.values[number] = min(max(target.values[number] + change, 0), SEMVMX)
            target.queue.notify()


def undo_of(group: "ThreadGroup") -> Undo:
    """A process's account."""
    undo = group.extras.get(UNDO)
    if undo is None:
        undo = group.extras[UNDO] = Undo()
    assert isinstance(undo, Undo)
    return undo


def settle(group: "ThreadGroup") -> None:
    """Called when a process ends."""
    undo = group.extras.pop(UNDO, None)
    if isinstance(undo, Undo):
        undo.settle()


def semaphore_sets(namespace: "IpcNamespace") -> "Registry[SemaphoreSet]":
    """The namespace's sets."""
    registry = namespace.objects.get(KIND)
    if registry is None:
        registry = namespace.objects[KIND] = Registry[SemaphoreSet](SEMMNI)
    assert isinstance(registry, Registry)
    return registry


async def operate(
    task: "Task", target: SemaphoreSet, operations: list[Operation], deadline: int | None
) -> None:
    """semtimedop(2).  Errors: EAGAIN, EIDRM, EFBIG, ERANGE; Interrupted."""
    timed_out = False
    while (stuck := target.apply(operations)) is not None:
        number, change, flags = stuck
        if flags & IPC_NOWAIT or timed_out:
            raise EAGAIN
        target.waiting[task] = (number, change == 0)
        try:
            timed_out = not await wait(task, ((target.queue, ANY_EVENT),), deadline)
        finally:
            del target.waiting[task]
        if target.removed:
            raise EIDRM
    user = LastUser(task)
    for number, _, _ in operations:
        target.last_users[number] = user
    target.operation_time = now(task)
    if any(flags & SEM_UNDO for _, _, flags in operations):
        undo_of(task.thread_group).note(target, operations)
    target.queue.notify()
