"""Where memory is wanted: mempolicy of a task and of ranges (set_mempolicy(2), mbind(2)).

The machine has one node, so every page is where any policy could want it; what was asked for is
kept and shown.
"""

from runsc_py.sentry.errors import EINVAL

MPOL_DEFAULT = 0
MPOL_PREFERRED = 1
MPOL_LOCAL = 4
_MODES = 7

MPOL_F_STATIC_NODES = 1 << 15
MPOL_F_RELATIVE_NODES = 1 << 14
_MODE_FLAGS = MPOL_F_STATIC_NODES | MPOL_F_RELATIVE_NODES

#: nodes of the machine, a bit for each
ALL_NODES = 1


class Policy:
    """A mode, and the nodes it is about.  Immutable."""

    __slots__ = ("flags", "mode", "nodes")

    def __init__(self, mode: int, flags: int, nodes: int) -> None:
        self.mode = mode
        #: MPOL_F_*_NODES
        self.flags = flags
        #: as get_mempolicy(2) shows them
        self.nodes = nodes


def make_policy(mode: int, nodes: int) -> Policy | None:
    """What set_mempolicy(2) and mbind(2) ask for; None for MPOL_DEFAULT.  Errors: EINVAL."""
    flags, mode = mode & _MODE_FLAGS, mode & 0xFFFFFFFF & ~_MODE_FLAGS
    if mode >= _MODES or flags == _MODE_FLAGS:
        raise EINVAL
    if mode == MPOL_DEFAULT:
        if nodes:
            raise EINVAL
        return None
    if mode == MPOL_PREFERRED and not nodes:
        mode = MPOL_LOCAL
    if mode == MPOL_LOCAL:
        if nodes or flags:
            raise EINVAL
        return Policy(mode, 0, 0)
    # Relative nodes are counted from the first one that there is, round and round.
    usable = ALL_NODES if flags & MPOL_F_RELATIVE_NODES and nodes else nodes & ALL_NODES
    if not usable:
        raise EINVAL
    return Policy(mode, flags, nodes if flags else usable)


class RangePolicies:
    """The policies of ranges of addresses, which do not overlap."""

    __slots__ = ("_ranges",)

    def __init__(self, ranges: list[tuple[int, int, Policy]] | None = None) -> None:
        self._ranges = ranges or []

    def copy(self) -> "RangePolicies":
        """For fork(2)."""
        return RangePolicies(list(self._ranges))

    def find(self, address: int) -> Policy | None:
        """What was set for an address."""
        for start, end, policy in self._ranges:
            if start <= address < end:
                return policy
        return None

    def set(self, start: int, end: int, policy: Policy | None) -> None:
        """Replace what is set for a range; None forgets it, as unmapping does."""
        kept = []
        for first, last, old in self._ranges:
            if first < start:
                kept.append((first, min(last, start), old))
            if last > end:
                kept.append((max(first, end), last, old))
        if policy is not None:
            kept.append((start, end, policy))
        self._ranges = [each for each in kept if each[0] < each[1]]
