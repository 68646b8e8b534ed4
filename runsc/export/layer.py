"""Changes of an overlay as a tar stream: a layer, as OCI images have them."""

import os

from runsc_py.runsc.archive.errors import ArchiveError
from runsc_py.runsc.archive.member import (
    BLOCK_DEVICE,
    CHARACTER_DEVICE,
    DIRECTORY,
    FIFO,
    HARD_LINK,
    REGULAR,
    SYMLINK,
    Member,
)
from runsc_py.runsc.archive.sparse import MOST_EXTENTS
from runsc_py.runsc.archive.unpacker import WHITEOUT
from runsc_py.runsc.archive.writer import TarWriter
from runsc_py.runsc.export.listing import DELETED, comment_of
from runsc_py.sentry.errors import KernelError
from runsc_py.sentry.fs.host_file import data_ranges
from runsc_py.sentry.fs.layer import LayerFile
from runsc_py.sentry.fs.overlay.changes import Change
from runsc_py.sentry.fs.overlay.node import OverlayInode
from runsc_py.sentry.vfs.acl import NAMES as ACL_NAMES
from runsc_py.sentry.vfs.attributes import (
    S_IFBLK,
    S_IFCHR,
    S_IFDIR,
    S_IFIFO,
    S_IFLNK,
    S_IFMT,
    S_IFREG,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

_TYPES = {
    S_IFREG: REGULAR,
    S_IFDIR: DIRECTORY,
    S_IFLNK: SYMLINK,
    S_IFIFO: FIFO,
    S_IFCHR: CHARACTER_DEVICE,
    S_IFBLK: BLOCK_DEVICE,
}
#: bytes that sendfile(2) is asked for at a time
_PART = 1 << 24


class LayerStream:
    """Writes changes to a descriptor."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self._writer = TarWriter(self._write)
        #: inodes with more than one name, and the entry that has them
        self._linked: dict[OverlayInode, bytes] = {}
        #: changes that an archive has no entry for: sockets, names that would be whiteouts
        self.left_out: list[bytes] = []

    def write_all(self, changes: "Iterable[Change]") -> None:
        """Write every change and the end marker.  Errors: OSError, KernelError, ArchiveError."""
        for change in changes:
            if change.inode is None:
                self._write_whiteout(change)
            elif change.path.rpartition(b"/")[2].startswith(WHITEOUT):
                self.left_out.append(change.path)
            else:
                self._write_change(change, change.inode)
        self._writer.finish()

    def _write(self, data: bytes) -> None:
        while data:
            data = data[os.write(self._descriptor, data) :]

    def _write_whiteout(self, change: Change) -> None:
        directory, _, name = change.path[1:].rpartition(b"/")
        member = Member((directory + b"/" if directory else b"") + WHITEOUT + name)
        member.mode = 0
        member.comment = comment_of(DELETED)
        self._writer.add(member)

    def _write_change(self, change: Change, inode: OverlayInode) -> None:
        member = self._describe(change, inode)
        if member is None:
            self.left_out.append(change.path)
            return
        if inode in self._linked:
            member.type, member.link = HARD_LINK, self._linked[inode]
            member.size = 0
            member.xattrs = {}
        elif member.type != DIRECTORY and inode.links() > 1:
            self._linked[inode] = member.name
        if member.type == REGULAR and member.size:
            self._write_file(member, inode)
        else:
            self._writer.add(member)

    @staticmethod
    def _describe(change: Change, inode: OverlayInode) -> Member | None:
        """The entry for an inode; None when there is no type for it."""
        attributes = inode.get_attributes()
        kind = _TYPES.get(attributes.mode & S_IFMT)
        if kind is None:
            return None
        member = Member(change.path[1:], kind)
        member.mode = attributes.mode & 0o7777
        member.uid, member.gid = attributes.uid, attributes.gid
        member.mtime = attributes.modification_time
        member.comment = comment_of(change.kind)
        if kind == REGULAR:
            member.size = attributes.size
        elif kind == SYMLINK:
            member.link = inode.read_link()
        elif kind in (CHARACTER_DEVICE, BLOCK_DEVICE):
            device = attributes.special_device
            member.device = (os.major(device), os.minor(device))
        for name in inode.list_xattrs():
            try:
                acl = inode.get_acl(name) if name in ACL_NAMES else None
                member.xattrs[name] = acl.encode() if acl else inode.get_xattr(name)
            except KernelError:
                continue  # listed, and not for us to read
        return member

    # -- content ----------------------------------------------------------------------------

    def _write_file(self, member: Member, inode: OverlayInode) -> None:
        assert isinstance(inode, LayerFile)
        content = inode.small_content()
        if content is not None:
            member.size = len(content)
            self._writer.add_with(member, [content])
            return
        descriptor = inode.content_descriptor()
        extents = list(data_ranges(descriptor, member.size))
        if extents != [(0, member.size)] and len(extents) <= MOST_EXTENTS:
            member.extents = [(start, end - start) for start, end in extents]
        self._writer.add(member)
        whole = [(0, member.size)] if member.extents is None else member.extents
        for offset, length in whole:
            self._send(descriptor, offset, length, member)
        self._writer.end_content()

    def _send(self, descriptor: int, offset: int, length: int, member: Member) -> None:
        """The host moves the bytes."""
        while length:
            count = os.sendfile(self._descriptor, descriptor, offset, min(length, _PART))
            if count == 0:
                raise ArchiveError(f"{os.fsdecode(member.name)} became shorter meanwhile")
            offset += count
            length -= count
