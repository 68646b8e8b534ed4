"""The stack that sigaltstack(2) sets for signal handlers: `Task.alternate_stack`."""

from runsc_py.sentry.abi.signals import (
    MINSIGSTKSZ,
    SS_AUTODISARM,
    SS_DISABLE,
    SS_ONSTACK,
)
from runsc_py.sentry.errors import EINVAL, ENOMEM, EPERM

TYPE_CHECKING = False
if TYPE_CHECKING:
    from runsc_py.sentry.kernel.task import Task

#: (address, flags, size) of a task without one
NO_STACK = (0, SS_DISABLE, 0)


def on_alternate_stack(task: "Task", stack_pointer: int) -> bool:
    """Whether the stack pointer lies on it; with SS_AUTODISARM it never counts as such."""
    address, flags, size = task.alternate_stack
    if flags & (SS_DISABLE | SS_AUTODISARM):
        return False
    return address < stack_pointer <= address + size


def alternate_stack_flags(task: "Task") -> int:
    """What sigaltstack(2) tells, as a signed int."""
    _, flags, size = task.alternate_stack
    if not size:
        shown = SS_DISABLE
    else:
        shown = SS_ONSTACK if on_alternate_stack(task, task.context.registers.rsp) else 0
    return signed_flags(shown | flags & SS_AUTODISARM)


def signed_flags(flags: int) -> int:
    """SS_AUTODISARM is the sign bit."""
    return flags - (1 << 32) if flags & SS_AUTODISARM else flags


def set_alternate_stack(task: "Task", address: int, flags: int, size: int) -> None:
    """Errors: EPERM while it is in use, EINVAL, ENOMEM."""
    if on_alternate_stack(task, task.context.registers.rsp):
        raise EPERM
    flags &= 0xFFFFFFFF
    kind = flags & ~SS_AUTODISARM
    if kind not in (0, SS_DISABLE, SS_ONSTACK):
        raise EINVAL
    if kind == SS_DISABLE:
        task.alternate_stack = (0, flags, 0)
    elif not address and not flags and not size and not task.alternate_stack[2]:
        pass  # Linux sees no change: after execve(2) there is no SS_DISABLE in its own record
    elif size < MINSIGSTKSZ:
        raise ENOMEM
    else:
        task.alternate_stack = (address, flags, size)
