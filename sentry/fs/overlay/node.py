"""What every overlay inode shares: which layer answers, and copy-up.

An inode is *upper* (made here, or copied up) or *lower*.  Reading asks the layer that has it;
changing anything copies it up first, and its directory before it.
"""

from runsc_py.sentry.errors import ENODATA, ENOENT, EOPNOTSUPP, EROFS
from runsc_py.sentry.fs.layer import LayerInode
from runsc_py.sentry.fs.overlay.whiteout import ESCAPED_PREFIX, PRIVATE_PREFIX, escape_name
from runsc_py.sentry.vfs import acl
from runsc_py.sentry.vfs.attributes import S_IFDIR, S_IFMT, S_IFREG, AttributeChange, Attributes
from runsc_py.sentry.vfs.inode import Inode

TYPE_CHECKING = False
if TYPE_CHECKING:
    from runsc_py.sentry.fs.overlay.directory import OverlayDirectory
    from runsc_py.sentry.fs.overlay.filesystem import Overlay
    from runsc_py.sentry.vfs.acl import AccessControlList


class OverlayInode(LayerInode):
    """An inode of the overlay, over one of the upper layer, of lower ones, or of both."""

    __slots__ = (
        "_seen",
        "_shown",
        "link_change",
        "lowers",
        "name",
        "overlay",
        "parent",
        "removed",
        "upper",
    )

    def __init__(
        self,
        overlay: "Overlay",
        upper: Inode | None,
        lowers: tuple[Inode, ...],
        parent: "OverlayDirectory | None",
        name: bytes,
    ) -> None:
        #: the inode of the upper layer, once there is one
        self.upper = upper
        #: the inodes of the lower layers, topmost first; several only for a directory
        self.lowers = lowers
        real = self.real
        number = overlay.number_of_lower(lowers[0]) if lowers else overlay.number_of_upper(real)
        super().__init__(overlay, number, real.mode)
        self.has_acl = real.has_acl
        self.flags = real.flags
        self.overlay = overlay
        #: a place where this is found; None when it has no name that we know
        self.parent = parent
        self.name = name
        #: names made and removed here, for an inode that came from a lower layer
        self.link_change = 0
        #: the last name is gone
        self.removed = False
        #: the layer's attributes when they were last asked for, and what was made of them
        self._seen: Attributes | None = None
        self._shown: Attributes | None = None

    @property
    def real(self) -> Inode:
        """The inode of the topmost layer that has this."""
        return self.upper if self.upper is not None else self.lowers[0]

    # -- attributes ---------------------------------------------------------------------

    def links(self) -> int:
        """st_nlink."""
        if not self.lowers and isinstance(self.upper, LayerInode):
            return self.upper.link_count()
        origin = self.lowers[0] if self.lowers else self.real
        return max(origin.get_attributes().links + self.link_change, 0)

    def link_count(self) -> int:
        return self.links()

    def get_attributes(self) -> Attributes:
        real = self.real
        attributes = real.get_attributes()
        if attributes is self._seen and self._shown is not None:
            return self._shown
        if not (isinstance(real, LayerInode) and real.makes_attributes):
            self._seen = attributes
            self._shown = attributes = copy_of(attributes)
        attributes.device = self.filesystem.device
        attributes.inode = self.number
        if self.lowers and (self.upper is not None or self.link_change or len(self.lowers) > 1):
            attributes.links = self.links()
        return attributes

    def permission_ids(self) -> tuple[int, int, int]:
        return self.real.permission_ids()

    def set_attributes(self, change: AttributeChange) -> None:
        upper = self.copy_up()
        upper.set_attributes(change)
        self.mode = upper.mode
        self.has_acl = upper.has_acl

    # -- names ------------------------------------------------------------------------------

    def name_added(self, parent: "OverlayDirectory", name: bytes) -> None:
        """link(2) gave it another name."""
        self.parent, self.name = parent, name
        self.removed = False
        if self.lowers:
            self._seen = None
            self.link_change += 1
            self.overlay.keep(self)

    def name_removed(self, parent: "OverlayDirectory", name: bytes) -> None:
        """One of its names is gone, with the name in the upper layer if it was there."""
        if self.parent is parent and self.name == name:
            self.parent = None
        if self.lowers:
            self._seen = None
            self.link_change -= 1
            self.overlay.keep(self)
        if self.links() == 0:
            self.removed = True
            self.overlay.forget(self)
        elif isinstance(self.upper, LayerInode) and not self.upper.link_count():
            # Further names of it are in the lower layers only.
            self.upper.keep_linkable()

    def name_moved(self, parent: "OverlayDirectory", name: bytes) -> None:
        """rename(2) gave it this name."""
        self.parent, self.name = parent, name
        if self.lowers:
            self.overlay.keep(self)

    def check_replaceable(self) -> None:
        """Whether something may be renamed over it.  Errors: ENOTEMPTY."""

    def clear_whiteouts(self) -> None:
        """Empty the upper directory of one that a guest sees empty, so that it can be removed."""

    def keep_linkable(self) -> None:
        # As the upper layer of another overlay.
        self.removed = False
        if isinstance(self.upper, LayerInode):
            self.upper.keep_linkable()

    # -- copy-up ----------------------------------------------------------------------------

    def copy_up(self) -> Inode:
        """The upper inode, which is made from the lower one if there is none yet.

        Errors: EROFS, ENOSPC, EIO, ENOENT (it has no name any more).
        """
        if self.upper is not None:
            return self.upper
        if self.overlay.root.upper is None:
            raise EROFS
        attributes = self.lowers[0].get_attributes()
        parent, name = self.parent, self.name
        upper_parent = None
        if parent is not None:
            upper_parent = parent.copy_up()
            parent_times = times_of(upper_parent)
        upper = self.copy_to(upper_parent, name, attributes)
        copy_xattrs(self.lowers[0], upper)
        upper.set_attributes(
            AttributeChange(
                mode=None if upper.is_symlink else attributes.mode,
                access_time=attributes.access_time,
                modification_time=attributes.modification_time,
            )
        )
        if upper_parent is not None:
            # Nothing was added to the directory that the guest can see.
            upper_parent.set_attributes(parent_times)
        self.overlay.copied_up(self, upper)
        return upper

    # -- flags ----------------------------------------------------------------------------

    def get_flags(self) -> int:
        # What a lower layer cannot have can be set all the same: after the copy-up.
        if self.upper is None and self.mode & S_IFMT in (S_IFREG, S_IFDIR):
            return self.flags
        return self.real.get_flags()

    def set_flags(self, flags: int) -> None:
        upper = self.copy_up()
        upper.set_flags(flags)
        self.flags = upper.flags

    # -- access control lists --------------------------------------------------------------

    def get_acl(self, kind: bytes) -> "AccessControlList | None":
        real = self.real
        kept = real.get_acl(kind)
        self.has_acl = real.has_acl
        return kept

    def set_acl(self, kind: bytes, acl: "AccessControlList | None") -> None:
        upper = self.copy_up()
        upper.set_acl(kind, acl)
        self.mode = upper.mode
        self.has_acl = upper.has_acl

    def copy_to(self, directory: Inode | None, name: bytes, attributes: Attributes) -> Inode:
        """Make the upper inode, called `name` in `directory`; None when it has no name."""
        raise ENOENT

    # -- extended attributes ---------------------------------------------------------------

    # Names that are the overlay's own carry a further prefix in the layer when they are a guest's,
    # who may have an overlay in this one.

    def get_xattr(self, name: bytes) -> bytes:
        return self.real.get_xattr(escape_name(name))

    def set_xattr(self, name: bytes, value: bytes, flags: int) -> None:
        self.copy_up().set_xattr(escape_name(name), value, flags)

    def list_xattrs(self) -> list[bytes]:
        return [
            name.replace(ESCAPED_PREFIX, PRIVATE_PREFIX, 1)
            for name in self.real.list_xattrs()
            if not name.startswith(PRIVATE_PREFIX) or name.startswith(ESCAPED_PREFIX)
        ]

    def remove_xattr(self, name: bytes) -> None:
        name = escape_name(name)
        if self.upper is None:
            self.real.get_xattr(name)
        self.copy_up().remove_xattr(name)


def copy_of(attributes: Attributes) -> Attributes:
    """The same attributes in an object of our own."""
    copy = Attributes.__new__(Attributes)
    for name in Attributes.__slots__:
        setattr(copy, name, getattr(attributes, name))
    return copy


def times_of(inode: Inode) -> AttributeChange:
    """The change that sets an inode's times back to what they are now."""
    attributes = inode.get_attributes()
    return AttributeChange(
        access_time=attributes.access_time, modification_time=attributes.modification_time
    )


def copy_xattrs(source: Inode, target: Inode) -> None:
    """Copy the extended attributes that the target's file system takes."""
    for kind in acl.NAMES:
        if target.get_acl(kind) is not None:
            # The directory that it was made in handed its own list down.
            target.set_acl(kind, None)
    for name in source.list_xattrs():
        if name.startswith(PRIVATE_PREFIX) and not name.startswith(ESCAPED_PREFIX):
            continue
        try:
            if name in acl.NAMES:
                target.set_acl(name, source.get_acl(name))
            else:
                target.set_xattr(name, source.get_xattr(name), 0)
        except (EOPNOTSUPP, ENODATA):
            # As Linux: what the upper layer cannot keep (a label) is left behind.
            continue
