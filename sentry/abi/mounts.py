"""statmount(2), listmount(2): what is asked for and what is answered."""

from runsc_py.sentry.abi.structure import Structure

#: in `mask` of the answer and `param` of the request
STATMOUNT_SB_BASIC = 0x1
STATMOUNT_MNT_BASIC = 0x2
STATMOUNT_PROPAGATE_FROM = 0x4
STATMOUNT_MNT_ROOT = 0x8
STATMOUNT_MNT_POINT = 0x10
STATMOUNT_FS_TYPE = 0x20
STATMOUNT_MNT_NS_ID = 0x40
STATMOUNT_MNT_OPTS = 0x80
STATMOUNT_FS_SUBTYPE = 0x100
STATMOUNT_SB_SOURCE = 0x200
STATMOUNT_OPT_ARRAY = 0x400
STATMOUNT_OPT_SEC_ARRAY = 0x800
STATMOUNT_SUPPORTED_MASK = 0x1000

#: the mount id that stands for the caller's root
LSMT_ROOT = (1 << 64) - 1
LISTMOUNT_REVERSE = 1

MNT_ID_REQ = Structure(
    "struct mnt_id_req",
    ("size", "I"),
    ("spare", "I"),
    ("mnt_id", "Q"),
    ("param", "Q"),
    ("mnt_ns_id", "Q"),
)
#: its first version had no mnt_ns_id
MNT_ID_REQ_SIZE_VER0 = 24

#: strings follow; their fields are offsets into them
STATMOUNT = Structure(
    "struct statmount",
    ("size", "I"),
    ("mnt_opts", "I"),
    ("mask", "Q"),
    ("sb_dev_major", "I"),
    ("sb_dev_minor", "I"),
    ("sb_magic", "Q"),
    ("sb_flags", "I"),
    ("fs_type", "I"),
    ("mnt_id", "Q"),
    ("mnt_parent_id", "Q"),
    ("mnt_id_old", "I"),
    ("mnt_parent_id_old", "I"),
    ("mnt_attr", "Q"),
    ("mnt_propagation", "Q"),
    ("mnt_peer_group", "Q"),
    ("mnt_master", "Q"),
    ("propagate_from", "Q"),
    ("mnt_root", "I"),
    ("mnt_point", "I"),
    ("mnt_ns_id", "Q"),
    ("fs_subtype", "I"),
    ("sb_source", "I"),
    ("opt_num", "I"),
    ("opt_array", "I"),
    ("opt_sec_num", "I"),
    ("opt_sec_array", "I"),
    ("supported_mask", "Q"),
    ("_spare", "360x"),
)
