"""From the (directory descriptor, path) arguments of the …at() calls to places.

The path is copied in once, before the descriptor is looked at, as in Linux: an absolute path
makes the descriptor meaningless, even a closed one.
"""

from runsc_py.sentry.abi.files import AT_EMPTY_PATH, AT_FDCWD, AT_SYMLINK_NOFOLLOW
from runsc_py.sentry.errors import ENOENT
from runsc_py.sentry.kernel.task import Task
from runsc_py.sentry.vfs.path import Path
from runsc_py.sentry.vfs.walk import walk


def start_of(task: Task, directory: int, path: bytes) -> Path | None:
    """Where a relative path begins; None is the working directory.  Errors: EBADF."""
    if directory == AT_FDCWD or path[:1] == b"/":
        return None
    return task.files.get(directory).path


def place_at(task: Task, directory: int, address: int, flags: int, *, follow: bool) -> Path:
    """The existing place that the arguments name.

    With AT_EMPTY_PATH in `flags` an empty path (also a null pointer, since Linux 6.11) is the
    descriptor itself.  Errors: EFAULT, ENAMETOOLONG, ENOENT, EBADF, those of the walk.
    """
    if flags & AT_EMPTY_PATH:
        path = task.memory.copy_in_string(address) if address else b""
        if not path:
            if directory == AT_FDCWD:
                return task.file_context.working_directory
            return task.files.get(directory).path
    else:
        path = task.memory.copy_in_string(address)
        if not path:
            raise ENOENT
    return walk(task, path, start_of(task, directory, path), follow=follow)


def io_place_at(
    task: Task, directory: int, address: int, flags: int, *, needs_descriptor: bool = False
) -> Path:
    """`place_at` by AT_SYMLINK_NOFOLLOW and AT_EMPTY_PATH in `flags`, of calls that read or write.

    A descriptor that is meant itself must not be one of O_PATH, and with `needs_descriptor` not
    AT_FDCWD either.  Errors: as `place_at`.
    """
    if flags & AT_EMPTY_PATH and (directory != AT_FDCWD or needs_descriptor):
        path = task.memory.copy_in_string(address) if address else b""
        if not path:
            return task.files.get_io(directory).path
    return place_at(task, directory, address, flags, follow=not flags & AT_SYMLINK_NOFOLLOW)
