"""/proc/PID/mounts, mountinfo and mountstats: proc_pid_mountinfo(5), fstab(5)."""

from collections.abc import Iterator

from runsc_py.sentry.abi.mount_flags import (
    MS_DIRSYNC,
    MS_LAZYTIME,
    MS_MANDLOCK,
    MS_NOATIME,
    MS_NODEV,
    MS_NODIRATIME,
    MS_NOEXEC,
    MS_NOSUID,
    MS_NOSYMFOLLOW,
    MS_RDONLY,
    MS_RELATIME,
    MS_SYNCHRONOUS,
)
from runsc_py.sentry.vfs.attributes import split_device
from runsc_py.sentry.vfs.mount import Mount
from runsc_py.sentry.vfs.naming import is_reachable, path_name, root_name
from runsc_py.sentry.vfs.path import Path
from runsc_py.sentry.vfs.propagation import dominating_group

TYPE_CHECKING = False
if TYPE_CHECKING:
    from runsc_py.sentry.fs.proc.process import Subject
    from runsc_py.sentry.kernel.pid_namespace import PidNamespace
    from runsc_py.sentry.kernel.task import Task
    from runsc_py.sentry.vfs.inode import FileSystem

_OPTIONS = (
    (MS_NOSUID, "nosuid"),
    (MS_NODEV, "nodev"),
    (MS_NOEXEC, "noexec"),
    (MS_NOATIME, "noatime"),
    (MS_NODIRATIME, "nodiratime"),
    (MS_RELATIME, "relatime"),
    (MS_NOSYMFOLLOW, "nosymfollow"),
)
_FILE_SYSTEM_OPTIONS = (
    (MS_SYNCHRONOUS, "sync"),
    (MS_DIRSYNC, "dirsync"),
    (MS_MANDLOCK, "mand"),
    (MS_LAZYTIME, "lazytime"),
)


def _mounts_of(subject: "Subject") -> "Iterator[tuple[Mount, bytes]]":
    """Mounts with their mount points, those that the process's root can reach."""
    if subject.is_gone:
        return
    task = subject.task
    root = task.file_context.root
    mounts = task.namespaces.mount.mounts
    for mount in sorted(mounts, key=lambda mount: mount.identifier):
        if is_reachable(mount.root_path, root):
            yield mount, path_name(mount.root_path, root)


def mount_options(mount: Mount) -> list[str]:
    """The options of the mount itself, without ro and rw."""
    return [name for flag, name in _OPTIONS if mount.flags & flag]


def _file_system_flags(filesystem: "FileSystem") -> list[str]:
    return [name for flag, name in _FILE_SYSTEM_OPTIONS if filesystem.flags & flag]


def _escape(text: bytes) -> bytes:
    """White space and backslashes as octal numbers."""
    for character in b"\\ \t\n#":
        text = text.replace(bytes((character,)), b"\\%03o" % character)
    return text


def mounts(subject: "Subject", reader: "Task", namespace: "PidNamespace") -> bytes:
    """The form of fstab(5)."""
    lines = []
    for mount, point in _mounts_of(subject):
        filesystem = mount.filesystem
        options = [
            "ro" if mount.read_only else "rw",
            *_file_system_flags(filesystem),
            *mount_options(mount),
            *filesystem.options(),
        ]
        lines.append(
            b"%s %s %s %s 0 0\n"
            % (
                _escape(mount.source.encode("utf-8", "surrogateescape")),
                _escape(point),
                filesystem.type_name.encode(),
                ",".join(options).encode(),
            )
        )
    return b"".join(lines)


def _propagation(mount: Mount, root: Path) -> str:
    """The optional fields, each with a space before it."""
    fields = ""
    if mount.group is not None:
        fields += f" shared:{mount.group.identifier}"
    if mount.master is not None:
        fields += f" master:{mount.master.identifier}"
        dominating = dominating_group(mount, root)
        if dominating is not None and dominating != mount.master.identifier:
            fields += f" propagate_from:{dominating}"
    if mount.unbindable:
        fields += " unbindable"
    return fields


def mount_information(subject: "Subject", reader: "Task", namespace: "PidNamespace") -> bytes:
    """One mount a line, with its place in the tree of mounts."""
    lines = []
    for mount, point in _mounts_of(subject):
        root = subject.task.file_context.root
        filesystem = mount.filesystem
        read_only = filesystem.read_only or filesystem.flags & MS_RDONLY
        options = [
            "ro" if read_only else "rw",
            *_file_system_flags(filesystem),
            *filesystem.options(),
        ]
        major, minor = split_device(filesystem.device)
        parent = mount.identifier if mount.parent is None else mount.parent.identifier
        lines.append(
            b"%d %d %d:%d %s %s %s%s - %s %s %s\n"
            % (
                mount.identifier,
                parent,
                major,
                minor,
                _escape(root_name(mount.root)),
                _escape(point),
                ",".join(
                    ["ro" if mount.flags & MS_RDONLY else "rw", *mount_options(mount)]
                ).encode(),
                _propagation(mount, root).encode(),
                filesystem.type_name.encode(),
                _escape(mount.source.encode("utf-8", "surrogateescape")),
                ",".join(options).encode(),
            )
        )
    return b"".join(lines)


def mount_statistics(subject: "Subject", reader: "Task", namespace: "PidNamespace") -> bytes:
    """One mount a line, in words."""
    return b"".join(
        b"device %s mounted on %s with fstype %s\n"
        % (
            _escape(mount.source.encode("utf-8", "surrogateescape")),
            _escape(point),
            mount.filesystem.type_name.encode(),
        )
        for mount, point in _mounts_of(subject)
    )
