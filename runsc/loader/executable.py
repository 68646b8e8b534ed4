"""Finding the program of a process inside a container, as execvp(3) does."""

from __future__ import annotations

import os

from runsc_py.runsc.control.errors import COMMAND_NOT_FOUND, NOT_EXECUTABLE, ControlError
from runsc_py.sentry.errors import (
    EACCES,
    ENODEV,
    ENOENT,
    ENOTDIR,
    ESTALE,
    ETIMEDOUT,
    KernelError,
    message_of,
)
from runsc_py.sentry.kernel.execution import open_executable
from runsc_py.sentry.vfs.walk import walk

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from runsc_py.sentry.kernel.task import Task

#: where the search goes on
_SKIPPED = (ENOENT, ESTALE, ENOTDIR, ENODEV, ETIMEDOUT)


def resolve_executable(
    task: Task, name: bytes, environment: Sequence[bytes], working_directory: bytes
) -> bytes:
    """The path of the program `name`.  `task` sees the container's files.

    Raises ControlError (COMMAND_NOT_FOUND, NOT_EXECUTABLE).
    """
    if not name:
        raise ControlError("no filename or command provided")
    if name.startswith(b"/"):
        return name
    if b"/" in name:
        base = working_directory or b"/"
        if not base.startswith(b"/"):
            raise ControlError(f"working directory {base!r} must be absolute")
        return os.path.normpath(os.path.join(base, name))
    paths = search_path(environment)
    failure = _search(task, name, paths)
    if isinstance(failure, bytes):
        return failure
    shown = " ".join(path.decode(errors="replace") for path in paths)
    message = f'error finding executable "{_text(name)}" in PATH [{shown}]: {message_of(failure)}'
    if isinstance(failure, EACCES):
        raise ControlError(message, NOT_EXECUTABLE, failure.number)
    hint = f'exec: "{_text(name)}": executable file not found in $PATH'
    raise ControlError(f"{message} ({hint})", COMMAND_NOT_FOUND, failure.number)


def search_path(environment: Sequence[bytes]) -> list[bytes]:
    """The directories of the first PATH; relative ones are left out."""
    for entry in environment:
        if entry.startswith(b"PATH="):
            return [part for part in entry[5:].split(b":") if part.startswith(b"/")]
    return []


def _search(task: Task, name: bytes, paths: list[bytes]) -> bytes | KernelError:
    """The first that can be executed, or why there is none."""
    denied: KernelError | None = None
    for directory in paths:
        candidate = directory.rstrip(b"/") + b"/" + name
        try:
            open_executable(task, walk(task, candidate)).drop()
        except _SKIPPED:
            continue
        except EACCES as error:
            denied = error
        except KernelError as error:
            return error
        else:
            return candidate
    return denied or ENOENT()


def _text(name: bytes) -> str:
    return name.decode(errors="backslashreplace")
