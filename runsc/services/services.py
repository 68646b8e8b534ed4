"""What a sandbox has beside its containers: services by control call, its limits, its last word."""

from __future__ import annotations

import os

from runsc_py.runsc.control import calls
from runsc_py.runsc.control.errors import NOT_FOUND, ControlError
from runsc_py.runsc.exit_record import ExitRecord
from runsc_py.runsc.loader.container_limits import ContainerLimits
from runsc_py.runsc.services.files import FileService
from runsc_py.runsc.services.observation import Observation
from runsc_py.runsc.services.port_forwarding import PortForwarder

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from runsc_py.runsc.control.server import ControlServer, Deferred, Handler
    from runsc_py.runsc.loader.loader import Loader
    from runsc_py.runsc.sandbox_log import SandboxLog
    from runsc_py.runsc.sandbox_process import SandboxRequest


class Services:
    """Of one sandbox, from its creation to its end."""

    def __init__(
        self, loader: Loader, server: ControlServer, request: SandboxRequest, log: SandboxLog
    ) -> None:
        self.loader: Loader = loader
        self.server = server
        self._kernel = loader.kernel
        self._exit_record = request.exit_record
        self._metrics = request.metrics
        self.files = FileService(loader)
        self.observation = observation = Observation(loader, log)
        self._limits = ContainerLimits(loader)
        for kind, handler in (
            (calls.Read, self.files.read),
            (calls.Write, self.files.write),
            (calls.TarRootfsUpper, self.files.tar_rootfs_upper),
            (calls.PortForward, PortForwarder(loader).forward),
            (calls.Usage, observation.collect),
            (calls.ChangeLogging, observation.change_logging),
            (calls.Stacks, observation.stacks),
            (calls.Update, self.update),
        ):
            server.register(kind, handler)
        server.late = self._late
        if request.config.strace:
            observation.trace_as_configured(request.config)

    def update(self, call: calls.Update, files: list[int], later: Deferred) -> None:
        """Other limits for a container, or for the sandbox."""
        identifier = call.container_id or self.loader.sandbox_id
        information = self.loader.containers.get(identifier)
        if information is None:
            raise ControlError(f'container "{identifier}" does not exist', NOT_FOUND)
        self._limits.change(information, call.memory, call.pids, call.cpu_quota, call.cpu_period)

    def _late(self) -> Sequence[tuple[type[calls.Call], Handler]]:
        from runsc_py.runsc.services.late import handlers

        return handlers(self)

    def _write_metrics(self, descriptor: int) -> None:
        """`--final-metrics-log`."""
        from runsc_py.runsc.prometheus import PREFIX, exposition
        from runsc_py.runsc.services.metrics import declared, samples

        labels = {"sandbox": self.loader.sandbox_id}
        text = exposition(declared(), samples(self), PREFIX, labels)
        try:
            os.write(descriptor, text.encode())
        except OSError as error:
            self._kernel.log.warning(f"--final-metrics-log: {error.strerror}")

    def finish(self, status: int) -> None:
        """The sandbox ends: tell who listens why, and write down with what."""
        kernel, identifier = self._kernel, self.loader.sandbox_id
        if kernel.end_reason == "memory":
            data: dict[str, object] = {"message": kernel.end_message}
            self.loader.announce(calls.EventMessage("oom", identifier, data))
        if kernel.end_message:
            kernel.log.warning(kernel.end_message)
        if self._metrics >= 0:
            self._write_metrics(self._metrics)
        if self._exit_record >= 0:
            reason = kernel.end_reason or "exited"
            ExitRecord(status, reason, kernel.end_message).write(self._exit_record)
