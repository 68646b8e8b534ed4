"""The requests of ptrace(2) that tell about a stopped tracee, and set its options and signals."""

from collections.abc import Callable

from runsc_py.sentry.abi.ptrace import (
    PEEKSIGINFO_ARGS,
    PTRACE_GET_RSEQ_CONFIGURATION,
    PTRACE_GET_SYSCALL_INFO,
    PTRACE_GETEVENTMSG,
    PTRACE_GETSIGINFO,
    PTRACE_GETSIGMASK,
    PTRACE_O_KNOWN,
    PTRACE_O_SUSPEND_SECCOMP,
    PTRACE_PEEKSIGINFO,
    PTRACE_PEEKSIGINFO_SHARED,
    PTRACE_SECCOMP_GET_FILTER,
    PTRACE_SECCOMP_GET_METADATA,
    PTRACE_SETOPTIONS,
    PTRACE_SETSIGINFO,
    PTRACE_SETSIGMASK,
    PTRACE_SYSCALL_INFO_ENTRY,
    PTRACE_SYSCALL_INFO_EXIT,
    PTRACE_SYSCALL_INFO_NONE,
    PTRACE_SYSCALL_INFO_SECCOMP,
    RSEQ_CONFIGURATION,
    SECCOMP_METADATA,
    SYSCALL_INFO_ENTRY,
    SYSCALL_INFO_EXIT,
    SYSCALL_INFO_HEAD,
    SYSCALL_INFO_SECCOMP,
)
from runsc_py.sentry.abi.seccomp import (
    AUDIT_ARCH_X86_64,
    SECCOMP_FILTER_FLAG_LOG,
    SECCOMP_MODE_FILTER,
    SOCK_FILTER,
)
from runsc_py.sentry.abi.signals import SIGINFO_SIZE
from runsc_py.sentry.auth.capabilities import CAP_SYS_ADMIN
from runsc_py.sentry.errors import EACCES, EINVAL, ENOENT, EPERM
from runsc_py.sentry.kernel.seccomp import Filter, mode
from runsc_py.sentry.kernel.signals import SignalInfo
from runsc_py.sentry.kernel.task import Task
from runsc_py.sentry.kernel.tracing import (
    EVENT_STOP,
    GROUP_STOP,
    SYSCALL_ENTRY_STOP,
    SYSCALL_EXIT_STOP,
    Stop,
    Tracing,
)

#: task, its tracee, the tracee's stop, address, data
Request = Callable[[Task, Tracing, Stop, int, int], int]

_SECCOMP_STOP = 7 << 8 | 5
_TRACESYSGOOD_STOP = 5 | 0x80


def check_options(task: Task, options: int) -> None:
    """PTRACE_O_*.  Errors: EINVAL, EPERM."""
    if options & ~PTRACE_O_KNOWN:
        raise EINVAL
    if options & PTRACE_O_SUSPEND_SECCOMP and (
        not task.credentials.has_capability(CAP_SYS_ADMIN)
        or mode(task)
        or task.tracing is not None
        and task.tracing.options & PTRACE_O_SUSPEND_SECCOMP
    ):
        raise EPERM


def _set_options(task: Task, tracing: Tracing, stop: Stop, address: int, data: int) -> int:
    check_options(task, data)
    tracing.options = data
    return 0


def _get_message(task: Task, tracing: Tracing, stop: Stop, address: int, data: int) -> int:
    task.memory.copy_out(data, stop.message.to_bytes(8, "little"))
    return 0


# -- signals ------------------------------------------------------------------------------


def _get_siginfo(task: Task, tracing: Tracing, stop: Stop, address: int, data: int) -> int:
    if stop.kind == GROUP_STOP:
        raise EINVAL
    task.memory.copy_out(data, stop.info.raw)
    return 0


def _set_siginfo(task: Task, tracing: Tracing, stop: Stop, address: int, data: int) -> int:
    raw = task.memory.copy_in(data, SIGINFO_SIZE)
    if stop.kind == GROUP_STOP:
        raise EINVAL
    stop.info = SignalInfo(stop.info.number, raw=raw)
    return 0


def _peek_siginfo(task: Task, tracing: Tracing, stop: Stop, address: int, data: int) -> int:
    """Pending signals, which stay pending; the result is how many."""
    raw = task.memory.copy_in(address, PEEKSIGINFO_ARGS.size)
    first, flags, count = PEEKSIGINFO_ARGS.unpack(raw)
    if flags & ~PTRACE_PEEKSIGINFO_SHARED or count < 0:
        raise EINVAL
    traced = tracing.task
    pending = (traced.thread_group if flags else traced).pending
    found = [info for queue in pending.queues.values() for info in queue][first : first + count]
    task.memory.copy_out(data, b"".join(info.raw for info in found))
    return len(found)


def _get_signal_mask(task: Task, tracing: Tracing, stop: Stop, address: int, data: int) -> int:
    if address != 8:
        raise EINVAL
    task.memory.copy_out(data, tracing.task.signal_mask.to_bytes(8, "little"))
    return 0


def _set_signal_mask(task: Task, tracing: Tracing, stop: Stop, address: int, data: int) -> int:
    if address != 8:
        raise EINVAL
    tracing.task.set_signal_mask(int.from_bytes(task.memory.copy_in(data, 8), "little"))
    return 0


# -- system calls -----------------------------------------------------------------------


def _get_syscall_info(task: Task, tracing: Tracing, stop: Stop, address: int, data: int) -> int:
    """struct ptrace_syscall_info, as far as it fits; the result is its full size.

    Stops of system calls are known as such only with PTRACE_O_TRACESYSGOOD.
    """
    traced = tracing.task
    registers = traced.context.registers
    kind, rest = PTRACE_SYSCALL_INFO_NONE, b""
    call = (
        registers.orig_rax,
        registers.rdi,
        registers.rsi,
        registers.rdx,
        registers.r10,
        registers.r8,
        registers.r9,
    )
    if stop.kind == SYSCALL_ENTRY_STOP and stop.code == _TRACESYSGOOD_STOP:
        kind, rest = PTRACE_SYSCALL_INFO_ENTRY, SYSCALL_INFO_ENTRY.pack(*call)
    elif stop.kind == SYSCALL_EXIT_STOP and stop.code == _TRACESYSGOOD_STOP:
        kind = PTRACE_SYSCALL_INFO_EXIT
        value = registers.rax - (registers.rax >> 63 << 64)
        rest = SYSCALL_INFO_EXIT.pack(value, int(-4096 < value < 0))[:9]
    elif stop.kind == EVENT_STOP and stop.code == _SECCOMP_STOP:
        kind = PTRACE_SYSCALL_INFO_SECCOMP
        rest = SYSCALL_INFO_SECCOMP.pack(*call, stop.message)[:60]
    head = SYSCALL_INFO_HEAD.pack(kind, AUDIT_ARCH_X86_64, registers.rip, registers.rsp)
    content = head + rest
    task.memory.copy_out(data, content[:address])
    return len(content)


def _nth_filter(task: Task, traced: Task, number: int) -> Filter:
    """A tracee's filter, the oldest being 0.  Errors: EACCES, EINVAL, ENOENT."""
    if mode(traced) != SECCOMP_MODE_FILTER:
        raise EINVAL
    filters = []
    current = traced.seccomp_filter
    while current is not None:
        filters.append(current)
        current = current.previous
    if number >= len(filters):
        raise ENOENT
    return filters[-1 - number]


def _check_may_see_filters(task: Task) -> None:
    """Errors: EACCES."""
    if not task.credentials.has_capability(CAP_SYS_ADMIN) or mode(task):
        raise EACCES


def _get_filter(task: Task, tracing: Tracing, stop: Stop, address: int, data: int) -> int:
    _check_may_see_filters(task)
    program = _nth_filter(task, tracing.task, address).program
    if data:
        task.memory.copy_out(data, b"".join(SOCK_FILTER.pack(*one) for one in program))
    return len(program)


def _get_filter_metadata(task: Task, tracing: Tracing, stop: Stop, address: int, data: int) -> int:
    _check_may_see_filters(task)
    size = min(address, SECCOMP_METADATA.size)
    if size < 8:
        raise EINVAL
    number = int.from_bytes(task.memory.copy_in(data, 8), "little")
    flags = SECCOMP_FILTER_FLAG_LOG if _nth_filter(task, tracing.task, number).logs else 0
    task.memory.copy_out(data, SECCOMP_METADATA.pack(number, flags)[:size])
    return size


def _get_rseq_configuration(
    task: Task, tracing: Tracing, stop: Stop, address: int, data: int
) -> int:
    """No thread ever has registered: rseq(2) is not offered."""
    raw = RSEQ_CONFIGURATION.pack(0, 0, 0, 0)
    task.memory.copy_out(data, raw[:address])
    return len(raw)


INFORMATION_REQUESTS: dict[int, Request] = {
    PTRACE_SETOPTIONS: _set_options,
    PTRACE_GETEVENTMSG: _get_message,
    PTRACE_GETSIGINFO: _get_siginfo,
    PTRACE_SETSIGINFO: _set_siginfo,
    PTRACE_PEEKSIGINFO: _peek_siginfo,
    PTRACE_GETSIGMASK: _get_signal_mask,
    PTRACE_SETSIGMASK: _set_signal_mask,
    PTRACE_GET_SYSCALL_INFO: _get_syscall_info,
    PTRACE_SECCOMP_GET_FILTER: _get_filter,
    PTRACE_SECCOMP_GET_METADATA: _get_filter_metadata,
    PTRACE_GET_RSEQ_CONFIGURATION: _get_rseq_configuration,
}
