"""proc as a file system: its root directory, `self` and `thread-self`.

An instance shows the processes of one PID namespace, that of the task which mounted it.
"""

from collections.abc import Iterable
from enum import Enum

from runsc_py.sentry.errors import ENOENT, EPERM
from runsc_py.sentry.fs.proc.access import may_inspect
from runsc_py.sentry.fs.synthetic import (
    Specification,
    SyntheticDirectory,
    SyntheticFileSystem,
    SyntheticInode,
    build,
)
from runsc_py.sentry.vfs.attributes import S_IFLNK
from runsc_py.sentry.vfs.inode import Inode

TYPE_CHECKING = False
if TYPE_CHECKING:
    from runsc_py.sentry.fs.proc.process import ProcessDirectory
    from runsc_py.sentry.kernel.kernel import Kernel
    from runsc_py.sentry.kernel.pid_namespace import PidNamespace
    from runsc_py.sentry.kernel.task import Task

#: getdents cookies: processes come after everything else
FIRST_PROCESS = 256


class HidePid(Enum):
    """Whose processes are shown to whom: the hidepid= of proc(5)."""

    OFF = 0
    NOACCESS = 1
    INVISIBLE = 2
    PTRACEABLE = 4


class ProcFileSystem(SyntheticFileSystem):
    """An instance of proc."""

    type_name = "proc"
    magic = 0x9FA0
    creation_error = ENOENT
    shows_system = True
    needs_revalidation = True

    def __init__(self, kernel: "Kernel", pid_namespace: "PidNamespace") -> None:
        super().__init__(kernel)
        self.pid_namespace = pid_namespace
        self.hide_pid = HidePid.OFF
        #: who is in this group is shown everything all the same
        self.gid = 0
        #: subset=pid: nothing but processes is there
        self.only_processes = False
        self.root = ProcRoot(self)

    def options(self) -> list[str]:
        shown = []
        if self.gid:
            shown.append(f"gid={self.gid}")
        if self.hide_pid is not HidePid.OFF:
            shown.append(f"hidepid={self.hide_pid.name.lower()}")
        if self.only_processes:
            shown.append("subset=pid")
        return shown

    def is_shown(self, caller: "Task", target: "Task", least: HidePid) -> bool:
        """Whether the caller may know of a process where `least`, or more, is hidden."""
        is_open = self.hide_pid.value < least.value or caller.credentials.in_group(self.gid)
        if is_open and self.hide_pid is not HidePid.PTRACEABLE:
            return True
        return may_inspect(caller, target)

    def check_access(self, target: "Task") -> None:
        """Whether the caller may look into the directory of a process.  Errors: EPERM."""
        if self.hide_pid is not HidePid.OFF and not self.is_shown(
            self.kernel.current_task, target, HidePid.NOACCESS
        ):
            raise EPERM


class ProcRoot(SyntheticDirectory):
    """/proc: processes by number, and the files of the machine."""

    __slots__ = ("processes", "proc")

    def __init__(self, filesystem: ProcFileSystem) -> None:
        super().__init__(filesystem)
        self.proc = filesystem
        #: directories of processes by number
        self.processes: dict[bytes, ProcessDirectory] = {}

    def _table(self) -> dict[bytes, Specification]:
        from runsc_py.sentry.fs.proc.machine_table import FILES

        return self.proc.kernel.proc_files or FILES

    def make_child(self, name: bytes) -> Inode | None:
        if name == b"self":
            return SelfLink(self.proc, is_thread=False)
        if name == b"thread-self":
            return SelfLink(self.proc, is_thread=True)
        what = self._table().get(name)
        return None if what is None else build(self.proc, what)

    def lookup(self, name: bytes) -> Inode:
        if name[:1].isdigit():
            return self._lookup_process(name)
        if self.proc.only_processes and name not in (b"self", b"thread-self"):
            raise ENOENT
        return super().lookup(name)

    def _lookup_process(self, name: bytes) -> Inode:
        """/proc/PID.  Threads that lead no process can be looked up, too; they are not listed."""
        if not name.isdigit() or name[:1] == b"0" or len(name) > 10:
            raise ENOENT
        task = self.proc.pid_namespace.tasks.get(int(name))
        if task is None:
            self.processes.pop(name, None)
            raise ENOENT
        proc = self.proc
        if proc.hide_pid is not HidePid.OFF and not proc.is_shown(
            proc.kernel.current_task, task, HidePid.INVISIBLE
        ):
            raise ENOENT
        directory = self.processes.get(name)
        if directory is None or directory.subject.group is not task.thread_group:
            from runsc_py.sentry.fs.proc.process import ProcessDirectory, Subject

            leads = task.thread_group.leader is task
            subject = Subject(task.thread_group, None if leads else task)
            directory = ProcessDirectory(self.proc, subject)
            if len(self.processes) > 2 * len(self.proc.pid_namespace.tasks) + 64:
                self._forget_ended()
            self.processes[name] = directory
        return directory

    def _forget_ended(self) -> None:
        self.processes = {
            name: directory
            for name, directory in self.processes.items()
            if directory.subject.is_registered
        }

    def revalidate(self, name: bytes, child: Inode | None) -> bool:
        if name[:1].isdigit():
            try:
                return self._lookup_process(name) is child
            except ENOENT:
                return child is None
        return not self.proc.only_processes or isinstance(child, SelfLink)

    def names(self, task: "Task") -> Iterable[tuple[int, bytes]]:
        yield 3, b"self"
        yield 4, b"thread-self"
        if not self.proc.only_processes:
            yield from enumerate(self._table(), start=5)
        namespace = self.proc.pid_namespace
        for group in namespace.thread_groups():
            if not self.proc.is_shown(task, group.leader, HidePid.INVISIBLE):
                continue
            number = group.identifier_in(namespace)
            yield FIRST_PROCESS + number, b"%d" % number


class SelfLink(SyntheticInode):
    """/proc/self and /proc/thread-self: they lead whoever asks to his own directory."""

    __slots__ = ("is_thread", "proc")

    def __init__(self, filesystem: ProcFileSystem, is_thread: bool) -> None:
        super().__init__(filesystem, S_IFLNK | 0o777)
        self.proc = filesystem
        self.is_thread = is_thread

    def read_link(self) -> bytes:
        return self._target(self.proc.kernel.current_task)

    def follow_link(self, task: "Task") -> bytes:
        return self._target(task)

    def _target(self, task: "Task") -> bytes:
        namespace = self.proc.pid_namespace
        process = task.thread_group.identifier_in(namespace)
        if not process:
            raise ENOENT
        if self.is_thread:
            return b"%d/task/%d" % (process, task.identifier_in(namespace))
        return b"%d" % process
