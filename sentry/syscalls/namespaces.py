"""unshare(2) and setns(2)."""

from runsc_py.sentry.abi.process import (
    CLONE_NEWCGROUP,
    CLONE_NEWIPC,
    CLONE_NEWNET,
    CLONE_NEWNS,
    CLONE_NEWPID,
    CLONE_NEWTIME,
    CLONE_NEWUSER,
    CLONE_NEWUTS,
    NAMESPACE_FLAGS,
)
from runsc_py.sentry.errors import EINVAL, EPERM, ESRCH, KernelError
from runsc_py.sentry.fs.pidfd import PidFile
from runsc_py.sentry.fs.proc.access import may_inspect
from runsc_py.sentry.kernel.namespace_changes import join
from runsc_py.sentry.kernel.namespace_changes import unshare as unshare_flags
from runsc_py.sentry.kernel.task import Task
from runsc_py.sentry.syscalls.table import syscall
from runsc_py.sentry.syscalls.types import CloneFlags, Fd


@syscall(272, "unshare")
def unshare(task: Task, flags: CloneFlags) -> int:
    """unshare(2)"""
    unshare_flags(task, flags)
    return 0


@syscall(308, "setns")
def setns(task: Task, fd: Fd, flags: CloneFlags) -> int:
    """setns(2), with a namespace file or a pidfd."""
    from runsc_py.sentry.fs.namespace_files import KINDS, NamespaceFile

    flags &= 0xFFFFFFFF
    file = task.files.get_io(fd)
    if isinstance(file, PidFile):
        _join_all(task, file, flags)
    elif isinstance(file, NamespaceFile):
        inode = file.namespace_inode
        if flags and flags != KINDS.get(inode.kind):
            raise EINVAL
        join(task, inode.namespace)
    else:
        raise EINVAL
    return 0


def _join_all(task: Task, file: PidFile, flags: int) -> None:
    """The namespaces of a process, the user namespace first: it gives the right to the others."""
    if not flags or flags & ~NAMESPACE_FLAGS:
        raise EINVAL
    group = file.thread_group
    if not group.tasks:
        raise ESRCH
    other = group.leader
    if not may_inspect(task, other, real_ids=True):
        raise EPERM
    wanted: list[tuple[int, object]] = [
        (CLONE_NEWUSER, other.credentials.user_namespace),
        (CLONE_NEWNS, other.namespaces.mount),
        (CLONE_NEWUTS, other.namespaces.uts),
        (CLONE_NEWIPC, other.namespaces.ipc),
        (CLONE_NEWNET, other.namespaces.network),
        (CLONE_NEWPID, other.pid_namespace),
        (CLONE_NEWCGROUP, other.namespaces.cgroup),
        (CLONE_NEWTIME, other.namespaces.time),
    ]
    context = task.file_context
    credentials, namespaces = task.credentials, task.namespaces
    for_children = task.pid_namespace_for_children
    places = context.root, context.working_directory
    try:
        for flag, namespace in wanted:
            if flags & flag:
                join(task, namespace)
    except KernelError:  # all of them or none
        task.credentials, task.namespaces = credentials, namespaces
        task.pid_namespace_for_children = for_children
        context.root, context.working_directory = places
        raise
