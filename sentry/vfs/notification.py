"""What happens to files, told to those who watch them: the sender's side of inotify(7).

An inode that is watched has its watches in `Inode.watches`, and is in its file system's
`FileSystem.watches`, so that where nobody watches an event costs one look at that set.
Events are those of `abi/inotify.py`, in Linux's order (fsnotify.h).
"""

from runsc_py.sentry.abi.inotify import (
    IN_ATTRIB,
    IN_CREATE,
    IN_DELETE,
    IN_DELETE_SELF,
    IN_ISDIR,
    IN_MOVE_SELF,
    IN_MOVED_FROM,
    IN_MOVED_TO,
    IN_UNMOUNT,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Protocol

    from runsc_py.sentry.vfs.inode import FileSystem, Inode
    from runsc_py.sentry.vfs.path import Dentry, Path
else:
    Protocol = object  # the real one is for type checkers, and slow to import


#: no event of inotify: an entry got another name in the same directory (F_NOTIFY's DN_RENAME)
MOVED_WITHIN = 0x1000


class Watch(Protocol):
    """Somebody who watches an inode."""

    def notify(self, mask: int, cookie: int, name: bytes, unlinked: bool) -> None:
        """Something happened to the inode, or (`name`) to that entry of the directory.

        `unlinked` says that the entry is no longer in the directory.
        """

    def inode_is_gone(self) -> None:
        """The inode has been removed; there will be no more events."""


#: the watches of an inode by their owners
Watches = dict[object, Watch]


def add_watch(inode: "Inode", owner: object, watch: Watch) -> None:
    """Watch an inode."""
    if inode.watches is None:
        inode.watches = {}
        inode.filesystem.watches.add(inode)
    inode.watches[owner] = watch


def remove_watch(inode: "Inode", owner: object) -> bool:
    """End a watch; whether there was one."""
    watches = inode.watches
    if watches is None or watches.pop(owner, None) is None:
        return False
    if not watches:
        inode.watches = None
        inode.filesystem.watches.discard(inode)
    return True


def filesystem_gone(filesystem: "FileSystem") -> None:
    """Its last mount is gone: all watches end.  As Linux, the newest inode first."""
    for inode in sorted(filesystem.watches, key=lambda inode: -inode.number):
        notify_inode(inode, IN_UNMOUNT | _directory_bit(inode))
        for watch in list((inode.watches or {}).values()):
            watch.inode_is_gone()


def notify_inode(inode: "Inode", mask: int) -> None:
    """An event of the inode itself."""
    watches = inode.watches
    if watches:
        for watch in list(watches.values()):
            watch.notify(mask, 0, b"", False)


def notify_entry(
    directory: "Inode", name: bytes, mask: int, cookie: int = 0, *, unlinked: bool = False
) -> None:
    """An event of an entry, for who watches the directory."""
    watches = directory.watches
    if watches:
        for watch in list(watches.values()):
            watch.notify(mask, cookie, name, unlinked)


def notify_path(path: "Path", mask: int) -> None:
    """An event of a file: for who watches its directory, and for who watches the file."""
    dentry = path.dentry
    inode = dentry.inode
    if inode is None or not inode.filesystem.watches:
        return
    if inode.is_directory:
        mask |= IN_ISDIR
    parent = dentry.parent
    if parent is not None and parent.inode is not None and parent.inode.watches:
        notify_entry(parent.inode, dentry.name, mask, unlinked=dentry.unlinked)
    notify_inode(inode, mask)


def entry_created(directory: "Inode", name: bytes, inode: "Inode") -> None:
    """A name was made for something new."""
    if directory.filesystem.watches:
        notify_entry(directory, name, IN_CREATE | _directory_bit(inode))


def link_created(directory: "Inode", name: bytes, inode: "Inode") -> None:
    """link(2) gave an existing file another name."""
    if directory.filesystem.watches:
        notify_inode(inode, IN_ATTRIB)
        notify_entry(directory, name, IN_CREATE)


def entry_removed(directory: "Inode", name: bytes, inode: "Inode") -> None:
    """unlink(2) or rmdir(2) removed a name."""
    if not directory.filesystem.watches:
        return
    if not inode.is_directory:
        notify_inode(inode, IN_ATTRIB)
    _name_lost(inode)
    notify_entry(directory, name, IN_DELETE | _directory_bit(inode))


def entry_moved(
    old_directory: "Inode",
    old: "Dentry",
    old_name: bytes,
    new_directory: "Inode",
    replaced: "Inode | None",
    cookie: int,
) -> None:
    """rename(2): `old` is the moved dentry, which has its new name already."""
    if not old_directory.filesystem.watches:
        return
    inode = old.existing
    bit = _directory_bit(inode)
    if old_directory is new_directory:
        notify_entry(old_directory, old_name, MOVED_WITHIN)
    notify_entry(old_directory, old_name, IN_MOVED_FROM | bit, cookie)
    notify_entry(new_directory, old.name, IN_MOVED_TO | bit, cookie)
    if replaced is not None:
        notify_inode(replaced, IN_ATTRIB)
    notify_inode(inode, IN_MOVE_SELF)
    if replaced is not None:
        _name_lost(replaced)


def _name_lost(inode: "Inode") -> None:
    """A name was removed; with the last one the watches end."""
    watches = inode.watches
    if watches and (inode.is_directory or inode.get_attributes().links == 0):
        notify_inode(inode, IN_DELETE_SELF)
        for watch in list(watches.values()):
            watch.inode_is_gone()


def _directory_bit(inode: "Inode") -> int:
    return IN_ISDIR if inode.is_directory else 0
