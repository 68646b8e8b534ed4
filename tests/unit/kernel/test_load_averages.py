"""Load averages against Linux's own formula, a step every five seconds."""

import pytest

from runsc_py.sentry.kernel.load_averages import FIXED_1, PERIOD_NS, LoadAverages

MINUTE = 12 * PERIOD_NS


def shares(loads: LoadAverages) -> list[float]:
    """As /proc/loadavg shows them."""
    return [value / FIXED_1 for value in loads.values]


def test_one_busy_task_reaches_the_known_marks() -> None:
    """After as many minutes as it averages over, 1 - 1/e of the load is there.

    Linux rounds up at every step, which adds some hundredths to the slower ones.
    """
    loads = LoadAverages(0)
    for step in range(1, 181):
        loads.advance(step * PERIOD_NS, step * PERIOD_NS)
        if step == 12:
            assert 0.632 <= shares(loads)[0] < 0.64
        if step == 60:
            assert 0.632 <= shares(loads)[1] < 0.66
    first, second, third = shares(loads)
    assert first == 1
    assert 0.95 <= second <= 1
    assert 0.632 <= third < 0.7


def test_asking_seldom_tells_the_same() -> None:
    """One question after five minutes is worth sixty of them."""
    often, once = LoadAverages(0), LoadAverages(0)
    for step in range(1, 61):
        often.advance(step * PERIOD_NS, 2 * step * PERIOD_NS)
    once.advance(5 * MINUTE, 10 * MINUTE)
    assert shares(once) == pytest.approx(shares(often), abs=0.03)


def test_idle_machine_forgets() -> None:
    """Nothing used: all three go down, the first one soonest."""
    loads = LoadAverages(0)
    loads.advance(15 * MINUTE, 30 * MINUTE)
    before = shares(loads)
    loads.advance(16 * MINUTE, 30 * MINUTE)
    first, second, third = (new / old for new, old in zip(shares(loads), before, strict=True))
    assert first == pytest.approx(0.368, abs=0.01)
    assert first < second < third < 1


def test_parts_of_a_period_are_not_lost() -> None:
    """Questions between two steps change nothing, and their use counts in the next."""
    loads = LoadAverages(7)
    loads.advance(7 + PERIOD_NS - 1, PERIOD_NS)
    assert loads.values == (0, 0, 0)
    loads.advance(7 + PERIOD_NS, PERIOD_NS)
    assert loads.values[0] == FIXED_1 - 1884
