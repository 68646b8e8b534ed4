"""The marks that an upper layer carries: whiteouts, opaque and redirected directories."""

from runsc_py.sentry.errors import ENODATA, EOPNOTSUPP
from runsc_py.sentry.vfs.attributes import S_IFCHR, S_IFMT, S_IFREG
from runsc_py.sentry.vfs.inode import Inode

#: extended attributes with this prefix are the overlay's own; a guest does not see them
PRIVATE_PREFIX = b"trusted.overlay."
#: what a layer has instead where a guest names such an attribute
ESCAPED_PREFIX = PRIVATE_PREFIX + b"overlay."

_OPAQUE = PRIVATE_PREFIX + b"opaque"
_WHITEOUT = PRIVATE_PREFIX + b"whiteout"
_REDIRECT = PRIVATE_PREFIX + b"redirect"


def escape_name(name: bytes) -> bytes:
    """The layer's name of an extended attribute that a guest names."""
    if name.startswith(PRIVATE_PREFIX):
        return ESCAPED_PREFIX + name[len(PRIVATE_PREFIX) :]
    return name


def is_whiteout(inode: Inode) -> bool:
    """Whether an inode of a layer says that its name is removed: a character device 0:0."""
    return inode.mode & S_IFMT == S_IFCHR and inode.get_attributes().special_device == 0


def make_whiteout(directory: Inode, name: bytes) -> None:
    """Hide a name of the lower layers."""
    directory.make_node(name, S_IFCHR, 0, 0, 0)


def is_opaque(directory: Inode) -> bool:
    """Whether a directory hides the lower ones of its name."""
    return _mark(directory, _OPAQUE) == b"y"


def has_marked_whiteouts(directory: Inode) -> bool:
    """Whether empty files in a directory of a lower layer may be whiteouts by an attribute."""
    return _mark(directory, _OPAQUE) == b"x"


def is_marked(inode: Inode) -> bool:
    """Whether a file in such a directory is a whiteout."""
    if inode.mode & S_IFMT != S_IFREG or inode.get_attributes().size:
        return False
    return _mark(inode, _WHITEOUT) is not None


def _mark(inode: Inode, name: bytes) -> bytes | None:
    try:
        return inode.get_xattr(name)
    except (ENODATA, EOPNOTSUPP):
        return None


def make_opaque(directory: Inode) -> None:
    """Let a directory hide the lower ones of its name."""
    directory.set_xattr(_OPAQUE, b"y", 0)


def redirect_of(directory: Inode) -> bytes:
    """Where the lower layers have this directory of the upper one; b"": under the same name.

    A name in the same directory, or an absolute path.
    """
    return _mark(directory, _REDIRECT) or b""


def has_redirect(directory: Inode) -> bool:
    """Whether it says where the lower layers have it."""
    return bool(redirect_of(directory))


def make_redirect(directory: Inode, path: bytes) -> None:
    """Let the lower layers be looked at under `path` for this directory."""
    directory.set_xattr(_REDIRECT, path, 0)
