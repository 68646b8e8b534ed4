"""Keys of a terminal that make signals, for whoever writes at its other end.

The host's line discipline sends those to the foreground group of the terminal's session.  Where no
process of the host has the terminal for its own, it drops them: the group is inside.
"""

import signal
import termios

#: indices into what tcgetattr(3) gives
_LOCAL_MODES, _KEYS = 3, 6


def signals_of(terminal: int, typed: bytes) -> list[int]:
    """What was typed as signals, unless the program has these keys for characters."""
    attributes = termios.tcgetattr(terminal)
    if not attributes[_LOCAL_MODES] & termios.ISIG:
        return []
    keys = attributes[_KEYS]
    meanings = {
        keys[termios.VINTR]: signal.SIGINT,
        keys[termios.VQUIT]: signal.SIGQUIT,
        keys[termios.VSUSP]: signal.SIGTSTP,
    }
    return [meanings[key] for key in (bytes((one,)) for one in typed) if key in meanings]
