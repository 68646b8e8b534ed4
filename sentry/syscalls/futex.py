"""futex(2): waiting on a word of memory."""

from runsc_py.sentry.errors import EAGAIN, EINVAL, ENOSYS
from runsc_py.sentry.kernel.futex import (
    MATCH_ANY,
    exchange_word,
    futex_key,
    futex_wait,
    load_word,
)
from runsc_py.sentry.kernel.task import Task
from runsc_py.sentry.kernel.time_namespace import monotonic_deadline, to_machine
from runsc_py.sentry.syscalls.table import Restart, Support, syscall
from runsc_py.sentry.syscalls.time_arguments import copy_in_timespec
from runsc_py.sentry.syscalls.types import (
    Address,
    FutexOperation,
    InTimespec,
    UnsignedInt,
)

FUTEX_WAIT = 0
FUTEX_WAKE = 1
FUTEX_REQUEUE = 3
FUTEX_CMP_REQUEUE = 4
FUTEX_WAKE_OP = 5
FUTEX_LOCK_PI = 6
FUTEX_UNLOCK_PI = 7
FUTEX_TRYLOCK_PI = 8
FUTEX_WAIT_BITSET = 9
FUTEX_WAKE_BITSET = 10
FUTEX_WAIT_REQUEUE_PI = 11
FUTEX_CMP_REQUEUE_PI = 12
FUTEX_LOCK_PI2 = 13
FUTEX_PRIVATE_FLAG = 128
FUTEX_CLOCK_REALTIME = 256
CLOCK_REALTIME = 0
CLOCK_MONOTONIC = 1
INT_MAX = 0x7FFFFFFF

#: whose absolute time may be that of CLOCK_REALTIME
_WITH_CLOCK = (FUTEX_WAIT_BITSET, FUTEX_WAIT_REQUEUE_PI, FUTEX_LOCK_PI2)
PRIORITY_INHERITANCE = (
    FUTEX_LOCK_PI,
    FUTEX_LOCK_PI2,
    FUTEX_TRYLOCK_PI,
    FUTEX_UNLOCK_PI,
    FUTEX_WAIT_REQUEUE_PI,
    FUTEX_CMP_REQUEUE_PI,
)


@syscall(
    202,
    "futex",
    support=Support.PARTIAL,
    note="with priority inheritance nobody is boosted: the host schedules",
    restart=Restart.SYSTEM,
)
async def futex(
    task: Task,
    address: Address,
    operation: FutexOperation,
    value: UnsignedInt,
    timeout: InTimespec,
    address2: Address,
    value3: UnsignedInt,
) -> int:
    """futex(2)"""
    command = operation & ~(FUTEX_PRIVATE_FLAG | FUTEX_CLOCK_REALTIME)
    private = bool(operation & FUTEX_PRIVATE_FLAG)
    if operation & FUTEX_CLOCK_REALTIME and command not in _WITH_CLOCK:
        raise ENOSYS
    if command in (FUTEX_WAIT, FUTEX_WAIT_BITSET):
        bitset = value3 if command == FUTEX_WAIT_BITSET else MATCH_ANY
        deadline = _deadline(task, operation, command, timeout) if timeout else None
        await futex_wait(task, address, private, value, bitset, deadline)
        return 0
    if command in PRIORITY_INHERITANCE:
        return await _with_priority_inheritance(
            task, address, operation, value, timeout, address2, value3
        )
    if command in (FUTEX_WAKE, FUTEX_WAKE_BITSET):
        bitset = value3 if command == FUTEX_WAKE_BITSET else MATCH_ANY
        if not bitset:
            raise EINVAL
        key = futex_key(task, address, private)
        return task.kernel.futexes.wake(key, _count(value), bitset)
    if command in (FUTEX_REQUEUE, FUTEX_CMP_REQUEUE):
        expected = value3 if command == FUTEX_CMP_REQUEUE else None
        return requeue(task, address, address2, private, value, timeout, expected)
    if command == FUTEX_WAKE_OP:
        return _wake_operation(task, address, address2, private, value, timeout, value3)
    raise ENOSYS


async def _with_priority_inheritance(
    task: Task,
    address: int,
    operation: int,
    value: int,
    timeout: int,
    address2: int,
    value3: int,
) -> int:
    """The operations of `kernel/futex_pi.py`."""
    from runsc_py.sentry.kernel import futex_pi

    command = operation & ~(FUTEX_PRIVATE_FLAG | FUTEX_CLOCK_REALTIME)
    private = bool(operation & FUTEX_PRIVATE_FLAG)
    deadline = None
    if command in (FUTEX_LOCK_PI, FUTEX_LOCK_PI2, FUTEX_WAIT_REQUEUE_PI):
        real = operation & FUTEX_CLOCK_REALTIME or command == FUTEX_LOCK_PI
        if timeout:
            clock = CLOCK_REALTIME if real else CLOCK_MONOTONIC
            deadline = monotonic_deadline(task, clock, copy_in_timespec(task, timeout))
    if command in (FUTEX_LOCK_PI, FUTEX_LOCK_PI2):
        await futex_pi.lock_pi(task, address, private, deadline)
    elif command == FUTEX_TRYLOCK_PI:
        futex_pi.try_lock_pi(task, address, private)
    elif command == FUTEX_UNLOCK_PI:
        futex_pi.unlock_pi(task, address, private)
    elif command == FUTEX_WAIT_REQUEUE_PI:
        await futex_pi.wait_requeue_pi(task, address, private, value, deadline, address2)
    else:
        move = timeout & 0xFFFFFFFF
        if value > INT_MAX or move > INT_MAX:
            raise EINVAL
        return futex_pi.requeue_pi(task, address, address2, private, value, move, value3)
    return 0


def _count(value: int) -> int:
    """A number of waiters: C passes an int, and 0 wakes one as on Linux."""
    return max(1, value if value <= INT_MAX else 1)


def _deadline(task: Task, operation: int, command: int, address: int) -> int:
    """The monotonic time at which a wait ends: FUTEX_WAIT is relative, the others absolute."""
    when = copy_in_timespec(task, address)
    clock = task.kernel.clock
    if command == FUTEX_WAIT:
        if task.restart_block is None:
            task.restart_block = clock.monotonic() + when
        return task.restart_block
    if operation & FUTEX_CLOCK_REALTIME:
        when += clock.monotonic() - clock.realtime()
    else:
        when = to_machine(task, CLOCK_MONOTONIC, when)
    if command == FUTEX_WAIT_BITSET:
        task.restart_block = when
    return when


def requeue(
    task: Task,
    address: int,
    address2: int,
    private: bool,
    wake: int,
    move: int,
    expected: int | None,
) -> int:
    """FUTEX_REQUEUE, FUTEX_CMP_REQUEUE: wake some waiters and move others."""
    if wake > INT_MAX or move & 0xFFFFFFFF > INT_MAX:
        raise EINVAL
    source = futex_key(task, address, private)
    target = futex_key(task, address2, private)
    if expected is not None and load_word(task, address) != expected:
        raise EAGAIN
    table = task.kernel.futexes
    woken = table.wake(source, wake) if wake else 0
    if source == target:
        return woken
    return woken + table.requeue(source, target, move & 0xFFFFFFFF)


_OPERATIONS = {
    0: lambda old, argument: argument,
    1: lambda old, argument: old + argument,
    2: lambda old, argument: old | argument,
    3: lambda old, argument: old & ~argument,
    4: lambda old, argument: old ^ argument,
}
_COMPARISONS = {
    0: lambda old, argument: old == argument,
    1: lambda old, argument: old != argument,
    2: lambda old, argument: old < argument,
    3: lambda old, argument: old <= argument,
    4: lambda old, argument: old > argument,
    5: lambda old, argument: old >= argument,
}


def _signed(value: int, bits: int) -> int:
    return value - (1 << bits) if value >> (bits - 1) else value


def _wake_operation(
    task: Task,
    address: int,
    address2: int,
    private: bool,
    wake: int,
    wake2: int,
    encoded: int,
) -> int:
    """FUTEX_WAKE_OP: change a second word, and wake its waiters if it was as compared."""
    operation, comparison = encoded >> 28 & 7, encoded >> 24 & 15
    argument = _signed(encoded >> 12 & 0xFFF, 12)
    compared = _signed(encoded & 0xFFF, 12)
    if encoded >> 31:
        argument = 1 << (argument & 31)
    if operation not in _OPERATIONS:
        raise ENOSYS
    key = futex_key(task, address, private)
    key2 = futex_key(task, address2, private)
    old = load_word(task, address2)
    while True:
        new = _OPERATIONS[operation](old, argument) & 0xFFFFFFFF
        found = exchange_word(task, address2, old, new)
        if found == old:
            break
        old = found
    if comparison not in _COMPARISONS:
        raise ENOSYS  # as on Linux, the word has changed by now
    table = task.kernel.futexes
    woken = table.wake(key, _count(wake))
    if _COMPARISONS[comparison](_signed(old, 32), compared):
        woken += table.wake(key2, _count(wake2 & 0xFFFFFFFF))
    return woken
