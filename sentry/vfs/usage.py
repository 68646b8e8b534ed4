"""Who uses a place or an inode right now: found by asking every process.

For the rare calls that must know (umount, leases, writing to a program that runs); nothing is
counted for them on the way.
"""

from collections.abc import Iterator

TYPE_CHECKING = False
if TYPE_CHECKING:
    from runsc_py.sentry.kernel.kernel import Kernel
    from runsc_py.sentry.kernel.task import Task
    from runsc_py.sentry.mm.memory_manager import MemoryManager
    from runsc_py.sentry.vfs.inode import Inode
    from runsc_py.sentry.vfs.open_file import OpenFile
    from runsc_py.sentry.vfs.path import Path


def living_tasks(kernel: "Kernel") -> "Iterator[Task]":
    """Every thread but zombies, which have given everything back."""
    for task in kernel.root_pid_namespace.tasks.values():
        if task.memory.users:
            yield task


def open_files(kernel: "Kernel") -> "set[OpenFile]":
    """Every open file description that a descriptor refers to."""
    tables = {task.files for task in living_tasks(kernel)}
    return {file for table in tables for _, file in table.items()}


def places_in_use(kernel: "Kernel") -> "Iterator[Path]":
    """Root and working directories, programs and open files."""
    for task in living_tasks(kernel):
        yield task.file_context.root
        yield task.file_context.working_directory
        if task.memory.executable is not None:
            yield task.memory.executable
    for file in open_files(kernel):
        yield file.path


def is_executed(kernel: "Kernel", inode: "Inode") -> bool:
    """Whether some process runs it as its program."""
    for task in living_tasks(kernel):
        program = task.memory.executable
        if program is not None and program.dentry.inode is inode:
            return True
    return False


def is_open_for_writing(kernel: "Kernel", inode: "Inode") -> bool:
    """Whether some open file can write it, or some process has it mapped writable and shared."""
    for file in open_files(kernel):
        if file.inode is inode and file.writable and file.is_counted_writer:
            return True
    return any(
        _maps_for_writing(memory, inode)
        for memory in {task.memory for task in living_tasks(kernel)}
        if memory.written_files
    )


def _maps_for_writing(memory: "MemoryManager", inode: "Inode") -> bool:
    """Whether it writes the file through a mapping, whose descriptor may be closed long since."""
    files = memory.mapped_files
    objects = {key for key in memory.written_files if files[key].dentry.inode is inode}
    return bool(objects) and any(
        mapping.permissions.startswith("w", 1) and mapping.permissions.endswith("s")
        for mapping in memory.mappings()
        if (mapping.device, mapping.inode) in objects
    )
