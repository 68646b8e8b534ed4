"""mount(2) of an overlay by a guest: from the options to the layers.

The upper directory has to be of a tmpfs: whiteouts are device nodes, which neither another overlay
nor a host directory takes (Linux refuses such upper layers too).
"""

import re

from runsc_py.sentry.errors import EINVAL, ENOTDIR
from runsc_py.sentry.fs.layer import LayerDirectory
from runsc_py.sentry.fs.overlay.filesystem import Overlay
from runsc_py.sentry.fs.tmpfs.directory import TmpfsDirectory
from runsc_py.sentry.vfs.walk import walk

TYPE_CHECKING = False
if TYPE_CHECKING:
    from runsc_py.sentry.kernel.task import Task

#: features that are always or never there, whatever is asked for
_IGNORED = frozenset(
    (b"index", b"redirect_dir", b"xino", b"metacopy", b"nfs_export", b"uuid", b"volatile")
)


def overlay_of_options(task: "Task", options: bytes) -> Overlay:
    """The overlay that `lowerdir=A:B,upperdir=C,workdir=D` describes; read-only without upperdir.

    Errors: EINVAL (options, or directories that cannot be layers), ENOTDIR, those of the walks.
    """
    values: dict[bytes, bytes] = {}
    for option in filter(None, _split(options, b",")):
        name, _, value = option.partition(b"=")
        if name in (b"lowerdir", b"upperdir", b"workdir"):
            values[name] = value
        elif name not in _IGNORED:
            raise EINVAL
    lower_names = _split(values.get(b"lowerdir", b""), b":")
    upper_name = values.get(b"upperdir")
    if not all(lower_names) or (upper_name is not None) != (b"workdir" in values):
        raise EINVAL
    if upper_name is None and len(lower_names) < 2:
        raise EINVAL
    lowers = tuple(_directory(task, name) for name in lower_names)
    upper = None
    if upper_name is not None:
        upper = _directory(task, upper_name)
        if not isinstance(upper, TmpfsDirectory):
            raise EINVAL
        work = _directory(task, values[b"workdir"])
        if work.filesystem is not upper.filesystem or work is upper:
            raise EINVAL
    shown = b"ro," if upper is None else b"rw,"
    return Overlay(task.kernel, upper, lowers, (shown + options).decode(errors="replace"))


def _directory(task: "Task", name: bytes) -> LayerDirectory:
    inode = walk(task, name.replace(b"\\", b"")).inode
    if not inode.is_directory:
        raise ENOTDIR
    if not isinstance(inode, LayerDirectory):
        raise EINVAL
    return inode


def _split(text: bytes, separator: bytes) -> list[bytes]:
    """The parts between separators that no backslash stands before."""
    return re.split(rb"(?<!\\)" + separator, text)
