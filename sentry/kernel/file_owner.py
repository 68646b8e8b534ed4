"""Signal-driven I/O: who is told by a signal that a file became ready (F_SETOWN, O_ASYNC).

fcntl(2), "Managing signals".  A `FileOwner` is remembered by the open file description from
F_SETOWN on; while O_ASYNC is set it stands in the file's wait queue like any other waiter.
Files that the host watches for us (the standard streams) are left out: their readiness is a
level, and would send signals without end.
"""

from runsc_py.sentry.abi.files import F_OWNER_PGRP, F_OWNER_PID, F_OWNER_TID
from runsc_py.sentry.abi.signals import SIGINFO_POLL, SIGIO
from runsc_py.sentry.errors import EINVAL, ESRCH, KernelError
from runsc_py.sentry.kernel.signals import SignalInfo
from runsc_py.sentry.kernel.waiting import (
    POLLERR,
    POLLHUP,
    POLLIN,
    POLLOUT,
    POLLPRI,
    POLLRDNORM,
    POLLWRNORM,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from runsc_py.sentry.kernel.pid_namespace import PidNamespace
    from runsc_py.sentry.kernel.sessions import ProcessGroup
    from runsc_py.sentry.kernel.task import Task
    from runsc_py.sentry.kernel.thread_group import ThreadGroup
    from runsc_py.sentry.vfs.open_file import OpenFile

#: a lease is being broken (vfs/leases.py)
POLLMSG = 0x400

# si_code: what happened (sigaction(2)), with the poll(2) bits that stand for it
_CODES = (
    (POLLMSG, 3, POLLIN | POLLRDNORM | POLLMSG),
    (POLLHUP, 6, POLLHUP | POLLERR),
    (POLLERR, 4, POLLERR),
    (POLLPRI, 5, POLLPRI),
    (POLLIN, 1, POLLIN | POLLRDNORM),
    (POLLOUT, 2, POLLOUT | POLLWRNORM),
)
_INTERESTING = POLLIN | POLLOUT | POLLPRI | POLLERR | POLLHUP


class FileOwner:
    """A thread, process or process group that gets the signals of one open file."""

    __slots__ = ("descriptor", "euid", "file", "kind", "signal", "target", "uid")

    def __init__(
        self,
        file: "OpenFile",
        kind: int,
        target: "Task | ThreadGroup | ProcessGroup | None",
        setter: "Task",
    ) -> None:
        self.file = file
        #: F_OWNER_*
        self.kind = kind
        #: None: nobody (F_SETOWN of 0), but F_SETSIG is kept
        self.target = target
        #: F_SETSIG; 0 is SIGIO without the details
        self.signal = 0
        self.descriptor = -1
        #: who asked for it: the signals are sent with these rights
        self.uid = setter.credentials.uid
        self.euid = setter.credentials.euid

    def identifier_in(self, namespace: "PidNamespace") -> int:
        """What F_GETOWN_EX shows; 0 without a target."""
        return self.target.identifier_in(namespace) if self.target is not None else 0

    def listen(self, descriptor: int) -> None:
        """O_ASYNC was set through a descriptor."""
        self.descriptor = descriptor
        queue = self.file.wait_queue
        if queue.on_first is None:
            queue.add(self, _INTERESTING)

    def stop_listening(self) -> None:
        """O_ASYNC was cleared."""
        self.file.wait_queue.remove(self)

    def wake(self, events: int) -> None:
        """The file became ready (Waiter protocol)."""
        target = self.target
        if target is None:
            return
        try:
            for member in self._recipients():
                if self._may_signal(member):
                    member.send_signal(self._information(events))
        except KernelError:
            # The real-time queue is full: the plain signal says at least that something happened.
            target.send_signal(SignalInfo.from_kernel(SIGIO))

    def _recipients(self) -> "list[Task | ThreadGroup]":
        from runsc_py.sentry.kernel.sessions import ProcessGroup

        target = self.target
        if isinstance(target, ProcessGroup):
            return list(target.members)
        return [] if target is None else [target]

    def _may_signal(self, member: "Task | ThreadGroup") -> bool:
        from runsc_py.sentry.kernel.task import Task

        task = member if isinstance(member, Task) else member.leader
        theirs = task.credentials
        return self.euid == 0 or bool({self.uid, self.euid} & {theirs.uid, theirs.suid})

    def _information(self, events: int) -> SignalInfo:
        if not self.signal:
            return SignalInfo.from_kernel(SIGIO)
        _, code, band = next((known for known in _CODES if events & known[0]), _CODES[-2])
        raw = SIGINFO_POLL.pack(self.signal, 0, code, band, self.descriptor)
        return SignalInfo(self.signal, raw=raw)


def find_owner(
    task: "Task", kind: int, identifier: int
) -> "Task | ThreadGroup | ProcessGroup | None":
    """Whom F_SETOWN or F_SETOWN_EX names; 0 is nobody.  Errors: EINVAL, ESRCH."""
    namespace = task.pid_namespace
    target: Task | ThreadGroup | ProcessGroup | None
    if kind not in (F_OWNER_TID, F_OWNER_PID, F_OWNER_PGRP):
        raise EINVAL
    if identifier == 0:
        return None
    if kind == F_OWNER_TID:
        target = namespace.tasks.get(identifier)
    elif kind == F_OWNER_PID:
        target = namespace.thread_group(identifier)
    else:
        target = namespace.process_groups.get(identifier)
    if target is None:
        raise ESRCH
    return target


def ensure_owner(task: "Task", descriptor: int, file: "OpenFile") -> None:
    """Somebody is to be told about the file: whom F_SETOWN named, or the calling process."""
    before = file.owner
    if before is None or before.target is None:
        file.owner = FileOwner(file, F_OWNER_PID, task.thread_group, task)
        if before is not None:
            file.owner.signal = before.signal
    assert file.owner is not None
    file.owner.descriptor = descriptor
