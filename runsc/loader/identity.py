"""Users, groups and homes, looked up in a container's own /etc/passwd and /etc/group.

Lines that are none (blank, comments, too few fields, numbers that are none) are skipped.  A name
that is not there is an error: whoever mistypes one must not become root.
"""

from __future__ import annotations

from runsc_py.runsc.errors import RunscError
from runsc_py.sentry.errors import KernelError
from runsc_py.sentry.vfs.attributes import S_IFMT, S_IFREG
from runsc_py.sentry.vfs.open_file import O_RDONLY
from runsc_py.sentry.vfs.opening import open_file
from runsc_py.sentry.vfs.walk import walk

TYPE_CHECKING = False
if TYPE_CHECKING:
    from runsc_py.sentry.kernel.task import Task

#: a user database larger than this is not read
DATABASE_LIMIT = 4 << 20
#: (uid_t)-1 means "none" everywhere
LARGEST_ID = 0xFFFFFFFE

PASSWD_FIELDS = 7
GROUP_FIELDS = 3


def read_database(task: Task, path: bytes, fields: int) -> list[list[str]]:
    """The lines of a colon-separated database that have enough fields; a missing one is empty.

    Only a regular file is opened: a FIFO would block whoever opens it.
    """
    try:
        place = walk(task, path)
        if place.inode.mode & S_IFMT != S_IFREG:
            return []
        file = open_file(task, path, O_RDONLY).acquire()
    except KernelError:
        return []
    try:
        text = file.read_at(DATABASE_LIMIT, 0).decode(errors="surrogateescape")
    finally:
        file.drop()
    lines = (line.strip() for line in text.splitlines())
    rows = [line.split(":") for line in lines if line and not line.startswith("#")]
    return [row for row in rows if len(row) >= fields]


def parse_id(text: str) -> int | None:
    """A number that can be a uid or gid."""
    if not text.isascii() or not text.isdigit():
        return None
    number = int(text)
    return number if number <= LARGEST_ID else None


class Identity:
    """Who a user is: ids, supplementary groups, and the home directory if the database has one."""

    __slots__ = ("gid", "groups", "home", "uid")

    def __init__(self, uid: int, gid: int, groups: tuple[int, ...], home: str | None) -> None:
        self.uid = uid
        self.gid = gid
        self.groups = groups
        self.home = home


def look_up_user(task: Task, text: str) -> Identity:
    """`USER[:GROUP]`, each a name or a number.  Raises RunscError."""
    user, colon, group = text.partition(":")
    uid = parse_id(user)
    entry = _find_user(task, user, uid)
    if uid is None:
        if entry is None:
            raise RunscError(f"{text}: no user {user!r} in the sandbox's /etc/passwd")
        uid = int(entry[2])
    gid = int(entry[3]) if entry is not None else 0
    groups: tuple[int, ...] = ()
    if colon and group:
        gid = _find_group(task, text, group)
    elif entry is not None:
        groups = _groups_of(task, entry[0])
    return Identity(uid, gid, groups, entry[5] if entry is not None else None)


def _find_user(task: Task, user: str, uid: int | None) -> list[str] | None:
    for row in read_database(task, b"/etc/passwd", PASSWD_FIELDS - 1):
        number, gid = parse_id(row[2]), parse_id(row[3])
        if number is None or gid is None or not row[0]:
            continue
        if number == uid if uid is not None else row[0] == user:
            return row
    return None


def _find_group(task: Task, text: str, group: str) -> int:
    number = parse_id(group)
    if number is not None:
        return number
    for row in read_database(task, b"/etc/group", GROUP_FIELDS):
        number = parse_id(row[2])
        if row[0] == group and number is not None:
            return number
    raise RunscError(f"{text}: no group {group!r} in the sandbox's /etc/group")


def _groups_of(task: Task, user: str) -> tuple[int, ...]:
    found = []
    for row in read_database(task, b"/etc/group", GROUP_FIELDS + 1):
        number = parse_id(row[2])
        if number is not None and user in row[3].split(","):
            found.append(number)
    return tuple(found)


def add_home(task: Task, environment: list[bytes], uid: int) -> None:
    """Give the environment a HOME when it has none, or as runc sees it the same, an empty one."""
    if b"HOME=" in environment:
        environment.remove(b"HOME=")
    if not any(entry.startswith(b"HOME=") for entry in environment):
        environment.append(b"HOME=" + home_of(task, uid).encode(errors="surrogateescape"))


def home_of(task: Task, uid: int) -> str:
    """The home directory of a uid: `/` where the database does not say."""
    for row in read_database(task, b"/etc/passwd", GROUP_FIELDS):
        if parse_id(row[2]) == uid:
            return row[5] if len(row) > 5 else ""
    return "/"
