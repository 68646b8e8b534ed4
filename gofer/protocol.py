"""The language between the sentry and the gofer: messages, limits, encoding.

One message is one packet of a SOCK_SEQPACKET socket pair, so nothing can be framed wrongly.

    request   [message, closed, field…]   closed: ids of nodes the client is done with
    reply     [0, field…]                 success; at most one descriptor rides along (SCM_RIGHTS)
              [errno]                     failure, a positive errno
              [FATAL, text]               the gofer met a bug of its own and ends

Only integers, byte strings and arrays travel; names are bytes, for Linux has no encoding of
names.  A *node* is a number that stands for an open O_PATH descriptor in the gofer: the client
can name what it walked to, and nothing else.  Unknown message numbers are answered with
EOPNOTSUPP, so that an older gofer can serve a newer sentry; what cannot be decoded, or has the
wrong number or types of fields, with EIO.

Neighbours: server.py answers, client.py asks; this module imports nothing of either.
"""

from functools import partial
from struct import Struct

import msgpack

# -- messages: numbers as in gVisor's lisafs where it has the message too ---------------------

MOUNT = 1
STAT = 3
SETATTR = 4
WALK = 5
WALK_STAT = 6
OPEN = 7
CREATE = 8
CLOSE = 9
FSYNC = 10
MKDIR = 13
MKNOD = 14
SYMLINK = 15
LINK = 16
STATFS = 17
FALLOCATE = 18
READLINK = 19
CONNECT = 21
UNLINK = 22
READDIR = 24
GETXATTR = 25
SETXATTR = 26
LISTXATTR = 27
REMOVEXATTR = 28
BIND = 29
RENAME = 33
CREATE_UNNAMED = 64
SHUTDOWN = 65
TELL_ACLS = 66
WALK_EACH = 67
NODES = 68
LEAVE = 69

#: message → (name, types of the request's fields, types of the reply's fields)
MESSAGES: dict[int, tuple[str, tuple[type, ...], tuple[type, ...]]] = {
    # (mount index) → (root node, attributes, read only?, known messages)
    MOUNT: ("mount", (int,), (int, bytes, int, tuple)),
    # (node) → (attributes)
    STAT: ("stat", (int,), (bytes,)),
    # (node, mask, mode, uid, gid, size, atime, mtime) → (failed mask, errno, attributes)
    SETATTR: ("setattr", (int,) * 8, (int, int, bytes)),
    # (directory, names) → (errno of the first name that failed or 0, ((node, attributes), …))
    WALK: ("walk", (int, tuple), (int, tuple)),
    # (directory, names) → (errno, (attributes, …)); no node is made
    WALK_STAT: ("walk_stat", (int, tuple), (int, tuple)),
    # (directory, names) → (node of each or 0 where it failed, attributes of all in one piece)
    WALK_EACH: ("walk_each", (int, tuple), (tuple, bytes)),
    # (node, flags) → () and a descriptor
    OPEN: ("open", (int, int), ()),
    # (directory, name, mode, uid, gid, umask, flags) → (node, attributes) and a descriptor
    CREATE: ("create", (int, bytes, int, int, int, int, int), (int, bytes)),
    # (nodes) → ()
    CLOSE: ("close", (tuple,), ()),
    # (node, data only?) → ()
    FSYNC: ("fsync", (int, int), ()),
    # (directory, name, mode, uid, gid, umask) → (node, attributes)
    MKDIR: ("mkdir", (int, bytes, int, int, int, int), (int, bytes)),
    # (directory, name, mode with type, device, uid, gid, umask) → (node, attributes)
    MKNOD: ("mknod", (int, bytes, int, int, int, int, int), (int, bytes)),
    # (directory, name, target, uid, gid) → (node, attributes)
    SYMLINK: ("symlink", (int, bytes, bytes, int, int), (int, bytes)),
    # (node, directory, name) → ()
    LINK: ("link", (int, int, bytes), ()),
    # (node) → statfs(2)'s type, bsize, blocks, bfree, bavail, files, ffree, namelen, frsize
    STATFS: ("statfs", (int,), (int,) * 9),
    # (node, mode, offset, length) → ()
    FALLOCATE: ("fallocate", (int, int, int, int), ()),
    # (node) → (target)
    READLINK: ("readlink", (int,), (bytes,)),
    # (node, socket type) → () and a descriptor
    CONNECT: ("connect", (int, int), ()),
    # (directory, name, socket type, mode, uid, gid, umask) → (node, attributes) and a descriptor
    BIND: ("bind", (int, bytes, int, int, int, int, int), (int, bytes)),
    # (directory, name, flags) → ()
    UNLINK: ("unlink", (int, bytes, int), ()),
    # (directory, cookie) → (last page?, names, inodes, DT_ types, cookies behind each); columns,
    # for they are checked in a fraction of the time that as many rows take
    READDIR: ("readdir", (int, int), (int, tuple, tuple, tuple, tuple)),
    # (node, name) → (value)
    GETXATTR: ("getxattr", (int, bytes), (bytes,)),
    # (node, name, value, flags) → ()
    SETXATTR: ("setxattr", (int, bytes, bytes, int), ()),
    # (node) → (names)
    LISTXATTR: ("listxattr", (int,), (tuple,)),
    # (node, name) → ()
    REMOVEXATTR: ("removexattr", (int, bytes), ()),
    # (old directory, old name, new directory, new name, flags) → ()
    RENAME: ("rename2", (int, bytes, int, bytes, int), ()),
    # (directory, mode, uid, gid, umask, flags) → (node, attributes) and a descriptor
    CREATE_UNNAMED: ("create_unnamed", (int, int, int, int, int, int), (int, bytes)),
    # () → (); from now on attributes have an ACL_STATE, of every mount
    TELL_ACLS: ("tell_acls", (), ()),
    # () → (how many nodes there are)
    NODES: ("nodes", (), (int,)),
    # (mount index) → (); the mount is asked for no more, its nodes are closed one by one
    LEAVE: ("leave", (int,), ()),
    # () → (); the gofer ends after the reply
    SHUTDOWN: ("shutdown", (), ()),
}

# -- values ------------------------------------------------------------------------------------

#: first element of a reply that is the gofer's last
FATAL = -1

#: uid or gid of a message that leaves the owner as the host makes it
NO_ID = 0xFFFFFFFF

# SETATTR's mask
SET_MODE = 1
SET_UID = 2
SET_GID = 4
SET_SIZE = 8
SET_ATIME = 16
SET_MTIME = 32
#: with SET_ATIME / SET_MTIME: the host's current time instead of the one given
SET_ATIME_NOW = 64
SET_MTIME_NOW = 128

Attributes = tuple[int, ...]
"""inode, device major, minor, mode, links, uid, gid, special device major, minor, size in bytes,
block size, blocks of 512 bytes; access, modification, change and birth time in nanoseconds since
the epoch (birth 0: unknown); whether there is an access control list (ACL_…).  The order is that of
`struct host_attributes` in native/host.h."""

#: attributes travel as these 136 bytes: unpacking them is also what validates them
ATTRIBUTES = Struct("=12Q4qQ")

# Positions in Attributes.
INODE = 0
DEVICE_MAJOR = 1
DEVICE_MINOR = 2
MODE = 3
LINKS = 4
UID = 5
GID = 6
SPECIAL_MAJOR = 7
SPECIAL_MINOR = 8
SIZE = 9
BLOCK_SIZE = 10
BLOCKS = 11
ACCESS_TIME = 12
MODIFICATION_TIME = 13
CHANGE_TIME = 14
BIRTH_TIME = 15
ACL_STATE = 16

# ACL_STATE: what is known of `system.posix_acl_access`.  It costs a look that guests who override
# permissions do not need, so it is UNKNOWN until TELL_ACLS asks for it.
ACL_UNKNOWN = 0
ACL_ABSENT = 1
ACL_PRESENT = 2

# -- limits ------------------------------------------------------------------------------------

#: nothing longer is sent or read, bytes
MAX_MESSAGE = 1 << 20
#: nothing longer is asked, bytes: what an unprivileged process may always send in one packet
MAX_REQUEST = 1 << 17
#: longest file name, bytes (NAME_MAX)
MAX_NAME = 255
#: names in one WALK or WALK_EACH
MAX_WALK = 256
#: nodes in one CLOSE, or closed along with another request
MAX_CLOSED = 256
#: bytes of getdents64(2) results in one READDIR reply; with the encoding well below what an
#: unprivileged process may send in one packet (net.core.wmem_default, 208 KiB)
READDIR_PAGE = 1 << 16
#: longest xattr value (XATTR_SIZE_MAX)
MAX_XATTR = 1 << 16

# A request's array is a list of names or of nodes; a reply's may be a page of a directory, whose
# shortest entry takes 24 bytes, or the names of listxattr(2), 2 bytes each.
_MAX_REQUEST_ARRAY = max(MAX_WALK, MAX_CLOSED)
_MAX_REPLY_ARRAY = MAX_XATTR // 2

_LIMITS = {
    "use_list": False,
    "raw": True,
    "strict_map_key": True,
    "max_bin_len": MAX_MESSAGE,
    "max_str_len": 0,
    "max_map_len": 0,
    "max_ext_len": 0,
}

#: bytes → request or reply; ValueError when it is not one whole message within the limits.
#: What comes out is untrusted still: its types must be checked against MESSAGES.
decode_request = partial(msgpack.unpackb, max_array_len=_MAX_REQUEST_ARRAY, **_LIMITS)
decode_reply = partial(msgpack.unpackb, max_array_len=_MAX_REPLY_ARRAY, **_LIMITS)

#: tuple → bytes
encode = msgpack.Packer(use_bin_type=True).pack


def types_of(fields: tuple[object, ...]) -> tuple[type, ...]:
    """The exact types of a message's fields, to compare with MESSAGES (a bool is no int)."""
    return tuple(map(type, fields))
