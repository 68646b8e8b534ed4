"""Futexes with priority inheritance: locks whose owner the kernel knows.

futex(2), "Priority-inheritance futexes".  The word holds the owner's thread id, and FUTEX_WAITERS
once the kernel has to be asked at unlock; it is changed beside running guest threads, so always by
compare and exchange.  A `PiLock` exists only while somebody waits.  Nobody is boosted (the host
schedules), but the waiter with the highest real-time priority gets the lock.

The death of an owner hands the lock on at once, marked FUTEX_OWNER_DIED (Linux's
exit_pi_state_list).
"""

from runsc_py.platform.interface import ContextGone
from runsc_py.sentry.errors import EAGAIN, EDEADLK, EFAULT, EINVAL, EPERM, ESRCH, ETIMEDOUT
from runsc_py.sentry.kernel.futex import (
    FUTEX_OWNER_DIED,
    FUTEX_TID_MASK,
    FUTEX_WAITERS,
    MATCH_ANY,
    FutexTable,
    FutexWaiter,
    Key,
    exchange_word,
    futex_key,
    load_word,
)
from runsc_py.sentry.kernel.scheduling import scheduling_of
from runsc_py.sentry.kernel.waiting import Interrupted, WaitQueue, wait
from runsc_py.sentry.syscalls.table import Restart

TYPE_CHECKING = False
if TYPE_CHECKING:
    from runsc_py.sentry.kernel.task import Task


class LockWaiter:
    """One thread that waits for a lock; `owns` once it has got it."""

    __slots__ = ("address", "owns", "queue", "task")

    def __init__(self, task: "Task", address: int) -> None:
        self.task = task
        #: of the word in the task's own memory
        self.address = address
        self.owns = False
        self.queue = WaitQueue()

    def take(self) -> None:
        self.owns = True
        self.queue.notify()


class PiLock:
    """A lock that somebody waits for (Linux's futex_pi_state)."""

    __slots__ = ("owner", "waiters")

    def __init__(self, owner: "Task") -> None:
        self.owner = owner
        #: by priority, then in order of arrival
        self.waiters: list[LockWaiter] = []

    def add(self, waiter: LockWaiter) -> None:
        priority = scheduling_of(waiter.task).priority
        position = len(self.waiters)
        while position and scheduling_of(self.waiters[position - 1].task).priority < priority:
            position -= 1
        self.waiters.insert(position, waiter)


class RequeueWaiter(FutexWaiter):
    """One thread in FUTEX_WAIT_REQUEUE_PI, waiting for a word until it is moved to a lock."""

    __slots__ = ("lock", "moved", "target")

    #: FUTEX_WAKE must not wake it
    is_plain = False

    def __init__(self, task: "Task", key: Key, target: Key, address: int) -> None:
        super().__init__(task, key, MATCH_ANY)
        self.target = target
        self.lock = LockWaiter(task, address)
        #: it waits for the lock now
        self.moved = False


def _identifier(task: "Task") -> int:
    """The thread id that the task itself knows, which is what it puts into words."""
    return task.identifier_in(task.pid_namespace)


def _forget(table: FutexTable, key: Key, waiter: LockWaiter) -> None:
    """A waiter gives up."""
    lock = table.locks.get(key)
    if lock is not None and waiter in lock.waiters:
        lock.waiters.remove(waiter)
        if not lock.waiters:
            del table.locks[key]


def _owner_of(task: "Task", identifier: int) -> "Task":
    """The living thread that a word names.  Errors: ESRCH."""
    owner = task.pid_namespace.tasks.get(identifier)
    if owner is None or owner not in owner.thread_group.tasks:
        raise ESRCH
    return owner


def _take_or_find(
    task: "Task", locker: "Task", address: int, key: Key, *, mark: bool = False
) -> PiLock | None:
    """Take a free lock for `locker` (None), or make sure that its owner will ask us at unlock.

    `mark`: others will wait behind the new owner.  Linux's futex_lock_pi_atomic.
    Errors: EDEADLK, EINVAL (word and waiters do not agree), ESRCH, EFAULT.
    """
    table = task.kernel.futexes
    own = _identifier(locker)
    while True:
        word = load_word(task, address)
        identifier = word & FUTEX_TID_MASK
        if identifier == own:
            raise EDEADLK
        lock = table.locks.get(key)
        if lock is not None:
            if identifier != _identifier(lock.owner):
                raise EINVAL
            return lock
        if key in table.waiters:
            raise EINVAL
        if identifier:
            if exchange_word(task, address, word, word | FUTEX_WAITERS) == word:
                return PiLock(_owner_of(task, identifier))
        else:
            new = word & FUTEX_OWNER_DIED | own | (FUTEX_WAITERS if mark else 0)
            if exchange_word(task, address, word, new) == word:
                return None


def _check_no_deadlock(table: FutexTable, task: "Task", lock: PiLock) -> None:
    """Raise EDEADLK when the owner waits, over any number of locks, for `task`."""
    waiting_for = {waiter.task: other for other in table.locks.values() for waiter in other.waiters}
    seen = set()
    following: PiLock | None = lock
    while following is not None and following not in seen:
        if following.owner is task:
            raise EDEADLK
        seen.add(following)
        following = waiting_for.get(following.owner)


async def lock_pi(task: "Task", address: int, private: bool, deadline: int | None) -> None:
    """FUTEX_LOCK_PI.  Errors: as `_take_or_find`, and ETIMEDOUT."""
    table = task.kernel.futexes
    key = futex_key(task, address, private)
    lock = _take_or_find(task, task, address, key)
    if lock is None:
        return
    _check_no_deadlock(table, task, lock)
    waiter = LockWaiter(task, address)
    lock.add(waiter)
    table.locks[key] = lock
    try:
        while not waiter.owns:
            if not await wait(task, ((waiter.queue, MATCH_ANY),), deadline) and not waiter.owns:
                raise ETIMEDOUT
    except Interrupted:
        raise Interrupted(Restart.ALWAYS) from None
    finally:
        if not waiter.owns:
            _forget(table, key, waiter)


def try_lock_pi(task: "Task", address: int, private: bool) -> None:
    """FUTEX_TRYLOCK_PI: as the above, but EAGAIN instead of waiting."""
    key = futex_key(task, address, private)
    if _take_or_find(task, task, address, key) is not None:
        raise EAGAIN


def unlock_pi(task: "Task", address: int, private: bool) -> None:
    """FUTEX_UNLOCK_PI.  Errors: EPERM (not the owner), EINVAL, EFAULT."""
    table = task.kernel.futexes
    while True:
        word = load_word(task, address)
        if word & FUTEX_TID_MASK != _identifier(task):
            raise EPERM
        key = futex_key(task, address, private)
        lock = table.locks.get(key)
        if lock is None:
            if key in table.waiters:
                raise EINVAL
            if exchange_word(task, address, word, 0) == word:
                return
            continue
        if lock.owner is not task:
            raise EINVAL
        waiter = lock.waiters[0]
        found = exchange_word(task, address, word, FUTEX_WAITERS | _identifier(waiter.task))
        if found == word:
            _give(table, key, lock, waiter)
            return
        if (found ^ word) & FUTEX_TID_MASK:
            raise EINVAL


def _give(table: FutexTable, key: Key, lock: PiLock, waiter: LockWaiter) -> None:
    """The word names the waiter already: it has the lock, the others wait for it."""
    lock.owner = waiter.task
    _forget(table, key, waiter)
    waiter.take()


def release_locks(task: "Task") -> None:
    """A thread ends: who waits for its locks gets them, marked with FUTEX_OWNER_DIED."""
    table = task.kernel.futexes
    for key, lock in list(table.locks.items()):
        while lock.owner is task and lock.waiters:
            waiter = lock.waiters[0]
            if _name_heir(waiter):
                _give(table, key, lock, waiter)
            else:
                _forget(table, key, waiter)


def _name_heir(waiter: LockWaiter) -> bool:
    """Write the waiter into the word, through its own memory; False when that cannot be."""
    heir = waiter.task
    new = FUTEX_WAITERS | FUTEX_OWNER_DIED | _identifier(heir)
    try:
        word = load_word(heir, waiter.address)
        while (found := exchange_word(heir, waiter.address, word, new)) != word:
            word = found
    except (EFAULT, ContextGone):
        waiter.queue.notify()
        return False
    return True


async def wait_requeue_pi(
    task: "Task",
    address: int,
    private: bool,
    expected: int,
    deadline: int | None,
    lock_address: int,
) -> None:
    """FUTEX_WAIT_REQUEUE_PI.  Errors: EINVAL, EAGAIN, ETIMEDOUT, EFAULT."""
    if address == lock_address:
        raise EINVAL
    target = futex_key(task, lock_address, private)
    key = futex_key(task, address, private)
    if load_word(task, address) != expected:
        raise EAGAIN
    if key == target:
        raise EINVAL
    table = task.kernel.futexes
    waiter = RequeueWaiter(task, key, target, lock_address)
    lock = waiter.lock
    table.add(waiter)
    try:
        while not lock.owns:
            if not await wait(task, ((lock.queue, MATCH_ANY),), deadline) and not lock.owns:
                raise ETIMEDOUT
    except Interrupted:
        # The word that it waited for has changed by now: no use in beginning again.
        if waiter.moved:
            raise EAGAIN from None
        raise Interrupted(Restart.ALWAYS) from None
    finally:
        if not lock.owns:
            table.remove(waiter)
            _forget(table, target, lock)


def requeue_pi(
    task: "Task",
    address: int,
    lock_address: int,
    private: bool,
    wake: int,
    move: int,
    expected: int,
) -> int:
    """FUTEX_CMP_REQUEUE_PI: one waiter gets the lock, if it is free; others wait for it.

    Errors: EINVAL, EAGAIN, EDEADLK, ESRCH, EFAULT.
    """
    if address == lock_address or wake != 1:
        raise EINVAL
    key = futex_key(task, address, private)
    target = futex_key(task, lock_address, private)
    if key == target:
        raise EINVAL
    if load_word(task, address) != expected:
        raise EAGAIN
    table = task.kernel.futexes
    waiters = list(table.waiters.get(key, ()))
    if not waiters:
        return 0
    first = _requeuer(waiters[0], target)
    lock = _take_or_find(task, first.task, lock_address, target, mark=move > 0)
    done = 0
    if lock is None:
        table.remove(first)
        first.lock.take()
        lock = PiLock(first.task)
        done = 1
    for candidate in waiters[done : move + 1]:
        waiter = _requeuer(candidate, target)
        _check_no_deadlock(table, waiter.task, lock)
        table.remove(waiter)
        waiter.moved = True
        lock.add(waiter.lock)
        table.locks[target] = lock
        done += 1
    return done


def _requeuer(waiter: FutexWaiter, target: Key) -> RequeueWaiter:
    """Errors: EINVAL for one that did not ask to be moved to this lock."""
    if not isinstance(waiter, RequeueWaiter) or waiter.target != target:
        raise EINVAL
    return waiter
