"""inotify_init(2), inotify_add_watch(2), inotify_rm_watch(2).  What they do: `fs/inotify.py`."""

from runsc_py.sentry.abi.files import AT_FDCWD
from runsc_py.sentry.abi.inotify import (
    IN_ALL_EVENTS,
    IN_CLOEXEC,
    IN_DONT_FOLLOW,
    IN_EXCL_UNLINK,
    IN_IGNORED,
    IN_ISDIR,
    IN_MASK_ADD,
    IN_MASK_CREATE,
    IN_NONBLOCK,
    IN_ONESHOT,
    IN_ONLYDIR,
    IN_Q_OVERFLOW,
    IN_UNMOUNT,
)
from runsc_py.sentry.errors import EINVAL, ENOTDIR
from runsc_py.sentry.fs.inotify import InotifyFile, make_inotify_file
from runsc_py.sentry.kernel.task import Task
from runsc_py.sentry.syscalls.places import place_at
from runsc_py.sentry.syscalls.table import syscall
from runsc_py.sentry.syscalls.types import Fd, Int, PathAddress, UnsignedInt
from runsc_py.sentry.vfs.permissions import MAY_READ, check

_KNOWN = (
    IN_ALL_EVENTS
    | IN_UNMOUNT
    | IN_Q_OVERFLOW
    | IN_IGNORED
    | IN_ISDIR
    | IN_ONLYDIR
    | IN_DONT_FOLLOW
    | IN_EXCL_UNLINK
    | IN_MASK_ADD
    | IN_MASK_CREATE
    | IN_ONESHOT
)


@syscall(253, "inotify_init")
def inotify_init(task: Task) -> int:
    """inotify_init(2)"""
    return task.files.add(make_inotify_file(task, 0))


@syscall(294, "inotify_init1")
def inotify_init1(task: Task, flags: Int) -> int:
    """inotify_init1(2)"""
    if flags & ~(IN_CLOEXEC | IN_NONBLOCK):
        raise EINVAL
    return task.files.add(make_inotify_file(task, flags & IN_NONBLOCK), bool(flags & IN_CLOEXEC))


@syscall(254, "inotify_add_watch")
def inotify_add_watch(task: Task, fd: Fd, path: PathAddress, mask: UnsignedInt) -> int:
    """inotify_add_watch(2)"""
    if not mask & _KNOWN:
        raise EINVAL
    file = task.files.get_io(fd)
    if mask & IN_MASK_ADD and mask & IN_MASK_CREATE or not isinstance(file, InotifyFile):
        raise EINVAL
    place = place_at(task, AT_FDCWD, path, 0, follow=not mask & IN_DONT_FOLLOW)
    if mask & IN_ONLYDIR and not place.inode.is_directory:
        raise ENOTDIR
    check(task.credentials, place.inode, MAY_READ)
    return file.add(place, mask)


@syscall(255, "inotify_rm_watch")
def inotify_rm_watch(task: Task, fd: Fd, watch: Int) -> int:
    """inotify_rm_watch(2)"""
    file = task.files.get_io(fd)
    if not isinstance(file, InotifyFile) or watch not in file.watches:
        raise EINVAL
    file.remove(file.watches[watch])
    return 0
