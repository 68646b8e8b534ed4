"""What `run` mounts: host root below, memory above, kernel file systems, volumes.

Mount points that do not exist are made in the memory overlay; the host never sees them.
"""

import os

from runsc_py.gofer.client import GoferClient
from runsc_py.runsc.assembly import MountTree
from runsc_py.runsc.errors import RunscError
from runsc_py.runsc.options import RunOptions, TmpfsMount, Volume
from runsc_py.sentry.abi.mount_flags import MS_NODEV, MS_NOEXEC, MS_NOSUID, MS_RDONLY, MS_RELATIME
from runsc_py.sentry.fs.dev.filesystem import DevFileSystem
from runsc_py.sentry.fs.devpts.filesystem import DevptsFileSystem
from runsc_py.sentry.fs.gofer.filesystem import GoferFileSystem
from runsc_py.sentry.fs.gofer.identity import IdMapper, RangeIdMapper, RecordedOwners
from runsc_py.sentry.fs.overlay.filesystem import Overlay
from runsc_py.sentry.fs.proc.filesystem import ProcFileSystem
from runsc_py.sentry.fs.sys.filesystem import SysFileSystem
from runsc_py.sentry.fs.tmpfs.filesystem import Tmpfs
from runsc_py.sentry.kernel.kernel import Kernel
from runsc_py.sentry.vfs.inode import FileSystem

SAFE = MS_NOSUID | MS_NODEV | MS_NOEXEC
#: ids that are the same inside
EVERYBODY = ((0, 0, (1 << 32) - 1),)
#: of /dev/shm
WORLD_WRITABLE = 0o1777


def identities(options: RunOptions, *, of_image: bool = False) -> IdMapper:
    """Whom the guest sees as the owner of host files.

    An ordinary user's files are those of the sandbox's root, who is he; with `--user` and his own
    uid they stay his, but for those of an image, which he unpacked for root.
    """
    if options.uids is not None or options.gids is not None:
        return RangeIdMapper(options.uids or EVERYBODY, options.gids or EVERYBODY)
    uid = os.geteuid()
    if of_image and uid != 0:
        return IdMapper.rootless(uid, os.getegid())
    if uid == 0 or (options.user or "").partition(":")[0] == str(uid):
        return IdMapper()
    return IdMapper.rootless(uid, os.getegid())


def mount_everything(kernel: Kernel, client: GoferClient, options: RunOptions) -> MountTree:
    """The tree of mounts.  Raises RunscError."""
    tree = MountTree(kernel, _root(kernel, client, options))
    plan: list[tuple[str, FileSystem, int]] = [
        ("/proc", ProcFileSystem(kernel, kernel.root_pid_namespace), SAFE | MS_RELATIME),
        ("/sys", SysFileSystem(kernel), SAFE | MS_RDONLY | MS_RELATIME),
        ("/dev", DevFileSystem(kernel), MS_NOSUID | MS_RELATIME),
        ("/dev/pts", DevptsFileSystem(kernel.terminals), MS_NOSUID | MS_NOEXEC | MS_RELATIME),
        ("/dev/shm", Tmpfs(kernel, mode=WORLD_WRITABLE), MS_NOSUID | MS_NODEV | MS_RELATIME),
    ]
    for destination, filesystem, flags in plan:
        tree.attach(destination, filesystem, flags)
    # Whatever their order on the command line, a mount must not hide one that lies below it.
    asked: list[TmpfsMount | Volume] = [*options.tmpfs, *options.volumes]
    for mount in sorted(asked, key=lambda mount: mount.destination.count("/")):
        tree.attach(mount.destination, *_asked_file_system(kernel, client, options, mount))
    return tree


def _root(kernel: Kernel, client: GoferClient, options: RunOptions) -> FileSystem:
    """An overlay of memory over the host's root, or that itself where writes are to change it."""
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
    if not options.has_overlay:
        return lower
    upper = Tmpfs(kernel, mode=lower.root.mode & 0o7777)
    return Overlay(kernel, upper.root, (lower.root,))


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
