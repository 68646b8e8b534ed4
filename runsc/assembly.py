"""From file systems and descriptors to a process: the one way of `run` and of containers.

A tree of mounts is put together (`MountTree`); a process gets its files (`give_files`) and is
created among those mounts (`create`, or the kernel's `create_process` when there are several
programs to try).  What is mounted and who the process is say mount_plan.py and program.py for
`run`, loader/mounts.py and loader/process_arguments.py for a container.
"""

import os

from runsc_py.runsc.errors import RunscError
from runsc_py.sentry.abi.mount_flags import MS_RELATIME
from runsc_py.sentry.errors import KernelError
from runsc_py.sentry.fs.host_stdio import open_standard_files
from runsc_py.sentry.kernel.kernel_thread import KernelThread
from runsc_py.sentry.kernel.process_creation import ProcessArguments, create_process
from runsc_py.sentry.vfs.inode import FileSystem
from runsc_py.sentry.vfs.mount import Mount, MountNamespace
from runsc_py.sentry.vfs.operations import make_directory
from runsc_py.sentry.vfs.path import Dentry, Path
from runsc_py.sentry.vfs.walk import walk

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from runsc_py.sentry.fs.devpts.registry import TerminalRegistry
    from runsc_py.sentry.kernel.kernel import Kernel
    from runsc_py.sentry.kernel.namespaces import Namespaces
    from runsc_py.sentry.kernel.pid_namespace import PidNamespace
    from runsc_py.sentry.kernel.task import Task
    from runsc_py.sentry.kernel.thread_group import ThreadGroup

#: of those that make mount points, and of processes that nobody gave another one
UMASK = 0o022


class MountTree:
    """A mount namespace in the making, and the superuser who walks there."""

    __slots__ = ("mounts", "walker")

    def __init__(
        self,
        kernel: "Kernel",
        root: FileSystem,
        namespaces: "Namespaces | None" = None,
        pid_namespace: "PidNamespace | None" = None,
    ) -> None:
        """With nothing but `/`.  The other namespaces are copied, or else the first of all."""
        mount = Mount(1, root, Dentry(b"/", None, root.root), MS_RELATIME)
        self.mounts = MountNamespace(mount, kernel.root_user_namespace, kernel.new_inode_number())
        if namespaces is None:
            namespaces = kernel.new_namespaces(self.mounts)
            kernel.root_mount_namespace = self.mounts
        else:
            namespaces = namespaces.copy()
            namespaces.mount = self.mounts
        self.walker = KernelThread(kernel, namespaces, pid_namespace=pid_namespace, umask=UMASK)
        kernel.current_task = self.walker

    def place(self, destination: str, *, is_directory: bool = True) -> Path:
        """Where something is to be mounted, made where it does not exist.  Raises RunscError."""
        return make_mount_point(self.walker, os.fsencode(destination), is_directory)

    def attach(self, destination: str, filesystem: FileSystem, flags: int) -> Mount:
        """Mount a file system.  Raises RunscError, KernelError."""
        place = self.place(destination, is_directory=filesystem.root.is_directory)
        return self.mounts.mount(filesystem, place, flags)


def make_mount_point(task: "Task", destination: bytes, is_directory: bool) -> Path:
    """The place to mount at, made where it does not exist.  Raises RunscError."""
    try:
        return walk(task, destination)
    except KernelError:
        pass  # made below; what else is wrong with it shows there
    parts = destination.strip(b"/").split(b"/")
    try:
        for count in range(1, len(parts) + (1 if is_directory else 0)):
            path = b"/" + b"/".join(parts[:count])
            try:
                walk(task, path)
            except KernelError:
                make_directory(task, path, 0o755)
        if not is_directory:
            _make_file(task, destination)
        return walk(task, destination)
    except KernelError as error:
        raise RunscError(
            f"cannot make the mount point {os.fsdecode(destination)}: {os.strerror(error.number)}"
        ) from None


def _make_file(task: "Task", path: bytes) -> None:
    from runsc_py.sentry.vfs.open_file import O_CREAT, O_WRONLY
    from runsc_py.sentry.vfs.opening import open_file

    open_file(task, path, O_CREAT | O_WRONLY, 0o644).acquire().drop()


def give_files(
    arguments: ProcessArguments,
    terminals: "TerminalRegistry",
    descriptors: "Mapping[int, int]",
    *,
    controls_terminal: bool = False,
) -> None:
    """Descriptors of the host by the numbers that they have in the process, which owns them.

    The first of them that is a terminal becomes the controlling one, if so wished.
    """
    owner = (arguments.credentials.euid, arguments.credentials.egid)
    opened = open_standard_files(terminals, list(descriptors.values()), owner)
    for number, file in zip(descriptors, opened, strict=True):
        if file is None:
            continue
        arguments.files.inherit(number, file)
        if controls_terminal and arguments.terminal is None:
            arguments.terminal = getattr(file, "terminal", None)


def create(
    walker: KernelThread,
    arguments: ProcessArguments,
    terminals: "TerminalRegistry",
    descriptors: "Mapping[int, int]",
    *,
    controls_terminal: bool = False,
) -> "ThreadGroup":
    """A process with these files, which is not started.  Raises CreationError."""
    try:
        give_files(arguments, terminals, descriptors, controls_terminal=controls_terminal)
        return create_process(walker.kernel, arguments)[0]
    finally:
        arguments.files.release(walker)
