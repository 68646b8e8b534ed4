"""mqueue: the names of the POSIX message queues of an IPC namespace.  mq_overview(7).

There is one instance a namespace, whether it is mounted or not: mq_open(2) goes through
a mount of its own, in no tree, and every mount(2) shows the same instance.  What a queue
does is `ipc/posix_messages.py`.
"""

from runsc_py.sentry.abi.files import SEEK_CUR, SEEK_END, SEEK_SET
from runsc_py.sentry.abi.mqueue import (
    HARD_MSG_MAX,
    HARD_MSGSIZE_MAX,
    MESSAGE_OVERHEAD,
    MQ_PRIO_MAX,
    MSG_MAX,
    MSGSIZE_MAX,
    PRIORITY_OVERHEAD,
    QUEUES_MAX,
)
from runsc_py.sentry.abi.time import SIGEV_SIGNAL
from runsc_py.sentry.auth.capabilities import CAP_SYS_RESOURCE
from runsc_py.sentry.auth.user_counts import charge_resource
from runsc_py.sentry.errors import EINVAL, EMFILE, ENOENT, ENOSPC
from runsc_py.sentry.fs.anonymous import AnonymousInode
from runsc_py.sentry.fs.layer import FIRST_ENTRY_OFFSET, dot_entries
from runsc_py.sentry.ipc.posix_messages import PosixMessageQueue
from runsc_py.sentry.kernel.limits import RLIMIT_MSGQUEUE
from runsc_py.sentry.vfs.attributes import S_IFDIR, S_IFREG, AttributeChange, Attributes
from runsc_py.sentry.vfs.inode import FileSystem, Inode
from runsc_py.sentry.vfs.mount import Mount
from runsc_py.sentry.vfs.open_file import DirectoryEntry, DirectoryFile, OpenFile

TYPE_CHECKING = False
if TYPE_CHECKING:
    from runsc_py.sentry.auth.user_counts import Charge
    from runsc_py.sentry.kernel.kernel import Kernel
    from runsc_py.sentry.kernel.namespaces import IpcNamespace
    from runsc_py.sentry.kernel.pid_namespace import PidNamespace
    from runsc_py.sentry.kernel.task import Task
    from runsc_py.sentry.vfs.path import Path

KIND = "POSIX message queues"
MQUEUE_MAGIC = 0x19800202
#: st_size of a queue, and what each name adds to that of the directory
_QUEUE_SIZE = 80
_ENTRY_SIZE = 20


class QueueSettings:
    """/proc/sys/fs/mqueue."""

    __slots__ = ("msg_default", "msg_max", "msgsize_default", "msgsize_max", "queues_max")

    def __init__(self) -> None:
        self.queues_max = QUEUES_MAX
        self.msg_max = self.msg_default = MSG_MAX
        self.msgsize_max = self.msgsize_default = MSGSIZE_MAX


class MqueueFileSystem(FileSystem):
    """The queues of a namespace."""

    type_name = "mqueue"
    magic = MQUEUE_MAGIC
    root: "MqueueDirectory"

    def __init__(self, kernel: "Kernel", namespace: "IpcNamespace") -> None:
        super().__init__(kernel)
        self.settings = QueueSettings()
        #: queues that exist, those without a name included
        self.count = 0
        owner = namespace.user_namespace
        self.root = MqueueDirectory(self, owner.owner_uid, owner.owner_gid)
        #: what mq_open(2) goes through
        self.mount = Mount(0, self)


class MqueueDirectory(AnonymousInode):
    """The root: queues and nothing else."""

    __slots__ = ("_next_offset", "entries")

    filesystem: MqueueFileSystem

    def __init__(self, filesystem: MqueueFileSystem, uid: int, gid: int) -> None:
        super().__init__(filesystem, S_IFDIR | 0o1777, uid, gid)
        #: name to (inode, offset), in the order of the offsets
        self.entries: dict[bytes, tuple[QueueInode, int]] = {}
        self._next_offset = FIRST_ENTRY_OFFSET

    def get_attributes(self) -> Attributes:
        attributes = super().get_attributes()
        attributes.links = 2
        attributes.size = _ENTRY_SIZE * (2 + len(self.entries))
        return attributes

    def lookup(self, name: bytes) -> Inode:
        entry = self.entries.get(name)
        if entry is None:
            raise ENOENT
        return entry[0]

    def create(self, name: bytes, mode: int, uid: int, gid: int, umask: int = 0) -> Inode:
        """open(2) with O_CREAT makes a queue with the default attributes."""
        return self.make_queue(self.filesystem.kernel.current_task, name, mode, uid, gid, None)

    def make_queue(
        self,
        task: "Task",
        name: bytes,
        mode: int,
        uid: int,
        gid: int,
        asked: tuple[int, int] | None,
    ) -> "QueueInode":
        """A new queue; `asked` is how many messages of what size.

        Errors: ENOSPC (too many queues), EINVAL (the attributes), EMFILE (RLIMIT_MSGQUEUE).
        """
        filesystem = self.filesystem
        settings = filesystem.settings
        privileged = task.credentials.has_capability(CAP_SYS_RESOURCE)
        if filesystem.count >= settings.queues_max and not privileged:
            raise ENOSPC
        maximum, size = asked or (
            min(settings.msg_max, settings.msg_default),
            min(settings.msgsize_max, settings.msgsize_default),
        )
        limits = (settings.msg_max, settings.msgsize_max)
        if privileged:
            limits = (HARD_MSG_MAX, HARD_MSGSIZE_MAX)
        if not 0 < maximum <= limits[0] or not 0 < size <= limits[1]:
            raise EINVAL
        queue = PosixMessageQueue(maximum, size)
        inode = QueueInode(filesystem, mode, uid, gid, queue, _charge(task, queue))
        filesystem.count += 1
        self.entries[name] = (inode, self._next_offset)
        self._next_offset += 1
        self.touch()
        return inode

    def unlink(self, name: bytes, child: Inode) -> None:
        inode, _ = self.entries.pop(name)
        self.touch()
        inode.links = 0
        inode.end_if_unused()

    def touch(self) -> None:
        """Something was made or removed."""
        now = self.filesystem.kernel.clock.realtime()
        self.times = (now, now, now)

    def open(self, task: "Task", path: "Path", flags: int) -> OpenFile:
        return MqueueDirectoryFile(path, flags, self)


class MqueueDirectoryFile(DirectoryFile):
    """The open root."""

    __slots__ = ("directory",)

    def __init__(self, path: "Path", flags: int, directory: MqueueDirectory) -> None:
        super().__init__(path, flags)
        self.directory = directory

    def directory_entries(self, task: "Task") -> list[DirectoryEntry]:
        return dot_entries(self) + [
            DirectoryEntry(name, inode.number, S_IFREG >> 12, place + 1)
            for name, (inode, place) in self.directory.entries.items()
            if place >= self.position
        ]


class QueueInode(AnonymousInode):
    """A queue; it ends when it has lost its name and its last open file."""

    __slots__ = ("charge", "links", "opened", "queue", "size")

    filesystem: MqueueFileSystem

    def __init__(
        self,
        filesystem: MqueueFileSystem,
        mode: int,
        uid: int,
        gid: int,
        queue: PosixMessageQueue,
        charge: "Charge",
    ) -> None:
        super().__init__(filesystem, mode, uid, gid)
        self.queue = queue
        #: of the user who made it; given back at the end
        self.charge: Charge | None = charge
        self.links = 1
        #: open file descriptions
        self.opened = 0
        #: st_size, which means nothing
        self.size = _QUEUE_SIZE

    def get_attributes(self) -> Attributes:
        attributes = super().get_attributes()
        attributes.links = self.links
        attributes.size = self.size
        return attributes

    def set_attributes(self, change: AttributeChange) -> None:
        super().set_attributes(change)
        if change.size is not None:
            self.size = change.size

    def touch(self) -> None:
        """A message came or went."""
        now = self.filesystem.kernel.clock.realtime()
        self.times = (now, now, now)

    def open(self, task: "Task", path: "Path", flags: int) -> OpenFile:
        return MessageQueueFile(path, flags, self, task.pid_namespace)

    def end_if_unused(self) -> None:
        """Give its place in the accounts back once nobody can reach it."""
        if not self.links and not self.opened:
            self.charge = None
            self.filesystem.count -= 1


class MessageQueueFile(OpenFile):
    """A message queue descriptor; read(2) gives a line about the state of the queue."""

    __slots__ = ("node", "pid_namespace", "queue")

    seekable = True

    def __init__(
        self, path: "Path", flags: int, node: QueueInode, pid_namespace: "PidNamespace"
    ) -> None:
        super().__init__(path, flags)
        self.node = node
        self.queue = node.queue
        #: the opener's, in which NOTIFY_PID is shown
        self.pid_namespace = pid_namespace
        self.wait_queue = node.queue.events
        node.opened += 1

    def read(self, size: int) -> bytes:
        data = self.read_at(size, self.position)
        self.position += len(data)
        return data

    def read_at(self, size: int, offset: int) -> bytes:
        kind = signal = process = 0
        told = self.queue.notification
        if told is not None:
            kind = told.kind
            signal = told.signal if kind == SIGEV_SIGNAL else 0
            process = told.owner.identifier_in(self.pid_namespace)
        text = b"QSIZE:%-10d NOTIFY:%-5d SIGNO:%-5d NOTIFY_PID:%-6d\n"
        return (text % (self.queue.used, kind, signal, process))[offset : offset + size]

    def seek(self, offset: int, whence: int) -> int:
        if whence == SEEK_CUR:
            offset += self.position
        elif whence == SEEK_END:
            offset += self.node.size
        elif whence != SEEK_SET:
            raise EINVAL
        if offset < 0:
            raise EINVAL
        self.position = offset
        return offset

    def truncate(self, size: int) -> None:
        self.node.set_attributes(AttributeChange(size=size))

    def poll(self) -> int:
        return self.queue.poll()

    def flush(self, task: "Task") -> None:
        """Whatever descriptor of the queue a process closes, it is not told any more."""
        self.queue.unregister(task.thread_group)

    def release(self) -> None:
        self.node.opened -= 1
        self.node.end_if_unused()


def _charge(task: "Task", queue: PosixMessageQueue) -> "Charge":
    """A queue counts for RLIMIT_MSGQUEUE as if it were full (getrlimit(2)).  Errors: EMFILE."""
    size = (
        queue.maximum * (queue.message_size + MESSAGE_OVERHEAD)
        + min(queue.maximum, MQ_PRIO_MAX) * PRIORITY_OVERHEAD
    )
    credentials = task.credentials
    limit = task.thread_group.limits.soft(RLIMIT_MSGQUEUE)
    charge = charge_resource(
        credentials.user_namespace, credentials.uid, RLIMIT_MSGQUEUE, size, limit
    )
    if charge is None:
        raise EMFILE
    return charge


def mqueue_of(kernel: "Kernel", namespace: "IpcNamespace") -> MqueueFileSystem:
    """The namespace's instance."""
    filesystem = namespace.objects.get(KIND)
    if filesystem is None:
        filesystem = namespace.objects[KIND] = MqueueFileSystem(kernel, namespace)
    assert isinstance(filesystem, MqueueFileSystem)
    return filesystem
