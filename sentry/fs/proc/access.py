"""Who may look into another process: ptrace(2), "Ptrace access mode checking"."""

from runsc_py.sentry.abi.process import SUID_DUMP_USER
from runsc_py.sentry.auth.capabilities import CAP_SYS_PTRACE, is_subset

TYPE_CHECKING = False
if TYPE_CHECKING:
    from runsc_py.sentry.kernel.task import Task


def may_inspect(task: "Task", target: "Task", *, real_ids: bool = False) -> bool:
    """Whether `task` may look into `target`, or (which asks no more here) take hold of it.

    The caller's file system ids and effective capabilities count (PTRACE_MODE_FSCREDS: /proc), or
    with `real_ids` its real ids and permitted ones (PTRACE_MODE_REALCREDS: system calls).
    """
    if task.thread_group is target.thread_group:
        return True
    own = task.credentials
    other = target.credentials
    memory = target.memory
    if memory.dumpable != SUID_DUMP_USER and not own.has_capability(
        CAP_SYS_PTRACE, memory.user_namespace
    ):
        return False  # also to who rules over a namespace that the process has entered since
    if own.has_capability(CAP_SYS_PTRACE, other.user_namespace):
        return True
    uid, gid = (own.uid, own.gid) if real_ids else (own.fsuid, own.fsgid)
    return (
        uid == other.uid == other.euid == other.suid
        and gid == other.gid == other.egid == other.sgid
        and own.user_namespace is other.user_namespace
        and is_subset(other.permitted, own.permitted if real_ids else own.effective)
    )
