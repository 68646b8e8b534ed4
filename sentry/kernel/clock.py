"""The clocks of the sandbox.

An object of its own, so that tests (and later a virtual time) put another one in its place.
The guest reads the host's clocks itself, through the vDSO, so the real ones must be those.
"""

import time

CLOCK_REALTIME = 0
CLOCK_MONOTONIC = 1
CLOCK_PROCESS_CPUTIME_ID = 2
CLOCK_THREAD_CPUTIME_ID = 3
CLOCK_MONOTONIC_RAW = 4
CLOCK_REALTIME_COARSE = 5
CLOCK_MONOTONIC_COARSE = 6
CLOCK_BOOTTIME = 7
CLOCK_REALTIME_ALARM = 8
CLOCK_BOOTTIME_ALARM = 9
CLOCK_TAI = 11

#: clocks of the machine, with the host clock that is read for each
_HOST_CLOCKS = {
    CLOCK_REALTIME: CLOCK_REALTIME,
    CLOCK_MONOTONIC: CLOCK_MONOTONIC,
    CLOCK_MONOTONIC_RAW: CLOCK_MONOTONIC_RAW,
    CLOCK_REALTIME_COARSE: CLOCK_REALTIME_COARSE,
    CLOCK_MONOTONIC_COARSE: CLOCK_MONOTONIC_COARSE,
    CLOCK_BOOTTIME: CLOCK_BOOTTIME,
    CLOCK_REALTIME_ALARM: CLOCK_REALTIME,
    CLOCK_BOOTTIME_ALARM: CLOCK_BOOTTIME,
    CLOCK_TAI: CLOCK_TAI,
}


class Clock:
    """The host's clocks.  All values are nanoseconds."""

    __slots__ = ()

    def monotonic(self) -> int:
        """CLOCK_MONOTONIC: what deadlines are measured with."""
        return time.monotonic_ns()

    def realtime(self) -> int:
        """CLOCK_REALTIME: since the epoch."""
        return time.time_ns()

    def boottime(self) -> int:
        """CLOCK_BOOTTIME: since boot, time asleep included."""
        return time.clock_gettime_ns(CLOCK_BOOTTIME)

    def read(self, identifier: int) -> int | None:
        """A clock of the machine by its CLOCK_* number; None when there is no such clock."""
        host = _HOST_CLOCKS.get(identifier)
        return None if host is None else time.clock_gettime_ns(host)

    def deadline(self, identifier: int, when: int) -> int:
        """The CLOCK_MONOTONIC value at which the given machine clock will show `when`."""
        monotonic = self.monotonic()
        if identifier in (CLOCK_MONOTONIC, CLOCK_MONOTONIC_RAW, CLOCK_MONOTONIC_COARSE):
            return when
        now = self.read(identifier)
        return when if now is None else monotonic + when - now
