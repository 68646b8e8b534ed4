"""Where path walks of a task begin, and its umask (Linux's fs_struct).

Tasks made with CLONE_FS share one, the others get a copy.
"""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from runsc_py.sentry.vfs.path import Path


class FileContext:
    """Root directory, working directory and umask."""

    __slots__ = ("root", "umask", "users", "working_directory")

    def __init__(self, root: "Path", working_directory: "Path", umask: int = 0o022) -> None:
        self.root = root
        self.working_directory = working_directory
        self.umask = umask
        #: how many tasks have this one
        self.users = 1

    def share(self) -> "FileContext":
        """One more task has this (CLONE_FS)."""
        self.users += 1
        return self

    def fork(self) -> "FileContext":
        """A copy for one task."""
        return FileContext(self.root, self.working_directory, self.umask)

    def release(self) -> None:
        """A task is done with it."""
        self.users -= 1
