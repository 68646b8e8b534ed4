"""/proc/sys: proc_sys(5).

Values that programs ask for.  Those that something here depends on are computed from it; a few
can be written; the rest says what Linux says by default.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING

from runsc_py.sentry.abi.mqueue import (
    HARD_MSG_MAX,
    HARD_MSGSIZE_MAX,
    MINIMUM_MSGSIZE_MAX,
)
from runsc_py.sentry.abi.system import KERNEL_RELEASE, KERNEL_VERSION, SYSTEM_NAME
from runsc_py.sentry.auth.capabilities import CAP_LAST_CAP, CAP_SYS_ADMIN
from runsc_py.sentry.auth.user_namespace import OVERFLOW_ID
from runsc_py.sentry.errors import EINVAL, EPERM
from runsc_py.sentry.fs.synthetic import File, Specification
from runsc_py.sentry.kernel.limits import MAXIMUM_OPEN_FILES
from runsc_py.sentry.kernel.pid_namespace import PID_MAX

if TYPE_CHECKING:
    from runsc_py.sentry.kernel.task import Task

#: Linux's IPCMNI: objects of one kind in a namespace
MAXIMUM_IPC_OBJECTS = 32768
#: struct new_utsname without its NUL
NAME_SIZE = 64


def _number(value: int) -> bytes:
    return b"%d\n" % value


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
    return _number(task.kernel.platform.lowest_address)


def _threads_maximum(task: "Task") -> bytes:
    limit = task.kernel.limits.pids
    return _number(min(PID_MAX, 65536) if limit is None else limit)


def _file_numbers(task: "Task") -> bytes:
    """Allocated, free (always 0), maximum."""
    groups = task.kernel.root_pid_namespace.thread_groups()
    tables = {group.leader.files for group in groups if group.tasks}
    maximum = task.kernel.limits.files or MAXIMUM_OPEN_FILES
    return b"%d\t0\t%d\n" % (sum(len(table) for table in tables), maximum)


def _files_maximum(task: "Task") -> bytes:
    return _number(task.kernel.limits.files or MAXIMUM_OPEN_FILES)


def _last_pid(task: "Task") -> bytes:
    return _number(task.pid_namespace.last)


def _refuse(task: "Task", data: bytes) -> None:
    """A setting of the machine, which no guest owns (in a container it is the same)."""
    raise EPERM


def _fixed(value: bytes) -> File:
    return File(lambda task: value, _refuse)


def _setting(owner: Callable[["Task"], object], name: str, maximum: int, minimum: int = 0) -> File:
    """A number that root may change: an attribute of what `owner` finds."""

    def show(task: "Task") -> bytes:
        return _number(getattr(owner(task), name))

    def change(task: "Task", data: bytes) -> None:
        try:
            value = int(data)
        except ValueError:
            raise EINVAL from None
        if not minimum <= value <= maximum:
            raise EINVAL
        setattr(owner(task), name, value)

    return File(show, change)


def _file_setting(name: str, maximum: int) -> File:
    """A number of the kernel's FileSettings."""
    return _setting(lambda task: task.kernel.file_settings, name, maximum)


def _queues(task: "Task") -> object:
    from runsc_py.sentry.ipc.messages import message_queues

    return message_queues(task.namespaces.ipc)


def _segments(task: "Task") -> object:
    from runsc_py.sentry.ipc.shared_memory import segments

    return segments(task.namespaces.ipc)


def _semaphore_sets(task: "Task") -> object:
    from runsc_py.sentry.ipc.semaphores import semaphore_sets

    return semaphore_sets(task.namespaces.ipc)


def _mqueue_setting(name: str, maximum: int, minimum: int) -> File:
    """A number of the QueueSettings of the IPC namespace."""

    def settings(task: "Task") -> object:
        from runsc_py.sentry.fs.mqueue import mqueue_of

        return mqueue_of(task.kernel, task.namespaces.ipc).settings

    return _setting(settings, name, maximum, minimum)


def _next_identifier(owner: Callable[["Task"], object]) -> File:
    """What the next System V object is called; -1 once that was used."""
    return _setting(owner, "next_identifier", 0x7FFFFFFF, -1)


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
        b"kernel": {**_KERNEL, b"random": {**_RANDOM, b"boot_id": File(_BootIdentifier())}},
        b"net": _NET,
        b"user": _USER,
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
    b"cap_last_cap": _number(CAP_LAST_CAP),
    b"core_pattern": _fixed(b"core\n"),
    b"core_uses_pid": _fixed(b"0\n"),
    b"dmesg_restrict": _fixed(b"1\n"),
    b"domainname": File(_domain_name, _set_domain_name),
    b"hostname": File(_host_name, _set_host_name),
    b"keys": {b"maxbytes": b"20000\n", b"maxkeys": b"200\n"},
    b"kptr_restrict": _fixed(b"2\n"),
    b"msgmax": _fixed(b"8192\n"),
    b"msgmnb": _fixed(b"16384\n"),
    b"msg_next_id": _next_identifier(_queues),
    b"msgmni": _setting(_queues, "limit", MAXIMUM_IPC_OBJECTS),
    b"ngroups_max": b"65536\n",
    b"ns_last_pid": File(_last_pid, _refuse),
    b"osrelease": KERNEL_RELEASE + b"\n",
    b"ostype": SYSTEM_NAME + b"\n",
    b"overflowgid": _fixed(_number(OVERFLOW_ID)),
    b"overflowuid": _fixed(_number(OVERFLOW_ID)),
    b"panic": _fixed(b"0\n"),
    b"perf_event_paranoid": _fixed(b"4\n"),
    b"pid_max": _fixed(_number(PID_MAX)),
    b"printk": _fixed(b"4\t4\t1\t7\n"),
    b"pty": {b"max": _fixed(b"4096\n"), b"reserve": _fixed(b"1024\n")},
    b"randomize_va_space": _fixed(b"2\n"),
    b"sched_child_runs_first": _fixed(b"0\n"),
    b"sched_rr_timeslice_ms": _fixed(b"100\n"),
    b"seccomp": {b"actions_avail": _SECCOMP_ACTIONS, b"actions_logged": _fixed(b"\n")},
    b"sem": _fixed(b"32000\t1024000000\t500\t32000\n"),
    b"sem_next_id": _next_identifier(_semaphore_sets),
    b"shm_next_id": _next_identifier(_segments),
    b"shm_rmid_forced": _fixed(b"0\n"),
    b"shmall": _fixed(b"18446744073692774399\n"),
    b"shmmax": _fixed(b"18446744073692774399\n"),
    b"shmmni": _setting(_segments, "limit", MAXIMUM_IPC_OBJECTS),
    b"sysrq": _fixed(b"0\n"),
    b"tainted": _fixed(b"0\n"),
    b"threads-max": File(_threads_maximum, _refuse),
    b"unprivileged_bpf_disabled": _fixed(b"2\n"),
    b"version": KERNEL_VERSION + b"\n",
    b"yama": {b"ptrace_scope": _fixed(b"1\n")},
}

_FS: dict[bytes, Specification] = {
    b"aio-max-nr": _fixed(b"65536\n"),
    b"aio-nr": b"0\n",
    b"dentry-state": b"0\t0\t45\t0\t0\t0\n",
    b"epoll": {b"max_user_watches": _fixed(b"1048576\n")},
    b"file-max": File(_files_maximum, _refuse),
    b"file-nr": File(_file_numbers),
    b"inode-nr": b"0\t0\n",
    b"inotify": {
        b"max_queued_events": _fixed(b"16384\n"),
        b"max_user_instances": _fixed(b"128\n"),
        b"max_user_watches": _fixed(b"65536\n"),
    },
    b"lease-break-time": _file_setting("lease_break_time", 0x7FFFFFFF),
    b"leases-enable": _fixed(b"1\n"),
    b"mount-max": _fixed(b"100000\n"),
    b"mqueue": {
        b"msg_default": _mqueue_setting("msg_default", HARD_MSG_MAX, 1),
        b"msg_max": _mqueue_setting("msg_max", HARD_MSG_MAX, 1),
        b"msgsize_default": _mqueue_setting(
            "msgsize_default", HARD_MSGSIZE_MAX, MINIMUM_MSGSIZE_MAX
        ),
        b"msgsize_max": _mqueue_setting("msgsize_max", HARD_MSGSIZE_MAX, MINIMUM_MSGSIZE_MAX),
        b"queues_max": _mqueue_setting("queues_max", 0x7FFFFFFF, 0),
    },
    b"nr_open": _fixed(_number(MAXIMUM_OPEN_FILES)),
    b"overflowgid": _fixed(_number(OVERFLOW_ID)),
    b"overflowuid": _fixed(_number(OVERFLOW_ID)),
    b"pipe-max-size": _fixed(b"1048576\n"),
    b"pipe-user-pages-hard": _fixed(b"0\n"),
    b"pipe-user-pages-soft": _fixed(b"16384\n"),
    b"protected_fifos": _fixed(b"0\n"),
    b"protected_hardlinks": _file_setting("protected_hardlinks", 1),
    b"protected_regular": _fixed(b"0\n"),
    b"protected_symlinks": _file_setting("protected_symlinks", 1),
    b"suid_dumpable": _fixed(b"0\n"),
}

_VM: dict[bytes, Specification] = {
    b"dirty_background_ratio": _fixed(b"10\n"),
    b"dirty_ratio": _fixed(b"20\n"),
    b"drop_caches": File(lambda task: b"0\n", _drop_caches, 0o200),
    b"max_map_count": _fixed(b"65530\n"),
    b"min_free_kbytes": _fixed(b"67584\n"),
    b"mmap_min_addr": File(_lowest_address, _refuse),
    b"nr_hugepages": _fixed(b"0\n"),
    b"nr_overcommit_hugepages": _fixed(b"0\n"),
    b"oom_kill_allocating_task": _fixed(b"0\n"),
    b"overcommit_kbytes": _fixed(b"0\n"),
    b"overcommit_memory": _fixed(b"0\n"),
    b"overcommit_ratio": _fixed(b"50\n"),
    b"page-cluster": _fixed(b"3\n"),
    b"panic_on_oom": _fixed(b"0\n"),
    b"swappiness": _fixed(b"60\n"),
    b"vfs_cache_pressure": _fixed(b"100\n"),
}

_USER: dict[bytes, Specification] = {
    b"max_%s_namespaces" % name: _fixed(b"0\n" if name == b"user" else b"96365\n")
    for name in b"cgroup ipc mnt net pid time user uts".split()
}

_INTERFACE_V4: dict[bytes, Specification] = {
    b"accept_local": _fixed(b"0\n"),
    b"arp_announce": _fixed(b"0\n"),
    b"forwarding": _fixed(b"0\n"),
    b"rp_filter": _fixed(b"0\n"),
}
_INTERFACE_V6: dict[bytes, Specification] = {
    b"accept_ra": _fixed(b"1\n"),
    b"disable_ipv6": _fixed(b"0\n"),
    b"forwarding": _fixed(b"0\n"),
}
_INTERFACES = (b"all", b"default", b"lo")
_LOOPBACK_TAG = _setting(
    lambda task: task.namespaces.network, "loopback_tag", 0x7FFFFFFF, -0x80000000
)

_NET: dict[bytes, Specification] = {
    b"core": {
        b"default_qdisc": _fixed(b"pfifo_fast\n"),
        b"netdev_max_backlog": _fixed(b"1000\n"),
        b"optmem_max": _fixed(b"131072\n"),
        b"rmem_default": _fixed(b"212992\n"),
        b"rmem_max": _fixed(b"212992\n"),
        b"somaxconn": _fixed(b"4096\n"),
        b"wmem_default": _fixed(b"212992\n"),
        b"wmem_max": _fixed(b"212992\n"),
    },
    b"ipv4": {
        b"conf": {
            **dict.fromkeys(_INTERFACES, _INTERFACE_V4),
            b"lo": {**_INTERFACE_V4, b"tag": _LOOPBACK_TAG},
        },
        b"ip_default_ttl": _fixed(b"64\n"),
        b"ip_forward": _fixed(b"0\n"),
        b"ip_local_port_range": _fixed(b"32768\t60999\n"),
        b"ip_local_reserved_ports": _fixed(b"\n"),
        b"ip_nonlocal_bind": _fixed(b"0\n"),
        b"ip_unprivileged_port_start": _fixed(b"1024\n"),
        b"ping_group_range": _fixed(b"1\t0\n"),
        b"tcp_available_congestion_control": b"reno cubic\n",
        b"tcp_congestion_control": _fixed(b"cubic\n"),
        b"tcp_fastopen": _fixed(b"1\n"),
        b"tcp_fin_timeout": _fixed(b"60\n"),
        b"tcp_keepalive_intvl": _fixed(b"75\n"),
        b"tcp_keepalive_probes": _fixed(b"9\n"),
        b"tcp_keepalive_time": _fixed(b"7200\n"),
        b"tcp_max_syn_backlog": _fixed(b"1024\n"),
        b"tcp_rmem": _fixed(b"4096\t131072\t6291456\n"),
        b"tcp_sack": _fixed(b"1\n"),
        b"tcp_syn_retries": _fixed(b"6\n"),
        b"tcp_syncookies": _fixed(b"1\n"),
        b"tcp_timestamps": _fixed(b"1\n"),
        b"tcp_tw_reuse": _fixed(b"2\n"),
        b"tcp_window_scaling": _fixed(b"1\n"),
        b"tcp_wmem": _fixed(b"4096\t16384\t4194304\n"),
    },
    b"ipv6": {
        b"bindv6only": _fixed(b"0\n"),
        b"conf": dict.fromkeys(_INTERFACES, _INTERFACE_V6),
    },
    b"unix": {b"max_dgram_qlen": _fixed(b"512\n")},
}
