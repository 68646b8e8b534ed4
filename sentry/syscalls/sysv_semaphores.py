"""semget(2), semop(2), semtimedop(2), semctl(2)."""

import struct

from runsc_py.sentry.abi.ipc import (
    GETALL,
    GETNCNT,
    GETPID,
    GETVAL,
    GETZCNT,
    IPC_INFO,
    IPC_PERM,
    IPC_RMID,
    IPC_SET,
    IPC_STAT,
    SEM_INFO,
    SEM_STAT,
    SEM_STAT_ANY,
    SEMBUF,
    SEMID_DS,
    SEMINFO,
    SEMMNS,
    SEMOPM,
    SEMVMX,
    SETALL,
    SETVAL,
)
from runsc_py.sentry.errors import E2BIG, EFBIG, EINVAL, ENOSPC, ERANGE
from runsc_py.sentry.ipc.registry import READ, WRITE, LastUser, Registry, now
from runsc_py.sentry.ipc.semaphores import UNDO, SemaphoreSet, Undo, operate, semaphore_sets
from runsc_py.sentry.ipc.settings import IpcSettings, ipc_settings
from runsc_py.sentry.kernel.task import Task
from runsc_py.sentry.syscalls.table import Restart, syscall
from runsc_py.sentry.syscalls.time_arguments import copy_in_timeout
from runsc_py.sentry.syscalls.types import Address, Hexadecimal, Int, Size


@syscall(64, "semget")
def semget(task: Task, key: Int, count: Int, flags: Int) -> int:
    """semget(2)"""
    settings = ipc_settings(task.namespaces.ipc)
    registry = semaphore_sets(task.namespaces.ipc)
    if not 0 <= count <= settings.semmsl:
        raise EINVAL

    def make() -> SemaphoreSet:
        if not count:
            raise EINVAL
        if registry.used + count > settings.semmns:
            raise ENOSPC
        registry.check_space()
        return SemaphoreSet(task, key, flags, count)

    def check(existing: SemaphoreSet) -> None:
        if count > len(existing.values):
            raise EINVAL

    return registry.find_or_make(task, key, flags, make, check)


@syscall(65, "semop", restart=Restart.NEVER)
async def semop(task: Task, identifier: Int, operations: Address, count: Size) -> int:
    """semop(2)"""
    return await _operate(task, identifier, operations, count, None)


@syscall(220, "semtimedop", restart=Restart.NEVER)
async def semtimedop(
    task: Task, identifier: Int, operations: Address, count: Size, timeout: Address
) -> int:
    """semtimedop(2)"""
    deadline = copy_in_timeout(task, timeout)
    return await _operate(task, identifier, operations, count, deadline)


async def _operate(
    task: Task, identifier: int, address: int, count: int, deadline: int | None
) -> int:
    if count > ipc_settings(task.namespaces.ipc).semopm:
        raise E2BIG
    if not count:
        raise EINVAL
    raw = task.memory.copy_in(address, count * SEMBUF.size)
    operations = [SEMBUF.unpack_from(raw, at) for at in range(0, len(raw), SEMBUF.size)]
    target = semaphore_sets(task.namespaces.ipc).get(identifier)
    if any(number >= len(target.values) for number, _, _ in operations):
        raise EFBIG
    target.check(task, WRITE if any(change for _, change, _ in operations) else READ)
    await operate(task, target, operations, deadline)
    return 0


@syscall(66, "semctl")
def semctl(task: Task, identifier: Int, number: Int, command: Int, argument: Hexadecimal) -> int:
    """semctl(2)"""
    registry = semaphore_sets(task.namespaces.ipc)
    if command in (IPC_INFO, SEM_INFO):
        information = _information(registry, ipc_settings(task.namespaces.ipc), command)
        task.memory.copy_out(argument, information)
        return registry.highest_slot()
    if command in (SEM_STAT, SEM_STAT_ANY):
        found = registry.at_slot(identifier)
        if command == SEM_STAT:
            found.check(task, READ)
        task.memory.copy_out(argument, found.status(task))
        return found.identifier
    if command == SETVAL and argument & 0xFFFFFFFF > SEMVMX:
        raise ERANGE
    raw = task.memory.copy_in(argument, SEMID_DS.size) if command == IPC_SET else b""
    target = registry.get(identifier)
    if command == IPC_RMID:
        target.check_owner(task)
        registry.remove(target)
        target.queue.notify()
    elif command == IPC_SET:
        target.check_owner(task)
        target.set_permissions(task, raw[: IPC_PERM.size])
    elif command == IPC_STAT:
        target.check(task, READ)
        task.memory.copy_out(argument, target.status(task))
    elif command in (SETVAL, SETALL):
        _set_values(task, target, number, command, argument)
    else:
        return _read_value(task, target, number, command, argument)
    return 0


def _information(registry: Registry[SemaphoreSet], settings: IpcSettings, command: int) -> bytes:
    used, total = 20, SEMVMX
    if command == SEM_INFO:
        used = len(registry.slots)
        total = registry.used
    return SEMINFO.pack(
        SEMMNS,
        registry.limit,
        settings.semmns,
        SEMMNS,
        settings.semmsl,
        settings.semopm,
        SEMOPM,
        used,
        SEMVMX,
        total,
    )


def _read_value(task: Task, target: SemaphoreSet, number: int, command: int, argument: int) -> int:
    target.check(task, READ)
    if command == GETALL:
        task.memory.copy_out(argument, struct.pack(f"<{len(target.values)}H", *target.values))
        return 0
    if command not in (GETVAL, GETPID, GETNCNT, GETZCNT) or not 0 <= number < len(target.values):
        raise EINVAL
    if command == GETVAL:
        return target.values[number]
    if command == GETPID:
        return target.last_users[number].seen_by(task)
    return target.count_waiting(number, command == GETZCNT)


def _set_values(task: Task, target: SemaphoreSet, number: int, command: int, argument: int) -> None:
    count = len(target.values)
    if command == SETVAL:
        value = argument & 0xFFFFFFFF
        if not 0 <= number < count:
            raise EINVAL
        target.check(task, WRITE)
        target.values[number] = value
        target.last_users[number] = LastUser(task)
    else:
        values = struct.unpack(f"<{count}H", task.memory.copy_in(argument, 2 * count))
        target.check(task, WRITE)
        if max(values) > SEMVMX:
            raise ERANGE
        target.values = list(values)
    for group in task.kernel.root_pid_namespace.thread_groups():
        undo = group.extras.get(UNDO)
        if isinstance(undo, Undo):
            undo.forget(target, number if command == SETVAL else None)
    target.change_time = now(task)
    target.queue.notify()
