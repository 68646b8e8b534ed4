"""The bound on how many dentries a file system keeps.

Every dentry that a directory remembers is listed here, in the order of arrival.  When there
are too many, the oldest that nobody uses are dropped: a working directory, an open file, a
mount or a remembered child makes a dentry used.  The interpreter's reference count knows all of
these, so nothing counts them a second time.
"""

from sys import getrefcount

TYPE_CHECKING = False
if TYPE_CHECKING:
    from runsc_py.sentry.vfs.path import Dentry

#: dentries of one file system that are kept for the case that they are wanted again
DEFAULT_LIMIT = 20_000


def _references_when_unused() -> int:
    """What `prune` sees of a dentry that only its directory and `order` refer to.

    Tried out and not counted: interpreters differ in whether a local variable counts.
    """
    order = {object(): None}
    children = dict(enumerate(order))
    for dentry in list(order):
        return getrefcount(dentry)
    raise AssertionError(children)


_UNUSED = _references_when_unused()


class DentryCache:
    """The remembered dentries of one file system."""

    __slots__ = ("limit", "order", "threshold")

    def __init__(self, limit: int = DEFAULT_LIMIT) -> None:
        self.limit = limit
        #: the number at which to prune; above `limit` while that many are in use
        self.threshold = limit
        #: oldest first
        self.order: dict[Dentry, None] = {}

    def add(self, dentry: "Dentry") -> None:
        """A directory remembers `dentry` from now on."""
        self.order[dentry] = None
        if len(self.order) > self.threshold:
            self.prune()

    def remove(self, dentry: "Dentry") -> None:
        """Its directory does not remember it any more."""
        self.order.pop(dentry, None)

    def clear(self) -> None:
        """No directory remembers anything: the file system is not used any more."""
        for dentry in self.order:
            assert dentry.parent is not None
            dentry.parent.children.clear()
        self.order.clear()

    def drop_unused(self) -> None:
        """Keep what is in use only."""
        before, limit = -1, self.limit
        self.limit = 0
        # What was the last child of a directory goes before the directory can.
        while len(self.order) != before:
            before = len(self.order)
            self.prune()
        self.limit = limit
        self.threshold = max(limit, len(self.order) + limit // 16)

    def prune(self) -> None:
        """Drop the oldest unused ones until a sixteenth is free again."""
        order = self.order
        surplus = len(order) - (self.limit - self.limit // 16)
        for dentry in list(order):
            if surplus <= 0:
                break
            if getrefcount(dentry) > _UNUSED:
                continue
            parent = dentry.parent
            assert parent is not None
            del parent.children[dentry.name]
            del order[dentry]
            surplus -= 1
        # What is in use cannot go; do not search it through at every addition.
        self.threshold = max(self.limit, len(order) + self.limit // 16)
