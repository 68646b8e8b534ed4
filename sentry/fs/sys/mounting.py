"""Mounting sysfs and cgroup2."""

from runsc_py.sentry.fs.sys.filesystem import CgroupFileSystem, SysFileSystem
from runsc_py.sentry.vfs.filesystem_context import FileSystemContext, FileSystemType
from runsc_py.sentry.vfs.parameters import flag

TYPE_CHECKING = False
if TYPE_CHECKING:
    from runsc_py.sentry.auth.user_namespace import UserNamespace
    from runsc_py.sentry.kernel.task import Task
    from runsc_py.sentry.vfs.inode import FileSystem
    from runsc_py.sentry.vfs.parameters import Parameter

#: in the order in which they are shown: cgroups(7)
_CGROUP_FLAGS = (
    b"nsdelegate",
    b"favordynmods",
    b"memory_localevents",
    b"memory_recursiveprot",
    b"memory_hugetlb_accounting",
    b"pids_localevents",
)


class SysfsType(FileSystemType):
    """sysfs, which has no options."""

    name = "sysfs"
    in_user_namespaces = True

    def owner(self, task: "Task") -> "UserNamespace":
        return task.namespaces.network.user_namespace

    def make(self, task: "Task", context: FileSystemContext) -> "FileSystem":
        return SysFileSystem(task.kernel)


class CgroupType(FileSystemType):
    """cgroup2.  Its flags are about groups below the one there is: they are kept and shown."""

    name = "cgroup2"
    in_user_namespaces = True
    parameters: "dict[bytes, Parameter]" = dict.fromkeys(_CGROUP_FLAGS, flag)

    def owner(self, task: "Task") -> "UserNamespace":
        return task.namespaces.cgroup.user_namespace

    def make(self, task: "Task", context: FileSystemContext) -> "FileSystem":
        filesystem = CgroupFileSystem(task.kernel)
        filesystem.shown = _shown(context)
        return filesystem

    def reconfigure(
        self, task: "Task", context: FileSystemContext, filesystem: "FileSystem"
    ) -> None:
        assert isinstance(filesystem, CgroupFileSystem)
        filesystem.shown = _shown(context)


def _shown(context: FileSystemContext) -> list[str]:
    return [name.decode() for name in _CGROUP_FLAGS if name in context.values]
