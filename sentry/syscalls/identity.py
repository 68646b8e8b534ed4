"""User and group ids, capabilities: credentials(7), capabilities(7).

Ids in the arguments and results are those of the caller's user namespace; credentials hold
global ones.  The rules are in `sentry/auth/set_ids.py`.
"""

import struct

from runsc_py.sentry.abi.process_limits import (
    CAP_USER_DATA,
    CAP_USER_HEADER,
    CAPABILITY_HALVES,
    LINUX_CAPABILITY_VERSION_3,
)
from runsc_py.sentry.auth import set_ids
from runsc_py.sentry.auth.capabilities import ALL_CAPABILITIES, CAP_SETPCAP, is_subset
from runsc_py.sentry.auth.credentials import Credentials
from runsc_py.sentry.auth.user_namespace import NO_ID, IdMap
from runsc_py.sentry.errors import EINVAL, EPERM, ESRCH
from runsc_py.sentry.kernel.task import Task
from runsc_py.sentry.syscalls.table import syscall
from runsc_py.sentry.syscalls.types import (
    Address,
    InCapabilityData,
    InCapabilityHeader,
    Int,
    OutCapabilityData,
    OutUnsigned,
    Uid,
)

#: NGROUPS_MAX
_MAXIMUM_GROUPS = 65536


def commit_credentials(task: Task, new: Credentials) -> None:
    """Make `new` the task's credentials.

    A process whose rights changed is no longer dumpable (prctl(2)), and its parent's death is
    no longer told to it.
    """
    old = task.credentials
    task.credentials = new
    if (old.euid, old.egid, old.fsuid, old.fsgid) != (new.euid, new.egid, new.fsuid, new.fsgid) or (
        not is_subset(new.permitted, old.permitted)
    ):
        task.memory.dumpable = 0
        task.parent_death_signal = 0


def _global(id_map: IdMap, identifier: int) -> int:
    """The global id for an argument.  Raises EINVAL."""
    found = id_map.to_global(identifier & NO_ID)
    if found is None:
        raise EINVAL
    return found


def _global_or_keep(id_map: IdMap, identifier: int) -> int | None:
    """The same where -1 means "leave it"."""
    return None if identifier & NO_ID == NO_ID else _global(id_map, identifier)


def _uid_map(task: Task) -> IdMap:
    return task.credentials.user_namespace.uid_map


def _gid_map(task: Task) -> IdMap:
    return task.credentials.user_namespace.gid_map


@syscall(102, "getuid")
def getuid(task: Task) -> int:
    """getuid(2)"""
    return _uid_map(task).map_to_namespace(task.credentials.uid)


@syscall(104, "getgid")
def getgid(task: Task) -> int:
    """getgid(2)"""
    return _gid_map(task).map_to_namespace(task.credentials.gid)


@syscall(107, "geteuid")
def geteuid(task: Task) -> int:
    """geteuid(2)"""
    return _uid_map(task).map_to_namespace(task.credentials.euid)


@syscall(108, "getegid")
def getegid(task: Task) -> int:
    """getegid(2)"""
    return _gid_map(task).map_to_namespace(task.credentials.egid)


@syscall(105, "setuid")
def setuid(task: Task, uid: Uid) -> int:
    """setuid(2)"""
    commit_credentials(task, set_ids.set_uid(task.credentials, _global(_uid_map(task), uid)))
    return 0


@syscall(106, "setgid")
def setgid(task: Task, gid: Uid) -> int:
    """setgid(2)"""
    commit_credentials(task, set_ids.set_gid(task.credentials, _global(_gid_map(task), gid)))
    return 0


@syscall(113, "setreuid")
def setreuid(task: Task, ruid: Uid, euid: Uid) -> int:
    """setreuid(2)"""
    ids = [_global_or_keep(_uid_map(task), identifier) for identifier in (ruid, euid)]
    commit_credentials(task, set_ids.set_reuid(task.credentials, *ids))
    return 0


@syscall(114, "setregid")
def setregid(task: Task, rgid: Uid, egid: Uid) -> int:
    """setregid(2)"""
    ids = [_global_or_keep(_gid_map(task), identifier) for identifier in (rgid, egid)]
    commit_credentials(task, set_ids.set_regid(task.credentials, *ids))
    return 0


@syscall(117, "setresuid")
def setresuid(task: Task, ruid: Uid, euid: Uid, suid: Uid) -> int:
    """setresuid(2)"""
    ids = [_global_or_keep(_uid_map(task), identifier) for identifier in (ruid, euid, suid)]
    commit_credentials(task, set_ids.set_resuid(task.credentials, *ids))
    return 0


@syscall(119, "setresgid")
def setresgid(task: Task, rgid: Uid, egid: Uid, sgid: Uid) -> int:
    """setresgid(2)"""
    ids = [_global_or_keep(_gid_map(task), identifier) for identifier in (rgid, egid, sgid)]
    commit_credentials(task, set_ids.set_resgid(task.credentials, *ids))
    return 0


def _copy_out_ids(
    task: Task, id_map: IdMap, pairs: tuple[tuple[int, int], tuple[int, int], tuple[int, int]]
) -> int:
    for address, identifier in pairs:
        value = id_map.map_to_namespace(identifier)
        task.memory.copy_out(address, value.to_bytes(4, "little"))
    return 0


@syscall(118, "getresuid")
def getresuid(task: Task, ruid: OutUnsigned, euid: OutUnsigned, suid: OutUnsigned) -> int:
    """getresuid(2)"""
    own = task.credentials
    pairs = ((ruid, own.uid), (euid, own.euid), (suid, own.suid))
    return _copy_out_ids(task, _uid_map(task), pairs)


@syscall(120, "getresgid")
def getresgid(task: Task, rgid: OutUnsigned, egid: OutUnsigned, sgid: OutUnsigned) -> int:
    """getresgid(2)"""
    own = task.credentials
    pairs = ((rgid, own.gid), (egid, own.egid), (sgid, own.sgid))
    return _copy_out_ids(task, _gid_map(task), pairs)


@syscall(122, "setfsuid")
def setfsuid(task: Task, fsuid: Uid) -> int:
    """setfsuid(2): returns the previous id, and never fails."""
    before = task.credentials
    wanted = _uid_map(task).to_global(fsuid & NO_ID)
    if wanted is not None:
        commit_credentials(task, set_ids.set_fsuid(before, wanted))
    return _uid_map(task).map_to_namespace(before.fsuid)


@syscall(123, "setfsgid")
def setfsgid(task: Task, fsgid: Uid) -> int:
    """setfsgid(2): returns the previous id, and never fails."""
    before = task.credentials
    wanted = _gid_map(task).to_global(fsgid & NO_ID)
    if wanted is not None:
        commit_credentials(task, set_ids.set_fsgid(before, wanted))
    return _gid_map(task).map_to_namespace(before.fsgid)


@syscall(115, "getgroups")
def getgroups(task: Task, size: Int, groups: Address) -> int:
    """getgroups(2)"""
    held = task.credentials.groups
    if size < 0:
        raise EINVAL
    if size:
        if len(held) > size:
            raise EINVAL
        id_map = _gid_map(task)
        shown = [id_map.map_to_namespace(gid) for gid in held]
        task.memory.copy_out(groups, struct.pack(f"<{len(shown)}I", *shown))
    return len(held)


@syscall(116, "setgroups")
def setgroups(task: Task, size: Int, groups: Address) -> int:
    """setgroups(2)"""
    set_ids.set_groups(task.credentials, [])  # the right to do it comes before the arguments
    if not 0 <= size <= _MAXIMUM_GROUPS:
        raise EINVAL
    wanted = struct.unpack(f"<{size}I", task.memory.copy_in(groups, 4 * size))
    id_map = _gid_map(task)
    found = [_global(id_map, gid) for gid in wanted]
    task.credentials = set_ids.set_groups(task.credentials, found)
    return 0


def _capability_halves(task: Task, header: int) -> tuple[int, int]:
    """(32-bit halves of the interface version, pid).

    Errors: EFAULT, EINVAL for an unknown version, with the known one left in the header.
    """
    version, pid = CAP_USER_HEADER.unpack(task.memory.copy_in(header, CAP_USER_HEADER.size))
    halves = CAPABILITY_HALVES.get(version)
    if halves is None:
        task.memory.copy_out(header, LINUX_CAPABILITY_VERSION_3.to_bytes(4, "little"))
        raise EINVAL
    return halves, pid


@syscall(125, "capget")
def capget(task: Task, header: InCapabilityHeader, data: OutCapabilityData) -> int:
    """capget(2)"""
    try:
        halves, pid = _capability_halves(task, header)
    except EINVAL:
        if data == 0:  # how a program asks for the version
            return 0
        raise
    if data == 0:
        return 0
    if pid < 0:
        raise EINVAL
    target = task if pid == 0 else task.pid_namespace.tasks.get(pid)
    if target is None:
        raise ESRCH
    own = target.credentials
    words = b"".join(
        CAP_USER_DATA.pack(
            *(
                value >> (32 * half) & 0xFFFFFFFF
                for value in (own.effective, own.permitted, own.inheritable)
            )
        )
        for half in range(halves)
    )
    task.memory.copy_out(data, words)
    return 0


def _check_capability_change(
    old: Credentials, effective: int, permitted: int, inheritable: int
) -> None:
    """The rules of capabilities(7), "Programmatically adjusting capability sets".  EPERM."""
    may_add_inheritable = old.has_capability(CAP_SETPCAP, old.user_namespace)
    if (
        (not may_add_inheritable and not is_subset(inheritable, old.inheritable | old.permitted))
        or not is_subset(inheritable, old.inheritable | old.bounding)
        or not is_subset(permitted, old.permitted)
        or not is_subset(effective, permitted)
    ):
        raise EPERM


@syscall(126, "capset")
def capset(task: Task, header: InCapabilityHeader, data: InCapabilityData) -> int:
    """capset(2)"""
    halves, pid = _capability_halves(task, header)
    if pid not in (0, task.identifier_in(task.pid_namespace)):
        raise EPERM
    effective = permitted = inheritable = 0
    words = task.memory.copy_in(data, CAP_USER_DATA.size * halves)
    for half in range(halves):
        values = CAP_USER_DATA.unpack_from(words, CAP_USER_DATA.size * half)
        effective |= values[0] << (32 * half)
        permitted |= values[1] << (32 * half)
        inheritable |= values[2] << (32 * half)
    effective &= ALL_CAPABILITIES
    permitted &= ALL_CAPABILITIES
    inheritable &= ALL_CAPABILITIES
    old = task.credentials
    _check_capability_change(old, effective, permitted, inheritable)
    new = old.replace(
        effective=effective,
        permitted=permitted,
        inheritable=inheritable,
        ambient=old.ambient & permitted & inheritable,
    )
    commit_credentials(task, new)
    return 0
