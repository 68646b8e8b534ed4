"""shmget(2), shmat(2), shmdt(2), shmctl(2)."""

from runsc_py.sentry.abi.ipc import (
    IPC_INFO,
    IPC_PERM,
    IPC_RMID,
    IPC_SET,
    IPC_STAT,
    SHM_EXEC,
    SHM_HUGETLB,
    SHM_INFO,
    SHM_INFO_STRUCTURE,
    SHM_LOCK,
    SHM_RDONLY,
    SHM_REMAP,
    SHM_RND,
    SHM_STAT,
    SHM_STAT_ANY,
    SHM_UNLOCK,
    SHMID_DS,
    SHMINFO,
    SHMLBA,
)
from runsc_py.sentry.abi.memory import (
    MAP_FIXED,
    MAP_FIXED_NOREPLACE,
    MAP_SHARED,
    PROT_EXEC,
    PROT_READ,
    PROT_WRITE,
    SYS_MMAP,
    SYS_MUNMAP,
    page_up,
)
from runsc_py.sentry.auth.capabilities import CAP_IPC_LOCK
from runsc_py.sentry.errors import EEXIST, EIDRM, EINVAL, ENOMEM, EPERM
from runsc_py.sentry.ipc.registry import READ, WRITE, LastUser
from runsc_py.sentry.ipc.settings import ipc_settings
from runsc_py.sentry.ipc.shared_memory import Segment, check_size, segments
from runsc_py.sentry.kernel.limits import RLIMIT_MEMLOCK
from runsc_py.sentry.kernel.task import Task
from runsc_py.sentry.syscalls.memory import check_range
from runsc_py.sentry.syscalls.table import Support, syscall
from runsc_py.sentry.syscalls.types import Address, Int, Size


@syscall(29, "shmget", support=Support.PARTIAL, note="no huge pages")
def shmget(task: Task, key: Int, size: Size, flags: Int) -> int:
    """shmget(2)"""
    registry = segments(task.namespaces.ipc)

    def make() -> Segment:
        check_size(task.namespaces.ipc, size)
        if flags & SHM_HUGETLB:
            raise ENOMEM
        registry.check_space()
        return Segment(task, key, flags, size, registry)

    def check(existing: Segment) -> None:
        if size > existing.size:
            raise EINVAL

    return registry.find_or_make(task, key, flags, make, check)


@syscall(30, "shmat")
def shmat(task: Task, identifier: Int, address: Address, flags: Int) -> int:
    """shmat(2)"""
    segment = segments(task.namespaces.ipc).get(identifier)
    protection, access = PROT_READ, READ
    if not flags & SHM_RDONLY:
        protection |= PROT_WRITE
        access |= WRITE
    if flags & SHM_EXEC:
        protection |= PROT_EXEC
    segment.check(task, access)
    if segment.removed and not segment.attached:
        raise EIDRM
    size = page_up(segment.size)
    host_flags = MAP_SHARED
    if address:
        if address % SHMLBA:
            if not flags & SHM_RND:
                raise EINVAL
            address -= address % SHMLBA
        check_range(task, address, size, EINVAL)
        host_flags |= MAP_FIXED if flags & SHM_REMAP else MAP_FIXED_NOREPLACE
    elif flags & SHM_REMAP:
        raise EINVAL
    if task.memory.mdwe:
        from runsc_py.sentry.mm.write_execute import check_new_mapping

        check_new_mapping(protection)
    result = task.context.execute(
        SYS_MMAP, address, size, protection, host_flags, segment.descriptor, 0
    )
    if -4096 < result < 0:
        raise EINVAL if result == -EEXIST.number else ENOMEM
    memory = task.memory
    memory.has_shared_mappings = True
    memory.detach_segments(result, result + size)
    segment.attach(task)
    memory.attachments[result] = segment
    return result


@syscall(67, "shmdt")
def shmdt(task: Task, address: Address) -> int:
    """shmdt(2)"""
    segment = task.memory.attachments.pop(address, None)
    if not isinstance(segment, Segment):
        raise EINVAL
    task.context.execute(SYS_MUNMAP, address, page_up(segment.size))
    segment.last_user = LastUser(task)
    segment.detach_time = task.kernel.clock.realtime() // 1_000_000_000
    segment.detach()
    return 0


@syscall(31, "shmctl", support=Support.PARTIAL, note="SHM_LOCK is only shown")
def shmctl(task: Task, identifier: Int, command: Int, address: Address) -> int:
    """shmctl(2)"""
    registry = segments(task.namespaces.ipc)
    memory = task.memory
    if command == IPC_INFO:
        settings, most = ipc_settings(task.namespaces.ipc), registry.limit
        memory.copy_out(address, SHMINFO.pack(settings.shmmax, 1, most, most, settings.shmall))
        return registry.highest_slot()
    if command == SHM_INFO:
        pages = registry.used
        memory.copy_out(
            address, SHM_INFO_STRUCTURE.pack(len(registry.slots), pages, pages, 0, 0, 0)
        )
        return registry.highest_slot()
    if command in (SHM_STAT, SHM_STAT_ANY):
        segment = registry.at_slot(identifier)
        if command == SHM_STAT:
            segment.check(task, READ)
        memory.copy_out(address, segment.status(task))
        return segment.identifier
    raw = memory.copy_in(address, SHMID_DS.size) if command == IPC_SET else b""
    segment = registry.get(identifier)
    if command == IPC_STAT:
        segment.check(task, READ)
        memory.copy_out(address, segment.status(task))
    elif command == IPC_SET:
        segment.check_owner(task)
        segment.set_permissions(task, raw[: IPC_PERM.size])
    elif command == IPC_RMID:
        segment.check_owner(task)
        segment.remove()
    elif command in (SHM_LOCK, SHM_UNLOCK):
        if not task.credentials.has_capability(CAP_IPC_LOCK):
            segment.check_owner(task)
            if command == SHM_LOCK and not task.thread_group.limits.soft(RLIMIT_MEMLOCK):
                raise EPERM
        segment.locked = command == SHM_LOCK
    else:
        raise EINVAL
    return 0
