"""The table of file descriptors of a process: a number to an open file description.

Tasks made with CLONE_FILES share one table (`share`), fork copies it (`fork`).  Every
descriptor holds one reference of its file; what closes the last one releases the file.
"""

from collections.abc import Iterator

from runsc_py.sentry.errors import EBADF, EINVAL, EMFILE, KernelError
from runsc_py.sentry.kernel.directory_notification import end_notification
from runsc_py.sentry.kernel.limits import RLIMIT_NOFILE
from runsc_py.sentry.vfs.locks import release_process_locks
from runsc_py.sentry.vfs.open_file import O_ACCMODE, O_PATH, O_RDWR, O_WRONLY, OpenFile

TYPE_CHECKING = False
if TYPE_CHECKING:
    from runsc_py.sentry.kernel.limits import Limits
    from runsc_py.sentry.kernel.task import Task


class FdTable:
    """Open files by descriptor."""

    __slots__ = ("_closing", "_files", "_lowest", "limits", "lock_holder", "users")

    def __init__(self, limits: "Limits") -> None:
        #: whose RLIMIT_NOFILE counts
        self.limits = limits
        #: how many tasks have this table
        self.users = 1
        #: the table whose record lock a task of this one waits for: finds deadlocks
        self.lock_holder: FdTable | None = None
        self._files: dict[int, OpenFile] = {}
        #: the descriptors with FD_CLOEXEC
        self._closing: set[int] = set()
        #: no descriptor below is free
        self._lowest = 0

    # -- looking up --------------------------------------------------------------

    def get(self, fd: int) -> OpenFile:
        """The file of a descriptor, O_PATH ones too.  Errors: EBADF."""
        file = self._files.get(fd)
        if file is None:
            raise EBADF
        return file

    def get_io(self, fd: int) -> OpenFile:
        """The file of a descriptor that is more than a place (not O_PATH).  Errors: EBADF."""
        file = self._files.get(fd)
        if file is None or file.flags & O_PATH:
            raise EBADF
        return file

    def get_readable(self, fd: int) -> OpenFile:
        """The file of a descriptor that may be read.  Errors: EBADF."""
        file = self._files.get(fd)
        if file is None or file.flags & (O_PATH | O_WRONLY):
            raise EBADF
        return file

    def get_writable(self, fd: int) -> OpenFile:
        """The file of a descriptor that may be written.  Errors: EBADF."""
        file = self._files.get(fd)
        if file is None or file.flags & (O_PATH | O_ACCMODE) not in (O_WRONLY, O_RDWR):
            raise EBADF
        return file

    def items(self) -> Iterator[tuple[int, OpenFile]]:
        """Descriptors and files in ascending order, as of now."""
        return iter(sorted(self._files.items()))

    def __len__(self) -> int:
        return len(self._files)

    def close_on_exec(self, fd: int) -> bool:
        """FD_CLOEXEC of a descriptor.  Errors: EBADF."""
        self.get(fd)
        return fd in self._closing

    def set_close_on_exec(self, fd: int, value: bool) -> None:
        """Set or clear FD_CLOEXEC.  Errors: EBADF."""
        self.get(fd)
        if value:
            self._closing.add(fd)
        else:
            self._closing.discard(fd)

    # -- adding --------------------------------------------------------------------

    def free_descriptor(self, minimum: int = 0) -> int:
        """The lowest free number from `minimum` on.  Errors: EMFILE."""
        files = self._files
        fd = lowest = self._lowest
        if minimum > fd:
            fd = minimum
        while fd in files:
            fd += 1
        if minimum <= lowest:
            self._lowest = fd
        if fd >= self.limits.get(RLIMIT_NOFILE)[0]:
            raise EMFILE
        return fd

    def add(self, file: OpenFile, close_on_exec: bool = False, minimum: int = 0) -> int:
        """Give the file the lowest free descriptor from `minimum` on, and a reference.

        A file that nothing else refers to is released when that fails.  Errors: EMFILE.
        """
        try:
            fd = self.free_descriptor(minimum)
        except EMFILE:
            file.acquire().drop()
            raise
        file.references += 1
        self._files[fd] = file
        if close_on_exec:
            self._closing.add(fd)
        return fd

    def install(self, fd: int, file: OpenFile, close_on_exec: bool = False) -> OpenFile | None:
        """Give the file this descriptor and a reference, and return what had it before.

        The caller closes that one: `close_file`.  Errors: EBADF (no such number is allowed).
        """
        if fd < 0 or fd >= self.limits.get(RLIMIT_NOFILE)[0]:
            raise EBADF
        before = self._files.get(fd)
        self.inherit(fd, file)
        self._closing.discard(fd)
        if close_on_exec:
            self._closing.add(fd)
        return before

    def inherit(self, fd: int, file: OpenFile) -> None:
        """Give the file this free descriptor and a reference, whatever the limit is by now."""
        file.references += 1
        self._files[fd] = file

    # -- removing ------------------------------------------------------------------

    def remove(self, task: "Task", fd: int) -> None:
        """close(2).  Errors: EBADF, those of OpenFile.flush (the descriptor is gone even so)."""
        file = self._files.pop(fd, None)
        if file is None:
            raise EBADF
        self._closing.discard(fd)
        if fd < self._lowest:
            self._lowest = fd
        self.close_file(task, file)

    def close_file(self, task: "Task", file: OpenFile) -> None:
        """What becomes of a file that lost a descriptor of this table."""
        if file.inode.file_locks is not None:
            release_process_locks(self, file.inode)
        if file.inode.watches is not None:
            end_notification(file, self)
        try:
            file.flush(task)
        finally:
            file.drop()

    def close_range(self, task: "Task", first: int, last: int, *, only_mark: bool = False) -> None:
        """close_range(2): close, or (`only_mark`) set FD_CLOEXEC on, all from first to last."""
        if first > last:
            raise EINVAL
        for fd in [fd for fd in self._files if first <= fd <= last]:
            if only_mark:
                self._closing.add(fd)
            else:
                self._remove_quietly(task, fd)

    def close_for_exec(self, task: "Task") -> None:
        """Close what has FD_CLOEXEC."""
        for fd in sorted(self._closing):
            self._remove_quietly(task, fd)

    def _remove_quietly(self, task: "Task", fd: int) -> None:
        """Close a descriptor where nobody can be told of an error."""
        try:
            self.remove(task, fd)
        except KernelError as error:
            task.kernel.log.debug(f"closing descriptor {fd}: {error!r}")
        except OSError as error:
            if error.errno == EBADF.number:
                # Somebody closed our descriptor before: by now it may be another file's.
                task.kernel.log.warning(f"closing descriptor {fd}: it was closed twice; a bug here")
            else:
                task.kernel.log.debug(f"closing descriptor {fd}: {error!r}")

    # -- sharing -------------------------------------------------------------------

    def share(self) -> "FdTable":
        """One more task has this table (CLONE_FILES)."""
        self.users += 1
        return self

    def fork(self, limits: "Limits | None" = None) -> "FdTable":
        """A copy with the same descriptors, for a new process with its own limits."""
        copy = FdTable(limits if limits is not None else self.limits)
        copy._files = self._files.copy()
        copy._closing = self._closing.copy()
        copy._lowest = self._lowest
        for file in copy._files.values():
            file.references += 1
        return copy

    def release(self, task: "Task") -> None:
        """A task leaves the table; the last one closes everything."""
        self.users -= 1
        if self.users:
            return
        for fd in sorted(self._files):
            self._remove_quietly(task, fd)
