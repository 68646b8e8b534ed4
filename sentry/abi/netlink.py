"""Structures of netlink(7) and rtnetlink(7)."""

from runsc_py.sentry.abi.structure import Structure

NETLINK_ROUTE = 0
SOL_NETLINK = 270
NETLINK_ADD_MEMBERSHIP = 1
NETLINK_DROP_MEMBERSHIP = 2
NETLINK_PKTINFO = 3
NETLINK_BROADCAST_ERROR = 4
NETLINK_NO_ENOBUFS = 5
NETLINK_CAP_ACK = 10
NETLINK_EXT_ACK = 11
NETLINK_GET_STRICT_CHK = 12

NLMSG_ERROR = 2
NLMSG_DONE = 3
NLM_F_REQUEST = 0x1
NLM_F_MULTI = 0x2
NLM_F_ACK = 0x4
NLM_F_DUMP = 0x300

NLMSGHDR = Structure(
    "struct nlmsghdr",
    ("nlmsg_len", "I"),
    ("nlmsg_type", "H"),
    ("nlmsg_flags", "H"),
    ("nlmsg_seq", "I"),
    ("nlmsg_pid", "I"),
)
RTATTR = Structure("struct rtattr", ("rta_len", "H"), ("rta_type", "H"))

RTM_NEWLINK = 16
RTM_GETLINK = 18
RTM_NEWADDR = 20
RTM_GETADDR = 22
RTM_NEWROUTE = 24
RTM_GETROUTE = 26
#: message types come in fours: new, delete, get, set
RTM_BASE = 16
RTM_MAX = 123

IFINFOMSG = Structure(
    "struct ifinfomsg",
    ("ifi_family", "B"),
    ("_pad", "1x"),
    ("ifi_type", "H"),
    ("ifi_index", "i"),
    ("ifi_flags", "I"),
    ("ifi_change", "I"),
)
IFLA_ADDRESS = 1
IFLA_BROADCAST = 2
IFLA_IFNAME = 3
IFLA_MTU = 4
IFLA_QDISC = 6
IFLA_STATS = 7
IFLA_TXQLEN = 13
IFLA_OPERSTATE = 16
IFLA_LINKMODE = 17
IFLA_STATS64 = 23
IFLA_GROUP = 27
IF_OPER_UNKNOWN = 0
#: struct rtnl_link_stats: 24 counters of 32 bits; rtnl_link_stats64: the same of 64
LINK_STATS_COUNTERS = 24

IFADDRMSG = Structure(
    "struct ifaddrmsg",
    ("ifa_family", "B"),
    ("ifa_prefixlen", "B"),
    ("ifa_flags", "B"),
    ("ifa_scope", "B"),
    ("ifa_index", "I"),
)
IFA_ADDRESS = 1
IFA_LOCAL = 2
IFA_LABEL = 3
IFA_CACHEINFO = 6
IFA_FLAGS = 8
IFA_F_PERMANENT = 0x80
IFA_CACHEINFO_DATA = Structure(
    "struct ifa_cacheinfo",
    ("ifa_prefered", "I"),
    ("ifa_valid", "I"),
    ("cstamp", "I"),
    ("tstamp", "I"),
)

RTMSG = Structure(
    "struct rtmsg",
    ("rtm_family", "B"),
    ("rtm_dst_len", "B"),
    ("rtm_src_len", "B"),
    ("rtm_tos", "B"),
    ("rtm_table", "B"),
    ("rtm_protocol", "B"),
    ("rtm_scope", "B"),
    ("rtm_type", "B"),
    ("rtm_flags", "I"),
)
RTA_DST = 1
RTA_OIF = 4
RTA_PREFSRC = 7
RTA_TABLE = 15
RT_TABLE_LOCAL = 255
RTPROT_KERNEL = 2
RT_SCOPE_HOST = 254
RTN_LOCAL = 2
