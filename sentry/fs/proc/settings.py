"""/proc/sys: proc_sys(5).

Values that programs ask for.  Those that something here depends on are computed from it; a few
can be written; the rest says what Linux says by default.
"""

from runsc_py.sentry.abi.memory import PAGE_SIZE
from runsc_py.sentry.abi.system import KERNEL_RELEASE, KERNEL_VERSION, SYSTEM_NAME
from runsc_py.sentry.auth.capabilities import CAP_LAST_CAP, CAP_SYS_ADMIN
from runsc_py.sentry.auth.user_namespace import OVERFLOW_ID
from runsc_py.sentry.errors import EINVAL, EPERM
from runsc_py.sentry.fs.pipe import MAXIMUM_CAPACITY
from runsc_py.sentry.fs.proc.ipc_settings import MQUEUE, OF_KERNEL
from runsc_py.sentry.fs.proc.ping_groups import PING_GROUP_RANGE
from runsc_py.sentry.fs.proc.setting_files import (
    INT_MAX,
    fixed,
    number,
    parse_number,
    refuse,
    setting,
)
from runsc_py.sentry.fs.proc.user_settings import INOTIFY, USER
from runsc_py.sentry.fs.synthetic import File, Specification
from runsc_py.sentry.kernel.kernel import MAXIMUM_MAP_COUNT
from runsc_py.sentry.kernel.limits import MAXIMUM_OPEN_FILES, limits_of
from runsc_py.sentry.kernel.pid_namespace import PID_MAX, RESERVED

TYPE_CHECKING = False
if TYPE_CHECKING:
    from runsc_py.sentry.kernel.task import Task

#: struct new_utsname without its NUL
NAME_SIZE = 64
#: bytes of a core pattern without its NUL
CORE_PATTERN_SIZE = 127


# -- names -------------------------------------------------------------------------------


def _host_name(task: "Task") -> bytes:
    return task.namespaces.uts.host_name + b"\n"


def _domain_name(task: "Task") -> bytes:
    return task.namespaces.uts.domain_name + b"\n"


def _new_name(task: "Task", data: bytes) -> bytes:
    if not task.credentials.has_capability(CAP_SYS_ADMIN, task.namespaces.uts.user_namespace):
        raise EPERM
    name = data.split(b"\n", 1)[0].split(b"\0", 1)[0]
    if len(name) > NAME_SIZE:
        raise EINVAL
    return name


def _set_host_name(task: "Task", data: bytes) -> None:
    task.namespaces.uts.host_name = _new_name(task, data)


def _set_domain_name(task: "Task", data: bytes) -> None:
    task.namespaces.uts.domain_name = _new_name(task, data)


# -- random(4) ---------------------------------------------------------------------------


def _format_uuid(data: bytes) -> bytes:
    """A version 4 UUID from 16 random bytes."""
    value = bytearray(data)
    value[6] = value[6] & 0x0F | 0x40
    value[8] = value[8] & 0x3F | 0x80
    text = value.hex()
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}\n".encode()


def _random_uuid(task: "Task") -> bytes:
    return _format_uuid(task.kernel.random(16))


class _BootIdentifier:
    """The same for all readers of a sandbox."""

    __slots__ = ("text",)

    def __init__(self) -> None:
        self.text = b""

    def __call__(self, task: "Task") -> bytes:
        if not self.text:
            self.text = _random_uuid(task)
        return self.text


# -- what the sandbox decides ------------------------------------------------------------


def _lowest_address(task: "Task") -> bytes:
    return number(task.kernel.platform.lowest_address)


def _threads_maximum(task: "Task") -> bytes:
    limit = limits_of(task).pids
    return number(min(PID_MAX, 65536) if limit is None else limit)


def _file_numbers(task: "Task") -> bytes:
    """Allocated, free (always 0), maximum."""
    groups = task.kernel.root_pid_namespace.thread_groups()
    tables = {group.leader.files for group in groups if group.tasks}
    maximum = task.kernel.limits.files or MAXIMUM_OPEN_FILES
    return b"%d\t0\t%d\n" % (sum(len(table) for table in tables), maximum)


def _files_maximum(task: "Task") -> bytes:
    return number(task.kernel.limits.files or MAXIMUM_OPEN_FILES)


def _last_pid(task: "Task") -> bytes:
    return number(task.pid_namespace.last)


def _file_setting(name: str, maximum: int, minimum: int = 0) -> File:
    """A number of the kernel's FileSettings."""
    return setting(lambda task: task.kernel.file_settings, name, maximum, minimum)


def _pipe_max_size(task: "Task") -> bytes:
    return number(task.kernel.file_settings.pipe_max_size)


def _set_pipe_max_size(task: "Task", data: bytes) -> None:
    """Rounded up to a power of two, and a page at least."""
    size = max(parse_number(data, 1, MAXIMUM_CAPACITY), PAGE_SIZE)
    task.kernel.file_settings.pipe_max_size = 1 << (size - 1).bit_length()


def _core_pattern(task: "Task") -> bytes:
    return task.kernel.core_pattern + b"\n"


def _set_core_pattern(task: "Task", data: bytes) -> None:
    """It is kept; nobody writes core files."""
    task.kernel.core_pattern = data.split(b"\n", 1)[0].split(b"\0", 1)[0][:CORE_PATTERN_SIZE]


def _drop_caches(task: "Task", data: bytes) -> None:
    """There is nothing to drop; root may ask for it."""
    if not task.credentials.has_capability(CAP_SYS_ADMIN):
        raise EPERM


def make_tree() -> dict[bytes, Specification]:
    """The tree of one proc instance."""
    return {
        b"abi": {},
        b"debug": {},
        b"dev": {},
        b"fs": _FS,
        b"kernel": {
            **_KERNEL,
            **OF_KERNEL,
            b"random": {**_RANDOM, b"boot_id": File(_BootIdentifier())},
        },
        b"net": _NET,
        b"user": USER,
        b"vm": _VM,
    }


_RANDOM: dict[bytes, Specification] = {
    b"entropy_avail": b"256\n",
    b"poolsize": b"256\n",
    b"urandom_min_reseed_secs": b"60\n",
    b"uuid": File(_random_uuid),
    b"write_wakeup_threshold": b"256\n",
}

_SECCOMP_ACTIONS = b"kill_process kill_thread trap errno trace log allow\n"

_KERNEL: dict[bytes, Specification] = {
    b"cap_last_cap": number(CAP_LAST_CAP),
    b"core_pattern": File(_core_pattern, _set_core_pattern),
    b"core_uses_pid": setting(lambda task: task.kernel, "core_uses_pid", 1),
    b"dmesg_restrict": fixed(b"1\n"),
    b"domainname": File(_domain_name, _set_domain_name),
    b"hostname": File(_host_name, _set_host_name),
    b"keys": {b"maxbytes": b"20000\n", b"maxkeys": b"200\n"},
    b"kptr_restrict": fixed(b"2\n"),
    b"ngroups_max": b"65536\n",
    b"ns_last_pid": File(_last_pid, refuse),
    b"osrelease": KERNEL_RELEASE + b"\n",
    b"ostype": SYSTEM_NAME + b"\n",
    b"overflowgid": fixed(number(OVERFLOW_ID)),
    b"overflowuid": fixed(number(OVERFLOW_ID)),
    b"panic": fixed(b"0\n"),
    b"perf_event_paranoid": fixed(b"4\n"),
    b"pid_max": setting(
        lambda task: task.pid_namespace,
        "maximum",
        PID_MAX,
        RESERVED + 1,
        lambda task: task.pid_namespace.user_namespace,
    ),
    b"printk": fixed(b"4\t4\t1\t7\n"),
    b"pty": {b"max": fixed(b"4096\n"), b"reserve": fixed(b"1024\n")},
    b"randomize_va_space": fixed(b"2\n"),
    b"sched_child_runs_first": fixed(b"0\n"),
    b"sched_rr_timeslice_ms": fixed(b"100\n"),
    b"seccomp": {b"actions_avail": _SECCOMP_ACTIONS, b"actions_logged": fixed(b"\n")},
    b"sysrq": fixed(b"0\n"),
    b"tainted": fixed(b"0\n"),
    b"threads-max": File(_threads_maximum, refuse),
    b"unprivileged_bpf_disabled": fixed(b"2\n"),
    b"version": KERNEL_VERSION + b"\n",
    b"yama": {b"ptrace_scope": fixed(b"1\n")},
}

_FS: dict[bytes, Specification] = {
    b"aio-max-nr": fixed(b"65536\n"),
    b"aio-nr": b"0\n",
    b"dentry-state": b"0\t0\t45\t0\t0\t0\n",
    b"epoll": {b"max_user_watches": fixed(b"1048576\n")},
    b"file-max": File(_files_maximum, refuse),
    b"file-nr": File(_file_numbers),
    b"inode-nr": b"0\t0\n",
    b"inotify": INOTIFY,
    b"lease-break-time": _file_setting("lease_break_time", 0x7FFFFFFF),
    b"leases-enable": fixed(b"1\n"),
    b"mount-max": fixed(b"100000\n"),
    b"mqueue": MQUEUE,
    b"nr_open": _file_setting("nr_open", MAXIMUM_OPEN_FILES, 64),
    b"overflowgid": fixed(number(OVERFLOW_ID)),
    b"overflowuid": fixed(number(OVERFLOW_ID)),
    b"pipe-max-size": File(_pipe_max_size, _set_pipe_max_size),
    b"pipe-user-pages-hard": fixed(b"0\n"),
    b"pipe-user-pages-soft": fixed(b"16384\n"),
    b"protected_fifos": fixed(b"0\n"),
    b"protected_hardlinks": _file_setting("protected_hardlinks", 1),
    b"protected_regular": fixed(b"0\n"),
    b"protected_symlinks": _file_setting("protected_symlinks", 1),
    b"suid_dumpable": fixed(b"0\n"),
}

_VM: dict[bytes, Specification] = {
    b"dirty_background_ratio": fixed(b"10\n"),
    b"dirty_ratio": fixed(b"20\n"),
    b"drop_caches": File(lambda task: b"0\n", _drop_caches, 0o200),
    b"max_map_count": setting(lambda task: task.kernel, "max_map_count", MAXIMUM_MAP_COUNT),
    b"min_free_kbytes": fixed(b"67584\n"),
    b"mmap_min_addr": File(_lowest_address, refuse),
    b"nr_hugepages": fixed(b"0\n"),
    b"nr_overcommit_hugepages": fixed(b"0\n"),
    b"oom_kill_allocating_task": fixed(b"0\n"),
    b"overcommit_kbytes": fixed(b"0\n"),
    b"overcommit_memory": fixed(b"0\n"),
    b"overcommit_ratio": fixed(b"50\n"),
    b"page-cluster": fixed(b"3\n"),
    b"panic_on_oom": fixed(b"0\n"),
    b"swappiness": fixed(b"60\n"),
    b"vfs_cache_pressure": fixed(b"100\n"),
}

_FORWARDING = setting(lambda task: task.namespaces.network, "forwarding", INT_MAX, -INT_MAX - 1)

_INTERFACE_V4: dict[bytes, Specification] = {
    b"accept_local": fixed(b"0\n"),
    b"arp_announce": fixed(b"0\n"),
    b"forwarding": File(lambda task: number(task.namespaces.network.forwarding), refuse),
    b"rp_filter": fixed(b"0\n"),
}
_INTERFACE_V6: dict[bytes, Specification] = {
    b"accept_ra": fixed(b"1\n"),
    b"disable_ipv6": fixed(b"0\n"),
    b"forwarding": fixed(b"0\n"),
}
_INTERFACES = (b"all", b"default", b"lo")


def _tag(name: str) -> File:
    return setting(lambda task: task.namespaces.network, name, INT_MAX, -INT_MAX - 1)


_DEFAULT_TAG = _tag("default_tag")
_LOOPBACK_TAG = _tag("loopback_tag")

_NET: dict[bytes, Specification] = {
    b"core": {
        b"default_qdisc": fixed(b"pfifo_fast\n"),
        b"netdev_max_backlog": fixed(b"1000\n"),
        b"optmem_max": fixed(b"131072\n"),
        b"rmem_default": fixed(b"212992\n"),
        b"rmem_max": fixed(b"212992\n"),
        b"somaxconn": fixed(b"4096\n"),
        b"wmem_default": fixed(b"212992\n"),
        b"wmem_max": fixed(b"212992\n"),
    },
    b"ipv4": {
        b"conf": {
            b"all": {**_INTERFACE_V4, b"forwarding": _FORWARDING},
            b"default": {**_INTERFACE_V4, b"tag": _DEFAULT_TAG},
            b"lo": {**_INTERFACE_V4, b"tag": _LOOPBACK_TAG},
        },
        b"ip_default_ttl": fixed(b"64\n"),
        b"ip_forward": _FORWARDING,
        b"ip_local_port_range": fixed(b"32768\t60999\n"),
        b"ip_local_reserved_ports": fixed(b"\n"),
        b"ip_nonlocal_bind": fixed(b"0\n"),
        b"ip_unprivileged_port_start": setting(
            lambda task: task.namespaces.network, "first_unprivileged_port", 0xFFFF
        ),
        b"ping_group_range": PING_GROUP_RANGE,
        b"tcp_available_congestion_control": b"reno cubic\n",
        b"tcp_congestion_control": fixed(b"cubic\n"),
        b"tcp_fastopen": fixed(b"1\n"),
        b"tcp_fin_timeout": fixed(b"60\n"),
        b"tcp_keepalive_intvl": fixed(b"75\n"),
        b"tcp_keepalive_probes": fixed(b"9\n"),
        b"tcp_keepalive_time": fixed(b"7200\n"),
        b"tcp_max_syn_backlog": fixed(b"1024\n"),
        b"tcp_rmem": fixed(b"4096\t131072\t6291456\n"),
        b"tcp_sack": fixed(b"1\n"),
        b"tcp_syn_retries": fixed(b"6\n"),
        b"tcp_syncookies": fixed(b"1\n"),
        b"tcp_timestamps": fixed(b"1\n"),
        b"tcp_tw_reuse": fixed(b"2\n"),
        b"tcp_window_scaling": fixed(b"1\n"),
        b"tcp_wmem": fixed(b"4096\t16384\t4194304\n"),
    },
    b"ipv6": {
        b"bindv6only": fixed(b"0\n"),
        b"conf": dict.fromkeys(_INTERFACES, _INTERFACE_V6),
    },
    b"unix": {b"max_dgram_qlen": fixed(b"512\n")},
}
