"""Open namespaces: what /proc/PID/ns/NAME leads to, with the requests of ioctl_ns(2).

setns(2) takes such a file; nothing can be read from it.  The links themselves are those of
`fs/proc/process_links.py`; Linux has a file system for the files (nsfs).
"""

from runsc_py.sentry.abi.ioctl import (
    NS_GET_NSTYPE,
    NS_GET_OWNER_UID,
    NS_GET_PARENT,
    NS_GET_USERNS,
)
from runsc_py.sentry.abi.process import (
    CLONE_NEWCGROUP,
    CLONE_NEWIPC,
    CLONE_NEWNET,
    CLONE_NEWNS,
    CLONE_NEWPID,
    CLONE_NEWTIME,
    CLONE_NEWUSER,
    CLONE_NEWUTS,
)
from runsc_py.sentry.auth.user_namespace import UserNamespace
from runsc_py.sentry.errors import EINVAL, ENOTTY, EPERM
from runsc_py.sentry.kernel.pid_namespace import PidNamespace
from runsc_py.sentry.vfs.attributes import S_IFREG, Attributes
from runsc_py.sentry.vfs.inode import FileSystem, Inode
from runsc_py.sentry.vfs.open_file import O_RDONLY, OpenFile

TYPE_CHECKING = False
if TYPE_CHECKING:
    from runsc_py.sentry.kernel.kernel import Kernel
    from runsc_py.sentry.kernel.task import Task
    from runsc_py.sentry.vfs.path import Path

#: the clone flag of each kind, which is also what NS_GET_NSTYPE answers
KINDS = {
    b"cgroup": CLONE_NEWCGROUP,
    b"ipc": CLONE_NEWIPC,
    b"mnt": CLONE_NEWNS,
    b"net": CLONE_NEWNET,
    b"pid": CLONE_NEWPID,
    b"time": CLONE_NEWTIME,
    b"user": CLONE_NEWUSER,
    b"uts": CLONE_NEWUTS,
}


class NamespaceInode(Inode):
    """What an open namespace file refers to; the number is its identity, as in Linux's nsfs."""

    __slots__ = ("kind", "namespace")

    def __init__(self, filesystem: FileSystem, number: int, namespace: object, kind: bytes) -> None:
        super().__init__(filesystem, number, S_IFREG | 0o444)
        self.namespace = namespace
        self.kind = kind

    def get_attributes(self) -> Attributes:
        return Attributes(
            device=self.filesystem.device,
            inode=self.number,
            mode=self.mode,
            links=1,
            uid=0,
            gid=0,
        )

    def open(self, task: "Task", path: "Path", flags: int) -> OpenFile:
        return NamespaceFile(path, flags, self)


class NamespaceFile(OpenFile):
    """An open namespace."""

    __slots__ = ("namespace_inode",)

    def __init__(self, path: "Path", flags: int, inode: NamespaceInode) -> None:
        super().__init__(path, flags)
        self.namespace_inode = inode

    def read(self, size: int) -> bytes:
        raise EINVAL

    def ioctl(self, task: "Task", request: int, argument: int) -> int:
        """ioctl_ns(2).  Errors: EINVAL, EPERM, ENOTTY."""
        namespace = self.namespace_inode.namespace
        if request == NS_GET_NSTYPE:
            return KINDS[self.namespace_inode.kind]
        if request == NS_GET_USERNS:
            return _open(task, _owner(task, namespace), b"user")
        if request == NS_GET_PARENT:
            return _open_parent(task, namespace)
        if request == NS_GET_OWNER_UID:
            if not isinstance(namespace, UserNamespace):
                raise EINVAL
            uid = task.credentials.user_namespace.uid_map.map_to_namespace(namespace.owner_uid)
            task.memory.copy_out(argument, uid.to_bytes(4, "little"))
            return 0
        raise ENOTTY


def namespace_path(kernel: "Kernel", namespace: object, number: int, kind: bytes) -> "Path":
    """The place of a namespace: `user:[4026531837]`."""
    inode = NamespaceInode(kernel.anonymous_mount.filesystem, number, namespace, kind)
    return kernel.anonymous_path(inode, b"%s:[%d]" % (kind, number))


def _open(task: "Task", namespace: UserNamespace | PidNamespace, kind: bytes) -> int:
    path = namespace_path(task.kernel, namespace, namespace.inode_number, kind)
    return task.files.add(path.inode.open(task, path, O_RDONLY), close_on_exec=True)


def _owner(task: "Task", namespace: object) -> UserNamespace:
    """The user namespace that owns one.  Errors: EPERM when it is out of the caller's sight."""
    if isinstance(namespace, UserNamespace):
        owner = namespace.parent
    else:
        owner = getattr(namespace, "user_namespace", None)
    if owner is None or not owner.is_descendant_of(task.credentials.user_namespace):
        raise EPERM
    return owner


def _open_parent(task: "Task", namespace: object) -> int:
    """NS_GET_PARENT.  Errors: EINVAL for kinds that do not nest; EPERM beyond one's own."""
    if isinstance(namespace, UserNamespace):
        return _open(task, _owner(task, namespace), b"user")
    if not isinstance(namespace, PidNamespace):
        raise EINVAL
    parent = namespace.parent
    if parent is None or not parent.is_within(task.pid_namespace):
        raise EPERM
    return _open(task, parent, b"pid")
