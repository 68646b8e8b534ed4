"""POSIX message queues: <linux/mqueue.h>, and the limits that mq_overview(7) gives."""

from runsc_py.sentry.abi.structure import Structure

#: priorities are below this
MQ_PRIO_MAX = 32768

# What a namespace starts with: /proc/sys/fs/mqueue.
QUEUES_MAX = 256
MSG_MAX = 10
MSGSIZE_MAX = 8192

# What nobody can exceed.
HARD_MSG_MAX = 65536
HARD_MSGSIZE_MAX = 1 << 24
MINIMUM_MSGSIZE_MAX = 128

#: what RLIMIT_MSGQUEUE counts besides the text: Linux's struct msg_msg for each message, and its
#: struct posix_msg_tree_node for each priority that can be in use
MESSAGE_OVERHEAD = 48
PRIORITY_OVERHEAD = 48

# mq_notify(2) with SIGEV_THREAD: a cookie goes through a netlink socket, its last byte says why.
NOTIFY_COOKIE_LEN = 32
NOTIFY_WOKENUP = 1
NOTIFY_REMOVED = 2

MQ_ATTR = Structure(
    "struct mq_attr",
    ("mq_flags", "q"),
    ("mq_maxmsg", "q"),
    ("mq_msgsize", "q"),
    ("mq_curmsgs", "q"),
    ("_reserved", "32x"),
)
