"""What the sentry is told when it starts; made by runsc from its command line."""

from collections.abc import Callable

from runsc_py.sentry.kernel.limits import SandboxLimits


class KernelOptions:
    """Settings of one sandbox."""

    __slots__ = (
        "allows_set_id",
        "cpu_information",
        "hardware_capabilities",
        "host_name",
        "limits",
        "network",
        "processes",
        "processors",
        "stack_ceiling",
    )

    def __init__(
        self,
        *,
        host_name: bytes = b"runsc-py",
        limits: SandboxLimits | None = None,
        network: str = "none",
        processors: int = 1,
        cpu_information: Callable[[], bytes] = bytes,
        hardware_capabilities: tuple[int, int] = (0, 0),
        stack_ceiling: int = 0x7FFF_0000_0000,
        processes: int = -1,
    ) -> None:
        self.host_name = host_name
        #: whether execve(2) honours set-id bits and file capabilities
        self.allows_set_id = True
        self.limits = limits if limits is not None else SandboxLimits()
        #: "none" (loopback only) or "host"
        self.network = network
        #: how many processors guests see
        self.processors = processors
        #: reads the host's /proc/cpuinfo, which takes it a millisecond
        self.cpu_information = cpu_information
        #: AT_HWCAP and AT_HWCAP2 of the host
        self.hardware_capabilities = hardware_capabilities
        #: stacks of programs begin below it: page-aligned, near the end of the gap that the
        #: host leaves for stacks
        self.stack_ceiling = stack_ceiling
        #: descriptor of a procfs(5) that we are in; -1 for the host's /proc
        self.processes = processes
