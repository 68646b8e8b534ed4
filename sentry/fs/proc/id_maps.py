"""/proc/PID/uid_map, gid_map and setgroups: user_namespaces(7).

A map is set once, by a task with capabilities over the namespace.
"""

from runsc_py.sentry.auth.capabilities import CAP_SETGID, CAP_SETUID, CAP_SYS_ADMIN
from runsc_py.sentry.auth.user_namespace import MAXIMUM_EXTENTS, IdMap, check_extents
from runsc_py.sentry.errors import EINVAL, EPERM

TYPE_CHECKING = False
if TYPE_CHECKING:
    from runsc_py.sentry.auth.user_namespace import UserNamespace
    from runsc_py.sentry.fs.proc.process import Subject
    from runsc_py.sentry.kernel.pid_namespace import PidNamespace
    from runsc_py.sentry.kernel.task import Task


def uid_map(subject: "Subject", reader: "Task", namespace: "PidNamespace") -> bytes:
    """One extent a line."""
    return _text(subject.task.credentials.user_namespace.uid_map)


def gid_map(subject: "Subject", reader: "Task", namespace: "PidNamespace") -> bytes:
    """One extent a line."""
    return _text(subject.task.credentials.user_namespace.gid_map)


def setgroups(subject: "Subject", reader: "Task", namespace: "PidNamespace") -> bytes:
    """Whether setgroups(2) is allowed."""
    allowed = subject.task.credentials.user_namespace.setgroups_allowed
    return b"allow\n" if allowed else b"deny\n"


def projid_map(subject: "Subject", reader: "Task", namespace: "PidNamespace") -> bytes:
    """One extent a line."""
    return _text(subject.task.credentials.user_namespace.projid_map)


def set_uid_map(subject: "Subject", writer: "Task", data: bytes) -> None:
    """Set the map, once.  Errors: EPERM, EINVAL."""
    target = subject.task.credentials.user_namespace
    parent = _check_writer(target, writer, target.uid_map)
    _check_admin(target, writer)
    extents = _parse(data)
    if not _is_oneself(target, writer, extents, parent.uid_map, writer.credentials.euid):
        _check_right(writer, parent, CAP_SETUID)
    target.uid_map = IdMap(extents, parent.uid_map)


def set_gid_map(subject: "Subject", writer: "Task", data: bytes) -> None:
    """Set the map, once.  Errors: EPERM, EINVAL."""
    target = subject.task.credentials.user_namespace
    parent = _check_writer(target, writer, target.gid_map)
    _check_admin(target, writer)
    extents = _parse(data)
    is_oneself = _is_oneself(target, writer, extents, parent.gid_map, writer.credentials.egid)
    if target.setgroups_allowed or not is_oneself:
        _check_right(writer, parent, CAP_SETGID)
    target.gid_map = IdMap(extents, parent.gid_map)


def set_projid_map(subject: "Subject", writer: "Task", data: bytes) -> None:
    """Set the map, once; that needs no capability.  Errors: EPERM, EINVAL."""
    target = subject.task.credentials.user_namespace
    parent = _check_writer(target, writer, target.projid_map)
    target.projid_map = IdMap(_parse(data), parent.projid_map)


def set_setgroups(subject: "Subject", writer: "Task", data: bytes) -> None:
    """Allow or deny setgroups(2), which cannot be allowed again.  Errors: EPERM, EINVAL."""
    target = subject.task.credentials.user_namespace
    word = data.strip()
    if word not in (b"allow", b"deny"):
        raise EINVAL
    if not writer.credentials.has_capability(CAP_SYS_ADMIN, target):
        raise EPERM
    if word == b"allow":
        if not target.setgroups_allowed:
            raise EPERM
    elif target.gid_map.extents:
        raise EPERM
    else:
        target.setgroups_allowed = False


def _check_writer(target: "UserNamespace", writer: "Task", current: IdMap) -> "UserNamespace":
    """Who may try at all; the parent namespace.  Errors: EPERM."""
    parent = target.parent
    if parent is None or writer.credentials.user_namespace not in (target, parent):
        raise EPERM
    if current.extents:
        raise EPERM
    return parent


def _check_admin(target: "UserNamespace", writer: "Task") -> None:
    """Errors: EPERM."""
    if not writer.credentials.has_capability(CAP_SYS_ADMIN, target):
        raise EPERM


def _parse(data: bytes) -> list[tuple[int, int, int]]:
    """The extents of one write.  Errors: EINVAL."""
    extents = []
    for line in data.splitlines():
        fields = line.split()
        if len(fields) != 3 or not all(field.isdigit() for field in fields):
            raise EINVAL
        extents.append((int(fields[0]), int(fields[1]), int(fields[2])))
    if not extents or len(extents) > MAXIMUM_EXTENTS:
        raise EINVAL
    check_extents(extents)
    return extents


def _is_oneself(
    target: "UserNamespace",
    writer: "Task",
    extents: list[tuple[int, int, int]],
    outer: IdMap,
    own: int,
) -> bool:
    """Whether the owner of the namespace maps nothing but an id of his own."""
    return (
        len(extents) == 1
        and extents[0][2] == 1
        and writer.credentials.euid == target.owner_uid
        and outer.to_global(extents[0][1]) == own
    )


def _check_right(writer: "Task", parent: "UserNamespace", capability: int) -> None:
    """Anything else needs the capability in the parent.  Errors: EPERM."""
    if not writer.credentials.has_capability(capability, parent):
        raise EPERM


def _text(id_map: "IdMap") -> bytes:
    return b"".join(b"%10d %10d %10d\n" % extent for extent in id_map.extents)
