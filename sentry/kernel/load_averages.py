"""The load averages of proc_loadavg(5) and sysinfo(2), computed when somebody asks.

Linux counts the runnable tasks every five seconds.  Here nothing ticks: the load since the last
question is the processors' time that the guests used in it, spread evenly.  Tasks that only wait
for a processor are not seen that way, so the averages never exceed the number of processors.
"""

#: how often Linux counts
PERIOD_NS = 5_000_000_000
#: fixed point, 11 bits after the point
_FRACTION_BITS = 11
FIXED_1 = 1 << _FRACTION_BITS
#: FIXED_1 / e^(5 s / 1, 5 and 15 min)
_EXPONENTS = (1884, 2014, 2037)


def _power(base: int, exponent: int) -> int:
    """Linux's fixed_power_int: base to the exponent, rounded at each step."""
    result = FIXED_1
    half = FIXED_1 >> 1
    while exponent:
        if exponent & 1:
            result = (result * base + half) >> _FRACTION_BITS
        base = (base * base + half) >> _FRACTION_BITS
        exponent >>= 1
    return result


def _decay(load: int, factor: int, active: int) -> int:
    """Linux's calc_load."""
    total = load * factor + active * (FIXED_1 - factor)
    if active >= load:
        total += FIXED_1 - 1
    return total >> _FRACTION_BITS


class LoadAverages:
    """Of one, five and fifteen minutes."""

    __slots__ = ("_busy", "_time", "values")

    def __init__(self, now: int) -> None:
        self._time = now
        self._busy = 0
        #: times FIXED_1
        self.values = (0, 0, 0)

    def advance(self, now: int, busy: int) -> None:
        """To a time, when the guests had used so much of the processors (both nanoseconds)."""
        elapsed = now - self._time
        periods = elapsed // PERIOD_NS
        if periods <= 0:
            return
        used = max(busy - self._busy, 0)
        active = used * FIXED_1 // elapsed
        one, five, fifteen = (_power(exponent, periods) for exponent in _EXPONENTS)
        first, second, third = self.values
        self.values = (
            _decay(first, one, active),
            _decay(second, five, active),
            _decay(third, fifteen, active),
        )
        self._time += periods * PERIOD_NS
        self._busy += used * periods * PERIOD_NS // elapsed
