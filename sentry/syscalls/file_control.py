"""fcntl(2): one call for many things; each group of commands has a function."""

from struct import Struct

from runsc_py.sentry.abi.files import (
    F_ADD_SEALS,
    F_CREATED_QUERY,
    F_DUPFD,
    F_DUPFD_CLOEXEC,
    F_DUPFD_QUERY,
    F_GET_RW_HINT,
    F_GET_SEALS,
    F_GETFD,
    F_GETFL,
    F_GETLEASE,
    F_GETLK,
    F_GETOWN,
    F_GETOWN_EX,
    F_GETPIPE_SZ,
    F_GETSIG,
    F_NOTIFY,
    F_OFD_GETLK,
    F_OFD_SETLK,
    F_OFD_SETLKW,
    F_OWNER_EX,
    F_OWNER_PGRP,
    F_OWNER_PID,
    F_SET_RW_HINT,
    F_SETFD,
    F_SETFL,
    F_SETLEASE,
    F_SETLK,
    F_SETLKW,
    F_SETOWN,
    F_SETOWN_EX,
    F_SETPIPE_SZ,
    F_SETSIG,
    FD_CLOEXEC,
)
from runsc_py.sentry.auth.capabilities import CAP_SYS_RESOURCE
from runsc_py.sentry.errors import EBADF, EINVAL
from runsc_py.sentry.fs.pipe import PipeFile
from runsc_py.sentry.kernel.directory_notification import set_notification
from runsc_py.sentry.kernel.file_owner import FileOwner, find_owner
from runsc_py.sentry.kernel.limits import RLIMIT_NOFILE
from runsc_py.sentry.kernel.task import Task
from runsc_py.sentry.syscalls.locks import get_record_lock, set_record_lock
from runsc_py.sentry.syscalls.table import syscall
from runsc_py.sentry.syscalls.types import FcntlArgument, FcntlCommand, Fd
from runsc_py.sentry.vfs.leases import get_lease, set_lease
from runsc_py.sentry.vfs.open_file import (
    O_APPEND,
    O_ASYNC,
    O_DIRECT,
    O_NOATIME,
    O_NONBLOCK,
    O_PATH,
    OpenFile,
)
from runsc_py.sentry.vfs.permissions import check_owner
from runsc_py.sentry.vfs.protection import check_overwritable

_SETTABLE_FLAGS = O_APPEND | O_ASYNC | O_DIRECT | O_NOATIME | O_NONBLOCK
#: what fcntl(2) does with a descriptor of an O_PATH open
_PATH_COMMANDS = (
    F_DUPFD,
    F_DUPFD_CLOEXEC,
    F_GETFD,
    F_SETFD,
    F_GETFL,
    F_DUPFD_QUERY,
    F_CREATED_QUERY,
)
_LAST_SIGNAL = 64
_INT_MIN = -(1 << 31)
_RWH_WRITE_LIFE_EXTREME = 5
_HINT = Struct("<Q")


@syscall(72, "fcntl")
async def fcntl(task: Task, fd: Fd, command: FcntlCommand, argument: FcntlArgument) -> int:
    """fcntl(2)"""
    file = task.files.get(fd)
    if file.flags & O_PATH and command not in _PATH_COMMANDS:
        raise EBADF
    if command in (F_SETLK, F_SETLKW, F_OFD_SETLK, F_OFD_SETLKW):
        return await set_record_lock(task, fd, file, command, argument)
    if command in (F_GETLK, F_OFD_GETLK):
        return get_record_lock(task, file, command, argument)
    if command in (F_DUPFD, F_DUPFD_CLOEXEC, F_GETFD, F_SETFD):
        return _descriptor_command(task, fd, file, command, argument & 0xFFFFFFFF)
    if command in (F_GETFL, F_SETFL):
        return _flags_command(task, fd, file, command, argument & 0xFFFFFFFF)
    if command == F_SETLEASE:
        set_lease(task, fd, file, argument & 0xFFFFFFFF)
        return 0
    if command == F_NOTIFY:
        set_notification(task, fd, file, argument & 0xFFFFFFFF)
        return 0
    if command in (F_SETOWN, F_GETOWN, F_SETOWN_EX, F_GETOWN_EX, F_SETSIG, F_GETSIG):
        return _owner_command(task, file, command, argument)
    if command in (F_GET_RW_HINT, F_SET_RW_HINT):
        return _hint_command(task, file, command, argument)
    return _file_command(task, file, command, argument & 0xFFFFFFFF)


def _descriptor_command(task: Task, fd: int, file: OpenFile, command: int, argument: int) -> int:
    if command == F_GETFD:
        return FD_CLOEXEC if task.files.close_on_exec(fd) else 0
    if command == F_SETFD:
        task.files.set_close_on_exec(fd, bool(argument & FD_CLOEXEC))
        return 0
    if argument >= task.files.limits.get(RLIMIT_NOFILE)[0]:
        raise EINVAL
    return task.files.add(file, command == F_DUPFD_CLOEXEC, minimum=argument)


def _flags_command(task: Task, fd: int, file: OpenFile, command: int, argument: int) -> int:
    if command == F_GETFL:
        return file.flags
    if argument & ~file.flags & O_NOATIME:
        check_owner(task.credentials, file.inode)
    if (argument ^ file.flags) & O_APPEND:
        check_overwritable(file.inode)
    if argument & O_DIRECT and not file.has_storage and not isinstance(file, PipeFile):
        raise EINVAL
    set_asynchronous(task, fd, file, bool(argument & O_ASYNC))
    file.flags = file.flags & ~_SETTABLE_FLAGS | argument & _SETTABLE_FLAGS
    return 0


def set_asynchronous(task: Task, fd: int, file: OpenFile, value: bool) -> None:
    """Set or clear O_ASYNC: from now on the owner gets signals, or no more."""
    if value:
        _owner_of(task, file).listen(fd)
        file.flags |= O_ASYNC
    elif file.flags & O_ASYNC:
        _owner_of(task, file).stop_listening()
        file.flags &= ~O_ASYNC


def _owner_of(task: Task, file: OpenFile) -> FileOwner:
    """What is remembered of the owner; a new one is nobody."""
    owner = file.owner
    if owner is None:
        owner = file.owner = FileOwner(file, F_OWNER_PID, None, task)
    return owner


def _owner_command(task: Task, file: OpenFile, command: int, argument: int) -> int:
    """Who is told of readiness by a signal, and by which; ids are those the caller sees."""
    owner = file.owner
    if command == F_GETSIG:
        return 0 if owner is None else owner.signal
    if command == F_SETSIG:
        if argument > _LAST_SIGNAL:
            raise EINVAL
        _owner_of(task, file).signal = argument
    elif command == F_GETOWN:
        identifier = 0 if owner is None else owner.identifier_in(task.pid_namespace)
        return -identifier if owner is not None and owner.kind == F_OWNER_PGRP else identifier
    elif command == F_SETOWN:
        identifier = (argument & 0xFFFFFFFF ^ 0x80000000) - 0x80000000
        if identifier == _INT_MIN:
            raise EINVAL
        _set_owner(task, file, F_OWNER_PGRP if identifier < 0 else F_OWNER_PID, abs(identifier))
    elif command == F_GETOWN_EX:
        kind = F_OWNER_PID if owner is None else owner.kind
        identifier = 0 if owner is None else owner.identifier_in(task.pid_namespace)
        task.memory.copy_out(argument, F_OWNER_EX.pack(kind, identifier))
    else:
        data = task.memory.copy_in(argument, F_OWNER_EX.size)
        _set_owner(task, file, *F_OWNER_EX.unpack(data))
    return 0


def _set_owner(task: Task, file: OpenFile, kind: int, identifier: int) -> None:
    target = find_owner(task, kind, identifier)
    before = file.owner
    owner = FileOwner(file, kind, target, task)
    if before is not None:
        owner.signal, owner.descriptor = before.signal, before.descriptor
        before.stop_listening()
    file.owner = owner
    if file.flags & O_ASYNC:
        owner.listen(owner.descriptor)


def _hint_command(task: Task, file: OpenFile, command: int, argument: int) -> int:
    """How long what is written will live: kept with the inode while that is in memory."""
    inode = file.inode
    hints = inode.filesystem.write_hints
    if command == F_GET_RW_HINT:
        task.memory.copy_out(argument, _HINT.pack(hints.get(inode, 0)))
        return 0
    check_owner(task.credentials, inode)
    (hint,) = _HINT.unpack(task.memory.copy_in(argument, _HINT.size))
    if hint > _RWH_WRITE_LIFE_EXTREME:
        raise EINVAL
    hints[inode] = hint
    return 0


def _file_command(task: Task, file: OpenFile, command: int, argument: int) -> int:
    """What only some kinds of files have."""
    if command in (F_GETPIPE_SZ, F_SETPIPE_SZ):
        if not isinstance(file, PipeFile):
            raise EBADF
        if command == F_GETPIPE_SZ:
            return file.pipe.capacity
        if task.credentials.has_capability(CAP_SYS_RESOURCE):
            return file.pipe.resize(argument)
        return file.pipe.resize(argument, task.kernel.file_settings.pipe_max_size)
    if command == F_ADD_SEALS:
        file.add_seals(argument)
        return 0
    if command == F_GET_SEALS:
        return file.get_seals()
    if command == F_GETLEASE:
        return get_lease(file)
    if command == F_CREATED_QUERY:
        return int(file.created)
    if command == F_DUPFD_QUERY:
        return int(task.files.get(argument) is file)
    raise EINVAL
