"""Mounting proc: hidepid=, gid= and subset= of proc(5)."""

from runsc_py.sentry.fs.proc.filesystem import HidePid, ProcFileSystem
from runsc_py.sentry.vfs.filesystem_context import FileSystemContext, FileSystemType
from runsc_py.sentry.vfs.parameters import Given, Refusal, bad_value, number, string, unsigned

TYPE_CHECKING = False
if TYPE_CHECKING:
    from runsc_py.sentry.auth.user_namespace import UserNamespace
    from runsc_py.sentry.kernel.task import Task
    from runsc_py.sentry.vfs.inode import FileSystem
    from runsc_py.sentry.vfs.parameters import Parameter


def _gid(name: bytes, given: Given, namespace: "UserNamespace") -> object:
    value = number(name, given, namespace)
    assert isinstance(value, int)
    group = namespace.gid_map.to_global(value)
    if group is None:
        raise bad_value(name)
    return group


def _hide_pid(name: bytes, given: Given, namespace: "UserNamespace") -> object:
    text = string(name, given, namespace)
    assert isinstance(text, bytes)
    chosen = unsigned(text, 0)
    for mode in HidePid:
        if chosen == mode.value or text == mode.name.lower().encode():
            return mode
    raise Refusal(b"unknown value of hidepid - %s\n" % text)


def _subset(name: bytes, given: Given, namespace: "UserNamespace") -> object:
    text = string(name, given, namespace)
    assert isinstance(text, bytes)
    for word in filter(None, text.split(b",")):
        if word != b"pid":
            raise Refusal(b"unsupported subset option - %s\n" % word)
    return b"pid" in text


class ProcType(FileSystemType):
    """proc."""

    name = "proc"
    in_user_namespaces = True
    parameters: "dict[bytes, Parameter]" = {b"gid": _gid, b"hidepid": _hide_pid, b"subset": _subset}

    def owner(self, task: "Task") -> "UserNamespace":
        return task.pid_namespace.user_namespace

    def make(self, task: "Task", context: FileSystemContext) -> "FileSystem":
        filesystem = ProcFileSystem(task.kernel, context.pid_namespace)
        self.reconfigure(task, context, filesystem)
        return filesystem

    def reconfigure(
        self, task: "Task", context: FileSystemContext, filesystem: "FileSystem"
    ) -> None:
        assert isinstance(filesystem, ProcFileSystem)
        for name, value in context.values.items():
            if name == b"hidepid":
                assert isinstance(value, HidePid)
                filesystem.hide_pid = value
            elif name == b"gid":
                assert isinstance(value, int)
                filesystem.gid = value
            else:
                filesystem.only_processes = bool(value)
