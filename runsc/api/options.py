"""What a program can be started with."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypedDict

TYPE_CHECKING = False
if TYPE_CHECKING:
    from runsc_py.runsc.api.exchange import OnOutput


class ProgramOptions(TypedDict, total=False):
    """Of `start`, `run` and `run_async`; docs/python-api.md has a line for each."""

    #: all of its standard input, or what it begins with when it is `interactive`
    stdin: bytes | str
    #: more may be written later: `Process.write`, `Process.close_stdin`
    interactive: bool
    #: rows and columns of a terminal to run on; output and errors are one stream then
    terminal: tuple[int, int]
    #: variables beside those of the container
    env: Mapping[str, str]
    cwd: str
    #: "USER[:GROUP]" of the container's own /etc/passwd
    user: str
    #: called with bytes as they come
    on_stdout: OnOutput
    on_stderr: OnOutput
    #: seconds, of time and of processor time of all its processes
    wall: float
    cpu: float
    #: bytes, or text as in "256M": memory of all its processes, bytes of both outputs
    memory: int | str
    output: int | str
    #: open files of each process; the largest file in bytes that one can write
    files: int
    file_size: int | str
