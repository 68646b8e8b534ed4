"""A sandbox for containers, from beginning to end: the counterpart of runsc/sandbox.py.

The gofer runs by then (loader/root_gofer.py).  Order matters: the platform first, since stubs are
copies of this process, the sentry's objects last.
"""

from __future__ import annotations

import gc
import os
import signal
from contextlib import suppress

from runsc_py.gofer.client import GoferClient, GoferError
from runsc_py.platform.interface import PlatformError
from runsc_py.platform.ptrace.platform import PtracePlatform
from runsc_py.runsc.boot import make_kernel
from runsc_py.runsc.confinement.confinement import Confinement
from runsc_py.runsc.control.listening import listen
from runsc_py.runsc.control.server import ControlServer
from runsc_py.runsc.errors import EXIT_FAILURE, EXIT_SIGNAL_BASE, RunscError
from runsc_py.runsc.loader.container_process import ContainerProcess
from runsc_py.runsc.loader.kernel_settings import apply_settings
from runsc_py.runsc.loader.lifecycle import Lifecycle
from runsc_py.runsc.loader.loader import (
    ContainerInformation,
    GoferMonitor,
    Loader,
)
from runsc_py.runsc.loader.manager import ContainerManager
from runsc_py.runsc.loader.shared_mounts import SharedMounts
from runsc_py.runsc.loader.start import check_executable, prepare
from runsc_py.runsc.loader.visits import await_visits
from runsc_py.runsc.options import RunOptions
from runsc_py.runsc.services.services import Services
from runsc_py.sentry.auth.user_namespace import ContainerIdMap
from runsc_py.sentry.kernel.run_loop import RunLoop
from runsc_py.sentry.syscalls.all import TABLE

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from socket import socket as Socket

    from runsc_py.gofer.process import Connection
    from runsc_py.runsc.loader.gofer_mounts import GoferMountConfiguration
    from runsc_py.runsc.oci.spec import Spec
    from runsc_py.runsc.sandbox_log import SandboxLog
    from runsc_py.runsc.sandbox_process import SandboxRequest
    from runsc_py.runsc.services.leaks import LeakCheck
    from runsc_py.runsc.services.profiling import Profile
    from runsc_py.sentry.kernel.kernel import Kernel


def run_sandbox(request: SandboxRequest, log: SandboxLog, created: Callable[[], None]) -> int:
    """Run until the root container ends; its exit status.  Calls `created` when it waits to start.

    Raises RunscError.
    """
    # What is imported stays: no collection needs to look at it, in no process of ours.
    gc.freeze()
    gc.enable()
    assert request.gofer is not None
    gofer, layers = request.gofer.connection, request.gofer.layers
    platform: PtracePlatform | None = None
    try:
        listener = listen(request.socket_path)
        confinement = Confinement(log, request.config, request.processes)
        platform = PtracePlatform(processes=confinement.processes)
        if request.config.ref_leak_mode == "disabled":
            return _serve(request, log, created, gofer, platform, layers, confinement, listener)
        from runsc_py.runsc.services.leaks import LeakCheck

        leaks = LeakCheck(request.config.ref_leak_mode)
        status = _serve(
            request, log, created, gofer, platform, layers, confinement, listener, leaks
        )
        leaks.report(log)
        return status
    except GoferError as error:
        raise RunscError(f"the gofer failed: {error}") from error
    except PlatformError as error:
        raise RunscError(str(error)) from error
    finally:
        gofer.close()
        if platform is not None:
            platform.close()
        gofer.wait()


def _serve(
    request: SandboxRequest,
    log: SandboxLog,
    created: Callable[[], None],
    gofer: Connection,
    platform: PtracePlatform,
    layers: list[GoferMountConfiguration],
    confinement: Confinement,
    listener: Socket,
    leaks: LeakCheck | None = None,
) -> int:
    options = RunOptions([])
    options.host_name = request.spec.hostname or None
    options.network = "host" if request.config.network == "host" else "none"
    kernel = make_kernel(platform, options, log, confinement.processes)
    kernel.reaps_orphans = False
    apply_settings(kernel, request.config, request.spec)
    loader = _load(request, kernel, GoferClient(gofer.socket), layers)
    platform.accompany(gofer.pid)
    GoferMonitor(
        kernel, gofer.socket, lambda: kernel.end("gofer", "the root container's gofer died")
    )
    server = ControlServer(kernel, listener)
    ContainerManager(loader, server)
    Lifecycle(loader, server)
    services = Services(loader, server, request, log)
    _take_terminal(request, loader)
    confinement.complete(request.spec, request.config)
    if confinement.visits >= 0:
        await_visits(loader.root, confinement.visits)
    elif confinement.is_complete:
        loader.has_unseen_visitors = True
    _watch_over(request, kernel, log)
    gc.collect()
    gc.freeze()
    profile = _begin_profile(request)
    created()
    try:
        RunLoop(kernel, TABLE).run()
        status = _exit_status(kernel)
        if profile is not None:
            profile.stop()
            os.write(request.profile, profile.folded())
        services.finish(status)
        if leaks is not None:
            leaks.end(loader)
    finally:
        # The answers to those who wait are on their way out: nobody serves them any more.
        server.close(request.config.control_rpc_stop_timeout)
    return status


def _begin_profile(request: SandboxRequest) -> Profile | None:
    """`--profile`."""
    if request.profile < 0:
        return None
    from runsc_py.runsc.services.profiling import PERIOD, Profile

    return Profile(PERIOD)


def _watch_over(request: SandboxRequest, kernel: Kernel, log: SandboxLog) -> None:
    """What is to be told of a sentry that hangs."""
    config = request.config
    if config.watchdog_action == "none" and config.panic_signal < 0:
        return
    from runsc_py.runsc.services.watchdog import Watchdog, panic_on_signal

    assert request.report is not None
    if config.panic_signal > 0:
        panic_on_signal(kernel, config.panic_signal, request.report)
    if config.watchdog_action != "none":
        Watchdog(kernel, config, request.report, log)


def _load(
    request: SandboxRequest,
    kernel: Kernel,
    client: GoferClient,
    layers: list[GoferMountConfiguration],
) -> Loader:
    """The root container, ready to start."""
    _map_ids(kernel, request.spec)
    root = ContainerInformation(kernel, request.container_id, request.spec, request.config, layers)
    root.client = client
    root.bundle = request.bundle
    root.image_owners = request.image_owners
    root.upper_archive = request.upper_archive
    loader = Loader(kernel, root, SharedMounts(request.spec.annotations))
    files = () if request.terminal >= 0 else request.standard_files
    first = ContainerProcess(request.terminal, files)
    first.passed_files, first.executable = request.passed_files, request.executable
    loader.processes[root.identifier, 0] = first
    prepare(loader, root, kernel.root_pid_namespace)
    if request.executable < 0:
        check_executable(loader, root)
    return loader


def _map_ids(kernel: Kernel, spec: Spec) -> None:
    """`linux.uidMappings` and `gidMappings`: the ids that there are in the sandbox."""
    linux = spec.linux
    if linux is None or spec.namespace("user") is None:
        return
    namespace = kernel.root_user_namespace
    for attribute, mappings in (("uid_map", linux.uid_mappings), ("gid_map", linux.gid_mappings)):
        extents = [(one.container_id, one.host_id, one.size) for one in mappings]
        if extents:
            setattr(namespace, attribute, ContainerIdMap(extents))


def _take_terminal(request: SandboxRequest, loader: Loader) -> None:
    """Keys of the root container's terminal, and sizes of its window, reach us as signals.

    It is our controlling terminal, or else that of a command in the foreground, which passes on
    what it gets.
    """
    if request.terminal < 0:
        return
    import fcntl
    import termios

    with suppress(OSError):
        fcntl.ioctl(request.terminal, termios.TIOCSCTTY, 0)
    terminals = loader.root.container.terminals

    def forward(number: int) -> None:
        if terminals.host is not None:
            terminals.host.signal_foreground(number)

    for number in (signal.SIGINT, signal.SIGQUIT, signal.SIGTSTP, signal.SIGWINCH, signal.SIGHUP):
        loader.kernel.events.on_signal(number, forward)


def _exit_status(kernel: Kernel) -> int:
    """As a shell has it."""
    if kernel.init is None or (kernel.end_reason and not kernel.init.exiting):
        return EXIT_SIGNAL_BASE + signal.SIGKILL if kernel.end_reason else EXIT_FAILURE
    code = os.waitstatus_to_exitcode(kernel.init.exit_status & ~0x80)
    return code if code >= 0 else EXIT_SIGNAL_BASE - code
