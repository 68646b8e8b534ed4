"""Record locks and flock against a plain model: one owner per byte."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runsc_py.sentry.errors import EAGAIN
from runsc_py.sentry.vfs.locks import OFFSET_MAX, FileLocks, RecordLock

SIZE = 12
OWNERS = (object(), object(), object())

actions = st.tuples(
    st.integers(0, len(OWNERS) - 1),
    st.sampled_from(("shared", "exclusive", "unlock")),
    st.integers(0, SIZE - 1),
    st.integers(0, SIZE - 1),
)


@given(st.lists(actions, max_size=40))
def test_ranges_split_and_join_like_bytes(steps: list[tuple[int, str, int, int]]) -> None:
    locks = FileLocks()
    #: for each owner, the kind of lock on each byte
    model: list[dict[int, str]] = [{} for _ in OWNERS]
    for who, kind, first, second in steps:
        start, end = min(first, second), max(first, second)
        bytes_ = range(start, end + 1)
        if kind == "unlock":
            locks.unlock(start, end, OWNERS[who])
            for byte in bytes_:
                model[who].pop(byte, None)
        else:
            conflict = any(
                "exclusive" in (kind, other[byte])
                for index, other in enumerate(model)
                if index != who
                for byte in bytes_
                if byte in other
            )
            wanted = RecordLock(start, end, kind == "exclusive", OWNERS[who], 1)
            if conflict:
                with pytest.raises(EAGAIN):
                    locks.lock(wanted)
            else:
                locks.lock(wanted)
                model[who].update(dict.fromkeys(bytes_, kind))
        for index, owner in enumerate(OWNERS):
            held = {
                byte: "exclusive" if lock.exclusive else "shared"
                for lock in locks.records
                if lock.owner is owner
                for byte in range(lock.start, lock.end + 1)
            }
            assert held == model[index]
    starts = [lock.start for lock in locks.records]
    assert starts == sorted(starts)


def test_neighbours_of_one_kind_become_one_range() -> None:
    locks = FileLocks()
    locks.lock(RecordLock(0, 3, True, OWNERS[0], 1))
    locks.lock(RecordLock(4, 7, True, OWNERS[0], 1))
    assert [(lock.start, lock.end) for lock in locks.records] == [(0, 7)]
    locks.lock(RecordLock(8, OFFSET_MAX, False, OWNERS[0], 1))
    assert len(locks.records) == 2


def test_flock_conversion_is_not_atomic() -> None:
    locks = FileLocks()
    first, second, third = OWNERS
    locks.flock(first, False)
    locks.flock(second, False)
    with pytest.raises(EAGAIN):
        locks.flock(first, True)
    assert first not in locks.flocks  # lost, as flock(2) says
    locks.release_flock(second)
    locks.flock(first, True)
    with pytest.raises(EAGAIN):
        locks.flock(third, False)
    locks.flock(first, False)
    locks.flock(third, False)


def test_unlocking_wakes_the_waiters() -> None:
    class Waiter:
        def __init__(self) -> None:
            self.woken = 0

        def wake(self, events: int) -> None:
            self.woken += 1

    locks = FileLocks()
    waiter = Waiter()
    locks.wait_queue.add(waiter)
    locks.lock(RecordLock(0, 9, True, OWNERS[0], 1))
    assert waiter.woken == 0
    locks.lock(RecordLock(2, 3, False, OWNERS[0], 1))  # weaker: somebody may read now
    assert waiter.woken == 1
    locks.unlock(0, 0, OWNERS[0])
    assert waiter.woken == 2
    locks.unlock(0, 0, OWNERS[0])
    assert waiter.woken == 2
