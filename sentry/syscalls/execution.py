"""execve(2), execveat(2), exit(2), exit_group(2), arch_prctl(2)."""

from runsc_py.sentry.abi.memory import TASK_SIZE
from runsc_py.sentry.abi.process import (
    ARCH_GET_FS,
    ARCH_GET_GS,
    ARCH_SET_FS,
    ARCH_SET_GS,
)
from runsc_py.sentry.errors import (
    E2BIG,
    EFAULT,
    EINVAL,
    ELOOP,
    ENAMETOOLONG,
    EPERM,
    KernelError,
)
from runsc_py.sentry.kernel.execution import execute, open_executable
from runsc_py.sentry.kernel.exit import TaskEnded, exit_task, exit_thread_group
from runsc_py.sentry.kernel.task import Task
from runsc_py.sentry.loader.initial_stack import STRING_LIMIT
from runsc_py.sentry.syscalls.table import syscall
from runsc_py.sentry.syscalls.types import (
    Address,
    ArchPrctlOption,
    AtFlags,
    DirectoryFd,
    EnvironmentArray,
    Int,
    PathAddress,
    StringArray,
)
from runsc_py.sentry.vfs.path import Path
from runsc_py.sentry.vfs.walk import walk

AT_FDCWD = -100
AT_SYMLINK_NOFOLLOW = 0x100
AT_EMPTY_PATH = 0x1000
#: pointers read at a time from an argument vector
POINTERS_AT_ONCE = 64
#: strings in one vector: more cannot fit the stack anyway
MAX_STRINGS = 1 << 20


def copy_in_strings(task: Task, address: int) -> list[bytes]:
    """A NULL-terminated array of strings; a null array is an empty one.  Errors: EFAULT, E2BIG."""
    result: list[bytes] = []
    memory = task.memory
    while address:
        # Never past the page: the array may end right before unmapped memory.
        room = (4096 - (address & 4095)) // 8
        pointers = memory.copy_in(address, 8 * max(1, min(room, POINTERS_AT_ONCE)))
        for position in range(0, len(pointers), 8):
            pointer = int.from_bytes(pointers[position : position + 8], "little")
            if not pointer:
                return result
            try:
                result.append(memory.copy_in_string(pointer, STRING_LIMIT))
            except ENAMETOOLONG:
                raise E2BIG from None
            if len(result) > MAX_STRINGS:
                raise E2BIG
        address += len(pointers)
    return result


@syscall(59, "execve")
def execve(
    task: Task, pathname: PathAddress, arguments: StringArray, environment: EnvironmentArray
) -> int | None:
    """execve(2)"""
    name = task.memory.copy_in_string(pathname)
    return _execute(task, walk(task, name), name, arguments, environment)


@syscall(322, "execveat")
def execveat(
    task: Task,
    directory: DirectoryFd,
    pathname: PathAddress,
    arguments: StringArray,
    environment: EnvironmentArray,
    flags: AtFlags,
) -> int | None:
    """execveat(2)"""
    if flags & ~(AT_EMPTY_PATH | AT_SYMLINK_NOFOLLOW):
        raise EINVAL
    name = task.memory.copy_in_string(pathname)
    by_descriptor = not name and bool(flags & AT_EMPTY_PATH)
    if by_descriptor:
        path = task.files.get(directory).path
        name = b"/dev/fd/%d" % directory
        hidden = task.files.close_on_exec(directory)
    else:
        hidden = False
        start: Path | None = None
        if directory != AT_FDCWD and not name.startswith(b"/"):
            start = task.files.get(directory).path
        path = walk(task, name, start, follow=not flags & AT_SYMLINK_NOFOLLOW)
        if path.inode.is_symlink:
            raise ELOOP
        if start is not None:
            name = b"/dev/fd/%d/%s" % (directory, name)
            hidden = task.files.close_on_exec(directory)
    return _execute(
        task,
        path,
        name,
        arguments,
        environment,
        hidden=hidden,
        by_descriptor=by_descriptor,
    )


def _execute(
    task: Task,
    path: Path,
    name: bytes,
    arguments: int,
    environment: int,
    *,
    hidden: bool = False,
    by_descriptor: bool = False,
) -> int | None:
    """`hidden`: the name means nothing to the new program, its descriptor is closed by then."""
    try:
        words = copy_in_strings(task, arguments)
        variables = copy_in_strings(task, environment)
    except KernelError:
        open_executable(task, path).drop()  # what is wrong with the program comes first
        raise
    execute(task, path, name, words, variables, hidden=hidden, by_descriptor=by_descriptor)
    return None


@syscall(60, "exit")
def exit_(task: Task, status: Int) -> int:
    """exit(2) as the system call: only the calling thread ends."""
    exit_task(task, (status & 0xFF) << 8)
    raise TaskEnded


@syscall(231, "exit_group")
def exit_group(task: Task, status: Int) -> int:
    """exit_group(2)"""
    exit_thread_group(task.thread_group, (status & 0xFF) << 8)
    raise TaskEnded


@syscall(158, "arch_prctl")
def arch_prctl(task: Task, operation: ArchPrctlOption, address: Address) -> int:
    """arch_prctl(2)"""
    registers = task.context.registers
    if operation in (ARCH_SET_FS, ARCH_SET_GS):
        if address >= TASK_SIZE:
            raise EPERM
        if operation == ARCH_SET_FS:
            registers.fs_base = address
        else:
            registers.gs_base = address
        return 0
    if operation not in (ARCH_GET_FS, ARCH_GET_GS):
        raise EINVAL
    value = registers.fs_base if operation == ARCH_GET_FS else registers.gs_base
    if not address:
        raise EFAULT
    task.memory.copy_out(address, value.to_bytes(8, "little"))
    return 0
