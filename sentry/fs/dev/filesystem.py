"""devtmpfs: a tmpfs that starts out with the device nodes of a container."""

from runsc_py.sentry.fs.dev.registry import CONSOLE, FULL, NULL, PTMX, RANDOM, TTY, URANDOM, ZERO
from runsc_py.sentry.fs.devpts.filesystem import TTY_GID
from runsc_py.sentry.fs.tmpfs import Tmpfs
from runsc_py.sentry.vfs.attributes import S_IFCHR

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from runsc_py.sentry.kernel.kernel import Kernel

#: name, permissions, device, group
_NODES = (
    (b"null", 0o666, NULL, 0),
    (b"zero", 0o666, ZERO, 0),
    (b"full", 0o666, FULL, 0),
    (b"random", 0o666, RANDOM, 0),
    (b"urandom", 0o666, URANDOM, 0),
)
#: what udev has made on the host that `run` shows, in the group of terminals
_HOST_NODES = (
    *_NODES,
    (b"tty", 0o666, TTY, TTY_GID),
    (b"console", 0o620, CONSOLE, TTY_GID),
    (b"ptmx", 0o666, PTMX, TTY_GID),
)
#: what a runtime makes in a container
_CONTAINER_NODES = (*_NODES, (b"tty", 0o666, TTY, 0))
_LINKS = (
    (b"fd", b"/proc/self/fd"),
    (b"stdin", b"/proc/self/fd/0"),
    (b"stdout", b"/proc/self/fd/1"),
    (b"stderr", b"/proc/self/fd/2"),
)
#: mount points, and /dev/shm, which works without a mount as well
_DIRECTORIES = ((b"pts", 0o755), (b"shm", 0o1777), (b"mqueue", 0o1777))


class DevFileSystem(Tmpfs):
    """/dev."""

    type_name = "devtmpfs"

    def __init__(self, kernel: "Kernel", *, of_container: bool = False, **options: "Any") -> None:
        """`options` are those of a tmpfs."""
        super().__init__(kernel, **{"mode": 0o755, **options})
        root = self.root
        for name, permissions, device, group in _CONTAINER_NODES if of_container else _HOST_NODES:
            root.make_node(name, S_IFCHR | permissions, device, 0, group)
        for name, target in _LINKS:
            root.make_symlink(name, target, 0, 0)
        if of_container:
            root.make_symlink(b"ptmx", b"pts/ptmx", 0, 0)
        for name, permissions in _DIRECTORIES:
            root.make_directory(name, permissions, 0, 0)
