"""The control socket, made while paths of the host still lead somewhere."""

import os
import socket
from contextlib import suppress


def listen(path: str) -> socket.socket:
    """A listening socket at a path, however long, for its owner only.  Raises OSError."""
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM | socket.SOCK_CLOEXEC)
    folder = os.open(os.path.dirname(path), os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
    mask = os.umask(0o177)
    try:
        with suppress(FileNotFoundError):
            os.unlink(path)
        listener.bind(f"/proc/self/fd/{folder}/{os.path.basename(path)}")
        listener.listen(64)
    except BaseException:
        listener.close()
        raise
    finally:
        os.umask(mask)
        os.close(folder)
    return listener
