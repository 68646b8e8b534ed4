"""The sandbox's tree of mounts: host root below, memory above, kernel file systems, volumes.

Mount points that do not exist are made in the memory overlay; the host never sees them.
"""

import os

from runsc_py.gofer.client import GoferClient
from runsc_py.runsc.errors import RunscError
from runsc_py.runsc.options import RunOptions, TmpfsMount, Volume
from runsc_py.sentry.errors import KernelError
from runsc_py.sentry.fs.dev.filesystem import DevFileSystem
from runsc_py.sentry.fs.devpts.filesystem import DevptsFileSystem
from runsc_py.sentry.fs.gofer.filesystem import GoferFileSystem
from runsc_py.sentry.fs.gofer.identity import IdMapper, RecordedOwners
from runsc_py.sentry.fs.overlay.filesystem import Overlay
from runsc_py.sentry.fs.proc.filesystem import ProcFileSystem
from runsc_py.sentry.fs.sys.filesystem import SysFileSystem
from runsc_py.sentry.fs.tmpfs.filesystem import Tmpfs
from runsc_py.sentry.kernel.kernel import Kernel
from runsc_py.sentry.kernel.task import Task
from runsc_py.sentry.vfs.inode import FileSystem
from runsc_py.sentry.vfs.mount import (
    MS_NODEV,
    MS_NOEXEC,
    MS_NOSUID,
    MS_RDONLY,
    MS_RELATIME,
    Mount,
    MountNamespace,
)
from runsc_py.sentry.vfs.operations import make_directory
from runsc_py.sentry.vfs.path import Dentry, Path
from runsc_py.sentry.vfs.walk import walk

SAFE = MS_NOSUID | MS_NODEV | MS_NOEXEC
#: of /dev/shm
WORLD_WRITABLE = 0o1777


def identities(options: RunOptions, *, of_image: bool = False) -> IdMapper:
    """Whom the guest sees as the owner of host files.

    An ordinary user's files are those of the sandbox's root, who is he; with `--user` and his own
    uid they stay his, but for those of an image, which he unpacked for root.
    """
    if options.uids is not None or options.gids is not None:
        return IdMapper(options.uids, options.gids)
    uid = os.geteuid()
    if of_image and uid != 0:
        return IdMapper.rootless(uid, os.getegid())
    if uid == 0 or (options.user or "").partition(":")[0] == str(uid):
        return IdMapper()
    return IdMapper.rootless(uid, os.getegid())


def mount_root(kernel: Kernel, client: GoferClient, options: RunOptions) -> MountNamespace:
    """The namespace with nothing but `/`: an overlay of memory over the host's root.

    Or that root itself, where writes were asked to change it.
    """
    try:
        owners, ids = None, identities(options, of_image=options.is_image)
        if options.owners is not None:
            owners, ids = RecordedOwners(options.owners), IdMapper()
        shared = not options.has_overlay
        lower = GoferFileSystem(kernel, client, 0, ids=ids, owners=owners, shared=shared)
    except OSError as error:
        raise RunscError(f"--rootfs {options.rootfs}: {os.strerror(error.errno or 0)}") from None
    if not lower.root.is_directory:
        raise RunscError(f"--rootfs {options.rootfs}: not a directory")
    visible: FileSystem = lower
    if options.has_overlay:
        upper = Tmpfs(kernel, mode=lower.root.mode & 0o7777)
        visible = Overlay(kernel, upper.root, (lower.root,))
    root = Mount(1, visible, Dentry(b"/", None, visible.root), MS_RELATIME)
    namespace = MountNamespace(root, kernel.root_user_namespace, kernel.new_inode_number())
    kernel.root_mount_namespace = namespace
    return namespace


def mount_everything(kernel: Kernel, client: GoferClient, options: RunOptions, task: Task) -> None:
    """All that is mounted above the root; `task` is the first task, used to find places."""
    namespace = kernel.root_mount_namespace
    plan: list[tuple[str, FileSystem, int]] = [
        ("/proc", ProcFileSystem(kernel, kernel.root_pid_namespace), SAFE | MS_RELATIME),
        ("/sys", SysFileSystem(kernel), SAFE | MS_RDONLY | MS_RELATIME),
        ("/dev", DevFileSystem(kernel), MS_NOSUID | MS_RELATIME),
        ("/dev/pts", DevptsFileSystem(kernel.terminals), MS_NOSUID | MS_NOEXEC | MS_RELATIME),
        ("/dev/shm", Tmpfs(kernel, mode=WORLD_WRITABLE), MS_NOSUID | MS_NODEV | MS_RELATIME),
    ]
    for destination, filesystem, flags in plan:
        _mount(namespace, task, destination, filesystem, flags)
    # Whatever their order on the command line, a mount must not hide one that lies below it.
    asked: list[TmpfsMount | Volume] = [*options.tmpfs, *options.volumes]
    for mount in sorted(asked, key=lambda mount: mount.destination.count("/")):
        filesystem, flags = _asked_file_system(kernel, client, options, mount)
        _mount(namespace, task, mount.destination, filesystem, flags)


def _asked_file_system(
    kernel: Kernel, client: GoferClient, options: RunOptions, mount: TmpfsMount | Volume
) -> tuple[FileSystem, int]:
    """What an option asks to be mounted, and its flags."""
    if isinstance(mount, TmpfsMount):
        return Tmpfs(kernel, size=mount.size), MS_NOSUID | MS_NODEV | MS_RELATIME
    # The gofer's first mount is the root.
    index = options.volumes.index(mount) + 1
    try:
        filesystem = GoferFileSystem(
            kernel,
            client,
            index,
            shared=mount.shared,
            ids=identities(options),
            source=mount.source,
        )
    except OSError as error:
        raise RunscError(f"--volume {mount.source}: {os.strerror(error.errno or 0)}") from None
    return filesystem, MS_RELATIME | (MS_RDONLY if mount.read_only else 0)


def _mount(
    namespace: MountNamespace,
    task: Task,
    destination: str,
    filesystem: FileSystem,
    flags: int,
) -> Mount:
    place = make_mount_point(task, os.fsencode(destination), filesystem.root.is_directory)
    return namespace.mount(filesystem, place, flags)


def make_mount_point(task: Task, destination: bytes, is_directory: bool) -> Path:
    """The place to mount at, made where it does not exist."""
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


def _make_file(task: Task, path: bytes) -> None:
    from runsc_py.sentry.vfs.open_file import O_CREAT, O_WRONLY
    from runsc_py.sentry.vfs.opening import open_file

    open_file(task, path, O_CREAT | O_WRONLY, 0o644).acquire().drop()
