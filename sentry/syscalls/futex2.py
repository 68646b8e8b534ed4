"""futex(2) in the form of Linux 5.16 and 6.7: one call for each operation, flags with a size."""

from runsc_py.sentry.abi.process import FUTEX_WAITV
from runsc_py.sentry.errors import EINVAL
from runsc_py.sentry.kernel.futex import futex_key, futex_wait, futex_wait_any
from runsc_py.sentry.kernel.task import Task
from runsc_py.sentry.kernel.time_namespace import monotonic_deadline
from runsc_py.sentry.syscalls.futex import (
    CLOCK_MONOTONIC,
    CLOCK_REALTIME,
    FUTEX_PRIVATE_FLAG,
    INT_MAX,
    requeue,
)
from runsc_py.sentry.syscalls.table import Support, syscall
from runsc_py.sentry.syscalls.time_arguments import copy_in_timespec
from runsc_py.sentry.syscalls.types import (
    Address,
    ClockId,
    Hexadecimal,
    Int,
    InTimespec,
    UnsignedInt,
    UnsignedLong,
)

FUTEX2_SIZE_U32 = 2
FUTEX2_SIZE_MASK = 3
FUTEX_WAITV_MAX = 128
_WORD = 0xFFFFFFFF


def _is_private(flags: int) -> bool:
    """Errors: EINVAL for flags that are no 32-bit futex's."""
    if flags & ~(FUTEX_PRIVATE_FLAG | FUTEX2_SIZE_MASK):
        raise EINVAL
    if flags & FUTEX2_SIZE_MASK != FUTEX2_SIZE_U32:
        raise EINVAL
    return bool(flags & FUTEX_PRIVATE_FLAG)


def _copy_in_waiters(task: Task, address: int, count: int) -> list[tuple[int, int, bool]]:
    """An array of struct futex_waitv: (address, value, private).  Errors: EFAULT, EINVAL."""
    raw = task.memory.copy_in(address, count * FUTEX_WAITV.size)
    words = []
    for position in range(0, len(raw), FUTEX_WAITV.size):
        value, word_address, flags, reserved = FUTEX_WAITV.unpack_from(raw, position)
        if reserved:
            raise EINVAL
        private = _is_private(flags)
        if value > _WORD:
            raise EINVAL
        words.append((word_address, value, private))
    return words


def _deadline(task: Task, timeout: int, clock_id: int) -> int | None:
    """Always absolute.  Errors: EINVAL, EFAULT."""
    if not timeout:
        return None
    if clock_id not in (CLOCK_REALTIME, CLOCK_MONOTONIC):
        raise EINVAL
    return monotonic_deadline(task, clock_id, copy_in_timespec(task, timeout))


@syscall(449, "futex_waitv")
async def futex_waitv(
    task: Task,
    address: Address,
    count: UnsignedInt,
    flags: UnsignedInt,
    timeout: InTimespec,
    clock_id: ClockId,
) -> int:
    """futex_waitv: wait on several futexes; the result is the index of one that was woken."""
    if flags or not 0 < count <= FUTEX_WAITV_MAX or not address:
        raise EINVAL
    deadline = _deadline(task, timeout, clock_id)
    return await futex_wait_any(task, _copy_in_waiters(task, address, count), deadline)


@syscall(454, "futex_wake", support=Support.PARTIAL, note="no FUTEX2_NUMA, FUTEX2_MPOL")
def futex_wake(task: Task, address: Address, mask: Hexadecimal, count: Int, flags: Int) -> int:
    """futex_wake: FUTEX_WAKE_BITSET; 0 wakes nobody."""
    private = _is_private(flags)
    if not 0 < mask <= _WORD:
        raise EINVAL
    key = futex_key(task, address, private)
    return task.kernel.futexes.wake(key, max(1, count), mask) if count else 0


@syscall(455, "futex_wait", support=Support.PARTIAL, note="no FUTEX2_NUMA, FUTEX2_MPOL")
async def futex_wait_call(
    task: Task,
    address: Address,
    value: UnsignedLong,
    mask: Hexadecimal,
    flags: Int,
    timeout: InTimespec,
    clock_id: ClockId,
) -> int:
    """futex_wait: FUTEX_WAIT_BITSET"""
    private = _is_private(flags)
    if value > _WORD or mask > _WORD:
        raise EINVAL
    deadline = _deadline(task, timeout, clock_id)
    await futex_wait(task, address, private, value, mask, deadline)
    return 0


@syscall(456, "futex_requeue", support=Support.PARTIAL, note="no FUTEX2_NUMA, FUTEX2_MPOL")
def futex_requeue(task: Task, waiters: Address, flags: UnsignedInt, wake: Int, move: Int) -> int:
    """futex_requeue: FUTEX_CMP_REQUEUE"""
    if flags or not waiters:
        raise EINVAL
    (source, expected, private), (target, _, also_private) = _copy_in_waiters(task, waiters, 2)
    if private != also_private:
        raise EINVAL
    if not 0 <= wake <= INT_MAX or not 0 <= move <= INT_MAX:
        raise EINVAL
    return requeue(task, source, target, private, wake, move, expected)
