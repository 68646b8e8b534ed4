"""One sandbox from beginning to end: gofer, platform, kernel, first process, run loop, clean-up.

Order matters.  The gofer is forked first, while this process has nothing open and one thread; the
platform next, since every stub is a copy of this process; the kernel and its mounts last.  The
sentry is imported in between, for the copies to be small and while the gofer comes up.
"""

import gc
import os

from runsc_py.gofer.client import GoferClient, GoferError
from runsc_py.gofer.process import (
    Connection,
    MountSpec,
    raise_descriptor_limit,
    start_gofer,
)
from runsc_py.platform.interface import PlatformError
from runsc_py.platform.ptrace.platform import PtracePlatform
from runsc_py.runsc.confinement import walls
from runsc_py.runsc.errors import RunscError
from runsc_py.runsc.log import TextLog
from runsc_py.runsc.options import RunOptions
from runsc_py.runsc.result import RunResult

TYPE_CHECKING = False
if TYPE_CHECKING:
    from runsc_py.runsc.export.session import ExportSession
    from runsc_py.sentry.kernel.kernel import Kernel


class Sandbox:
    """A run of one command."""

    def __init__(
        self, options: RunOptions, log: TextLog, export: "ExportSession | None" = None
    ) -> None:
        self._export = export
        self._options = options
        self._log = log
        self._gofer: Connection | None = None
        self._platform: PtracePlatform | None = None
        self._kernel: Kernel | None = None
        #: a pidfd of whoever started us; -1 when it does not matter
        self._parent = -1

    def run(self) -> RunResult:
        """Run the command and return how it ended.

        Raises RunscError for what went wrong on our side, also when the command cannot be run.
        """
        try:
            return self._run()
        except GoferError as error:
            raise RunscError(f"the gofer failed: {error}") from error
        except PlatformError as error:
            raise RunscError(str(error)) from error
        finally:
            self._close()

    def _run(self) -> RunResult:
        options = self._options
        raise_descriptor_limit()
        if options.strace is not None:
            from runsc_py.runsc.tracing import open_trace_file

            options.strace_descriptor = open_trace_file(options.strace)
        network = options.network == "host"
        self._gofer = start_gofer(gofer_mounts(options), walls.confine_gofer)
        walls.restrict_sentry(network=network)
        walls.drop_sentry_capabilities(network=network)
        self._platform = PtracePlatform(options.placement)
        from runsc_py.runsc.boot import boot
        from runsc_py.runsc.host_signals import HostSignals
        from runsc_py.runsc.supervision import Supervisor
        from runsc_py.sentry.kernel.process_creation import start_process
        from runsc_py.sentry.kernel.run_loop import RunLoop
        from runsc_py.sentry.syscalls.all import TABLE

        client = GoferClient(self._gofer.socket)
        kernel = self._kernel = boot(self._platform, client, options, self._log)
        assert kernel.init is not None
        self._platform.accompany(self._gofer.pid)
        HostSignals(kernel, kernel.init)
        if options.ends_with_parent:
            self._watch_parent(kernel)
        supervisor = Supervisor(kernel, options)
        if self._export is not None:
            self._export.begin(kernel)
        walls.seal_sentry(network=network, control=False)
        start_process(kernel.init)
        # What there is now stays for the whole run: nothing of it is garbage.
        gc.freeze()
        gc.enable()
        RunLoop(kernel, TABLE).run()
        result = supervisor.result()
        if self._export is not None:
            self._export.finish(result)
        return result

    def _watch_parent(self, kernel: "Kernel") -> None:
        """End everything when the process that started us ends."""
        from runsc_py.sentry.kernel.containers import OneTimeWaiter
        from runsc_py.sentry.kernel.waiting import POLLIN, WaitQueue

        queue = WaitQueue()
        self._parent = os.pidfd_open(os.getppid())
        OneTimeWaiter(queue, lambda: kernel.end("signal", "the parent has ended"))
        kernel.events.watch(self._parent, POLLIN, queue)

    def _close(self) -> None:
        """Leave nothing behind, whatever happened before."""
        try:
            if self._gofer is not None:
                self._gofer.close()
            if self._platform is not None:
                self._platform.close()
            if self._gofer is not None:
                self._gofer.wait()
        finally:
            if self._kernel is not None:
                terminal = self._kernel.terminals.host
                if terminal is not None:
                    terminal.restore()
                self._kernel.events.close()


def gofer_mounts(options: RunOptions) -> list[MountSpec]:
    """What the gofer serves: the root file system, then the volumes in their order."""
    if options.setup is not None:
        return [
            MountSpec(step.source, read_only=step.read_only or step.has_overlay)
            for step in options.setup.binds()
        ]
    return [
        MountSpec(options.rootfs, read_only=options.has_overlay),
        *(MountSpec(volume.source, read_only=volume.read_only) for volume in options.volumes),
    ]
