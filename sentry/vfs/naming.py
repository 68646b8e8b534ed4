"""The name of a place, from the root down: Linux's d_path.

For getcwd(2), /proc/PID/fd, /proc/PID/maps, mountinfo and strace.
"""

from runsc_py.sentry.errors import ENOENT
from runsc_py.sentry.vfs.path import Dentry, Path


def path_name(path: Path, root: Path | None = None) -> bytes:
    """The absolute name of a place as seen from `root`.

    A place outside of `root`, or any place when `root` is None, is named from the top of its
    mount tree.  What has no place in a tree is described (`pipe:[7]`); a removed name is
    marked as Linux does.
    """
    dentry = path.dentry
    if dentry.parent is None and dentry is not path.mount.root:
        return dentry.name
    name, _ = _name_from(path, root)
    return name + b" (deleted)" if dentry.unlinked else name


def working_directory_name(path: Path, root: Path) -> bytes:
    """What getcwd(2) answers.  Errors: ENOENT (the directory was removed)."""
    if path.dentry.unlinked:
        raise ENOENT
    name, reached = _name_from(path, root)
    return name if reached else b"(unreachable)" + name


def is_reachable(path: Path, root: Path) -> bool:
    """Whether a place lies under `root`."""
    return _name_from(path, root)[1]


def _name_from(path: Path, root: Path | None) -> tuple[bytes, bool]:
    """(name, whether `root` was met on the way up)."""
    mount, dentry = path.mount, path.dentry
    names: list[bytes] = []
    reached = False
    while True:
        if root is not None and dentry is root.dentry and mount is root.mount:
            reached = True
            break
        if dentry is mount.root:
            if mount.parent is None or mount.mount_point is None:
                break
            dentry = mount.mount_point
            mount = mount.parent
            continue
        if dentry.parent is None:
            break
        names.append(dentry.name)
        dentry = dentry.parent
    names.reverse()
    return b"/" + b"/".join(names), reached


def root_name(dentry: Dentry) -> bytes:
    """The path of a mount's root inside of its file system."""
    names = []
    while dentry.parent is not None:
        names.append(dentry.name)
        dentry = dentry.parent
    return b"/" + b"/".join(reversed(names))
