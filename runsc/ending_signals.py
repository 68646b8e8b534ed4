"""Signals that end a command, as exceptions: while it makes what has to be taken back then."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager

from runsc_py.runsc.errors import EXIT_SIGNAL_BASE


@contextmanager
def ended_by_signals() -> Iterator[None]:
    """SIGTERM and SIGHUP raise SystemExit in a `with` statement, unless they are ignored."""
    before = {}
    for number in (signal.SIGTERM, signal.SIGHUP):
        if signal.getsignal(number) == signal.SIG_DFL:
            before[number] = signal.signal(number, _end)
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _end(number: int, frame: object) -> None:
    raise SystemExit(EXIT_SIGNAL_BASE + number)
