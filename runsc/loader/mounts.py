"""The mount namespace of a container, as its specification has it.

Order: the root; /proc, /sys, /dev and /dev/pts where the specification has none; its own mounts as
they are listed; memory over an empty /tmp of a root that is kept in memory.  Then devices, the
working directory, read-only and masked paths.  Mount points that do not exist are made, in memory
where the root is an overlay.
"""

from __future__ import annotations

import os

from runsc_py.runsc.assembly import MountTree
from runsc_py.runsc.control.errors import ControlError
from runsc_py.runsc.errors import RunscError
from runsc_py.runsc.loader.gofer_mounts import GoferMountConfiguration
from runsc_py.runsc.loader.hints import SHARED
from runsc_py.runsc.loader.kernel_filesystems import KINDS, make_filesystem
from runsc_py.runsc.loader.mount_options import parse_mount_options
from runsc_py.runsc.loader.owners import identities, mount_identities
from runsc_py.runsc.loader.propagation import propagate
from runsc_py.runsc.loader.protection import protect
from runsc_py.runsc.mount_plan import SAFE, WORLD_WRITABLE
from runsc_py.sentry.abi.mount_flags import MS_NODEV, MS_NOEXEC, MS_NOSUID, MS_RDONLY, MS_RELATIME
from runsc_py.sentry.errors import EEXIST, ENOENT, ENOTDIR, KernelError, message_of
from runsc_py.sentry.fs.dev.registry import CONSOLE
from runsc_py.sentry.fs.devpts.filesystem import TTY_GID
from runsc_py.sentry.fs.gofer.filesystem import GoferFileSystem
from runsc_py.sentry.fs.gofer.identity import IdMapper, RecordedOwners
from runsc_py.sentry.fs.overlay.filesystem import Overlay
from runsc_py.sentry.fs.tmpfs.filesystem import Tmpfs
from runsc_py.sentry.fs.tmpfs.mounting import parse_size
from runsc_py.sentry.kernel.kernel_thread import KernelThread
from runsc_py.sentry.vfs.attributes import S_IFBLK, S_IFCHR, S_IFIFO, make_device
from runsc_py.sentry.vfs.mount import Mount
from runsc_py.sentry.vfs.operations import make_node
from runsc_py.sentry.vfs.path import Path
from runsc_py.sentry.vfs.walk import walk

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from runsc_py.gofer.client import GoferClient
    from runsc_py.runsc.config import Config
    from runsc_py.runsc.loader.shared_mounts import SharedMounts
    from runsc_py.runsc.oci.spec import Device, Spec
    from runsc_py.runsc.oci.spec import Mount as MountSpecification
    from runsc_py.sentry.fs.devpts.registry import TerminalRegistry
    from runsc_py.sentry.kernel.kernel import Kernel
    from runsc_py.sentry.kernel.namespaces import Namespaces
    from runsc_py.sentry.kernel.pid_namespace import PidNamespace
    from runsc_py.sentry.vfs.inode import FileSystem

#: (place, type, flags, options) of what every container has
MANDATORY: tuple[tuple[str, str, int, tuple[str, ...]], ...] = (
    ("/proc", "proc", SAFE, ()),
    ("/sys", "sysfs", SAFE | MS_RDONLY, ()),
    ("/dev", "devtmpfs", MS_NOSUID, ()),
    ("/dev/pts", "devpts", MS_NOSUID | MS_NOEXEC, ("gid=5", "mode=620", "ptmxmode=666")),
)
_DEVICE_TYPES = {"c": S_IFCHR, "u": S_IFCHR, "b": S_IFBLK, "p": S_IFIFO}


class MountBuilder:
    """Makes the tree of one container."""

    def __init__(
        self,
        kernel: Kernel,
        spec: Spec,
        config: Config,
        *,
        client: GoferClient | None,
        layers: list[GoferMountConfiguration],
        pid_namespace: PidNamespace,
        terminals: TerminalRegistry,
        shared: SharedMounts,
        image_owners: Mapping[int, tuple[int, int, int]] | None = None,
        upper_archive: int = -1,
    ) -> None:
        """`upper_archive`: a descriptor of what the root's upper layer begins with; -1 for none."""
        self._kernel = kernel
        self._spec = spec
        self._config = config
        self._client = client
        self._layers = layers
        self._pid_namespace = pid_namespace
        self._terminals = terminals
        self._shared = shared
        self._upper_archive = upper_archive
        self._ids = identities(spec)
        self._owners = None if image_owners is None else RecordedOwners(image_owners)
        #: of the gofer's mount that is served next
        self._index = 0
        #: those that other containers get as well
        self.lent: set[int] = set()
        #: what takes mount points until everything is mounted
        self._read_only: list[Mount] = []
        self.tree: MountTree

    def build(self, namespaces: Namespaces | None) -> MountTree:
        """The tree, beside these namespaces or the first of all.  Raises RunscError."""
        spec = self._spec
        self._mount_root(namespaces)
        if self._upper_archive >= 0:
            from runsc_py.runsc.loader.upper_archive import unpack_upper

            unpack_upper(self.tree.walker, self._upper_archive)
        wanted = {os.path.normpath(mount.destination) for mount in spec.mounts}
        for place, kind, flags, options in MANDATORY:
            if place not in wanted and not (place == "/dev/pts" and self._hides_dev()):
                self._mount_kernel(place, kind, flags | MS_RELATIME, options)
        binds = iter(self._layers[1:])
        for mount in spec.mounts:
            self._mount(mount, next(binds) if mount.is_bind else None)
        if "/tmp" not in wanted and self._layers[0].is_overlay:
            self._mount_over_empty_tmp()
        linux = spec.linux
        if linux is not None:
            self._make_devices(linux.devices)
        self._make_console()
        self._make_working_directory()
        if linux is not None:
            protect(self.tree, linux.readonly_paths, linux.masked_paths)
            propagate(self.tree.mounts, self.tree.mounts.root, [linux.rootfs_propagation])
        if spec.root is not None and spec.root.readonly:
            self._read_only.append(self.tree.mounts.root)
        for one in self._read_only:
            one.flags |= MS_RDONLY
        return self.tree

    # -- the root ----------------------------------------------------------------------------

    def _mount_root(self, namespaces: Namespaces | None) -> None:
        assert self._spec.root is not None
        access = self._config.file_access
        filesystem = self._layered(self._layers[0], self._spec.root.path, access, is_root=True)
        if not filesystem.root.is_directory:
            raise ControlError(f"root directory {self._spec.root.path}: not a directory")
        self.tree = MountTree(self._kernel, filesystem, namespaces, self._pid_namespace)

    def _layered(
        self,
        layers: GoferMountConfiguration,
        source: str,
        access: str,
        *,
        is_root: bool = False,
        ids: IdMapper | None = None,
    ) -> FileSystem:
        """What the gofer serves, under memory if so wished; `access` as --file-access has it.

        `ids`: of a mount with a map of its own.
        """
        kernel = self._kernel
        size = parse_size(kernel, b"size", layers.size.encode()) if layers.size else None
        if self._client is None and layers.served_mounts:
            raise ControlError("rootfs gofer FD not found")
        index = self._index
        self._index += layers.served_mounts
        if not layers.uses_gofer:
            return self._upper(layers, source, index, size, 0o755)
        assert self._client is not None
        owners = self._owners if is_root else None
        try:
            lower = GoferFileSystem(
                kernel,
                self._client,
                index,
                shared=access == "shared" and not layers.is_overlay,
                ids=IdMapper() if owners is not None else ids or self._ids,
                source="none",  # the host's names are nobody's business inside
                owners=owners,
            )
        except OSError as error:
            raise ControlError(
                f"mounting {source}: {os.strerror(error.errno or 0)}", errno=error.errno or 0
            ) from None
        if not layers.is_overlay or not lower.root.is_directory:
            return lower
        mode = lower.root.mode & 0o7777
        upper = self._upper(layers, source, index + 1, size, mode)
        return Overlay(kernel, upper.root, (lower.root,))

    def _upper(
        self, layers: GoferMountConfiguration, source: str, index: int, size: int | None, mode: int
    ) -> Tmpfs:
        """What takes the writes: memory, or files of a store, which is mount number `index`."""
        if not layers.has_filestore:
            return Tmpfs(self._kernel, size=size, mode=mode)
        from runsc_py.sentry.fs.gofer.stored_tmpfs import StoredTmpfs

        assert self._client is not None
        try:
            return StoredTmpfs(self._kernel, self._client, index, size=size, mode=mode)
        except OSError as error:
            reason = os.strerror(error.errno or 0)
            raise ControlError(
                f"--overlay2={self._config.overlay2}: no place for what {source} takes: {reason}",
                errno=error.errno or 0,
                hint="use --overlay2=root:memory, or dir= with a directory on another disk",
            ) from None

    # -- mounts ------------------------------------------------------------------------------

    def _hides_dev(self) -> bool:
        """Whether /dev is the host's: it has a pts of its own."""
        return any(
            os.path.normpath(mount.destination) == "/dev" and mount.is_bind
            for mount in self._spec.mounts
        )

    def _mount(self, mount: MountSpecification, layers: GoferMountConfiguration | None) -> None:
        flags, options = parse_mount_options(mount.options)
        destination = os.path.normpath(mount.destination)
        index = self._index
        hint, known = self._shared.hint(mount.source), self._shared.find(mount.source)
        if hint is not None:
            hint.check(destination, flags)
        if layers is not None and known is not None:
            self._index += layers.served_mounts
            made = self._attach(destination, known, flags)
        elif layers is not None and hint is not None and not layers.uses_gofer:
            made = self._mount_kernel(destination, "tmpfs", flags, hint.options)
        elif layers is not None:
            access = self._config.file_access_mounts
            if hint is not None:
                access = "shared" if hint.share == SHARED else "exclusive"
            ids = mount_identities(self._spec, mount)
            served = self._layered(layers, mount.source, access, ids=ids)
            made = self._attach(destination, served, flags)
        elif known is not None and mount.type == "tmpfs":
            made = self._attach(destination, known, flags)
        elif mount.type in KINDS:
            if mount.type in ("proc", "sysfs"):
                self._refuse_link(destination, mount.type)
            copies = "tmpcopyup" in mount.options
            made = self._mount_kernel(destination, mount.type, flags, options, copies=copies)
            made.source = mount.source or "none"
        else:
            self._kernel.log.warning(f"ignoring mount of unknown type {mount.type!r}")
            return
        self._shared.keep(mount.source, made.filesystem)
        if known is None and self._shared.find(mount.source) is not None:
            self.lent.update(range(index, self._index))
        propagate(self.tree.mounts, made, mount.options)

    def _exists(self, destination: str) -> bool:
        """Whether something is there already."""
        try:
            walk(self.tree.walker, os.fsencode(destination))
        except (ENOENT, ENOTDIR):
            return False
        return True

    def _refuse_link(self, destination: str, kind: str) -> None:
        """What leads elsewhere is no place for these, as with runc."""
        try:
            place = walk(self.tree.walker, os.fsencode(destination), follow=False)
        except (ENOENT, ENOTDIR):
            return
        if not place.inode.is_directory:
            raise ControlError(
                f'filesystem "{kind}" must be mounted on ordinary directory: {destination}'
            )

    def _mount_kernel(
        self,
        destination: str,
        kind: str,
        flags: int,
        options: Sequence[str],
        *,
        copies: bool = False,
    ) -> Mount:
        """A file system of the kernel's.  `copies`: with what the directory has that it covers.

        The mode of a tmpfs is that of this directory, if it is there and the options have none.
        """
        existed = self._exists(destination)
        covered = self.tree.place(destination).inode if kind == "tmpfs" else None
        given = any(option.startswith("mode=") for option in options)
        if covered is not None and existed and not given:
            options = [f"mode={covered.mode & 0o7777:o}", *options]
        walker = self.tree.walker
        context = make_filesystem(walker, self._terminals, kind, destination, options, flags)
        filesystem = context.filesystem
        assert filesystem is not None
        if copies and covered is not None:
            from runsc_py.runsc.loader.copy_up import copy_up

            assert isinstance(filesystem, Tmpfs)
            try:
                copy_up(self._kernel, covered, filesystem)
            except KernelError as error:
                raise ControlError.of_kernel(f"tmpcopyup {destination}", error) from None
        if not isinstance(filesystem, Tmpfs):
            return self._attach(destination, filesystem, flags)
        mount = self._attach(destination, filesystem, flags & ~MS_RDONLY)
        if flags & MS_RDONLY:
            self._read_only.append(mount)
        return mount

    def _attach(self, destination: str, filesystem: FileSystem, flags: int) -> Mount:
        is_directory = filesystem.root.is_directory
        place = self.tree.place(destination, is_directory=is_directory)
        if place.inode.is_directory != is_directory:
            raise ControlError(f"mounting at {destination}: {message_of(ENOTDIR())}")
        return self.tree.mounts.mount(filesystem, place, flags)

    def _mount_over_empty_tmp(self) -> None:
        """As gVisor: an image's own content of /tmp stays, an empty or missing one becomes memory.

        Not so where the root directory takes writes: `podman cp`, `commit` and `diff` look there.
        """
        place = self.tree.place("/tmp")
        if place.inode.is_directory and _is_empty(self.tree.walker, place):
            mode = place.inode.mode & 0o7777
            filesystem = Tmpfs(self._kernel, mode=mode if mode & 0o002 else WORLD_WRITABLE)
            self.tree.mounts.mount(filesystem, place, MS_NOSUID | MS_NODEV | MS_RELATIME)

    # -- what comes after the mounts -----------------------------------------------------------

    def _make_devices(self, devices: list[Device]) -> None:
        walker = self.tree.walker
        for device in devices:
            path = os.path.normpath(device.path)
            permissions = 0o666 if device.file_mode is None else device.file_mode & 0o7777
            mode = _DEVICE_TYPES[device.type] | permissions
            number = make_device(device.major, device.minor)
            try:
                self.tree.place(os.path.dirname(path))
                place = make_node(walker, os.fsencode(path), mode, number)
            except EEXIST:
                continue
            except KernelError as error:
                raise ControlError.of_kernel(f"creating device {device.path}", error) from None
            _own(place, mode, device.uid or 0, device.gid or 0)

    def _make_console(self) -> None:
        """Where runc shows the container's terminal a second time."""
        process = self._spec.process
        if process is None or not process.terminal or self._hides_dev():
            return
        try:
            place = make_node(self.tree.walker, b"/dev/console", S_IFCHR | 0o620, CONSOLE)
        except EEXIST:
            return
        except KernelError as error:
            raise ControlError.of_kernel("creating /dev/console", error) from None
        _own(place, 0o620, 0, TTY_GID)

    def _make_working_directory(self) -> None:
        process = self._spec.process
        if process is None or process.cwd in ("", "/"):
            return
        try:
            self.tree.place(process.cwd)
        except RunscError as error:
            raise ControlError(f"creating the working directory {process.cwd!r}: {error}") from None


def _own(place: Path, mode: int, uid: int, gid: int) -> None:
    """Owner and mode of a new device, whatever the umask was."""
    from runsc_py.sentry.vfs.attributes import AttributeChange

    place.inode.set_attributes(AttributeChange(mode=mode & 0o7777, uid=uid, gid=gid))


def _is_empty(walker: KernelThread, place: Path) -> bool:
    from runsc_py.sentry.vfs.open_file import O_DIRECTORY, O_RDONLY

    file = place.inode.open(walker, place, O_RDONLY | O_DIRECTORY).acquire()
    try:
        return all(entry.name in (b".", b"..") for entry in file.directory_entries(walker))
    finally:
        file.drop()
