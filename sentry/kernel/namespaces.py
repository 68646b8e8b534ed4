"""The namespaces of a task other than its PID and user namespaces: namespaces(7)."""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from runsc_py.sentry.auth.user_counts import Charge
    from runsc_py.sentry.auth.user_namespace import UserNamespace
    from runsc_py.sentry.kernel.time_namespace import TimeNamespace
    from runsc_py.sentry.socket.namespace import NetworkNamespace
    from runsc_py.sentry.vfs.mount import MountNamespace


class UtsNamespace:
    """Host and domain name (uts_namespaces(7))."""

    __slots__ = ("charge", "domain_name", "host_name", "inode_number", "user_namespace")

    def __init__(
        self,
        host_name: bytes,
        domain_name: bytes,
        user_namespace: "UserNamespace",
        inode_number: int,
    ) -> None:
        self.charge: Charge | None = None
        self.host_name = host_name
        self.domain_name = domain_name
        self.user_namespace = user_namespace
        self.inode_number = inode_number


class IpcNamespace:
    """System V IPC objects and POSIX queues (ipc_namespaces(7)); `objects` is by kind."""

    __slots__ = ("charge", "inode_number", "objects", "user_namespace")

    def __init__(self, user_namespace: "UserNamespace", inode_number: int) -> None:
        self.charge: Charge | None = None
        self.objects: dict[str, object] = {}
        self.user_namespace = user_namespace
        self.inode_number = inode_number


class CgroupNamespace:
    """A view of the control groups (cgroup_namespaces(7)): there is one group, the root of all."""

    __slots__ = ("charge", "inode_number", "user_namespace")

    def __init__(self, user_namespace: "UserNamespace", inode_number: int) -> None:
        self.charge: Charge | None = None
        self.user_namespace = user_namespace
        self.inode_number = inode_number


class Namespaces:
    """Linux's nsproxy: replaced as a whole by unshare(2) and setns(2)."""

    __slots__ = ("cgroup", "ipc", "mount", "network", "time", "time_for_children", "uts")

    def __init__(
        self,
        mount: "MountNamespace",
        uts: UtsNamespace,
        ipc: IpcNamespace,
        network: "NetworkNamespace",
        time: "TimeNamespace",
        cgroup: CgroupNamespace,
    ) -> None:
        self.mount = mount
        self.uts = uts
        self.ipc = ipc
        self.network = network
        self.time = time
        #: unshare(CLONE_NEWTIME) changes it; fork and execve enter it
        self.time_for_children = time
        self.cgroup = cgroup

    def copy(self) -> "Namespaces":
        """The same namespaces in an object of its own."""
        copy = Namespaces(self.mount, self.uts, self.ipc, self.network, self.time, self.cgroup)
        copy.time_for_children = self.time_for_children
        return copy
