"""Structures and constants of the calls about files: stat(2), statx(2), fcntl(2), getdents(2)…

The values are those of x86-64.  Open flags are in `vfs/open_file.py`, mount flags in
`vfs/mount.py`, file types in `vfs/attributes.py`.
"""

from runsc_py.sentry.abi.structure import Structure

# Directory descriptors and flags of the …at() calls
AT_FDCWD = -100
AT_SYMLINK_NOFOLLOW = 0x100
AT_EACCESS = 0x200
AT_REMOVEDIR = 0x200
AT_SYMLINK_FOLLOW = 0x400
AT_NO_AUTOMOUNT = 0x800
AT_EMPTY_PATH = 0x1000
AT_RECURSIVE = 0x8000
AT_STATX_SYNC_TYPE = 0x6000

#: the most that one read or write transfers, bytes (read(2), NOTES)
MAX_RW_COUNT = 0x7FFFF000
#: iovecs in one call
IOV_MAX = 1024

# lseek(2)
SEEK_SET = 0
SEEK_CUR = 1
SEEK_END = 2
SEEK_DATA = 3
SEEK_HOLE = 4

# access(2)
F_OK = 0
X_OK = 1
W_OK = 2
R_OK = 4

# fcntl(2)
F_DUPFD = 0
F_GETFD = 1
F_SETFD = 2
F_GETFL = 3
F_SETFL = 4
F_GETLK = 5
F_SETLK = 6
F_SETLKW = 7
F_SETOWN = 8
F_GETOWN = 9
F_SETSIG = 10
F_GETSIG = 11
F_SETOWN_EX = 15
F_GETOWN_EX = 16
F_OFD_GETLK = 36
F_OFD_SETLK = 37
F_OFD_SETLKW = 38
F_SETLEASE = 1024
F_GETLEASE = 1025
F_NOTIFY = 1026
F_DUPFD_CLOEXEC = 1030
F_SETPIPE_SZ = 1031
F_GETPIPE_SZ = 1032
#: whether another descriptor is of the same open file description
F_DUPFD_QUERY = 1027
#: whether this very open made the file
F_CREATED_QUERY = 1028
F_GET_RW_HINT = 1035
F_SET_RW_HINT = 1036
F_ADD_SEALS = 1033
F_GET_SEALS = 1034
FD_CLOEXEC = 1
F_OWNER_TID = 0
F_OWNER_PID = 1
F_OWNER_PGRP = 2
F_RDLCK = 0
F_WRLCK = 1
F_UNLCK = 2

# flock(2)
LOCK_SH = 1
LOCK_EX = 2
LOCK_NB = 4
LOCK_UN = 8
#: Samba's share modes, which Linux forgot again: accepted, and nothing happens
LOCK_MAND = 32

# close_range(2)
CLOSE_RANGE_UNSHARE = 2
CLOSE_RANGE_CLOEXEC = 4

# utimensat(2)
UTIME_NOW = (1 << 30) - 1
UTIME_OMIT = (1 << 30) - 2

# preadv2(2)
RWF_HIPRI = 0x01
RWF_DSYNC = 0x02
RWF_SYNC = 0x04
RWF_NOWAIT = 0x08
RWF_NOAPPEND = 0x20
RWF_APPEND = 0x10

# statx(2)
STATX_BASIC_STATS = 0x7FF
STATX_BTIME = 0x800
STATX_MNT_ID = 0x1000
STATX_MNT_ID_UNIQUE = 0x4000
STATX_RESERVED = 0x80000000
STATX_ATTR_MOUNT_ROOT = 0x2000
#: STATX_ATTR_IMMUTABLE, _APPEND and _NODUMP, which have the values of FS_…_FL
STATX_ATTR_FLAGS = 0x70

# xattr(7)
XATTR_CREATE = 1
XATTR_REPLACE = 2
XATTR_NAME_MAX = 255
XATTR_SIZE_MAX = 65536
XATTR_LIST_MAX = 65536

# ioctl(2) requests that every file answers
FIONCLEX = 0x5450
FIOCLEX = 0x5451
FIOASYNC = 0x5452
FIOQSIZE = 0x5460
FIGETBSZ = 0x2
FS_IOC_GETFLAGS = 0x80086601
FS_IOC_SETFLAGS = 0x40086602
FS_IOC_FSGETXATTR = 0x801C581F
FS_IOC_FSSETXATTR = 0x401C5820
FLAG_REQUESTS = (FS_IOC_GETFLAGS, FS_IOC_SETFLAGS, FS_IOC_FSGETXATTR, FS_IOC_FSSETXATTR)

STAT = Structure(
    "struct stat",
    ("st_dev", "Q"),
    ("st_ino", "Q"),
    ("st_nlink", "Q"),
    ("st_mode", "I"),
    ("st_uid", "I"),
    ("st_gid", "I"),
    ("_padding", "4x"),
    ("st_rdev", "Q"),
    ("st_size", "q"),
    ("st_blksize", "q"),
    ("st_blocks", "q"),
    ("st_atime", "q"),
    ("st_atime_nsec", "Q"),
    ("st_mtime", "q"),
    ("st_mtime_nsec", "Q"),
    ("st_ctime", "q"),
    ("st_ctime_nsec", "Q"),
    ("_unused", "24x"),
)

STATX = Structure(
    "struct statx",
    ("stx_mask", "I"),
    ("stx_blksize", "I"),
    ("stx_attributes", "Q"),
    ("stx_nlink", "I"),
    ("stx_uid", "I"),
    ("stx_gid", "I"),
    ("stx_mode", "H"),
    ("_spare0", "2x"),
    ("stx_ino", "Q"),
    ("stx_size", "Q"),
    ("stx_blocks", "Q"),
    ("stx_attributes_mask", "Q"),
    ("stx_atime_sec", "q"),
    ("stx_atime_nsec", "I"),
    ("_atime_padding", "4x"),
    ("stx_btime_sec", "q"),
    ("stx_btime_nsec", "I"),
    ("_btime_padding", "4x"),
    ("stx_ctime_sec", "q"),
    ("stx_ctime_nsec", "I"),
    ("_ctime_padding", "4x"),
    ("stx_mtime_sec", "q"),
    ("stx_mtime_nsec", "I"),
    ("_mtime_padding", "4x"),
    ("stx_rdev_major", "I"),
    ("stx_rdev_minor", "I"),
    ("stx_dev_major", "I"),
    ("stx_dev_minor", "I"),
    ("stx_mnt_id", "Q"),
    ("_spare3", "104x"),
)

STATFS = Structure(
    "struct statfs",
    ("f_type", "q"),
    ("f_bsize", "q"),
    ("f_blocks", "Q"),
    ("f_bfree", "Q"),
    ("f_bavail", "Q"),
    ("f_files", "Q"),
    ("f_ffree", "Q"),
    ("f_fsid", "Q"),
    ("f_namelen", "q"),
    ("f_frsize", "q"),
    ("f_flags", "q"),
    ("_spare", "32x"),
)

FLOCK = Structure(
    "struct flock",
    ("l_type", "h"),
    ("l_whence", "h"),
    ("_padding", "4x"),
    ("l_start", "q"),
    ("l_len", "q"),
    ("l_pid", "i"),
    ("_end", "4x"),
)

F_OWNER_EX = Structure("struct f_owner_ex", ("type", "i"), ("pid", "i"))

OPEN_HOW = Structure("struct open_how", ("flags", "Q"), ("mode", "Q"), ("resolve", "Q"))

#: before the handle itself
FILE_HANDLE = Structure("struct file_handle", ("handle_bytes", "I"), ("handle_type", "i"))

MOUNT_ATTR = Structure(
    "struct mount_attr",
    ("attr_set", "Q"),
    ("attr_clr", "Q"),
    ("propagation", "Q"),
    ("userns_fd", "Q"),
)

#: fsconfig(2)
FSCONFIG_SET_FLAG = 0
FSCONFIG_SET_STRING = 1
FSCONFIG_SET_BINARY = 2
FSCONFIG_SET_PATH = 3
FSCONFIG_SET_PATH_EMPTY = 4
FSCONFIG_SET_FD = 5
FSCONFIG_CMD_CREATE = 6
FSCONFIG_CMD_RECONFIGURE = 7
FSCONFIG_CMD_CREATE_EXCL = 8

UTIMBUF = Structure("struct utimbuf", ("actime", "q"), ("modtime", "q"))

#: before the name: see getdents(2)
LINUX_DIRENT = Structure("struct linux_dirent", ("d_ino", "Q"), ("d_off", "q"), ("d_reclen", "H"))
LINUX_DIRENT64 = Structure(
    "struct linux_dirent64", ("d_ino", "Q"), ("d_off", "q"), ("d_reclen", "H"), ("d_type", "B")
)
