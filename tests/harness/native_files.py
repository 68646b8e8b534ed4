"""The calls of `FileWorld` on the host, in a directory of its own, and as another user."""

import ctypes
import fcntl
import os
import struct
from collections.abc import Iterator
from contextlib import contextmanager

#: effective user, group, and supplementary groups
Identity = tuple[int, int, tuple[int, ...]]

ROOT: Identity = (0, 0, ())

_LIBC = ctypes.CDLL(None, use_errno=True)
_AT_FDCWD = -100
_FS_IOC_SETFLAGS = 0x40086602


@contextmanager
def acting_as(identity: Identity) -> Iterator[None]:
    """Have another effective identity in the block.  Only for the superuser."""
    uid, gid, groups = identity
    before = os.getgroups()
    os.setgroups(groups)
    os.setegid(gid)
    os.seteuid(uid)
    try:
        yield
    finally:
        os.seteuid(0)
        os.setegid(0)
        os.setgroups(before)


class NativeFiles:
    """Paths are relative to `root`."""

    def __init__(self, root: bytes) -> None:
        self.root = root

    def path(self, path: bytes) -> bytes:
        return self.root + b"/" + path

    def rename(self, old: bytes, new: bytes, flags: int) -> None:
        _check(_LIBC.renameat2(_AT_FDCWD, self.path(old), _AT_FDCWD, self.path(new), flags))

    def open(self, path: bytes, flags: int) -> int:
        return os.open(self.path(path), flags | os.O_NONBLOCK, 0o666)

    def write(self, path: bytes, data: bytes, flags: int, offset: int | None) -> int:
        descriptor = self.open(path, os.O_WRONLY | flags)
        try:
            if offset is None:
                return os.write(descriptor, data)
            return os.pwrite(descriptor, data, offset)
        finally:
            os.close(descriptor)

    def read(self, path: bytes, size: int, offset: int) -> bytes:
        descriptor = self.open(path, os.O_RDONLY)
        try:
            return os.pread(descriptor, size, offset)
        finally:
            os.close(descriptor)


def allocate(descriptor: int, mode: int, offset: int, size: int) -> None:
    """fallocate(2)."""
    _check(_LIBC.fallocate(descriptor, mode, ctypes.c_int64(offset), ctypes.c_int64(size)))


def set_flags(path: bytes, flags: int) -> None:
    """FS_IOC_SETFLAGS of a file or a directory."""
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    try:
        fcntl.ioctl(descriptor, _FS_IOC_SETFLAGS, struct.pack("i", flags))
    finally:
        os.close(descriptor)


def clear_flags(directory: bytes) -> None:
    """Let a directory and the files in it be removed."""
    set_flags(directory, 0)
    for entry in os.scandir(directory):
        if entry.is_file(follow_symlinks=False):
            set_flags(entry.path, 0)


def _check(result: int) -> None:
    if result < 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
