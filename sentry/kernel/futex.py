"""Futexes: wait queues keyed by a word of guest memory.

futex(2).  A private futex is keyed by the address space and address; a shared one by the file and
offset behind the address, so that processes which map the same object meet.
Robust lists (get_robust_list(2)) are walked when a thread ends.
"""

from runsc_py.platform.interface import ContextGone, MemoryFault
from runsc_py.sentry.abi.memory import TASK_SIZE
from runsc_py.sentry.errors import EAGAIN, EFAULT, EINVAL, ETIMEDOUT
from runsc_py.sentry.kernel.waiting import WaitQueue, wait

TYPE_CHECKING = False
if TYPE_CHECKING:
    from runsc_py.sentry.kernel.futex_pi import PiLock
    from runsc_py.sentry.kernel.task import Task

FUTEX_WAITERS = 0x80000000
FUTEX_OWNER_DIED = 0x40000000
FUTEX_TID_MASK = 0x3FFFFFFF
#: how many robust futexes are walked at most (Linux's ROBUST_LIST_LIMIT)
ROBUST_LIST_LIMIT = 2048
MATCH_ANY = 0xFFFFFFFF

Key = tuple[object, int]


class FutexWaiter:
    """One thread in FUTEX_WAIT; requeueing moves it to another key."""

    __slots__ = ("bitset", "key", "queue", "task", "woken")

    #: whether FUTEX_WAKE and FUTEX_REQUEUE are for it
    is_plain = True

    def __init__(self, task: "Task", key: Key, bitset: int) -> None:
        self.task = task
        self.key = key
        self.bitset = bitset
        self.woken = False
        self.queue = WaitQueue()

    def wake(self) -> None:
        self.woken = True
        self.queue.notify()


class FutexTable:
    """All waiting threads of the sandbox by key, in order of arrival."""

    __slots__ = ("locks", "waiters")

    def __init__(self) -> None:
        self.waiters: dict[Key, list[FutexWaiter]] = {}
        #: locks with priority inheritance that somebody waits for (kernel/futex_pi.py)
        self.locks: dict[Key, PiLock] = {}

    def add(self, waiter: FutexWaiter) -> None:
        self.waiters.setdefault(waiter.key, []).append(waiter)

    def remove(self, waiter: FutexWaiter) -> None:
        queue = self.waiters.get(waiter.key)
        if queue is not None and waiter in queue:
            queue.remove(waiter)
            if not queue:
                del self.waiters[waiter.key]

    def has_shared_waiters(self) -> bool:
        """Whether anybody waits on a word that several processes may map."""
        return any(isinstance(key[0], tuple) for key in self.waiters)

    def wake(self, key: Key, count: int, bitset: int = MATCH_ANY) -> int:
        """Wake up to `count` waiters whose bitset matches; returns how many.

        Errors: EINVAL when it is not FUTEX_WAKE that the next one waits for.
        """
        woken = 0
        if key in self.locks:
            raise EINVAL
        for waiter in list(self.waiters.get(key, ())):
            if woken >= count:
                break
            if not waiter.is_plain:
                raise EINVAL
            if waiter.bitset & bitset:
                self.remove(waiter)
                waiter.wake()
                woken += 1
        return woken

    def requeue(self, source: Key, target: Key, count: int) -> int:
        """Move up to `count` waiters to another key.  Errors: EINVAL, as `wake`."""
        moved = list(self.waiters.get(source, ()))[:count]
        if source in self.locks:
            raise EINVAL
        for waiter in moved:
            if not waiter.is_plain:
                raise EINVAL
            self.remove(waiter)
            waiter.key = target
            self.add(waiter)
        return len(moved)


def futex_key(task: "Task", address: int, private: bool) -> Key:
    """What identifies the futex.  Errors: EINVAL when misaligned, EFAULT."""
    if address & 3:
        raise EINVAL
    if address > TASK_SIZE:
        raise EFAULT
    if not private:
        identity = task.memory.shared_object_at(address)
        # As on Linux, where a shared futex is found by its page: it has to be there.
        load_word(task, address)
        if identity is not None:
            return identity
    return task.memory, address


def load_word(task: "Task", address: int) -> int:
    """The 32-bit futex word."""
    return int.from_bytes(task.memory.copy_in(address, 4), "little")


def exchange_word(task: "Task", address: int, old: int, new: int) -> int:
    """Replace the word if it is `old`, atomically; returns what it was.  Errors: EFAULT.

    The task has to be stopped.
    """
    try:
        return task.context.compare_exchange(address, old, new)
    except MemoryFault:
        raise EFAULT from None


async def futex_wait(
    task: "Task", address: int, private: bool, expected: int, bitset: int, deadline: int | None
) -> None:
    """FUTEX_WAIT_BITSET.  `deadline` in CLOCK_MONOTONIC nanoseconds.

    Errors: EAGAIN when the word differs, ETIMEDOUT, EINVAL, EFAULT.
    """
    if not bitset:
        raise EINVAL
    key = futex_key(task, address, private)
    if load_word(task, address) != expected:
        raise EAGAIN
    table = task.kernel.futexes
    waiter = FutexWaiter(task, key, bitset)
    table.add(waiter)
    try:
        while not waiter.woken:
            if not await wait(task, ((waiter.queue, MATCH_ANY),), deadline) and not waiter.woken:
                raise ETIMEDOUT
    finally:
        if not waiter.woken:
            table.remove(waiter)


async def futex_wait_any(
    task: "Task", words: list[tuple[int, int, bool]], deadline: int | None
) -> int:
    """futex_waitv: (address, expected value, private) of each word; the index of a woken one.

    Errors: EAGAIN when a word differs, ETIMEDOUT, EINVAL, EFAULT.
    """
    waiters: list[FutexWaiter] = []
    table = task.kernel.futexes
    try:
        for address, expected, private in words:
            key = futex_key(task, address, private)
            if load_word(task, address) != expected:
                raise EAGAIN
            waiter = FutexWaiter(task, key, MATCH_ANY)
            waiters.append(waiter)
            table.add(waiter)
        queues = [(waiter.queue, MATCH_ANY) for waiter in waiters]
        while True:
            for index, waiter in enumerate(waiters):
                if waiter.woken:
                    return index
            if not await wait(task, queues, deadline) and not any(w.woken for w in waiters):
                raise ETIMEDOUT
    finally:
        for waiter in waiters:
            if not waiter.woken:
                table.remove(waiter)


def wake_address(task: "Task", address: int, count: int) -> None:
    """Wake waiters, private and shared ones alike (what the kernel does for joins)."""
    table = task.kernel.futexes
    if not table.waiters or address & 3:
        return
    try:
        if not table.wake((task.memory, address), count) and table.has_shared_waiters():
            shared = task.memory.shared_object_at(address)
            if shared is not None:
                table.wake(shared, count)
    except EINVAL:
        return  # it is used as another kind of futex: nobody is told


def exit_robust_list(task: "Task") -> None:
    """Mark the robust futexes that a dying thread holds, and wake one waiter of each."""
    memory = task.memory
    try:
        head = memory.copy_in(task.robust_list, 24)
    except EFAULT:
        return
    entry = int.from_bytes(head[:8], "little")
    offset = int.from_bytes(head[8:16], "little", signed=True)
    pending = int.from_bytes(head[16:24], "little")
    # A ring that does not lead back to the head would be walked to the limit, for nothing: an entry
    # that was marked once is not marked again.
    visited = {task.robust_list}
    try:
        while entry & ~1 not in visited and len(visited) <= ROBUST_LIST_LIMIT:
            visited.add(entry & ~1)
            following = int.from_bytes(memory.copy_in(entry & ~1, 8), "little")
            if entry & ~1 != pending & ~1:
                _mark_dead(task, entry, offset)
            entry = following
        if pending:
            _mark_dead(task, pending, offset, pending=True)
    except EFAULT:
        return  # a broken list ends the walk, as on Linux


def _mark_dead(task: "Task", entry: int, offset: int, pending: bool = False) -> None:
    """Linux's handle_futex_death.  Bit 0 of an entry: the lock has priority inheritance."""
    address = (entry & ~1) + offset
    inherits = entry & 1
    if address & 3:
        return
    while True:
        word = load_word(task, address)
        if pending and not inherits and not word:
            # It unlocked, and died before it could wake who waits.
            wake_address(task, address, 1)
            return
        if word & FUTEX_TID_MASK != task.identifier_in(task.pid_namespace):
            return
        if _replace_word(task, address, word, (word & FUTEX_WAITERS) | FUTEX_OWNER_DIED):
            break
    if word & FUTEX_WAITERS and not inherits:
        wake_address(task, address, 1)


def _replace_word(task: "Task", address: int, old: int, new: int) -> bool:
    """As `exchange_word`, for a thread that may have been killed while it ran.

    Then nobody can act in its place, and the word is just written: nobody else changes it but to
    set FUTEX_WAITERS, and finds out before it sleeps that the word is another.
    """
    try:
        return exchange_word(task, address, old, new) == old
    except ContextGone:
        task.memory.copy_out(address, new.to_bytes(4, "little"))
        return True
