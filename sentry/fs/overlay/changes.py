"""What was changed in an overlay: its upper layer against its lower ones, name by name.

As docker(1) diff has it, a directory counts as changed when something in it was.  A directory
that took the place of another, or was moved, is listed with everything in it, and what it hides
of the lower layers as deleted: there are no opaque directories in the list.
"""

from collections.abc import Iterator

from runsc_py.sentry.fs.overlay.directory import OverlayDirectory
from runsc_py.sentry.fs.overlay.filesystem import Overlay
from runsc_py.sentry.fs.overlay.node import OverlayInode
from runsc_py.sentry.fs.overlay.whiteout import is_whiteout

ADDED, CHANGED, DELETED = "A", "C", "D"


class Change:
    """One name: added, changed, or (then without an inode) deleted."""

    __slots__ = ("inode", "kind", "path")

    def __init__(self, kind: str, path: bytes, inode: OverlayInode | None = None) -> None:
        self.kind = kind
        #: from the overlay's root, which is `/`
        self.path = path
        self.inode = inode


def find_changes(overlay: Overlay) -> Iterator[Change]:
    """Every change, a directory's before those in it."""
    root = overlay.root
    yield from _changes_in(root, root.lower_directory(), b"", False)


def _changes_in(
    directory: OverlayDirectory, before: OverlayDirectory | None, prefix: bytes, whole: bool
) -> Iterator[Change]:
    """The changes in a directory, which was `before`; `whole`: all in it may be new here."""
    upper = directory.upper_directory()
    gone: set[bytes] = set()
    if whole:
        names = {entry.name for entry in directory.entries_from(0)}
        gone = before.lower_names() - names if before is not None else gone
    else:
        names = set() if upper is None else {entry.name for entry in upper.entries_from(0)}
    for name in sorted(names | gone):
        path = prefix + b"/" + name
        was_there = before is not None and before.lower_has(name)
        above = directory.upper_entry(name)
        if name in gone or (not whole and above is not None and is_whiteout(above)):
            if was_there:
                yield Change(DELETED, path)
            continue
        child = directory.lookup(name)
        assert isinstance(child, OverlayInode)
        yield Change(CHANGED if was_there else ADDED, path, child)
        if isinstance(child, OverlayDirectory):
            inner = before.lower_directory(name) if was_there and before is not None else None
            replaces = whole or child.moved or not child.lowers
            yield from _changes_in(child, inner, path, replaces)
