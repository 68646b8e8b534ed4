"""What calls are given, in the forms that the command line has."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping, Sequence

from runsc_py.runsc.errors import RunscError
from runsc_py.runsc.options import Volume, parse_size, parse_volume

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import TypeAlias

    #: a command is a list of words, or text for the sandbox's `sh -c`
    Command: TypeAlias = str | Sequence[str]

PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


def own_command(*words: str) -> list[str]:
    """Another process of ours.

    Modules are not looked for in the working directory (-P): a program may have written there.
    """
    return [sys.executable, "-P", "-m", "runsc_py.runsc", *words]


def own_environment() -> dict[str, str] | None:
    """For `own_command`, when we are somewhere that only this process's sys.path leads to."""
    import site

    # It is PLACE/runsc_py/runsc/api/arguments.py.
    place = os.path.abspath(__file__).rsplit("/", 4)[0]
    if place not in sys.path or place in (*site.getsitepackages(), site.getusersitepackages()):
        return None
    others = os.environ.get("PYTHONPATH")
    return {**os.environ, "PYTHONPATH": f"{place}:{others}" if others else place}


def words_of(command: Command) -> list[str]:
    """The words to execute.  Raises RunscError."""
    words = ["/bin/sh", "-c", command] if isinstance(command, str) else [*command]
    if not words:
        raise RunscError("no command given")
    return words


def size_of(option: str, value: int | str) -> int:
    """Bytes: a number, or text as in "256M".  Raises RunscError."""
    return parse_size(option, str(value))


def environment_of(environment: Mapping[str, str] | None) -> dict[str, str]:
    """Only what is asked for, and a PATH: the caller's environment may hold secrets."""
    return {"PATH": PATH, **(environment or {})}


def volumes_of(volumes: Mapping[str | os.PathLike[str], str] | None) -> list[Volume]:
    """{"host path": "/place"} or {"host path": "/place:rw"}.  Raises RunscError."""
    return [
        parse_volume(f"{os.fspath(source)}:{place}") for source, place in (volumes or {}).items()
    ]
