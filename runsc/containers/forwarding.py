"""Signals that reach a command in the foreground are for the program that it waits for."""

import signal

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from types import FrameType

FORWARDED = (
    signal.SIGHUP,
    signal.SIGINT,
    signal.SIGQUIT,
    signal.SIGTERM,
    signal.SIGUSR1,
    signal.SIGUSR2,
    signal.SIGCONT,
)


def forward_signals(send: "Callable[[int], object]") -> None:
    """Call `send` with the number of every signal from now on; what was ignored stays so."""

    def handle(number: int, frame: "FrameType | None") -> None:
        send(number)

    for number in FORWARDED:
        if signal.getsignal(number) != signal.SIG_IGN:
            signal.signal(number, handle)
