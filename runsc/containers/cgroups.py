"""Control groups of the host, where we may make them: a second wall around a sandbox's limits.

Both versions are served.  Version 1 has a hierarchy for each controller, version 2 one for all.
What cannot be written is left to the sandbox's own limits (`sentry_limits`), with a warning.

Neighbour: resource_settings.py (which file gets which value).
"""

import errno
import os
import time

from runsc_py.runsc.errors import RunscError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

#: controllers of version 1 that a container is put into when the host has them
CONTROLLERS = (
    "memory", "cpu", "cpuacct", "cpuset", "pids", "blkio", "devices", "freezer", "hugetlb",
    "net_cls", "net_prio", "perf_event", "rdma", "name=systemd",
)  # fmt: skip
#: seconds that a group's last processes get to end
GRACE = 5.0
INTERVAL = 0.01


class Hierarchy:
    """One mounted control group file system."""

    __slots__ = ("controllers", "hands_down", "mount_point", "version")

    def __init__(self, version: int, mount_point: str, controllers: frozenset[str]) -> None:
        self.version = version
        self.mount_point = mount_point
        self.controllers = controllers
        #: whether a group has to be given its controllers by those above it
        self.hands_down = version == 2


def hierarchies(mountinfo: str) -> list[Hierarchy]:
    """Those of a /proc/PID/mountinfo.

    Beside version 1, version 2 is only another tree to be in: it has no controllers.
    """
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
    alone = all(hierarchy.version == 2 for hierarchy in found)
    for hierarchy in found:
        hierarchy.hands_down = hierarchy.version == 2 and alone
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
        if hierarchy.hands_down:
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
                _remove(directory)
            except FileNotFoundError:
                pass
            except OSError:
                if time.monotonic() < deadline:
                    time.sleep(INTERVAL)
                    continue
                left.append(directory)
            break
    return left


def _remove(directory: str) -> None:
    """Remove a group with those that were made below it.  Raises OSError."""
    for entry in os.scandir(directory):
        if entry.is_dir(follow_symlinks=False):
            _remove(entry.path)
    os.rmdir(directory)


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
    """Memory in bytes and processes, as the sandbox enforces them itself.

    -1 is no limit, None that nothing is said.
    """
    from runsc_py.runsc.containers.resource_settings import pids_limit

    return (resources.get("memory") or {}).get("limit") or None, pids_limit(resources)


def apply(groups: list[str], resources: "dict[str, Any]") -> list[str]:
    """Write the limits; a line for each that this host does not have, or does not let us write.

    Raises RunscError for values that it refuses.
    """
    from runsc_py.runsc.containers.resource_settings import is_optional, settings

    written, problems = set(), []
    wanted: dict[str, str] = {}
    for directory in groups:
        refused = []
        version = 2 if os.path.exists(os.path.join(directory, "cgroup.controllers")) else 1
        if version == 2 and len(groups) > 1:
            continue  # beside version 1 it has no controllers
        for name, text in settings(version, resources):
            wanted[name] = text
            path = os.path.join(directory, name)
            if not os.path.exists(path):
                continue  # of another hierarchy
            written.add(name)
            try:
                write(path, text)
            except PermissionError as error:
                problems.append(f"cgroup: {name} = {text}: {error.strerror}")
            except OSError:
                refused.append((path, text))
        # Some values are only right together with others: quota and period, memory and swap.
        for path, text in refused:
            _write_or_explain(path, text)
    problems += [
        f"cgroup: {name} = {text}: this host has no such control file"
        for name, text in wanted.items()
        if name not in written and not is_optional(name, text)
    ]
    return problems


def _write_or_explain(path: str, text: str) -> None:
    """Raises RunscError with runc's words."""
    try:
        write(path, text)
    except OSError as error:
        directory, name = os.path.split(path)
        if error.errno == errno.EBUSY and name == "memory.limit_in_bytes":
            usage, peak = (
                _read(os.path.join(directory, f"memory.{one}usage_in_bytes"))
                for one in ("", "max_")
            )
            raise RunscError(
                f"unable to set memory limit to {text} (current usage: {usage}, peak usage: {peak})"
            ) from None
        reason = (error.strerror or "").lower()
        raise RunscError(f'failed to write "{text}": write {path}: {reason}') from None


def _read(path: str) -> str:
    """What a control file says; nothing when it cannot be read."""
    try:
        with open(path) as file:
            return file.read().strip()
    except OSError:
        return ""


def check_unused(groups: list[str]) -> None:
    """A group that is there must be empty and not frozen.  Raises RunscError."""
    found = {pid for directory in groups for pid in processes(directory)}
    if found:
        raise RunscError(f"container's cgroup is not empty: {len(found)} process(es) found")
    for directory in groups:
        if (
            _read(os.path.join(directory, "freezer.state")) == "FROZEN"
            or _read(os.path.join(directory, "cgroup.freeze")) == "1"
        ):
            raise RunscError("container's cgroup unexpectedly frozen")
