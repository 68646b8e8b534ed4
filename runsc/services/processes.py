"""Proc.*: processes run, listed and signalled in one call each."""

from __future__ import annotations

from runsc_py.runsc.commands.ps import process_table
from runsc_py.runsc.control import calls
from runsc_py.runsc.control.errors import NOT_FOUND, ControlError
from runsc_py.sentry.kernel.signals import SignalInfo

TYPE_CHECKING = False
if TYPE_CHECKING:
    from runsc_py.runsc.control import inspection
    from runsc_py.runsc.control.server import Deferred
    from runsc_py.runsc.services.services import Services

MAXIMUM_SIGNAL = 64
ESRCH, EINVAL = 3, 22


def execute(services: Services, call: inspection.Exec, files: list[int], later: Deferred) -> object:
    """Run a process and answer when it has ended.  A client that hangs up leaves it alone."""
    _, start = services.server.find(calls.ExecuteAsync.METHOD)
    _, wait = services.server.find(calls.WaitPid.METHOD)
    started = calls.ExecuteAsync(
        call.container_id,
        call.process,
        call.user,
        call.guest_descriptors,
        has_executable=call.has_executable,
    )
    pid = start(started, files, later)
    assert isinstance(pid, int)
    return wait(calls.WaitPid(call.container_id, pid), [], later)


def ps(services: Services, call: inspection.Ps, files: list[int], later: Deferred) -> str:
    """The table that `runsc-py ps` prints."""
    _, list_processes = services.server.find(calls.Processes.METHOD)
    entries = list_processes(calls.Processes(call.container_id), [], later)
    assert isinstance(entries, list)
    return process_table(entries)


def signal(
    services: Services, call: inspection.SignalProcess, files: list[int], later: Deferred
) -> None:
    """Whichever container it is in."""
    if not 0 < call.signal <= MAXIMUM_SIGNAL:
        raise ControlError(f"invalid signal {call.signal}", errno=EINVAL)
    task = services.loader.kernel.root_pid_namespace.tasks.get(call.pid)
    if task is None or task.thread_group.leader is not task or task.thread_group.exiting:
        raise ControlError(f"no process {call.pid}", NOT_FOUND, ESRCH)
    task.thread_group.send_signal(SignalInfo.from_kernel(call.signal))
