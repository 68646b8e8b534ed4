"""/proc/sys/user: how many namespaces each user may make (namespaces(7)).

Every user namespace has its own numbers, and its superuser may change them.
"""

from runsc_py.sentry.fs.proc.setting_files import INT_MAX, fixed, number, parse_number, root_of
from runsc_py.sentry.fs.synthetic import File, Specification

TYPE_CHECKING = False
if TYPE_CHECKING:
    from runsc_py.sentry.auth.user_namespace import UserNamespace
    from runsc_py.sentry.kernel.task import Task


def _user_namespace(task: "Task") -> "UserNamespace":
    return task.credentials.user_namespace


def _maximum(kind: str) -> File:
    def show(task: "Task") -> bytes:
        return number(_user_namespace(task).maximum(kind))

    def change(task: "Task", data: bytes) -> None:
        _user_namespace(task).maximums[kind] = parse_number(data, 0, INT_MAX)

    return File(show, change, owner=root_of(_user_namespace))


_KINDS = ("cgroup", "ipc", "mnt", "net", "pid", "time", "user", "uts")

USER: dict[bytes, Specification] = {
    **{b"max_%s_namespaces" % kind.encode(): _maximum(kind) for kind in _KINDS},
    b"max_inotify_instances": fixed(b"128\n"),
    b"max_inotify_watches": fixed(b"65536\n"),
}
