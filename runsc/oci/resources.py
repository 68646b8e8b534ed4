"""`linux.resources` of config.json: what control groups limit."""

from runsc_py.runsc.control.message import field
from runsc_py.runsc.oci.types import (
    Annotated,
    Int64,
    Matching,
    StringMap,
    Structure,
    Uint16,
    Uint32,
    Uint64,
)


class DeviceRule(Structure):
    """One rule of the devices controller."""

    allow: bool
    type: str = ""
    major: Int64 | None = None
    minor: Int64 | None = None
    access: str = ""


class Memory(Structure):
    """Bytes; -1 is no limit."""

    limit: Int64 | None = None
    reservation: Int64 | None = None
    swap: Int64 | None = None
    kernel: Int64 | None = None
    kernel_tcp: Int64 | None = field(name="kernelTCP", default=None)
    swappiness: Uint64 | None = None
    disable_oom_killer: bool | None = field(name="disableOOMKiller", default=None)
    use_hierarchy: bool | None = None
    check_before_update: bool | None = None


class Cpu(Structure):
    """Processor time in microseconds, shares, and the processors that may be used."""

    shares: Uint64 | None = None
    quota: Int64 | None = None
    burst: Uint64 | None = None
    period: Uint64 | None = None
    realtime_runtime: Int64 | None = None
    realtime_period: Uint64 | None = None
    cpus: str = ""
    mems: str = ""
    idle: Int64 | None = None


class Pids(Structure):
    """Processes at a time; 0 and below is no limit."""

    limit: Int64


class WeightDevice(Structure):
    """The weight of one block device."""

    major: Int64
    minor: Int64
    weight: Uint16 | None = None
    leaf_weight: Uint16 | None = None


class ThrottleDevice(Structure):
    """The rate of one block device."""

    major: Int64
    minor: Int64
    rate: Uint64 = 0


class BlockIo(Structure):
    """The block I/O controller."""

    weight: Uint16 | None = None
    leaf_weight: Uint16 | None = None
    weight_device: list[WeightDevice] = []
    throttle_read_bps_device: list[ThrottleDevice] = []
    throttle_write_bps_device: list[ThrottleDevice] = []
    throttle_read_iops_device: list[ThrottleDevice] = field(
        name="throttleReadIOPSDevice", default_factory=list
    )
    throttle_write_iops_device: list[ThrottleDevice] = field(
        name="throttleWriteIOPSDevice", default_factory=list
    )


class HugepageLimit(Structure):
    """Huge pages of one size."""

    page_size: Annotated[str, Matching("[1-9][0-9]*[KMG]B")]
    limit: Uint64


class InterfacePriority(Structure):
    """The priority of one network interface."""

    name: str
    priority: Uint32


class Network(Structure):
    """The network controllers."""

    class_id: Uint32 | None = field(name="classID", default=None)
    priorities: list[InterfacePriority] = []


class Rdma(Structure):
    """Remote DMA resources of one device."""

    hca_handles: Uint32 | None = None
    hca_objects: Uint32 | None = None


class Resources(Structure):
    """Everything that can be limited."""

    devices: list[DeviceRule] = []
    memory: Memory | None = None
    cpu: Cpu | None = None
    pids: Pids | None = None
    block_io: BlockIo | None = field(name="blockIO", default=None)
    hugepage_limits: list[HugepageLimit] = []
    network: Network | None = None
    rdma: dict[str, Rdma] = {}
    unified: StringMap = {}
