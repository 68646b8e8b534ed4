"""mq_open(2), mq_unlink(2), mq_timedsend(2), mq_timedreceive(2), mq_notify(2), mq_getsetattr(2).

Names have no slash here: the C library takes the first one away.
"""

from runsc_py.sentry.abi.mqueue import MQ_ATTR, MQ_PRIO_MAX, NOTIFY_COOKIE_LEN
from runsc_py.sentry.abi.signals import SIGRTMAX
from runsc_py.sentry.abi.time import SIGEV_NONE, SIGEV_SIGNAL, SIGEV_THREAD, SIGEVENT
from runsc_py.sentry.errors import (
    EACCES,
    EBADF,
    EEXIST,
    EINVAL,
    EMSGSIZE,
    ENOENT,
    ENOTSOCK,
)
from runsc_py.sentry.fs.mqueue import MessageQueueFile, MqueueDirectory, mqueue_of
from runsc_py.sentry.ipc.posix_messages import Notification
from runsc_py.sentry.kernel.clock import CLOCK_REALTIME
from runsc_py.sentry.kernel.task import Task
from runsc_py.sentry.socket.netlink import NetlinkSocket
from runsc_py.sentry.socket.socket import Socket
from runsc_py.sentry.syscalls.table import syscall
from runsc_py.sentry.syscalls.time_arguments import copy_in_timespec
from runsc_py.sentry.syscalls.types import (
    Address,
    Fd,
    InBuffer,
    InSigevent,
    InTimespec,
    Mode,
    OpenFlags,
    OutBuffer,
    PathAddress,
    Size,
    UnsignedInt,
)
from runsc_py.sentry.vfs.attributes import S_IFREG
from runsc_py.sentry.vfs.open_file import (
    O_ACCMODE,
    O_CREAT,
    O_EXCL,
    O_NOCTTY,
    O_NONBLOCK,
    O_TRUNC,
    OpenFile,
)
from runsc_py.sentry.vfs.operations import add_entry, check_may_create, unlink
from runsc_py.sentry.vfs.path import Path
from runsc_py.sentry.vfs.permissions import MAY_READ, MAY_WRITE, check, check_search
from runsc_py.sentry.vfs.walk import Parent

#: flags that only the opening itself needs; the description does not keep them
_CREATION_FLAGS = O_CREAT | O_EXCL | O_NOCTTY | O_TRUNC
#: by access mode; there is no fourth
_ACCESS = (MAY_READ, MAY_WRITE, MAY_READ | MAY_WRITE)


@syscall(240, "mq_open")
def mq_open(
    task: Task, name: PathAddress, flags: OpenFlags, mode: Mode, attributes: Address
) -> int:
    """mq_open(2): the descriptor is closed on exec, always."""
    asked = None
    if attributes:
        _, maximum, size, _ = MQ_ATTR.unpack(task.memory.copy_in(attributes, MQ_ATTR.size))
        asked = (maximum, size)
    text = task.memory.copy_in_string(name)
    if not text:
        raise ENOENT
    task.files.free_descriptor()  # EMFILE comes before what is found
    parent = _parent_of(task, text)
    file = _open(task, parent, flags, mode, asked)
    return task.files.add(file, close_on_exec=True)


def _parent_of(task: Task, name: bytes) -> Parent:
    """The name in the root of the namespace's queues.  Errors: EACCES."""
    mount = mqueue_of(task.kernel, task.namespaces.ipc).mount
    if name in (b".", b"..") or b"/" in name:
        raise EACCES
    check_search(task.credentials, mount.root.existing)
    return Parent(mount, mount.root, name, False, 0, mount.root_path)


def _open(
    task: Task, parent: Parent, flags: int, mode: int, asked: tuple[int, int] | None
) -> OpenFile:
    """Errors: ENOENT, EEXIST, EINVAL, EACCES; those of a new queue."""
    dentry = parent.look_up()
    inode = dentry.inode
    if inode is None:
        if not flags & O_CREAT:
            raise ENOENT
        credentials = task.credentials
        check_may_create(credentials, parent)
        directory = parent.directory
        assert isinstance(directory, MqueueDirectory)
        full_mode = S_IFREG | mode & 0o7777 & ~task.file_context.umask
        inode = directory.make_queue(
            task, parent.name, full_mode, credentials.fsuid, credentials.fsgid, asked
        )
        dentry = add_entry(parent, inode)
    else:
        if flags & O_CREAT and flags & O_EXCL:
            raise EEXIST
        if flags & O_ACCMODE == O_ACCMODE:
            raise EINVAL
        check(task.credentials, inode, _ACCESS[flags & O_ACCMODE])
    return inode.open(task, Path(parent.mount, dentry), flags & ~_CREATION_FLAGS)


@syscall(241, "mq_unlink")
def mq_unlink(task: Task, name: PathAddress) -> int:
    """mq_unlink(2): who has the queue open keeps it."""
    text = task.memory.copy_in_string(name)
    if not text:
        raise ENOENT
    unlink(task, text, _parent_of(task, text).root)
    return 0


def _queue_file(task: Task, descriptor: int) -> MessageQueueFile:
    """Errors: EBADF."""
    file = task.files.get_io(descriptor)
    if not isinstance(file, MessageQueueFile):
        raise EBADF
    return file


def _deadline(task: Task, address: int) -> int | None:
    """An absolute CLOCK_REALTIME timeout as a monotonic one; None for NULL (for ever)."""
    if not address:
        return None
    return task.kernel.clock.deadline(CLOCK_REALTIME, copy_in_timespec(task, address))


@syscall(242, "mq_timedsend")
async def mq_timedsend(
    task: Task,
    descriptor: Fd,
    text: InBuffer,
    size: Size,
    priority: UnsignedInt,
    timeout: InTimespec,
) -> int:
    """mq_timedsend(2)"""
    deadline = _deadline(task, timeout)
    if priority >= MQ_PRIO_MAX:
        raise EINVAL
    file = _queue_file(task, descriptor)
    if not file.writable:
        raise EBADF
    if size > file.queue.message_size:
        raise EMSGSIZE
    message = (priority, task.memory.copy_in(text, size))
    file.acquire()
    try:
        await file.queue.send(task, message, not file.flags & O_NONBLOCK, deadline)
    finally:
        file.drop()
    file.node.touch()
    return 0


@syscall(243, "mq_timedreceive")
async def mq_timedreceive(
    task: Task,
    descriptor: Fd,
    text: OutBuffer,
    size: Size,
    priority: Address,
    timeout: InTimespec,
) -> int:
    """mq_timedreceive(2): the buffer must have room for the largest message."""
    deadline = _deadline(task, timeout)
    file = _queue_file(task, descriptor)
    if not file.readable:
        raise EBADF
    if size < file.queue.message_size:
        raise EMSGSIZE
    file.acquire()
    try:
        received = await file.queue.receive(task, not file.flags & O_NONBLOCK, deadline)
    finally:
        file.drop()
    file.node.touch()
    if priority:
        task.memory.copy_out(priority, received[0].to_bytes(4, "little"))
    task.memory.copy_out(text, received[1])
    return len(received[1])


@syscall(244, "mq_notify")
def mq_notify(task: Task, descriptor: Fd, event: InSigevent) -> int:
    """mq_notify(2); NULL takes the caller's registration back."""
    notification = _notification(task, event) if event else None
    file = _queue_file(task, descriptor)
    if notification is None:
        file.queue.unregister(task.thread_group)
    else:
        file.queue.register(notification)
    return 0


def _notification(task: Task, address: int) -> Notification:
    """What a struct sigevent asks for.

    With SIGEV_THREAD, which the C library makes threads of, `signal` is a netlink socket and
    `value` the address of a cookie.  Errors: EINVAL, EFAULT, EBADF, ENOTSOCK.
    """
    value, signal, kind, _ = SIGEVENT.unpack(task.memory.copy_in(address, SIGEVENT.size))
    group = task.thread_group
    if kind == SIGEV_NONE:
        return Notification(group, kind)
    if kind == SIGEV_SIGNAL:
        if not 0 <= signal <= SIGRTMAX:
            raise EINVAL
        return Notification(group, kind, signal=signal, value=value)
    if kind != SIGEV_THREAD:
        raise EINVAL
    cookie = task.memory.copy_in(value, NOTIFY_COOKIE_LEN)
    file = task.files.get_io(signal)
    if not isinstance(file, Socket):
        raise ENOTSOCK
    if not isinstance(file, NetlinkSocket):
        raise EINVAL
    return Notification(group, kind, cookie=cookie, send_cookie=file.put)


@syscall(245, "mq_getsetattr")
def mq_getsetattr(task: Task, descriptor: Fd, new: Address, old: Address) -> int:
    """mq_getsetattr(2): O_NONBLOCK is all that can be set."""
    flags = 0
    if new:
        flags, _, _, _ = MQ_ATTR.unpack(task.memory.copy_in(new, MQ_ATTR.size))
        if flags & ~O_NONBLOCK:
            raise EINVAL
    file = _queue_file(task, descriptor)
    queue = file.queue
    before = MQ_ATTR.pack(file.flags & O_NONBLOCK, queue.maximum, queue.message_size, len(queue))
    if new:
        file.flags = file.flags & ~O_NONBLOCK | flags
    if old:
        task.memory.copy_out(old, before)
    return 0
