"""Host uids and gids as the guest sees them, and back.

Run as root we show every owner as it is.  Run by an ordinary user we cannot give files away, and
nearly all of the host's belong to somebody else: the user who runs us and the host's root are
both shown as the guest's root, who may do in the sandbox what he may do on the host.
"""

from runsc_py.gofer.protocol import GID, INODE, MODE, NO_ID, UID
from runsc_py.gofer.protocol import Attributes as HostAttributes
from runsc_py.sentry.auth.user_namespace import OVERFLOW_ID
from runsc_py.sentry.errors import EOVERFLOW

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


class IdMapper:
    """Pairs of host id and guest id; an id without a pair is shown as it is."""

    __slots__ = ("_guest_gids", "_guest_uids", "_host_gids", "_host_uids")

    def __init__(self, uids: dict[int, int] | None = None, gids: dict[int, int] | None = None):
        """`uids` and `gids` map host ids to guest ids; of several host ids for one guest id the
        last is the one that a new file gets."""
        self._guest_uids = uids or {}
        self._guest_gids = gids or {}
        self._host_uids = {guest: host for host, guest in self._guest_uids.items()}
        self._host_gids = {guest: host for host, guest in self._guest_gids.items()}

    @classmethod
    def rootless(cls, uid: int, gid: int) -> "IdMapper":
        """For the host's user `uid`, who is the guest's root."""
        return cls({0: 0, uid: 0}, {0: 0, gid: 0})

    def guest_uid(self, uid: int) -> int:
        """What stat(2) shows for a host uid."""
        return self._guest_uids.get(uid, uid)

    def guest_gid(self, gid: int) -> int:
        """What stat(2) shows for a host gid."""
        return self._guest_gids.get(gid, gid)

    def host_uid(self, uid: int | None) -> int:
        """The host's uid for a guest's; NO_ID for None."""
        return NO_ID if uid is None else self._host_uids.get(uid, uid)

    def host_gid(self, gid: int | None) -> int:
        """The host's gid for a guest's; NO_ID for None."""
        return NO_ID if gid is None else self._host_gids.get(gid, gid)


class RangeIdMapper(IdMapper):
    """Ranges as in /proc/PID/uid_map: (guest id, host id, count); other ids are nobody's."""

    __slots__ = ("_gids", "_uids")

    def __init__(
        self, uids: "Sequence[tuple[int, int, int]]", gids: "Sequence[tuple[int, int, int]]"
    ) -> None:
        super().__init__()
        self._uids = uids
        self._gids = gids

    def guest_uid(self, uid: int) -> int:
        """The overflow id for what the guest has no name for: it must not own it either."""
        return _inside(self._uids, uid)

    def guest_gid(self, gid: int) -> int:
        """The same for groups."""
        return _inside(self._gids, gid)

    def host_uid(self, uid: int | None) -> int:
        """Errors: EOVERFLOW for an id that the host has no place for."""
        return NO_ID if uid is None else _outside(self._uids, uid)

    def host_gid(self, gid: int | None) -> int:
        """The same for groups."""
        return NO_ID if gid is None else _outside(self._gids, gid)


def _inside(ranges: "Sequence[tuple[int, int, int]]", identifier: int) -> int:
    for inside, outside, count in ranges:
        if outside <= identifier < outside + count:
            return inside + identifier - outside
    return OVERFLOW_ID


def _outside(ranges: "Sequence[tuple[int, int, int]]", identifier: int) -> int:
    for inside, outside, count in ranges:
        if inside <= identifier < inside + count:
            return outside + identifier - inside
    raise EOVERFLOW


class RecordedOwners:
    """Modes and owners of a tree that could not be given them on the host.

    `recorded` maps inode numbers to (mode, uid, gid); what has no entry is root's, its mode right.
    """

    __slots__ = ("_recorded",)

    def __init__(self, recorded: "Mapping[int, tuple[int, int, int]]") -> None:
        self._recorded = recorded

    def apply(self, attributes: HostAttributes) -> HostAttributes:
        """The host's attributes with the recorded mode and owner."""
        mode, uid, gid = self._recorded.get(attributes[INODE], (attributes[MODE] & 0o7777, 0, 0))
        mode |= attributes[MODE] & ~0o7777
        shown = list(attributes)
        shown[MODE], shown[UID], shown[GID] = mode, uid, gid
        return tuple(shown)
