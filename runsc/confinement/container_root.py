"""A mount namespace of the host in which a process of ours has the container's files for its own.

Engines find a container's files by its process: `podman cp` joins the process's mount namespace,
others walk through /proc/PID/root.  There they see what runc would show them of the host's files:
the root directory with the volumes.  What only the sentry has (/proc, /sys, /dev, tmpfs) is an
empty directory that cannot be written to: a copy into it fails and is not lost.

For the process itself it is a wall: no path leads to any other file of the host.
"""

from __future__ import annotations

import os

from runsc_py.runsc.confinement import host_calls
from runsc_py.runsc.loader.gofer_mounts import plan_gofer_mounts
from runsc_py.runsc.loader.mount_options import parse_mount_options

TYPE_CHECKING = False
if TYPE_CHECKING:
    from runsc_py.gofer.process import MountSpec
    from runsc_py.runsc.config import Config
    from runsc_py.runsc.oci.spec import Spec

#: the kernel's own, whatever the specification says
_OF_THE_SENTRY = ("/proc", "/sys", "/dev")
#: MOUNT_ATTR_RDONLY, _NOSUID, _NODEV and _NOEXEC are the bits of mount(2) of these names
_ATTRIBUTES = 0xF


def leave_host_mounts() -> None:
    """Have a mount namespace of our own, which follows the host's.  Raises OSError."""
    host_calls.unshare(host_calls.CLONE_NEWNS)
    host_calls.follow_mounts()


def enter_container_root(spec: Spec, config: Config) -> int:
    """Make the container's files all that there is in our mount namespace.  Raises OSError.

    Returns a descriptor that becomes readable when somebody opens a file of the root directory
    there, -1 where the host does not tell that.
    """
    mounts, layers = plan_gofer_mounts(spec, config)
    served = iter([one for one in mounts if not one.is_store])
    source = next(served)
    root = _attach_root(source)
    try:
        binds = [next(served) if one.uses_gofer else None for one in layers[1:]]
        _attach_mounts(spec, root, binds, may_make=not source.read_only)
        host_calls.enter_root(root)
        try:
            return host_calls.watch_mount(b"/")
        except OSError:
            return -1
    finally:
        os.close(root)


def _attach_root(source: MountSpec) -> int:
    path = os.fsencode(source.source)
    root = host_calls.open_tree(path)
    try:
        if source.read_only:
            host_calls.set_mount_attributes(root, host_calls.MOUNT_ATTR_RDONLY, recursive=True)
        place = os.open(path, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            host_calls.move_mount(root, place)
        finally:
            os.close(place)
    except BaseException:
        os.close(root)
        raise
    return root


def _attach_mounts(
    spec: Spec, root: int, sources: list[MountSpec | None], *, may_make: bool
) -> None:
    """`sources`: of the bind mounts; None for what only the sentry has."""
    read_only = host_calls.MOUNT_ATTR_RDONLY
    nothing = host_calls.new_mount(b"tmpfs", {b"mode": b"755"}, read_only)
    try:
        wanted = {os.path.normpath(mount.destination) for mount in spec.mounts}
        for destination in _OF_THE_SENTRY:
            if destination not in wanted:
                _attach(_copy(nothing), root, destination, may_make)
        binds = iter(sources)
        for mount in spec.mounts:
            source = next(binds) if mount.is_bind else None
            if source is None:
                _attach(_copy(nothing), root, mount.destination, may_make)
                continue
            try:
                tree = host_calls.open_tree(os.fsencode(source.source))
            except FileNotFoundError:
                continue  # which the sentry will report
            attributes = parse_mount_options(mount.options)[0] & _ATTRIBUTES
            if source.read_only:
                attributes |= read_only
            if attributes:
                host_calls.set_mount_attributes(tree, attributes, recursive=True)
            _attach(tree, root, mount.destination, may_make)
    finally:
        os.close(nothing)


def _copy(tree: int) -> int:
    return host_calls.open_tree(b"", directory=tree, recursive=False)


def _attach(tree: int, root: int, destination: str, may_make: bool) -> None:
    """Attach a tree, and close it.  Where there is no place for it, it is not seen."""
    try:
        is_directory = os.stat(tree).st_mode & 0o170000 == 0o040000
        try:
            place = _find(root, os.fsencode(destination), is_directory, may_make)
        except OSError:
            return
        try:
            host_calls.move_mount(tree, place)
        except NotADirectoryError:
            return
        finally:
            os.close(place)
    finally:
        os.close(tree)


def _find(root: int, path: bytes, is_directory: bool, may_make: bool) -> int:
    """A mount point, made where there is none, as the sentry will make it."""
    try:
        return host_calls.open_in_root(root, path)
    except FileNotFoundError:
        if not may_make or path in (b"", b"/"):
            raise
    above, name = os.path.split(os.path.normpath(path))
    directory = _find(root, above, True, may_make)
    try:
        if is_directory:
            os.mkdir(name, 0o755, dir_fd=directory)
        else:
            flags = os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_CLOEXEC
            os.close(os.open(name, flags, 0o644, dir_fd=directory))
        return host_calls.open_in_root(root, path)
    finally:
        os.close(directory)
