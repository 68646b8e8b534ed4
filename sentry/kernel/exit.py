"""The end of threads and processes: exit(2), exit_group(2), zombies, reparenting.

Ending is immediate: a thread that runs guest code is killed on the host, one that waits has
its coroutine closed.
"""

from runsc_py.sentry.abi.signals import ALL_SIGNALS, SI_USER, SIGCHLD, SIGCONT, SIGHUP
from runsc_py.sentry.errors import KernelError
from runsc_py.sentry.kernel.child_events import notify_parent_of_exit
from runsc_py.sentry.kernel.file_context import FileContext
from runsc_py.sentry.kernel.futex import exit_robust_list, wake_address
from runsc_py.sentry.kernel.posix_timers import delete_posix_timers
from runsc_py.sentry.kernel.signals import SignalInfo
from runsc_py.sentry.kernel.task import BLOCKED, DEAD
from runsc_py.sentry.kernel.tracing import release_tracees, tracee_ended

TYPE_CHECKING = False
if TYPE_CHECKING:
    from runsc_py.sentry.kernel.sessions import ProcessGroup
    from runsc_py.sentry.kernel.task import Task
    from runsc_py.sentry.kernel.thread_group import ThreadGroup


class TaskEnded(Exception):
    """Raised by the exit calls: the task that made the call is gone."""


def exit_thread_group(group: "ThreadGroup", status: int) -> None:
    """End every thread; `status` is encoded as wait(2) shows it."""
    if group.exiting:
        return
    group.exiting = True
    group.exit_status = status
    group.stop_signal = 0
    for task in list(group.tasks):
        exit_task(task, status)


def exit_task(task: "Task", status: int) -> None:
    """End one thread; the last one ends the process with `status`."""
    group = task.thread_group
    if task.coroutine is not None and task.state == BLOCKED:
        task.coroutine.close()
    task.coroutine = None
    group.past_usage.system += task.system_time()
    group.past_usage.voluntary_switches += task.voluntary_switches
    group.past_io.add(task.io)
    task.state = DEAD
    if len(group.tasks) == 1:
        _account(group)
        if not group.exiting:
            group.exiting = True
            group.exit_status = status
    release_user_state(task)
    if task.seccomp_filter is not None:
        from runsc_py.sentry.kernel.seccomp import release_filters

        release_filters(task)
    task.files.release(task)
    _leave_namespaces(task)
    task.context.exit()
    task.memory.release()
    group.tasks.remove(task)
    task.pending.discard(ALL_SIGNALS)
    task.kernel.task_ended(task)
    if task is not group.leader:
        task.pid_namespace.unregister(task)
    if task.tracing is not None:
        task.tracing.stop = None
        if task is not group.leader:  # whose end is told with that of the process
            tracee_ended(task, status)
    if group.children:
        _signal_children_of_dead_thread(task)
    if not group.tasks:
        if task.namespaces.ipc.objects:
            from runsc_py.sentry.ipc.shared_memory import makes_no_more

            makes_no_more(task.namespaces.ipc)
        _end_process(group)
    else:
        group.exit_queue.notify()


def _leave_namespaces(task: "Task") -> None:
    """A zombie keeps neither mounts nor namespaces: what is left of it is in the first ones."""
    kernel = task.kernel
    task.file_context.release()
    mounts = kernel.root_mount_namespace
    root = mounts.root.root_path
    task.file_context = FileContext(root, root)
    first = kernel.init.leader.namespaces if kernel.init is not None else task.namespaces
    if task.namespaces is not first or first.mount is not mounts:
        task.namespaces = first.copy()
        task.namespaces.mount = mounts


def _account(group: "ThreadGroup") -> None:
    """The last thread ends: what the process used is known."""
    group.leave_host_process()
    kernel, used = group.kernel, group.past_usage
    kernel.ended_usage += used
    if group.container is not None:
        group.container.ended_usage += used
    if group.program is not None:
        group.program.ended_usage += used


def release_user_state(task: "Task") -> None:
    """What the kernel does in the memory of a thread that exits or execs; end a vfork."""
    if task.robust_list:
        exit_robust_list(task)
        task.robust_list = 0
    if task.kernel.futexes.locks:
        from runsc_py.sentry.kernel.futex_pi import release_locks

        release_locks(task)
    if task.clear_child_tid:
        address, task.clear_child_tid = task.clear_child_tid, 0
        if task.memory.users > 1:
            try:
                task.memory.copy_out(address, bytes(4))
            except KernelError:
                pass  # the thread unmapped it: Linux ignores that, too
            else:
                wake_address(task, address, 1)
    if task.vfork_queue is not None:
        queue, task.vfork_queue = task.vfork_queue, None
        queue.notify()


def _signal_children_of_dead_thread(task: "Task") -> None:
    """PR_SET_PDEATHSIG: the children whose parent thread this was; they become another one's."""
    group = task.thread_group
    for child in group.children:
        if child.parent_task is not task:
            continue
        child.parent_task = next(iter(group.tasks), None)
        for thread in list(child.tasks):
            if thread.parent_death_signal:
                sender = group.identifier_in(child.pid_namespace)
                info = SignalInfo(thread.parent_death_signal, SI_USER, sender, task.credentials.uid)
                child.send_signal(info)


def _end_process(group: "ThreadGroup") -> None:
    """All threads are gone: a zombie, orphans, a session without a leader."""
    kernel = group.kernel
    group.is_zombie = True
    namespace = group.pid_namespace
    is_init = namespace.tasks.get(1) is group.leader
    if is_init:
        _end_namespace(group)
    release_tracees(group)
    if group.extras:
        from runsc_py.sentry.ipc.semaphores import settle

        delete_posix_timers(group)
        settle(group)
    group.pending.discard(ALL_SIGNALS)
    _reparent_children(group)
    _leave_session(group)
    group.exit_queue.notify()
    if group is kernel.init:
        kernel.finished = True
    if group.leader.tracing is not None:
        tracee_ended(group.leader, group.exit_status)
    if group.last_tracing is None:
        tell_parent(group)


def tell_parent(group: "ThreadGroup") -> None:
    """The parent may wait for a zombie from now on; nobody does if it does not want to know.

    A zombie that another process traced was that one's to wait for first.
    """
    group.last_tracing = None
    if notify_parent_of_exit(group):
        reap(group)


def _end_namespace(group: "ThreadGroup") -> None:
    """The init process of a PID namespace died: so does everybody in it (pid_namespaces(7))."""
    namespace = group.pid_namespace
    namespace.exiting = True
    for task in list(namespace.tasks.values()):
        if task.thread_group is not group and task.state != DEAD:
            group.kernel.doom(task.thread_group)


def _reparent_children(group: "ThreadGroup") -> None:
    """Children go to the nearest living subreaper, or to the namespace's init."""
    if not group.children:
        return
    heir = _find_heir(group)
    for child in list(group.children):
        watched = child.process_group if _watches(group, child.process_group) else None
        if heir is None:
            group.children.remove(child)
            child.parent = None
        else:
            child.set_parent(heir)
            child.exit_signal = SIGCHLD
        if child.is_zombie and child.last_tracing is None:
            tell_parent(child)
        elif watched is not None:
            _hang_up_if_orphaned(watched)


def _find_heir(group: "ThreadGroup") -> "ThreadGroup | None":
    ancestor = group.parent
    while ancestor is not None and ancestor.pid_namespace is group.pid_namespace:
        if ancestor.child_subreaper and not ancestor.is_zombie:
            return ancestor
        ancestor = ancestor.parent
    init = group.pid_namespace.tasks.get(1)
    if init is not None and init.thread_group is group.kernel.init and group.kernel.reaps_orphans:
        return None
    if init is None or init.thread_group is group or init.thread_group.is_zombie:
        return None
    return init.thread_group


def _leave_session(group: "ThreadGroup") -> None:
    """A dying session leader hangs up its terminal; stopped orphans are told (setpgid(2))."""
    process_group = group.process_group
    if process_group is None:
        return
    session = process_group.session
    if session.leader is group:
        session.leader = None
        if session.terminal is not None:
            group.kernel.hang_up_terminal(session)
    if _watches(group.parent, process_group):
        _hang_up_if_orphaned(process_group)


def _watches(parent: "ThreadGroup | None", process_group: "ProcessGroup | None") -> bool:
    """Whether a member's parent keeps a process group from being orphaned."""
    return (
        parent is not None
        and process_group is not None
        and parent.process_group is not process_group
        and parent.session is process_group.session
    )


def _hang_up_if_orphaned(process_group: "ProcessGroup") -> None:
    """A process group that became orphaned with stopped members gets SIGHUP and SIGCONT."""
    if process_group.has_stopped_member() and process_group.is_orphaned():
        process_group.send_signal(SignalInfo.from_kernel(SIGHUP))
        process_group.send_signal(SignalInfo.from_kernel(SIGCONT))


def reap(group: "ThreadGroup") -> None:
    """A zombie was waited for, or nobody will: its numbers are free."""
    group.is_zombie = False
    parent = group.parent
    if parent is not None:
        parent.children_usage += group.past_usage + group.children_usage
        parent.past_io.add(group.past_io)
        parent.children.remove(group)
        group.parent = None
    if group.process_group is not None:
        group.process_group.remove(group)
        group.process_group = None
    group.leader.pid_namespace.unregister(group.leader)
