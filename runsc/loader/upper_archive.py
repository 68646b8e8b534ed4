"""What the upper layer of a root begins with: annotation dev.gvisor.tar.rootfs.upper.

The archive is one that `runsc-py tar rootfs-upper` wrote, or any layer of an image: entries are put
into the upper layer, and names that begin with `.wh.` remove what is below.  It is read by the
sentry, in its own file systems: no entry can reach the host, whatever it is called.
"""

from __future__ import annotations

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
    show,
    split_path,
)
from runsc_py.runsc.archive.reader import TarReader
from runsc_py.runsc.archive.unpacker import OPAQUE, WHITEOUT
from runsc_py.runsc.control.errors import ControlError
from runsc_py.sentry.errors import ENOENT, ENOTDIR, KernelError, message_of
from runsc_py.sentry.fs.overlay.filesystem import Overlay
from runsc_py.sentry.vfs.attributes import (
    S_IFBLK,
    S_IFCHR,
    S_IFIFO,
    AttributeChange,
    make_device,
)
from runsc_py.sentry.vfs.open_file import (
    O_CREAT,
    O_DIRECTORY,
    O_EXCL,
    O_NOFOLLOW,
    O_RDONLY,
    O_WRONLY,
)
from runsc_py.sentry.vfs.opening import open_file
from runsc_py.sentry.vfs.operations import (
    make_directory,
    make_link,
    make_node,
    make_symlink,
    remove_directory,
    unlink,
)
from runsc_py.sentry.vfs.walk import walk

TYPE_CHECKING = False
if TYPE_CHECKING:
    from runsc_py.sentry.kernel.kernel_thread import KernelThread

_NODES = {CHARACTER_DEVICE: S_IFCHR, BLOCK_DEVICE: S_IFBLK, FIFO: S_IFIFO}


def unpack_upper(walker: KernelThread, descriptor: int) -> None:
    """Put an archive into the root's upper layer.  Raises ControlError."""
    if not isinstance(walker.namespaces.mount.root.filesystem, Overlay):
        raise ControlError(
            "the root has no upper layer for an archive", hint="use --overlay2=root:memory"
        )
    with os.fdopen(os.dup(descriptor), "rb") as stream:
        reader = TarReader(stream)
        try:
            for member in reader:
                _UpperEntry(walker, member).add(reader)
        except ArchiveError as error:
            raise ControlError(f"archive of the root's upper layer: {error}") from None


class _UpperEntry:
    """One entry on its way into the root."""

    def __init__(self, walker: KernelThread, member: Member) -> None:
        self._walker = walker
        self._member = member
        self._parts = member.components()
        self._path = b"/" + b"/".join(self._parts)

    def add(self, reader: TarReader) -> None:
        """Make it, in the place of what is there."""
        try:
            if not self._parts:
                self._dress()
                return
            name = self._parts[-1]
            parent = b"/" + b"/".join(self._parts[:-1])
            if name == OPAQUE:
                self._remove_below(parent)
            elif name.startswith(WHITEOUT):
                self._remove(parent + b"/" + name.removeprefix(WHITEOUT))
            else:
                self._make(reader)
        except KernelError as error:
            text = f"{show(self._member.name)}: {message_of(error)}"
            raise ControlError(f"archive of the root's upper layer: {text}") from None

    def _make(self, reader: TarReader) -> None:
        member, walker, path = self._member, self._walker, self._path
        is_directory = member.type == DIRECTORY
        if not (is_directory and self._is_directory(path)):
            self._remove(path)
            if is_directory:
                make_directory(walker, path, 0o700)
            elif member.type == REGULAR:
                self._write(reader)
            elif member.type == SYMLINK:
                make_symlink(walker, member.link, path)
            elif member.type == HARD_LINK:
                target = b"/" + b"/".join(split_path(member.link))
                make_link(walker, walk(walker, target, follow=False), path)
                return
            else:
                device = make_device(*member.device)
                make_node(walker, path, _NODES[member.type] | 0o600, device)
        self._dress()

    def _write(self, reader: TarReader) -> None:
        flags = O_CREAT | O_EXCL | O_WRONLY | O_NOFOLLOW
        file = open_file(self._walker, self._path, flags, 0o600).acquire()
        try:
            for offset, data in reader.content():
                while data:
                    count = file.write_at(data, offset)
                    offset, data = offset + count, data[count:]
            file.truncate(self._member.size)
        finally:
            file.drop()

    def _dress(self) -> None:
        """Owner, mode, attributes and time, in an order in which none undoes another."""
        member = self._member
        inode = walk(self._walker, self._path, follow=False).inode
        inode.set_attributes(AttributeChange(uid=member.uid, gid=member.gid))
        for key, value in member.xattrs.items():
            inode.set_xattr(key, value, 0)
        if member.type != SYMLINK:
            inode.set_attributes(AttributeChange(mode=member.mode & 0o7777))
        inode.set_attributes(AttributeChange(modification_time=member.mtime))

    # -- what goes ---------------------------------------------------------------------------

    def _is_directory(self, path: bytes) -> bool:
        try:
            return walk(self._walker, path, follow=False).inode.is_directory
        except (ENOENT, ENOTDIR):
            return False

    def _remove(self, path: bytes) -> None:
        """A name with all that is below; nothing when there is none."""
        if self._is_directory(path):
            self._remove_below(path)
            remove_directory(self._walker, path)
            return
        try:
            unlink(self._walker, path)
        except ENOENT:
            return

    def _remove_below(self, path: bytes) -> None:
        while names := self._names(path):
            for name in names:
                self._remove(path + b"/" + name)

    def _names(self, path: bytes) -> list[bytes]:
        """Some of a directory, all if they are few."""
        walker = self._walker
        file = open_file(walker, path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW, 0).acquire()
        try:
            names = [entry.name for entry in file.directory_entries(walker)]
        finally:
            file.drop()
        return [name for name in names if name not in (b".", b"..")]
