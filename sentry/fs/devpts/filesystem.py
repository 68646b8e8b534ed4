"""devpts: a directory with the terminals of the sandbox and the multiplexer `ptmx`.  pts(4)."""

from collections.abc import Iterable

from runsc_py.sentry.fs.dev.registry import PTMX, PTS_MAJOR
from runsc_py.sentry.fs.devpts.registry import LARGEST_MAXIMUM
from runsc_py.sentry.fs.synthetic import SyntheticDirectory, SyntheticFileSystem, SyntheticInode
from runsc_py.sentry.vfs.attributes import S_IFCHR, AttributeChange, Attributes, make_device
from runsc_py.sentry.vfs.inode import Inode
from runsc_py.sentry.vfs.path import Path

TYPE_CHECKING = False
if TYPE_CHECKING:
    from runsc_py.sentry.fs.devpts.registry import TerminalRegistry
    from runsc_py.sentry.kernel.task import Task
    from runsc_py.sentry.vfs.open_file import OpenFile

#: the group that owns terminals, as every distribution mounts devpts (gid=5,mode=620)
TTY_GID = 5
#: inode numbers of the root and of ptmx; terminal n has n + 3
ROOT_NUMBER = 1
PTMX_NUMBER = 2


class DevptsOptions:
    """What mount(2) says of a devpts."""

    __slots__ = ("gid", "maximum", "mode", "multiplexer_mode", "uid")

    def __init__(
        self, gid: int | None = None, mode: int = 0o600, multiplexer_mode: int = 0
    ) -> None:
        #: of new terminals; None: those of who opens the multiplexer
        self.uid: int | None = None
        self.gid = gid
        self.mode = mode
        self.multiplexer_mode = multiplexer_mode
        self.maximum = LARGEST_MAXIMUM


class DevptsFileSystem(SyntheticFileSystem):
    """The terminals of one registry."""

    type_name = "devpts"
    magic = 0x1CD1
    needs_revalidation = True

    def __init__(
        self, terminals: "TerminalRegistry", configuration: DevptsOptions | None = None
    ) -> None:
        """With the options of every distribution, unless they are given."""
        super().__init__(terminals.kernel)
        self.terminals = terminals
        self.configuration = configuration or DevptsOptions(TTY_GID, 0o620, 0o666)
        self.root = DevptsDirectory(self)

    def configure(self, configuration: DevptsOptions) -> None:
        """Other options; terminals that are there keep their owner and mode."""
        self.configuration = configuration
        self.terminals.maximum = configuration.maximum
        self.root.lookup(b"ptmx").mode = S_IFCHR | configuration.multiplexer_mode

    def options(self) -> list[str]:
        configuration = self.configuration
        shown = []
        if configuration.uid is not None:
            shown.append(f"uid={configuration.uid}")
        if configuration.gid is not None:
            shown.append(f"gid={configuration.gid}")
        shown.append(f"mode={configuration.mode:03o}")
        shown.append(f"ptmxmode={configuration.multiplexer_mode:03o}")
        if configuration.maximum < LARGEST_MAXIMUM:
            shown.append(f"max={configuration.maximum}")
        return shown


class DevptsDirectory(SyntheticDirectory):
    """The root directory."""

    __slots__ = ("devpts", "terminals")

    def __init__(self, filesystem: DevptsFileSystem) -> None:
        super().__init__(filesystem, 0o755)
        self.devpts = filesystem
        self.terminals = filesystem.terminals
        self.number = ROOT_NUMBER

    def make_child(self, name: bytes) -> Inode | None:
        if name == b"ptmx":
            mode = self.devpts.configuration.multiplexer_mode
            return TerminalInode(self.filesystem, PTMX_NUMBER, mode, PTMX)
        if not name.isdigit() or (name[:1] == b"0" and name != b"0"):
            return None
        number = int(name)
        terminal = self.terminals.get(number)
        if terminal is None:
            return None
        device = make_device(PTS_MAJOR, number)
        configuration = self.devpts.configuration
        inode = TerminalInode(self.filesystem, number + 3, configuration.mode, device)
        uid, gid = configuration.uid, configuration.gid
        inode.uid = terminal.owner_uid if uid is None else uid
        inode.gid = terminal.owner_gid if gid is None else gid
        inode.terminal = terminal
        return inode

    def lookup(self, name: bytes) -> Inode:
        child = self.children.get(name)
        if child is not None and not self.revalidate(name, child):
            del self.children[name]
        return super().lookup(name)

    def revalidate(self, name: bytes, child: Inode | None) -> bool:
        if child is None:
            return False
        if not isinstance(child, TerminalInode) or child.terminal is None:
            return True
        return child.terminal is self.terminals.get(child.number - 3)

    def names(self, task: "Task") -> Iterable[tuple[int, bytes]]:
        yield 3, b"ptmx"
        for number in self.terminals.numbers():
            yield number + 4, b"%d" % number


class TerminalInode(SyntheticInode):
    """A node in /dev/pts; its owner and mode can be changed (grantpt(3), mesg(1))."""

    __slots__ = ("access_time", "device", "gid", "modification_time", "terminal", "uid")

    def __init__(
        self, filesystem: SyntheticFileSystem, number: int, permissions: int, device: int
    ) -> None:
        super().__init__(filesystem, S_IFCHR | permissions)
        self.number = number
        self.device = device
        self.uid = 0
        self.gid = 0
        #: None for ptmx
        self.terminal: object | None = None
        now = filesystem.kernel.clock.realtime()
        self.access_time = now
        self.modification_time = now

    def owner(self) -> tuple[int, int]:
        return (self.uid, self.gid)

    def get_attributes(self) -> Attributes:
        attributes = super().get_attributes()
        attributes.special_device = self.device
        attributes.block_size = 1024
        attributes.access_time = self.access_time
        attributes.modification_time = self.modification_time
        attributes.change_time = self.modification_time
        return attributes

    def set_attributes(self, change: AttributeChange) -> None:
        if change.mode is not None:
            self.mode = S_IFCHR | change.mode & 0o7777
        if change.uid is not None:
            self.uid = change.uid
        if change.gid is not None:
            self.gid = change.gid
        if change.access_time is not None:
            self.access_time = change.access_time
        if change.modification_time is not None:
            self.modification_time = change.modification_time

    def open(self, task: "Task", path: Path, flags: int) -> "OpenFile":
        return task.kernel.devices.open(task, path, self, self.device, False, flags)


def terminal_path(terminals: "TerminalRegistry", number: int) -> Path:
    """The place of a terminal: its name in /dev/pts, or none where that is not mounted."""
    name = b"%d" % number
    namespace = terminals.namespace
    for mount in namespace.mounts if namespace is not None else ():
        if (
            isinstance(mount.filesystem, DevptsFileSystem)
            and mount.filesystem.terminals is terminals
        ):
            root = mount.root
            dentry = root.children.get(name)
            if dentry is not None and not root.existing.revalidate(name, dentry.inode):
                root.forget(dentry)
                dentry = None
            return Path(mount, root.look_up(name) if dentry is None else dentry)
    inode = DevptsFileSystem(terminals).root.lookup(name)
    return terminals.kernel.anonymous_path(inode, b"/dev/pts/" + name)
