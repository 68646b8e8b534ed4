"""The directories of processes and threads: /proc/PID, /proc/PID/task, /proc/PID/task/TID.

What can be read there is in `process_status.py`, `process_files.py`, `process_links.py` and
`descriptors.py`; this module says which names exist and whose they are.
"""

from collections.abc import Callable, Iterable

from runsc_py.sentry.abi.process import SUID_DUMP_USER
from runsc_py.sentry.errors import EACCES, EINVAL, ESRCH
from runsc_py.sentry.fs.proc.access import may_inspect
from runsc_py.sentry.fs.synthetic import SyntheticDirectory, SyntheticFileSystem, TextFile
from runsc_py.sentry.vfs.attributes import S_IFDIR, AttributeChange
from runsc_py.sentry.vfs.inode import Inode

TYPE_CHECKING = False
if TYPE_CHECKING:
    from runsc_py.sentry.fs.proc.filesystem import ProcFileSystem
    from runsc_py.sentry.kernel.pid_namespace import PidNamespace
    from runsc_py.sentry.kernel.task import Task
    from runsc_py.sentry.kernel.thread_group import ThreadGroup
    from runsc_py.sentry.vfs.open_file import OpenFile
    from runsc_py.sentry.vfs.path import Path


def proc_of(inode: Inode) -> "ProcFileSystem":
    """The file system of an inode that only proc has."""
    filesystem: ProcFileSystem = inode.filesystem  # type: ignore[assignment]
    return filesystem


class Subject:
    """The process or thread that a directory is about."""

    __slots__ = ("group", "thread")

    def __init__(self, group: "ThreadGroup", thread: "Task | None") -> None:
        self.group = group
        #: None: the process as a whole
        self.thread = thread

    @property
    def task(self) -> "Task":
        """The thread; the leader stands for a process."""
        return self.group.leader if self.thread is None else self.thread

    @property
    def is_registered(self) -> bool:
        """Whether it has its number still: it lives, or is a zombie."""
        task = self.task
        namespace = task.pid_namespace
        return namespace.tasks.get(task.identifier_in(namespace)) is task

    @property
    def is_gone(self) -> bool:
        """Whether its memory and its files are no more (a zombie)."""
        return self.task not in self.group.tasks

    def owner(self, mode: int) -> tuple[int, int]:
        """Whose a file of that mode is: the effective ids', or root's.

        Root's are those of a zombie and of a process that is not dumpable, but not directories that
        everybody may read (Linux's task_dump_owner).
        """
        task = self.task
        if mode != _PUBLIC_DIRECTORY and (self.is_gone or task.memory.dumpable != SUID_DUMP_USER):
            return (0, 0)
        return (task.credentials.euid, task.credentials.egid)


#: what a directory has that everybody may read
_PUBLIC_DIRECTORY = S_IFDIR | 0o555

#: (subject, the task that opened the file, the namespace whose numbers are shown)
Producer = Callable[[Subject, "Task", "PidNamespace"], bytes]
Consumer = Callable[[Subject, "Task", bytes], None]


class Entry:
    """A text file in the directory of a process or thread."""

    __slots__ = ("consume", "is_private", "needs_life", "permissions", "produce")

    def __init__(
        self,
        produce: Producer,
        permissions: int = 0o444,
        *,
        consume: Consumer | None = None,
        is_private: bool = False,
        needs_life: bool = False,
    ) -> None:
        self.produce = produce
        self.permissions = permissions
        self.consume = consume
        #: only those may open it who may inspect the process
        self.is_private = is_private
        #: that of a zombie cannot be opened
        self.needs_life = needs_life


class ProcessFile(TextFile):
    """The inode of an `Entry`."""

    __slots__ = ("entry", "subject")

    def __init__(self, filesystem: SyntheticFileSystem, subject: Subject, entry: Entry) -> None:
        super().__init__(filesystem, _no_content, None, entry.permissions)
        self.subject = subject
        self.entry = entry

    def owner(self) -> tuple[int, int]:
        return self.subject.owner(self.mode)

    def generate(self, task: "Task") -> bytes:
        if not self.subject.is_registered:
            raise ESRCH
        return self.entry.produce(self.subject, task, proc_of(self).pid_namespace)

    def store(self, task: "Task", data: bytes) -> None:
        if self.entry.consume is None:
            raise EINVAL
        if not self.subject.is_registered:
            raise ESRCH
        self.entry.consume(self.subject, task, data)

    def open(self, task: "Task", path: "Path", flags: int) -> "OpenFile":
        if self.entry.is_private and not may_inspect(task, self.subject.task):
            raise EACCES
        if self.entry.needs_life and self.subject.is_gone:
            raise EINVAL
        return super().open(task, path, flags)


def _no_content(task: "Task") -> bytes:
    return b""


class ProcessNode(SyntheticDirectory):
    """A directory that belongs to a process: owner, and refusal of chmod."""

    __slots__ = ("subject",)

    def __init__(
        self, filesystem: SyntheticFileSystem, subject: Subject, permissions: int = 0o555
    ) -> None:
        super().__init__(filesystem, permissions)
        self.subject = subject

    def owner(self) -> tuple[int, int]:
        return self.subject.owner(self.mode)

    def set_attributes(self, change: AttributeChange) -> None:
        if change.mode is not None or change.uid is not None or change.gid is not None:
            super().set_attributes(change)

    def revalidate(self, name: bytes, child: Inode | None) -> bool:
        return child is not None and self.subject.is_registered


class ProcessDirectory(ProcessNode):
    """/proc/PID and /proc/PID/task/TID."""

    __slots__ = ()

    def _table(self) -> dict[bytes, Callable[[SyntheticFileSystem, Subject], Inode]]:
        from runsc_py.sentry.fs.proc.process_table import OF_PROCESSES, OF_THREADS

        return OF_PROCESSES if self.subject.thread is None else OF_THREADS

    def make_child(self, name: bytes) -> Inode | None:
        make = self._table().get(name)
        return None if make is None else make(self.filesystem, self.subject)

    def lookup(self, name: bytes) -> Inode:
        self._proc.check_access(self.subject.task)
        return super().lookup(name)

    def revalidate(self, name: bytes, child: Inode | None) -> bool:
        self._proc.check_access(self.subject.task)
        return super().revalidate(name, child)

    def open(self, task: "Task", path: "Path", flags: int) -> "OpenFile":
        self._proc.check_access(self.subject.task)
        return super().open(task, path, flags)

    @property
    def _proc(self) -> "ProcFileSystem":
        return proc_of(self)

    def names(self, task: "Task") -> Iterable[tuple[int, bytes]]:
        return enumerate(self._table(), start=3) if self.subject.is_registered else ()

    def links(self) -> int:
        return 9 if self.subject.thread is None else 7


class ThreadsDirectory(ProcessNode):
    """/proc/PID/task."""

    __slots__ = ()

    @property
    def _namespace(self) -> "PidNamespace":
        return proc_of(self).pid_namespace

    def _find(self, name: bytes) -> "Task | None":
        if not name.isdigit() or name[:1] == b"0":
            return None
        task = self._namespace.tasks.get(int(name))
        return task if task is not None and task.thread_group is self.subject.group else None

    def make_child(self, name: bytes) -> Inode | None:
        task = self._find(name)
        if task is None:
            return None
        return ProcessDirectory(self.filesystem, Subject(self.subject.group, task))

    def lookup(self, name: bytes) -> Inode:
        child = self.children.get(name)
        if child is not None and not self.revalidate(name, child):
            del self.children[name]
        return super().lookup(name)

    def revalidate(self, name: bytes, child: Inode | None) -> bool:
        return isinstance(child, ProcessDirectory) and child.subject.thread is self._find(name)

    def names(self, task: "Task") -> Iterable[tuple[int, bytes]]:
        namespace = self._namespace
        group = self.subject.group
        threads = group.tasks if group.tasks else [group.leader]
        numbers = sorted(thread.identifier_in(namespace) for thread in threads)
        for number in numbers:
            if number:
                yield number + 2, b"%d" % number

    def links(self) -> int:
        return 2 + len(self.subject.group.tasks)
