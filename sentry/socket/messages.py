"""What travels through sockets: the argument of a send, the result of a receive, credentials."""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from runsc_py.sentry.kernel.task import Task
    from runsc_py.sentry.kernel.thread_group import ThreadGroup
    from runsc_py.sentry.vfs.open_file import OpenFile


class SocketCredentials:
    """Who sent a message or is at the other end (struct ucred); ids are global ids.

    The process is kept, not its number: every reader sees it from its own PID namespace.
    """

    __slots__ = ("gid", "group", "groups", "uid")

    def __init__(
        self, group: "ThreadGroup | None", uid: int, gid: int, groups: tuple[int, ...] = ()
    ) -> None:
        #: None for nobody (pid 0)
        self.group = group
        self.uid = uid
        self.gid = gid
        #: supplementary groups, for SO_PEERGROUPS
        self.groups = groups

    @classmethod
    def of_task(cls, task: "Task") -> "SocketCredentials":
        """What SO_PEERCRED of the other end is to show: the effective ids."""
        credentials = task.credentials
        return cls(task.thread_group, credentials.euid, credentials.egid, credentials.groups)

    @classmethod
    def of_sender(cls, task: "Task") -> "SocketCredentials":
        """What SCM_CREDENTIALS shows when the sender names nobody: the real ids."""
        credentials = task.credentials
        return cls(task.thread_group, credentials.uid, credentials.gid)

    def pid_for(self, task: "Task") -> int:
        """The process id as `task` sees it; 0 when it does not."""
        return 0 if self.group is None else self.group.identifier_in(task.pid_namespace)

    def same_as(self, other: "SocketCredentials") -> bool:
        return self.group is other.group and self.uid == other.uid and self.gid == other.gid


class Outgoing:
    """One message to send: the data and what comes with it."""

    __slots__ = ("address", "credentials", "data", "flags", "rights")

    def __init__(
        self,
        data: bytes | memoryview,
        flags: int = 0,
        address: bytes | None = None,
        rights: "list[OpenFile] | None" = None,
        credentials: SocketCredentials | None = None,
    ) -> None:
        self.data = data
        #: MSG_*
        self.flags = flags
        #: the raw sockaddr of sendto(2)
        self.address = address
        #: files of SCM_RIGHTS; the sender's references, a queue takes its own
        self.rights = rights
        #: of SCM_CREDENTIALS; None: the sender's own
        self.credentials = credentials

    def rest(self, sent: int) -> "Outgoing":
        """What is left of a stream's data; the files went with the first part."""
        rest = memoryview(self.data)[sent:]
        return Outgoing(rest, self.flags, self.address, None, self.credentials)


class Incoming:
    """One message received."""

    __slots__ = ("address", "credentials", "data", "flags", "full_size", "rights")

    def __init__(
        self,
        data: bytes,
        *,
        full_size: int | None = None,
        address: bytes | None = None,
        flags: int = 0,
        rights: "list[OpenFile] | None" = None,
        credentials: SocketCredentials | None = None,
    ) -> None:
        self.data = data
        #: of the message before it was cut to the buffer (MSG_TRUNC)
        self.full_size = len(data) if full_size is None else full_size
        #: raw sockaddr of the sender; None: msg_namelen is set to 0
        self.address = address
        #: MSG_TRUNC, MSG_EOR …: for msg_flags
        self.flags = flags
        #: files with a reference each, which whoever gets this must take over or drop
        self.rights = rights
        self.credentials = credentials

    def drop_rights(self) -> None:
        """Nobody wants the files."""
        if self.rights:
            for file in self.rights:
                file.drop()
            self.rights = None
