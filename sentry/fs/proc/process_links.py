"""The links of /proc/PID that lead to a place: exe, cwd, root and the namespaces.

They are magic: following one goes where the process is, whatever a path of that text would lead
to.  proc_pid_exe(5), proc_pid_cwd(5), proc_pid_root(5), proc_pid_ns(5).
"""

from collections.abc import Callable, Iterable

from runsc_py.sentry.errors import EACCES, ENOENT, ESRCH
from runsc_py.sentry.fs.namespace_files import namespace_path
from runsc_py.sentry.fs.proc.access import may_inspect
from runsc_py.sentry.fs.proc.process import ProcessNode, Subject
from runsc_py.sentry.fs.synthetic import SyntheticFileSystem, SyntheticInode
from runsc_py.sentry.vfs.attributes import S_IFLNK
from runsc_py.sentry.vfs.inode import Inode
from runsc_py.sentry.vfs.naming import path_name

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Protocol

    from runsc_py.sentry.kernel.task import Task
    from runsc_py.sentry.vfs.path import Path
else:
    Protocol = object


class MagicLink(SyntheticInode):
    """A link of a process that leads to a `Path`."""

    __slots__ = ("subject",)

    def __init__(
        self, filesystem: SyntheticFileSystem, subject: Subject, permissions: int = 0o777
    ) -> None:
        super().__init__(filesystem, S_IFLNK | permissions)
        self.subject = subject

    def place(self) -> "Path":
        """Where it leads now.  Errors: ENOENT."""
        raise NotImplementedError

    def owner(self) -> tuple[int, int]:
        return self.subject.owner(self.mode)

    def _check(self, task: "Task") -> None:
        if not self.subject.is_registered:
            raise ESRCH
        if self.subject.is_gone:
            raise ENOENT
        if not may_inspect(task, self.subject.task):
            raise EACCES

    def follow_link(self, task: "Task") -> "bytes | Path":
        self._check(task)
        return self.place()

    def read_link(self) -> bytes:
        task = self.filesystem.kernel.current_task
        self._check(task)
        return path_name(self.place(), task.file_context.root)


class ProcessLink(MagicLink):
    """exe, cwd and root."""

    __slots__ = ("find",)

    def __init__(
        self,
        filesystem: SyntheticFileSystem,
        subject: Subject,
        find: "Callable[[Task], Path | None]",
    ) -> None:
        super().__init__(filesystem, subject)
        self.find = find

    def place(self) -> "Path":
        path = self.find(self.subject.task)
        if path is None:
            raise ENOENT
        return path


def executable(task: "Task") -> "Path | None":
    """What the process executes."""
    return task.memory.executable


def working_directory(task: "Task") -> "Path | None":
    """Its current directory."""
    return task.file_context.working_directory


def root_directory(task: "Task") -> "Path | None":
    """Its root directory."""
    return task.file_context.root


# -- namespaces --------------------------------------------------------------------------------


class _Numbered(Protocol):
    """A namespace."""

    @property
    def inode_number(self) -> int: ...


#: by name, what gives the namespace
_NAMESPACES: "dict[bytes, Callable[[Task], _Numbered]]" = {
    b"cgroup": lambda task: task.namespaces.cgroup,
    b"ipc": lambda task: task.namespaces.ipc,
    b"mnt": lambda task: task.namespaces.mount,
    b"net": lambda task: task.namespaces.network,
    b"pid": lambda task: task.pid_namespace,
    b"pid_for_children": lambda task: task.pid_namespace_for_children,
    b"time": lambda task: task.namespaces.time,
    b"time_for_children": lambda task: task.namespaces.time_for_children,
    b"user": lambda task: task.credentials.user_namespace,
    b"uts": lambda task: task.namespaces.uts,
}


class NamespacesDirectory(ProcessNode):
    """/proc/PID/ns."""

    __slots__ = ()

    def __init__(self, filesystem: SyntheticFileSystem, subject: Subject) -> None:
        super().__init__(filesystem, subject, 0o511)

    def make_child(self, name: bytes) -> Inode | None:
        if name not in _NAMESPACES:
            return None
        return NamespaceLink(self.filesystem, self.subject, name)

    def names(self, task: "Task") -> Iterable[tuple[int, bytes]]:
        return enumerate(_NAMESPACES, start=3)


class NamespaceLink(MagicLink):
    """/proc/PID/ns/NAME: its text is the namespace's identity."""

    __slots__ = ("name",)

    def __init__(self, filesystem: SyntheticFileSystem, subject: Subject, name: bytes) -> None:
        super().__init__(filesystem, subject)
        self.name = name

    def _check(self, task: "Task") -> None:
        """A zombie has left all but two."""
        if self.subject.is_gone and self.name in (b"pid", b"user"):
            if not may_inspect(task, self.subject.task):
                raise EACCES
        else:
            super()._check(task)

    def place(self) -> "Path":
        namespace = _NAMESPACES[self.name](self.subject.task)
        kind = self.name.removesuffix(b"_for_children")
        kernel = self.filesystem.kernel
        return namespace_path(kernel, namespace, namespace.inode_number, kind)
