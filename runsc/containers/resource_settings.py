"""`linux.resources` as control files: which are written with what, in runc's conversion.

The specification is that of control groups version 1, for the most part; what version 2 has instead
is computed.  0 is "not set" and -1 "no limit" unless a line here says otherwise.

Two limits are larger by what the sandbox's own processes need, which are in the group too; the
exact ones are the sandbox's (`cgroups.sentry_limits`).
"""

import math

from runsc_py.runsc.errors import RunscError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any, TypeAlias

    #: a control file and what is written into it
    Setting: TypeAlias = tuple[str, str]

#: processes of ours beside the guest's: sentry, gofer, stubs that wait to become a guest's
OVERHEAD = 64
#: bytes that these need; the host's limit is larger by so much, the guest's is exact
MEMORY_OVERHEAD = 64 << 20
DEFAULT_PERIOD = 100_000
#: `linux.resources.blockIO` → the control file of version 1, the word in io.max of version 2
THROTTLES = (
    ("throttleReadBpsDevice", "blkio.throttle.read_bps_device", "rbps"),
    ("throttleWriteBpsDevice", "blkio.throttle.write_bps_device", "wbps"),
    ("throttleReadIOPSDevice", "blkio.throttle.read_iops_device", "riops"),
    ("throttleWriteIOPSDevice", "blkio.throttle.write_iops_device", "wiops"),
)


#: what a host need not have: alternatives of each other, or of no consequence
OPTIONAL = frozenset(
    (
        "blkio.weight", "blkio.weight_device", "blkio.bfq.weight", "blkio.bfq.weight_device",
        "cpu.cfs_burst_us", "io.weight", "io.bfq.weight",
    )
)  # fmt: skip

SWAP = ("memory.swap.max", "memory.memsw.limit_in_bytes")


def is_optional(name: str, text: str) -> bool:
    """Whether nothing is lost when the host has no such file."""
    if name in OPTIONAL or ".rsvd." in name:
        return True
    return name in SWAP and text in ("max", "-1", "0")


def settings(version: int, resources: "dict[str, Any]") -> "list[Setting]":
    """What is to be written, in this order.  Raises RunscError for what makes no sense."""
    if version == 1:
        if resources.get("unified"):
            raise RunscError("invalid configuration: cannot use unified on cgroup v1")
        parts = (_memory_1, _cpu_1, _block_io_1, _network_1)
    else:
        parts = (_memory_2, _cpu_2, _block_io_2, _unified)
    found = [setting for part in (_pids, _cpuset, _rdma, *parts) for setting in part(resources)]
    suffix = "limit_in_bytes" if version == 1 else "max"
    return found + list(_huge_pages(resources, suffix))


def _part(resources: "dict[str, Any]", name: str) -> "dict[str, Any]":
    return resources.get(name) or {}


def merge(old: "dict[str, Any]", new: "dict[str, Any]") -> "dict[str, Any]":
    """What holds from now on: groups member by member, lists of devices by device."""
    merged = dict(old)
    for key, value in new.items():
        if isinstance(value, dict):
            merged[key] = merge(old.get(key) or {}, value)
        elif isinstance(value, list) and all("major" in one for one in value):
            devices = {(one["major"], one["minor"]): one for one in [*old.get(key, ()), *value]}
            merged[key] = list(devices.values())
        else:
            merged[key] = value
    return merged


def updated(old: "dict[str, Any]", changes: "dict[str, Any]") -> "dict[str, Any]":
    """`linux.resources` after an update."""
    merged = merge(old, changes)
    memory, cpu = _part(changes, "memory"), _part(changes, "cpu")
    if memory.get("limit") == -1 and memory.get("swap") is None:
        merged["memory"]["swap"] = 0  # what was asked for before is no more than no limit
    if cpu.get("idle") is not None and cpu.get("shares") is None:
        merged["cpu"]["shares"] = 0  # an idle group has no weight
    return merged


# -- both versions -----------------------------------------------------------------------------


def _pids(resources: "dict[str, Any]") -> "Iterator[Setting]":
    limit = pids_limit(resources)
    if limit is not None:
        # The exact limit is the sandbox's; the host's must leave room for the sandbox itself.
        yield "pids.max", "max" if limit < 0 else str(limit + OVERHEAD)


def pids_limit(resources: "dict[str, Any]") -> int | None:
    """How many processes; negative for no limit, None when nothing is said.  0 is 1, as in runc."""
    limit: int | None = _part(resources, "pids").get("limit")
    return 1 if limit == 0 else limit


def _cpuset(resources: "dict[str, Any]") -> "Iterator[Setting]":
    cpu = _part(resources, "cpu")
    for key in ("cpus", "mems"):
        if value := cpu.get(key):
            yield f"cpuset.{key}", value


def _rdma(resources: "dict[str, Any]") -> "Iterator[Setting]":
    for device, limits in _part(resources, "rdma").items():
        words = [
            f"{word}={'max' if (value := limits.get(key)) is None else value}"
            for key, word in (("hcaHandles", "hca_handle"), ("hcaObjects", "hca_object"))
        ]
        yield "rdma.max", " ".join((device, *words))


def _huge_pages(resources: "dict[str, Any]", suffix: str) -> "Iterator[Setting]":
    for one in resources.get("hugepageLimits") or ():
        yield f"hugetlb.{one['pageSize']}.{suffix}", str(one["limit"])
        yield f"hugetlb.{one['pageSize']}.rsvd.{suffix}", str(one["limit"])


# -- version 1 ---------------------------------------------------------------------------------


def _memory_1(resources: "dict[str, Any]") -> "Iterator[Setting]":
    memory = _part(resources, "memory")
    limit, swap = memory.get("limit") or 0, memory.get("swap") or 0
    if limit == -1 and swap == 0:
        swap = -1
    if limit:
        yield "memory.limit_in_bytes", str(_with_overhead(limit))
    if swap:
        yield "memory.memsw.limit_in_bytes", str(_with_overhead(swap))
    if reservation := memory.get("reservation"):
        yield "memory.soft_limit_in_bytes", str(reservation)
    if memory.get("disableOOMKiller"):
        yield "memory.oom_control", "1"
    if (swappiness := memory.get("swappiness")) is not None:
        if swappiness > 100:
            raise RunscError(
                f"invalid memory swappiness value: {swappiness} (valid range is 0-100)"
            )
        yield "memory.swappiness", str(swappiness)


def _cpu_1(resources: "dict[str, Any]") -> "Iterator[Setting]":
    cpu = _part(resources, "cpu")
    for key, name in (
        ("realtimePeriod", "cpu.rt_period_us"),
        ("realtimeRuntime", "cpu.rt_runtime_us"),
        ("shares", "cpu.shares"),
        ("period", "cpu.cfs_period_us"),
        ("quota", "cpu.cfs_quota_us"),
    ):
        if value := cpu.get(key):
            yield name, str(value)
    for key, name in (("burst", "cpu.cfs_burst_us"), ("idle", "cpu.idle")):
        if (value := cpu.get(key)) is not None:
            yield name, str(value)


def _block_io_1(resources: "dict[str, Any]") -> "Iterator[Setting]":
    block = _part(resources, "blockIO")
    for key, name in (
        ("weight", "blkio.weight"),
        ("weight", "blkio.bfq.weight"),
        ("leafWeight", "blkio.leaf_weight"),
    ):
        if value := block.get(key):
            yield name, str(value)
        for one in block.get("weightDevice") or ():
            if value := one.get(key):
                yield f"{name}_device", f"{one['major']}:{one['minor']} {value}"
    for key, name, _ in THROTTLES:
        for one in block.get(key) or ():
            yield name, f"{one['major']}:{one['minor']} {one.get('rate', 0)}"


def _network_1(resources: "dict[str, Any]") -> "Iterator[Setting]":
    network = _part(resources, "network")
    if identifier := network.get("classID"):
        yield "net_cls.classid", str(identifier)
    for one in network.get("priorities") or ():
        yield "net_prio.ifpriomap", f"{one['name']} {one['priority']}"


# -- version 2 ---------------------------------------------------------------------------------


def _memory_2(resources: "dict[str, Any]") -> "Iterator[Setting]":
    memory = _part(resources, "memory")
    limit, swap = memory.get("limit") or 0, memory.get("swap") or 0
    if (alone := swap_alone(swap, limit)) is not None:
        yield "memory.swap.max", _maximum(alone)
    if limit:
        yield "memory.max", _maximum(_with_overhead(limit))
    if reservation := memory.get("reservation"):
        yield "memory.low", _maximum(reservation)


def swap_alone(swap: int, memory: int) -> int | None:
    """`swap` of the specification is memory and swap together; None when nothing is to be written.

    Raises RunscError.
    """
    if memory == -1 and swap == 0:
        return -1
    if swap == 0:
        return None
    if swap == -1 or memory == -1:
        return swap
    if memory == 0:
        raise RunscError("unable to set swap limit without memory limit")
    if memory < 0:
        raise RunscError(f"invalid memory value: {memory}")
    if swap < memory:
        raise RunscError("memory+swap limit should be >= memory limit")
    return swap - memory


def _cpu_2(resources: "dict[str, Any]") -> "Iterator[Setting]":
    cpu = _part(resources, "cpu")
    if (idle := cpu.get("idle")) is not None:
        yield "cpu.idle", str(idle)
    if shares := cpu.get("shares"):
        yield "cpu.weight", str(cpu_weight(shares))
    quota, period = cpu.get("quota") or 0, cpu.get("period") or 0
    if quota or period:
        yield "cpu.max", f"{quota if quota > 0 else 'max'} {period or DEFAULT_PERIOD}"
    if (burst := cpu.get("burst")) is not None:
        yield "cpu.max.burst", str(burst)


def cpu_weight(shares: int) -> int:
    """Shares of version 1 (2 … 262144, usually 1024) as a weight (1 … 10000, usually 100)."""
    if shares <= 2:
        return 1
    if shares >= 262144:
        return 10000
    logarithm = math.log2(shares)
    # a quadratic function through the smallest, the usual and the largest value
    return math.ceil(10 ** ((logarithm * logarithm + 125 * logarithm) / 612 - 7 / 34))


def _block_io_2(resources: "dict[str, Any]") -> "Iterator[Setting]":
    block = _part(resources, "blockIO")
    if weight := block.get("weight"):
        # The scheduler's own file takes 10 … 1000, the controller's 1 … 10000.
        yield "io.bfq.weight", str(weight)
        yield "io.weight", str(1 + (weight - 10) * 9999 // 990)
    for one in block.get("weightDevice") or ():
        if weight := one.get("weight"):
            yield "io.bfq.weight", f"{one['major']}:{one['minor']} {weight}"
    for key, _, word in THROTTLES:
        for one in block.get(key) or ():
            rate = one.get("rate", 0)
            yield "io.max", f"{one['major']}:{one['minor']} {word}={rate or 'max'}"


def _unified(resources: "dict[str, Any]") -> "Iterator[Setting]":
    for name, text in _part(resources, "unified").items():
        if "/" in name:
            raise RunscError(f'unified resource "{name}" must be a file name (no slashes)')
        if "." not in name:
            raise RunscError(f'unified resource "{name}" must be in the form CONTROLLER.PARAMETER')
        for line in text.splitlines():
            yield name, line


def _with_overhead(limit: int) -> int:
    """The sandbox's processes are in the same group as the guest's memory."""
    return limit + MEMORY_OVERHEAD if limit > 0 else limit


def _maximum(value: int) -> str:
    return "max" if value < 0 else str(value)
