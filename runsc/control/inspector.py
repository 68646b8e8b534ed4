"""The calls of inspection.py for clients, one method each, as client.py has the others."""

from __future__ import annotations

from collections.abc import Sequence

from runsc_py.runsc.control import inspection
from runsc_py.runsc.control.inspection import (
    ControlFile,
    ControlFileResult,
    FileIoStats,
    Metric,
    NetworkConfig,
    Sample,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from runsc_py.runsc.control.client import ControlClient


class Inspector:
    """Looks into a sandbox by way of a client's connection.  Every method raises ControlError."""

    def __init__(self, client: ControlClient) -> None:
        self._client = client

    def execute(self, call: inspection.Exec, descriptors: Sequence[int]) -> int:
        """Run one more process and wait for it; its wait(2) status."""
        return self._client.call(call, int, descriptors)

    def ps(self, container_id: str = "") -> str:
        """The processes of a container, or all, as a table."""
        return self._client.call(inspection.Ps(container_id), str)

    def signal_process(self, pid: int, signal: int) -> None:
        """Signal a process by its number in the root PID namespace."""
        self._client.call(inspection.SignalProcess(pid, signal), type(None))

    def begin_cat(self, container_id: str, paths: Sequence[str], descriptor: int) -> int:
        """Have files copied into a descriptor; finished (Client.finish) by the bytes."""
        return self._client.begin(inspection.Cat(container_id, list(paths)), (descriptor,))

    def mount(self, call: inspection.Mount) -> None:
        """Mount something in a container."""
        self._client.call(call, type(None))

    def umount(self, container_id: str, destination: str, *, detach: bool = False) -> None:
        """Take it away."""
        self._client.call(inspection.Umount(container_id, destination, detach), type(None))

    def read_control_files(self, files: Sequence[ControlFile]) -> list[ControlFileResult]:
        """What is in them."""
        call = inspection.ReadControlFiles(list(files))
        return self._client.call(call, list[ControlFileResult])

    def write_control_files(self, files: Sequence[ControlFile]) -> list[ControlFileResult]:
        """Write `value` of each; the answers have errors only."""
        call = inspection.WriteControlFiles(list(files))
        return self._client.call(call, list[ControlFileResult])

    def usage_descriptor(self, descriptor: int, interval: int) -> None:
        """Have figures of memory in a file until this client is closed."""
        self._client.call(inspection.UsageDescriptor(interval), type(None), (descriptor,))

    def reduce(self) -> int:
        """Have caches given back; the bytes by which the sentry shrank."""
        return self._client.call(inspection.Reduce(), int)

    def file_io_stats(self) -> dict[str, FileIoStats]:
        """What each container has read and written."""
        return self._client.call(inspection.GetFileIoStats(), dict[str, FileIoStats])

    def network_config(self) -> NetworkConfig:
        """What network there is."""
        return self._client.call(inspection.GetNetworkConfig(), NetworkConfig)

    def metrics(self) -> list[Metric]:
        """Which there are."""
        return self._client.call(inspection.GetRegisteredMetrics(), list[Metric])

    def samples(self) -> list[Sample]:
        """Their values."""
        return self._client.call(inspection.ExportMetrics(), list[Sample])

    def profile_cpu(self, descriptor: int, duration: int) -> int:
        """Have stacks written into a descriptor after `duration` ns; the number of samples."""
        return self._client.call(inspection.ProfileCpu(duration), int, (descriptor,))
