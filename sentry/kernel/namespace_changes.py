"""New namespaces for clone(2) and unshare(2), and joining existing ones with setns(2).

namespaces(7), user_namespaces(7), pid_namespaces(7).  Everything is decided and made before
anything of the task changes, so that a failed call leaves it as it was.
"""

from runsc_py.sentry.abi.process import (
    CLONE_FILES,
    CLONE_FS,
    CLONE_NEWCGROUP,
    CLONE_NEWIPC,
    CLONE_NEWNET,
    CLONE_NEWNS,
    CLONE_NEWPID,
    CLONE_NEWTIME,
    CLONE_NEWUSER,
    CLONE_NEWUTS,
    CLONE_SIGHAND,
    CLONE_SYSVSEM,
    CLONE_THREAD,
    CLONE_VM,
    NAMESPACE_FLAGS,
)
from runsc_py.sentry.auth.capabilities import ALL_CAPABILITIES, CAP_SYS_ADMIN, CAP_SYS_CHROOT
from runsc_py.sentry.auth.user_counts import charge_one
from runsc_py.sentry.auth.user_namespace import MAXIMUM_LEVEL, UserNamespace
from runsc_py.sentry.errors import EINVAL, ENOSPC, EPERM, EUSERS
from runsc_py.sentry.kernel.limits import COUNTED_RESOURCES
from runsc_py.sentry.kernel.namespaces import (
    CgroupNamespace,
    IpcNamespace,
    Namespaces,
    UtsNamespace,
)
from runsc_py.sentry.kernel.pid_namespace import PidNamespace
from runsc_py.sentry.kernel.time_namespace import TimeNamespace, freeze
from runsc_py.sentry.socket.namespace import NetworkNamespace
from runsc_py.sentry.vfs.mount import MountNamespace
from runsc_py.sentry.vfs.mount_copies import copy_namespace
from runsc_py.sentry.vfs.path import Path

TYPE_CHECKING = False
if TYPE_CHECKING:
    from runsc_py.sentry.auth.credentials import Credentials
    from runsc_py.sentry.auth.user_counts import Charge
    from runsc_py.sentry.kernel.file_context import FileContext
    from runsc_py.sentry.kernel.task import Task
    from runsc_py.sentry.vfs.mount import Mount

#: pid_namespaces(7): they nest this deep
MAXIMUM_PID_LEVEL = 32

#: what the limits of /proc/sys/user call them
_KINDS = (
    (CLONE_NEWCGROUP, "cgroup"),
    (CLONE_NEWIPC, "ipc"),
    (CLONE_NEWNS, "mnt"),
    (CLONE_NEWNET, "net"),
    (CLONE_NEWPID, "pid"),
    (CLONE_NEWTIME, "time"),
    (CLONE_NEWUTS, "uts"),
)

UNSHARE_FLAGS = (
    CLONE_FILES
    | CLONE_FS
    | CLONE_SIGHAND
    | CLONE_SYSVSEM
    | CLONE_THREAD
    | CLONE_VM
    | NAMESPACE_FLAGS
)


class NewNamespaces:
    """What a clone or unshare makes; fields are the task's own where nothing is new."""

    __slots__ = ("_mounts", "credentials", "namespaces", "pid_namespace")

    def __init__(self, task: "Task", flags: int) -> None:
        """Errors: EPERM, EINVAL, ENOSPC (nested too deep, or too many)."""
        self.credentials: Credentials = task.credentials
        self.namespaces: Namespaces = task.namespaces
        self.pid_namespace: PidNamespace = task.pid_namespace_for_children
        self._mounts: dict[Mount, Mount] | None = None
        if not flags & NAMESPACE_FLAGS:
            return
        if flags & CLONE_NEWUSER:
            self.credentials = _credentials_in_new_user_namespace(task)
        owner = self.credentials.user_namespace
        others = flags & NAMESPACE_FLAGS & ~CLONE_NEWUSER
        if others and not self.credentials.has_capability(CAP_SYS_ADMIN, owner):
            raise EPERM
        if flags & CLONE_NEWPID and task.pid_namespace_for_children is not task.pid_namespace:
            raise EINVAL
        charges = {
            flag: charge_one(owner, task.credentials.euid, kind)
            for flag, kind in _KINDS
            if flags & flag
        }
        if flags & CLONE_NEWPID:
            self.pid_namespace = _new_pid_namespace(task, owner)
            self.pid_namespace.charge = charges[CLONE_NEWPID]
        if others & ~CLONE_NEWPID:
            self._make_others(task, flags, owner, charges)

    def _make_others(
        self, task: "Task", flags: int, owner: UserNamespace, charges: "dict[int, Charge]"
    ) -> None:
        kernel = task.kernel
        self.namespaces = namespaces = task.namespaces.copy()
        if flags & CLONE_NEWUTS:
            old = namespaces.uts
            namespaces.uts = UtsNamespace(
                old.host_name, old.domain_name, owner, kernel.new_inode_number()
            )
            namespaces.uts.charge = charges[CLONE_NEWUTS]
        if flags & CLONE_NEWIPC:
            namespaces.ipc = IpcNamespace(owner, kernel.new_inode_number())
            namespaces.ipc.charge = charges[CLONE_NEWIPC]
        if flags & CLONE_NEWNET:
            namespaces.network = NetworkNamespace(kernel, owner)
            namespaces.network.charge = charges[CLONE_NEWNET]
        if flags & CLONE_NEWCGROUP:
            namespaces.cgroup = CgroupNamespace(owner, kernel.new_inode_number())
            namespaces.cgroup.charge = charges[CLONE_NEWCGROUP]
        if flags & CLONE_NEWTIME:
            namespaces.time_for_children = TimeNamespace(
                owner, kernel.new_inode_number(), namespaces.time_for_children
            )
            namespaces.time_for_children.charge = charges[CLONE_NEWTIME]
        if flags & CLONE_NEWNS:
            namespaces.mount, self._mounts = copy_namespace(
                namespaces.mount, owner, kernel.new_inode_number()
            )
            namespaces.mount.charge = charges[CLONE_NEWNS]

    def translate(self, context: "FileContext") -> None:
        """After CLONE_NEWNS: root and working directory are places in the copied mounts."""
        if self._mounts is not None:
            context.root = self._translated(context.root)
            context.working_directory = self._translated(context.working_directory)

    def _translated(self, path: Path) -> Path:
        assert self._mounts is not None
        copy = self._mounts.get(path.mount)
        return path if copy is None else Path(copy, path.dentry)


def _credentials_in_new_user_namespace(task: "Task") -> "Credentials":
    """CLONE_NEWUSER: every capability, but only inside the new namespace."""
    old = task.credentials
    parent = old.user_namespace
    if parent.level > MAXIMUM_LEVEL:
        raise ENOSPC
    if parent.uid_map.from_global(old.euid) is None or parent.gid_map.from_global(old.egid) is None:
        raise EPERM
    if task.file_context.root.dentry is not task.namespaces.mount.root.root:
        raise EPERM  # in a chroot: the new capabilities would get out of it
    charge = charge_one(parent, old.euid, "user")
    namespace = UserNamespace(parent, old.euid, old.egid, task.kernel.new_inode_number())
    namespace.charge = charge
    for resource in COUNTED_RESOURCES:
        namespace.resource_limits[resource] = task.thread_group.limits.soft(resource)
    return old.replace(
        user_namespace=namespace,
        permitted=ALL_CAPABILITIES,
        effective=ALL_CAPABILITIES,
        inheritable=0,
        ambient=0,
        bounding=ALL_CAPABILITIES,
        securebits=0,
    )


def _new_pid_namespace(task: "Task", owner: UserNamespace) -> PidNamespace:
    parent = task.pid_namespace_for_children
    if parent.level >= MAXIMUM_PID_LEVEL:
        raise ENOSPC
    return PidNamespace(parent, owner, task.kernel.new_inode_number())


def unshare(task: "Task", flags: int) -> None:
    """unshare(2).  Errors: EINVAL, EPERM, ENOSPC."""
    if flags & ~UNSHARE_FLAGS:
        raise EINVAL
    if flags & CLONE_NEWUSER:
        flags |= CLONE_THREAD | CLONE_FS
    if flags & (CLONE_THREAD | CLONE_SIGHAND | CLONE_VM) and len(task.thread_group.tasks) > 1:
        raise EINVAL
    new = NewNamespaces(task, flags)
    if flags & (CLONE_FS | CLONE_NEWNS):
        old_context, task.file_context = task.file_context, task.file_context.fork()
        old_context.release()
        new.translate(task.file_context)
    if flags & CLONE_FILES:
        old_files, task.files = task.files, task.files.fork(task.thread_group.limits)
        old_files.release(task)
    if flags & (CLONE_SYSVSEM | CLONE_NEWIPC) and task.thread_group.extras:
        from runsc_py.sentry.ipc.semaphores import settle

        settle(task.thread_group)
    task.credentials = new.credentials
    task.namespaces = new.namespaces
    task.pid_namespace_for_children = new.pid_namespace


# -- setns(2) --------------------------------------------------------------------------------


def _check_admin(task: "Task", owner: UserNamespace) -> None:
    """CAP_SYS_ADMIN both over the namespace and in one's own."""
    credentials = task.credentials
    if not (
        credentials.has_capability(CAP_SYS_ADMIN, owner)
        and credentials.has_capability(CAP_SYS_ADMIN, credentials.user_namespace)
    ):
        raise EPERM


def join(task: "Task", namespace: object) -> None:
    """Make one namespace the task's.  Errors: EPERM, EINVAL."""
    if isinstance(namespace, UserNamespace):
        _join_user_namespace(task, namespace)
        return
    if isinstance(namespace, PidNamespace):
        _check_admin(task, namespace.user_namespace)
        if not namespace.is_within(task.pid_namespace):
            raise EINVAL
        task.pid_namespace_for_children = namespace
        return
    namespaces = task.namespaces.copy()
    if isinstance(namespace, UtsNamespace):
        namespaces.uts = namespace
    elif isinstance(namespace, IpcNamespace):
        namespaces.ipc = namespace
    elif isinstance(namespace, NetworkNamespace):
        namespaces.network = namespace
    elif isinstance(namespace, CgroupNamespace):
        namespaces.cgroup = namespace
    elif isinstance(namespace, TimeNamespace):
        _join_time_namespace(task, namespace)
        namespaces.time = namespaces.time_for_children = namespace
    elif isinstance(namespace, MountNamespace):
        _join_mount_namespace(task, namespace)
        namespaces.mount = namespace
    else:
        raise EINVAL
    _check_admin(task, namespace.user_namespace)
    task.namespaces = namespaces


def _join_time_namespace(task: "Task", namespace: TimeNamespace) -> None:
    """Everybody who shares the memory would read the other clocks, too."""
    if len(task.thread_group.tasks) > 1:
        raise EUSERS
    _check_admin(task, namespace.user_namespace)
    freeze(namespace, task.memory)


def _join_mount_namespace(task: "Task", namespace: MountNamespace) -> None:
    """The task starts at the root of the namespace's tree."""
    _check_admin(task, namespace.user_namespace)
    if not task.credentials.has_capability(CAP_SYS_CHROOT):
        raise EPERM
    if task.file_context.users > 1:
        raise EINVAL
    root = namespace.root.topmost().root_path
    task.file_context.root = task.file_context.working_directory = root


def _join_user_namespace(task: "Task", namespace: UserNamespace) -> None:
    credentials = task.credentials
    if namespace is credentials.user_namespace or len(task.thread_group.tasks) > 1:
        raise EINVAL
    if task.file_context.users > 1:
        raise EINVAL
    if not credentials.has_capability(CAP_SYS_ADMIN, namespace):
        raise EPERM
    task.credentials = credentials.replace(
        user_namespace=namespace,
        permitted=ALL_CAPABILITIES,
        effective=ALL_CAPABILITIES,
        inheritable=0,
        ambient=0,
        bounding=ALL_CAPABILITIES,
        securebits=0,
    )
