"""SECCOMP_RET_USER_NOTIF: a call that another process answers (seccomp_unotify(2)).

The filter that says so has a `Listener`.  The task that made the call waits in `ask` for what
the supervisor says through its descriptor of the listener (`fs/seccomp_listener.py`).
"""

from runsc_py.sentry.abi.seccomp import SECCOMP_USER_NOTIF_FLAG_CONTINUE
from runsc_py.sentry.errors import EINPROGRESS, ENOENT, ENOSYS
from runsc_py.sentry.kernel.waiting import (
    ANY_EVENT,
    POLLHUP,
    POLLIN,
    POLLOUT,
    POLLRDNORM,
    POLLWRNORM,
    Interrupted,
    WaitQueue,
    wait,
)
from runsc_py.sentry.syscalls.table import Restart

TYPE_CHECKING = False
if TYPE_CHECKING:
    from runsc_py.sentry.kernel.seccomp import Filter
    from runsc_py.sentry.kernel.task import Task

# States of a notification.
INIT = 0
SENT = 1
REPLIED = 2

_IDENTIFIERS = 1 << 64


class Notification:
    """A call that waits for its answer."""

    __slots__ = ("data", "error", "flags", "identifier", "queue", "state", "task", "value")

    def __init__(self, task: "Task", identifier: int, data: bytes) -> None:
        self.task = task
        self.identifier = identifier
        #: the struct seccomp_data that the filters saw
        self.data = data
        self.state = INIT
        self.queue = WaitQueue()
        self.error = self.value = self.flags = 0

    def reply(self, error: int, value: int, flags: int) -> None:
        """Let the task go on."""
        self.state = REPLIED
        self.error, self.value, self.flags = error, value, flags
        self.queue.notify()


class Listener:
    """The calls that tasks with a filter asked about."""

    __slots__ = ("filter", "next_identifier", "notifications", "queue", "requests", "wait_killable")

    def __init__(self, of: "Filter", first_identifier: int, wait_killable: bool) -> None:
        self.filter = of
        self.next_identifier = first_identifier
        #: only a deadly signal interrupts a call that the supervisor has received
        self.wait_killable = wait_killable
        self.notifications: list[Notification] = []
        #: what was asked and not received; an interrupted call counts on, as in Linux
        self.requests = 0
        #: poll(2), and those who wait to receive
        self.queue = WaitQueue()

    def readiness(self) -> int:
        """poll(2): calls to receive, calls to answer, nobody left to ask."""
        events = 0
        for notification in self.notifications:
            if notification.state == INIT:
                events |= POLLIN | POLLRDNORM
            elif notification.state == SENT:
                events |= POLLOUT | POLLWRNORM
        return events if self.filter.users else events | POLLHUP

    def take_request(self) -> bool:
        """Whether to look for a notification now, instead of waiting for one."""
        if self.filter.users == 0:
            return True
        if self.requests == 0:
            return False
        self.requests -= 1
        return True

    def receive(self) -> Notification:
        """The oldest call that nobody has received.  Errors: ENOENT."""
        for notification in self.notifications:
            if notification.state == INIT:
                notification.state = SENT
                self.queue.notify(POLLOUT | POLLWRNORM)
                return notification
        raise ENOENT

    def give_back(self, notification: Notification) -> None:
        """The receiver could not take it."""
        notification.state = INIT
        self._announce()

    def find(self, identifier: int) -> Notification:
        """A call that waits for its answer.  Errors: ENOENT; EINPROGRESS for any other state."""
        for notification in self.notifications:
            if notification.identifier == identifier:
                if notification.state != SENT:
                    raise EINPROGRESS
                return notification
        raise ENOENT

    def close(self) -> None:
        """The last descriptor is gone: who waits, and who asks from now on, gets ENOSYS."""
        self.filter.listener = None
        for notification in self.notifications:
            if notification.state != REPLIED:
                notification.reply(-ENOSYS.number, 0, 0)

    def _announce(self) -> None:
        self.requests += 1
        self.queue.notify(POLLIN | POLLRDNORM)

    async def ask(self, task: "Task", data: bytes) -> bool:
        """Wait for the supervisor.  True: the call may go on; else the context has its result."""
        notification = Notification(task, self.next_identifier, data)
        self.next_identifier = (self.next_identifier + 1) % _IDENTIFIERS
        self.notifications.append(notification)
        self._announce()
        try:
            while notification.state != REPLIED:
                await self._wait(task, notification)
        finally:
            self.notifications.remove(notification)
        if notification.flags & SECCOMP_USER_NOTIF_FLAG_CONTINUE:
            return True
        task.context.set_result(notification.error or notification.value)
        return False

    async def _wait(self, task: "Task", notification: Notification) -> None:
        interruptible = not self._must_be_killed(notification)
        try:
            await wait(task, ((notification.queue, ANY_EVENT),), interruptible=interruptible)
        except Interrupted:
            if not (interruptible and self._must_be_killed(notification)):
                raise Interrupted(Restart.SYSTEM) from None

    def _must_be_killed(self, notification: Notification) -> bool:
        return self.wait_killable and notification.state >= SENT
