"""pidfd_open(2): a process to wait on, and (PIDFD_GET_INFO) to ask about."""

from runsc_py.sentry.abi.events import PIDFD_THREAD
from runsc_py.sentry.abi.ioctl import (
    IOC_SIZE_MASK,
    PIDFD_GET_INFO,
    PIDFD_INFO,
    PIDFD_INFO_CREDS,
    PIDFD_INFO_EXIT,
    PIDFD_INFO_PID,
)
from runsc_py.sentry.errors import EINVAL, ENOTTY, ESRCH
from runsc_py.sentry.fs.anonymous import anonymous_inode_path
from runsc_py.sentry.kernel.waiting import POLLHUP, POLLIN, POLLRDNORM
from runsc_py.sentry.vfs.open_file import O_NONBLOCK, O_RDWR, OpenFile

TYPE_CHECKING = False
if TYPE_CHECKING:
    from runsc_py.sentry.kernel.task import Task
    from runsc_py.sentry.kernel.thread_group import ThreadGroup
    from runsc_py.sentry.vfs.path import Path

#: what poll(2) says of what was waited for
_GONE = POLLIN | POLLRDNORM | POLLHUP


class PidFile(OpenFile):
    """A process; readable from its end on.  read(2) itself is EINVAL."""

    __slots__ = ("thread", "thread_group")

    def __init__(
        self, path: "Path", flags: int, thread_group: "ThreadGroup", thread: "Task | None"
    ) -> None:
        super().__init__(path, flags)
        self.thread_group = thread_group
        #: PIDFD_THREAD: only this one is meant
        self.thread = thread
        self.wait_queue = thread_group.exit_queue

    def descriptor_information(self) -> bytes:
        """The process's numbers in the reader's PID namespace and those below it."""
        namespace = self.inode.filesystem.kernel.current_task.pid_namespace
        leader = self.thread_group.leader
        if namespace.tasks.get(leader.identifier_in(namespace)) is not leader:
            return b"Pid:\t-1\nNSpid:\t-1\n"
        numbers = [
            number
            for each, number in sorted(leader.identifiers.items(), key=lambda item: item[0].level)
            if each.level >= namespace.level
        ]
        below = b"".join(b"\t%d" % number for number in numbers)
        return b"Pid:\t%d\nNSpid:%s\n" % (numbers[0], below)

    def poll(self) -> int:
        group = self.thread_group
        thread = self.thread
        if thread is not None and thread is not group.leader:
            return 0 if thread in group.tasks else _GONE
        if group.tasks:
            return 0  # a leader that ended waits for the others
        # A process that was waited for is not a zombie any more.
        return POLLIN | POLLRDNORM if group.is_zombie else _GONE

    def ioctl(self, task: "Task", request: int, argument: int) -> int:
        """PIDFD_GET_INFO; the caller's structure may be longer.  Errors: EINVAL, ESRCH, ENOTTY."""
        if request & ~IOC_SIZE_MASK != PIDFD_GET_INFO:
            raise ENOTTY
        size = (request & IOC_SIZE_MASK) >> 16
        if size < PIDFD_INFO.size or not argument:
            raise EINVAL
        asked = int.from_bytes(task.memory.copy_in(argument, 8), "little")
        task.memory.copy_out(argument, self._information(task, asked))
        return 0

    def _information(self, task: "Task", asked: int) -> bytes:
        """A struct pidfd_info: the identities of a process, or the status of a reaped one."""
        group = self.thread_group
        if not group.tasks and not group.is_zombie:
            if not asked & PIDFD_INFO_EXIT:
                raise ESRCH
            return PIDFD_INFO.pack(PIDFD_INFO_EXIT, *([0] * 12), group.exit_status)
        namespace = task.pid_namespace
        identifier = group.identifier_in(namespace)
        if not identifier:
            raise ESRCH
        thread = self.thread or group.leader
        parent = group.parent.identifier_in(namespace) if group.parent is not None else 0
        of = thread.credentials
        user = task.credentials.user_namespace
        uid, gid = user.uid_map.map_to_namespace, user.gid_map.map_to_namespace
        return PIDFD_INFO.pack(
            PIDFD_INFO_PID | PIDFD_INFO_CREDS,
            0,
            thread.identifier_in(namespace),
            identifier,
            parent,
            *(uid(of.uid), gid(of.gid), uid(of.euid), gid(of.egid)),
            *(uid(of.suid), gid(of.sgid), uid(of.fsuid), gid(of.fsgid)),
            0,
        )


def make_pid_file(
    task: "Task", thread_group: "ThreadGroup", flags: int, thread: "Task | None" = None
) -> PidFile:
    """Of a process, or of one of its threads; `flags` has O_NONBLOCK or not (for waitid(2))."""
    path = anonymous_inode_path(task, b"[pidfd]")
    flags = O_RDWR | flags & O_NONBLOCK | (PIDFD_THREAD if thread is not None else 0)
    return PidFile(path, flags, thread_group, thread)
