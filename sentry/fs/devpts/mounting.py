"""Mounting devpts: a new set of terminals each time, and who owns them."""

from runsc_py.sentry.fs.devpts.filesystem import DevptsFileSystem, DevptsOptions
from runsc_py.sentry.fs.devpts.registry import LARGEST_MAXIMUM, TerminalRegistry
from runsc_py.sentry.vfs.filesystem_context import FileSystemContext, FileSystemType
from runsc_py.sentry.vfs.parameters import Given, Refusal, flag, gid, number, octal, uid

TYPE_CHECKING = False
if TYPE_CHECKING:
    from runsc_py.sentry.auth.user_namespace import UserNamespace
    from runsc_py.sentry.kernel.task import Task
    from runsc_py.sentry.vfs.inode import FileSystem
    from runsc_py.sentry.vfs.parameters import Parameter


def _maximum(name: bytes, given: Given, namespace: "UserNamespace") -> object:
    negative = given.text.startswith(b"-") and given.text[1:].isdigit()
    value = -1 if negative else number(name, given, namespace)
    assert isinstance(value, int)
    if not 0 <= value <= LARGEST_MAXIMUM:
        raise Refusal(b"max out of range", is_prefixed=False)
    return value


class DevptsType(FileSystemType):
    """devpts."""

    name = "devpts"
    in_user_namespaces = True
    parameters: "dict[bytes, Parameter]" = {
        b"gid": gid,
        b"max": _maximum,
        b"mode": octal,
        b"newinstance": flag,
        b"ptmxmode": octal,
        b"uid": uid,
    }

    def registry(self, task: "Task") -> TerminalRegistry:
        """The terminals that a new one shows."""
        terminals = TerminalRegistry(task.kernel)
        terminals.namespace = task.namespaces.mount
        return terminals

    def make(self, task: "Task", context: FileSystemContext) -> "FileSystem":
        filesystem = DevptsFileSystem(self.registry(task), DevptsOptions())
        self.reconfigure(task, context, filesystem)
        return filesystem

    def reconfigure(
        self, task: "Task", context: FileSystemContext, filesystem: "FileSystem"
    ) -> None:
        """What is not said is as in the beginning."""
        assert isinstance(filesystem, DevptsFileSystem)
        options = DevptsOptions()
        for name, value in context.values.items():
            if name != b"newinstance":
                setattr(options, _ATTRIBUTES[name], value)
        options.mode &= 0o7777
        options.multiplexer_mode &= 0o7777
        filesystem.configure(options)


_ATTRIBUTES = {
    b"gid": "gid",
    b"max": "maximum",
    b"mode": "mode",
    b"ptmxmode": "multiplexer_mode",
    b"uid": "uid",
}
