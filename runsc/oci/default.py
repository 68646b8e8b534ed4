"""The configuration that `spec` writes: what runc's has, for a command of one's own."""

import json
import os

from runsc_py.runsc.oci.process import Capabilities, Process, Rlimit
from runsc_py.runsc.oci.reading import document_of
from runsc_py.runsc.oci.spec import IdMapping, Linux, Mount, Namespace, NamespaceType, Root, Spec

VERSION = "1.2.0"

CAPABILITIES = ["CAP_AUDIT_WRITE", "CAP_KILL", "CAP_NET_BIND_SERVICE"]

MOUNTS = (
    ("/proc", "proc", "proc", ""),
    ("/dev", "tmpfs", "tmpfs", "nosuid strictatime mode=755 size=65536k"),
    ("/dev/pts", "devpts", "devpts", "nosuid noexec newinstance ptmxmode=0666 mode=0620 gid=5"),
    ("/dev/shm", "tmpfs", "shm", "nosuid noexec nodev mode=1777 size=65536k"),
    ("/dev/mqueue", "mqueue", "mqueue", "nosuid noexec nodev"),
    ("/sys", "sysfs", "sysfs", "nosuid noexec nodev ro"),
    ("/sys/fs/cgroup", "cgroup", "cgroup", "nosuid noexec nodev relatime ro"),
)
NAMESPACES: tuple[NamespaceType, ...] = ("pid", "network", "ipc", "uts", "mount")
#: there on hosts that have version 2 alone, where a container has a cgroup namespace by default
CONTROL_GROUPS_2 = "/sys/fs/cgroup/cgroup.controllers"

MASKED = (
    "/proc/acpi /proc/asound /proc/kcore /proc/keys /proc/latency_stats /proc/timer_list "
    "/proc/timer_stats /proc/sched_debug /sys/firmware /proc/scsi"
)
READ_ONLY = "/proc/bus /proc/fs /proc/irq /proc/sys /proc/sysrq-trigger"


def _namespaces() -> tuple[NamespaceType, ...]:
    return (*NAMESPACES, "cgroup") if os.path.exists(CONTROL_GROUPS_2) else NAMESPACES


def default_spec(
    arguments: list[str], directory: str, network: str, *, rootless: bool = False
) -> bytes:
    """config.json, with line breaks for people to edit."""
    spec = Spec(
        oci_version=VERSION,
        process=Process(
            args=arguments,
            cwd=directory,
            env=["PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "TERM=xterm"],
            terminal=True,
            no_new_privileges=True,
            capabilities=Capabilities(
                bounding=CAPABILITIES, effective=CAPABILITIES, permitted=CAPABILITIES
            ),
            rlimits=[Rlimit(type="RLIMIT_NOFILE", soft=1024, hard=1024)],
        ),
        root=Root(path="rootfs", readonly=True),
        hostname="runsc",
        mounts=[
            Mount(destination=place, type=kind, source=source, options=options.split())
            for place, kind, source, options in MOUNTS
        ],
        linux=Linux(
            namespaces=[
                Namespace(type=kind, path=network if kind == "network" else "")
                for kind in _namespaces()
            ],
            masked_paths=MASKED.split(),
            readonly_paths=READ_ONLY.split(),
        ),
    )
    if rootless:
        _make_rootless(spec)
    document = document_of(spec)
    # The specification wants both ids; as defaults of ours they would be left out.
    document["process"]["user"] = {"uid": 0, "gid": 0}
    return json.dumps(document, indent=4).encode() + b"\n"


def _make_rootless(spec: Spec) -> None:
    """A user namespace with one user, who is root there, and nothing that takes more than one."""
    assert spec.linux is not None
    linux = spec.linux
    linux.namespaces = [
        *(one for one in linux.namespaces if one.type != "network" or one.path),
        Namespace(type="user"),
    ]
    linux.uid_mappings = [IdMapping(container_id=0, host_id=os.geteuid(), size=1)]
    linux.gid_mappings = [IdMapping(container_id=0, host_id=os.getegid(), size=1)]
    for mount in spec.mounts:
        mount.options = [option for option in mount.options if option != "gid=5"]
