"""Constants and structures of socket(2), socket(7), unix(7), ip(7), tcp(7), netdevice(7)."""

from runsc_py.sentry.abi.structure import Structure

AF_UNSPEC = 0
AF_UNIX = 1
AF_INET = 2
AF_INET6 = 10
AF_NETLINK = 16
AF_PACKET = 17
AF_MAX = 46

SOCK_STREAM = 1
SOCK_DGRAM = 2
SOCK_RAW = 3
SOCK_RDM = 4
SOCK_SEQPACKET = 5
SOCK_TYPE_MASK = 0xF
SOCK_NONBLOCK = 0o4000
SOCK_CLOEXEC = 0o2000000

IPPROTO_IP = 0
IPPROTO_ICMP = 1
IPPROTO_TCP = 6
IPPROTO_UDP = 17
IPPROTO_IPV6 = 41
IPPROTO_ICMPV6 = 58
#: all protocols are below, IPPROTO_MPTCP being the last
IPPROTO_MAX = 263

# send(2), recv(2)
MSG_OOB = 0x1
MSG_PEEK = 0x2
MSG_DONTROUTE = 0x4
MSG_CTRUNC = 0x8
MSG_TRUNC = 0x20
MSG_DONTWAIT = 0x40
MSG_EOR = 0x80
MSG_WAITALL = 0x100
MSG_CONFIRM = 0x800
MSG_ERRQUEUE = 0x2000
MSG_NOSIGNAL = 0x4000
MSG_MORE = 0x8000
MSG_WAITFORONE = 0x10000
MSG_ZEROCOPY = 0x4000000
MSG_FASTOPEN = 0x20000000
MSG_CMSG_CLOEXEC = 0x40000000

SHUT_RD = 0
SHUT_WR = 1
SHUT_RDWR = 2

#: listen(2): the backlog is silently cut to this (/proc/sys/net/core/somaxconn)
SOMAXCONN = 4096

# Control messages
SCM_RIGHTS = 1
SCM_CREDENTIALS = 2
#: descriptors in one message
SCM_MAX_FD = 253

# Options of level SOL_SOCKET
SOL_SOCKET = 1
SO_DEBUG = 1
SO_REUSEADDR = 2
SO_TYPE = 3
SO_ERROR = 4
SO_DONTROUTE = 5
SO_BROADCAST = 6
SO_SNDBUF = 7
SO_RCVBUF = 8
SO_KEEPALIVE = 9
SO_OOBINLINE = 10
SO_NO_CHECK = 11
SO_PRIORITY = 12
SO_LINGER = 13
SO_BSDCOMPAT = 14
SO_REUSEPORT = 15
SO_PASSCRED = 16
SO_PEERCRED = 17
SO_RCVLOWAT = 18
SO_SNDLOWAT = 19
SO_RCVTIMEO = 20
SO_SNDTIMEO = 21
SO_BINDTODEVICE = 25
SO_ATTACH_FILTER = 26
SO_DETACH_FILTER = 27
SO_PEERNAME = 28
SO_TIMESTAMP = 29
SO_ACCEPTCONN = 30
SO_PEERSEC = 31
SO_SNDBUFFORCE = 32
SO_RCVBUFFORCE = 33
SO_PASSSEC = 34
SO_TIMESTAMPNS = 35
SO_MARK = 36
SO_TIMESTAMPING = 37
SO_PROTOCOL = 38
SO_DOMAIN = 39
SO_PEEK_OFF = 42
SO_LOCK_FILTER = 44
SO_BUSY_POLL = 46
SO_INCOMING_CPU = 49
SO_COOKIE = 57
SO_PEERGROUPS = 59
SO_ZEROCOPY = 60
SO_PEERPIDFD = 77

# Options of level IPPROTO_IP
IP_TOS = 1
IP_TTL = 2
IP_OPTIONS = 4
IP_RECVOPTS = 6
IP_PKTINFO = 8
IP_MTU_DISCOVER = 10
IP_RECVERR = 11
IP_RECVTTL = 12
IP_RECVTOS = 13
IP_MTU = 14
IP_FREEBIND = 15
IP_MULTICAST_IF = 32
IP_MULTICAST_TTL = 33
IP_MULTICAST_LOOP = 34
IP_ADD_MEMBERSHIP = 35
IP_DROP_MEMBERSHIP = 36
IP_BIND_ADDRESS_NO_PORT = 24

# Options of level IPPROTO_IPV6
IPV6_UNICAST_HOPS = 16
IPV6_MULTICAST_IF = 17
IPV6_MULTICAST_HOPS = 18
IPV6_MULTICAST_LOOP = 19
IPV6_MTU_DISCOVER = 23
IPV6_MTU = 24
IPV6_RECVERR = 25
IPV6_V6ONLY = 26
IPV6_RECVPKTINFO = 49
IPV6_PKTINFO = 50
IPV6_RECVHOPLIMIT = 51
IPV6_RECVTCLASS = 66
IPV6_TCLASS = 67

# Options of level IPPROTO_TCP
TCP_NODELAY = 1
TCP_MAXSEG = 2
TCP_CORK = 3
TCP_KEEPIDLE = 4
TCP_KEEPINTVL = 5
TCP_KEEPCNT = 6
TCP_SYNCNT = 7
TCP_LINGER2 = 8
TCP_DEFER_ACCEPT = 9
TCP_WINDOW_CLAMP = 10
TCP_INFO = 11
TCP_QUICKACK = 12
TCP_CONGESTION = 13
TCP_USER_TIMEOUT = 18
TCP_FASTOPEN = 23
TCP_NOTSENT_LOWAT = 25
TCP_FASTOPEN_CONNECT = 30

SOCKADDR_IN = Structure(
    "struct sockaddr_in",
    ("sin_family", "H"),
    ("sin_port", "2s"),
    ("sin_addr", "4s"),
    ("_zero", "8x"),
)
SOCKADDR_IN6 = Structure(
    "struct sockaddr_in6",
    ("sin6_family", "H"),
    ("sin6_port", "2s"),
    ("sin6_flowinfo", "I"),
    ("sin6_addr", "16s"),
    ("sin6_scope_id", "I"),
)
SOCKADDR_NL = Structure(
    "struct sockaddr_nl", ("nl_family", "H"), ("_pad", "2x"), ("nl_pid", "I"), ("nl_groups", "I")
)
#: sizeof(struct sockaddr_storage): no address is longer
MAXIMUM_ADDRESS_SIZE = 128
#: sizeof(struct sockaddr_un)
SOCKADDR_UN_SIZE = 110

LINGER = Structure("struct linger", ("l_onoff", "i"), ("l_linger", "i"))
UCRED = Structure("struct ucred", ("pid", "i"), ("uid", "I"), ("gid", "I"))

MSGHDR = Structure(
    "struct msghdr",
    ("msg_name", "Q"),
    ("msg_namelen", "i"),
    ("_pad", "4x"),
    ("msg_iov", "Q"),
    ("msg_iovlen", "Q"),
    ("msg_control", "Q"),
    ("msg_controllen", "Q"),
    ("msg_flags", "I"),
    ("_pad2", "4x"),
)
#: offsets in struct msghdr of what recvmsg(2) writes back
MSG_NAMELEN_OFFSET = 8
MSG_CONTROLLEN_OFFSET = 40
MSG_FLAGS_OFFSET = 48
#: struct mmsghdr: a msghdr, then msg_len
MMSGHDR_SIZE = 64
MSG_LEN_OFFSET = 56

CMSGHDR = Structure("struct cmsghdr", ("cmsg_len", "Q"), ("cmsg_level", "i"), ("cmsg_type", "i"))
IOVEC = Structure("struct iovec", ("iov_base", "Q"), ("iov_len", "Q"))
#: how many struct iovec one call takes
UIO_MAXIOV = 1024

# ioctl(2) requests: sockios.h
SIOCINQ = 0x541B
SIOCOUTQ = 0x5411
SIOCATMARK = 0x8905
SIOCGSTAMP = 0x8906
SIOCGIFNAME = 0x8910
SIOCGIFCONF = 0x8912
SIOCGIFFLAGS = 0x8913
SIOCSIFFLAGS = 0x8914
SIOCGIFADDR = 0x8915
SIOCGIFDSTADDR = 0x8917
SIOCGIFBRDADDR = 0x8919
SIOCGIFNETMASK = 0x891B
SIOCGIFMETRIC = 0x891D
SIOCGIFMTU = 0x8921
SIOCGIFHWADDR = 0x8927
SIOCGIFINDEX = 0x8933
SIOCGIFTXQLEN = 0x8942
SIOCETHTOOL = 0x8946

IFNAMSIZ = 16
#: name, then a union of 24 bytes
IFREQ = Structure("struct ifreq", ("ifr_name", "16s"), ("ifr_data", "24s"))
IFCONF = Structure("struct ifconf", ("ifc_len", "i"), ("_pad", "4x"), ("ifc_buf", "Q"))

IFF_UP = 0x1
IFF_LOOPBACK = 0x8
IFF_RUNNING = 0x40
IFF_LOWER_UP = 0x10000
ARPHRD_LOOPBACK = 772

#: tcp(7) TCP_INFO: the state numbers of its first byte
TCP_ESTABLISHED = 1
TCP_SYN_SENT = 2
TCP_CLOSE = 7
TCP_CLOSE_WAIT = 8
TCP_LISTEN = 10
