"""The terminal of a container: made here, its master end handed to the engine.

The protocol is runc's: connect to the console socket, send the master's name with the descriptor.
"""

import fcntl
import os

from runsc_py.runsc.errors import RunscError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


def open_console(console_socket: str, size: "dict[str, Any] | None") -> int:
    """A new terminal; its container's end.  The master goes to `console_socket`."""
    try:
        master, terminal = os.openpty()
    except OSError as error:
        raise RunscError(f"cannot make a terminal: {error.strerror}") from None
    try:
        set_size(terminal, size)
        _send("console", console_socket, master, os.ttyname(terminal))
    except BaseException:
        os.close(terminal)
        raise
    finally:
        os.close(master)
    return terminal


def set_size(terminal: int, size: "dict[str, Any] | None") -> None:
    """`consoleSize` of the specification."""
    if size is None:
        return
    import struct
    import termios

    rows, columns = min(int(size["height"]), 0xFFFF), min(int(size["width"]), 0xFFFF)
    fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))


def send_pidfd(pidfd_socket: str, pid: int) -> None:
    """A descriptor that is readable when a process has ended (pidfd_open(2)); runc's protocol."""
    try:
        descriptor = os.pidfd_open(pid)
    except OSError as error:
        raise RunscError(f"pidfd of process {pid}: {error.strerror}") from None
    try:
        _send("pidfd", pidfd_socket, descriptor, "pidfd")
    finally:
        os.close(descriptor)


def _send(what: str, path: str, descriptor: int, name: str) -> None:
    import socket

    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
            connection.connect(path)
            socket.send_fds(connection, [name.encode()], [descriptor])
    except OSError as error:
        raise RunscError(f"{what} socket {path}: {error.strerror or error}") from None


def check_console(terminal: bool, console_socket: str, *, detached: bool) -> None:
    """Who needs a console socket has one, and nobody else.  Raises RunscError with runc's words."""
    if detached and terminal and not console_socket:
        raise RunscError("cannot allocate tty if we will detach without setting console socket")
    if console_socket and not (detached and terminal):
        raise RunscError("cannot use console socket if we will not detach or allocate tty")
