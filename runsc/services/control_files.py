"""Cgroups.*: the files of the control group that programs in the sandbox see.

Each container sees one group, its own, which is called `/ID` here; `/` is that of the root
container, whose limits are the whole sandbox's.  Limits that are written are those that `runsc-py
update` sets; programs inside may only read them.
"""

from __future__ import annotations

import os

from runsc_py.runsc.control import calls
from runsc_py.runsc.control.errors import ControlError
from runsc_py.runsc.control.inspection import ControlFile, ControlFileResult
from runsc_py.sentry.errors import KernelError
from runsc_py.sentry.fs.synthetic import File
from runsc_py.sentry.fs.sys.control_group import CONTROLLERS, make_tree

TYPE_CHECKING = False
if TYPE_CHECKING:
    from runsc_py.runsc.control import inspection
    from runsc_py.runsc.control.server import Deferred
    from runsc_py.runsc.services.services import Services

#: file → argument of calls.Update
_LIMITS = {"memory.max": "memory", "pids.max": "pids"}


def read(
    services: Services, call: inspection.ReadControlFiles, files: list[int], later: Deferred
) -> list[ControlFileResult]:
    """Each by itself: one that cannot be read does not keep the others back."""
    return [_read(services, one) for one in call.files]


def write(
    services: Services, call: inspection.WriteControlFiles, files: list[int], later: Deferred
) -> list[ControlFileResult]:
    """In their order; what cannot be written says why."""
    return [_write(services, one, later) for one in call.files]


def _find(services: Services, file: ControlFile) -> object:
    """What the tree has of a file, or why it has none, as ControlFileResult."""
    # "cgroup" has what is of no controller.
    if file.controller not in (*CONTROLLERS, "cgroup"):
        known = ", ".join((*CONTROLLERS, "cgroup"))
        return ControlFileResult(error=f"no controller {file.controller!r}: there are {known}")
    if _container(services, file) not in services.loader.containers:
        return ControlFileResult(error=f"no group {file.path!r}: there are / and /ID")
    found = make_tree().get(os.fsencode(file.name))
    if found is None or file.name.partition(".")[0] != file.controller:
        return ControlFileResult(error=f"controller {file.controller} has no file {file.name!r}")
    return found


def _container(services: Services, file: ControlFile) -> str:
    return file.path.strip("/") or services.loader.sandbox_id


def _read(services: Services, file: ControlFile) -> ControlFileResult:
    found = _find(services, file)
    if isinstance(found, ControlFileResult):
        return found
    if isinstance(found, bytes):
        return ControlFileResult(value=found.decode())
    assert isinstance(found, File)
    try:
        init = services.loader.process(_container(services, file))
        return ControlFileResult(value=found.produce(init.leader).decode())
    except ControlError as error:
        return ControlFileResult(error=error.message)
    except KernelError as error:
        return ControlFileResult(error=os.strerror(error.number))


def _write(services: Services, file: ControlFile, later: Deferred) -> ControlFileResult:
    found = _find(services, file)
    if isinstance(found, ControlFileResult):
        return found
    argument = _LIMITS.get(file.name)
    if argument is None:
        known = ", ".join(_LIMITS)
        return ControlFileResult(error=f"{file.name} is only read; {known} can be written")
    text = file.value.strip()
    if text != "max" and not (text.isascii() and text.isdigit() and int(text) < 1 << 63):
        return ControlFileResult(error=f"{file.value!r}: use a number or max")
    limit = -1 if text == "max" else int(text)
    memory, pids = (limit, None) if argument == "memory" else (None, limit)
    container_id = _container(services, file)
    services.update(calls.Update(memory, pids, container_id=container_id), [], later)
    return ControlFileResult()
