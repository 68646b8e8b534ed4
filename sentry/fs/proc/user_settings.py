"""/proc/sys/user: how many namespaces each user may make (namespaces(7)), and what of inotify(7).

Every user namespace has its own numbers, and its superuser may change them.
"""

from runsc_py.sentry.fs.proc.setting_files import INT_MAX, number, parse_number, root_of, setting
from runsc_py.sentry.fs.synthetic import File, Specification

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from runsc_py.sentry.auth.user_namespace import UserNamespace
    from runsc_py.sentry.kernel.task import Task


def _user_namespace(task: "Task") -> "UserNamespace":
    return task.credentials.user_namespace


def _initial_namespace(task: "Task") -> "UserNamespace":
    return task.kernel.root_user_namespace


def _maximum(kind: str, namespace: "Callable[[Task], UserNamespace]" = _user_namespace) -> File:
    def show(task: "Task") -> bytes:
        return number(namespace(task).maximum(kind))

    def change(task: "Task", data: bytes) -> None:
        namespace(task).maximums[kind] = parse_number(data, 0, INT_MAX)

    return File(show, change, owner=root_of(namespace))


_KINDS = ("cgroup", "ipc", "mnt", "net", "pid", "time", "user", "uts")

USER: dict[bytes, Specification] = {
    **{b"max_%s_namespaces" % kind.encode(): _maximum(kind) for kind in _KINDS},
    b"max_inotify_instances": _maximum("inotify_instances"),
    b"max_inotify_watches": _maximum("inotify_watches"),
}

#: /proc/sys/fs/inotify: proc_sys_fs(5).  The maximums of users are those of the initial namespace
INOTIFY: dict[bytes, Specification] = {
    b"max_queued_events": setting(
        lambda task: task.kernel.file_settings, "max_queued_events", INT_MAX
    ),
    b"max_user_instances": _maximum("inotify_instances", _initial_namespace),
    b"max_user_watches": _maximum("inotify_watches", _initial_namespace),
}
