"""`linux.readonlyPaths` and `linux.maskedPaths`: what a container may not change, or not see."""

from __future__ import annotations

import os

from runsc_py.runsc.control.errors import ControlError
from runsc_py.runsc.mount_plan import WORLD_WRITABLE
from runsc_py.sentry.abi.mount_flags import MS_NOEXEC, MS_NOSUID, MS_RDONLY
from runsc_py.sentry.errors import ENOENT, ENOTDIR, KernelError
from runsc_py.sentry.fs.tmpfs.filesystem import Tmpfs
from runsc_py.sentry.vfs.attaching import attach_tree
from runsc_py.sentry.vfs.mount_copies import copy_tree
from runsc_py.sentry.vfs.walk import walk

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from runsc_py.runsc.assembly import MountTree
    from runsc_py.sentry.vfs.path import Path


def protect(tree: MountTree, read_only: Iterable[str], masked: Iterable[str]) -> None:
    """What is not there needs no protection.  Raises ControlError."""
    for name in read_only:
        place = _find(tree, name)
        if place is not None:
            _make_read_only(tree, name, place)
    null: Path | None = None
    empty: Tmpfs | None = None
    for name in masked:
        place = _find(tree, name)
        if place is None or (empty is not None and place.mount.filesystem is empty):
            continue
        if place.inode.is_directory:
            empty = empty or Tmpfs(tree.walker.kernel, size=0, mode=WORLD_WRITABLE)
            tree.mounts.mount(empty, place, MS_RDONLY)
            continue
        null = null or _find(tree, "/dev/null")
        if null is None:
            raise ControlError(f"masking {name}: there is no /dev/null")
        if place.dentry is not null.dentry:
            tree.mounts.mount(null.mount.filesystem, place, MS_NOSUID | MS_NOEXEC, null.dentry)


def _make_read_only(tree: MountTree, name: str, place: Path) -> None:
    """A mount of the place on itself, with what is mounted below it; that stays as it is."""
    mounts = tree.mounts
    try:
        copy = copy_tree(mounts.numbers, place.mount, place.dentry)
        copy.flags |= MS_RDONLY
        attach_tree(mounts, copy, place)
    except KernelError as error:
        raise ControlError.of_kernel(f"making {name} read-only", error) from None


def _find(tree: MountTree, name: str) -> Path | None:
    try:
        return walk(tree.walker, os.fsencode(name))
    except (ENOENT, ENOTDIR):
        return None
    except KernelError as error:
        raise ControlError.of_kernel(name, error) from None
