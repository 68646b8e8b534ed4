"""Making tasks: clone(2), fork(2), vfork(2).

What the clone flags say about sharing is settled here; the platform only makes a host thread, a
copy-on-write process or one that shares memory.
"""

from collections.abc import Sequence
from contextlib import suppress

from runsc_py.sentry.abi.process import (
    CLONE_CHILD_CLEARTID,
    CLONE_CHILD_SETTID,
    CLONE_CLEAR_SIGHAND,
    CLONE_FILES,
    CLONE_FS,
    CLONE_NEWIPC,
    CLONE_NEWNS,
    CLONE_NEWPID,
    CLONE_NEWUSER,
    CLONE_PARENT,
    CLONE_PARENT_SETTID,
    CLONE_PIDFD,
    CLONE_SETTLS,
    CLONE_SIGHAND,
    CLONE_SYSVSEM,
    CLONE_THREAD,
    CLONE_UNTRACED,
    CLONE_VFORK,
    CLONE_VM,
)
from runsc_py.sentry.abi.ptrace import (
    PTRACE_EVENT_CLONE,
    PTRACE_EVENT_FORK,
    PTRACE_EVENT_VFORK,
    PTRACE_EVENT_VFORK_DONE,
)
from runsc_py.sentry.abi.signals import SIGCHLD, SS_DISABLE
from runsc_py.sentry.auth.capabilities import CAP_SYS_ADMIN
from runsc_py.sentry.errors import EAGAIN, EFAULT, EINVAL
from runsc_py.sentry.kernel.inheritance import value_for_child
from runsc_py.sentry.kernel.interval_timers import watch_cpu_limit
from runsc_py.sentry.kernel.limits import RLIM_INFINITY, RLIMIT_CPU, RLIMIT_NPROC, is_full
from runsc_py.sentry.kernel.namespace_changes import NewNamespaces
from runsc_py.sentry.kernel.scheduling import scheduling_of, set_scheduling
from runsc_py.sentry.kernel.task import Task
from runsc_py.sentry.kernel.thread_group import ThreadGroup
from runsc_py.sentry.kernel.time_namespace import enter_for_children
from runsc_py.sentry.kernel.tracing import inherit, report_events
from runsc_py.sentry.kernel.waiting import ANY_EVENT, WaitQueue, wait

TYPE_CHECKING = False
if TYPE_CHECKING:
    from runsc_py.platform.interface import Context
    from runsc_py.sentry.kernel.pid_namespace import PidNamespace


class CloneArguments:
    """What clone and clone3 ask for."""

    __slots__ = (
        "child_tid",
        "exit_signal",
        "flags",
        "parent_tid",
        "pidfd",
        "stack",
        "tls",
        "wanted",
    )

    def __init__(
        self,
        flags: int,
        exit_signal: int = SIGCHLD,
        stack: int = 0,
        parent_tid: int = 0,
        child_tid: int = 0,
        tls: int = 0,
        wanted: Sequence[int] = (),
        pidfd: int = 0,
    ) -> None:
        #: CLONE_* without the exit signal
        self.flags = flags
        self.exit_signal = exit_signal
        #: the child's stack pointer, 0 for the parent's
        self.stack = stack
        self.parent_tid = parent_tid
        self.child_tid = child_tid
        self.tls = tls
        #: set_tid: the numbers to have, from the innermost PID namespace on
        self.wanted = wanted
        #: with CLONE_PIDFD: where the caller of `clone` will put the child's descriptor
        self.pidfd = pidfd


def check_flags(flags: int) -> None:
    """The combinations that clone(2) lists under EINVAL."""
    if flags & CLONE_SIGHAND and not flags & CLONE_VM:
        raise EINVAL
    if flags & CLONE_THREAD and not flags & CLONE_SIGHAND:
        raise EINVAL
    if flags & CLONE_FS and flags & (CLONE_NEWNS | CLONE_NEWUSER):
        raise EINVAL
    if flags & CLONE_THREAD and flags & (CLONE_NEWPID | CLONE_NEWUSER):
        raise EINVAL
    if flags & CLONE_NEWIPC and flags & CLONE_SYSVSEM:
        raise EINVAL
    if flags & CLONE_CLEAR_SIGHAND and flags & CLONE_SIGHAND:
        raise EINVAL


def clone(task: Task, arguments: CloneArguments) -> Task:
    """Make a task that starts where `task` is.

    Errors: EINVAL, EAGAIN (limits), EPERM (namespaces), ENOMEM, EEXIST, EMFILE, EFAULT.
    """
    flags = arguments.flags
    check_flags(flags)
    if flags & CLONE_PARENT and _is_namespace_init(task.thread_group):
        raise EINVAL
    _check_limits(task)
    new = NewNamespaces(task, flags)
    # From here on nothing fails but the host: what a child shares or copies is not taken back.
    new.pid_namespace.check_wanted(arguments.wanted, new.credentials)
    if flags & CLONE_PIDFD:
        task.files.free_descriptor()
        # Whether it can be written; the child's copy is not to see the number.
        task.memory.copy_out(arguments.pidfd, task.memory.copy_in(arguments.pidfd, 4))
    shares_memory = bool(flags & CLONE_VM)
    if flags & CLONE_THREAD:
        context = task.context.clone_thread()
    else:
        context = task.context.clone_process(shares_memory)
    group = (
        task.thread_group
        if flags & CLONE_THREAD
        else _new_thread_group(task, arguments, new.pid_namespace)
    )
    memory = task.memory
    child = Task(
        task.kernel,
        group,
        context,
        credentials=new.credentials,
        memory=memory.acquire() if shares_memory else memory.fork(context.address_space),
        files=task.files.share() if flags & CLONE_FILES else task.files.fork(group.limits),
        file_context=task.file_context.share() if flags & CLONE_FS else task.file_context.fork(),
        namespaces=new.namespaces,
        name=task.name,
        wanted_identifiers=arguments.wanted,
    )
    if not shares_memory:
        child.namespaces = enter_for_children(child.namespaces, child.memory)
    new.translate(child.file_context)
    _inherit(task, child, shares_memory and not flags & CLONE_VFORK)
    _join_group(task, child, flags)
    if group is not task.thread_group:
        group.is_unkillable = child.identifier_in(group.pid_namespace) == 1
    _set_up_registers(child.context, arguments)
    _set_up_identifiers(task, child, arguments)
    if task.tracing is not None:
        _report_to_tracer(task, child, arguments)
    task.kernel.start_task(child)
    return child


def _is_namespace_init(group: ThreadGroup) -> bool:
    """Whether a sibling of this process would be out of its namespace, or nobody's child."""
    return group is not group.kernel.init and group.identifier_in(group.pid_namespace) == 1


def _report_to_tracer(task: Task, child: Task, arguments: CloneArguments) -> None:
    """PTRACE_O_TRACECLONE and its like: the tracer is told, and traces the child as well."""
    tracing = task.tracing
    assert tracing is not None
    if arguments.flags & CLONE_VFORK:
        event = PTRACE_EVENT_VFORK
    elif arguments.exit_signal != SIGCHLD or arguments.flags & CLONE_THREAD:
        event = PTRACE_EVENT_CLONE
    else:
        event = PTRACE_EVENT_FORK
    if tracing.wants(event) and not arguments.flags & CLONE_UNTRACED:
        inherit(task, child)
        message = child.identifier_in(tracing.tracer.pid_namespace)
        tracing.events.append((event, message))
        task.attention = True


def _check_limits(task: Task) -> None:
    kernel = task.kernel
    limit = kernel.limits.pids
    if (limit and len(kernel.root_pid_namespace.tasks) >= limit) or is_full(
        task.thread_group.container
    ):
        kernel.note_limit("pids", task)
        raise EAGAIN
    soft, _ = task.thread_group.limits.get(RLIMIT_NPROC)
    credentials = task.credentials
    if credentials.uid and not credentials.has_capability(CAP_SYS_ADMIN):
        mine = sum(
            1
            for other in kernel.root_pid_namespace.tasks.values()
            if other.credentials.uid == credentials.uid
        )
        if mine >= soft:
            raise EAGAIN


def _new_thread_group(
    task: Task, arguments: CloneArguments, pid_namespace: "PidNamespace"
) -> ThreadGroup:
    parent = task.thread_group
    flags = arguments.flags
    if flags & CLONE_SIGHAND:
        handlers = parent.handlers
    elif flags & CLONE_CLEAR_SIGHAND:
        handlers = parent.handlers.for_exec()
    else:
        handlers = parent.handlers.copy()
    return ThreadGroup(
        task.kernel,
        pid_namespace,
        handlers,
        parent.limits.copy(),
        parent.exit_signal if flags & CLONE_PARENT else arguments.exit_signal,
    )


def _inherit(task: Task, child: Task, fresh_stack: bool) -> None:
    """What a child has of the task that made it, beside what the flags share."""
    child.signal_mask = (
        task.signal_mask if task.saved_signal_mask is None else task.saved_signal_mask
    )
    child.no_new_privileges = task.no_new_privileges
    if task.seccomp_filter is not None:
        from runsc_py.sentry.kernel.seccomp import attach

        attach(child, task.seccomp_filter)
    child.seccomp_strict = task.seccomp_strict
    child.watched = child.is_observed()
    # A thread that shares memory would share the alternate stack: it starts without one.
    child.alternate_stack = (0, SS_DISABLE, 0) if fresh_stack else task.alternate_stack
    for name in task.kernel.inherited_extras:
        if name in task.extras:
            child.extras[name] = value_for_child(task.extras[name])
    scheduling = scheduling_of(task)
    if scheduling.reset_on_fork:
        set_scheduling(child, scheduling.for_child())


def _join_group(task: Task, child: Task, flags: int) -> None:
    """Enter the child into its thread group, process group and family."""
    group = child.thread_group
    if flags & CLONE_THREAD:
        group.tasks.append(child)
        return
    group.leader = child
    group.tasks.append(child)
    if group.limits.soft(RLIMIT_CPU) != RLIM_INFINITY:
        watch_cpu_limit(group)
    creator = task.thread_group
    parent = creator.parent if flags & CLONE_PARENT else creator
    if parent is not None:
        group.set_parent(parent, creator.parent_task if flags & CLONE_PARENT else task)
    group.oom_score_adjustment = creator.oom_score_adjustment
    group.container = creator.container
    group.program = creator.program
    if creator.process_group is not None:
        creator.process_group.add(group)


def _set_up_registers(context: "Context", arguments: CloneArguments) -> None:
    registers = context.registers
    registers.rax = 0
    if arguments.stack:
        registers.rsp = arguments.stack
    if arguments.flags & CLONE_SETTLS:
        registers.fs_base = arguments.tls
    context.set_registers_changed()


def _set_up_identifiers(task: Task, child: Task, arguments: CloneArguments) -> None:
    """The *_SETTID and CLEARTID flags; unwritable addresses are ignored, as on Linux."""
    flags = arguments.flags
    if flags & CLONE_PARENT_SETTID:
        number = child.identifier_in(task.pid_namespace)
        _store_identifier(task, arguments.parent_tid, number)
    if flags & CLONE_CHILD_SETTID:
        number = child.identifier_in(child.pid_namespace)
        _store_identifier(child, arguments.child_tid, number)
    if flags & CLONE_CHILD_CLEARTID:
        child.clear_child_tid = arguments.child_tid


def _store_identifier(task: Task, address: int, number: int) -> None:
    with suppress(EFAULT):
        task.memory.copy_out(address, number.to_bytes(4, "little"))


async def wait_for_vfork(task: Task, child: Task) -> None:
    """CLONE_VFORK: the parent is held until the child execs or ends."""
    queue = WaitQueue()
    child.vfork_queue = queue
    if task.tracing is not None:
        await report_events(task.tracing)
    while child.vfork_queue is queue:
        await wait(task, ((queue, ANY_EVENT),), interruptible=False)
    if task.tracing is not None and task.tracing.wants(PTRACE_EVENT_VFORK_DONE):
        identifier = child.identifier_in(task.tracing.tracer.pid_namespace)
        task.tracing.events.append((PTRACE_EVENT_VFORK_DONE, identifier))
        task.attention = True
