"""A sentry's VFS without guests: mounted file systems, and a task that walks in them.

What a system call handler would do is one method each, named like the function of Python's `os`
that does the same natively, so that a test can drive both alike.  Errors are KernelError or
OSError, of which `error_number` makes one number.
"""

import gc
import os
from types import SimpleNamespace
from typing import Any, cast

from runsc_py.sentry.auth.capabilities import ALL_CAPABILITIES
from runsc_py.sentry.auth.credentials import Credentials
from runsc_py.sentry.auth.user_namespace import UserNamespace
from runsc_py.sentry.errors import KernelError
from runsc_py.sentry.fs.anonymous import AnonymousFileSystem
from runsc_py.sentry.kernel.clock import Clock
from runsc_py.sentry.kernel.file_context import FileContext
from runsc_py.sentry.kernel.kernel import Kernel
from runsc_py.sentry.kernel.limits import Limits, SandboxLimits
from runsc_py.sentry.kernel.task import Task
from runsc_py.sentry.vfs import attribute_operations, opening, operations, renaming, xattrs
from runsc_py.sentry.vfs.attributes import Attributes, make_device
from runsc_py.sentry.vfs.file_flags import set_file_flags
from runsc_py.sentry.vfs.filesystem_context import FileSystemContext, FileSystemType
from runsc_py.sentry.vfs.inode import FileSystem
from runsc_py.sentry.vfs.mount import Mount
from runsc_py.sentry.vfs.open_file import OpenFile
from runsc_py.sentry.vfs.path import Dentry, Path
from runsc_py.sentry.vfs.permissions import may
from runsc_py.sentry.vfs.settings import FileSettings
from runsc_py.sentry.vfs.walk import walk


class FakeKernel:
    """What of the kernel file systems use."""

    def __init__(self) -> None:
        self.clock = Clock()
        self.moment = 0
        self.limits = SandboxLimits()
        self.descriptor_directory = os.open("/proc/self/fd", os.O_RDONLY | os.O_CLOEXEC)
        self._devices = 0
        self._inodes = 0
        self.devices = SimpleNamespace()
        self.root_pid_namespace = SimpleNamespace(tasks={})
        self.file_settings = FileSettings()
        self.event_files = 0
        anonymous = AnonymousFileSystem(cast(Kernel, self))
        self.anonymous_mount = Mount(1, anonymous, Dentry(b"", None, anonymous.root), 0)

    def __del__(self) -> None:
        os.close(self.descriptor_directory)

    def new_anonymous_device(self) -> int:
        self._devices += 1
        return make_device(0, self._devices)

    def new_inode_number(self) -> int:
        self._inodes += 1
        return self._inodes

    def charge_memory_files(self, pages: int) -> None:
        """What files in memory take is limited by nothing."""

    def anonymous_path(self, inode: Any, name: bytes) -> Path:
        return Path(self.anonymous_mount, Dentry(name, None, inode))


def fake_kernel() -> Kernel:
    """A kernel for file systems that no guest uses."""
    return cast(Kernel, FakeKernel())


def make_file_system(task: Task, kind: FileSystemType, options: bytes) -> FileSystem:
    """What mount(2) makes of a type and options."""
    context = FileSystemContext(task, kind)
    context.parse(task, options)
    return context.create(task)


class FileWorld:
    """One mounted file system and a task at its root, guest root unless `uid` says otherwise."""

    def __init__(self, filesystem: FileSystem, uid: int = 0, flags: int = 0) -> None:
        self.filesystem = filesystem
        self.mount = Mount(2, filesystem, Dentry(b"", None, filesystem.root), flags)
        root = self.mount.root_path
        capabilities = ALL_CAPABILITIES if uid == 0 else 0
        credentials = Credentials(
            uid=uid,
            gid=uid,
            user_namespace=UserNamespace.initial(),
            permitted=capabilities,
            effective=capabilities,
        )
        self._task = cast(
            Task,
            SimpleNamespace(
                kernel=filesystem.kernel,
                credentials=credentials,
                file_context=FileContext(root, root, 0o022),
                thread_group=SimpleNamespace(limits=Limits()),
                pid_namespace=None,
                namespaces=SimpleNamespace(ipc=None),
            ),
        )

    @property
    def task(self) -> Task:
        """The task, which begins a system call."""
        cast(FakeKernel, self.filesystem.kernel).moment += 1
        return self._task

    def become(self, uid: int, gid: int, groups: tuple[int, ...]) -> None:
        """Act as a user from now on, as seteuid(2) and its relatives make one."""
        self.task.credentials = self.task.credentials.replace(
            euid=uid,
            fsuid=uid,
            egid=gid,
            fsgid=gid,
            groups=tuple(sorted(groups)),
            effective=ALL_CAPABILITIES if uid == 0 else 0,
        )

    # -- calls -------------------------------------------------------------------------

    def walk(self, path: bytes, follow: bool = True) -> Path:
        """The place that a path names."""
        return walk(self.task, path, follow=follow)

    def stat(self, path: bytes) -> Attributes:
        return self.walk(path).inode.get_attributes()

    def lstat(self, path: bytes) -> Attributes:
        return self.walk(path, False).inode.get_attributes()

    def open(self, path: bytes, flags: int = 0, mode: int = 0o666) -> OpenFile:
        return opening.open_file(self.task, path, flags, mode).acquire()

    def mkdir(self, path: bytes, mode: int = 0o777) -> None:
        operations.make_directory(self.task, path, mode)

    def mknod(self, path: bytes, mode: int, device: int = 0) -> None:
        operations.make_node(self.task, path, mode, device)

    def symlink(self, target: bytes, path: bytes) -> None:
        operations.make_symlink(self.task, target, path)

    def readlink(self, path: bytes) -> bytes:
        return self.walk(path, False).inode.read_link()

    def link(self, source: bytes, path: bytes) -> None:
        operations.make_link(self.task, self.walk(source, False), path)

    def unlink(self, path: bytes) -> None:
        operations.unlink(self.task, path)

    def rmdir(self, path: bytes) -> None:
        operations.remove_directory(self.task, path)

    def rename(self, old: bytes, new: bytes, flags: int = 0) -> None:
        renaming.rename(self.task, old, new, flags=flags)

    def chmod(self, path: bytes, mode: int) -> None:
        attribute_operations.change_mode(self.task, self.walk(path), mode)

    def chown(self, path: bytes, uid: int, gid: int, follow: bool = True) -> None:
        """-1 leaves one alone."""
        owner, group = (None if number < 0 else number for number in (uid, gid))
        attribute_operations.change_owner(self.task, self.walk(path, follow), owner, group)

    def access(self, path: bytes, mode: int) -> bool:
        """faccessat2(2) with AT_EACCESS."""
        try:
            return may(self.task.credentials, self.walk(path).inode, mode)
        except KernelError:
            return False

    def setxattr(self, path: bytes, name: bytes, value: bytes, flags: int = 0) -> None:
        xattrs.set_xattr(self.task.credentials, self.walk(path), name, value, flags)

    def getxattr(self, path: bytes, name: bytes) -> bytes:
        return xattrs.get_xattr(self.task.credentials, self.walk(path), name)

    def set_flags(self, path: bytes, flags: int) -> None:
        file = self.open(path)
        try:
            set_file_flags(self.task.credentials, file.path, flags)
        finally:
            file.drop()

    def listxattr(self, path: bytes) -> list[bytes]:
        text = xattrs.list_xattrs(self.task.credentials, self.walk(path))
        return text.split(b"\0")[:-1]

    def removexattr(self, path: bytes, name: bytes) -> None:
        xattrs.remove_xattr(self.task.credentials, self.walk(path), name)

    def truncate(self, path: bytes, size: int) -> None:
        attribute_operations.truncate(self.task, self.walk(path), size)

    def utime(self, path: bytes, access_time: int, modification_time: int) -> None:
        place = self.walk(path, False)
        attribute_operations.set_times(self.task, place, access_time, modification_time)

    def listdir(self, path: bytes, batch: int = 7) -> list[bytes]:
        """The names in a directory, read `batch` entries at a time."""
        file = self.open(path, os.O_DIRECTORY)
        names: list[bytes] = []
        while entries := file.directory_entries(self.task)[:batch]:
            names.extend(entry.name for entry in entries)
            file.position = entries[-1].next_offset
        file.drop()
        assert names[:2] == [b".", b".."]
        return names[2:]

    def forget_everything(self) -> None:
        """Drop all names that the VFS remembers below the root."""
        root = self.mount.root
        for name in list(root.children):
            root.forget(root.children[name])

    # -- whole files ---------------------------------------------------------------------

    def read(self, path: bytes) -> bytes:
        """All of a file."""
        file = self.open(path)
        data = file.read(1 << 30)
        file.drop()
        return data

    def write(self, path: bytes, data: bytes, flags: int = 0) -> None:
        """Write to a file, made if it is missing."""
        file = self.open(path, os.O_WRONLY | os.O_CREAT | flags)
        while data:
            data = data[file.write(data) :]
        file.drop()


def open_descriptors() -> int:
    """How many host descriptors this process has, those of garbage not counted."""
    gc.collect()
    return len(os.listdir("/proc/self/fd"))


def error_number(error: KernelError | OSError) -> int:
    """The errno that a guest would see."""
    return error.number if isinstance(error, KernelError) else error.errno or 0
