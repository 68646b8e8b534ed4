"""PID namespaces: the numbers that tasks, process groups and sessions go by.

pid_namespaces(7).  A task has an identifier in its own namespace and in every ancestor.
"""

from collections.abc import Iterator, Sequence

from runsc_py.sentry.auth.capabilities import CAP_CHECKPOINT_RESTORE, CAP_SYS_ADMIN
from runsc_py.sentry.errors import EAGAIN, EEXIST, EINVAL, ENOMEM, EPERM

TYPE_CHECKING = False
if TYPE_CHECKING:
    from runsc_py.sentry.auth.credentials import Credentials
    from runsc_py.sentry.auth.user_counts import Charge
    from runsc_py.sentry.auth.user_namespace import UserNamespace
    from runsc_py.sentry.kernel.sessions import ProcessGroup, Session
    from runsc_py.sentry.kernel.task import Task
    from runsc_py.sentry.kernel.thread_group import ThreadGroup

#: /proc/sys/kernel/pid_max
PID_MAX = 4194304
#: numbers that are not given out again once they wrapped around (Linux's RESERVED_PIDS)
RESERVED = 300
#: who may choose the number of a child has one of these
_CHOOSING = (CAP_SYS_ADMIN, CAP_CHECKPOINT_RESTORE)


class PidNamespace:
    """Identifiers of tasks, and what they lead to."""

    __slots__ = (
        "__weakref__",
        "charge",
        "exiting",
        "inode_number",
        "last",
        "level",
        "maximum",
        "parent",
        "process_groups",
        "sessions",
        "tasks",
        "user_namespace",
    )

    def __init__(
        self, parent: "PidNamespace | None", user_namespace: "UserNamespace", inode_number: int
    ) -> None:
        self.charge: Charge | None = None
        self.parent = parent
        self.level: int = parent.level + 1 if parent is not None else 0
        self.user_namespace = user_namespace
        self.inode_number = inode_number
        self.tasks: dict[int, Task] = {}
        self.process_groups: dict[int, ProcessGroup] = {}
        self.sessions: dict[int, Session] = {}
        #: the number given out last
        self.last = 0
        #: numbers stay below this one: /proc/sys/kernel/pid_max
        self.maximum = PID_MAX
        #: set once the init process died: no more tasks
        self.exiting = False

    def chain(self) -> "Iterator[PidNamespace]":
        """This namespace and its ancestors, innermost first."""
        namespace: PidNamespace | None = self
        while namespace is not None:
            yield namespace
            namespace = namespace.parent

    def is_within(self, ancestor: "PidNamespace") -> bool:
        """Whether `ancestor` is this namespace or one above it."""
        return any(namespace is ancestor for namespace in self.chain())

    def _in_use(self, number: int) -> bool:
        return number in self.tasks or number in self.process_groups or number in self.sessions

    def check_wanted(self, wanted: Sequence[int], credentials: "Credentials") -> None:
        """Whether a task may be made here and have these numbers, innermost first (set_tid).

        Errors: ENOMEM when the namespace is dying; EINVAL, EPERM, EEXIST.
        """
        if any(namespace.exiting for namespace in self.chain()):
            raise ENOMEM
        if len(wanted) > self.level + 1:
            raise EINVAL
        for number, namespace in zip(wanted, self.chain(), strict=False):
            if not 0 < number < namespace.maximum or (number != 1 and 1 not in namespace.tasks):
                raise EINVAL
            owner = namespace.user_namespace
            if not any(credentials.has_capability(one, owner) for one in _CHOOSING):
                raise EPERM
            if namespace._in_use(number):
                raise EEXIST

    def _allocate(self) -> int:
        """A free number.  Errors: EAGAIN."""
        number = self.last
        for _ in range(self.maximum):
            number = number + 1 if number + 1 < self.maximum else RESERVED
            if not self._in_use(number):
                self.last = number
                return number
        raise EAGAIN

    def register(self, task: "Task", wanted: Sequence[int] = ()) -> dict["PidNamespace", int]:
        """Give a new task its numbers here and in every ancestor; the first ones are `wanted`.

        The caller has checked them (`check_wanted`).  Errors: ENOMEM when one is dying, EAGAIN.
        """
        if any(namespace.exiting for namespace in self.chain()):
            raise ENOMEM
        identifiers: dict[PidNamespace, int] = {}
        try:
            for depth, namespace in enumerate(self.chain()):
                chosen = depth < len(wanted)
                identifiers[namespace] = wanted[depth] if chosen else namespace._allocate()
        except EAGAIN:
            _take_back(identifiers)
            raise
        for namespace, number in identifiers.items():
            namespace.tasks[number] = task
        return identifiers

    def unregister(self, task: "Task") -> None:
        """The task is reaped: its numbers are free."""
        for namespace, number in task.identifiers.items():
            if namespace.tasks.get(number) is task:
                del namespace.tasks[number]

    def withdraw(self, task: "Task") -> None:
        """The task never ran: its numbers are the next to be given out."""
        self.unregister(task)
        _take_back(task.identifiers)

    def thread_group(self, identifier: int) -> "ThreadGroup | None":
        """The thread group whose leader has this number."""
        task = self.tasks.get(identifier)
        if task is None or task.thread_group.leader is not task:
            return None
        return task.thread_group

    def thread_groups(self) -> "list[ThreadGroup]":
        """Every thread group visible here, in order of their numbers."""
        return [
            task.thread_group
            for _, task in sorted(self.tasks.items())
            if task.thread_group.leader is task
        ]


def _take_back(identifiers: "dict[PidNamespace, int]") -> None:
    """Numbers that nobody has come to use."""
    for namespace, number in identifiers.items():
        if namespace.last == number:
            namespace.last = number - 1
