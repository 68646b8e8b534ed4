"""What a path walk will ask for, asked in one message where the host may change the files.

With shared caching every component of a path has to be asked about again.  The walk tells what it
is going to ask; the gofer walks all of it at once, and the answers are used up while the system
call lasts.
"""

from runsc_py.gofer.protocol import DEVICE_MAJOR, DEVICE_MINOR, INODE, MAX_NAME
from runsc_py.gofer.protocol import Attributes as HostAttributes
from runsc_py.sentry.errors import ENOENT

TYPE_CHECKING = False
if TYPE_CHECKING:
    from runsc_py.sentry.fs.gofer.directory import GoferDirectory
    from runsc_py.sentry.fs.gofer.filesystem import GoferFileSystem

#: names in one question
_MOST = 32
_NO_NAMES = frozenset((b"", b".", b".."))

#: device (major, minor) and inode of a directory
Place = tuple[int, int, int]


class ForeseenWalk:
    """Answers of the gofer to questions that the current system call is about to ask."""

    __slots__ = ("_gofer", "_moment", "_told")

    def __init__(self, gofer: "GoferFileSystem") -> None:
        self._gofer = gofer
        self._moment = -1
        #: by directory and name; None: there is no such name
        self._told: dict[tuple[Place, bytes], HostAttributes | None] = {}

    def ask(self, directory: "GoferDirectory", name: bytes, following: list[bytes]) -> None:
        """`name` will be asked for, and then, in it, `following`, the last of them first."""
        gofer = self._gofer
        if self._moment != gofer.kernel.moment:
            self._moment = gofer.kernel.moment
            self._told.clear()
        place = place_of(directory.known)
        if (place, name) in self._told:
            return
        names = [name]
        for each in following[:-_MOST:-1]:
            if each in _NO_NAMES or len(each) > MAX_NAME:
                break
            names.append(each)
        if len(names) == 1:
            return
        found, failed = gofer.ask(gofer.client.walk_stat, directory.node, names)
        for attributes in found:
            self._told[place, names.pop(0)] = attributes
            place = place_of(attributes)
        if failed == ENOENT.number:
            self._told[place, names[0]] = None

    def knows(self, directory: "GoferDirectory", name: bytes) -> bool:
        """Whether `name` was asked about during this system call."""
        return (
            self._moment == self._gofer.kernel.moment
            and (place_of(directory.known), name) in self._told
        )

    def answer(self, directory: "GoferDirectory", name: bytes) -> HostAttributes | None:
        """What was told of a name that is known; None: it does not exist."""
        return self._told[place_of(directory.known), name]

    def forget(self) -> None:
        """A name was made or removed."""
        self._told.clear()


def place_of(attributes: HostAttributes) -> Place:
    """Which file of the host attributes are of."""
    return attributes[DEVICE_MAJOR], attributes[DEVICE_MINOR], attributes[INODE]
