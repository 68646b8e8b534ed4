"""System calls of tasks that somebody watches: --strace, guests' seccomp filters and ptrace.

The run loop serves an unwatched call without a detour; `Task.watched` is the only thing it asks.
"""

import struct

from runsc_py.sentry.abi.ptrace import (
    PTRACE_EVENT_EXIT,
    PTRACE_EVENT_SECCOMP,
    PTRACE_O_SUSPEND_SECCOMP,
)
from runsc_py.sentry.abi.seccomp import SECCOMP_RET_DATA
from runsc_py.sentry.errors import ENOSYS, KernelError
from runsc_py.sentry.kernel.seccomp import (
    ask_supervisor,
    call_data,
    enforce,
    is_for_supervisor,
    is_for_tracer,
    verdict,
)
from runsc_py.sentry.kernel.tracing import (
    EMULATING,
    SYSCALL_ENTRY_STOP,
    SYSCALL_EXIT_STOP,
    event_stop,
    report_events,
    syscall_stop,
)
from runsc_py.sentry.kernel.waiting import Interrupted, MustWait

TYPE_CHECKING = False
if TYPE_CHECKING:
    from runsc_py.sentry.kernel.task import Task
    from runsc_py.sentry.kernel.tracing import Tracing
    from runsc_py.sentry.syscalls.table import Entry

_SIX_WORDS = struct.Struct("<6Q")
#: exit, exit_group
EXIT_CALLS = (60, 231)
#: the number that a tracer sets to have a call left out
SKIPPED = 0xFFFFFFFF
#: what a tracer sees of a call that a signal interrupted; guests never do
ERESTARTSYS = 512


async def watched_call(task: "Task", entry: "Entry | None") -> None:
    """Serve the call that the task stopped at, and settle its registers.

    Raises Interrupted, as handlers do: what becomes of the call is decided later.
    """
    if task.user_dispatch is not None and task.user_dispatch.takes(task):
        return
    tracing = task.tracing
    if tracing is not None:
        emulated = tracing.mode in EMULATING
        await syscall_stop(tracing, SYSCALL_ENTRY_STOP)
        entry = _entry_after_stop(task, entry)
        if emulated:
            await _exit_stop(task, tracing, task.context.number, task.context.registers.rax)
            return
    number = task.context.number
    try:
        result = await _serve(task, entry)
    except KernelError as error:
        result = -error.number
    except Interrupted:
        _leave(task, None, interrupted=True)
        if tracing is not None:
            # The tracer sees that the call is to be restarted, before anybody decides whether.
            await _exit_stop(task, tracing, number, -ERESTARTSYS)
        raise
    _leave(task, result)
    if tracing is not None:
        await _exit_stop(task, tracing, number, result)
    elif result is not None:
        task.context.set_result(result)


def _leave(task: "Task", result: int | None, *, interrupted: bool = False) -> None:
    strace = task.kernel.strace
    if strace is not None:
        strace.leave(task, result, interrupted=interrupted)


async def _exit_stop(task: "Task", tracing: "Tracing", number: int, result: int | None) -> None:
    if result is not None:
        task.context.set_result(result)
    if task.tracing is tracing:
        await report_events(tracing)
        task.context.registers.orig_rax = number
        await syscall_stop(tracing, SYSCALL_EXIT_STOP)


def _entry_after_stop(task: "Task", entry: "Entry | None") -> "Entry | None":
    """The tracer may have asked for another call, other arguments, or none."""
    context = task.context
    registers = context.registers
    number = registers.orig_rax & 0xFFFFFFFF
    _SIX_WORDS.pack_into(
        context.arguments,
        0,
        registers.rdi,
        registers.rsi,
        registers.rdx,
        registers.r10,
        registers.r8,
        registers.r9,
    )
    if number == context.number:
        return entry
    context.number = number
    task.syscall = task.kernel.find_syscall(number)
    return task.syscall


async def _screen(task: "Task") -> bool:
    """Whether the task's filters let its call go on; otherwise the context has its result."""
    data = call_data(task)
    answer, by = verdict(task, data)
    tracing = task.tracing
    if is_for_tracer(answer) and tracing is not None and tracing.wants(PTRACE_EVENT_SECCOMP):
        await event_stop(tracing, PTRACE_EVENT_SECCOMP, answer & SECCOMP_RET_DATA)
        _entry_after_stop(task, task.syscall)
        if task.context.number == SKIPPED:
            return True
        # The filters judge what the tracer made of the call; the tracer itself has had its say.
        data = call_data(task)
        answer, by = verdict(task, data)
        if is_for_tracer(answer):
            return True
    if by is not None and is_for_supervisor(answer):
        return await ask_supervisor(task, by, data)
    return enforce(task, answer)


async def _serve(task: "Task", entry: "Entry | None") -> int | None:
    context = task.context
    strace = task.kernel.strace
    if entry is None:
        arguments = _SIX_WORDS.unpack(context.arguments)
        if strace is not None:
            strace.unknown(task, context.number, arguments)
    else:
        arguments = entry.unpack(context.arguments)
        if strace is not None:
            strace.enter(task, entry, arguments)
    if task.seccomp_filter is not None or task.seccomp_strict:
        tracing = task.tracing
        suspended = tracing is not None and tracing.options & PTRACE_O_SUSPEND_SECCOMP
        if not suspended and not await _screen(task):
            return None
        # A tracer may have changed the call meanwhile.
        entry = task.syscall
        if entry is not None:
            arguments = entry.unpack(context.arguments)
    if context.number == SKIPPED:
        context.set_result(context.registers.rax)
        return None
    if entry is None:
        task.kernel.note_unsupported(task, context.number)
        raise ENOSYS
    tracing = task.tracing
    if tracing is not None and context.number in EXIT_CALLS and tracing.wants(PTRACE_EVENT_EXIT):
        await event_stop(tracing, PTRACE_EVENT_EXIT, (context.arguments[0] & 0xFF) << 8)
    return await _handle(task, entry, arguments)


async def _handle(task: "Task", entry: "Entry", arguments: tuple[int, ...]) -> int | None:
    """What the handler answers, an errno included; what it has transferred is counted."""
    try:
        try:
            result = entry.handler(task, *arguments)
        except MustWait as wait:
            result = wait.rest
        if result is not None and not isinstance(result, int):
            result = await result
    except KernelError as error:
        result = -error.number
    except OSError as error:
        # A host error that a handler let through: the guest gets its number.
        if error.errno is None:
            raise
        result = -error.errno
    if entry.transfers and result is not None:
        task.io.count(entry.transfers, result)
    return result
