"""The two marks that an upper layer carries: whiteouts and opaque directories."""

from runsc_py.sentry.errors import ENODATA, EOPNOTSUPP
from runsc_py.sentry.vfs.attributes import S_IFCHR, S_IFMT
from runsc_py.sentry.vfs.inode import Inode

#: extended attributes with this prefix are the overlay's own; a guest does not see them
PRIVATE_PREFIX = b"trusted.overlay."

_OPAQUE = PRIVATE_PREFIX + b"opaque"


def is_whiteout(inode: Inode) -> bool:
    """Whether an inode of a layer says that its name is removed: a character device 0:0."""
    return inode.mode & S_IFMT == S_IFCHR and inode.get_attributes().special_device == 0


def make_whiteout(directory: Inode, name: bytes) -> None:
    """Hide a name of the lower layers."""
    directory.make_node(name, S_IFCHR, 0, 0, 0)


def is_opaque(directory: Inode) -> bool:
    """Whether a directory hides the lower ones of its name."""
    try:
        return directory.get_xattr(_OPAQUE) == b"y"
    except (ENODATA, EOPNOTSUPP):
        return False


def make_opaque(directory: Inode) -> None:
    """Let a directory hide the lower ones of its name."""
    directory.set_xattr(_OPAQUE, b"y", 0)
