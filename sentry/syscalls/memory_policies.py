"""get_mempolicy(2), set_mempolicy(2), mbind(2), migrate_pages(2), move_pages(2): numa(7).

As Linux with one node answers.  The policies are in `mm/policies.py`.
"""

import struct

from runsc_py.sentry.abi.memory import PAGE_MASK, page_up
from runsc_py.sentry.auth.capabilities import CAP_SYS_NICE
from runsc_py.sentry.errors import (
    EFAULT,
    EINVAL,
    ENODEV,
    ENOENT,
    EPERM,
    ESRCH,
)
from runsc_py.sentry.fs.proc.access import may_inspect
from runsc_py.sentry.kernel.task import Task
from runsc_py.sentry.mm.policies import (
    ALL_NODES,
    MPOL_LOCAL,
    Policy,
    RangePolicies,
    make_policy,
)
from runsc_py.sentry.syscalls.table import syscall
from runsc_py.sentry.syscalls.types import Address, Int, Pid, Size, UnsignedInt, UnsignedLong

_MPOL_F_NODE = 1
_MPOL_F_ADDR = 2
_MPOL_F_MEMS_ALLOWED = 4
_MPOL_MF_MOVE = 2
_MPOL_MF_MOVE_ALL = 4
_MPOL_MF_VALID = 7
_INTERLEAVING = (3, 6)

#: nodes that Linux could have
_MAXIMUM_NODES = 1024
_MAXIMUM_BITS = 4096 * 8
#: in Task.extras
_KEY = "memory_policy"


def _copy_in_nodes(task: Task, address: int, maximum: int) -> int:
    """A set of nodes.  Errors: EFAULT, EINVAL for more than there could be."""
    bits = maximum - 1
    if not address or bits <= 0:
        return 0
    if bits > _MAXIMUM_BITS:
        raise EINVAL
    raw = task.memory.copy_in(address, (bits + 63) // 64 * 8)
    nodes = int.from_bytes(raw, "little") & ((1 << bits) - 1)
    if nodes >> _MAXIMUM_NODES:
        raise EINVAL
    return nodes


def _copy_out_nodes(task: Task, address: int, maximum: int, nodes: int) -> None:
    size = (maximum - 1 + 63) // 64 * 8
    if size > _MAXIMUM_BITS // 8:
        raise EINVAL
    task.memory.copy_out(address, nodes.to_bytes(8, "little").ljust(size, b"\0")[:size])


@syscall(238, "set_mempolicy")
def set_mempolicy(task: Task, mode: Int, nodes: Address, maximum: UnsignedLong) -> int:
    """set_mempolicy(2)"""
    task.extras[_KEY] = make_policy(mode, _copy_in_nodes(task, nodes, maximum))
    return 0


def _is_mapped(task: Task, start: int, end: int) -> bool:
    """Whether there is no hole in a range."""
    for mapping in task.memory.mappings():
        if mapping.start <= start < mapping.end:
            start = mapping.end
    return start >= end


def _policy_of(task: Task, address: int, flags: int) -> Policy | None:
    """Errors: EFAULT for an address where nothing is mapped."""
    if not flags & _MPOL_F_ADDR:
        policy = task.extras.get(_KEY)
        assert policy is None or isinstance(policy, Policy)
        return policy
    if not _is_mapped(task, address, address + 1):
        raise EFAULT
    ranges = task.memory.policies
    return None if ranges is None else ranges.find(address)


@syscall(239, "get_mempolicy")
def get_mempolicy(
    task: Task,
    mode: Address,
    nodes: Address,
    maximum: UnsignedLong,
    address: Address,
    flags: UnsignedLong,
) -> int:
    """get_mempolicy(2)"""
    if nodes and maximum < ALL_NODES.bit_length():
        raise EINVAL
    if flags & ~(_MPOL_F_NODE | _MPOL_F_ADDR | _MPOL_F_MEMS_ALLOWED):
        raise EINVAL
    shown, found = 0, 0
    if flags & _MPOL_F_MEMS_ALLOWED:
        if flags != _MPOL_F_MEMS_ALLOWED:
            raise EINVAL
        found = ALL_NODES
    else:
        if address and not flags & _MPOL_F_ADDR:
            raise EINVAL
        policy = _policy_of(task, address, flags)
        if policy is not None:
            shown = policy.mode | policy.flags
            found = 0 if policy.mode == MPOL_LOCAL else policy.nodes
        if flags & _MPOL_F_NODE:  # of the page, or where the next one would come from: node 0
            if not flags & _MPOL_F_ADDR and (policy is None or policy.mode not in _INTERLEAVING):
                raise EINVAL
            shown = 0
    if mode:
        task.memory.copy_out(mode, shown.to_bytes(4, "little"))
    if nodes:
        _copy_out_nodes(task, nodes, maximum, found)
    return 0


@syscall(237, "mbind")
def mbind(
    task: Task,
    start: Address,
    length: Size,
    mode: Int,
    nodes: Address,
    maximum: UnsignedLong,
    flags: UnsignedInt,
) -> int:
    """mbind(2)"""
    wanted = _copy_in_nodes(task, nodes, maximum)
    if flags & ~_MPOL_MF_VALID:
        raise EINVAL
    if flags & _MPOL_MF_MOVE_ALL and not task.credentials.has_capability(CAP_SYS_NICE):
        raise EPERM
    end = start + page_up(length)
    if start & PAGE_MASK or end >> 64:
        raise EINVAL
    if end == start:
        return 0
    policy = make_policy(mode, wanted)
    if not _is_mapped(task, start, end):
        raise EFAULT
    memory = task.memory
    if memory.policies is None:
        memory.policies = RangePolicies()
    memory.policies.set(start, end, policy)
    return 0


def _target(task: Task, pid: int) -> Task:
    """Whose pages are meant.  Errors: ESRCH, EPERM."""
    if not pid:
        return task
    target = task.pid_namespace.tasks.get(pid)
    if target is None or not target.thread_group.tasks:
        raise ESRCH
    if not may_inspect(task, target, real_ids=True):
        raise EPERM
    return target


@syscall(256, "migrate_pages")
def migrate_pages(task: Task, pid: Pid, maximum: UnsignedLong, old: Address, new: Address) -> int:
    """migrate_pages(2): every page is on the one node already."""
    _copy_in_nodes(task, old, maximum)
    wanted = _copy_in_nodes(task, new, maximum)
    _target(task, pid)
    if wanted & ~ALL_NODES and not task.credentials.has_capability(CAP_SYS_NICE):
        raise EPERM
    if not wanted & ALL_NODES:
        raise EINVAL
    return 0


@syscall(279, "move_pages")
def move_pages(
    task: Task,
    pid: Pid,
    count: UnsignedLong,
    pages: Address,
    nodes: Address,
    status: Address,
    flags: Int,
) -> int:
    """move_pages(2): says which pages are there, on the one node."""
    if flags & ~(_MPOL_MF_MOVE | _MPOL_MF_MOVE_ALL):
        raise EINVAL
    if flags & _MPOL_MF_MOVE_ALL and not task.credentials.has_capability(CAP_SYS_NICE):
        raise EPERM
    target = _target(task, pid)
    memory = task.memory
    for number in range(count):
        (address,) = struct.unpack("<Q", memory.copy_in(pages + 8 * number, 8))
        if nodes:
            (node,) = struct.unpack("<i", memory.copy_in(nodes + 4 * number, 4))
            _check_node(node)
        memory.copy_out(status + 4 * number, struct.pack("<i", _page_status(target, address)))
    return 0


def _check_node(node: int) -> None:
    """Errors: ENODEV."""
    if not 0 <= node < _MAXIMUM_NODES or not 1 << node & ALL_NODES:
        raise ENODEV


def _page_status(target: Task, address: int) -> int:
    """The node of a page, or a negative errno."""
    if not _is_mapped(target, address, address + 1):
        return -EFAULT.number
    return 0 if target.memory.address_space.is_present(address) else -ENOENT.number
