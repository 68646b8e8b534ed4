"""/proc/PID/fd and fdinfo: proc_pid_fd(5), proc_pid_fdinfo(5)."""

from collections.abc import Iterable

from runsc_py.sentry.errors import EBADF, ENOENT
from runsc_py.sentry.fs.proc.locks import locks_of
from runsc_py.sentry.fs.proc.process import ProcessNode, Subject
from runsc_py.sentry.fs.proc.process_links import MagicLink
from runsc_py.sentry.fs.synthetic import SyntheticFileSystem, TextFile
from runsc_py.sentry.vfs.inode import Inode
from runsc_py.sentry.vfs.open_file import O_CLOEXEC, O_PATH, OpenFile

TYPE_CHECKING = False
if TYPE_CHECKING:
    from runsc_py.sentry.kernel.task import Task
    from runsc_py.sentry.vfs.path import Path

#: st_size of the links, as Linux has it
LINK_SIZE = 64


def find_file(subject: Subject, number: int) -> OpenFile | None:
    """The open file behind a descriptor of the process."""
    if subject.is_gone:
        return None
    try:
        return subject.task.files.get(number)
    except EBADF:
        return None


class DescriptorsNode(ProcessNode):
    """A directory with an entry for each descriptor."""

    __slots__ = ()

    def make_entry(self, number: int, file: OpenFile) -> Inode:
        """The inode for a descriptor."""
        raise NotImplementedError

    def is_current(self, child: Inode, file: OpenFile) -> bool:
        """Whether an inode made earlier still fits what the descriptor refers to."""
        return True

    def _find(self, name: bytes) -> tuple[int, OpenFile | None]:
        if not name.isdigit() or len(name) > 10 or (name[:1] == b"0" and name != b"0"):
            return 0, None
        return int(name), find_file(self.subject, int(name))

    def make_child(self, name: bytes) -> Inode | None:
        number, file = self._find(name)
        return None if file is None else self.make_entry(number, file)

    def lookup(self, name: bytes) -> Inode:
        child = self.children.get(name)
        if child is not None and not self.revalidate(name, child):
            del self.children[name]
        return super().lookup(name)

    def revalidate(self, name: bytes, child: Inode | None) -> bool:
        _, file = self._find(name)
        return file is not None and child is not None and self.is_current(child, file)

    def names(self, task: "Task") -> Iterable[tuple[int, bytes]]:
        if self.subject.is_gone:
            return
        for number, _ in self.subject.task.files.items():
            yield number + 3, b"%d" % number

    def size(self) -> int:
        return 0 if self.subject.is_gone else len(self.subject.task.files)


class DescriptorsDirectory(DescriptorsNode):
    """/proc/PID/fd."""

    __slots__ = ()

    def __init__(self, filesystem: SyntheticFileSystem, subject: Subject) -> None:
        super().__init__(filesystem, subject, 0o500)

    def make_entry(self, number: int, file: OpenFile) -> Inode:
        return DescriptorLink(self.filesystem, self.subject, number, _permissions(file))

    def is_current(self, child: Inode, file: OpenFile) -> bool:
        return child.mode & 0o777 == _permissions(file)


def _permissions(file: OpenFile) -> int:
    """Readable and writable as the open file is."""
    if file.flags & O_PATH:
        return 0
    return 0o100 | 0o400 * file.readable | 0o200 * file.writable


class DescriptorLink(MagicLink):
    """/proc/PID/fd/N."""

    can_be_mount_point = False

    __slots__ = ("descriptor",)

    def __init__(
        self,
        filesystem: SyntheticFileSystem,
        subject: Subject,
        descriptor: int,
        permissions: int,
    ) -> None:
        super().__init__(filesystem, subject, permissions)
        self.descriptor = descriptor

    def place(self) -> "Path":
        file = find_file(self.subject, self.descriptor)
        if file is None:
            raise ENOENT
        return file.path

    def size(self) -> int:
        return LINK_SIZE


class InformationDirectory(DescriptorsNode):
    """/proc/PID/fdinfo."""

    __slots__ = ()

    def make_entry(self, number: int, file: OpenFile) -> Inode:
        return InformationFile(self.filesystem, self.subject, number)


class InformationFile(TextFile):
    """/proc/PID/fdinfo/N."""

    can_be_mount_point = False

    __slots__ = ("descriptor", "subject")

    def __init__(self, filesystem: SyntheticFileSystem, subject: Subject, descriptor: int) -> None:
        super().__init__(filesystem, lambda task: b"", None, 0o444)
        self.subject = subject
        self.descriptor = descriptor

    def owner(self) -> tuple[int, int]:
        return self.subject.owner(self.mode)

    def generate(self, task: "Task") -> bytes:
        file = find_file(self.subject, self.descriptor)
        if file is None:
            raise ENOENT
        flags = file.flags & ~O_CLOEXEC
        if self.subject.task.files.close_on_exec(self.descriptor):
            flags |= O_CLOEXEC
        text = b"pos:\t%d\nflags:\t0%o\nmnt_id:\t%d\nino:\t%d\n" % (
            file.position,
            flags,
            file.path.mount.identifier,
            file.inode.number,
        )
        return text + locks_of(task, self.subject.group, file) + file.descriptor_information()
