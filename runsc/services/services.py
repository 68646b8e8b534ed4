"""What a sandbox has beside its containers: services by control call, its limits, its last word."""

from __future__ import annotations

from runsc_py.runsc.control import calls
from runsc_py.runsc.exit_record import ExitRecord
from runsc_py.runsc.services.file_tree import FileTreeService
from runsc_py.runsc.services.files import FileService
from runsc_py.runsc.services.observation import Observation
from runsc_py.runsc.services.port_forwarding import PortForwarder
from runsc_py.runsc.supervision import MemoryWatch

TYPE_CHECKING = False
if TYPE_CHECKING:
    from runsc_py.runsc.control.server import ControlServer, Deferred
    from runsc_py.runsc.loader.loader import Loader
    from runsc_py.runsc.sandbox_log import SandboxLog
    from runsc_py.runsc.sandbox_process import SandboxRequest


class Services:
    """Of one sandbox, from its creation to its end."""

    def __init__(
        self, loader: Loader, server: ControlServer, request: SandboxRequest, log: SandboxLog
    ) -> None:
        self._loader = loader
        self._kernel = loader.kernel
        self._exit_record = request.exit_record
        self._memory = MemoryWatch(loader.kernel)
        files, ports, observation = (
            FileService(loader),
            PortForwarder(loader),
            Observation(loader, log),
        )
        for kind, handler in (
            (calls.Read, files.read),
            (calls.Write, files.write),
            (calls.TarRootfsUpper, files.tar_rootfs_upper),
            (calls.PortForward, ports.forward),
            (calls.Usage, observation.usage),
            (calls.ChangeLogging, observation.change_logging),
            (calls.Stacks, observation.stacks),
            (calls.Update, self.update),
        ):
            server.register(kind, handler)
        FileTreeService(loader, server)
        if request.config.strace:
            observation.trace_as_configured(request.config)

    def update(self, call: calls.Update, files: list[int], later: Deferred) -> None:
        """Other limits for the sandbox."""
        limits = self._kernel.limits
        if call.memory is not None:
            limits.memory = call.memory if call.memory > 0 else None
            self._memory.start()
        if call.pids is not None:
            limits.pids = call.pids if call.pids > 0 else None

    def finish(self, status: int) -> None:
        """The sandbox ends: tell who listens why, and write down with what."""
        kernel, identifier = self._kernel, self._loader.sandbox_id
        if kernel.end_reason == "memory":
            data: dict[str, object] = {"message": kernel.end_message}
            self._loader.announce(calls.EventMessage("oom", identifier, data))
        if kernel.end_message:
            kernel.log.warning(kernel.end_message)
        if self._exit_record >= 0:
            reason = kernel.end_reason or "exited"
            ExitRecord(status, reason, kernel.end_message).write(self._exit_record)
