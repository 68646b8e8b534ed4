"""pipe(2), pipe2(2).  What a pipe is: `fs/pipe.py`."""

import struct

from runsc_py.sentry.errors import EFAULT, EINVAL, EMFILE
from runsc_py.sentry.fs.pipe import make_pipe
from runsc_py.sentry.kernel.task import Task
from runsc_py.sentry.syscalls.table import syscall
from runsc_py.sentry.syscalls.types import (
    OutFdPair,
    PipeFlags,
)
from runsc_py.sentry.vfs.open_file import O_CLOEXEC, O_DIRECT, O_NONBLOCK, OpenFile

#: int pipefd[2], int sv[2]
_DESCRIPTOR_PAIR = struct.Struct("<ii")


@syscall(22, "pipe")
def pipe(task: Task, descriptors: OutFdPair) -> int:
    """pipe(2)"""
    return install_pair(task, descriptors, make_pipe(task, 0), False)


@syscall(293, "pipe2")
def pipe2(task: Task, descriptors: OutFdPair, flags: PipeFlags) -> int:
    """pipe2(2)"""
    if flags & ~(O_CLOEXEC | O_DIRECT | O_NONBLOCK):
        raise EINVAL
    ends = make_pipe(task, flags & (O_DIRECT | O_NONBLOCK))
    return install_pair(task, descriptors, ends, bool(flags & O_CLOEXEC))


def install_pair(
    task: Task, address: int, pair: tuple[OpenFile, OpenFile], close_on_exec: bool
) -> int:
    """Give two new files descriptors and write those to `address`: all of it or nothing.

    Errors: EMFILE, EFAULT.
    """
    table = task.files
    first, second = pair
    try:
        first_fd = table.add(first, close_on_exec)
    except EMFILE:
        second.acquire().drop()
        raise
    try:
        second_fd = table.add(second, close_on_exec)
    except EMFILE:
        table.remove(task, first_fd)
        raise
    try:
        task.memory.copy_out(address, _DESCRIPTOR_PAIR.pack(first_fd, second_fd))
    except EFAULT:
        table.remove(task, first_fd)
        table.remove(task, second_fd)
        raise
    return 0
