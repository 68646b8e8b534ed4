"""Capability numbers, sets and securebits: capabilities(7).

A set is an int with bit n for capability n.  Only data and the format of the file attribute
`security.capability` live here; who has what is in `credentials.py`, how sets change is in
`set_ids.py` and `execution.py`.
"""

import struct

_NAMES = (
    "chown dac_override dac_read_search fowner fsetid kill setgid setuid setpcap linux_immutable "
    "net_bind_service net_broadcast net_admin net_raw ipc_lock ipc_owner sys_module sys_rawio "
    "sys_chroot sys_ptrace sys_pacct sys_admin sys_boot sys_nice sys_resource sys_time "
    "sys_tty_config mknod lease audit_write audit_control setfcap mac_override mac_admin syslog "
    "wake_alarm block_suspend audit_read perfmon bpf checkpoint_restore"
)
#: as capabilities(7) has them, in lower case and without CAP_
CAPABILITY_NAMES = tuple(_NAMES.split())

CAP_CHOWN = 0
CAP_DAC_OVERRIDE = 1
CAP_DAC_READ_SEARCH = 2
CAP_FOWNER = 3
CAP_FSETID = 4
CAP_KILL = 5
CAP_SETGID = 6
CAP_SETUID = 7
CAP_SETPCAP = 8
CAP_LINUX_IMMUTABLE = 9
CAP_NET_BIND_SERVICE = 10
CAP_NET_BROADCAST = 11
CAP_NET_ADMIN = 12
CAP_NET_RAW = 13
CAP_IPC_LOCK = 14
CAP_IPC_OWNER = 15
CAP_SYS_MODULE = 16
CAP_SYS_RAWIO = 17
CAP_SYS_CHROOT = 18
CAP_SYS_PTRACE = 19
CAP_SYS_PACCT = 20
CAP_SYS_ADMIN = 21
CAP_SYS_BOOT = 22
CAP_SYS_NICE = 23
CAP_SYS_RESOURCE = 24
CAP_SYS_TIME = 25
CAP_SYS_TTY_CONFIG = 26
CAP_MKNOD = 27
CAP_LEASE = 28
CAP_AUDIT_WRITE = 29
CAP_AUDIT_CONTROL = 30
CAP_SETFCAP = 31
CAP_MAC_OVERRIDE = 32
CAP_MAC_ADMIN = 33
CAP_SYSLOG = 34
CAP_WAKE_ALARM = 35
CAP_BLOCK_SUSPEND = 36
CAP_AUDIT_READ = 37
CAP_PERFMON = 38
CAP_BPF = 39
CAP_CHECKPOINT_RESTORE = 40
CAP_LAST_CAP = 40

#: every capability there is; what root of the sandbox starts with
ALL_CAPABILITIES = (1 << (CAP_LAST_CAP + 1)) - 1


def capability_set(*capabilities: int) -> int:
    """The set of the given capabilities."""
    result = 0
    for capability in capabilities:
        result |= 1 << capability
    return result


#: what Docker, podman and the OCI examples leave to root in a container
CONTAINER_CAPABILITIES = capability_set(
    CAP_CHOWN,
    CAP_DAC_OVERRIDE,
    CAP_FOWNER,
    CAP_FSETID,
    CAP_KILL,
    CAP_SETGID,
    CAP_SETUID,
    CAP_SETPCAP,
    CAP_NET_BIND_SERVICE,
    CAP_NET_RAW,
    CAP_SYS_CHROOT,
    CAP_MKNOD,
    CAP_AUDIT_WRITE,
    CAP_SETFCAP,
)

#: those that are about files: dropped and regained with the file system uid
FILE_SYSTEM_CAPABILITIES = capability_set(
    CAP_CHOWN,
    CAP_MKNOD,
    CAP_DAC_OVERRIDE,
    CAP_DAC_READ_SEARCH,
    CAP_FOWNER,
    CAP_FSETID,
    CAP_LINUX_IMMUTABLE,
    CAP_MAC_OVERRIDE,
)

# Securebits; each is followed by the bit that locks it.
SECBIT_NOROOT = 1 << 0
SECBIT_NO_SETUID_FIXUP = 1 << 2
SECBIT_KEEP_CAPS = 1 << 4
SECBIT_KEEP_CAPS_LOCKED = 1 << 5
SECBIT_NO_CAP_AMBIENT_RAISE = 1 << 6
SECURE_ALL_BITS = 0x55
SECURE_ALL_LOCKS = SECURE_ALL_BITS << 1


def is_subset(part: int, whole: int) -> bool:
    """Whether every capability of `part` is in `whole`."""
    return not part & ~whole


class FileCapabilities:
    """What the extended attribute `security.capability` of an executable grants."""

    __slots__ = ("effective", "inheritable", "permitted", "root_uid")

    _REVISION_MASK = 0xFF000000
    _EFFECTIVE = 0x000001
    #: revision → (number of 32-bit pairs, whether a root uid follows)
    _REVISIONS = {0x01000000: (1, False), 0x02000000: (2, False), 0x03000000: (2, True)}

    def __init__(
        self, permitted: int, inheritable: int, effective: bool, root_uid: int = 0
    ) -> None:
        self.permitted = permitted
        self.inheritable = inheritable
        self.effective = effective
        #: revision 3: the global id of the root user of the namespace it is for
        self.root_uid = root_uid

    @classmethod
    def parse(cls, value: bytes) -> "FileCapabilities | None":
        """Decode the attribute; None when it is malformed (Linux ignores it with EINVAL)."""
        if len(value) < 4:
            return None
        (magic,) = struct.unpack_from("<I", value)
        shape = cls._REVISIONS.get(magic & cls._REVISION_MASK)
        if shape is None:
            return None
        pairs, has_root = shape
        if len(value) != 4 + 8 * pairs + 4 * has_root:
            return None
        permitted = inheritable = 0
        for index in range(pairs):
            low, high = struct.unpack_from("<II", value, 4 + 8 * index)
            permitted |= low << (32 * index)
            inheritable |= high << (32 * index)
        root_uid = struct.unpack_from("<I", value, 4 + 8 * pairs)[0] if has_root else 0
        return cls(
            permitted & ALL_CAPABILITIES,
            inheritable & ALL_CAPABILITIES,
            bool(magic & cls._EFFECTIVE),
            root_uid,
        )
