"""Mounting mqueue: the file system of POSIX message queues, one in each IPC namespace."""

from runsc_py.sentry.fs.mqueue import mqueue_of
from runsc_py.sentry.vfs.filesystem_context import FileSystemContext, FileSystemType

TYPE_CHECKING = False
if TYPE_CHECKING:
    from runsc_py.sentry.auth.user_namespace import UserNamespace
    from runsc_py.sentry.kernel.task import Task
    from runsc_py.sentry.vfs.inode import FileSystem


class MqueueType(FileSystemType):
    """mqueue, which has no options."""

    name = "mqueue"
    in_user_namespaces = True

    def owner(self, task: "Task") -> "UserNamespace":
        return task.namespaces.ipc.user_namespace

    def make(self, task: "Task", context: FileSystemContext) -> "FileSystem":
        return mqueue_of(task.kernel, context.ipc_namespace)
