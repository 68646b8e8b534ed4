"""Access control lists: acl(5), the rules of Linux's posix_acl.c.

A list is what the extended attributes `system.posix_acl_access` and `system.posix_acl_default`
hold (`vfs/xattrs.py`).  File systems keep it as an object with global ids; ids are translated
where bytes come in or go out.  The permission bits of a mode are part of every access list: the
owner's, the mask's (without a mask, the owning group's) and the others'.
"""

import struct

from runsc_py.sentry.errors import EINVAL, EOPNOTSUPP

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from runsc_py.sentry.auth.credentials import Credentials

    Translation = Callable[[int], int | None]

#: the names that the lists have as extended attributes, which also say which one is meant
ACCESS = b"system.posix_acl_access"
DEFAULT = b"system.posix_acl_default"
NAMES = (ACCESS, DEFAULT)

_VERSION = struct.Struct("<I")
_ENTRY = struct.Struct("<HHI")
_SUPPORTED_VERSION = 2

_USER_OBJ, _USER, _GROUP_OBJ, _GROUP, _MASK, _OTHER = 0x01, 0x02, 0x04, 0x08, 0x10, 0x20
_TAGS = (_USER_OBJ, _USER, _GROUP_OBJ, _GROUP, _MASK, _OTHER)
#: the id of an entry that names nobody, and of one whom the reader cannot name
_NO_ID = 0xFFFFFFFF

_PERMISSIONS = 0o7
_MODE_BITS = 0o777

Entry = tuple[int, int, int]


class AccessControlList:
    """A list that never changes: entries (tag, permissions, global id)."""

    __slots__ = ("entries",)

    def __init__(self, entries: tuple[Entry, ...]) -> None:
        self.entries = entries

    # -- bytes ------------------------------------------------------------------------

    @classmethod
    def parse(
        cls, value: bytes, uid: "Translation | None" = None, gid: "Translation | None" = None
    ) -> "AccessControlList | None":
        """The list in an attribute's value; None when it has no entries.

        `uid` and `gid` give the global ids, if these are not.  Errors: EINVAL, EOPNOTSUPP (another
        version).
        """
        if not value:
            return None
        if len(value) < _VERSION.size:
            raise EINVAL
        if _VERSION.unpack_from(value)[0] != _SUPPORTED_VERSION:
            raise EOPNOTSUPP
        if (len(value) - _VERSION.size) % _ENTRY.size:
            raise EINVAL
        entries: list[Entry] = []
        for tag, permissions, named in _ENTRY.iter_unpack(value[_VERSION.size :]):
            if tag not in _TAGS:
                raise EINVAL
            identifier = _translated(tag, named, uid, gid)
            if identifier is None:
                raise EINVAL
            entries.append((tag, permissions, identifier))
        return cls(tuple(entries)) if entries else None

    def encode(self, uid: "Translation | None" = None, gid: "Translation | None" = None) -> bytes:
        """The attribute's value; `uid` and `gid` give the reader's ids from global ones."""
        parts = [_VERSION.pack(_SUPPORTED_VERSION)]
        for tag, permissions, identifier in self.entries:
            shown = _translated(tag, identifier, uid, gid)
            parts.append(_ENTRY.pack(tag, permissions, _NO_ID if shown is None else shown))
        return b"".join(parts)

    def check_valid(self) -> None:
        """Linux's posix_acl_valid: tags in order, a mask where names are.  Errors: EINVAL."""
        tags = [tag for tag, _, _ in self.entries]
        names = tags.count(_USER) + tags.count(_GROUP)
        masks = tags.count(_MASK)
        if (
            tags != sorted(tags)
            or any(tags.count(tag) != 1 for tag in (_USER_OBJ, _GROUP_OBJ, _OTHER))
            or masks > 1
            or (names and not masks)
            or any(permissions & ~_PERMISSIONS for _, permissions, _ in self.entries)
        ):
            raise EINVAL

    # -- and mode bits --------------------------------------------------------------------

    @property
    def is_minimal(self) -> bool:
        """Whether permission bits of a mode say as much."""
        return all(tag in (_USER_OBJ, _GROUP_OBJ, _OTHER) for tag, _, _ in self.entries)

    def permission_bits(self) -> int:
        """The nine bits of a mode that go with this list."""
        by_tag = {tag: permissions for tag, permissions, _ in self.entries}
        group = by_tag.get(_MASK, by_tag[_GROUP_OBJ])
        return by_tag[_USER_OBJ] << 6 | group << 3 | by_tag[_OTHER]

    def with_permission_bits(self, mode: int) -> "AccessControlList":
        """The list after chmod(2) to `mode`."""
        group_tag = _MASK if any(tag == _MASK for tag, _, _ in self.entries) else _GROUP_OBJ
        shifts = {_USER_OBJ: 6, group_tag: 3, _OTHER: 0}
        return AccessControlList(
            tuple(
                (tag, mode >> shifts[tag] & _PERMISSIONS if tag in shifts else permissions, named)
                for tag, permissions, named in self.entries
            )
        )

    def inherited(self, mode: int) -> "tuple[int, AccessControlList | None]":
        """(mode, access list) of something made with `mode` where this is the default list."""
        bits = mode & self.permission_bits()
        mode = mode & ~_MODE_BITS | bits
        return mode, None if self.is_minimal else self.with_permission_bits(bits)

    # -- the check --------------------------------------------------------------------------

    def allows(self, credentials: "Credentials", uid: int, gid: int, wanted: int) -> bool:
        """The access check algorithm of acl(5) for a file with this owner and group."""
        mask = _PERMISSIONS
        for tag, permissions, _ in self.entries:
            if tag == _MASK:
                mask = permissions
        in_some_group = False
        for tag, permissions, named in self.entries:
            if tag == _USER_OBJ and uid == credentials.fsuid:
                return not wanted & ~permissions
            if tag == _USER and named == credentials.fsuid:
                return not wanted & ~(permissions & mask)
            if tag in (_GROUP_OBJ, _GROUP):
                if credentials.in_group(gid if tag == _GROUP_OBJ else named):
                    in_some_group = True
                    if not wanted & ~permissions:
                        return not wanted & ~mask
            elif tag == _OTHER:
                return not in_some_group and not wanted & ~permissions
        return False


def _translated(
    tag: int, identifier: int, uid: "Translation | None", gid: "Translation | None"
) -> int | None:
    """The id of an entry, translated; None when there is no such id on the other side."""
    if tag not in (_USER, _GROUP):
        return _NO_ID
    translation = uid if tag == _USER else gid
    return identifier if translation is None else translation(identifier)
