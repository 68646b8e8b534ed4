"""The mount option `tmpcopyup`: a tmpfs that starts with what the directory had that it covers."""

from __future__ import annotations

from runsc_py.sentry.fs.layer import FIRST_ENTRY_OFFSET, LayerDirectory
from runsc_py.sentry.fs.overlay.directory import OverlayDirectory
from runsc_py.sentry.fs.overlay.filesystem import Overlay
from runsc_py.sentry.fs.overlay.node import OverlayInode

TYPE_CHECKING = False
if TYPE_CHECKING:
    from runsc_py.sentry.fs.tmpfs.filesystem import Tmpfs
    from runsc_py.sentry.kernel.kernel import Kernel
    from runsc_py.sentry.vfs.inode import Inode


def copy_up(kernel: Kernel, source: Inode, target: Tmpfs) -> None:
    """Copy all files below a directory.  Errors: those of the tmpfs.

    An overlay of both knows how; it is forgotten afterwards.  What the kernel makes up (/proc) is
    not copied.
    """
    if not isinstance(source, LayerDirectory):
        return
    waiting = [Overlay(kernel, target.root, (source,)).root]
    while waiting:
        directory = waiting.pop()
        for entry in list(directory.entries_from(FIRST_ENTRY_OFFSET)):
            child = directory.lookup(entry.name)
            assert isinstance(child, OverlayInode)
            child.copy_up()
            if isinstance(child, OverlayDirectory):
                waiting.append(child)
