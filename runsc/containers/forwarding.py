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
#: what only terminals send, because of keys or of their window
OF_TERMINALS = (signal.SIGTSTP, signal.SIGWINCH)


def forward_signals(send: "Callable[[int], object]", *, with_terminal: bool = False) -> None:
    """Call `send` with the number of every signal from now on; what was ignored stays so.

    `with_terminal`: those that only terminals send as well.
    """

    def handle(number: int, frame: "FrameType | None") -> None:
        send(number)

    for number in {*FORWARDED, *(OF_TERMINALS if with_terminal else ())}:
        if signal.getsignal(number) != signal.SIG_IGN:
            signal.signal(number, handle)
