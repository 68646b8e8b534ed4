"""Entries of archives into a directory of the host, whoever made them.

What an archive may do is make files below that directory, and nothing else:

* A path is walked by descriptors (directories.py): neither its own `..` nor links lead out.
* What is there already is never written to or followed: it is removed, and made anew.
* A hard link is made to a file that is found below the directory by the same walk.
* Device nodes are not made, whoever we run as; sockets have no place in an archive.
* Of extended attributes only `user.*`, POSIX ACLs and `security.capability` are set.
* Bytes and files are counted against a budget.

The directory should be one that only we can enter: set-id bits are kept.

As root, files belong to whom the archive says.  An ordinary user cannot give files away: they
belong to him, he may read them and enter every directory, and `owners` has what is different.
"""

import errno
import os
import stat

from runsc_py.runsc.archive.directories import Directories, remove_tree
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

#: marks in layers (OCI image-spec, layer.md)
WHITEOUT = b".wh."
OPAQUE = b".wh..wh..opq"
#: aufs kept its own files under this prefix; no one needs them
_RESERVED = b".wh..wh."

_CREATE = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
#: of the largest size, the part that a budget may take
_SHARE = 0.9

_ACLS = (b"system.posix_acl_access", b"system.posix_acl_default")
#: errors that say that a file system, or we, cannot keep an extended attribute
_UNKEPT = (errno.EPERM, errno.EOPNOTSUPP, errno.EINVAL, errno.ENOSPC, errno.E2BIG)


class Budget:
    """How much may be unpacked."""

    def __init__(self, size: int, entries: int) -> None:
        self._size = size
        self._entries = entries

    @classmethod
    def of_disk(cls, directory: int) -> "Budget":
        """Most of what is free where `directory` is."""
        status = os.statvfs(directory)
        # A file system that makes inodes as it needs them says that it has none.
        entries = status.f_favail if status.f_files else 1 << 62
        return cls(int(status.f_bavail * status.f_frsize * _SHARE), int(entries * _SHARE))

    @property
    def longest_archive(self) -> int:
        """Bytes that an archive within the budget may have, its headers and padding included."""
        return 2 * self._size + (64 << 20)

    def take(self, size: int, entries: int) -> None:
        """Raises ArchiveError when that is more than is left."""
        self._size -= size
        self._entries -= entries
        if self._size < 0 or self._entries < 0:
            raise ArchiveError(f"it needs more than {_SHARE:.0%} of what the disk has left")


class Unpacker:
    """Unpacks archives one over the other into an empty directory, which is the caller's."""

    def __init__(self, root: int, *, budget: Budget | None = None) -> None:
        self._is_root = os.geteuid() == 0
        #: by inode number the mode and the owner that a file should have and has not; what is not
        #: here should be root's
        self.owners: dict[int, tuple[int, int, int]] = {}
        self._root = root
        self._walk = Directories(root)
        self._budget = budget or Budget.of_disk(root)
        #: what directories are to be like in the end: until then they change, and we work in them
        self._directories: dict[tuple[bytes, ...], Member] = {(): _plain_directory()}
        #: paths that the layer being unpacked has made: whiteouts spare them
        self._made: set[tuple[bytes, ...]] = set()
        self._layered = False
        #: device nodes that were left out
        self.devices_skipped = 0

    @property
    def longest_archive(self) -> int:
        """See Budget."""
        return self._budget.longest_archive

    def close(self) -> None:
        """Give the descriptors back."""
        self._walk.close()

    def unpack(self, reader: TarReader, *, layered: bool) -> None:
        """Unpack an archive.  `layered`: whiteouts in it hide what was there before.

        Raises ArchiveError, and OSError of the disk.
        """
        self._made.clear()
        self._layered = layered
        for member in reader:
            self.add(member, reader)

    def add(self, member: Member, reader: TarReader) -> None:
        """Unpack one entry, whose content `reader` has."""
        self._budget.take(member.stored, 1)
        components = member.components()
        if not components:
            if member.type != DIRECTORY:
                raise ArchiveError("its root is not a directory")
            self._directories[()] = member
            return
        *parent, name = components
        if self._layered and name.startswith(WHITEOUT):
            self._hide(parent, name)
            return
        if member.type in (CHARACTER_DEVICE, BLOCK_DEVICE):
            self.devices_skipped += 1
            return
        if member.type == HARD_LINK:
            self._link(member, parent, name)
            return
        self._enter(parent)
        self._note(name)
        if member.type == DIRECTORY:
            self._make_directory(member, name)
            return
        self._clear(name)
        if member.type == REGULAR:
            self._make_file(member, name, reader)
        elif member.type == SYMLINK:
            self._make_symlink(member, name)
        else:
            self._make_fifo(member, name)

    def make_directory(self, path: bytes) -> None:
        """Make a directory, and those above it, where they are missing."""
        self._enter(split_path(path))

    def finish(self) -> None:
        """Give directories their modes, owners and times: the deepest first, for we lose access."""
        for path in sorted(self._directories, reverse=True):
            try:
                self._walk.enter(list(path), None)
            except (FileNotFoundError, ArchiveError):
                continue  # removed by a later entry, or something else by now
            if self._walk.path == path:
                self._dress(self._walk.descriptor, self._directories[path])
        self._walk.close()

    # -- where ------------------------------------------------------------------------------

    def _enter(self, components: list[bytes]) -> None:
        made: list[tuple[bytes, ...]] = []
        self._walk.enter(components, made)
        for path in made:
            self._budget.take(0, 1)
            self._directories[path] = _plain_directory()

    def _note(self, name: bytes) -> None:
        """Remember that this layer has an entry called `name` here, and all above it."""
        if not self._layered:
            return
        path = (*self._walk.path, name)
        while path and path not in self._made:
            self._made.add(path)
            path = path[:-1]

    def _clear(self, name: bytes) -> None:
        """Remove what is called `name` here."""
        self._walk.remove(name)

    # -- what -------------------------------------------------------------------------------

    def _make_directory(self, member: Member, name: bytes) -> None:
        here = self._walk.descriptor
        try:
            os.mkdir(name, 0o700, dir_fd=here)
        except FileExistsError:
            if not stat.S_ISDIR(os.stat(name, dir_fd=here, follow_symlinks=False).st_mode):
                self._clear(name)
                os.mkdir(name, 0o700, dir_fd=here)
        self._directories[(*self._walk.path, name)] = member

    def _make_file(self, member: Member, name: bytes, reader: TarReader) -> None:
        descriptor = os.open(name, _CREATE, 0o600, dir_fd=self._walk.descriptor)
        try:
            if member.extents is None:
                for _, data in reader.content():
                    _write_all(descriptor, data)
            else:
                os.ftruncate(descriptor, member.size)
                for offset, data in reader.content():
                    os.lseek(descriptor, offset, os.SEEK_SET)
                    _write_all(descriptor, data)
            self._dress(descriptor, member)
        finally:
            os.close(descriptor)

    def _make_symlink(self, member: Member, name: bytes) -> None:
        here = self._walk.descriptor
        if not member.link or b"\0" in member.link:
            raise ArchiveError(f"{show(member.name)}: a symbolic link to nowhere")
        os.symlink(member.link, name, dir_fd=here)
        self._own(name, member, 0o777)
        os.utime(name, ns=(member.mtime, member.mtime), dir_fd=here, follow_symlinks=False)

    def _make_fifo(self, member: Member, name: bytes) -> None:
        here = self._walk.descriptor
        assert member.type == FIFO
        os.mkfifo(name, 0o600, dir_fd=here)
        self._own(name, member, member.mode)
        # We have just made it, in a directory that is ours: it is no link.
        os.chmod(name, member.mode, dir_fd=here)
        os.utime(name, ns=(member.mtime, member.mtime), dir_fd=here, follow_symlinks=False)

    def _link(self, member: Member, parent: list[bytes], name: bytes) -> None:
        """A hard link.  The file it names must be there."""
        target = split_path(member.link)
        if not target:
            raise ArchiveError(f"{show(member.name)}: a hard link to a directory")
        try:
            self._walk.enter(target[:-1], None)
            source = os.dup(self._walk.descriptor)
        except FileNotFoundError:
            raise ArchiveError(_no_target(member)) from None
        try:
            try:
                status = os.stat(target[-1], dir_fd=source, follow_symlinks=False)
            except FileNotFoundError:
                raise ArchiveError(_no_target(member)) from None
            if stat.S_ISDIR(status.st_mode):
                raise ArchiveError(f"{show(member.name)}: a hard link to a directory")
            self._enter(parent)
            self._note(name)
            if self._is_here(name, status):
                return
            self._clear(name)
            os.link(
                target[-1], name, src_dir_fd=source, dst_dir_fd=self._walk.descriptor,
                follow_symlinks=False,
            )  # fmt: skip
        finally:
            os.close(source)

    def _is_here(self, name: bytes, status: os.stat_result) -> bool:
        """Whether `name` is that very file already, which must not be removed then."""
        try:
            here = os.stat(name, dir_fd=self._walk.descriptor, follow_symlinks=False)
        except FileNotFoundError:
            return False
        return (here.st_dev, here.st_ino) == (status.st_dev, status.st_ino)

    # -- whiteouts --------------------------------------------------------------------------

    def _hide(self, parent: list[bytes], mark: bytes) -> None:
        """Apply a whiteout to what lower layers have; what this layer made stays."""
        if mark.startswith(_RESERVED) and mark != OPAQUE:
            return
        name = mark.removeprefix(WHITEOUT)
        if mark != OPAQUE and name in (b"", b".", b".."):
            raise ArchiveError(f"{show(mark)}: hides nothing that can be named")
        try:
            self._walk.enter(parent, None)
        except FileNotFoundError:
            return
        self._walk.leave(len(self._walk.path))
        path = self._walk.path
        if mark == OPAQUE:
            self._hide_below(self._walk.descriptor, path)
        else:
            self._hide_name(self._walk.descriptor, path, name)

    def _hide_below(self, directory: int, path: tuple[bytes, ...]) -> None:
        for name in os.listdir(directory):
            self._hide_name(directory, path, os.fsencode(name))

    def _hide_name(self, directory: int, path: tuple[bytes, ...], name: bytes) -> None:
        inner = (*path, name)
        if inner not in self._made:
            remove_tree(directory, name)
            return
        flags = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
        try:
            descriptor = os.open(name, flags, dir_fd=directory)
        except OSError as error:
            if error.errno in (errno.ENOTDIR, errno.ELOOP):
                return  # a file of this layer
            raise
        try:
            self._hide_below(descriptor, inner)
        finally:
            os.close(descriptor)

    # -- attributes -------------------------------------------------------------------------

    def _own(self, name: bytes, member: Member, mode: int) -> None:
        """Give something that is not opened its owner."""
        here = self._walk.descriptor
        if self._is_root:
            os.chown(name, member.uid, member.gid, dir_fd=here, follow_symlinks=False)
        else:
            status = os.stat(name, dir_fd=here, follow_symlinks=False)
            self._record(status.st_ino, member, mode, mode)

    def _record(self, inode: int, member: Member, wanted: int, mode: int) -> None:
        """Note the owner; the number may have been that of a file that is gone."""
        if member.uid or member.gid or wanted != mode:
            self.owners[inode] = (wanted, member.uid, member.gid)
        else:
            self.owners.pop(inode, None)

    def _dress(self, descriptor: int, member: Member) -> None:
        """Owner, extended attributes, mode and times, in the order in which they stay."""
        mode = member.mode
        if self._is_root:
            os.fchown(descriptor, member.uid, member.gid)
        else:
            mode |= 0o700 if member.type == DIRECTORY else 0o400
            self._record(os.fstat(descriptor).st_ino, member, member.mode, mode)
        for key, value in member.xattrs.items():
            _set_xattr(descriptor, key, value)
        os.fchmod(descriptor, mode)
        os.utime(descriptor, ns=(member.mtime, member.mtime))


def _no_target(member: Member) -> str:
    return f"{show(member.name)}: a hard link to {show(member.link)}, which is not there"


def _plain_directory() -> Member:
    """What a directory is like that no entry describes."""
    member = Member(b"", DIRECTORY)
    member.mode = 0o755
    return member


def _set_xattr(descriptor: int, key: bytes, value: bytes) -> None:
    if b"\0" in key or not (
        key.startswith(b"user.") or key in _ACLS or key == b"security.capability"
    ):
        return
    try:
        os.setxattr(descriptor, key, value)
    except OSError as error:
        if error.errno not in _UNKEPT:
            raise


def _write_all(descriptor: int, data: bytes) -> None:
    while data:
        data = data[os.write(descriptor, data) :]
