"""Network namespaces: network_namespaces(7).

What two sockets must share to find each other: abstract AF_UNIX names and, for IP, the table of
ports.  There is one interface, `lo`, which is up; with `--network host` the first
namespace's IP sockets are the host's instead (`socket/host.py`).
"""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from runsc_py.sentry.auth.credentials import Credentials
    from runsc_py.sentry.auth.user_counts import Charge
    from runsc_py.sentry.auth.user_namespace import UserNamespace
    from runsc_py.sentry.kernel.kernel import Kernel
    from runsc_py.sentry.socket.ports import PortTable
    from runsc_py.sentry.socket.socket import Socket


class NetworkNamespace:
    """One network."""

    __slots__ = (
        "__weakref__",
        "_loopback_tag",
        "_ports",
        "abstract_sockets",
        "charge",
        "default_tag",
        "first_unprivileged_port",
        "forwarding",
        "inode_number",
        "is_held",
        "kernel",
        "netlink_sockets",
        "ping_groups",
        "uses_host",
        "user_namespace",
        "waiting_for_host",
    )

    def __init__(
        self, kernel: "Kernel", user_namespace: "UserNamespace", *, uses_host: bool = False
    ) -> None:
        self.charge: Charge | None = None
        self.kernel = kernel
        self.user_namespace = user_namespace
        #: shown by /proc/PID/ns/net
        self.inode_number = kernel.new_inode_number()
        #: IP sockets are the host's
        self.uses_host = uses_host
        #: nothing passes between the host's sockets and other machines
        self.is_held = False
        #: sockets of the host that somebody waits for
        self.waiting_for_host: set[Socket] = set()
        self.abstract_sockets: dict[bytes, Socket] = {}
        #: net.ipv4.conf.default.tag, a number that only its writers know the meaning of
        self.default_tag = 0
        #: net.ipv4.conf.lo.tag, once that was written; the default until then
        self._loopback_tag: int | None = None
        #: net.ipv4.ip_unprivileged_port_start
        self.first_unprivileged_port = 1024
        #: net.ipv4.ip_forward, of all interfaces; there is nowhere else to forward to
        self.forwarding = 0
        #: net.ipv4.ping_group_range, global ids: whose groups may have ICMP sockets; none
        self.ping_groups = (1, 0)
        #: by their "port"
        self.netlink_sockets: dict[int, Socket] = {}
        self._ports: dict[int, PortTable] = {}

    @property
    def loopback_tag(self) -> int:
        """net.ipv4.conf.lo.tag."""
        return self.default_tag if self._loopback_tag is None else self._loopback_tag

    @loopback_tag.setter
    def loopback_tag(self, tag: int) -> None:
        self._loopback_tag = tag

    def may_ping(self, credentials: "Credentials") -> bool:
        """Whether ICMP sockets are for these (icmp(7))."""
        first, last = self.ping_groups
        return any(first <= gid <= last for gid in (credentials.egid, *credentials.groups))

    def hold(self) -> None:
        """Let nothing pass to or from other machines until `let_go`; loopback is not concerned."""
        self.is_held = True

    def let_go(self) -> None:
        """Whoever waits for something of the host's looks again."""
        self.is_held = False
        for socket in list(self.waiting_for_host):
            socket.wait_queue.notify()

    def ports(self, protocol: int) -> "PortTable":
        """Who has which port of IPPROTO_TCP or IPPROTO_UDP."""
        table = self._ports.get(protocol)
        if table is None:
            from runsc_py.sentry.socket.ports import PortTable

            table = self._ports[protocol] = PortTable(self.kernel)
        return table
