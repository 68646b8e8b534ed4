"""The file system types that mount(2) knows.  Each is imported when it is first mounted.

A type is a function of the mounting task, the source and the options as the guest gave them.
"""

from collections.abc import Callable

TYPE_CHECKING = False
if TYPE_CHECKING:
    from runsc_py.sentry.kernel.task import Task
    from runsc_py.sentry.vfs.inode import FileSystem

FileSystemType = Callable[["Task", bytes, bytes], "FileSystem"]


def _proc(task: "Task", source: bytes, options: bytes) -> "FileSystem":
    from runsc_py.sentry.fs.proc.filesystem import ProcFileSystem

    return ProcFileSystem(task.kernel, task.pid_namespace_for_children)


def _sysfs(task: "Task", source: bytes, options: bytes) -> "FileSystem":
    from runsc_py.sentry.fs.sys.filesystem import SysFileSystem

    return SysFileSystem(task.kernel)


def _tmpfs(task: "Task", source: bytes, options: bytes) -> "FileSystem":
    from runsc_py.sentry.fs.tmpfs.filesystem import Tmpfs, parse_options

    return Tmpfs(task.kernel, **parse_options(options.decode("latin-1")))


def _devtmpfs(task: "Task", source: bytes, options: bytes) -> "FileSystem":
    """Linux has one instance for the whole machine: the one that is mounted first."""
    from runsc_py.sentry.fs.dev.filesystem import DevFileSystem

    for mount in task.kernel.root_mount_namespace.mounts:
        if isinstance(mount.filesystem, DevFileSystem):
            return mount.filesystem
    return DevFileSystem(task.kernel)


def _devpts(task: "Task", source: bytes, options: bytes) -> "FileSystem":
    from runsc_py.sentry.fs.devpts.filesystem import DevptsFileSystem
    from runsc_py.sentry.fs.devpts.registry import terminals_of

    return DevptsFileSystem(terminals_of(task))


def _cgroup2(task: "Task", source: bytes, options: bytes) -> "FileSystem":
    from runsc_py.sentry.fs.sys.filesystem import CgroupFileSystem

    return CgroupFileSystem(task.kernel)


def _overlay(task: "Task", source: bytes, options: bytes) -> "FileSystem":
    from runsc_py.sentry.fs.overlay.options import overlay_of_options

    return overlay_of_options(task, options)


def _mqueue(task: "Task", source: bytes, options: bytes) -> "FileSystem":
    """The one instance of the mounting task's IPC namespace."""
    from runsc_py.sentry.fs.mqueue import mqueue_of

    return mqueue_of(task.kernel, task.namespaces.ipc)


def standard_file_systems() -> dict[str, object]:
    """What `Kernel.file_systems` starts with, in the order of /proc/filesystems."""
    types: dict[str, FileSystemType] = {
        "sysfs": _sysfs,
        "tmpfs": _tmpfs,
        "proc": _proc,
        "cgroup2": _cgroup2,
        "devtmpfs": _devtmpfs,
        "ramfs": _tmpfs,
        "devpts": _devpts,
        "overlay": _overlay,
        "mqueue": _mqueue,
    }
    return dict(types)
