"""Names looked up before anybody asks, for the price of one round trip to the gofer.

Who walks a tree (find, du, git status, rm -r) asks for one name of a directory after the other,
and a round trip costs as much as looking up a dozen names.  So with a name that has to be asked
for go others of the same directory: as many as were asked for before, more when the guest has
listed the directory.  A guess that fails wastes less than was spent already.

Only with exclusive caching, where what was told stays true until the sandbox itself changes it: a
directory forgets a name that it makes or removes, and nothing is kept of a file that is in use
or has several names.
"""

from collections.abc import Iterator

from runsc_py.gofer.protocol import LINKS, MODE
from runsc_py.gofer.protocol import Attributes as HostAttributes
from runsc_py.sentry.vfs.attributes import S_IFDIR, S_IFMT

TYPE_CHECKING = False
if TYPE_CHECKING:
    from runsc_py.sentry.fs.gofer.filesystem import GoferFileSystem

#: nodes of one mount that wait to be asked for; each is a descriptor of the gofer
_LIMIT = 1024
#: names in one request beside the one that is wanted
_MOST = 63
#: so many when the directory was listed by the guest
_AFTER_LISTING = 15

_DT_DIR = S_IFDIR >> 12


class LookedUpAhead:
    """What the gofer told of names that nobody asked for yet, oldest first."""

    __slots__ = ("_found", "_gofer")

    def __init__(self, gofer: "GoferFileSystem") -> None:
        self._gofer = gofer
        self._found: dict[tuple[int, bytes], tuple[int, HostAttributes]] = {}

    def take(self, directory: int, name: bytes) -> tuple[int, HostAttributes] | None:
        """The node of `name` and its attributes, which are the caller's now."""
        return self._found.pop((directory, name), None)

    def forget(self, directory: int, name: bytes) -> None:
        """`name` was made or removed: what was told of it is not true any more."""
        found = self._found.pop((directory, name), None)
        if found is not None:
            self._gofer.dead_nodes.append(found[0])

    def clear(self) -> None:
        """Give all nodes back."""
        self._gofer.dead_nodes.extend([node for node, _ in self._found.values()])
        self._found.clear()

    def look_up(
        self, directory: int, name: bytes, others: list[bytes]
    ) -> tuple[int, HostAttributes] | None:
        """What the gofer tells of `name`, None if it could not be reached; keep the `others`."""
        gofer = self._gofer
        names = [name, *others]
        entries = gofer.ask(gofer.client.lookup_each, directory, names)
        dead = gofer.dead_nodes
        found = self._found
        for other, entry in zip(others, entries[1:], strict=True):
            if entry is None:
                continue
            node, attributes = entry
            has_names = attributes[LINKS] > 1 and attributes[MODE] & S_IFMT != S_IFDIR
            if has_names or gofer.knows(attributes):
                dead.append(node)
                continue
            self.forget(directory, other)
            found[directory, other] = entry
        while len(found) > _LIMIT:
            dead.append(found.pop(next(iter(found)))[0])
        return entries[0]


class Guess:
    """What will be asked next of one directory."""

    __slots__ = ("_asked", "_only_directories", "_rest", "listed")

    def __init__(self) -> None:
        #: the guest has read the directory
        self.listed = False
        #: how many names were asked for
        self._asked = 0
        #: nothing but directories was
        self._only_directories = True
        self._rest: Iterator[bytes] | None = None

    @property
    def asked(self) -> int:
        """How many names were asked for."""
        return self._asked

    def count(self, is_directory: bool) -> None:
        """A name was asked for."""
        self._asked += 1
        if self._only_directories and not is_directory:
            self._only_directories = False
            self._rest = None

    def names(self, name: bytes, listing: dict[bytes, tuple[int, int, int]]) -> list[bytes]:
        """Those to ask for along with `name`: what comes behind it in the listing."""
        wanted = min(max(self._asked, _AFTER_LISTING if self.listed else 0), _MOST)
        if wanted == 0:
            return []
        rest = self._rest
        if rest is None:
            rest = self._rest = iter(self._behind(name, listing))
        others = []
        for other in rest:
            if other != name and other in listing:
                others.append(other)
                if len(others) == wanted:
                    break
        return others

    def _behind(self, name: bytes, listing: dict[bytes, tuple[int, int, int]]) -> list[bytes]:
        if self._only_directories and listing[name][1] == _DT_DIR:
            names = [each for each, (_, kind, _) in listing.items() if kind == _DT_DIR]
        else:
            names = list(listing)
        place = names.index(name)
        return names[place + 1 :] + names[:place]
