"""What a well-formed config.json must also hold, beyond the types of its members.

The checks and their words are those of runc and of gVisor's runsc.  What is not done, and is no
wall of the container's that somebody counts on, is a warning.
"""

import os
from collections.abc import Collection, Iterator

from runsc_py.runsc.errors import RunscError
from runsc_py.runsc.oci.process import Capabilities, Process, Scheduler
from runsc_py.runsc.oci.spec import Hook, Hooks, Linux, Mount, Spec
from runsc_py.sentry.auth.capabilities import CAPABILITY_NAMES
from runsc_py.sentry.kernel.limits import RLIMIT_NAMES

#: of mounts, and of the root directory: nothing of it reaches the host
PROPAGATION = frozenset(
    (
        "private", "rprivate", "slave", "rslave", "shared", "rshared", "unbindable", "runbindable",
    )
)  # fmt: skip

#: sysctls of a namespace, by the namespace's type (sysctl.d(5), namespaces(7))
IPC_SYSCTLS = frozenset(
    (
        "kernel.msgmax", "kernel.msgmnb", "kernel.msgmni", "kernel.sem", "kernel.shmall",
        "kernel.shmmax", "kernel.shmmni", "kernel.shm_rmid_forced",
    )
)  # fmt: skip
UTS_SYSCTLS = frozenset(("kernel.domainname",))

CAPABILITY_SETS = ("bounding", "effective", "inheritable", "permitted", "ambient")


def validate(spec: Spec) -> list[str]:
    """Check a specification for a container; what is to be warned about.

    Raises RunscError.  Capabilities that nobody knows are taken out, as runc does.
    """
    _check_version(spec.oci_version)
    _check_platforms(spec)
    if spec.process is None:
        raise RunscError("Spec.Process must be defined: process property must not be empty")
    if spec.root is None:
        raise RunscError("Spec.Root must be defined")
    if not spec.root.path:
        raise RunscError("Spec.Root.Path must be defined")
    warnings = list(validate_process(spec.process, "Spec.Process"))
    _check_root(spec.root.path)
    for mount in spec.mounts:
        warnings += _check_mount(mount)
        if mount.is_id_mapped and not mount.uid_mappings and spec.namespace("user") is None:
            raise RunscError(f"mount of {mount.destination}: there is no map for its ids")
    if spec.hooks is not None:
        _check_hooks(spec.hooks)
    if spec.linux is not None:
        _check_namespaces(spec.linux)
    _check_names(spec)
    warnings += _check_linux(spec.linux) if spec.linux is not None else ()
    return warnings


def _check_version(version: str) -> None:
    major = version.partition(".")[0]
    if major not in ("0", "1"):
        raise RunscError(f"ociVersion {version!r} is not supported: use 1.x")


def _check_platforms(spec: Spec) -> None:
    for name in ("solaris", "windows", "vm", "zos", "freebsd"):
        if getattr(spec, name) is not None:
            raise RunscError(f"Spec.{name.capitalize()} is not supported")


def validate_process(process: Process, place: str) -> Iterator[str]:
    """Check a process; yields warnings.  Raises RunscError."""
    if not process.args:
        raise RunscError(f"{place}.Args must be defined: args must not be empty")
    if not process.args[0]:
        raise RunscError(f"{place}.Args: the first of args must not be empty")
    if not process.cwd:
        raise RunscError(f"{place}.Cwd property must not be empty")
    if not os.path.isabs(process.cwd):
        raise RunscError(f"{place}.Cwd must be an absolute path")
    for text in (*process.args, *process.env, process.cwd):
        if "\0" in text:
            raise RunscError(f"{place}: {text!r} holds a NUL")
    for variable in process.env:
        if "=" not in variable:
            raise RunscError(f"{place}.Env: invalid variable: {variable}")
    if process.selinux_label:
        raise RunscError(f"SELinux is not supported: {process.selinux_label}")
    if process.apparmor_profile:
        yield f"AppArmor profile {process.apparmor_profile!r} is being ignored"
    if process.capabilities is not None:
        yield from _check_capabilities(process.capabilities)
    _check_rlimits(process, place)
    adjustment = process.oom_score_adj
    if adjustment is not None and not -1000 <= adjustment <= 1000:
        raise RunscError(f"{place}.OOMScoreAdj: {adjustment} is not between -1000 and 1000")
    if process.scheduler is not None:
        _check_scheduler(process.scheduler)
    if process.io_priority is not None and not 0 <= process.io_priority.priority <= 7:
        raise RunscError(f"invalid ioPriority.Priority: {process.io_priority.priority}")
    if process.exec_cpu_affinity is not None:
        yield f"{place}.exec_cpu_affinity is being ignored"


def _check_scheduler(scheduler: Scheduler) -> None:
    """What runc checks before it asks the kernel."""
    if not -20 <= scheduler.nice <= 19:
        raise RunscError(f"invalid scheduler.nice: {scheduler.nice}")
    is_real_time = scheduler.policy in ("SCHED_FIFO", "SCHED_RR")
    if scheduler.priority and not is_real_time:
        raise RunscError("scheduler.priority can only be specified for SchedFIFO or SchedRR policy")
    if is_real_time and not 1 <= scheduler.priority <= 99:
        raise RunscError(f"invalid scheduler.priority: {scheduler.priority}")
    times = scheduler.runtime, scheduler.deadline, scheduler.period
    if any(times) and scheduler.policy != "SCHED_DEADLINE":
        raise RunscError(
            "scheduler runtime/deadline/period can only be specified for SchedDeadline policy"
        )
    if scheduler.policy == "SCHED_ISO":
        raise RunscError("scheduler policy SCHED_ISO is not one of Linux's")


def _check_capabilities(capabilities: Capabilities) -> Iterator[str]:
    for name in CAPABILITY_SETS:
        wanted: list[str] = getattr(capabilities, name)
        unknown = [text for text in wanted if not is_capability(text)]
        if unknown:
            yield f"ignoring unknown or unavailable capabilities: {unknown}"
            setattr(capabilities, name, [text for text in wanted if text not in unknown])
    for text in capabilities.ambient:
        if text not in capabilities.inheritable or text not in capabilities.permitted:
            yield f"can't raise ambient capability {text}: it is not inheritable and permitted"


def is_capability(text: str) -> bool:
    """Whether this is the name of a capability, as in `CAP_CHOWN`."""
    return text.startswith("CAP_") and text.removeprefix("CAP_").lower() in CAPABILITY_NAMES


def _check_rlimits(process: Process, place: str) -> None:
    seen = set()
    for limit in process.rlimits:
        if limit.type.removeprefix("RLIMIT_") not in RLIMIT_NAMES:
            raise RunscError(f"{place}.Rlimits: invalid rlimit type: {limit.type}")
        if limit.type in seen:
            raise RunscError(f"{place}.Rlimits: duplicate rlimit {limit.type}")
        if limit.soft > limit.hard:
            raise RunscError(f"{place}.Rlimits: {limit.type}: soft limit above the hard one")
        seen.add(limit.type)


def _check_root(path: str) -> None:
    try:
        is_directory = os.path.isdir(path)
        os.stat(path)
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else str(error)
        raise RunscError(f"invalid rootfs: stat {path}: {(reason or '').lower()}") from None
    if not is_directory:
        raise RunscError(f"invalid rootfs: {path}: not a directory")


def _check_mount(mount: Mount) -> Iterator[str]:
    if not mount.destination:
        raise RunscError("Spec.Mounts: a mount without destination")
    if not os.path.isabs(mount.destination):
        yield f"mount destination {mount.destination} not absolute: taken below /"
        mount.destination = "/" + mount.destination
    if mount.is_bind:
        if not mount.source:
            raise RunscError(f"mount of {mount.destination}: a bind mount needs a source")
        if not os.path.lexists(mount.source):
            raise RunscError(
                f"mount {mount.source} at {mount.destination}: no such file or directory"
            )
    propagation = [option for option in mount.options if option in PROPAGATION]
    if len({option.removeprefix("r") for option in propagation}) > 1:
        raise RunscError(
            f"mount of {mount.destination}: more than one propagation: {', '.join(propagation)}"
        )
    if bool(mount.uid_mappings) != bool(mount.gid_mappings):
        raise RunscError(
            f"mount of {mount.destination}: id-mapped mounts must have both uid and gid mappings "
            "specified"
        )
    if mount.is_id_mapped and not mount.is_bind:
        raise RunscError(f"mount of {mount.destination}: only bind mounts can be id-mapped")


def _check_hooks(hooks: Hooks) -> None:
    phases = "prestart create_runtime create_container start_container poststart poststop"
    for phase in phases.split():
        entries: list[Hook] = getattr(hooks, phase)
        for hook in entries:
            if not os.path.isabs(hook.path):
                raise RunscError(f"hook path {hook.path!r} is not absolute")


def _check_names(spec: Spec) -> None:
    """Host and domain name: of a UTS namespace, and no longer than Linux takes."""
    for what, text in (("hostname", spec.hostname), ("domainname", spec.domainname)):
        if text and spec.linux is not None and spec.namespace("uts") is None:
            raise RunscError(f"unable to set {what} without a private UTS namespace")
        if len(os.fsencode(text)) > 64 or "\0" in text:
            raise RunscError(f"{what} {text!r}: up to 64 characters")


def _check_namespaces(linux: Linux) -> None:
    kinds = [namespace.type for namespace in linux.namespaces]
    for namespace in linux.namespaces:
        if kinds.count(namespace.type) > 1:
            raise RunscError(f"malformed spec file: duplicated ns {namespace.type!r}")
        if namespace.path and not os.path.isabs(namespace.path):
            raise RunscError(f"namespace path {namespace.path!r} is not absolute")


def _check_linux(linux: Linux) -> Iterator[str]:
    if linux.rootfs_propagation and linux.rootfs_propagation not in PROPAGATION:
        raise RunscError(f"rootfsPropagation={linux.rootfs_propagation} is not supported")
    _check_ids(linux)
    _check_paths(linux)
    for name in linux.sysctl:
        _check_sysctl(name, {namespace.type for namespace in linux.namespaces})
    if linux.mount_label:
        raise RunscError(f"SELinux is not supported: {linux.mount_label}")
    if linux.personality is not None and linux.personality.flags:
        yield f"personality flags {linux.personality.flags} are being ignored"
    for name in ("intel_rdt", "memory_policy", "net_devices"):
        if getattr(linux, name):
            yield f"Spec.Linux.{name} is being ignored"
    if linux.time_offsets and linux.namespace("time") is None:
        raise RunscError("time namespace offsets specified, but there is no time namespace")
    for name, offset in linux.time_offsets.items():
        if name not in ("monotonic", "boottime") or offset.nanosecs > 999_999_999:
            raise RunscError(f"invalid time offset of {name!r}")
    for device in linux.devices:
        if not os.path.isabs(device.path):
            raise RunscError(f"device path {device.path!r} is not absolute")
        if device.type != "p" and (device.major < 0 or device.minor < 0):
            raise RunscError(f"device {device.path}: major and minor numbers are missing")


def _check_ids(linux: Linux) -> None:
    has_namespace = linux.namespace("user") is not None
    if (linux.uid_mappings or linux.gid_mappings) and not has_namespace:
        raise RunscError(
            "user namespace mappings specified, but user namespace isn't enabled in the config"
        )
    for what, mappings in (("uid", linux.uid_mappings), ("gid", linux.gid_mappings)):
        taken: list[range] = []
        for mapping in mappings:
            if mapping.size == 0:
                raise RunscError(f"{what} mapping of size 0")
            ids = range(mapping.container_id, mapping.container_id + mapping.size)
            if any(other.start < ids.stop and ids.start < other.stop for other in taken):
                raise RunscError(f"{what} mappings overlap at {ids.start}")
            taken.append(ids)


def _check_paths(linux: Linux) -> None:
    restricted = [*linux.masked_paths, *linux.readonly_paths]
    if restricted and linux.namespace("mount") is None:
        raise RunscError("unable to restrict sys entries without a private MNT namespace")
    for path in restricted:
        if not os.path.isabs(path):
            raise RunscError(f"masked or read-only path {path!r} is not absolute")


def _check_sysctl(name: str, namespaces: Collection[str]) -> None:
    dotted = name.replace("/", ".")
    if dotted == "kernel.hostname":
        raise RunscError(f"sysctl {name!r} is not allowed as it conflicts with the OCI hostname")
    if dotted in IPC_SYSCTLS or dotted.startswith("fs.mqueue."):
        needed = "ipc"
    elif dotted in UTS_SYSCTLS:
        needed = "uts"
    elif dotted.startswith("net."):
        needed = "network"
    else:
        raise RunscError(f"sysctl {name!r} is not in a separate kernel namespace")
    if needed not in namespaces:
        raise RunscError(f"sysctl {name!r} is not allowed in the hosts {needed} namespace")
