"""/proc/PID/uid_map, gid_map and setgroups: user_namespaces(7).

A map is set once, by a task with capabilities over the namespace.
"""

from runsc_py.sentry.auth.capabilities import CAP_SETGID, CAP_SETUID, CAP_SYS_ADMIN
from runsc_py.sentry.auth.user_namespace import MAXIMUM_EXTENTS, IdMap
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


def set_uid_map(subject: "Subject", writer: "Task", data: bytes) -> None:
    """Set the map, once.  Errors: EPERM, EINVAL."""
    target = subject.task.credentials.user_namespace
    id_map = _parse(target, writer, data, target.uid_map, is_gid=False)
    target.uid_map = id_map


def set_gid_map(subject: "Subject", writer: "Task", data: bytes) -> None:
    """Set the map, once.  Errors: EPERM, EINVAL."""
    target = subject.task.credentials.user_namespace
    id_map = _parse(target, writer, data, target.gid_map, is_gid=True)
    target.gid_map = id_map


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


def _parse(
    target: "UserNamespace", writer: "Task", data: bytes, current: IdMap, *, is_gid: bool
) -> IdMap:
    """A checked map from the text of one write: user_namespaces(7), "Defining user mappings"."""
    parent = target.parent
    if current.extents or parent is None:
        raise EPERM
    extents = []
    for line in data.splitlines():
        fields = line.split()
        if len(fields) != 3 or not all(field.isdigit() for field in fields):
            raise EINVAL
        extents.append((int(fields[0]), int(fields[1]), int(fields[2])))
    if not extents or len(extents) > MAXIMUM_EXTENTS:
        raise EINVAL
    credentials = writer.credentials
    if credentials.user_namespace not in (target, parent):
        raise EPERM
    if not credentials.has_capability(CAP_SYS_ADMIN, target):
        raise EPERM
    _check_right(target, parent, writer, extents, is_gid)
    return IdMap(extents, parent.gid_map if is_gid else parent.uid_map)


def _check_right(
    target: "UserNamespace",
    parent: "UserNamespace",
    writer: "Task",
    extents: list[tuple[int, int, int]],
    is_gid: bool,
) -> None:
    """Who may map what: oneself, or anything with CAP_SETUID/CAP_SETGID in the parent."""
    credentials = writer.credentials
    if credentials.has_capability(CAP_SETGID if is_gid else CAP_SETUID, parent):
        return
    outer = parent.gid_map if is_gid else parent.uid_map
    own = credentials.egid if is_gid else credentials.euid
    only_oneself = (
        len(extents) == 1 and extents[0][2] == 1 and outer.to_global(extents[0][1]) == own
    )
    if not only_oneself or credentials.euid != target.owner_uid:
        raise EPERM
    if is_gid and target.setgroups_allowed:
        raise EPERM


def _text(id_map: "IdMap") -> bytes:
    return b"".join(b"%10d %10d %10d\n" % extent for extent in id_map.extents)
