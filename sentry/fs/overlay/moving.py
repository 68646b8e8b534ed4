"""rename(2) in the overlay.

Both directories and what moves are copied up, then the upper layer renames.  A directory keeps
its lower directories where it goes (Linux's redirect_dir: the inode knows them, and an extended
attribute of the upper one says where they are); where a name was that the lower layers have, a
whiteout stays.
"""

from runsc_py.sentry.errors import EINVAL, ENOENT, EXDEV
from runsc_py.sentry.fs.overlay.node import OverlayInode
from runsc_py.sentry.fs.overlay.whiteout import has_redirect, make_opaque, make_redirect
from runsc_py.sentry.vfs.inode import Inode

TYPE_CHECKING = False
if TYPE_CHECKING:
    from runsc_py.sentry.fs.overlay.directory import OverlayDirectory

RENAME_NOREPLACE = 1
RENAME_EXCHANGE = 2


def rename(
    parent: "OverlayDirectory",
    name: bytes,
    child: OverlayInode,
    new_parent: "OverlayDirectory",
    new_name: bytes,
    replaced: OverlayInode | None,
    flags: int,
) -> None:
    """Move `child`, over `replaced` or in exchange for it.

    Errors: EINVAL (flags; RENAME_WHITEOUT too, as in Linux), EXDEV, ENOTEMPTY, ENOENT, ENOSPC.
    """
    if flags & ~(RENAME_NOREPLACE | RENAME_EXCHANGE):
        raise EINVAL
    if new_parent.removed:
        raise ENOENT
    exchange = bool(flags & RENAME_EXCHANGE)
    moved = [inode for inode in (child, replaced if exchange else None) if inode is not None]
    if not parent.overlay.moves_directories and any(
        inode.is_directory and inode.lowers for inode in moved
    ):
        raise EXDEV
    if replaced is not None and not exchange:
        replaced.check_replaceable()
    # Everything that can fail for lack of space comes first.
    upper_parent = parent.copy_up()
    upper_new_parent = new_parent.copy_up()
    upper = upper_of(parent, name, child)
    if exchange:
        assert replaced is not None
        upper_of(new_parent, new_name, replaced)
        _settle(parent, name, replaced)
    _settle(new_parent, new_name, child)
    if replaced is not None and not exchange:
        replaced.clear_whiteouts()

    above = new_parent.upper_entry(new_name)
    if above is not None and not exchange and above.is_directory != upper.is_directory:
        # A whiteout or a file where a directory comes, which the upper layer would refuse.
        upper_new_parent.unlink(new_name, above)
        above = None
    upper_parent.rename(name, upper, upper_new_parent, new_name, above, flags & RENAME_EXCHANGE)

    if exchange:
        assert replaced is not None
        replaced.name_moved(parent, name)
    else:
        parent.hide(name)
        if replaced is not None:
            replaced.name_removed(new_parent, new_name)
    child.name_moved(new_parent, new_name)


def upper_of(parent: "OverlayDirectory", name: bytes, child: OverlayInode) -> Inode:
    """The upper inode of `child`, with the name that is about to move in the upper layer.

    A hard link of a lower file that was copied up by another of its names has none there yet.
    """
    upper = child.copy_up()
    above = parent.upper_entry(name)
    if above is not upper:
        upper_parent = parent.prepare_name(name)
        upper_parent.link(name, upper)
    if child.is_directory and child.lowers and not has_redirect(upper):
        # Another overlay of the same layers finds the lower ones by it.
        make_redirect(upper, parent.origin_of(name))
    return upper


def _settle(parent: "OverlayDirectory", name: bytes, child: OverlayInode) -> None:
    """Before a directory gets a name that lower layers have: it hides what is there.

    One that says where its own lower directories are has nothing to do with those.
    """
    if child.is_directory and child.upper and not child.lowers and parent.lower_has(name):
        make_opaque(child.upper)
