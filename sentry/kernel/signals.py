"""Signals as objects: what is sent, what is pending, what a process does about it.

`SignalInfo` is one sent signal; `PendingSignals` a queue of them (each task has one and each
thread group a shared one); `SignalHandlers` is the sigaction table of CLONE_SIGHAND.
Sending is in `kernel/signal_sending.py`, delivery in `kernel/signal_delivery.py`.
"""

from runsc_py.sentry.abi.signals import (
    ALL_SIGNALS,
    SI_KERNEL,
    SI_USER,
    SIG_DFL,
    SIG_IGN,
    SIGINFO_KILL,
    SIGRTMIN,
    SYNCHRONOUS,
    bit,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from runsc_py.sentry.auth.user_counts import Charge
    from runsc_py.sentry.kernel.task import Task


class SignalInfo:
    """One signal with its siginfo_t.

    `raw` holds the structure as the receiver will see it, all 128 bytes.
    """

    __slots__ = ("charge", "is_of_timer", "number", "raw")

    def __init__(
        self,
        number: int,
        code: int = SI_USER,
        sender: int = 0,
        uid: int = 0,
        value: int = 0,
        raw: bytes | None = None,
    ) -> None:
        self.number = number
        self.raw = (
            raw
            if raw is not None
            else SIGINFO_KILL.pack(number, 0, code, sender, uid & 0xFFFFFFFF, value)
        )
        #: while it is queued it counts for RLIMIT_SIGPENDING
        self.charge: Charge | None = None
        #: a POSIX timer's, which is queued beside others of its number
        self.is_of_timer = False

    @classmethod
    def from_kernel(cls, number: int) -> "SignalInfo":
        """A signal that the kernel itself sends."""
        return cls(number, SI_KERNEL)

    @classmethod
    def from_itself(cls, task: "Task", number: int) -> "SignalInfo":
        """A signal that a call of the task brings upon it: SIGPIPE and the like."""
        identifier = task.thread_group.identifier_in(task.pid_namespace)
        return cls(number, SI_USER, identifier, task.credentials.uid)

    @property
    def code(self) -> int:
        return int.from_bytes(self.raw[8:12], "little", signed=True)


class SignalAction:
    """What sigaction(2) set for one signal."""

    __slots__ = ("flags", "handler", "mask", "restorer")

    def __init__(
        self, handler: int = SIG_DFL, flags: int = 0, restorer: int = 0, mask: int = 0
    ) -> None:
        self.handler = handler
        self.flags = flags
        self.restorer = restorer
        self.mask = mask


DEFAULT_ACTION = SignalAction()


class SignalHandlers:
    """The sigaction table, shared by the tasks of CLONE_SIGHAND."""

    __slots__ = ("actions",)

    def __init__(self, actions: dict[int, SignalAction] | None = None) -> None:
        #: only those that are not the default; actions are replaced, never changed
        self.actions: dict[int, SignalAction] = actions if actions is not None else {}

    def get(self, number: int) -> SignalAction:
        return self.actions.get(number, DEFAULT_ACTION)

    def copy(self) -> "SignalHandlers":
        """For fork(2)."""
        return SignalHandlers(dict(self.actions))

    def for_exec(self) -> "SignalHandlers":
        """After execve(2): handled signals return to the default, ignored ones stay ignored."""
        return SignalHandlers(
            {
                number: SignalAction(SIG_IGN)
                for number, action in self.actions.items()
                if action.handler == SIG_IGN
            }
        )


class PendingSignals:
    """A queue of pending signals: standard ones once, real-time ones in order."""

    __slots__ = ("mask", "queues")

    def __init__(self) -> None:
        self.mask = 0
        self.queues: dict[int, list[SignalInfo]] = {}

    def add(self, info: SignalInfo) -> bool:
        """Queue a signal; False when a standard one was pending already."""
        queue = self.queues.get(info.number)
        if queue:
            if info.number < SIGRTMIN and not info.is_of_timer:
                return False
            queue.append(info)
        else:
            self.queues[info.number] = [info]
            self.mask |= bit(info.number)
        return True

    def take(self, mask: int) -> SignalInfo | None:
        """Remove the next signal of `mask`: faults first, then the lowest number."""
        candidates = self.mask & mask
        if not candidates:
            return None
        first = candidates & SYNCHRONOUS or candidates
        number = (first & -first).bit_length()
        queue = self.queues[number]
        info = queue.pop(0)
        if not queue:
            del self.queues[number]
            self.mask &= ~bit(number)
        return info

    def remove(self, info: SignalInfo) -> None:
        """Forget one signal, if it is pending here."""
        queue = self.queues.get(info.number, [])
        if info in queue:
            queue.remove(info)
            if not queue:
                self.discard(bit(info.number))

    def discard(self, mask: int) -> None:
        """Forget every pending signal of `mask`."""
        doomed = self.mask & mask & ALL_SIGNALS
        while doomed:
            number = (doomed & -doomed).bit_length()
            doomed &= doomed - 1
            del self.queues[number]
        self.mask &= ~mask
