"""signalfd(2): signals as something to read.

As in Linux, whoever reads gets the signals of its own thread and process, not those of the one
that made the file; readiness too is that of the task that asks.
"""

from runsc_py.sentry.abi.events import SIGNALFD_SIGINFO
from runsc_py.sentry.abi.signals import (
    SI_SIGIO,
    SI_TIMER,
    SIGBUS,
    SIGCHLD,
    SIGFPE,
    SIGILL,
    SIGINFO_CHILD,
    SIGINFO_FAULT,
    SIGINFO_KILL,
    SIGINFO_POLL,
    SIGIO,
    SIGSEGV,
    SIGTRAP,
    UNBLOCKABLE,
)
from runsc_py.sentry.errors import EAGAIN, EINVAL
from runsc_py.sentry.fs.anonymous import anonymous_inode_path
from runsc_py.sentry.kernel.waiting import POLLIN, POLLRDNORM
from runsc_py.sentry.vfs.open_file import O_NONBLOCK, O_RDWR, OpenFile

TYPE_CHECKING = False
if TYPE_CHECKING:
    from runsc_py.sentry.kernel.kernel import Kernel
    from runsc_py.sentry.kernel.signals import SignalInfo
    from runsc_py.sentry.kernel.task import Task
    from runsc_py.sentry.vfs.path import Path

_FAULTS = frozenset((SIGILL, SIGFPE, SIGSEGV, SIGBUS, SIGTRAP))


class SignalFile(OpenFile):
    """A set of signals to read."""

    __slots__ = ("kernel", "mask")

    def __init__(self, path: "Path", flags: int, kernel: "Kernel", mask: int) -> None:
        super().__init__(path, flags)
        self.kernel = kernel
        self.mask = mask & ~UNBLOCKABLE
        # One queue for the sandbox: few programs read signals, and wake-ups may be spurious.
        self.wait_queue = kernel.signal_queue

    def set_mask(self, mask: int) -> None:
        """signalfd(2) on an existing descriptor."""
        self.mask = mask & ~UNBLOCKABLE
        self.wait_queue.notify(POLLIN | POLLRDNORM)

    def descriptor_information(self) -> bytes:
        return b"sigmask:\t%016x\n" % self.mask

    def read(self, size: int) -> bytes:
        if size < SIGNALFD_SIGINFO.size:
            raise EINVAL
        task = self.kernel.current_task
        records: list[bytes] = []
        while len(records) < size // SIGNALFD_SIGINFO.size:
            info = task.dequeue_signal(self.mask)
            if info is None:
                break
            records.append(signal_record(info))
        if not records:
            raise EAGAIN
        return b"".join(records)

    def seek(self, offset: int, whence: int) -> int:
        return 0  # there is no offset, yet asking for one is no error

    def poll(self) -> int:
        task = self.kernel.current_task
        pending = task.pending.mask | task.thread_group.pending.mask
        return POLLIN | POLLRDNORM if pending & self.mask else 0


def signal_record(info: "SignalInfo") -> bytes:
    """What read(2) returns for one signal."""
    raw = info.raw
    number, error, code, pid, uid, value = SIGINFO_KILL.unpack_from(raw)
    fields = dict.fromkeys(SIGNALFD_SIGINFO.names, 0)
    fields.update(ssi_signo=number, ssi_errno=error, ssi_code=code)
    if code == SI_TIMER:
        fields.update(ssi_tid=pid, ssi_overrun=uid)
        _set_value(fields, value)
    elif number == SIGCHLD and code > 0:
        status, user_time, system_time = SIGINFO_CHILD.unpack_from(raw)[5:]
        fields.update(ssi_pid=pid, ssi_uid=uid, ssi_status=status)
        fields.update(ssi_utime=user_time, ssi_stime=system_time)
    elif code == SI_SIGIO or (number == SIGIO and code > 0):
        band, descriptor = SIGINFO_POLL.unpack_from(raw)[3:]
        fields.update(ssi_band=band & 0xFFFFFFFF, ssi_fd=descriptor)
    elif number in _FAULTS and code > 0:
        fields["ssi_addr"] = SIGINFO_FAULT.unpack_from(raw)[3]
    else:
        fields.update(ssi_pid=pid, ssi_uid=uid)
        if code < 0:
            _set_value(fields, value)
    return SIGNALFD_SIGINFO.pack(*fields.values())


def _set_value(fields: dict[str, int], value: int) -> None:
    """sigval_t: the same eight bytes as pointer and as int."""
    fields["ssi_ptr"] = value
    low = value & 0xFFFFFFFF
    fields["ssi_int"] = low - (1 << 32) if low >> 31 else low


def make_signal_file(task: "Task", mask: int, flags: int) -> SignalFile:
    """`flags` is O_NONBLOCK or 0."""
    path = anonymous_inode_path(task, b"[signalfd]")
    return SignalFile(path, O_RDWR | flags & O_NONBLOCK, task.kernel, mask)
