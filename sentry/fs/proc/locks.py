"""/proc/locks: the advisory locks of all processes.  proc_locks(5), lslocks(8).

A lock lasts no longer than some open file, so the descriptors of all processes lead to all of
them.
"""

from runsc_py.sentry.vfs.locks import OFFSET_MAX, FileLocks

TYPE_CHECKING = False
if TYPE_CHECKING:
    from runsc_py.sentry.kernel.task import Task
    from runsc_py.sentry.kernel.thread_group import ThreadGroup
    from runsc_py.sentry.vfs.inode import Inode
    from runsc_py.sentry.vfs.open_file import OpenFile


def locks(task: "Task") -> bytes:
    """One lock a line."""
    namespace = task.pid_namespace
    lines: list[bytes] = []
    seen: set[Inode] = set()
    #: who has an open file description that holds a flock
    holders: dict[int, int] = {}
    for group in namespace.thread_groups():
        if not group.tasks:
            continue
        for _, file in group.tasks[0].files.items():
            holders.setdefault(id(file), group.identifier_in(namespace))
            if isinstance(file.inode.file_locks, FileLocks):
                seen.add(file.inode)
    for inode in seen:
        found = inode.file_locks
        assert isinstance(found, FileLocks)
        place = _place(inode)
        for owner, exclusive in found.flocks.items():
            holder = holders.get(id(owner), 0)
            lines.append(_line(len(lines), b"FLOCK ", exclusive, holder, place, 0, OFFSET_MAX))
        for record in found.records:
            kind = b"POSIX " if record.process >= 0 else b"OFDLCK"
            holder = _visible(task, record.process)
            lines.append(
                _line(len(lines), kind, record.exclusive, holder, place, record.start, record.end)
            )
    return b"".join(lines)


def locks_of(task: "Task", group: "ThreadGroup", file: "OpenFile") -> bytes:
    """The lines of fdinfo about the locks that a process has through an open file."""
    found = file.inode.file_locks
    if not isinstance(found, FileLocks):
        return b""
    holder = group.identifier_in(task.pid_namespace)
    place = _place(file.inode)
    lines = [
        _line(0, b"FLOCK ", exclusive, holder, place, 0, OFFSET_MAX)
        for owner, exclusive in found.flocks.items()
        if owner is file
    ]
    lines += [
        _line(0, b"POSIX ", record.exclusive, holder, place, record.start, record.end)
        for record in found.records
        if record.process == group.identifier
    ]
    return b"".join(b"lock:\t" + line for line in lines)


def _visible(task: "Task", process: int) -> int:
    """The number of a process in the reader's namespace: 0 when it has none, -1 for no process."""
    if process < 0:
        return -1
    owner = task.kernel.root_pid_namespace.tasks.get(process)
    return 0 if owner is None else owner.identifier_in(task.pid_namespace)


def _place(inode: "Inode") -> bytes:
    attributes = inode.get_attributes()
    device = attributes.device
    major, minor = device >> 8 & 0xFFF, device & 0xFF | device >> 12 & ~0xFF
    return b"%02x:%02x:%d" % (major, minor, attributes.inode)


def _line(
    index: int, kind: bytes, exclusive: bool, holder: int, place: bytes, start: int, end: int
) -> bytes:
    last = b"EOF" if end >= OFFSET_MAX else b"%d" % end
    mode = b"WRITE" if exclusive else b"READ "
    return b"%d: %s ADVISORY  %s %d %s %d %s\n" % (
        index + 1,
        kind,
        mode,
        holder,
        place,
        start,
        last,
    )
