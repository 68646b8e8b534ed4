"""The descriptor of a seccomp supervisor: SECCOMP_IOCTL_NOTIF_* (seccomp_unotify(2))."""

from runsc_py.sentry.abi.ioctl import IOC_SIZE_MASK
from runsc_py.sentry.abi.memory import PAGE_SIZE
from runsc_py.sentry.abi.seccomp import (
    SECCOMP_ADDFD_FLAG_SEND,
    SECCOMP_ADDFD_FLAG_SETFD,
    SECCOMP_IOCTL_NOTIF_ADDFD,
    SECCOMP_IOCTL_NOTIF_ID_VALID,
    SECCOMP_IOCTL_NOTIF_ID_VALID_WRONG_DIR,
    SECCOMP_IOCTL_NOTIF_RECV,
    SECCOMP_IOCTL_NOTIF_SEND,
    SECCOMP_IOCTL_NOTIF_SET_FLAGS,
    SECCOMP_NOTIF,
    SECCOMP_NOTIF_ADDFD,
    SECCOMP_NOTIF_RESP,
    SECCOMP_USER_NOTIF_FD_SYNC_WAKE_UP,
    SECCOMP_USER_NOTIF_FLAG_CONTINUE,
)
from runsc_py.sentry.errors import EFAULT, EINPROGRESS, EINVAL, ENOENT
from runsc_py.sentry.fs.anonymous import anonymous_inode_path
from runsc_py.sentry.kernel.waiting import POLLHUP, POLLIN, MustWait, wait
from runsc_py.sentry.vfs.open_file import O_CLOEXEC, O_RDWR, OpenFile

TYPE_CHECKING = False
if TYPE_CHECKING:
    from runsc_py.sentry.kernel.seccomp_notification import Listener
    from runsc_py.sentry.kernel.task import Task
    from runsc_py.sentry.vfs.path import Path

#: the direction of a request, two bits at its top
_IOC_DIRECTION_MASK = 3 << 30


class SeccompListenerFile(OpenFile):
    """Where a supervisor receives and answers calls."""

    __slots__ = ("listener",)

    def __init__(self, path: "Path", listener: "Listener") -> None:
        super().__init__(path, O_RDWR)
        self.listener = listener
        self.wait_queue = listener.queue

    def poll(self) -> int:
        return self.listener.readiness()

    def ioctl(self, task: "Task", request: int, argument: int) -> int:
        """Errors: EINVAL for an unknown request; else those of seccomp_unotify(2)."""
        if request == SECCOMP_IOCTL_NOTIF_RECV:
            return self._receive(task, argument)
        if request == SECCOMP_IOCTL_NOTIF_SEND:
            return self._send(task, argument)
        if request in (SECCOMP_IOCTL_NOTIF_ID_VALID, SECCOMP_IOCTL_NOTIF_ID_VALID_WRONG_DIR):
            return self._check_identifier(task, argument)
        if request == SECCOMP_IOCTL_NOTIF_SET_FLAGS:
            # SYNC_WAKE_UP is a hint to the scheduler: nothing follows from it here.
            if argument & ~SECCOMP_USER_NOTIF_FD_SYNC_WAKE_UP:
                raise EINVAL
            return 0
        if request & ~(_IOC_DIRECTION_MASK | IOC_SIZE_MASK) == SECCOMP_IOCTL_NOTIF_ADDFD:
            return self._add_descriptor(task, argument, (request & IOC_SIZE_MASK) >> 16)
        raise EINVAL

    def release(self) -> None:
        self.listener.close()

    def _receive(self, task: "Task", address: int) -> int:
        if any(task.memory.copy_in(address, SECCOMP_NOTIF.size)):
            raise EINVAL
        if not self.listener.take_request():
            raise MustWait(self._wait_and_receive(task, address))
        return self._hand_over(task, address)

    async def _wait_and_receive(self, task: "Task", address: int) -> int:
        self.acquire()
        try:
            while not self.listener.take_request():
                await wait(task, ((self.wait_queue, POLLIN | POLLHUP),))
            return self._hand_over(task, address)
        finally:
            self.drop()

    def _hand_over(self, task: "Task", address: int) -> int:
        notification = self.listener.receive()
        pid = notification.task.identifier_in(task.pid_namespace)
        raw = SECCOMP_NOTIF.pack(notification.identifier, pid, 0, notification.data)
        try:
            task.memory.copy_out(address, raw)
        except EFAULT:
            self.listener.give_back(notification)
            raise
        return 0

    def _send(self, task: "Task", address: int) -> int:
        raw = task.memory.copy_in(address, SECCOMP_NOTIF_RESP.size)
        identifier, value, error, flags = SECCOMP_NOTIF_RESP.unpack(raw)
        if flags & ~SECCOMP_USER_NOTIF_FLAG_CONTINUE or flags and (error or value):
            raise EINVAL
        self.listener.find(identifier).reply(error, value, flags)
        return 0

    def _check_identifier(self, task: "Task", address: int) -> int:
        try:
            self.listener.find(int.from_bytes(task.memory.copy_in(address, 8), "little"))
        except EINPROGRESS:
            raise ENOENT from None
        return 0

    def _add_descriptor(self, task: "Task", address: int, size: int) -> int:
        """Give the asking process a copy of one of the caller's descriptors, and its number."""
        known = SECCOMP_NOTIF_ADDFD.size
        if not known <= size < PAGE_SIZE:
            raise EINVAL
        raw = task.memory.copy_in_extensible(address, size, known)
        identifier, flags, source, wanted, descriptor_flags = SECCOMP_NOTIF_ADDFD.unpack(raw)
        if (
            descriptor_flags & ~O_CLOEXEC
            or flags & ~(SECCOMP_ADDFD_FLAG_SETFD | SECCOMP_ADDFD_FLAG_SEND)
            or wanted
            and not flags & SECCOMP_ADDFD_FLAG_SETFD
        ):
            raise EINVAL
        file = task.files.get_io(source)
        notification = self.listener.find(identifier)
        target = notification.task
        closes = bool(descriptor_flags & O_CLOEXEC)
        if flags & SECCOMP_ADDFD_FLAG_SETFD:
            before = target.files.install(wanted, file, closes)
            if before is not None:
                target.files.close_file(target, before)
            number: int = wanted
        else:
            number = target.files.add(file, closes)
        if flags & SECCOMP_ADDFD_FLAG_SEND:
            notification.reply(0, number, 0)
        return number


def make_listener_file(task: "Task", listener: "Listener") -> SeccompListenerFile:
    """What SECCOMP_FILTER_FLAG_NEW_LISTENER returns a descriptor of."""
    return SeccompListenerFile(anonymous_inode_path(task, b"seccomp notify"), listener)
