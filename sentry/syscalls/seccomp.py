"""seccomp(2): guests restrict themselves."""

from runsc_py.sentry.abi.seccomp import (
    BPF_MAXIMUM_INSTRUCTIONS,
    SECCOMP_DATA,
    SECCOMP_FILTER_FLAG_LOG,
    SECCOMP_FILTER_FLAG_NEW_LISTENER,
    SECCOMP_FILTER_FLAG_SPEC_ALLOW,
    SECCOMP_FILTER_FLAG_TSYNC,
    SECCOMP_FILTER_FLAG_TSYNC_ESRCH,
    SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV,
    SECCOMP_GET_ACTION_AVAIL,
    SECCOMP_GET_NOTIF_SIZES,
    SECCOMP_NOTIF,
    SECCOMP_NOTIF_RESP,
    SECCOMP_NOTIF_SIZES,
    SECCOMP_RET_ALLOW,
    SECCOMP_RET_ERRNO,
    SECCOMP_RET_KILL_PROCESS,
    SECCOMP_RET_KILL_THREAD,
    SECCOMP_RET_LOG,
    SECCOMP_RET_TRACE,
    SECCOMP_RET_TRAP,
    SECCOMP_RET_USER_NOTIF,
    SECCOMP_SET_MODE_FILTER,
    SECCOMP_SET_MODE_STRICT,
    SOCK_FILTER,
    SOCK_FPROG,
)
from runsc_py.sentry.auth.capabilities import CAP_SYS_ADMIN
from runsc_py.sentry.errors import EACCES, EBUSY, EINVAL, EOPNOTSUPP, ESRCH
from runsc_py.sentry.kernel.bpf import Instruction
from runsc_py.sentry.kernel.seccomp import Filter, has_listener, install, set_strict
from runsc_py.sentry.kernel.task import Task
from runsc_py.sentry.syscalls.table import syscall
from runsc_py.sentry.syscalls.types import (
    Address,
    SeccompFlags,
    SeccompOperation,
)

KNOWN_FLAGS = (
    SECCOMP_FILTER_FLAG_TSYNC
    | SECCOMP_FILTER_FLAG_LOG
    | SECCOMP_FILTER_FLAG_SPEC_ALLOW
    | SECCOMP_FILTER_FLAG_NEW_LISTENER
    | SECCOMP_FILTER_FLAG_TSYNC_ESRCH
    | SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV
)
ACTIONS = (
    SECCOMP_RET_KILL_PROCESS,
    SECCOMP_RET_KILL_THREAD,
    SECCOMP_RET_TRAP,
    SECCOMP_RET_USER_NOTIF,
    SECCOMP_RET_ERRNO,
    SECCOMP_RET_TRACE,
    SECCOMP_RET_LOG,
    SECCOMP_RET_ALLOW,
)


@syscall(317, "seccomp")
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
    if operation == SECCOMP_GET_NOTIF_SIZES:
        if flags:
            raise EINVAL
        sizes = (SECCOMP_NOTIF.size, SECCOMP_NOTIF_RESP.size, SECCOMP_DATA.size)
        task.memory.copy_out(arguments, SECCOMP_NOTIF_SIZES.pack(*sizes))
        return 0
    raise EINVAL


def set_filter(task: Task, flags: int, address: int) -> int:
    """SECCOMP_SET_MODE_FILTER, which prctl(2) can ask for as well."""
    _check_flags(flags)
    program = _copy_in_program(task, address)
    new = Filter(program, task.seccomp_filter, bool(flags & SECCOMP_FILTER_FLAG_LOG))
    wants_listener = bool(flags & SECCOMP_FILTER_FLAG_NEW_LISTENER)
    if wants_listener:
        task.files.free_descriptor()  # EMFILE comes first
    if task.seccomp_strict:
        raise EINVAL
    if wants_listener and has_listener(task):
        raise EBUSY
    conflict = install(task, new, all_threads=bool(flags & SECCOMP_FILTER_FLAG_TSYNC))
    if conflict:
        if flags & SECCOMP_FILTER_FLAG_TSYNC_ESRCH:
            raise ESRCH
        return conflict
    if wants_listener:
        return _open_listener(task, new, bool(flags & SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV))
    return 0


def _check_flags(flags: int) -> None:
    if flags & ~KNOWN_FLAGS:
        raise EINVAL
    if flags & SECCOMP_FILTER_FLAG_NEW_LISTENER:
        # One result cannot be both a descriptor and the thread that is in the way.
        if flags & SECCOMP_FILTER_FLAG_TSYNC and not flags & SECCOMP_FILTER_FLAG_TSYNC_ESRCH:
            raise EINVAL
    elif flags & SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV:
        raise EINVAL


def _open_listener(task: Task, of: Filter, wait_killable: bool) -> int:
    from runsc_py.sentry.fs.seccomp_listener import make_listener_file
    from runsc_py.sentry.kernel.seccomp_notification import Listener

    first = int.from_bytes(task.kernel.random(8), "little")
    of.listener = Listener(of, first, wait_killable)
    return task.files.add(make_listener_file(task, of.listener), close_on_exec=True)


def _copy_in_program(task: Task, address: int) -> list[Instruction]:
    """Errors: EFAULT, EINVAL, EACCES."""
    count, pointer = SOCK_FPROG.unpack(task.memory.copy_in(address, SOCK_FPROG.size))
    if not 0 < count <= BPF_MAXIMUM_INSTRUCTIONS:
        raise EINVAL
    own = task.credentials
    if not (task.no_new_privileges or own.has_capability(CAP_SYS_ADMIN, own.user_namespace)):
        raise EACCES
    raw = task.memory.copy_in(pointer, count * SOCK_FILTER.size)
    return [
        SOCK_FILTER.unpack_from(raw, position) for position in range(0, len(raw), SOCK_FILTER.size)
    ]
