"""Run programs that you do not trust, from Python (docs/python-api.md).

`run` is one program in a sandbox of its own.  `Sandbox` stays: programs, files, containers and what
they changed, until it is closed.  Neither starts threads or changes signal handlers of the caller.
"""

from runsc_py.runsc.api.container import Container
from runsc_py.runsc.api.events import Events
from runsc_py.runsc.api.once import run, run_async
from runsc_py.runsc.api.ports import PortForward
from runsc_py.runsc.api.process import Process
from runsc_py.runsc.api.results import Change, Event, FileInfo, ProcessFailed, Result
from runsc_py.runsc.api.sandbox import Sandbox
from runsc_py.runsc.control.errors import ControlError
from runsc_py.runsc.errors import RunscError

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
