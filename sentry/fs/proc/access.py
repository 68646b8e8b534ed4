"""Who may look into another process: ptrace(2), "Ptrace access mode checking"."""

from runsc_py.sentry.auth.capabilities import CAP_SYS_PTRACE, is_subset

TYPE_CHECKING = False
if TYPE_CHECKING:
    from runsc_py.sentry.kernel.task import Task

#: PR_SET_DUMPABLE: anybody with the same ids may look
SUID_DUMP_USER = 1


def may_inspect(task: "Task", target: "Task") -> bool:
    """PTRACE_MODE_READ_FSCREDS: whether `task` may read what is private to `target`."""
    if task.thread_group is target.thread_group:
        return True
    own = task.credentials
    other = target.credentials
    privileged = own.has_capability(CAP_SYS_PTRACE, other.user_namespace)
    same_ids = (
        own.fsuid == other.uid == other.euid == other.suid
        and own.fsgid == other.gid == other.egid == other.sgid
    )
    if not same_ids and not privileged:
        return False
    if target.memory.dumpable != SUID_DUMP_USER and not privileged:
        return False
    return privileged or is_subset(other.permitted, own.effective)
