"""Guests' own seccomp filters: seccomp(2), evaluated for every call of a task that has some.

Filters stack: all of them run, the most restrictive answer wins.  What a filter answers without
looking at arguments is remembered by number.
"""

from collections.abc import Sequence

from runsc_py.sentry.abi.seccomp import (
    AUDIT_ARCH_X86_64,
    SECCOMP_DATA,
    SECCOMP_MODE_DISABLED,
    SECCOMP_MODE_FILTER,
    SECCOMP_MODE_STRICT,
    SECCOMP_RET_ACTION,
    SECCOMP_RET_ALLOW,
    SECCOMP_RET_DATA,
    SECCOMP_RET_ERRNO,
    SECCOMP_RET_KILL_THREAD,
    SECCOMP_RET_LOG,
    SECCOMP_RET_TRACE,
    SECCOMP_RET_TRAP,
    SECCOMP_RET_USER_NOTIF,
    SIGINFO_SYSCALL,
    SYS_SECCOMP_CODE,
)
from runsc_py.sentry.abi.signals import SIGKILL, SIGSYS
from runsc_py.sentry.errors import EINVAL, ENOMEM, ENOSYS
from runsc_py.sentry.kernel.bpf import Instruction, check_program, run_program
from runsc_py.sentry.kernel.exit import TaskEnded, exit_task
from runsc_py.sentry.kernel.signal_delivery import terminate
from runsc_py.sentry.kernel.signal_sending import force_signal
from runsc_py.sentry.kernel.signals import SignalInfo
from runsc_py.sentry.kernel.waiting import POLLHUP

TYPE_CHECKING = False
if TYPE_CHECKING:
    from runsc_py.sentry.kernel.seccomp_notification import Listener
    from runsc_py.sentry.kernel.task import Task

#: instructions of all filters of a task, with a little for each filter (MAX_INSNS_PER_PATH)
MAXIMUM_INSTRUCTIONS = 32768
MAXIMUM_ERRNO = 4095
#: what strict mode allows: read, write, rt_sigreturn, exit
STRICT_CALLS = frozenset((0, 1, 15, 60))


class Filter:
    """One installed program and the filter that was there before it."""

    __slots__ = ("fixed", "listener", "logs", "previous", "program", "users")

    def __init__(
        self, program: Sequence[Instruction], previous: "Filter | None", logs: bool
    ) -> None:
        """Errors: EINVAL for a bad program, ENOMEM for too many."""
        check_program(program)
        size = len(program) + 4
        older = previous
        while older is not None:
            size += len(older.program) + 4
            older = older.previous
        if size > MAXIMUM_INSTRUCTIONS:
            raise ENOMEM
        self.program: Sequence[Instruction] = program
        self.previous: Filter | None = previous
        self.logs = logs
        #: tasks that have this filter as their newest, and filters stacked on it
        self.users = 0
        #: who answers SECCOMP_RET_USER_NOTIF
        self.listener: Listener | None = None
        #: answers by number that depend on nothing else
        self.fixed: dict[int, int] = {}

    def evaluate(self, number: int, data: bytes) -> int:
        """This program's answer."""
        answer = self.fixed.get(number)
        if answer is None:
            answer, variable = run_program(self.program, data)
            if not variable:
                self.fixed[number] = answer
        return answer


def _precedence(answer: int) -> int:
    """Lower wins: the action as a signed word, so that KILL_PROCESS comes first."""
    action = answer & SECCOMP_RET_ACTION
    return action - (1 << 32) if action & 0x80000000 else action


def call_data(task: "Task") -> bytes:
    """The struct seccomp_data of the call that a task stopped at."""
    context = task.context
    return SECCOMP_DATA.pack(
        context.number - (context.number >> 31 << 32),
        AUDIT_ARCH_X86_64,
        context.registers.rip,
        *SECCOMP_DATA.unpack(bytes(16) + bytes(context.arguments))[3:],
    )


def verdict(task: "Task", data: bytes) -> tuple[int, Filter | None]:
    """What the filters of a task say about a call, and the one that said it."""
    answer, by = SECCOMP_RET_ALLOW, None
    current: Filter | None = task.seccomp_filter
    while current is not None:
        one = current.evaluate(task.context.number, data)
        # The newest filter runs first; among equals its data counts.
        if _precedence(one) < _precedence(answer):
            answer, by = one, current
        current = current.previous
    return answer, by


def is_for_tracer(answer: int) -> bool:
    """Whether a verdict leaves the call to a tracer."""
    return answer & SECCOMP_RET_ACTION == SECCOMP_RET_TRACE


def is_for_supervisor(answer: int) -> bool:
    """Whether a verdict leaves the call to a listener's supervisor."""
    return answer & SECCOMP_RET_ACTION == SECCOMP_RET_USER_NOTIF


async def ask_supervisor(task: "Task", by: Filter, data: bytes) -> bool:
    """SECCOMP_RET_USER_NOTIF.  True: the call may go on; else the context has its result."""
    if by.listener is not None:
        return await by.listener.ask(task, data)
    task.context.set_result(-ENOSYS.number)
    return False


def enforce(task: "Task", answer: int) -> bool:
    """Carry out a verdict on the call the task stopped at.  True: the call may go on.

    Otherwise the context has its result.  Raises TaskEnded when the task was killed.
    """
    if task.seccomp_strict and task.context.number not in STRICT_CALLS:
        exit_task(task, SIGKILL)
        raise TaskEnded
    action, data = answer & SECCOMP_RET_ACTION, answer & SECCOMP_RET_DATA
    if action in (SECCOMP_RET_ALLOW, SECCOMP_RET_LOG):
        return True
    if action == SECCOMP_RET_ERRNO:
        task.context.set_result(-min(data, MAXIMUM_ERRNO))
    elif action == SECCOMP_RET_TRAP:
        _trap(task, data)
    elif action == SECCOMP_RET_TRACE:
        task.context.set_result(-ENOSYS.number)  # nobody traces with PTRACE_O_TRACESECCOMP
    else:
        _kill(task, action)
    return False


def _trap(task: "Task", data: int) -> None:
    """SIGSYS; the registers are as before the call, but for rip."""
    registers = task.context.registers
    number = task.context.number
    task.context.set_result(number)
    raw = SIGINFO_SYSCALL.pack(
        SIGSYS, data, SYS_SECCOMP_CODE, registers.rip, number, AUDIT_ARCH_X86_64
    )
    force_signal(task, SignalInfo(SIGSYS, raw=raw))


def _kill(task: "Task", action: int) -> None:
    """KILL_THREAD of the last thread, and KILL_PROCESS, look like a death by SIGSYS."""
    group = task.thread_group
    if action == SECCOMP_RET_KILL_THREAD and len(group.tasks) > 1:
        exit_task(task, SIGSYS)
    else:
        # Also for an action that nobody knows: fail closed, as Linux does.
        terminate(group, SIGSYS)
    raise TaskEnded


def install(task: "Task", new: Filter, *, all_threads: bool) -> int:
    """Put a filter made from the task's newest in force.

    Returns 0, or the thread that has filters of its own (TSYNC): then nothing has happened.
    """
    others = [other for other in task.thread_group.tasks if other is not task]
    for thread in others if all_threads else ():
        own = thread.seccomp_filter
        if thread.seccomp_strict or not _is_ancestor(own, task.seccomp_filter):
            return thread.identifier_in(task.pid_namespace)
    # The new filter has the task's reference to the one before.
    task.seccomp_filter = None
    attach(task, new)
    for thread in others if all_threads else ():
        release_filters(thread)
        attach(thread, new)
        thread.no_new_privileges = thread.no_new_privileges or task.no_new_privileges
    return 0


def attach(task: "Task", newest: Filter) -> None:
    """A task that has no filters gets these."""
    newest.users += 1
    task.seccomp_filter = newest
    task.watched = True


def release_filters(task: "Task") -> None:
    """A task ends or gets others: listeners whose filter nobody has any more hang up."""
    current, task.seccomp_filter = task.seccomp_filter, None
    while current is not None:
        current.users -= 1
        if current.users:
            return
        if current.listener is not None:
            current.listener.queue.notify(POLLHUP)
        current = current.previous


def has_listener(task: "Task") -> bool:
    """Whether a filter of the task has an open listener."""
    current = task.seccomp_filter
    while current is not None and current.listener is None:
        current = current.previous
    return current is not None


def _is_ancestor(older: Filter | None, newer: Filter | None) -> bool:
    """Whether `older` is what `newer` was made from, or the same."""
    while newer is not None and newer is not older:
        newer = newer.previous
    return newer is older


def set_strict(task: "Task") -> None:
    """SECCOMP_MODE_STRICT.  Errors: EINVAL when filters are there."""
    if task.seccomp_filter is not None:
        raise EINVAL
    task.seccomp_strict = True
    task.watched = True


def filter_count(task: "Task") -> int:
    """How many filters a task has, for /proc/PID/status."""
    count = 0
    current = task.seccomp_filter
    while current is not None:
        count += 1
        current = current.previous
    return count


def mode(task: "Task") -> int:
    """What prctl(PR_GET_SECCOMP) and /proc/PID/status show."""
    if task.seccomp_strict:
        return SECCOMP_MODE_STRICT
    return SECCOMP_MODE_FILTER if task.seccomp_filter is not None else SECCOMP_MODE_DISABLED
