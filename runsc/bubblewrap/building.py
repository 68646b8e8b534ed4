"""The root of a `bwrap` command, filled step by step inside the sandbox.

What the host's own kernel shows at /proc, /sys and /dev is never shown: a bind of it, or of what it
lies below, is the sandbox's own.  Everything else of the host comes through the gofer.
"""

import os
from posixpath import join

from runsc_py.gofer.client import GoferClient
from runsc_py.runsc.assembly import MountTree
from runsc_py.runsc.bubblewrap import operations
from runsc_py.runsc.bubblewrap.operations import Setup, Step
from runsc_py.runsc.errors import RunscError
from runsc_py.runsc.mount_plan import SAFE, WORLD_WRITABLE
from runsc_py.runsc.options import RunOptions
from runsc_py.sentry.abi.mount_flags import MS_NODEV, MS_NOEXEC, MS_NOSUID, MS_RDONLY, MS_RELATIME
from runsc_py.sentry.errors import EEXIST, EINVAL, KernelError, message_of
from runsc_py.sentry.fs.dev.filesystem import DevFileSystem
from runsc_py.sentry.fs.devpts.filesystem import DevptsFileSystem
from runsc_py.sentry.fs.gofer.filesystem import GoferFileSystem
from runsc_py.sentry.fs.gofer.identity import IdMapper, RangeIdMapper
from runsc_py.sentry.fs.overlay.filesystem import Overlay
from runsc_py.sentry.fs.proc.filesystem import ProcFileSystem
from runsc_py.sentry.fs.sys.filesystem import SysFileSystem
from runsc_py.sentry.fs.tmpfs.filesystem import Tmpfs
from runsc_py.sentry.kernel.kernel import Kernel
from runsc_py.sentry.vfs.attributes import AttributeChange
from runsc_py.sentry.vfs.inode import FileSystem
from runsc_py.sentry.vfs.mount import Mount
from runsc_py.sentry.vfs.open_file import O_WRONLY
from runsc_py.sentry.vfs.operations import make_directory, make_node, make_symlink, unlink
from runsc_py.sentry.vfs.path import Dentry, Path
from runsc_py.sentry.vfs.walk import cross_down, walk

#: of every mount; devices can be used where a bind says so
PLAIN = MS_NOSUID | MS_NODEV | MS_RELATIME
#: permissions when no --perms says otherwise
_USUAL = {
    operations.DIRECTORY: 0o755,
    operations.TMPFS: 0o755,
    operations.FILE: 0o666,
    operations.DATA: 0o600,
}


def build(kernel: Kernel, client: GoferClient, options: RunOptions) -> MountTree:
    """The tree of mounts.  Raises RunscError."""
    assert options.setup is not None
    return _Builder(kernel, client, options.setup).build()


class _Builder:
    """The tree in the making."""

    def __init__(self, kernel: Kernel, client: GoferClient, setup: Setup) -> None:
        self._kernel = kernel
        self._client = client
        self._uid, self._gid = setup.uid, setup.gid
        self._ids = IdMapper()
        if setup.has_users:
            user, group = (setup.uid, os.geteuid(), 1), (setup.gid, os.getegid(), 1)
            self._ids = RangeIdMapper((user,), (group,))
        self._steps = list(setup.visible_steps())
        self._binds = setup.binds()

    def build(self) -> MountTree:
        """Everything, in order."""
        steps = self._steps
        if steps and steps[0].destination == "/" and steps[0].kind in operations.MOUNTS:
            first = steps.pop(0)
            root, flags = self._filesystem(first)
            self._begin(root, flags)
            if first.kind == operations.BIND:
                self._show_own(first)
        else:
            self._begin(self._memory(0o755), PLAIN)
        for step in steps:
            try:
                self._do(step)
            except KernelError as error:
                what = f"{step.kind} {step.destination}"
                raise RunscError(f"Can't {what}: {message_of(error)}") from None
        return self._tree

    def _begin(self, root: FileSystem, flags: int) -> None:
        """A root, in which everything that is made belongs to the program's user."""
        self._tree = MountTree(self._kernel, root)
        self._tree.mounts.root.flags = flags
        uid, gid = self._uid, self._gid
        walker = self._tree.walker
        walker.credentials = walker.credentials.replace(
            uid=uid, euid=uid, suid=uid, fsuid=uid, gid=gid, egid=gid, sgid=gid, fsgid=gid
        )

    def _do(self, step: Step) -> None:
        kind, walker = step.kind, self._tree.walker
        name = os.fsencode(step.destination)
        if kind == operations.CHMOD:
            walk(walker, name).inode.set_attributes(AttributeChange(mode=step.permissions))
            return
        if kind == operations.READ_ONLY:
            self._make_read_only(name)
            return
        self._make_parents(step)
        if kind == operations.DATA:
            self._mount_content(step)
        elif kind in operations.MOUNTS:
            self._mount(step)
        elif kind == operations.DIRECTORY:
            self._make_directory(name, _permissions(step))
        elif kind == operations.FILE:
            self._fill(make_node(walker, name, 0o600, 0), step)
        else:
            self._make_symlink(step)

    # -- mounts --------------------------------------------------------------------------------

    def _mount(self, step: Step) -> None:
        own = _own_place(step.source) if step.kind == operations.BIND else None
        if own is not None:
            self._mount_own(step, *own)
            return
        self._tree.attach(step.destination, *self._filesystem(step))
        if step.kind == operations.DEV:
            self._fill_dev(step.destination)
        elif step.kind == operations.BIND:
            self._show_own(step)

    def _filesystem(self, step: Step) -> tuple[FileSystem, int]:
        """What a step mounts, and its flags."""
        kernel = self._kernel
        if step.kind == operations.BIND:
            flags = MS_NOSUID | MS_RELATIME
            flags |= (0 if step.devices else MS_NODEV) | (MS_RDONLY if step.read_only else 0)
            return self._gofer(step), flags
        if step.kind == operations.TMPFS:
            return self._memory(_permissions(step), step.size), PLAIN
        if step.kind == operations.PROC:
            return ProcFileSystem(kernel, kernel.root_pid_namespace), SAFE | MS_RELATIME
        if step.kind == operations.MQUEUE:
            from runsc_py.sentry.fs.mqueue import mqueue_of

            return mqueue_of(kernel, self._tree.walker.namespaces.ipc), SAFE | MS_RELATIME
        return DevFileSystem(kernel), MS_NOSUID | MS_RELATIME

    def _memory(self, mode: int, size: int | None = None) -> FileSystem:
        """An empty one that the program's user owns."""
        return Tmpfs(self._kernel, mode=mode, size=size, uid=self._uid, gid=self._gid)

    def _gofer(self, step: Step) -> FileSystem:
        """A directory or a file of the host, below an overlay where one is asked for."""
        try:
            lower = GoferFileSystem(
                self._kernel,
                self._client,
                self._binds.index(step),
                shared=not step.has_overlay,
                ids=self._ids,
                source=step.source,
            )
        except OSError as error:
            reason = os.strerror(error.errno or 0)
            raise RunscError(f"Can't bind mount {step.source}: {reason}") from None
        if not step.has_overlay or not lower.root.is_directory:
            return lower
        upper = self._memory(lower.root.mode & 0o7777)
        return Overlay(self._kernel, upper.root, (lower.root,))

    def _fill_dev(self, destination: str) -> None:
        """Terminals and shared memory, which /dev has file systems of their own for."""
        shared = Tmpfs(self._kernel, mode=WORLD_WRITABLE)
        terminals = DevptsFileSystem(self._kernel.terminals)
        self._tree.attach(join(destination, "pts"), terminals, MS_NOSUID | MS_NOEXEC | MS_RELATIME)
        self._tree.attach(join(destination, "shm"), shared, PLAIN)

    def _show_own(self, step: Step) -> None:
        """The sandbox's own kernel file systems where a bind would show the host's."""
        for place in ("/proc", "/sys", "/dev"):
            if _is_below(place, step.source) and os.path.isdir(place):
                name = place[len(step.source) :].lstrip("/")
                inner = Step(operations.BIND, join(step.destination, name))
                inner.source, inner.read_only, inner.devices = place, step.read_only, step.devices
                self._mount_own(inner, place, "")

    def _mount_own(self, step: Step, place: str, name: str) -> None:
        """What the host has at `place`/`name`, as the sandbox's own kernel shows it."""
        kernel = self._kernel
        flags = MS_NOSUID | MS_RELATIME | (0 if step.devices else MS_NODEV)
        flags |= MS_RDONLY if step.read_only or place == "/sys" else 0
        filesystem: FileSystem
        if place == "/dev" and name in ("shm", "pts"):
            filesystem = (
                Tmpfs(kernel, mode=WORLD_WRITABLE)
                if name == "shm"
                else DevptsFileSystem(kernel.terminals)
            )
            name = ""
        elif place == "/dev":
            filesystem = DevFileSystem(kernel)
        elif place == "/sys":
            filesystem = SysFileSystem(kernel)
        else:
            filesystem = ProcFileSystem(kernel, kernel.root_pid_namespace)
        root = Dentry(b"/", None, filesystem.root)
        for part in filter(None, name.split("/")):
            root = root.look_up(os.fsencode(part))
        if root.inode is None:
            raise RunscError(f"Can't bind mount {step.source}: the sandbox has no such file")
        there = self._tree.place(step.destination, is_directory=root.inode.is_directory)
        self._tree.mounts.mount(filesystem, there, flags, root)
        if place == "/dev" and root.inode is filesystem.root and step.source == "/dev":
            self._fill_dev(step.destination)

    def _make_read_only(self, name: bytes) -> None:
        place = walk(self._tree.walker, name)
        place = Path(*cross_down(place.mount, place.dentry))
        if place.dentry is not place.mount.root:
            raise EINVAL
        place.mount.flags |= MS_RDONLY

    # -- files ---------------------------------------------------------------------------------

    def _make_parents(self, step: Step) -> None:
        """Directories on the way: others have rights there when they have some to what is made."""
        permissions = _permissions(step)
        mode = 0o700
        for bits, needed in ((0o050, 0o070), (0o005, 0o007)):
            if permissions & needed:
                mode |= bits
        parts = step.destination.strip("/").split("/")
        for count in range(1, len(parts)):
            self._make_directory(os.fsencode("/" + "/".join(parts[:count])), mode)

    def _make_directory(self, name: bytes, mode: int) -> None:
        """One that is there already will do."""
        try:
            made = make_directory(self._tree.walker, name, mode)
        except EEXIST:
            return
        made.inode.set_attributes(AttributeChange(mode=mode))

    def _fill(self, place: Path, step: Step) -> None:
        file = place.inode.open(self._tree.walker, place, O_WRONLY).acquire()
        try:
            offset = 0
            while offset < len(step.content):
                offset += file.write_at(step.content[offset:], offset)
        finally:
            file.drop()
        place.inode.set_attributes(AttributeChange(mode=_permissions(step)))

    def _mount_content(self, step: Step) -> None:
        """A file in memory on top of a place."""
        filesystem = self._memory(0o700)
        mount = Mount(0, filesystem, Dentry(b"/", None, filesystem.root), 0)
        file = make_node(self._tree.walker, b"data", 0o600, 0, Path(mount, mount.root))
        self._fill(file, step)
        there = self._tree.place(step.destination, is_directory=False)
        flags = PLAIN | (MS_RDONLY if step.read_only else 0)
        self._tree.mounts.mount(filesystem, there, flags, file.dentry)
        # It has no name anywhere else, as bwrap's copy has none.
        unlink(self._tree.walker, b"data", Path(mount, mount.root))

    def _make_symlink(self, step: Step) -> None:
        """One that is there already, and leads to the same, will do."""
        walker, name = self._tree.walker, os.fsencode(step.destination)
        target = os.fsencode(step.source)
        try:
            make_symlink(walker, target, name)
        except EEXIST:
            there = walk(walker, name, follow=False).inode
            if not there.is_symlink or there.read_link() != target:
                raise


def _permissions(step: Step) -> int:
    """Of what a step makes; none of what it shows."""
    return _USUAL.get(step.kind, 0) if step.permissions is None else step.permissions


def _is_below(path: str, directory: str) -> bool:
    return path == directory or path.startswith(directory.rstrip("/") + "/")


def _own_place(source: str) -> tuple[str, str] | None:
    """Which of the kernel's file systems a path of the host is in, and its name there."""
    for place in ("/proc", "/sys", "/dev"):
        if _is_below(source, place):
            return place, source[len(place) :].lstrip("/")
    return None
