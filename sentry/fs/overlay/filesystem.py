"""A mounted overlay: its layers, and which overlay inode stands for which inode of a layer.

One overlay inode exists for each inode of a layer that is in use, so that hard links stay one
file.  While an inode is only what the layers say, it can be forgotten and made again.  Once it
knows more (it was copied up, it was moved, one of its names was removed) it is kept until its last
name is gone: nothing else remembers.
"""

from collections.abc import Sequence
from weakref import WeakValueDictionary

from runsc_py.sentry.abi.mount_flags import MS_RDONLY
from runsc_py.sentry.fs.layer import LayerFileSystem
from runsc_py.sentry.fs.overlay.directory import OverlayDirectory
from runsc_py.sentry.fs.overlay.node import OverlayInode
from runsc_py.sentry.fs.overlay.regular import OverlayRegular
from runsc_py.sentry.fs.overlay.special import OverlaySpecial
from runsc_py.sentry.vfs.attributes import S_IFDIR, S_IFMT, S_IFREG
from runsc_py.sentry.vfs.inode import FileSystem, Inode
from runsc_py.sentry.vfs.mount import Mount

TYPE_CHECKING = False
if TYPE_CHECKING:
    from runsc_py.sentry.kernel.kernel import Kernel

OVERLAYFS_SUPER_MAGIC = 0x794C7630

# Inode numbers: those of the first lower layer as they are; the upper layer's, and those of other
# file systems among the lower ones, in ranges of their own.
_UPPER_NUMBERS = 1 << 49
_LAYER_SHIFT = 58


class Overlay(LayerFileSystem):
    """One overlay: directory `upper` over the directories `lowers`, topmost first.

    Without an upper directory it is read-only.  The upper layer must not be changed by anybody
    else, the lower ones by nobody.
    """

    type_name = "overlay"
    magic = OVERLAYFS_SUPER_MAGIC
    keeps_acls = True
    has_flags = True

    def __init__(
        self,
        kernel: "Kernel",
        upper: Inode | None,
        lowers: tuple[Inode, ...],
        shown_options: Sequence[str] = (),
        *,
        moves_directories: bool = True,
    ) -> None:
        super().__init__(kernel)
        #: whether directories of lower layers can be renamed (Linux's redirect_dir)
        self.moves_directories = moves_directories
        #: where what is written takes space
        self.counted = (upper or lowers[0]).filesystem
        self._shown_options = list(shown_options)
        if upper is None:
            self.flags |= MS_RDONLY
        #: by the topmost lower inode, and by the upper inode
        self._by_lower: WeakValueDictionary[Inode, OverlayInode] = WeakValueDictionary()
        self._by_upper: WeakValueDictionary[Inode, OverlayInode] = WeakValueDictionary()
        #: those that must not be forgotten
        self._kept: set[OverlayInode] = set()
        self._layers: dict[FileSystem, int] = {}
        self.root: OverlayDirectory = OverlayDirectory(self, upper, lowers, None, b"")
        if upper is not None:
            self._by_upper[upper] = self.root
        self.keep(self.root)
        self._lower_filesystems = {lower.filesystem for lower in lowers}
        layers = (
            self._lower_filesystems
            if upper is None
            else {upper.filesystem, *self._lower_filesystems}
        )
        #: mounts nobody sees, which keep the layers' file systems from being released
        self._layer_mounts = [Mount(0, layer) for layer in layers]
        self.add_user(self)

    def add_user(self, filesystem: FileSystem) -> None:
        for lower in self._lower_filesystems:
            if isinstance(lower, LayerFileSystem):
                lower.add_user(filesystem)

    # -- identity -------------------------------------------------------------------

    def number_of_lower(self, lower: Inode) -> int:
        """The inode number that stat(2) shows for an inode of a lower layer."""
        return lower.number ^ self.layer_mark(lower.filesystem)

    def layer_mark(self, filesystem: FileSystem) -> int:
        """What tells the inode numbers of a layer's file system from the others': 0 for one."""
        return self._layers.setdefault(filesystem, len(self._layers)) << _LAYER_SHIFT

    def number_of_upper(self, upper: Inode) -> int:
        """The inode number for one of the upper layer: its origin's, if it was copied up."""
        known = self._by_upper.get(upper)
        return upper.number | _UPPER_NUMBERS if known is None else known.number

    def known_upper(self, upper: Inode) -> OverlayInode | None:
        """The overlay inode that stands for an upper one, when there is one."""
        return self._by_upper.get(upper)

    def for_upper(self, upper: Inode, parent: OverlayDirectory | None, name: bytes) -> OverlayInode:
        """The overlay inode of an upper one that merges with nothing."""
        known = self._by_upper.get(upper)
        if known is None:
            known = self._make(upper, (), parent, name)
            self._by_upper[upper] = known
        return known

    def for_lower(
        self, lowers: tuple[Inode, ...], parent: OverlayDirectory, name: bytes
    ) -> OverlayInode:
        """The overlay inode of what only lower layers have; hard links find the same one."""
        known = self._by_lower.get(lowers[0])
        if known is None:
            known = self._make(None, lowers, parent, name)
            self._by_lower[lowers[0]] = known
        elif known.parent is None:
            known.parent, known.name = parent, name
        return known

    def for_merged(
        self, upper: Inode, lowers: tuple[Inode, ...], parent: OverlayDirectory, name: bytes
    ) -> OverlayInode:
        """The overlay inode of a directory that an upper one and lower ones make together."""
        merged = self._make(upper, lowers, parent, name)
        self._by_upper[upper] = merged
        return merged

    def _make(
        self,
        upper: Inode | None,
        lowers: tuple[Inode, ...],
        parent: OverlayDirectory | None,
        name: bytes,
    ) -> OverlayInode:
        kind = (upper or lowers[0]).mode & S_IFMT
        if kind == S_IFDIR:
            return OverlayDirectory(self, upper, lowers, parent, name)
        if kind == S_IFREG:
            return OverlayRegular(self, upper, lowers, parent, name)
        return OverlaySpecial(self, upper, lowers, parent, name)

    def keep(self, inode: OverlayInode) -> None:
        """`inode` knows what no layer says: remember it."""
        self._kept.add(inode)

    def copied_up(self, inode: OverlayInode, upper: Inode) -> None:
        """`inode` got an upper inode."""
        inode.upper = upper
        inode.has_acl = upper.has_acl
        self._by_upper[upper] = inode
        if not inode.removed:
            self.keep(inode)

    def forget(self, inode: OverlayInode) -> None:
        """The last name of `inode` is gone."""
        self._kept.discard(inode)

    # -- the FileSystem contract ------------------------------------------------------------

    def statfs(self) -> tuple[int, int, int, int, int, int]:
        return self.counted.statfs()

    def release(self) -> None:
        super().release()
        self._layer_mounts.clear()

    def options(self) -> list[str]:
        return self._shown_options
