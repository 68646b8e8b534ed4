"""/proc/PID/net: proc_pid_net(5).

The files and their head lines are there for the programs that open them; the loopback interface
is described; sockets are listed by `sockets.py`.
"""

from runsc_py.sentry.fs.proc import sockets
from runsc_py.sentry.fs.proc.process import Subject
from runsc_py.sentry.fs.synthetic import (
    DeclaredDirectory,
    File,
    Specification,
    SyntheticFileSystem,
    TextFile,
)
from runsc_py.sentry.vfs.inode import Inode

_RAW_HEAD = (
    b"  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout"
    b" inode ref pointer drops\n"
)
_RAW6_HEAD = (
    b"  sl  local_address                         remote_address                        st"
    b" tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode ref pointer drops\n"
)
_DEVICES = (
    b"Inter-|   Receive                                                |  Transmit\n"
    b" face |bytes    packets errs drop fifo frame compressed multicast|bytes    packets errs"
    b" drop fifo colls carrier compressed\n"
    b"    lo:       0       0    0    0    0     0          0         0        0       0    0"
    b"    0    0     0       0          0\n"
)
_ROUTES = (
    b"Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT".ljust(
        127
    )
    + b"\n"
)
_LOOPBACK_V6 = b"00000000000000000000000000000001 01 80 10 80       lo\n"
_ROUTE_V6 = (
    b"00000000000000000000000000000001 80 00000000000000000000000000000000 00"
    b" 00000000000000000000000000000000 00000000 00000002 00000000 80200001       lo\n"
)


def _zeros(prefix: bytes, names: bytes) -> bytes:
    """A pair of lines as in snmp and netstat: names, then as many zeros."""
    count = len(names.split())
    return prefix + b": " + names + b"\n" + prefix + b":" + b" 0" * count + b"\n"


_SNMP = (
    _zeros(
        b"Ip",
        b"Forwarding DefaultTTL InReceives InHdrErrors InAddrErrors ForwDatagrams InUnknownProtos"
        b" InDiscards InDelivers OutRequests OutDiscards OutNoRoutes ReasmTimeout ReasmReqds"
        b" ReasmOKs ReasmFails FragOKs FragFails FragCreates",
    )
    + _zeros(b"Icmp", b"InMsgs InErrors InCsumErrors OutMsgs OutErrors")
    + _zeros(
        b"Tcp",
        b"RtoAlgorithm RtoMin RtoMax MaxConn ActiveOpens PassiveOpens AttemptFails EstabResets"
        b" CurrEstab InSegs OutSegs RetransSegs InErrs OutRsts InCsumErrors",
    )
    + _zeros(
        b"Udp",
        b"InDatagrams NoPorts InErrors OutDatagrams RcvbufErrors SndbufErrors InCsumErrors"
        b" IgnoredMulti MemErrors",
    )
)
_NETSTAT = _zeros(
    b"TcpExt", b"SyncookiesSent SyncookiesRecv SyncookiesFailed ListenOverflows ListenDrops"
) + _zeros(b"IpExt", b"InNoRoutes InTruncatedPkts InMcastPkts OutMcastPkts InOctets OutOctets")

_FILES: dict[bytes, Specification] = {
    b"arp": b"IP address       HW type     Flags       HW address            Mask     Device\n",
    b"dev": _DEVICES,
    b"if_inet6": _LOOPBACK_V6,
    b"ipv6_route": _ROUTE_V6,
    b"netlink": b"sk               Eth Pid        Groups   Rmem     Wmem     Dump  Locks    Drops"
    b"    Inode\n",
    b"netstat": _NETSTAT,
    b"packet": b"sk       RefCnt Type Proto  Iface R Rmem   User   Inode\n",
    b"protocols": b"protocol  size sockets  memory press maxhdr  slab module     cl co di ac io in"
    b" de sh ss gs se re sp bi br ha uh gp em\n",
    b"psched": b"000003e8 00000040 000f4240 3b9aca00\n",
    b"raw": _RAW_HEAD,
    b"raw6": _RAW6_HEAD,
    b"route": _ROUTES,
    b"snmp": _SNMP,
    b"sockstat": b"sockets: used 0\nTCP: inuse 0 orphan 0 tw 0 alloc 0 mem 0\n"
    b"UDP: inuse 0 mem 0\nUDPLITE: inuse 0\nRAW: inuse 0\nFRAG: inuse 0 memory 0\n",
    b"tcp": File(sockets.tcp),
    b"tcp6": File(sockets.tcp6),
    b"udp": File(sockets.udp),
    b"udp6": File(sockets.udp6),
    b"unix": File(sockets.unix),
}


class NetworkDirectory(DeclaredDirectory):
    """/proc/PID/net: the network of the process, whoever reads."""

    __slots__ = ("subject",)

    def __init__(self, filesystem: SyntheticFileSystem, subject: Subject) -> None:
        super().__init__(filesystem, _FILES)
        self.subject = subject

    def owner(self) -> tuple[int, int]:
        return self.subject.owner(self.mode)

    def make_child(self, name: bytes) -> Inode | None:
        what = self.table.get(name)
        if not isinstance(what, File):
            return super().make_child(name)
        produce = what.produce
        subject = self.subject
        return TextFile(
            self.filesystem, lambda task: b"" if subject.is_gone else produce(subject.task)
        )
