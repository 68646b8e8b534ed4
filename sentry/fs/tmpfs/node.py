"""What every tmpfs inode shares: owner, link count, times, extended attributes."""

from runsc_py.sentry.errors import EINVAL, ENODATA, EOPNOTSUPP
from runsc_py.sentry.fs.extended_attributes import ExtendedAttributes, check_name, space_of
from runsc_py.sentry.fs.layer import LayerInode
from runsc_py.sentry.fs.timestamps import access_time_is_due
from runsc_py.sentry.vfs.acl import ACCESS, NAMES
from runsc_py.sentry.vfs.attributes import S_IFDIR, S_IFMT, S_IFREG, AttributeChange, Attributes
from runsc_py.sentry.vfs.file_capabilities import CAPABILITY
from runsc_py.sentry.vfs.protection import (
    FS_APPEND_FL,
    FS_IMMUTABLE_FL,
    FS_NOATIME_FL,
    FS_NODUMP_FL,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from runsc_py.sentry.fs.tmpfs.filesystem import Tmpfs
    from runsc_py.sentry.vfs.acl import AccessControlList
    from runsc_py.sentry.vfs.open_file import OpenFile

_CHANGEABLE_FLAGS = FS_IMMUTABLE_FL | FS_APPEND_FL | FS_NODUMP_FL | FS_NOATIME_FL
#: the flags that what is made in a directory takes over
INHERITED_FLAGS = FS_NODUMP_FL | FS_NOATIME_FL


class TmpfsInode(LayerInode):
    """An inode in memory.  Times are nanoseconds since the epoch."""

    __slots__ = (
        "access_acl",
        "access_time",
        "birth_time",
        "change_time",
        "gid",
        "linkable",
        "links",
        "modification_time",
        "tmpfs",
        "uid",
        "xattrs",
    )

    makes_attributes = True

    def __init__(self, tmpfs: "Tmpfs", mode: int, uid: int, gid: int) -> None:
        super().__init__(tmpfs, tmpfs.new_inode_number(), mode)
        self.tmpfs = tmpfs
        self.uid = uid
        self.gid = gid
        self.links = 1
        #: without a name, but link(2) may give it one (O_TMPFILE)
        self.linkable = False
        now = tmpfs.kernel.clock.realtime()
        self.access_time = self.modification_time = self.change_time = self.birth_time = now
        self.xattrs: ExtendedAttributes | None = None
        self.access_acl: AccessControlList | None = None

    def __del__(self) -> None:
        # `tmpfs` is missing when the constructor failed: then nothing was charged.
        tmpfs = getattr(self, "tmpfs", None)
        if tmpfs is not None:
            tmpfs.release_inode()
            if self.xattrs is not None:
                tmpfs.attribute_space -= self.xattrs.space()

    # -- what the kinds of inode differ in ---------------------------------------------

    def size(self) -> int:
        """st_size, bytes."""
        return 0

    def pages(self) -> int:
        """Memory that the content takes, for st_blocks."""
        return 0

    def special_device(self) -> int:
        """st_rdev."""
        return 0

    def resize(self, size: int) -> None:
        """truncate(2).  Errors: EINVAL for anything but a regular file."""
        raise EINVAL

    # -- attributes --------------------------------------------------------------------

    def get_attributes(self) -> Attributes:
        return Attributes(
            device=self.filesystem.device,
            inode=self.number,
            mode=self.mode,
            links=self.links,
            uid=self.uid,
            gid=self.gid,
            special_device=self.special_device(),
            size=self.size(),
            blocks=self.pages() * 8,
            access_time=self.access_time,
            modification_time=self.modification_time,
            change_time=self.change_time,
            birth_time=self.birth_time,
        )

    def permission_ids(self) -> tuple[int, int, int]:
        return self.mode, self.uid, self.gid

    def set_attributes(self, change: AttributeChange) -> None:
        if change.size is not None:
            self.resize(change.size)
        if change.mode is not None:
            self.mode = self.mode & S_IFMT | change.mode & 0o7777
            if self.access_acl is not None:
                self.access_acl = self.access_acl.with_permission_bits(change.mode)
        if change.uid is not None:
            self.uid = change.uid
            self._forget_capabilities()
        if change.gid is not None:
            self.gid = change.gid
            self._forget_capabilities()
        if change.access_time is not None:
            self.access_time = change.access_time
        if change.modification_time is not None:
            self.modification_time = change.modification_time
        self.change_time = self.tmpfs.kernel.clock.realtime()

    def modified(self) -> None:
        """The content was changed: mtime and ctime are now, and file capabilities are gone."""
        self.modification_time = self.change_time = self.tmpfs.kernel.clock.realtime()
        if self.xattrs is not None:
            self._forget_capabilities()

    def _forget_capabilities(self) -> None:
        """Another owner or content was not meant by who marked the file (capabilities(7))."""
        if self.xattrs is not None and self.mode & S_IFMT != S_IFDIR:
            before = self.xattrs.space()
            self.xattrs.discard(CAPABILITY)
            self.tmpfs.attribute_space += self.xattrs.space() - before

    def changed(self) -> None:
        """Something about the inode was changed: ctime is now."""
        self.change_time = self.tmpfs.kernel.clock.realtime()

    def accessed(self, file: "OpenFile") -> None:
        """The content was read through `file`: set atime where the mount wants it."""
        now = self.tmpfs.kernel.clock.realtime()
        if not self.flags & FS_NOATIME_FL and access_time_is_due(file, self, now):
            self.access_time = now

    def link_count(self) -> int:
        return self.links

    def keep_linkable(self) -> None:
        self.linkable = True

    # -- extended attributes ---------------------------------------------------------------

    def get_xattr(self, name: bytes) -> bytes:
        if self.xattrs is None:
            check_name(name)
            raise ENODATA
        return self.xattrs.get(name)

    def set_xattr(self, name: bytes, value: bytes, flags: int) -> None:
        check_name(name)
        if self.xattrs is None:
            self.xattrs = ExtendedAttributes()
        before = self.xattrs.space()
        self.tmpfs.check_attribute_space(space_of(name, value))
        self.xattrs.set(name, value, flags)
        self.tmpfs.attribute_space += self.xattrs.space() - before
        self.changed()

    def list_xattrs(self) -> list[bytes]:
        lists = [kind for kind in NAMES if self.get_acl(kind) is not None]
        return lists if self.xattrs is None else lists + self.xattrs.names()

    def remove_xattr(self, name: bytes) -> None:
        if self.xattrs is None:
            check_name(name)
            raise ENODATA
        before = self.xattrs.space()
        self.xattrs.remove(name)
        self.tmpfs.attribute_space += self.xattrs.space() - before
        self.changed()

    # -- flags ------------------------------------------------------------------------------

    def get_flags(self) -> int:
        if self.tmpfs.has_flags and self.mode & S_IFMT in (S_IFREG, S_IFDIR):
            return self.flags
        return super().get_flags()

    def set_flags(self, flags: int) -> None:
        if flags & ~_CHANGEABLE_FLAGS:
            raise EOPNOTSUPP
        self.flags = flags
        self.changed()

    # -- access control lists ----------------------------------------------------------------

    def get_acl(self, kind: bytes) -> "AccessControlList | None":
        return self.access_acl if kind == ACCESS else None

    def set_acl(self, kind: bytes, acl: "AccessControlList | None") -> None:
        if acl is not None:
            self.mode = self.mode & ~0o777 | acl.permission_bits()
            if acl.is_minimal:
                acl = None
        self.access_acl = acl
        self.has_acl = acl is not None
        self.changed()
