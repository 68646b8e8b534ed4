"""ptrace(2) between guest processes."""

from runsc_py.sentry.abi.ptrace import (
    FP_REGISTERS_SIZE,
    NT_PRFPREG,
    NT_PRSTATUS,
    PTRACE_ATTACH,
    PTRACE_CONT,
    PTRACE_DETACH,
    PTRACE_GETFPREGS,
    PTRACE_GETREGS,
    PTRACE_GETREGSET,
    PTRACE_INTERRUPT,
    PTRACE_KILL,
    PTRACE_LISTEN,
    PTRACE_O_KNOWN,
    PTRACE_PEEKDATA,
    PTRACE_PEEKTEXT,
    PTRACE_PEEKUSER,
    PTRACE_POKEDATA,
    PTRACE_POKETEXT,
    PTRACE_POKEUSER,
    PTRACE_SEIZE,
    PTRACE_SETFPREGS,
    PTRACE_SETREGS,
    PTRACE_SETREGSET,
    PTRACE_SINGLESTEP,
    PTRACE_SYSCALL,
    PTRACE_SYSEMU,
    PTRACE_SYSEMU_SINGLESTEP,
    PTRACE_TRACEME,
    USER_REGISTERS_SIZE,
)
from runsc_py.sentry.abi.signals import SIGKILL
from runsc_py.sentry.errors import EFAULT, EINVAL, EIO, EPERM, ESRCH
from runsc_py.sentry.fs.proc.access import may_inspect
from runsc_py.sentry.kernel import tracing as trace
from runsc_py.sentry.kernel.signals import SignalInfo
from runsc_py.sentry.kernel.task import Task
from runsc_py.sentry.kernel.traced_registers import (
    peek_user,
    poke_user,
    read_registers,
    read_set,
    write_registers,
    write_set,
)
from runsc_py.sentry.kernel.tracing import Stop, Tracing
from runsc_py.sentry.syscalls.ptrace_information import (
    INFORMATION_REQUESTS,
    Request,
    check_options,
)
from runsc_py.sentry.syscalls.table import Support, syscall
from runsc_py.sentry.syscalls.types import Address, Hexadecimal, Int, Pid


@syscall(101, "ptrace", support=Support.PARTIAL, note="no SINGLEBLOCK")
def ptrace(task: Task, request: Int, pid: Pid, address: Address, data: Hexadecimal) -> int:
    """ptrace(2)"""
    if request == PTRACE_TRACEME:
        return _trace_me(task)
    if request in (PTRACE_ATTACH, PTRACE_SEIZE):
        return _attach(task, request, pid, address, data)
    tracing = _find(task, pid)
    if request == PTRACE_KILL:
        tracing.task.thread_group.send_signal(SignalInfo(SIGKILL))
        return 0
    if request == PTRACE_INTERRUPT:
        if not tracing.seized:
            raise EIO
        tracing.trap()
        return 0
    stop = tracing.stop
    if stop is None or tracing.listening:
        raise ESRCH
    handler = _REQUESTS.get(request)
    if handler is None:
        raise EIO
    return handler(task, tracing, stop, address, data)


def _trace_me(task: Task) -> int:
    parent = task.thread_group.parent
    if task.tracing is not None or parent is None:
        raise EPERM
    Tracing(task, parent, 0, False, task.credentials)
    return 0


def _attach(task: Task, request: int, pid: int, address: int, data: int) -> int:
    target = task.pid_namespace.tasks.get(pid)
    if target is None or target not in target.thread_group.tasks:
        raise ESRCH
    seize = request == PTRACE_SEIZE
    if seize and (address or data & ~PTRACE_O_KNOWN):
        raise EIO
    if seize:
        check_options(task, data)
    if target.thread_group is task.thread_group or not may_inspect(task, target, real_ids=True):
        raise EPERM
    if target.tracing is not None:
        raise EPERM
    trace.attach(target, task, data if seize else 0, seized=seize)
    return 0


def _find(task: Task, pid: int) -> Tracing:
    target = task.pid_namespace.tasks.get(pid)
    if target is None or target.tracing is None or target.tracing.tracer is not task.thread_group:
        raise ESRCH
    return target.tracing


# -- going on ----------------------------------------------------------------------------


def _resumer(mode: int) -> Request:
    def resume(task: Task, tracing: Tracing, stop: Stop, address: int, data: int) -> int:
        if data > 64:
            raise EIO
        tracing.resume(mode, data)
        return 0

    return resume


def _detach(task: Task, tracing: Tracing, stop: Stop, address: int, data: int) -> int:
    if data > 64:
        raise EIO
    tracing.detach(data)
    return 0


def _listen(task: Task, tracing: Tracing, stop: Stop, address: int, data: int) -> int:
    """Stay stopped, but trap again when job control continues or stops the process."""
    if not tracing.seized or stop.kind != trace.TRAP_STOP:
        raise EIO
    tracing.listen()
    return 0


# -- memory -------------------------------------------------------------------------------


def _peek(task: Task, tracing: Tracing, stop: Stop, address: int, data: int) -> int:
    try:
        word = tracing.task.memory.copy_in(address, 8)
    except EFAULT:
        raise EIO from None
    task.memory.copy_out(data, word)
    return 0


def _poke(task: Task, tracing: Tracing, stop: Stop, address: int, data: int) -> int:
    if not tracing.task.memory.poke(address, data.to_bytes(8, "little")):
        raise EIO
    return 0


# -- registers -----------------------------------------------------------------------------


def _peek_user(task: Task, tracing: Tracing, stop: Stop, address: int, data: int) -> int:
    task.memory.copy_out(data, peek_user(tracing.task, address).to_bytes(8, "little"))
    return 0


def _poke_user(task: Task, tracing: Tracing, stop: Stop, address: int, data: int) -> int:
    poke_user(tracing.task, address, data)
    return 0


def _get_registers(task: Task, tracing: Tracing, stop: Stop, address: int, data: int) -> int:
    task.memory.copy_out(data, read_registers(tracing.task))
    return 0


def _set_registers(task: Task, tracing: Tracing, stop: Stop, address: int, data: int) -> int:
    write_registers(tracing.task, task.memory.copy_in(data, USER_REGISTERS_SIZE))
    return 0


def _get_fp_registers(task: Task, tracing: Tracing, stop: Stop, address: int, data: int) -> int:
    task.memory.copy_out(data, read_set(tracing.task, NT_PRFPREG))
    return 0


def _set_fp_registers(task: Task, tracing: Tracing, stop: Stop, address: int, data: int) -> int:
    write_set(tracing.task, NT_PRFPREG, task.memory.copy_in(data, FP_REGISTERS_SIZE))
    return 0


def _vector(task: Task, address: int) -> tuple[int, int]:
    raw = task.memory.copy_in(address, 16)
    return int.from_bytes(raw[:8], "little"), int.from_bytes(raw[8:], "little")


def _get_register_set(task: Task, tracing: Tracing, stop: Stop, address: int, data: int) -> int:
    base, size = _vector(task, data)
    content = read_set(tracing.task, address)[:size]
    task.memory.copy_out(base, content)
    task.memory.copy_out(data + 8, len(content).to_bytes(8, "little"))
    return 0


def _set_register_set(task: Task, tracing: Tracing, stop: Stop, address: int, data: int) -> int:
    base, size = _vector(task, data)
    limit = len(read_set(tracing.task, address))
    if address == NT_PRSTATUS and size & 7:
        raise EINVAL
    write_set(tracing.task, address, task.memory.copy_in(base, min(size, limit)))
    return 0


_REQUESTS: dict[int, Request] = {
    PTRACE_CONT: _resumer(trace.CONTINUE),
    PTRACE_SYSCALL: _resumer(trace.SYSCALL),
    PTRACE_SINGLESTEP: _resumer(trace.SINGLESTEP),
    PTRACE_SYSEMU: _resumer(trace.SYSEMU),
    PTRACE_SYSEMU_SINGLESTEP: _resumer(trace.SYSEMU_SINGLESTEP),
    PTRACE_DETACH: _detach,
    PTRACE_LISTEN: _listen,
    PTRACE_PEEKTEXT: _peek,
    PTRACE_PEEKDATA: _peek,
    PTRACE_POKETEXT: _poke,
    PTRACE_POKEDATA: _poke,
    PTRACE_PEEKUSER: _peek_user,
    PTRACE_POKEUSER: _poke_user,
    PTRACE_GETREGS: _get_registers,
    PTRACE_SETREGS: _set_registers,
    PTRACE_GETFPREGS: _get_fp_registers,
    PTRACE_SETFPREGS: _set_fp_registers,
    PTRACE_GETREGSET: _get_register_set,
    PTRACE_SETREGSET: _set_register_set,
    **INFORMATION_REQUESTS,
}
