"""memfd_create(2)."""

from runsc_py.sentry.errors import EINVAL, ENAMETOOLONG
from runsc_py.sentry.fs.memfd import MAXIMUM_NAME, MFD_CLOEXEC, make_memory_file
from runsc_py.sentry.kernel.task import Task
from runsc_py.sentry.syscalls.table import Support, syscall
from runsc_py.sentry.syscalls.types import MemFdFlags, StringAddress


@syscall(
    319,
    "memfd_create",
    support=Support.PARTIAL,
    note="no huge pages",
)
def memfd_create(task: Task, name: StringAddress, flags: MemFdFlags) -> int:
    """memfd_create(2)"""
    try:
        text = task.memory.copy_in_string(name, MAXIMUM_NAME + 1)
    except ENAMETOOLONG:
        raise EINVAL from None
    return task.files.add(make_memory_file(task, text, flags), bool(flags & MFD_CLOEXEC))
