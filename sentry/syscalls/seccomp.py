"""seccomp(2): guests restrict themselves."""

from runsc_py.sentry.abi.seccomp import (
    BPF_MAXIMUM_INSTRUCTIONS,
    SECCOMP_FILTER_FLAG_LOG,
    SECCOMP_FILTER_FLAG_SPEC_ALLOW,
    SECCOMP_FILTER_FLAG_TSYNC,
    SECCOMP_FILTER_FLAG_TSYNC_ESRCH,
    SECCOMP_GET_ACTION_AVAIL,
    SECCOMP_RET_ALLOW,
    SECCOMP_RET_ERRNO,
    SECCOMP_RET_KILL_PROCESS,
    SECCOMP_RET_KILL_THREAD,
    SECCOMP_RET_LOG,
    SECCOMP_RET_TRACE,
    SECCOMP_RET_TRAP,
    SECCOMP_SET_MODE_FILTER,
    SECCOMP_SET_MODE_STRICT,
    SOCK_FILTER,
    SOCK_FPROG,
)
from runsc_py.sentry.auth.capabilities import CAP_SYS_ADMIN
from runsc_py.sentry.errors import EACCES, EINVAL, EOPNOTSUPP, ESRCH
from runsc_py.sentry.kernel.bpf import Instruction
from runsc_py.sentry.kernel.seccomp import install, set_strict
from runsc_py.sentry.kernel.task import Task
from runsc_py.sentry.syscalls.table import Support, syscall
from runsc_py.sentry.syscalls.types import (
    Address,
    SeccompFlags,
    SeccompOperation,
)

KNOWN_FLAGS = (
    SECCOMP_FILTER_FLAG_TSYNC
    | SECCOMP_FILTER_FLAG_LOG
    | SECCOMP_FILTER_FLAG_SPEC_ALLOW
    | SECCOMP_FILTER_FLAG_TSYNC_ESRCH
)
ACTIONS = (
    SECCOMP_RET_KILL_PROCESS,
    SECCOMP_RET_KILL_THREAD,
    SECCOMP_RET_TRAP,
    SECCOMP_RET_ERRNO,
    SECCOMP_RET_TRACE,
    SECCOMP_RET_LOG,
    SECCOMP_RET_ALLOW,
)


@syscall(317, "seccomp", support=Support.PARTIAL, note="no user notification")
def seccomp(
    task: Task, operation: SeccompOperation, flags: SeccompFlags, arguments: Address
) -> int:
    """seccomp(2)"""
    if operation == SECCOMP_SET_MODE_STRICT:
        if flags or arguments:
            raise EINVAL
        set_strict(task)
        return 0
    if operation == SECCOMP_SET_MODE_FILTER:
        return set_filter(task, flags, arguments)
    if operation == SECCOMP_GET_ACTION_AVAIL:
        if flags:
            raise EINVAL
        action = int.from_bytes(task.memory.copy_in(arguments, 4), "little")
        if action not in ACTIONS:
            raise EOPNOTSUPP
        return 0
    raise EINVAL


def set_filter(task: Task, flags: int, address: int) -> int:
    """SECCOMP_SET_MODE_FILTER, which prctl(2) can ask for as well."""
    if flags & ~KNOWN_FLAGS:
        raise EINVAL
    program = _copy_in_program(task, address)
    if not (task.no_new_privileges or task.credentials.has_capability(CAP_SYS_ADMIN)):
        raise EACCES
    if task.seccomp_strict:
        raise EINVAL
    conflict = install(
        task,
        program,
        logs=bool(flags & SECCOMP_FILTER_FLAG_LOG),
        all_threads=bool(flags & SECCOMP_FILTER_FLAG_TSYNC),
    )
    if conflict and flags & SECCOMP_FILTER_FLAG_TSYNC_ESRCH:
        raise ESRCH
    return conflict


def _copy_in_program(task: Task, address: int) -> list[Instruction]:
    count, pointer = SOCK_FPROG.unpack(task.memory.copy_in(address, SOCK_FPROG.size))
    if not 0 < count <= BPF_MAXIMUM_INSTRUCTIONS:
        raise EINVAL
    raw = task.memory.copy_in(pointer, count * SOCK_FILTER.size)
    return [
        SOCK_FILTER.unpack_from(raw, position) for position in range(0, len(raw), SOCK_FILTER.size)
    ]
