"""/proc/PID/mounts, mountinfo and mountstats: proc_pid_mountinfo(5), fstab(5)."""

from collections.abc import Iterator

from runsc_py.sentry.vfs.mount import (
    MS_NOATIME,
    MS_NODEV,
    MS_NODIRATIME,
    MS_NOEXEC,
    MS_NOSUID,
    MS_NOSYMFOLLOW,
    MS_RDONLY,
    MS_RELATIME,
    Mount,
)
from runsc_py.sentry.vfs.naming import is_reachable, path_name
from runsc_py.sentry.vfs.path import Dentry

TYPE_CHECKING = False
if TYPE_CHECKING:
    from runsc_py.sentry.fs.proc.process import Subject
    from runsc_py.sentry.kernel.pid_namespace import PidNamespace
    from runsc_py.sentry.kernel.task import Task

_OPTIONS = (
    (MS_NOSUID, "nosuid"),
    (MS_NODEV, "nodev"),
    (MS_NOEXEC, "noexec"),
    (MS_NOSYMFOLLOW, "nosymfollow"),
    (MS_NOATIME, "noatime"),
    (MS_NODIRATIME, "nodiratime"),
    (MS_RELATIME, "relatime"),
)


def _mounts_of(subject: "Subject") -> "Iterator[tuple[Mount, bytes]]":
    """Mounts with their mount points, those that the process's root can reach."""
    if subject.is_gone:
        return
    task = subject.task
    root = task.file_context.root
    for mount in task.namespaces.mount.mounts:
        if is_reachable(mount.root_path, root):
            yield mount, path_name(mount.root_path, root)


def _mount_options(mount: Mount) -> str:
    options = ["ro" if mount.flags & MS_RDONLY else "rw"]
    options += [name for flag, name in _OPTIONS if mount.flags & flag]
    return ",".join(options)


def _escape(text: bytes) -> bytes:
    """White space and backslashes as octal numbers."""
    for character in b"\\ \t\n#":
        text = text.replace(bytes((character,)), b"\\%03o" % character)
    return text


def _root_name(dentry: Dentry) -> bytes:
    """The path of a mount's root inside of its file system."""
    names = []
    while dentry.parent is not None:
        names.append(dentry.name)
        dentry = dentry.parent
    return b"/" + b"/".join(reversed(names))


def mounts(subject: "Subject", reader: "Task", namespace: "PidNamespace") -> bytes:
    """The form of fstab(5)."""
    lines = []
    for mount, point in _mounts_of(subject):
        filesystem = mount.filesystem
        options = _mount_options(mount)
        rest = filesystem.options().removeprefix("rw").removeprefix("ro")
        lines.append(
            b"%s %s %s %s%s 0 0\n"
            % (
                _escape(filesystem.source.encode()),
                _escape(point),
                filesystem.type_name.encode(),
                options.encode(),
                rest.encode(),
            )
        )
    return b"".join(lines)


def mount_information(subject: "Subject", reader: "Task", namespace: "PidNamespace") -> bytes:
    """One mount a line, with its place in the tree of mounts."""
    lines = []
    for mount, point in _mounts_of(subject):
        filesystem = mount.filesystem
        device = filesystem.device
        parent = mount.identifier if mount.parent is None else mount.parent.identifier
        lines.append(
            b"%d %d %d:%d %s %s %s - %s %s %s\n"
            % (
                mount.identifier,
                parent,
                device >> 8 & 0xFFF,
                device & 0xFF | device >> 12 & ~0xFF,
                _escape(_root_name(mount.root)),
                _escape(point),
                _mount_options(mount).encode(),
                filesystem.type_name.encode(),
                _escape(filesystem.source.encode()),
                filesystem.options().encode(),
            )
        )
    return b"".join(lines)


def mount_statistics(subject: "Subject", reader: "Task", namespace: "PidNamespace") -> bytes:
    """One mount a line, in words."""
    return b"".join(
        b"device %s mounted on %s with fstype %s\n"
        % (
            _escape(mount.filesystem.source.encode()),
            _escape(point),
            mount.filesystem.type_name.encode(),
        )
        for mount, point in _mounts_of(subject)
    )
