"""The host's calls about mounts and namespaces, which Python's os module lacks.

All raise OSError.  Numbers are x86-64's: glibc has names for the newer ones only since 2.36.
"""

from __future__ import annotations

import os
import struct

from runsc_py.runsc.confinement._walls import ffi, lib

_MOUNT, _UMOUNT2, _PIVOT_ROOT = 165, 166, 155
_UNSHARE, _SETNS, _FANOTIFY_INIT, _FANOTIFY_MARK = 272, 308, 300, 301
_OPEN_TREE, _MOVE_MOUNT, _FSOPEN, _FSCONFIG, _FSMOUNT = 428, 429, 430, 431, 432
_OPENAT2, _MOUNT_SETATTR = 437, 442

CLONE_NEWNS, CLONE_NEWUSER, CLONE_NEWNET = 0x20000, 0x10000000, 0x40000000

MOUNT_ATTR_RDONLY, MOUNT_ATTR_NOSUID, MOUNT_ATTR_NODEV, MOUNT_ATTR_NOEXEC = 1, 2, 4, 8

_AT_FDCWD, _AT_EMPTY_PATH, _AT_RECURSIVE = -100, 0x1000, 0x8000
_OPEN_TREE_CLONE = 1
_MOVE_MOUNT_BOTH_EMPTY = 0x44
_MS_REC, _MS_SLAVE, _MNT_DETACH = 0x4000, 0x80000, 2
_FSOPEN_CLOEXEC, _FSMOUNT_CLOEXEC, _SET_STRING, _CREATE = 1, 1, 1, 6
_RESOLVE_NO_MAGICLINKS, _RESOLVE_IN_ROOT = 2, 16
_FAN_CLOEXEC, _FAN_NONBLOCK = 1, 2
_FAN_MARK_ADD, _FAN_MARK_MOUNT = 1, 16
_FAN_OPEN, _FAN_ONDIR = 0x20, 0x40000000

_OPEN_HOW = struct.Struct("=3Q")
_MOUNT_ATTRIBUTES = struct.Struct("=4Q")


def call(number: int, *arguments: int | bytes | bytearray | None) -> int:
    """Any system call; pointers are buffers, bytes end with a NUL.  Raises OSError."""
    values = [
        argument
        if isinstance(argument, int)
        else 0
        if argument is None
        else int(ffi.cast("intptr_t", ffi.from_buffer(argument)))
        for argument in arguments
    ]
    result = lib.walls_call(number, *values, *(0,) * (5 - len(values)))
    if result < 0:
        raise OSError(-result, os.strerror(-result))
    return result


def unshare(flags: int) -> None:
    """unshare(2)."""
    call(_UNSHARE, flags)


def join_namespace(descriptor: int, kind: int) -> None:
    """setns(2)."""
    call(_SETNS, descriptor, kind)


def follow_mounts() -> None:
    """Mounts of the namespace we come from appear here, ours do not appear there."""
    call(_MOUNT, b"none", b"/", None, _MS_REC | _MS_SLAVE, None)


def open_tree(path: bytes, *, recursive: bool = True, directory: int = _AT_FDCWD) -> int:
    """A copy of the mount at a path, attached nowhere: nothing is above it.  Its descriptor."""
    flags = _OPEN_TREE_CLONE | os.O_CLOEXEC | (_AT_RECURSIVE if recursive else 0)
    return call(_OPEN_TREE, directory, path, flags | (0 if path else _AT_EMPTY_PATH))


def move_mount(tree: int, place: int) -> None:
    """Attach a tree at a place, both descriptors."""
    call(_MOVE_MOUNT, tree, b"", place, b"", _MOVE_MOUNT_BOTH_EMPTY)


def set_mount_attributes(tree: int, attributes: int, *, recursive: bool = False) -> None:
    """Add attributes (MOUNT_ATTR_…) to a mount."""
    values = _MOUNT_ATTRIBUTES.pack(attributes, 0, 0, 0)
    flags = _AT_EMPTY_PATH | (_AT_RECURSIVE if recursive else 0)
    call(_MOUNT_SETATTR, tree, b"", flags, values, len(values))


def new_mount(kind: bytes, options: dict[bytes, bytes], attributes: int) -> int:
    """A mount of a new file system, attached nowhere."""
    context = call(_FSOPEN, kind, _FSOPEN_CLOEXEC)
    try:
        for key, value in options.items():
            call(_FSCONFIG, context, _SET_STRING, key, value, 0)
        call(_FSCONFIG, context, _CREATE, None, None, 0)
        return call(_FSMOUNT, context, _FSMOUNT_CLOEXEC, attributes)
    finally:
        os.close(context)


def open_in_root(root: int, path: bytes) -> int:
    """A path as somebody sees it whose root directory is `root`; links do not lead out of it."""
    flags = os.O_PATH | os.O_CLOEXEC
    how = _OPEN_HOW.pack(flags, 0, _RESOLVE_IN_ROOT | _RESOLVE_NO_MAGICLINKS)
    return call(_OPENAT2, root, path, how, len(how))


def enter_root(root: int) -> None:
    """Make a mount the root directory of the namespace and of all its processes, and detach
    everything else."""
    os.fchdir(root)
    call(_PIVOT_ROOT, b".", b".")
    call(_UMOUNT2, b".", _MNT_DETACH)
    os.chdir("/")


def watch_mount(path: bytes) -> int:
    """A descriptor that becomes readable when somebody opens a file by way of this mount."""
    group = call(_FANOTIFY_INIT, _FAN_CLOEXEC | _FAN_NONBLOCK, os.O_RDONLY | os.O_CLOEXEC)
    try:
        call(
            _FANOTIFY_MARK, group, _FAN_MARK_ADD | _FAN_MARK_MOUNT,
            _FAN_OPEN | _FAN_ONDIR, _AT_FDCWD, path,
        )  # fmt: skip
    except OSError:
        os.close(group)
        raise
    return group
