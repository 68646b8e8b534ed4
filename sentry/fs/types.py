"""The file system types that mount(2) and fsopen(2) know.

Each is a function that imports it when it is first asked for.  What there is to configure of a
type is beside its file system.
"""

from collections.abc import Callable

TYPE_CHECKING = False
if TYPE_CHECKING:
    from runsc_py.sentry.vfs.filesystem_context import FileSystemType


def _sysfs() -> "FileSystemType":
    from runsc_py.sentry.fs.sys.mounting import SysfsType

    return SysfsType()


def _tmpfs() -> "FileSystemType":
    from runsc_py.sentry.fs.tmpfs.mounting import TmpfsType

    return TmpfsType()


def _proc() -> "FileSystemType":
    from runsc_py.sentry.fs.proc.mounting import ProcType

    return ProcType()


def _cgroup2() -> "FileSystemType":
    from runsc_py.sentry.fs.sys.mounting import CgroupType

    return CgroupType()


def _devtmpfs() -> "FileSystemType":
    from runsc_py.sentry.fs.tmpfs.mounting import DevtmpfsType

    return DevtmpfsType()


def _ramfs() -> "FileSystemType":
    from runsc_py.sentry.fs.tmpfs.mounting import RamfsType

    return RamfsType()


def _devpts() -> "FileSystemType":
    from runsc_py.sentry.fs.devpts.mounting import DevptsType

    return DevptsType()


def _overlay() -> "FileSystemType":
    from runsc_py.sentry.fs.overlay.mounting import OverlayType

    return OverlayType()


def _mqueue() -> "FileSystemType":
    from runsc_py.sentry.fs.mqueue_mounting import MqueueType

    return MqueueType()


def standard_file_systems() -> "dict[str, Callable[[], FileSystemType]]":
    """What `Kernel.file_systems` starts with, in the order of /proc/filesystems."""
    return {
        "sysfs": _sysfs,
        "tmpfs": _tmpfs,
        "proc": _proc,
        "cgroup2": _cgroup2,
        "devtmpfs": _devtmpfs,
        "ramfs": _ramfs,
        "devpts": _devpts,
        "overlay": _overlay,
        "mqueue": _mqueue,
    }
