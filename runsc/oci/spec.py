"""config.json of a bundle, whole."""

from runsc_py.runsc.control.message import field
from runsc_py.runsc.oci.process import Process
from runsc_py.runsc.oci.resources import Resources
from runsc_py.runsc.oci.seccomp import Seccomp
from runsc_py.runsc.oci.types import (
    Annotated,
    Int64,
    Literal,
    Matching,
    Range,
    StringMap,
    Structure,
    Uint32,
)

NamespaceType = Literal["pid", "network", "mount", "ipc", "uts", "user", "cgroup", "time"]


class Root(Structure):
    """The container's root directory on the host."""

    path: str
    readonly: bool = False


class IdMapping(Structure):
    """One line of uid_map or gid_map (user_namespaces(7))."""

    container_id: Uint32 = field(name="containerID")
    host_id: Uint32 = field(name="hostID")
    size: Uint32


class Mount(Structure):
    """One mount, made in the order of the list."""

    destination: str
    type: str = ""
    source: str = ""
    options: list[str] = []
    uid_mappings: list[IdMapping] = []
    gid_mappings: list[IdMapping] = []

    @property
    def is_bind(self) -> bool:
        """Whether it shows a part of the host."""
        return self.type == "bind" or "bind" in self.options or "rbind" in self.options

    @property
    def is_id_mapped(self) -> bool:
        """Whether owners of its files are translated by a map of its own, or the container's."""
        asked = "idmap" in self.options or "ridmap" in self.options
        return asked or bool(self.uid_mappings or self.gid_mappings)


class Hook(Structure):
    """A program of the host that is run at a point of the container's life."""

    path: str
    args: list[str] = []
    #: None is not the same as empty: runc's hooks then inherit its own
    env: list[str] | None = None
    timeout: Annotated[int, Range(1, (1 << 63) - 1)] | None = None


class Hooks(Structure):
    """The points at which hooks are run, in the order in which they come."""

    prestart: list[Hook] = []
    create_runtime: list[Hook] = []
    create_container: list[Hook] = []
    start_container: list[Hook] = []
    poststart: list[Hook] = []
    poststop: list[Hook] = []


class Namespace(Structure):
    """A namespace of the container's own, or with a path, one to join."""

    type: NamespaceType
    path: str = ""


class Device(Structure):
    """A device file to make in the container."""

    type: Literal["c", "b", "u", "p"]
    path: str
    major: Int64 = 0
    minor: Int64 = 0
    file_mode: Uint32 | None = None
    uid: Uint32 | None = None
    gid: Uint32 | None = None


class NetDevice(Structure):
    """A network interface of the host to move into the container."""

    name: str = ""


class IntelRdt(Structure):
    """Intel's resource director."""

    clos_id: str = field(name="closID", default="")
    schemata: list[str] = []
    l3_cache_schema: str = ""
    mem_bw_schema: Annotated[str, Matching("(MB:[^\\n]*)?")] = ""
    enable_monitoring: bool = False
    enable_cmt: bool = field(name="enableCMT", default=False)
    enable_mbm: bool = field(name="enableMBM", default=False)


class MemoryPolicy(Structure):
    """What set_mempolicy(2) is given."""

    mode: Literal[
        "MPOL_DEFAULT", "MPOL_BIND", "MPOL_INTERLEAVE", "MPOL_WEIGHTED_INTERLEAVE",
        "MPOL_PREFERRED", "MPOL_PREFERRED_MANY", "MPOL_LOCAL",
    ] = "MPOL_DEFAULT"  # fmt: skip
    nodes: str = ""
    flags: list[
        Literal["MPOL_F_NUMA_BALANCING", "MPOL_F_RELATIVE_NODES", "MPOL_F_STATIC_NODES"]
    ] = []


class Personality(Structure):
    """What personality(2) is given."""

    domain: Literal["LINUX", "LINUX32"] = "LINUX"
    flags: list[str] = []


class TimeOffset(Structure):
    """The offset of one clock of a time namespace."""

    secs: Int64 = 0
    nanosecs: Uint32 = 0


class Linux(Structure):
    """What only Linux has."""

    namespaces: list[Namespace] = []
    uid_mappings: list[IdMapping] = []
    gid_mappings: list[IdMapping] = []
    devices: list[Device] = []
    net_devices: dict[str, NetDevice] = {}
    cgroups_path: str = ""
    resources: Resources | None = None
    rootfs_propagation: str = ""
    seccomp: Seccomp | None = None
    sysctl: StringMap = {}
    masked_paths: list[str] = []
    readonly_paths: list[str] = []
    mount_label: str = ""
    intel_rdt: IntelRdt | None = None
    memory_policy: MemoryPolicy | None = None
    personality: Personality | None = None
    time_offsets: dict[str, TimeOffset] = {}

    def namespace(self, kind: NamespaceType) -> Namespace | None:
        """The entry of a kind; None when the container shares the sandbox's."""
        return next((entry for entry in self.namespaces if entry.type == kind), None)


class Spec(Structure):
    """The whole document."""

    oci_version: str
    process: Process | None = None
    root: Root | None = None
    hostname: str = ""
    domainname: str = ""
    mounts: list[Mount] = []
    hooks: Hooks | None = None
    annotations: StringMap = {}
    linux: Linux | None = None
    #: other platforms: that they are there is all that is asked
    solaris: dict[str, object] | None = None
    windows: dict[str, object] | None = None
    vm: dict[str, object] | None = None
    zos: dict[str, object] | None = None
    freebsd: dict[str, object] | None = None

    def namespace(self, kind: NamespaceType) -> Namespace | None:
        """The entry of a kind of `linux.namespaces`."""
        return self.linux.namespace(kind) if self.linux is not None else None
