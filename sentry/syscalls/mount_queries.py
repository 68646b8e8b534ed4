"""statmount(2), listmount(2).  What they tell: `vfs/mount_information.py`."""

import struct

from runsc_py.sentry.abi.mounts import (
    LISTMOUNT_REVERSE,
    LSMT_ROOT,
    MNT_ID_REQ,
    MNT_ID_REQ_SIZE_VER0,
)
from runsc_py.sentry.auth.capabilities import CAP_SYS_ADMIN
from runsc_py.sentry.errors import E2BIG, EFAULT, EINVAL, ENOENT, EOVERFLOW
from runsc_py.sentry.kernel.task import Task
from runsc_py.sentry.syscalls.table import syscall
from runsc_py.sentry.syscalls.types import Address, Size, UnsignedInt
from runsc_py.sentry.vfs.mount import UNIQUE_IDENTIFIERS, MountNamespace
from runsc_py.sentry.vfs.mount_information import MountStatus, find_mount, mounts_below

_PAGE_SIZE = 4096
_MAXIMUM_COUNT = 1_000_000
_INTEGER = struct.Struct("<I")
#: user addresses end here: access_ok()
_ADDRESS_LIMIT = 1 << 47


@syscall(457, "statmount")
def statmount(task: Task, request: Address, buffer: Address, size: Size, flags: UnsignedInt) -> int:
    """statmount(2)"""
    if flags:
        raise EINVAL
    identifier, mask, namespace = _request(task, request)
    if buffer + size > _ADDRESS_LIMIT:
        raise EFAULT
    head, strings = MountStatus(task, find_mount(task, namespace, identifier), mask).pack()
    if strings and size < len(head) + len(strings):
        raise EOVERFLOW
    head = _INTEGER.pack(min(size, len(head)) + len(strings)) + head[_INTEGER.size :]
    task.memory.copy_out(buffer, head[:size] + strings)
    return 0


@syscall(458, "listmount")
def listmount(
    task: Task, request: Address, identifiers: Address, count: Size, flags: UnsignedInt
) -> int:
    """listmount(2)"""
    if flags & ~LISTMOUNT_REVERSE:
        raise EINVAL
    if count > _MAXIMUM_COUNT:
        raise EOVERFLOW
    identifier, after, namespace = _request(task, request)
    if after and after <= UNIQUE_IDENTIFIERS:
        raise EINVAL
    mounts = mounts_below(task, namespace, None if identifier == LSMT_ROOT else identifier)
    found = [mount.unique_identifier for mount in mounts]
    if flags & LISTMOUNT_REVERSE:
        found = [number for number in reversed(found) if not after or number < after]
    else:
        found = [number for number in found if number > after]
    del found[count:]
    task.memory.copy_out(identifiers, struct.pack(f"<{len(found)}Q", *found))
    return len(found)


def _request(task: Task, address: int) -> tuple[int, int, MountNamespace]:
    """(mount id, parameter, namespace).  Errors: EFAULT, E2BIG, EINVAL, ENOENT."""
    (size,) = _INTEGER.unpack(task.memory.copy_in(address, _INTEGER.size))
    if size > _PAGE_SIZE:
        raise E2BIG
    if size < MNT_ID_REQ_SIZE_VER0:
        raise EINVAL
    data = task.memory.copy_in_extensible(address, size, MNT_ID_REQ.size)
    _, spare, identifier, parameter, namespace = MNT_ID_REQ.unpack(data)
    if spare or identifier <= UNIQUE_IDENTIFIERS:
        raise EINVAL
    return identifier, parameter, _namespace(task, namespace)


def _namespace(task: Task, identifier: int) -> MountNamespace:
    """The mount namespace with an id, 0 for the caller's own.  Errors: ENOENT."""
    own = task.namespaces.mount
    if identifier in (0, own.inode_number):
        return own
    for other in task.kernel.root_pid_namespace.tasks.values():
        namespace = other.namespaces.mount
        if namespace.inode_number == identifier:
            if not task.credentials.has_capability(CAP_SYS_ADMIN, namespace.user_namespace):
                raise ENOENT
            return namespace
    raise ENOENT
