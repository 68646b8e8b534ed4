"""membarrier(2): ordering between the threads of a process, which only the host can give."""

from runsc_py.sentry.abi.process import SYS_MEMBARRIER
from runsc_py.sentry.errors import EINVAL, ENOSYS, EPERM
from runsc_py.sentry.kernel.task import Task
from runsc_py.sentry.syscalls.table import Support, syscall
from runsc_py.sentry.syscalls.types import Int, UnsignedInt

_QUERY = 0
_PRIVATE_EXPEDITED_RSEQ = 1 << 7
_REGISTER_PRIVATE_EXPEDITED_RSEQ = 1 << 8
_RSEQ = _PRIVATE_EXPEDITED_RSEQ | _REGISTER_PRIVATE_EXPEDITED_RSEQ


@syscall(324, "membarrier", support=Support.PARTIAL, note="no commands for rseq(2)")
def membarrier(task: Task, command: Int, flags: UnsignedInt, cpu: Int) -> int:
    """membarrier(2), made by the guest's own thread on the host: address spaces are the same."""
    if flags or command & _RSEQ:
        raise EINVAL
    result = task.context.execute(SYS_MEMBARRIER, command, 0, 0)
    if result in (-EPERM.number, -ENOSYS.number) and command == _QUERY:
        raise ENOSYS  # a filter of the host's is in the way
    return result & ~_RSEQ if command == _QUERY and result > 0 else result
