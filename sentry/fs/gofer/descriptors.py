"""Donated descriptors that are kept for the case that the file is opened again.

A file that programs open time and again (a shared library, a configuration file) costs one round
trip.  While somebody has it open its descriptor is his; then it comes here, until others push it
out.
"""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from runsc_py.sentry.fs.gofer.regular import GoferRegular

#: idle descriptors of one mount
_LIMIT = 400


class DescriptorCache:
    """Files with an idle read-only descriptor, longest idle first."""

    __slots__ = ("_idle",)

    def __init__(self) -> None:
        self._idle: dict[GoferRegular, None] = {}

    def add(self, inode: "GoferRegular") -> None:
        """Nobody reads `inode` any more."""
        self._idle[inode] = None
        if len(self._idle) > _LIMIT:
            oldest = next(iter(self._idle))
            del self._idle[oldest]
            oldest.close_reader()

    def remove(self, inode: "GoferRegular") -> None:
        """Somebody reads it again."""
        self._idle.pop(inode, None)

    def clear(self) -> None:
        """Close all of them."""
        while self._idle:
            inode, _ = self._idle.popitem()
            inode.close_reader()
