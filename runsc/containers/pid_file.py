"""Pid files: how an engine gets the process that stands for a container."""

from runsc_py.runsc.errors import RunscError
from runsc_py.runsc.replacing import replace_file


def write_pid_file(path: str, pid: int) -> None:
    """Nobody reads half a number.  Raises RunscError."""
    try:
        replace_file(path, str(pid).encode())
    except OSError as error:
        raise RunscError(f"pid file {path}: {error.strerror}") from None
