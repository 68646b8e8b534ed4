"""Which names the directories of processes and threads have, in the order of listing."""

from collections.abc import Callable

from runsc_py.sentry.fs.proc import id_maps, mounts, process_files, process_status, time_offsets
from runsc_py.sentry.fs.proc.descriptors import DescriptorsDirectory, InformationDirectory
from runsc_py.sentry.fs.proc.process import Entry, ProcessFile, Subject, ThreadsDirectory
from runsc_py.sentry.fs.proc.process_links import (
    NamespacesDirectory,
    ProcessLink,
    executable,
    root_directory,
    working_directory,
)
from runsc_py.sentry.fs.synthetic import SyntheticFileSystem
from runsc_py.sentry.vfs.inode import Inode

Maker = Callable[[SyntheticFileSystem, Subject], Inode]

_FILES = {
    b"environ": Entry(process_files.environment, 0o400, is_private=True),
    b"auxv": Entry(process_files.auxiliary_vector, 0o400, is_private=True),
    b"status": Entry(process_status.status),
    b"personality": Entry(process_files.personality, 0o400, is_private=True),
    b"limits": Entry(process_files.limits),
    b"comm": Entry(process_files.comm, 0o644, consume=process_files.set_comm),
    b"cmdline": Entry(process_files.command_line),
    b"stat": Entry(process_status.stat),
    b"statm": Entry(process_status.statm),
    b"maps": Entry(process_files.maps, is_private=True),
    b"mounts": Entry(mounts.mounts, needs_life=True),
    b"mountinfo": Entry(mounts.mount_information, needs_life=True),
    b"smaps": Entry(process_files.smaps, is_private=True),
    b"smaps_rollup": Entry(process_files.smaps_rollup, is_private=True),
    b"wchan": Entry(process_files.wait_channel),
    b"schedstat": Entry(process_files.schedstat),
    b"cpuset": Entry(process_files.cpuset),
    b"syscall": Entry(process_files.system_call, 0o400, is_private=True),
    b"cgroup": Entry(process_files.cgroup),
    b"oom_score": Entry(process_files.oom_score),
    b"oom_adj": Entry(
        process_files.oom_adjustment, 0o644, consume=process_files.set_oom_adjustment
    ),
    b"oom_score_adj": Entry(
        process_files.oom_score_adjustment,
        0o644,
        consume=process_files.set_oom_score_adjustment,
    ),
    b"loginuid": Entry(process_files.login_uid, 0o644, consume=process_files.set_login_uid),
    b"sessionid": Entry(process_files.session_identifier),
    b"io": Entry(process_files.io, 0o400, is_private=True),
    b"timerslack_ns": Entry(process_files.timer_slack, 0o666, is_private=True),
    b"uid_map": Entry(id_maps.uid_map, 0o644, consume=id_maps.set_uid_map),
    b"gid_map": Entry(id_maps.gid_map, 0o644, consume=id_maps.set_gid_map),
    b"projid_map": Entry(id_maps.projid_map, 0o644, consume=id_maps.set_projid_map),
    b"setgroups": Entry(id_maps.setgroups, 0o644, consume=id_maps.set_setgroups),
}

_THREAD_ONLY = {b"children": Entry(process_files.children)}

_PROCESS_ONLY = {
    b"mountstats": Entry(mounts.mount_statistics, 0o400, is_private=True, needs_life=True),
    b"timens_offsets": Entry(time_offsets.offsets, 0o644, consume=time_offsets.set_offsets),
    b"coredump_filter": Entry(
        process_files.coredump_filter, 0o644, consume=process_files.set_coredump_filter
    ),
}


def _make_memory(filesystem: SyntheticFileSystem, subject: Subject) -> Inode:
    from runsc_py.sentry.fs.proc.process_memory import MemoryFile

    return MemoryFile(filesystem, subject)


def _make_network(filesystem: SyntheticFileSystem, subject: Subject) -> Inode:
    from runsc_py.sentry.fs.proc.network import NetworkDirectory

    return NetworkDirectory(filesystem, subject)


def _file(entry: Entry) -> Maker:
    return lambda filesystem, subject: ProcessFile(filesystem, subject, entry)


_COMMON: dict[bytes, Maker] = {
    b"fd": DescriptorsDirectory,
    b"fdinfo": InformationDirectory,
    b"ns": NamespacesDirectory,
    b"net": _make_network,
    b"mem": _make_memory,
    b"cwd": lambda filesystem, subject: ProcessLink(filesystem, subject, working_directory),
    b"root": lambda filesystem, subject: ProcessLink(filesystem, subject, root_directory),
    b"exe": lambda filesystem, subject: ProcessLink(filesystem, subject, executable),
    **{name: _file(entry) for name, entry in _FILES.items()},
}

#: /proc/PID
OF_PROCESSES: dict[bytes, Maker] = {
    b"task": ThreadsDirectory,
    **_COMMON,
    **{name: _file(entry) for name, entry in _PROCESS_ONLY.items()},
}
#: /proc/PID/task/TID
OF_THREADS: dict[bytes, Maker] = {
    **_COMMON,
    **{name: _file(entry) for name, entry in _THREAD_ONLY.items()},
}
