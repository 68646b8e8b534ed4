"""How the files of /proc/sys are made: numbers that can be written, and texts that cannot."""

from collections.abc import Callable

from runsc_py.sentry.errors import EINVAL, EPERM
from runsc_py.sentry.fs.synthetic import File

TYPE_CHECKING = False
if TYPE_CHECKING:
    from runsc_py.sentry.auth.user_namespace import UserNamespace
    from runsc_py.sentry.kernel.task import Task

INT_MAX = 0x7FFFFFFF


def number(value: int) -> bytes:
    """One in a line."""
    return b"%d\n" % value


def refuse(task: "Task", data: bytes) -> None:
    """A setting of the machine, which no guest owns (in a container it is the same)."""
    raise EPERM


def fixed(value: bytes) -> File:
    """A text that nobody can change."""
    return File(lambda task: value, refuse)


def parse_number(data: bytes, minimum: int, maximum: int) -> int:
    """What was written.  Errors: EINVAL."""
    try:
        value = int(data)
    except ValueError:
        raise EINVAL from None
    if not minimum <= value <= maximum:
        raise EINVAL
    return value


def setting(
    owner: Callable[["Task"], object],
    name: str,
    maximum: int,
    minimum: int = 0,
    belongs_to: "Callable[[Task], UserNamespace] | None" = None,
) -> File:
    """A number that root may change: an attribute of what `owner` finds.

    Root is that of the user namespace which `belongs_to` finds.
    """

    def show(task: "Task") -> bytes:
        return number(getattr(owner(task), name))

    def change(task: "Task", data: bytes) -> None:
        setattr(owner(task), name, parse_number(data, minimum, maximum))

    return File(show, change, owner=None if belongs_to is None else root_of(belongs_to))


def root_of(namespace: "Callable[[Task], UserNamespace]") -> "Callable[[Task], tuple[int, int]]":
    """The ids of the superuser of a namespace, if it has one."""

    def find(task: "Task") -> tuple[int, int]:
        found = namespace(task)
        uid, gid = found.uid_map.to_global(0), found.gid_map.to_global(0)
        return 0 if uid is None else uid, 0 if gid is None else gid

    return find
