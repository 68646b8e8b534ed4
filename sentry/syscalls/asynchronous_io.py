"""io_setup(2), io_submit(2), io_getevents(2) and their relatives.  Contexts: `mm/aio.py`.

A context's identifier is the address of a page in the guest, which libaio looks into for Linux's
ring of events; it finds no ring there and makes the system call.
"""

from runsc_py.sentry.abi.aio import (
    IO_EVENT,
    IOCB,
    IOCB_CMD_FDSYNC,
    IOCB_CMD_FSYNC,
    IOCB_CMD_POLL,
    IOCB_CMD_PREAD,
    IOCB_CMD_PREADV,
    IOCB_CMD_PWRITE,
    IOCB_CMD_PWRITEV,
    IOCB_FLAG_RESFD,
)
from runsc_py.sentry.abi.files import RWF_NOWAIT
from runsc_py.sentry.abi.memory import (
    MAP_ANONYMOUS,
    MAP_PRIVATE,
    PROT_READ,
    PROT_WRITE,
    SYS_MMAP,
    SYS_MUNMAP,
)
from runsc_py.sentry.errors import (
    EAGAIN,
    EBADF,
    EFAULT,
    EINPROGRESS,
    EINVAL,
    EOPNOTSUPP,
    KernelError,
)
from runsc_py.sentry.fs.eventfd import EventFile
from runsc_py.sentry.kernel.task import Task
from runsc_py.sentry.kernel.waiting import ANY_EVENT, Interrupted, wait
from runsc_py.sentry.mm.aio import AioContext, AioPoll
from runsc_py.sentry.syscalls.polling import use_signal_mask
from runsc_py.sentry.syscalls.table import Restart, syscall
from runsc_py.sentry.syscalls.time_arguments import copy_in_timeout
from runsc_py.sentry.syscalls.transfer import (
    Segment,
    check_flags,
    copy_in_segments,
    read_segments,
    read_segments_at,
)
from runsc_py.sentry.syscalls.types import Address, InTimespec, Long, UnsignedInt, UnsignedLong
from runsc_py.sentry.syscalls.writing import write_with_flags
from runsc_py.sentry.vfs.open_file import OpenFile

#: /proc/sys/fs/aio-max-nr
MAXIMUM_OPERATIONS = 65536
#: what io_setup(2) calls too many in any case
_MOST_EVENTS = 0x10000000 // IO_EVENT.size
_PAGE_SIZE = 4096
_READS = (IOCB_CMD_PREAD, IOCB_CMD_PREADV)
_WRITES = (IOCB_CMD_PWRITE, IOCB_CMD_PWRITEV)


def _find(task: Task, identifier: int) -> AioContext:
    """Errors: EINVAL."""
    context = task.memory.aio_contexts.get(identifier)
    if context is None:
        raise EINVAL
    return context


@syscall(206, "io_setup")
def io_setup(task: Task, count: UnsignedInt, address: Address) -> int:
    """io_setup(2)"""
    memory = task.memory
    if any(memory.copy_in(address, 8)) or not 0 < count <= _MOST_EVENTS:
        raise EINVAL
    used = sum(context.limit for context in memory.aio_contexts.values())
    if used + count > MAXIMUM_OPERATIONS:
        raise EAGAIN
    flags = MAP_PRIVATE | MAP_ANONYMOUS
    page = task.context.execute(SYS_MMAP, 0, _PAGE_SIZE, PROT_READ | PROT_WRITE, flags, -1, 0)
    if page < 0:
        return page
    try:
        memory.copy_out(address, page.to_bytes(8, "little"))
    except EFAULT:
        task.context.execute(SYS_MUNMAP, page, _PAGE_SIZE)
        raise
    memory.aio_contexts[page] = AioContext(count)
    return 0


@syscall(207, "io_destroy")
def io_destroy(task: Task, identifier: UnsignedLong) -> int:
    """io_destroy(2)"""
    context = _find(task, identifier)
    del task.memory.aio_contexts[identifier]
    context.release()
    task.context.execute(SYS_MUNMAP, identifier, _PAGE_SIZE)
    return 0


# -- submitting ------------------------------------------------------------------------------


@syscall(209, "io_submit")
async def io_submit(task: Task, identifier: UnsignedLong, count: Long, array: Address) -> int:
    """io_submit(2): how many were taken; an error only when the first one is bad."""
    context = _find(task, identifier)
    if count < 0:
        raise EINVAL
    for done in range(min(count, context.limit)):
        try:
            address = int.from_bytes(task.memory.copy_in(array + 8 * done, 8), "little")
            await _submit(task, context, address)
        except KernelError:
            if not done:
                raise
            return done
    return min(count, context.limit)


async def _submit(task: Task, context: AioContext, address: int) -> None:
    """Take one operation.  Errors: EFAULT, EINVAL, EAGAIN, EBADF, EOPNOTSUPP."""
    request = IOCB.as_dict(task.memory.copy_in(address, IOCB.size))
    if request["aio_reserved2"] or request["aio_nbytes"] >> 63:
        raise EINVAL
    if context.is_full:
        raise EAGAIN
    file = task.files.get_io(request["aio_fildes"])
    told: OpenFile | None = None
    if request["aio_flags"] & IOCB_FLAG_RESFD:
        told = task.files.get_io(request["aio_resfd"])
        if not isinstance(told, EventFile):
            raise EINVAL
    task.memory.copy_out(address + 8, bytes(4))  # aio_key
    identity = (request["aio_data"], address)
    if request["aio_lio_opcode"] == IOCB_CMD_POLL:
        _start_poll(context, file, request, identity, told)
        return
    operation = _checked_operation(task, file, request)
    file.acquire()
    try:
        result = await _perform(task, file, request, operation)
    finally:
        file.drop()
    context.complete((*identity, result), told)


def _start_poll(
    context: AioContext,
    file: OpenFile,
    request: dict[str, int],
    identity: tuple[int, int],
    told: OpenFile | None,
) -> None:
    """IOCB_CMD_POLL.  Errors: EINVAL."""
    if request["aio_buf"] >> 16 or request["aio_offset"] or request["aio_nbytes"]:
        raise EINVAL
    AioPoll(context, file, request["aio_buf"], identity, told).start()


def _checked_operation(task: Task, file: OpenFile, request: dict[str, int]) -> list[Segment]:
    """Where the data is; what is wrong with a request is said at once.  Errors: EBADF, EINVAL."""
    kind = request["aio_lio_opcode"]
    if kind in _READS:
        if not file.readable:
            raise EBADF
    elif kind in _WRITES:
        if not file.writable:
            raise EBADF
    elif kind in (IOCB_CMD_FSYNC, IOCB_CMD_FDSYNC):
        if request["aio_buf"] or request["aio_offset"] or request["aio_nbytes"]:
            raise EINVAL
        return []
    else:
        raise EINVAL
    check_flags(request["aio_rw_flags"])
    if kind in _READS and request["aio_rw_flags"] & RWF_NOWAIT:
        raise EOPNOTSUPP
    if kind in (IOCB_CMD_PREADV, IOCB_CMD_PWRITEV):
        return copy_in_segments(task, request["aio_buf"], request["aio_nbytes"])
    return [(request["aio_buf"], request["aio_nbytes"])]


async def _perform(
    task: Task, file: OpenFile, request: dict[str, int], segments: list[Segment]
) -> int:
    """Do it; the result is what the event says, errors included."""
    kind = request["aio_lio_opcode"]
    offset = request["aio_offset"]
    try:
        if kind in (IOCB_CMD_FSYNC, IOCB_CMD_FDSYNC):
            file.sync(kind == IOCB_CMD_FDSYNC)
            return 0
        if file.seekable and offset < 0:
            raise EINVAL
        if kind in _READS:
            if file.seekable:
                return await read_segments_at(task, file, segments, offset)
            return await read_segments(task, file, segments)
        flags = request["aio_rw_flags"]
        return await write_with_flags(task, file, segments, offset if file.seekable else -1, flags)
    except KernelError as error:
        return -error.number
    except OSError as error:
        if error.errno is None:
            raise
        return -error.errno


@syscall(210, "io_cancel")
def io_cancel(task: Task, identifier: UnsignedLong, address: Address, result: Address) -> int:
    """io_cancel(2): only polls are ever on their way; they end with EINPROGRESS and an event."""
    key = int.from_bytes(task.memory.copy_in(address + 8, 4), "little")
    context = _find(task, identifier)
    poll = context.polls.get(address)
    if key or poll is None:
        raise EINVAL
    told, data = poll.told, poll.data
    context.complete((data, address, 0), told)
    poll.end()
    raise EINPROGRESS


# -- fetching --------------------------------------------------------------------------------


@syscall(208, "io_getevents", restart=Restart.NEVER)
async def io_getevents(
    task: Task,
    identifier: UnsignedLong,
    minimum: Long,
    maximum: Long,
    events: Address,
    timeout: InTimespec,
) -> int:
    """io_getevents(2)"""
    deadline = copy_in_timeout(task, timeout)
    return await _fetch(task, identifier, minimum, maximum, events, deadline)


@syscall(333, "io_pgetevents", restart=Restart.NEVER)
async def io_pgetevents(
    task: Task,
    identifier: UnsignedLong,
    minimum: Long,
    maximum: Long,
    events: Address,
    timeout: InTimespec,
    mask: Address,
) -> int:
    """io_pgetevents(2): `mask` points to the address and the size of a signal set."""
    deadline = copy_in_timeout(task, timeout)
    if mask:
        data = task.memory.copy_in(mask, 16)
        address, size = (int.from_bytes(data[at : at + 8], "little") for at in (0, 8))
        use_signal_mask(task, address, size)
    count = await _fetch(task, identifier, minimum, maximum, events, deadline)
    task.restore_signal_mask()
    return count


async def _fetch(
    task: Task, identifier: int, minimum: int, maximum: int, address: int, deadline: int | None
) -> int:
    """Wait for `minimum` events, write up to `maximum` to the guest.  Errors: EINVAL, EFAULT."""
    context = _find(task, identifier)
    if not 0 <= minimum <= maximum:
        raise EINVAL
    done = 0
    while True:
        taken = context.events[: maximum - done]
        packed = b"".join(IO_EVENT.pack(*event, 0) for event in taken)
        try:
            task.memory.copy_out(address + done * IO_EVENT.size, packed)
        except EFAULT:
            if not done:
                raise
            return done
        del context.events[: len(taken)]
        done += len(taken)
        if done >= minimum or task.memory.aio_contexts.get(identifier) is not context:
            return done
        try:
            if not await wait(task, ((context.wait_queue, ANY_EVENT),), deadline):
                minimum = 0
        except Interrupted:
            if done:
                return done
            raise
