"""Handlers of rare calls (control/inspection.py, file_calls.py), imported when one is made."""

from __future__ import annotations

from functools import partial

from runsc_py.runsc.control import inspection
from runsc_py.runsc.services import (
    control_files,
    memory,
    metrics,
    mounting,
    network,
    processes,
    profiling,
)
from runsc_py.runsc.services.file_tree import FileTreeService

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from runsc_py.runsc.control.calls import Call
    from runsc_py.runsc.control.server import Handler
    from runsc_py.runsc.services.services import Services

_HANDLERS: dict[type[Call], Callable[..., object]] = {
    inspection.Exec: processes.execute,
    inspection.Ps: processes.ps,
    inspection.SignalProcess: processes.signal,
    inspection.Mount: mounting.mount,
    inspection.Umount: mounting.umount,
    inspection.ReadControlFiles: control_files.read,
    inspection.WriteControlFiles: control_files.write,
    inspection.UsageDescriptor: memory.usage_descriptor,
    inspection.Reduce: memory.reduce,
    inspection.GetFileIoStats: memory.file_io,
    inspection.GetNetworkConfig: network.configuration,
    inspection.GetRegisteredMetrics: metrics.registered,
    inspection.ExportMetrics: metrics.export,
    inspection.ProfileCpu: profiling.cpu,
}


def handlers(services: Services) -> list[tuple[type[Call], Handler]]:
    """All of them."""
    found = FileTreeService(services.loader).handlers()
    found.append((inspection.Cat, services.files.cat))
    found += [(kind, partial(handler, services)) for kind, handler in _HANDLERS.items()]
    return found
