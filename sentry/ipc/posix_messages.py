"""POSIX message queues without their names: what is in one, who waits, who is told.

mq_overview(7).  As in Linux a message goes straight to a receiver that waits, past the queue and
past mq_notify(3); and a receiver that makes room puts in the message of the sender that has
waited longest.  Names, descriptors and limits are those of `fs/mqueue.py`.
"""

from collections.abc import Callable
from heapq import heappop, heappush

from runsc_py.sentry.abi.mqueue import NOTIFY_REMOVED, NOTIFY_WOKENUP
from runsc_py.sentry.abi.signals import SI_MESGQ
from runsc_py.sentry.abi.time import SIGEV_SIGNAL, SIGEV_THREAD
from runsc_py.sentry.errors import EAGAIN, EBUSY, ETIMEDOUT
from runsc_py.sentry.kernel.signals import SignalInfo
from runsc_py.sentry.kernel.waiting import (
    ANY_EVENT,
    POLLIN,
    POLLOUT,
    POLLRDNORM,
    POLLWRNORM,
    Interrupted,
    WaitQueue,
    wait,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from runsc_py.sentry.kernel.task import Task
    from runsc_py.sentry.kernel.thread_group import ThreadGroup

#: priority and text
Message = tuple[int, bytes]


class Notification:
    """What mq_notify(2) asked for, once: to be told that the queue is empty no longer."""

    __slots__ = ("cookie", "kind", "owner", "send_cookie", "signal", "value")

    def __init__(
        self,
        owner: "ThreadGroup",
        kind: int,
        signal: int = 0,
        value: int = 0,
        cookie: bytes = b"",
        send_cookie: Callable[[bytes], None] | None = None,
    ) -> None:
        self.owner = owner
        #: SIGEV_*
        self.kind = kind
        #: SIGEV_SIGNAL: number (0: none is sent) and sigev_value
        self.signal = signal
        self.value = value
        #: SIGEV_THREAD: what is put into which socket
        self.cookie = cookie
        self.send_cookie = send_cookie

    def tell(self, sender: "Task") -> None:
        """A message of `sender` arrived."""
        if self.kind == SIGEV_SIGNAL and self.signal:
            pid = sender.thread_group.identifier_in(self.owner.pid_namespace)
            uid = sender.credentials.uid
            try:
                self.owner.send_signal(SignalInfo(self.signal, SI_MESGQ, pid, uid, self.value))
            except EAGAIN:
                return  # too many are pending: lost, as in Linux; mq_send(3) has worked
        else:
            self._send(NOTIFY_WOKENUP)

    def end(self) -> None:
        """It was taken back before any message came."""
        self._send(NOTIFY_REMOVED)

    def _send(self, reason: int) -> None:
        if self.kind == SIGEV_THREAD and self.send_cookie is not None:
            self.send_cookie(self.cookie[:-1] + bytes((reason,)))


class _Sleeper:
    """Somebody who waits in a queue: with a message, or for one."""

    __slots__ = ("done", "message", "queue")

    def __init__(self, message: Message | None) -> None:
        self.message = message
        #: the message was put in, or is here
        self.done = False
        self.queue = WaitQueue()

    def finish(self) -> None:
        self.done = True
        self.queue.notify()


class PosixMessageQueue:
    """At most `maximum` messages of at most `message_size` bytes."""

    __slots__ = (
        "_messages",
        "_receivers",
        "_senders",
        "_sequence",
        "events",
        "maximum",
        "message_size",
        "notification",
        "used",
    )

    def __init__(self, maximum: int, message_size: int) -> None:
        self.maximum = maximum
        self.message_size = message_size
        #: bytes of text held
        self.used = 0
        self.notification: Notification | None = None
        #: for poll(2): who sends or receives waits elsewhere
        self.events = WaitQueue()
        #: a heap of (-priority, sequence, text)
        self._messages: list[tuple[int, int, bytes]] = []
        self._sequence = 0
        #: longest waiting first
        self._receivers: list[_Sleeper] = []
        self._senders: list[_Sleeper] = []

    def __len__(self) -> int:
        return len(self._messages)

    @property
    def is_full(self) -> bool:
        return len(self._messages) >= self.maximum

    async def send(
        self, task: "Task", message: Message, blocks: bool, deadline: int | None
    ) -> None:
        """mq_timedsend(2); `deadline` in ns of CLOCK_MONOTONIC.

        Errors: EAGAIN, ETIMEDOUT; Interrupted.
        """
        if self.is_full:
            if not blocks:
                raise EAGAIN
            await _sleep(task, self._senders, _Sleeper(message), deadline)
        elif self._receivers:
            receiver = self._receivers.pop(0)
            receiver.message = message
            receiver.finish()
        else:
            self._insert(message)
            if len(self._messages) == 1 and self.notification is not None:
                told, self.notification = self.notification, None
                told.tell(task)
            self.events.notify(POLLIN | POLLRDNORM)

    async def receive(self, task: "Task", blocks: bool, deadline: int | None) -> Message:
        """mq_timedreceive(2): the oldest message of the highest priority.

        Errors: EAGAIN, ETIMEDOUT; Interrupted.
        """
        if not self._messages:
            if not blocks:
                raise EAGAIN
            sleeper = _Sleeper(None)
            await _sleep(task, self._receivers, sleeper, deadline)
            assert sleeper.message is not None
            return sleeper.message
        priority, _, text = heappop(self._messages)
        self.used -= len(text)
        if self._senders:
            sender = self._senders.pop(0)
            assert sender.message is not None
            self._insert(sender.message)
            sender.finish()
        else:
            self.events.notify(POLLOUT | POLLWRNORM)
        return -priority, text

    def _insert(self, message: Message) -> None:
        priority, text = message
        heappush(self._messages, (-priority, self._sequence, text))
        self._sequence += 1
        self.used += len(text)

    def poll(self) -> int:
        """The poll(2) events that hold now."""
        events = POLLIN | POLLRDNORM if self._messages else 0
        return events if self.is_full else events | POLLOUT | POLLWRNORM

    def register(self, notification: Notification) -> None:
        """mq_notify(2).  Errors: EBUSY (somebody is registered)."""
        if self.notification is not None:
            raise EBUSY
        self.notification = notification

    def unregister(self, owner: "ThreadGroup") -> None:
        """The process does not want to be told any more; no matter if it never did."""
        notification = self.notification
        if notification is not None and notification.owner is owner:
            self.notification = None
            notification.end()


async def _sleep(
    task: "Task", line: list[_Sleeper], sleeper: _Sleeper, deadline: int | None
) -> None:
    """Stand in line until somebody has finished with the sleeper.  Errors: ETIMEDOUT."""
    line.append(sleeper)
    try:
        while not sleeper.done:
            in_time = await wait(task, ((sleeper.queue, ANY_EVENT),), deadline)
            if not in_time and not sleeper.done:
                raise ETIMEDOUT
    except Interrupted:
        if not sleeper.done:
            raise
    finally:
        if not sleeper.done:
            line.remove(sleeper)
