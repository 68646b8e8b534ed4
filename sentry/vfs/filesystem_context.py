"""Making and reconfiguring file systems: `FileSystemType`, and the context that collects options.

Linux's `struct fs_context`.  mount(2) makes one, gives it the options and throws it away;
fsopen(2) and fspick(2) keep it behind a descriptor (`fs/context_file.py`).  What a mount does
with the file system is in `vfs/mounting.py`.
"""

from runsc_py.sentry.abi.mount_flags import (
    MS_DIRSYNC,
    MS_LAZYTIME,
    MS_MANDLOCK,
    MS_RDONLY,
    MS_SYNCHRONOUS,
)
from runsc_py.sentry.auth.capabilities import CAP_SYS_ADMIN
from runsc_py.sentry.errors import EBUSY, EINVAL, ENODEV, EPERM
from runsc_py.sentry.vfs.mount import Mount
from runsc_py.sentry.vfs.parameters import FLAG, STRING, Given, Refusal
from runsc_py.sentry.vfs.usage import open_files

TYPE_CHECKING = False
if TYPE_CHECKING:
    from runsc_py.sentry.auth.user_namespace import UserNamespace
    from runsc_py.sentry.kernel.task import Task
    from runsc_py.sentry.vfs.inode import FileSystem
    from runsc_py.sentry.vfs.parameters import Parameter

#: flags of the file system instead of the mount, as mount(2) takes them
SUPER_BLOCK_FLAGS = MS_RDONLY | MS_SYNCHRONOUS | MS_MANDLOCK | MS_DIRSYNC | MS_LAZYTIME
#: those of them that a remount changes
REMOUNTED_FLAGS = SUPER_BLOCK_FLAGS & ~MS_DIRSYNC

#: options that every file system has: (which flags, their new value)
_COMMON = {
    b"ro": (MS_RDONLY, MS_RDONLY),
    b"rw": (MS_RDONLY, 0),
    b"sync": (MS_SYNCHRONOUS, MS_SYNCHRONOUS),
    b"async": (MS_SYNCHRONOUS, 0),
    b"dirsync": (MS_DIRSYNC, MS_DIRSYNC),
    b"lazytime": (MS_LAZYTIME, MS_LAZYTIME),
    b"nolazytime": (MS_LAZYTIME, 0),
    b"mand": (MS_MANDLOCK, MS_MANDLOCK),
    b"nomand": (MS_MANDLOCK, 0),
}

#: messages that a context keeps
_MAXIMUM_MESSAGES = 8

# What a context is for, and what it waits for: Linux's enum fs_context_phase
CREATE_PARAMETERS = "options of a new file system"
AWAITING_MOUNT = "fsmount(2)"
RECONFIGURE_PARAMETERS = "options of an existing file system"
FAILED = "its end"


class FileSystemType:
    """What mount(2) knows by a name."""

    name: str
    #: the options that it takes
    parameters: "dict[bytes, Parameter]" = {}
    #: whether the administrator of a user namespace may mount it
    in_user_namespaces = False
    #: whether mount(2) with MS_REMOUNT may say anything
    ignores_options_of_remount = False

    def owner(self, task: "Task") -> "UserNamespace":
        """The user namespace that a new one belongs to."""
        return task.credentials.user_namespace

    def set(self, task: "Task", context: "FileSystemContext", name: bytes, value: object) -> None:
        """An option, converted.  Errors: Refusal, those of looking at what it names."""
        context.values[name] = value

    def split(self, options: bytes) -> list[bytes]:
        """mount(2)'s string as single options."""
        return options.split(b",")

    def unknown(self, context: "FileSystemContext", name: bytes, given: Given) -> None:
        """An option that it does not have."""
        self_name = context.type.name.encode()
        raise Refusal(b"%s: Unknown parameter '%s'" % (self_name, name), is_prefixed=False)

    def make(self, task: "Task", context: "FileSystemContext") -> "FileSystem":
        """The file system that the context describes; the one there is, if there is only one."""
        raise NotImplementedError

    def reconfigure(
        self, task: "Task", context: "FileSystemContext", filesystem: "FileSystem"
    ) -> None:
        """Give an existing file system other options.  Errors: Refusal."""


class OtherType(FileSystemType):
    """Of a file system that nobody inside can mount: what a remount says is ignored."""

    ignores_options_of_remount = True

    def __init__(self, name: str) -> None:
        self.name = name


def type_of(task: "Task", filesystem: "FileSystem") -> FileSystemType:
    """The type that reconfigures a file system."""
    find = task.kernel.file_systems.get(filesystem.type_name)
    return OtherType(filesystem.type_name) if find is None else find()


def type_called(task: "Task", name: bytes) -> FileSystemType:
    """Errors: ENODEV."""
    find = task.kernel.file_systems.get(name.decode("latin-1"))
    if find is None:
        raise ENODEV
    return find()


class FileSystemContext:
    """Options on their way to a file system."""

    __slots__ = (
        "_held",
        "flags",
        "ipc_namespace",
        "mask",
        "messages",
        "phase",
        "pid_namespace",
        "source",
        "type",
        "user_namespace",
        "values",
    )

    def __init__(
        self, task: "Task", kind: FileSystemType, filesystem: "FileSystem | None" = None
    ) -> None:
        """For a new file system of a type, or for the options of an existing one."""
        self.type = kind
        self.user_namespace = kind.owner(task)
        self.pid_namespace = task.pid_namespace
        self.ipc_namespace = task.namespaces.ipc
        self.phase = CREATE_PARAMETERS if filesystem is None else RECONFIGURE_PARAMETERS
        #: a mount nobody sees, which keeps the file system from being released
        self._held = None if filesystem is None else Mount(0, filesystem)
        self.source: bytes | None = None
        #: by name, converted
        self.values: dict[bytes, object] = {}
        #: MS_* flags of the file system, and which of them were spoken of
        self.flags = 0
        self.mask = 0
        #: what was wrong, oldest first
        self.messages: list[bytes] = []

    @property
    def filesystem(self) -> "FileSystem | None":
        """What was made, or is reconfigured."""
        return None if self._held is None else self._held.filesystem

    @property
    def shown_source(self) -> str:
        """What mountinfo shows as the source of a mount."""
        return "none" if self.source is None else self.source.decode("utf-8", "surrogateescape")

    # -- options -------------------------------------------------------------------------

    def parse(self, task: "Task", options: bytes) -> None:
        """The options of mount(2).  Errors: as `set`."""
        if self.phase == RECONFIGURE_PARAMETERS and self.type.ignores_options_of_remount:
            return
        for option in self.type.split(options):
            name, equals, value = option.partition(b"=")
            if name:
                self.set(task, name, Given(STRING, value) if equals else Given(FLAG))

    def set(self, task: "Task", name: bytes, given: Given) -> None:
        """One option.  Errors: EBUSY (too late), Refusal, those of what the type looks at."""
        if self.phase not in (CREATE_PARAMETERS, RECONFIGURE_PARAMETERS):
            raise EBUSY
        common = _COMMON.get(name)
        if common is not None:
            mask, value = common
            self.flags = self.flags & ~mask | value
            self.mask |= mask
            return
        try:
            parameter = self.type.parameters.get(name)
            if parameter is not None:
                namespace = task.credentials.user_namespace
                self.type.set(task, self, name, parameter(name, given, namespace))
            elif name == b"source":
                self._set_source(given)
            else:
                self.type.unknown(self, name, given)
        except Refusal as refusal:
            self.tell(refusal)
            raise

    def _set_source(self, given: Given) -> None:
        if given.kind != STRING:
            raise Refusal(b"Non-string source", is_prefixed=False)
        if self.source is not None:
            raise Refusal(b"Multiple sources", is_prefixed=False)
        self.source = given.text

    def tell(self, refusal: Refusal) -> None:
        """Leave a message for who reads the descriptor."""
        prefix = self.type.name.encode() + b": " if refusal.is_prefixed else b""
        self.messages += [b"e %s%s\n" % (prefix, message) for message in refusal.messages]
        del self.messages[:-_MAXIMUM_MESSAGES]

    # -- commands ------------------------------------------------------------------------------

    def create(self, task: "Task", *, exclusive: bool = False) -> "FileSystem":
        """Make the file system.  Errors: EBUSY, EPERM, EINVAL, those of the type."""
        if self.phase != CREATE_PARAMETERS:
            raise EBUSY
        self.check_capable(task)
        self.phase = FAILED
        try:
            filesystem = self.type.make(task, self)
        except Refusal as refusal:
            self.tell(refusal)
            raise
        if filesystem.mounts:
            if exclusive:
                raise EBUSY
        else:
            filesystem.flags |= self.flags & SUPER_BLOCK_FLAGS
            if self.user_namespace.parent is not None:
                filesystem.user_namespace = self.user_namespace
                filesystem.denies_devices = True
        self._held = Mount(0, filesystem)
        self.phase = AWAITING_MOUNT
        return filesystem

    def check_capable(self, task: "Task") -> None:
        """Whether the task may make a file system of this type.  Errors: EPERM."""
        needed = self.user_namespace if self.type.in_user_namespaces else None
        if not task.credentials.has_capability(
            CAP_SYS_ADMIN, needed or task.kernel.root_user_namespace
        ):
            raise EPERM

    def reconfigure(self, task: "Task") -> None:
        """Give the file system the options.  Errors: EBUSY, EPERM, EINVAL, those of the type."""
        if self.phase != RECONFIGURE_PARAMETERS:
            raise EBUSY
        filesystem = self.filesystem
        assert filesystem is not None
        self.phase = FAILED
        check_may_configure(task, filesystem)
        try:
            reconfigure(task, self, filesystem)
        except Refusal as refusal:
            self.tell(refusal)
            raise
        self.start_again()

    def start_again(self) -> None:
        """Be as fspick(2) makes one; which flags were spoken of is remembered."""
        self.phase = RECONFIGURE_PARAMETERS
        self.flags = 0
        self.source = None
        self.values = {}


def check_may_configure(task: "Task", filesystem: "FileSystem") -> None:
    """Raise EPERM unless the task is the administrator of who mounted the file system."""
    owner = filesystem.user_namespace or task.kernel.root_user_namespace
    if not task.credentials.has_capability(CAP_SYS_ADMIN, owner):
        raise EPERM


def reconfigure(task: "Task", context: FileSystemContext, filesystem: "FileSystem") -> None:
    """Flags and options.  Errors: EINVAL, EBUSY (read-only while somebody writes), Refusal."""
    if context.mask & ~REMOUNTED_FLAGS:
        raise EINVAL
    flags = filesystem.flags & ~context.mask | context.flags & context.mask
    if flags & MS_RDONLY and not filesystem.flags & MS_RDONLY:
        for file in open_files(task.kernel):
            if file.writable and file.path.mount.filesystem is filesystem:
                raise EBUSY
    context.type.reconfigure(task, context, filesystem)
    filesystem.flags = flags
