"""Control groups of the host, where we may make them: a second wall around a sandbox's limits.

Both versions are served.  Version 1 has a hierarchy for each controller, version 2 one for all.
What cannot be written is left to the sandbox's own limits (`sentry_limits`), with a warning.
"""

import os
import time

from runsc_py.runsc.errors import RunscError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

#: controllers of version 1 that a container is put into when the host has them
CONTROLLERS = (
    "memory", "cpu", "cpuacct", "cpuset", "pids", "blkio", "devices", "freezer", "hugetlb",
)  # fmt: skip
#: processes of ours beside the guest's: sentry, gofer, stubs that wait to become a guest's
OVERHEAD = 64
#: bytes that these need; the host's limit is larger by so much, the guest's is exact
MEMORY_OVERHEAD = 64 << 20
#: seconds that a group's last processes get to end
GRACE = 5.0
INTERVAL = 0.01


class Hierarchy:
    """One mounted control group file system."""

    __slots__ = ("controllers", "mount_point", "version")

    def __init__(self, version: int, mount_point: str, controllers: frozenset[str]) -> None:
        self.version = version
        self.mount_point = mount_point
        self.controllers = controllers


def hierarchies(mountinfo: str) -> list[Hierarchy]:
    """Those of a /proc/PID/mountinfo; version 2 only where version 1 has no controllers."""
    found = []
    for line in mountinfo.splitlines():
        before, _, after = line.partition(" - ")
        mount_point = before.split()[4]
        kind, _, options = after.split()[:3]
        if kind == "cgroup":
            controllers = frozenset(options.split(",")) & frozenset(CONTROLLERS)
            if controllers:
                found.append(Hierarchy(1, mount_point, controllers))
        elif kind == "cgroup2":
            found.append(Hierarchy(2, mount_point, frozenset()))
    if any(hierarchy.version == 1 for hierarchy in found):
        return [hierarchy for hierarchy in found if hierarchy.version == 1]
    return found


def host_hierarchies() -> list[Hierarchy]:
    """Those that this process sees."""
    with open("/proc/self/mountinfo") as file:
        return hierarchies(file.read())


def group_path(cgroups_path: str, identifier: str, root: str, *, systemd: bool) -> str:
    """Where below a hierarchy the container's group is.  Raises RunscError.

    `root`: the state directory, in which names are unique; of groups there is one tree a host.
    """
    if not cgroups_path:
        from zlib import crc32

        return f"runsc-py/{identifier}-{crc32(os.fsencode(os.path.realpath(root))):08x}"
    if systemd:
        parts = cgroups_path.split(":")
        if len(parts) != 3:
            raise RunscError(
                f'expected cgroupsPath to be of format "slice:prefix:name" for systemd cgroups, '
                f"got {cgroups_path!r} instead"
            )
        slice_name, prefix, name = parts
        unit = name if name.endswith(".slice") else f"{prefix}-{name}.scope" if prefix else name
        return os.path.join(_expand_slice(slice_name or "system.slice"), unit)
    path = os.path.normpath("/" + cgroups_path).strip("/")
    if not path:
        raise RunscError(f"cgroupsPath {cgroups_path!r} names the root group")
    return path


def _expand_slice(name: str) -> str:
    """`a-b.slice` is `a.slice/a-b.slice` (systemd.slice(5))."""
    if name == "-.slice":
        return ""
    parts = name.removesuffix(".slice").split("-")
    return "/".join("-".join(parts[: count + 1]) + ".slice" for count in range(len(parts)))


def plan_groups(found: list[Hierarchy], path: str) -> list[str]:
    """The container's directory in every hierarchy, to be written down before it is made."""
    return [os.path.join(hierarchy.mount_point, path) for hierarchy in found]


def make_groups(found: list[Hierarchy], path: str) -> None:
    """Make the directories of `plan_groups`.  Raises OSError, and leaves none then."""
    planned = plan_groups(found, path)
    for index, hierarchy in enumerate(found):
        try:
            _make_group(hierarchy, planned[index])
        except OSError:
            remove_groups(planned[: index + 1])
            raise


def _make_group(hierarchy: Hierarchy, directory: str) -> None:
    """Make a group and its parents; what a controller needs from above is handed down."""
    parts = os.path.relpath(directory, hierarchy.mount_point).split("/")
    parent = hierarchy.mount_point
    for part in parts:
        if hierarchy.version == 2:
            _enable_controllers(parent)
        child = os.path.join(parent, part)
        os.makedirs(child, 0o755, exist_ok=True)
        if "cpuset" in hierarchy.controllers:
            for name in ("cpuset.cpus", "cpuset.mems"):
                _inherit(parent, child, name)
        parent = child


def _enable_controllers(directory: str) -> None:
    """Hand down all controllers that there are; one that cannot be is missing below."""
    with open(os.path.join(directory, "cgroup.controllers")) as file:
        available = file.read().split()
    for controller in available:
        try:
            write(os.path.join(directory, "cgroup.subtree_control"), f"+{controller}")
        except OSError:
            continue


def _inherit(parent: str, child: str, name: str) -> None:
    """A new cpuset is empty, and no process can be put into it."""
    with open(os.path.join(child, name)) as file:
        if file.read().strip():
            return
    with open(os.path.join(parent, name)) as file:
        write(os.path.join(child, name), file.read().strip())


def write(path: str, text: str) -> None:
    """Write a control file, which exists, with one write(2).  Raises OSError."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CLOEXEC)
    try:
        os.write(descriptor, text.encode())
    finally:
        os.close(descriptor)


def join(groups: list[str], pid: int) -> None:
    """Put a process into its groups; what it starts from now on is in them too."""
    for directory in groups:
        write(os.path.join(directory, "cgroup.procs"), str(pid))


def processes(directory: str) -> list[int]:
    """Those of a group; none when it is gone."""
    try:
        with open(os.path.join(directory, "cgroup.procs")) as file:
            return [int(word) for word in file.read().split()]
    except OSError:
        return []


def remove_groups(groups: list[str]) -> list[str]:
    """Take groups away when their last processes have ended; what could not be removed."""
    deadline = time.monotonic() + GRACE
    left = []
    for directory in groups:
        while True:
            try:
                os.rmdir(directory)
            except FileNotFoundError:
                pass
            except OSError:
                if time.monotonic() < deadline:
                    time.sleep(INTERVAL)
                    continue
                left.append(directory)
            break
    return left


def out_of_memory_kills(groups: list[str]) -> int:
    """How often the host has killed a process of these groups for want of memory."""
    count = 0
    for directory in groups:
        # version 2, and version 1
        for name in ("memory.events", "memory.oom_control"):
            try:
                with open(os.path.join(directory, name)) as file:
                    fields = dict(line.split() for line in file)
            except (OSError, ValueError):
                continue
            count += int(fields.get("oom_kill", 0))
    return count


def sentry_limits(resources: "dict[str, Any]") -> tuple[int | None, int | None]:
    """Memory in bytes and processes, as the sandbox enforces them itself; None is no limit."""
    memory = (resources.get("memory") or {}).get("limit")
    pids = (resources.get("pids") or {}).get("limit")
    return (
        memory if memory is not None and memory > 0 else None,
        pids if pids is not None and pids > 0 else None,
    )


def apply(groups: list[str], resources: "dict[str, Any]") -> list[str]:
    """Write the limits; a line for each that the host does not take."""
    problems = []
    for directory in groups:
        version = 2 if os.path.exists(os.path.join(directory, "cgroup.controllers")) else 1
        settings = _settings_2(resources) if version == 2 else _settings_1(resources)
        for name, text in settings:
            path = os.path.join(directory, name)
            if not os.path.exists(path):
                continue  # of another hierarchy
            try:
                write(path, text)
            except OSError as error:
                problems.append(f"cgroup: {name} = {text}: {error.strerror}")
    return problems


def _settings_1(resources: "dict[str, Any]") -> "Iterator[tuple[str, str]]":
    """Control files of version 1 and their content."""
    memory, cpu = resources.get("memory") or {}, resources.get("cpu") or {}
    block, pids = resources.get("blockIO") or {}, (resources.get("pids") or {}).get("limit")
    for key, name in (
        ("limit", "memory.limit_in_bytes"),
        ("swap", "memory.memsw.limit_in_bytes"),
        ("reservation", "memory.soft_limit_in_bytes"),
        ("swappiness", "memory.swappiness"),
    ):
        if (value := memory.get(key)) is not None and value != 0:
            yield name, str(_with_overhead(value) if key in ("limit", "swap") else value)
    for key, name in (
        ("shares", "cpu.shares"),
        ("period", "cpu.cfs_period_us"),
        ("quota", "cpu.cfs_quota_us"),
        ("burst", "cpu.cfs_burst_us"),
        ("realtimePeriod", "cpu.rt_period_us"),
        ("realtimeRuntime", "cpu.rt_runtime_us"),
        ("idle", "cpu.idle"),
        ("cpus", "cpuset.cpus"),
        ("mems", "cpuset.mems"),
    ):
        if value := cpu.get(key):
            yield name, str(value)
    if pids is not None and pids != 0:
        yield "pids.max", _pids_max(pids)
    if weight := block.get("weight"):
        yield "blkio.weight", str(weight)
    for limit in resources.get("hugepageLimits") or ():
        yield f"hugetlb.{limit['pageSize']}.limit_in_bytes", str(limit["limit"])


def _settings_2(resources: "dict[str, Any]") -> "Iterator[tuple[str, str]]":
    """Control files of version 2 and their content."""
    memory, cpu = resources.get("memory") or {}, resources.get("cpu") or {}
    block, pids = resources.get("blockIO") or {}, (resources.get("pids") or {}).get("limit")
    limit, swap = memory.get("limit"), memory.get("swap")
    if limit:
        yield "memory.max", _maximum(_with_overhead(limit))
    if swap:
        yield "memory.swap.max", _maximum(swap if swap < 0 else max(swap - max(limit or 0, 0), 0))
    if reservation := memory.get("reservation"):
        yield "memory.low", _maximum(reservation)
    if shares := cpu.get("shares"):
        # 2 … 262144 of version 1 are 1 … 10000 of version 2
        yield "cpu.weight", str(1 + ((max(2, min(shares, 262144)) - 2) * 9999) // 262142)
    if cpu.get("quota") or cpu.get("period"):
        quota, period = cpu.get("quota") or -1, cpu.get("period") or 100_000
        yield "cpu.max", f"{_maximum(quota)} {period}"
    for key, name in (
        ("burst", "cpu.max.burst"),
        ("idle", "cpu.idle"),
        ("cpus", "cpuset.cpus"),
        ("mems", "cpuset.mems"),
    ):
        if value := cpu.get(key):
            yield name, str(value)
    if pids is not None and pids != 0:
        yield "pids.max", _pids_max(pids)
    if weight := block.get("weight"):
        yield "io.weight", f"default {weight}"
    for huge in resources.get("hugepageLimits") or ():
        yield f"hugetlb.{huge['pageSize']}.max", str(huge["limit"])
    yield from (resources.get("unified") or {}).items()


def _with_overhead(limit: int) -> int:
    """The sandbox's processes are in the same group as the guest's memory."""
    return limit + MEMORY_OVERHEAD if limit > 0 else limit


def _maximum(value: int) -> str:
    return "max" if value < 0 else str(value)


def _pids_max(limit: int) -> str:
    """The exact limit is the sandbox's; the host's must leave room for the sandbox itself."""
    return "max" if limit < 0 else str(limit + OVERHEAD)
