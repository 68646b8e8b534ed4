"""Command line, container runtime and Python API of runsc-py.

The API's names are imported when they are first asked for: `from runsc_py.runsc import Sandbox`.
"""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from runsc_py.runsc.api import (
        Change,
        Container,
        ControlError,
        Event,
        Events,
        FileInfo,
        PortForward,
        Process,
        ProcessFailed,
        Result,
        RunscError,
        Sandbox,
        run,
        run_async,
    )

__all__ = [
    "Change",
    "Container",
    "ControlError",
    "Event",
    "Events",
    "FileInfo",
    "PortForward",
    "Process",
    "ProcessFailed",
    "Result",
    "RunscError",
    "Sandbox",
    "run",
    "run_async",
]


def __getattr__(name: str) -> "Any":
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from runsc_py.runsc import api

    return getattr(api, name)
