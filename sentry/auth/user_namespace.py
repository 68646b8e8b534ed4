"""User namespaces and their id maps: user_namespaces(7).

Inside the sentry every uid and gid is *global* (Linux's kuid_t): an id of the initial
namespace.  Ids are translated where the guest names or sees one, which is in the system calls.
"""

from runsc_py.sentry.errors import EINVAL, EPERM

TYPE_CHECKING = False
if TYPE_CHECKING:
    from runsc_py.sentry.auth.user_counts import Charge, Kind

#: what an id without a mapping looks like: /proc/sys/kernel/overflowuid
OVERFLOW_ID = 65534
#: -1 as an unsigned id: "leave it alone" in setresuid and chown, never a valid id
NO_ID = 0xFFFFFFFF
#: user namespaces nest this deep
MAXIMUM_LEVEL = 32
MAXIMUM_EXTENTS = 340
#: how many namespaces of a kind a user may make in the initial namespace, and in the others
_NAMESPACES_OF_USER = 32768
_UNLIMITED = 0x7FFFFFFF
#: what else is counted, and how many a user may have in the initial namespace
_OF_INOTIFY = {"inotify_instances": 128, "inotify_watches": 65536}


class IdMap:
    """Extents (first id inside, first id in the parent namespace, count), as in /proc/PID/uid_map.

    `extents` is what the guest wrote; translation goes to global ids directly.
    """

    __slots__ = ("_global_extents", "extents")

    def __init__(self, extents: list[tuple[int, int, int]], parent: "IdMap | None" = None) -> None:
        """Raises EINVAL for overlapping or empty extents, EPERM for ids the parent cannot name."""
        check_extents(extents)
        self.extents = extents
        self._global_extents: list[tuple[int, int, int]] = []
        for inside, outside, count in extents:
            first = outside if parent is None else parent._range_to_global(outside, count)
            self._global_extents.append((inside, first, count))

    def _range_to_global(self, first: int, count: int) -> int:
        for inside, outside, extent in self._global_extents:
            if inside <= first and first + count <= inside + extent:
                return outside + first - inside
        raise EPERM

    def to_global(self, identifier: int) -> int | None:
        """The global id for one that the guest named; None when it is not mapped."""
        for inside, outside, count in self._global_extents:
            if inside <= identifier < inside + count:
                return outside + identifier - inside
        return None

    def from_global(self, identifier: int) -> int | None:
        """The id inside for a global one; None when it is not mapped."""
        for inside, outside, count in self._global_extents:
            if outside <= identifier < outside + count:
                return inside + identifier - outside
        return None

    def map_to_namespace(self, identifier: int) -> int:
        """What the guest sees for a global id: the overflow id when it is not mapped."""
        inside = self.from_global(identifier)
        return OVERFLOW_ID if inside is None else inside


def check_extents(extents: list[tuple[int, int, int]]) -> None:
    """Raises EINVAL for empty extents, and those that overlap inside or outside."""
    for number, (inside, outside, count) in enumerate(extents):
        if count <= 0 or inside + count > NO_ID or outside + count > NO_ID:
            raise EINVAL
        for other_inside, other_outside, other_count in extents[:number]:
            if inside < other_inside + other_count and other_inside < inside + count:
                raise EINVAL
            if outside < other_outside + other_count and other_outside < outside + count:
                raise EINVAL


class _IdentityMap(IdMap):
    """The initial namespace's map: every id is itself."""

    __slots__ = ()

    def to_global(self, identifier: int) -> int | None:
        return None if identifier == NO_ID else identifier

    def from_global(self, identifier: int) -> int | None:
        return identifier

    def map_to_namespace(self, identifier: int) -> int:
        return identifier


class ContainerIdMap(IdMap):
    """The initial namespace's map in a sandbox whose container has id maps of its own.

    Ids are themselves; those that the host's user namespace would not have are not there, and the
    guest reads which ids of the host its own are.
    """

    __slots__ = ()

    def __init__(self, extents: list[tuple[int, int, int]]) -> None:
        super().__init__(extents)
        self._global_extents = [(inside, inside, count) for inside, _, count in extents]


class UserNamespace:
    """A user namespace; the initial one has no parent."""

    __slots__ = (
        "__weakref__",
        "charge",
        "counts",
        "gid_map",
        "inode_number",
        "level",
        "maximums",
        "owner_gid",
        "owner_uid",
        "parent",
        "projid_map",
        "resource_limits",
        "setgroups_allowed",
        "uid_map",
    )

    def __init__(
        self,
        parent: "UserNamespace | None" = None,
        owner_uid: int = 0,
        owner_gid: int = 0,
        inode_number: int = 0xEFFFFFFD,
    ) -> None:
        """A namespace owned by the given global ids, with empty maps unless it is the initial one.

        `inode_number` is what /proc/PID/ns/user shows; the default is Linux's initial one.
        """
        self.parent = parent
        self.level: int = 0 if parent is None else parent.level + 1
        self.owner_uid = owner_uid
        self.owner_gid = owner_gid
        self.inode_number = inode_number
        #: /proc/PID/setgroups
        self.setgroups_allowed: bool = True if parent is None else parent.setgroups_allowed
        #: what is counted (user_counts.py), by user and kind
        self.counts: dict[tuple[int, Kind], int] = {}
        self.charge: Charge | None = None
        #: /proc/sys/user/max_KIND_namespaces, where it was changed
        self.maximums: dict[str, int] = {}
        #: what all users together may have, because the maker of the namespace might not have more
        self.resource_limits: dict[int, int] = {}
        everything = [(0, 0, NO_ID)]
        self.uid_map = _IdentityMap(everything) if parent is None else IdMap([])
        self.gid_map = _IdentityMap(everything) if parent is None else IdMap([])
        #: of the project ids of quotas, which no file here has
        self.projid_map = _IdentityMap(everything) if parent is None else IdMap([])

    @classmethod
    def initial(cls) -> "UserNamespace":
        """The namespace in which every id is itself."""
        return cls()

    def maximum(self, kind: str) -> int:
        """How many of a kind a user may have here: namespaces(7), inotify(7)."""
        initial = _OF_INOTIFY.get(kind, _NAMESPACES_OF_USER)
        default = initial if self.parent is None else _UNLIMITED
        return self.maximums.get(kind, default)

    def is_descendant_of(self, other: "UserNamespace") -> bool:
        """Whether this is `other` or inside it."""
        namespace: UserNamespace | None = self
        while namespace is not None:
            if namespace is other:
                return True
            namespace = namespace.parent
        return False
