"""Whom `--user` means: names are looked up in the sandbox's own /etc/passwd and /etc/group."""

from runsc_py.runsc.errors import RunscError
from runsc_py.sentry.errors import KernelError
from runsc_py.sentry.kernel.task import Task
from runsc_py.sentry.vfs.open_file import O_RDONLY
from runsc_py.sentry.vfs.opening import open_file

#: a user database larger than this is not read
DATABASE_LIMIT = 4 << 20


def _read(task: Task, path: bytes) -> list[list[str]]:
    """The lines of a colon-separated database; a missing one is empty."""
    try:
        file = open_file(task, path, O_RDONLY).acquire()
    except KernelError:
        return []
    try:
        text = file.read_at(DATABASE_LIMIT, 0).decode(errors="replace")
    finally:
        file.drop()
    return [line.split(":") for line in text.splitlines()]


def _number(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdigit() and int(text) < 0xFFFFFFFF else None


def resolve_user(task: Task, text: str) -> tuple[int, int, tuple[int, ...], str | None]:
    """(uid, gid, supplementary groups, home directory) for `USER[:GROUP]`."""
    user, _, group = text.partition(":")
    passwd = [line for line in _read(task, b"/etc/passwd") if len(line) >= 6]
    uid = _number(user)
    entry = next(
        (line for line in passwd if line[0] == user or (uid is not None and line[2] == user)),
        None,
    )
    if uid is None:
        if entry is None:
            raise RunscError(f"--user {text}: no user {user!r} in the sandbox's /etc/passwd")
        uid = int(entry[2])
    gid = int(entry[3]) if entry is not None else 0
    groups: tuple[int, ...] = ()
    databases = [line for line in _read(task, b"/etc/group") if len(line) >= 4]
    if group:
        number = _number(group)
        if number is None:
            found = next((line for line in databases if line[0] == group), None)
            if found is None:
                raise RunscError(f"--user {text}: no group {group!r} in the sandbox's /etc/group")
            number = int(found[2])
        gid = number
    elif entry is not None:
        groups = tuple(
            int(line[2]) for line in databases if entry[0] in line[3].split(",") and line[2] != ""
        )
    return uid, gid, groups, entry[5] if entry is not None else None
