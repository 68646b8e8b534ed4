"""Memory calls: checked here, then executed by the host in the guest's own address space.

There is no list of mappings in the sentry; the host splits, merges, grows and copies on write.
"""

from runsc_py.sentry.abi.memory import (
    MADV_DODUMP,
    MADV_DOFORK,
    MADV_DONTDUMP,
    MADV_DONTFORK,
    MADV_DONTNEED,
    MADV_FREE,
    MADV_GUARD_INSTALL,
    MADV_GUARD_REMOVE,
    MADV_HUGEPAGE,
    MADV_KEEPONFORK,
    MADV_NOHUGEPAGE,
    MADV_POPULATE_READ,
    MADV_POPULATE_WRITE,
    MADV_REMOVE,
    MADV_WIPEONFORK,
    MAP_32BIT,
    MAP_ANONYMOUS,
    MAP_DENYWRITE,
    MAP_EXECUTABLE,
    MAP_FIXED,
    MAP_FIXED_NOREPLACE,
    MAP_GROWSDOWN,
    MAP_HUGE_SHIFT,
    MAP_HUGETLB,
    MAP_LOCKED,
    MAP_NONBLOCK,
    MAP_NORESERVE,
    MAP_POPULATE,
    MAP_PRIVATE,
    MAP_SHARED,
    MAP_SHARED_VALIDATE,
    MAP_STACK,
    MAP_TYPE,
    MLOCK_ONFAULT,
    MREMAP_DONTUNMAP,
    MREMAP_FIXED,
    MREMAP_MAYMOVE,
    MS_ASYNC,
    MS_INVALIDATE,
    MS_SYNC,
    PAGE_MASK,
    PROT_EXEC,
    PROT_GROWSDOWN,
    PROT_GROWSUP,
    PROT_READ,
    PROT_WRITE,
    SYS_MADVISE,
    SYS_MINCORE,
    SYS_MLOCK,
    SYS_MLOCK2,
    SYS_MMAP,
    SYS_MPROTECT,
    SYS_MREMAP,
    SYS_MSYNC,
    SYS_MUNLOCK,
    SYS_MUNMAP,
    TASK_SIZE,
    page_up,
)
from runsc_py.sentry.abi.mount_flags import MS_NOEXEC
from runsc_py.sentry.errors import (
    EACCES,
    EFAULT,
    EINVAL,
    ENODEV,
    ENOMEM,
    EOPNOTSUPP,
    EOVERFLOW,
    EPERM,
)
from runsc_py.sentry.kernel.kernel import MAXIMUM_MAP_COUNT
from runsc_py.sentry.kernel.task import Task
from runsc_py.sentry.syscalls.table import Support, syscall
from runsc_py.sentry.syscalls.types import (
    Address,
    Advice,
    Fd,
    Hexadecimal,
    Int,
    LockAllFlags,
    LongProtection,
    MapFlags,
    Protection,
    RemapFlags,
    Size,
    SyncMapFlags,
)

#: flags that the host may see; what only names a hint or is deprecated is dropped
HOST_FLAGS = (
    MAP_SHARED
    | MAP_PRIVATE
    | MAP_FIXED
    | MAP_ANONYMOUS
    | MAP_32BIT
    | MAP_GROWSDOWN
    | MAP_LOCKED
    | MAP_NORESERVE
    | MAP_POPULATE
    | MAP_NONBLOCK
    | MAP_STACK
    | MAP_FIXED_NOREPLACE
)
#: flags that MAP_SHARED_VALIDATE lets through (mman.h's LEGACY_MAP_MASK); others must be supported
VALIDATED_FLAGS = (
    MAP_TYPE
    | MAP_FIXED
    | MAP_ANONYMOUS
    | MAP_DENYWRITE
    | MAP_EXECUTABLE
    | MAP_GROWSDOWN
    | MAP_HUGETLB
    | MAP_LOCKED
    | MAP_NONBLOCK
    | MAP_NORESERVE
    | MAP_POPULATE
    | MAP_STACK
    | MAP_32BIT
    | MAP_FIXED_NOREPLACE
    | 0x3F << MAP_HUGE_SHIFT
)
#: a length that is rounded up wraps around
_ADDRESSES = (1 << 64) - 1
PROTECTIONS = PROT_READ | PROT_WRITE | PROT_EXEC
#: advice that changes what a guest can observe, and that the host carries out as it is
EFFECTIVE_ADVICE = frozenset(
    (
        MADV_DONTNEED,
        MADV_FREE,
        MADV_REMOVE,
        MADV_DONTFORK,
        MADV_DOFORK,
        MADV_WIPEONFORK,
        MADV_KEEPONFORK,
        MADV_HUGEPAGE,
        MADV_NOHUGEPAGE,
        MADV_DONTDUMP,
        MADV_DODUMP,
        MADV_POPULATE_READ,
        MADV_POPULATE_WRITE,
        0,
        1,
        2,
        3,
        20,
        21,
        25,
        MADV_GUARD_INSTALL,
        MADV_GUARD_REMOVE,
    )
)


def check_range(task: Task, address: int, size: int, error: type[Exception]) -> None:
    """Refuse what lies below the lowest mappable address or wraps around."""
    end = address + size
    if address < task.kernel.platform.lowest_address or end > TASK_SIZE + PAGE_MASK:
        raise error


def check_map_count(task: Task, address: int = 0, size: int = 0) -> None:
    """Errors: ENOMEM for one more mapping than max_map_count, which a part of one would become.

    The host counts to the usual number; only a lower one is for us to hold.
    """
    maximum = task.kernel.max_map_count
    mappings = task.memory.mappings()
    count = len(mappings)
    if not size:
        if count > maximum:
            raise ENOMEM
    elif count >= maximum:
        for mapping in mappings:
            if any(mapping.start < cut < mapping.end for cut in (address, address + size)):
                raise ENOMEM


@syscall(9, "mmap")
def mmap(
    task: Task,
    address: Address,
    length: Size,
    protection: Protection,
    flags: MapFlags,
    fd: Fd,
    offset: Hexadecimal,
) -> int:
    """mmap(2)"""
    if offset & PAGE_MASK or not length:
        raise EINVAL
    size = page_up(length)
    if size > TASK_SIZE:
        raise ENOMEM
    kind = flags & MAP_TYPE
    if kind not in (MAP_SHARED, MAP_PRIVATE, MAP_SHARED_VALIDATE):
        raise EINVAL
    if flags & (MAP_FIXED | MAP_FIXED_NOREPLACE):
        if address & PAGE_MASK:
            raise EINVAL
        if address + size > TASK_SIZE:
            raise ENOMEM
        check_range(task, address, size, EPERM)
    else:
        address = _hint(task, address, size)
    host_flags = flags & HOST_FLAGS
    if kind == MAP_SHARED_VALIDATE:
        if flags & ~VALIDATED_FLAGS:
            raise EOPNOTSUPP
        host_flags = (host_flags & ~MAP_TYPE) | MAP_SHARED
    shared = kind != MAP_PRIVATE
    if flags & MAP_HUGETLB:
        raise ENOMEM  # as on a host without reserved huge pages
    descriptor = -1
    if not flags & MAP_ANONYMOUS:
        descriptor = _descriptor(task, fd, protection, shared)
        if offset + size >= 1 << 63:
            raise EOVERFLOW
    else:
        offset = 0
    if shared:
        task.memory.has_shared_mappings = True
    if task.memory.mdwe:
        from runsc_py.sentry.mm.write_execute import check_new_mapping

        check_new_mapping(protection)
    if task.kernel.max_map_count < MAXIMUM_MAP_COUNT:
        check_map_count(task)
    result = task.context.execute(
        SYS_MMAP, address, size, protection & PROTECTIONS, host_flags, descriptor, offset
    )
    if task.memory.policies is not None and result >= 0:
        task.memory.policies.set(result, result + size, None)
    return result


def _hint(task: Task, address: int, size: int) -> int:
    """An address that is only a wish; one that nobody may have is as good as none."""
    address &= ~PAGE_MASK
    if address < task.kernel.platform.lowest_address or address + size > TASK_SIZE:
        return 0
    return address


def _descriptor(task: Task, fd: int, protection: int, shared: bool) -> int:
    """The host object to map for a guest descriptor.  Errors: EBADF, EACCES, EPERM, ENODEV."""
    file = task.files.get_io(fd)
    if not file.readable:
        raise EACCES
    if shared and protection & PROT_WRITE and not file.writable:
        raise EACCES
    if protection & PROT_EXEC and file.path.mount.flags & MS_NOEXEC:
        raise EPERM
    descriptor = file.map_descriptor(task, protection, shared)
    if descriptor < 0:
        raise ENODEV
    task.memory.note_mapped_file(descriptor, file.path, file.writable)
    return descriptor


@syscall(10, "mprotect")
def mprotect(task: Task, address: Address, length: Size, protection: LongProtection) -> int:
    """mprotect(2)"""
    if address & PAGE_MASK:
        raise EINVAL
    if protection & ~(PROTECTIONS | PROT_GROWSDOWN | PROT_GROWSUP | 8):
        raise EINVAL
    if not length:
        return 0
    check_range(task, address, page_up(length), ENOMEM)
    if task.memory.mdwe:
        from runsc_py.sentry.mm.write_execute import check_new_protection

        check_new_protection(task.memory, address, page_up(length), protection)
    if task.kernel.max_map_count < MAXIMUM_MAP_COUNT:
        check_map_count(task, address, page_up(length))
    return task.context.execute(
        SYS_MPROTECT, address, length, protection & (PROTECTIONS | PROT_GROWSDOWN | PROT_GROWSUP)
    )


@syscall(11, "munmap")
def munmap(task: Task, address: Address, length: Size) -> int:
    """munmap(2)"""
    if address & PAGE_MASK or not length or address + length > TASK_SIZE:
        raise EINVAL
    check_range(task, address, page_up(length), EINVAL)
    if task.kernel.max_map_count < MAXIMUM_MAP_COUNT:
        check_map_count(task, address, page_up(length))
    result = task.context.execute(SYS_MUNMAP, address, length)
    if not result:
        _forget(task, address, address + page_up(length))
    return result


def _forget(task: Task, start: int, end: int) -> None:
    """What the sentry knows of a range that is mapped no longer, or mapped anew."""
    memory = task.memory
    if memory.attachments:
        memory.detach_segments(start, end)
    if memory.policies is not None:
        memory.policies.set(start, end, None)


@syscall(25, "mremap")
def mremap(
    task: Task,
    address: Address,
    old_size: Size,
    new_size: Size,
    flags: RemapFlags,
    new_address: Address,
) -> int:
    """mremap(2)"""
    if flags & ~(MREMAP_MAYMOVE | MREMAP_FIXED | MREMAP_DONTUNMAP) or address & PAGE_MASK:
        raise EINVAL
    if not new_size or old_size > TASK_SIZE or new_size > TASK_SIZE:
        raise EINVAL
    check_range(task, address, page_up(old_size), EFAULT)
    if flags & MREMAP_FIXED:
        if new_address & PAGE_MASK:
            raise EINVAL
        check_range(task, new_address, page_up(new_size), EINVAL)
    elif not flags & MREMAP_DONTUNMAP:
        new_address = 0
    return task.context.execute(SYS_MREMAP, address, old_size, new_size, flags, new_address)


@syscall(28, "madvise")
def madvise(task: Task, address: Address, length: Size, advice: Advice) -> int:
    """madvise(2)"""
    if address & PAGE_MASK or page_up(length) < length or page_up(length) >= 1 << 64:
        raise EINVAL
    if advice not in EFFECTIVE_ADVICE:
        raise EINVAL
    if not length:
        return 0
    check_range(task, address, page_up(length), ENOMEM)
    return task.context.execute(SYS_MADVISE, address, length, advice)


@syscall(12, "brk")
def brk(task: Task, address: Address) -> int:
    """brk(2): the system call returns the new break, or the old one when it cannot change."""
    memory = task.memory
    old = memory.brk_end
    if address < memory.brk_start or address > TASK_SIZE:
        return old
    mapped_end, wanted_end = page_up(old), page_up(address)
    if wanted_end > mapped_end:
        result = task.context.execute(
            SYS_MMAP,
            mapped_end,
            wanted_end - mapped_end,
            PROT_READ | PROT_WRITE,
            MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE,
            -1,
            0,
        )
        if result != mapped_end:
            return old
    elif wanted_end < mapped_end:
        size = mapped_end - wanted_end
        if task.context.execute(SYS_MUNMAP, wanted_end, size) < 0:
            return old
    memory.brk_end = address
    return address


@syscall(26, "msync")
def msync(task: Task, address: Address, length: Size, flags: SyncMapFlags) -> int:
    """msync(2)"""
    if flags & ~(MS_ASYNC | MS_INVALIDATE | MS_SYNC) or address & PAGE_MASK:
        raise EINVAL
    if flags & MS_ASYNC and flags & MS_SYNC:
        raise EINVAL
    if not page_up(length) & _ADDRESSES:
        return 0
    check_range(task, address, page_up(length), ENOMEM)
    return task.context.execute(SYS_MSYNC, address, length, flags)


@syscall(27, "mincore")
def mincore(task: Task, address: Address, length: Size, vector: Address) -> int:
    """mincore(2)"""
    if address & PAGE_MASK:
        raise EINVAL
    if not length:
        return 0
    check_range(task, address, page_up(length), ENOMEM)
    check_range(task, vector, page_up(length) >> 12, EFAULT)
    return task.context.execute(SYS_MINCORE, address, length, vector)


def _lock(task: Task, number: int, address: int, length: int, flags: int = 0) -> int:
    size = page_up(length + (address & PAGE_MASK))
    if not size & _ADDRESSES:
        return 0
    check_range(task, address & ~PAGE_MASK, size, ENOMEM)
    return task.context.execute(number, address, length, flags)


@syscall(149, "mlock")
def mlock(task: Task, address: Address, length: Size) -> int:
    """mlock(2)"""
    return _lock(task, SYS_MLOCK, address, length)


@syscall(150, "munlock")
def munlock(task: Task, address: Address, length: Size) -> int:
    """munlock(2)"""
    return _lock(task, SYS_MUNLOCK, address, length)


@syscall(325, "mlock2")
def mlock2(task: Task, address: Address, length: Size, flags: Int) -> int:
    """mlock2(2)"""
    if flags & ~MLOCK_ONFAULT:
        raise EINVAL
    return _lock(task, SYS_MLOCK2, address, length, flags)


@syscall(151, "mlockall", support=Support.PARTIAL, note="checked, but nothing is locked")
def mlockall(task: Task, flags: LockAllFlags) -> int:
    """mlockall(2)"""
    if not flags or flags & ~7 or flags == 4:
        raise EINVAL
    return 0


@syscall(152, "munlockall")
def munlockall(task: Task) -> int:
    """munlockall(2)"""
    return 0
