"""Which credentials a program gets: what of the file, the mount and the task counts.

The rule itself is in `auth/execution.py`; here is what it is asked with (Linux's
bprm_creds_from_file and check_unsafe_exec).
"""

from runsc_py.sentry.abi.mount_flags import MS_NOSUID
from runsc_py.sentry.auth.capabilities import CAP_SYS_PTRACE, is_subset
from runsc_py.sentry.auth.execution import credentials_after_exec
from runsc_py.sentry.vfs.file_capabilities import granted_capabilities
from runsc_py.sentry.vfs.permissions import MAY_READ, may

TYPE_CHECKING = False
if TYPE_CHECKING:
    from runsc_py.sentry.auth.credentials import Credentials
    from runsc_py.sentry.kernel.task import Task
    from runsc_py.sentry.mm.memory_manager import MemoryManager
    from runsc_py.sentry.vfs.path import Path


def new_credentials(task: "Task", path: "Path") -> "tuple[Credentials, bool]":
    """The credentials after executing a file, and whether that is AT_SECURE.

    Errors: EPERM (it could not get all of its capabilities), EINVAL (they are malformed).
    """
    inode = path.inode
    mode, uid, gid = inode.permission_ids()
    privileged = _may_give_privileges(task, path)
    return credentials_after_exec(
        task.credentials,
        mode=mode,
        uid=uid,
        gid=gid,
        file_capabilities=granted_capabilities(task.credentials, inode) if privileged else None,
        no_new_privileges=task.no_new_privileges,
        nosuid=not privileged,
        unsafe=_is_unsafe(task),
    )


def _may_give_privileges(task: "Task", path: "Path") -> bool:
    """Whether the mount's set-id bits and file capabilities count (mnt_may_suid)."""
    if not task.kernel.options.allows_set_id:
        return False
    mount = path.mount
    if mount.flags & MS_NOSUID or mount.namespace is not task.namespaces.mount:
        return False
    owner = mount.filesystem.user_namespace
    return owner is None or task.credentials.user_namespace.is_descendant_of(owner)


def _is_unsafe(task: "Task") -> bool:
    """Whether somebody who may not could steer the program: a tracer, a sharer of directories."""
    own_users = sum(other.file_context is task.file_context for other in task.thread_group.tasks)
    if task.file_context.users > own_users:
        return True
    tracing = task.tracing
    return tracing is not None and not tracing.credentials.has_capability(
        CAP_SYS_PTRACE, task.credentials.user_namespace
    )


def _effective_ids(of: "Credentials") -> tuple[int, ...]:
    """What Linux compares to find out whether a program got other rights."""
    return of.euid, of.egid, of.fsuid, of.fsgid


def apply_credentials(
    task: "Task", path: "Path", new: "Credentials", memory: "MemoryManager"
) -> None:
    """Put them in force: who gained something is no longer to be looked into or told of death."""
    old = task.credentials
    if _effective_ids(new) != _effective_ids(old) or not is_subset(new.permitted, old.permitted):
        task.parent_death_signal = 0
        memory.dumpable = 0
    if (new.uid, new.gid) != (new.euid, new.egid) or not may(new, path.inode, MAY_READ):
        memory.dumpable = 0
    task.credentials = new
