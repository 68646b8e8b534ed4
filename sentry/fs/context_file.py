"""What fsopen(2) and fspick(2) give: a file system's options behind a descriptor."""

from runsc_py.sentry.errors import EMSGSIZE, ENODATA
from runsc_py.sentry.fs.anonymous import anonymous_inode_path
from runsc_py.sentry.vfs.filesystem_context import FileSystemContext
from runsc_py.sentry.vfs.open_file import O_RDWR, OpenFile

TYPE_CHECKING = False
if TYPE_CHECKING:
    from runsc_py.sentry.kernel.task import Task


class ContextFile(OpenFile):
    """A file system context; read(2) gives its messages, one at a time."""

    __slots__ = ("context",)

    def __init__(self, task: "Task", context: FileSystemContext) -> None:
        super().__init__(anonymous_inode_path(task, b"[fscontext]"), O_RDWR)
        self.context = context

    def read(self, size: int) -> bytes:
        messages = self.context.messages
        if not messages:
            raise ENODATA
        if len(messages[0]) > size:
            raise EMSGSIZE
        return messages.pop(0)
