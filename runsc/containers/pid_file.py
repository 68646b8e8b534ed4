"""Pid files, console sockets: how an engine gets a container's process and its terminal."""

import os
from contextlib import suppress

from runsc_py.runsc.errors import RunscError


def write_pid_file(path: str, pid: int) -> None:
    """Written beside and renamed, so that nobody reads half a number.  Raises RunscError."""
    folder, name = os.path.split(os.path.abspath(path))
    temporary = os.path.join(folder, f".{name}")
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
    try:
        with suppress(FileNotFoundError):  # of a command that was killed
            os.unlink(temporary)
        with open(os.open(temporary, flags, 0o666), "w") as file:
            file.write(str(pid))
        os.rename(temporary, path)
    except OSError as error:
        raise RunscError(f"pid file {path}: {error.strerror}") from None
