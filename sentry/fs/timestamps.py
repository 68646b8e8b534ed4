"""When a read sets the access time: relatime, noatime, O_NOATIME.

mount(2), MS_RELATIME: Linux's default, and what saves most updates.  The mount that the file was
opened through decides, not the file system.
"""

from runsc_py.sentry.abi.mount_flags import MS_NOATIME, MS_NODIRATIME
from runsc_py.sentry.vfs.open_file import O_NOATIME

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Protocol

    from runsc_py.sentry.vfs.open_file import OpenFile
else:
    Protocol = object  # the real one is for type checkers, and slow to import

MS_STRICTATIME = 1 << 24

_DAY = 24 * 3600 * 10**9


class Times(Protocol):
    """The three times of an inode, nanoseconds since the epoch."""

    access_time: int
    modification_time: int
    change_time: int


def access_time_is_due(file: "OpenFile", times: Times, now: int) -> bool:
    """Whether a read through `file` at the time `now` sets the access time."""
    flags = file.path.mount.flags
    if flags & MS_NOATIME or file.flags & O_NOATIME:
        return False
    if flags & MS_NODIRATIME and file.inode.is_directory:
        return False
    return (
        times.access_time <= times.modification_time
        or times.access_time <= times.change_time
        or now - times.access_time >= _DAY
        or bool(flags & MS_STRICTATIME)
    )
