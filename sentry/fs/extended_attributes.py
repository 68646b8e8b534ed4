"""Extended attributes kept in memory, for the file systems that keep everything there.

xattr(7).  Who may read or change which name is the system call layer's to check; here are
the rules of the store: EEXIST, ENODATA, and which names a file system like tmpfs takes.
"""

from runsc_py.sentry.errors import EEXIST, EINVAL, ENODATA, EOPNOTSUPP

XATTR_CREATE = 1
XATTR_REPLACE = 2

#: bytes: Linux's struct simple_xattr
_HEADER_SIZE = 40

_PREFIXES = (b"user.", b"trusted.", b"security.")


class ExtendedAttributes:
    """The attributes of one inode: name to value."""

    __slots__ = ("_values",)

    def __init__(self) -> None:
        self._values: dict[bytes, bytes] = {}

    def get(self, name: bytes) -> bytes:
        """getxattr(2).  Errors: ENODATA, EOPNOTSUPP."""
        value = self._values.get(name)
        if value is None:
            check_name(name)
            raise ENODATA
        return value

    def set(self, name: bytes, value: bytes, flags: int) -> None:
        """setxattr(2).  Errors: EEXIST, ENODATA, EOPNOTSUPP."""
        check_name(name)
        if flags & XATTR_CREATE and name in self._values:
            raise EEXIST
        if flags & XATTR_REPLACE and name not in self._values:
            raise ENODATA
        self._values[name] = value

    def space(self) -> int:
        """What they count for, bytes."""
        return sum(space_of(name, value) for name, value in self._values.items())

    def names(self) -> list[bytes]:
        """listxattr(2), in the order of Linux's tmpfs."""
        return sorted(self._values, reverse=True)

    def remove(self, name: bytes) -> None:
        """removexattr(2).  Errors: ENODATA, EOPNOTSUPP."""
        check_name(name)
        if self._values.pop(name, None) is None:
            raise ENODATA

    def discard(self, name: bytes) -> None:
        """Remove it if it is there."""
        self._values.pop(name, None)


def check_name(name: bytes) -> None:
    """Whether an in-memory file system keeps such a name.  Errors: EOPNOTSUPP, EINVAL."""
    if not name.startswith(_PREFIXES):
        raise EOPNOTSUPP
    if name in _PREFIXES:
        raise EINVAL


def space_of(name: bytes, value: bytes) -> int:
    """What an attribute counts for, bytes: Linux's simple_xattr_space."""
    return _HEADER_SIZE + len(name) + len(value)
