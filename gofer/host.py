"""The host calls of the gofer that Python's os module lacks, with OSError for errors.

A thin layer over the compiled `_host` (native/host.h).  Names given here have been checked by
nodes.check_name: one component, no NUL.  Nothing here knows of nodes or messages.
"""

import os
from struct import Struct

from runsc_py.gofer._host import ffi, lib
from runsc_py.gofer.protocol import READDIR_PAGE

# One buffer of each kind serves every call: the gofer has one thread and copies out at once.
_attributes = ffi.new("struct host_attributes *")
_attribute_bytes = ffi.buffer(_attributes)
_statfs = ffi.new("struct host_statfs *")
_statfs_bytes = ffi.buffer(_statfs)
_entries = ffi.new(f"char[{READDIR_PAGE}]")
_entry_bytes = ffi.buffer(_entries)

_STATFS = Struct("=9Q")

_walk = lib.host_walk
_stat = lib.host_stat

#: the extended attribute of an empty file that stands for a device of the sandbox (native/host.h)
DEVICE_MARK = b"user.runsc.device"

#: a (seconds, nanoseconds) pair of set_times: the current time; leave alone (utimensat(2))
NOW = (0, (1 << 30) - 1)
OMIT = (0, (1 << 30) - 2)


def _check(result: int) -> int:
    if result < 0:
        raise OSError(-result, os.strerror(-result))
    return result


def select_openat2(wanted: bool) -> bool:
    """Use openat2(2) if wanted and possible; returns whether it is used from now on."""
    return bool(lib.host_select_openat2(wanted))


def tell_acls() -> None:
    """Let `walk` and `stat` look for access control lists from now on."""
    lib.host_tell_acls()


def walk(directory: int, name: bytes) -> tuple[int, bytes]:
    """A new O_PATH descriptor of `name` in `directory`, and its packed attributes."""
    fd = _walk(directory, name, _attributes)
    if fd < 0:
        raise OSError(-fd, os.strerror(-fd))
    return fd, _attribute_bytes[:]


def open_beneath(directory: int, name: bytes, flags: int, mode: int = 0) -> int:
    """openat(2) of one component, with O_NOFOLLOW and O_CLOEXEC."""
    return _check(lib.host_open_beneath(directory, name, flags, mode))


def stat(fd: int) -> bytes:
    """The packed attributes of any descriptor."""
    _check(_stat(fd, _attributes))
    return _attribute_bytes[:]


def statfs(fd: int) -> tuple[int, ...]:
    """fstatfs(2): type, bsize, blocks, bfree, bavail, files, ffree, namelen, frsize."""
    _check(lib.host_statfs(fd, _statfs))
    return _STATFS.unpack(_statfs_bytes[:])


def getdents(fd: int, size: int) -> bytes:
    """getdents64(2) of at most `size` bytes, up to READDIR_PAGE; empty at the end."""
    return _entry_bytes[: _check(lib.host_getdents(fd, _entries, min(size, READDIR_PAGE)))]


def chown(fd: int, uid: int, gid: int) -> None:
    """Change the owner of any descriptor, O_PATH and symbolic links too; NO_ID leaves one."""
    _check(lib.host_chown(fd, uid, gid))


def rename(old: int, old_name: bytes, new: int, new_name: bytes, flags: int) -> None:
    """renameat2(2)."""
    _check(lib.host_rename(old, old_name, new, new_name, flags))


def fallocate(fd: int, mode: int, offset: int, length: int) -> None:
    """fallocate(2)."""
    _check(lib.host_fallocate(fd, mode, offset, length))


def set_times(
    descriptors: int, name: bytes, access: tuple[int, int], modify: tuple[int, int]
) -> None:
    """utimensat(2) on descriptor number `name` of `descriptors`, an open /proc/self/fd."""
    _check(lib.host_set_times(descriptors, name, *access, *modify))


def become_service(parent: int) -> None:
    """Turn this forked child into a service; see native/host.h.  ESRCH: the parent is gone."""
    _check(lib.host_become_service(parent))
