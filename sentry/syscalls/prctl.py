"""prctl(2): attributes of the calling thread and process, one function per option."""

from collections.abc import Callable

from runsc_py.sentry.abi.memory import TASK_SIZE
from runsc_py.sentry.abi.seccomp import SECCOMP_MODE_FILTER, SECCOMP_MODE_STRICT
from runsc_py.sentry.abi.signals import SIGRTMAX
from runsc_py.sentry.auth.capabilities import (
    CAP_LAST_CAP,
    CAP_SETPCAP,
    SECBIT_KEEP_CAPS,
    SECBIT_KEEP_CAPS_LOCKED,
    SECBIT_NO_CAP_AMBIENT_RAISE,
    SECURE_ALL_BITS,
    SECURE_ALL_LOCKS,
)
from runsc_py.sentry.errors import EFAULT, EINVAL, EPERM
from runsc_py.sentry.kernel.host_settings import (
    set_huge_pages_disabled,
    set_time_stamp_counter_mode,
    time_stamp_counter_mode,
)
from runsc_py.sentry.kernel.seccomp import mode as seccomp_mode
from runsc_py.sentry.kernel.seccomp import set_strict
from runsc_py.sentry.kernel.task import Task
from runsc_py.sentry.kernel.timer_slack import set_timer_slack, timer_slack_of
from runsc_py.sentry.mm.write_execute import PR_MDWE_NO_INHERIT, PR_MDWE_REFUSE_EXEC_GAIN
from runsc_py.sentry.syscalls.seccomp import set_filter
from runsc_py.sentry.syscalls.table import Support, syscall
from runsc_py.sentry.syscalls.types import Hexadecimal, PrctlOption

#: an option's function gets the four arguments after the option
Operation = Callable[[Task, int, int, int, int], int]

_LONG_MAX = (1 << 63) - 1
_PR_MCE_KILL_DEFAULT = 2
_PR_SYS_DISPATCH_OFF = 0
_PR_SYS_DISPATCH_EXCLUSIVE_ON = 1
_PR_SYS_DISPATCH_INCLUSIVE_ON = 2
_WORD = (1 << 64) - 1
_PR_TIMING_STATISTICAL = 0
_NAME_SIZE = 16
#: Linux's saved_auxv: AT_VECTOR_SIZE words
_SAVED_AUXV_SIZE = 56 * 8


def _int(value: int) -> bytes:
    return value.to_bytes(4, "little")


def _set_parent_death_signal(task: Task, signal: int, _3: int, _4: int, _5: int) -> int:
    if not 0 <= signal <= SIGRTMAX:
        raise EINVAL
    task.parent_death_signal = signal
    return 0


def _get_parent_death_signal(task: Task, address: int, _3: int, _4: int, _5: int) -> int:
    task.memory.copy_out(address, _int(task.parent_death_signal))
    return 0


def _get_dumpable(task: Task, _2: int, _3: int, _4: int, _5: int) -> int:
    return task.memory.dumpable


def _set_dumpable(task: Task, value: int, _3: int, _4: int, _5: int) -> int:
    if value not in (0, 1):
        raise EINVAL
    task.memory.dumpable = value
    return 0


def _set_name(task: Task, address: int, _3: int, _4: int, _5: int) -> int:
    data = task.memory.copy_in_part(address, _NAME_SIZE)
    task.name = data.split(b"\0", 1)[0][: _NAME_SIZE - 1]
    return 0


def _get_name(task: Task, address: int, _3: int, _4: int, _5: int) -> int:
    task.memory.copy_out(address, task.name.ljust(_NAME_SIZE, b"\0"))
    return 0


# Capabilities


def _get_keep_capabilities(task: Task, _2: int, _3: int, _4: int, _5: int) -> int:
    return 1 if task.credentials.securebits & SECBIT_KEEP_CAPS else 0


def _set_keep_capabilities(task: Task, value: int, _3: int, _4: int, _5: int) -> int:
    if value not in (0, 1):
        raise EINVAL
    own = task.credentials
    if own.securebits & SECBIT_KEEP_CAPS_LOCKED:
        raise EPERM
    kept = own.securebits & ~SECBIT_KEEP_CAPS
    task.credentials = own.replace(securebits=kept | (SECBIT_KEEP_CAPS if value else 0))
    return 0


def _get_securebits(task: Task, _2: int, _3: int, _4: int, _5: int) -> int:
    return task.credentials.securebits


def _set_securebits(task: Task, wanted: int, _3: int, _4: int, _5: int) -> int:
    own = task.credentials
    locks = own.securebits & SECURE_ALL_LOCKS
    if (
        (locks >> 1) & (own.securebits ^ wanted)
        or locks & ~wanted
        or wanted & ~(SECURE_ALL_LOCKS | SECURE_ALL_BITS)
        or not own.has_capability(CAP_SETPCAP, own.user_namespace)
    ):
        raise EPERM
    task.credentials = own.replace(securebits=wanted)
    return 0


def _read_bounding_set(task: Task, capability: int, _3: int, _4: int, _5: int) -> int:
    if not 0 <= capability <= CAP_LAST_CAP:
        raise EINVAL
    return task.credentials.bounding >> capability & 1


def _drop_from_bounding_set(task: Task, capability: int, _3: int, _4: int, _5: int) -> int:
    own = task.credentials
    if not own.has_capability(CAP_SETPCAP, own.user_namespace):
        raise EPERM
    if not 0 <= capability <= CAP_LAST_CAP:
        raise EINVAL
    task.credentials = own.replace(bounding=own.bounding & ~(1 << capability))
    return 0


_AMBIENT_IS_SET, _AMBIENT_RAISE, _AMBIENT_LOWER, _AMBIENT_CLEAR_ALL = 1, 2, 3, 4


def _change_ambient_set(task: Task, operation: int, capability: int, arg4: int, arg5: int) -> int:
    own = task.credentials
    if arg4 or arg5:
        raise EINVAL
    if operation == _AMBIENT_CLEAR_ALL:
        if capability:
            raise EINVAL
        task.credentials = own.replace(ambient=0)
        return 0
    if not 0 <= capability <= CAP_LAST_CAP:
        raise EINVAL
    if operation == _AMBIENT_IS_SET:
        return own.ambient >> capability & 1
    if operation == _AMBIENT_RAISE:
        held = own.permitted & own.inheritable
        if not held >> capability & 1 or own.securebits & SECBIT_NO_CAP_AMBIENT_RAISE:
            raise EPERM
        task.credentials = own.replace(ambient=own.ambient | 1 << capability)
    elif operation == _AMBIENT_LOWER:
        task.credentials = own.replace(ambient=own.ambient & ~(1 << capability))
    else:
        raise EINVAL
    return 0


def _set_no_new_privileges(task: Task, value: int, arg3: int, arg4: int, arg5: int) -> int:
    if value != 1 or arg3 or arg4 or arg5:
        raise EINVAL
    task.no_new_privileges = True
    return 0


def _get_no_new_privileges(task: Task, arg2: int, arg3: int, arg4: int, arg5: int) -> int:
    if arg2 or arg3 or arg4 or arg5:
        raise EINVAL
    return int(task.no_new_privileges)


# Processes and threads


def _set_child_subreaper(task: Task, value: int, _3: int, _4: int, _5: int) -> int:
    task.thread_group.child_subreaper = bool(value)
    return 0


def _get_child_subreaper(task: Task, address: int, _3: int, _4: int, _5: int) -> int:
    task.memory.copy_out(address, _int(task.thread_group.child_subreaper))
    return 0


def _set_timer_slack(task: Task, value: int, _3: int, _4: int, _5: int) -> int:
    set_timer_slack(task, value)
    return 0


def _get_timer_slack(task: Task, _2: int, _3: int, _4: int, _5: int) -> int:
    return min(timer_slack_of(task), _LONG_MAX)


def _get_tid_address(task: Task, address: int, _3: int, _4: int, _5: int) -> int:
    task.memory.copy_out(address, task.clear_child_tid.to_bytes(8, "little"))
    return 0


def _get_time_stamp_counter(task: Task, address: int, _3: int, _4: int, _5: int) -> int:
    task.memory.copy_out(address, _int(time_stamp_counter_mode(task)))
    return 0


def _set_time_stamp_counter(task: Task, mode: int, _3: int, _4: int, _5: int) -> int:
    set_time_stamp_counter_mode(task, mode)
    return 0


def _get_machine_check_policy(task: Task, arg2: int, arg3: int, arg4: int, arg5: int) -> int:
    if arg2 or arg3 or arg4 or arg5:
        raise EINVAL
    policy: int = task.extras.get("machine_check", _PR_MCE_KILL_DEFAULT)
    return policy


def _set_machine_check_policy(task: Task, what: int, policy: int, arg4: int, arg5: int) -> int:
    """Kept and shown: memory errors are the host's to handle."""
    if arg4 or arg5:
        raise EINVAL
    if what == 0 and policy == 0:
        task.extras.pop("machine_check", None)
    elif what == 1 and 0 <= policy <= _PR_MCE_KILL_DEFAULT:
        task.extras["machine_check"] = policy
    else:
        raise EINVAL
    return 0


def _get_timing(task: Task, _2: int, _3: int, _4: int, _5: int) -> int:
    return _PR_TIMING_STATISTICAL


def _set_timing(task: Task, mode: int, _3: int, _4: int, _5: int) -> int:
    if mode != _PR_TIMING_STATISTICAL:
        raise EINVAL
    return 0


def _switch_performance_events(task: Task, _2: int, _3: int, _4: int, _5: int) -> int:
    """All of the task's are switched: it has none, perf_event_open(2) is not offered."""
    return 0


def _set_user_dispatch(task: Task, mode: int, start: int, size: int, selector: int) -> int:
    """PR_SET_SYSCALL_USER_DISPATCH."""
    from runsc_py.sentry.kernel.user_dispatch import UserDispatch

    end = (start + size) & _WORD
    if mode == _PR_SYS_DISPATCH_OFF:
        if start or size or selector:
            raise EINVAL
        task.user_dispatch = None
        task.watched = task.is_observed() or task.tracing is not None
        return 0
    if mode == _PR_SYS_DISPATCH_EXCLUSIVE_ON:
        if start and end <= start:
            raise EINVAL
    elif mode == _PR_SYS_DISPATCH_INCLUSIVE_ON:
        if not size or end <= start:
            raise EINVAL
        start, size = end, -size & _WORD
    else:
        raise EINVAL
    if selector >= TASK_SIZE:
        raise EFAULT
    task.user_dispatch = UserDispatch(start, size, selector)
    task.watched = True
    return 0


# Memory


def _set_write_execute(task: Task, bits: int, arg3: int, arg4: int, arg5: int) -> int:
    """PR_SET_MDWE: what is set stays."""
    if arg3 or arg4 or arg5 or bits & ~(PR_MDWE_REFUSE_EXEC_GAIN | PR_MDWE_NO_INHERIT):
        raise EINVAL
    if bits == PR_MDWE_NO_INHERIT:
        raise EINVAL
    if task.memory.mdwe not in (0, bits):
        raise EPERM
    task.memory.mdwe = bits
    return 0


def _get_write_execute(task: Task, arg2: int, arg3: int, arg4: int, arg5: int) -> int:
    if arg2 or arg3 or arg4 or arg5:
        raise EINVAL
    return task.memory.mdwe


def _get_auxiliary_vector(task: Task, address: int, size: int, arg4: int, arg5: int) -> int:
    """As much as fits; the result is what there is."""
    if arg4 or arg5:
        raise EINVAL
    vector = task.memory.auxiliary_vector().ljust(_SAVED_AUXV_SIZE, b"\0")
    task.memory.copy_out(address, vector[:size])
    return len(vector)


def _get_seccomp(task: Task, _2: int, _3: int, _4: int, _5: int) -> int:
    return seccomp_mode(task)


def _set_seccomp(task: Task, mode: int, program: int, _4: int, _5: int) -> int:
    if mode == SECCOMP_MODE_STRICT:
        set_strict(task)
    elif mode == SECCOMP_MODE_FILTER:
        return set_filter(task, 0, program)
    else:
        raise EINVAL
    return 0


def _get_huge_pages_disabled(task: Task, arg2: int, arg3: int, arg4: int, arg5: int) -> int:
    if arg2 or arg3 or arg4 or arg5:
        raise EINVAL
    return int(task.memory.huge_pages_disabled)


def _set_huge_pages_disabled(task: Task, value: int, arg3: int, arg4: int, arg5: int) -> int:
    if arg3 or arg4 or arg5:
        raise EINVAL
    set_huge_pages_disabled(task, bool(value))
    return 0


#: by option number: PR_SET_PDEATHSIG and so on
_OPERATIONS: dict[int, Operation] = {
    1: _set_parent_death_signal,
    2: _get_parent_death_signal,
    3: _get_dumpable,
    4: _set_dumpable,
    7: _get_keep_capabilities,
    8: _set_keep_capabilities,
    13: _get_timing,
    14: _set_timing,
    15: _set_name,
    16: _get_name,
    21: _get_seccomp,
    22: _set_seccomp,
    23: _read_bounding_set,
    24: _drop_from_bounding_set,
    25: _get_time_stamp_counter,
    26: _set_time_stamp_counter,
    27: _get_securebits,
    28: _set_securebits,
    29: _set_timer_slack,
    30: _get_timer_slack,
    31: _switch_performance_events,
    32: _switch_performance_events,
    33: _set_machine_check_policy,
    34: _get_machine_check_policy,
    36: _set_child_subreaper,
    37: _get_child_subreaper,
    38: _set_no_new_privileges,
    39: _get_no_new_privileges,
    40: _get_tid_address,
    41: _set_huge_pages_disabled,
    42: _get_huge_pages_disabled,
    47: _change_ambient_set,
    59: _set_user_dispatch,
    65: _set_write_execute,
    66: _get_write_execute,
    0x41555856: _get_auxiliary_vector,
}


@syscall(
    157,
    "prctl",
    support=Support.PARTIAL,
    note="no PR_SET_MM, PR_SET_VMA, PR_SCHED_CORE, speculation control",
)
def prctl(
    task: Task,
    option: PrctlOption,
    arg2: Hexadecimal,
    arg3: Hexadecimal,
    arg4: Hexadecimal,
    arg5: Hexadecimal,
) -> int:
    """prctl(2)"""
    operation = _OPERATIONS.get(option)
    if operation is None:
        raise EINVAL
    return operation(task, arg2, arg3, arg4, arg5)
