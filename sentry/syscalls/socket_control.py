"""Control messages of sendmsg(2) and recvmsg(2): cmsg(3), unix(7)."""

from runsc_py.sentry.abi.sockets import (
    AF_UNIX,
    CMSGHDR,
    IPPROTO_IP,
    IPPROTO_IPV6,
    MSG_CMSG_CLOEXEC,
    MSG_CTRUNC,
    SCM_CREDENTIALS,
    SCM_MAX_FD,
    SCM_RIGHTS,
    SO_PASSCRED,
    SOL_SOCKET,
    UCRED,
)
from runsc_py.sentry.auth.capabilities import CAP_SETGID, CAP_SETUID, CAP_SYS_ADMIN
from runsc_py.sentry.errors import EINVAL, EMFILE, ENOBUFS, EPERM, ESRCH
from runsc_py.sentry.kernel.task import Task
from runsc_py.sentry.socket.messages import Incoming, Outgoing, SocketCredentials
from runsc_py.sentry.socket.socket import Socket
from runsc_py.sentry.vfs.open_file import OpenFile

_ALIGNMENT = 8
_FD_SIZE = 4
#: /proc/sys/net/core/optmem_max
_MAXIMUM_CONTROL = 131072


def copy_in_control(task: Task, socket: Socket, address: int, size: int, message: Outgoing) -> None:
    """Read the control messages of a send into `message`.

    Errors: ENOBUFS, EFAULT, EINVAL (malformed or unknown), EBADF, EPERM, ESRCH.
    """
    if size > _MAXIMUM_CONTROL:
        raise ENOBUFS
    data = task.memory.copy_in(address, size)
    position = 0
    while position + CMSGHDR.size <= size:
        length, level, kind = CMSGHDR.unpack_from(data, position)
        if length < CMSGHDR.size or position + length > size:
            raise EINVAL
        payload = data[position + CMSGHDR.size : position + length]
        if level == SOL_SOCKET and socket.family == AF_UNIX:
            _read_one(task, kind, payload, message)
        elif level not in (IPPROTO_IP, IPPROTO_IPV6, SOL_SOCKET):
            raise EINVAL
        position += -(-length // _ALIGNMENT) * _ALIGNMENT


def _read_one(task: Task, kind: int, payload: bytes, message: Outgoing) -> None:
    if kind == SCM_RIGHTS:
        count = len(payload) // _FD_SIZE
        rights = message.rights or []
        if len(rights) + count > SCM_MAX_FD:
            raise EINVAL
        for index in range(count):
            fd = int.from_bytes(payload[index * 4 : index * 4 + 4], "little", signed=True)
            rights.append(task.files.get(fd))
        message.rights = rights
    elif kind == SCM_CREDENTIALS:
        if len(payload) != UCRED.size:
            raise EINVAL
        message.credentials = _checked_credentials(task, *UCRED.unpack(payload))
    else:
        raise EINVAL


def _checked_credentials(task: Task, pid: int, uid: int, gid: int) -> SocketCredentials:
    """Only the privileged may send other credentials than their own.  Errors: EPERM, ESRCH."""
    mine = task.credentials
    group = task.pid_namespace.thread_group(pid)
    if group is not task.thread_group and not mine.has_capability(CAP_SYS_ADMIN):
        raise EPERM
    if group is None:
        raise ESRCH
    if uid not in (mine.uid, mine.euid, mine.suid) and not mine.has_capability(CAP_SETUID):
        raise EPERM
    if gid not in (mine.gid, mine.egid, mine.sgid) and not mine.has_capability(CAP_SETGID):
        raise EPERM
    return SocketCredentials(group, uid, gid)


class ControlWriter:
    """Builds the control messages of a receive within the caller's room."""

    __slots__ = ("data", "flags", "room")

    def __init__(self, room: int) -> None:
        #: bytes left
        self.room = room
        self.data = b""
        #: MSG_CTRUNC once something did not fit
        self.flags = 0

    def put(self, level: int, kind: int, payload: bytes) -> None:
        """Append one message, cut to the room."""
        if self.room < CMSGHDR.size:
            self.flags |= MSG_CTRUNC
            return
        length = CMSGHDR.size + len(payload)
        if length > self.room:
            self.flags |= MSG_CTRUNC
            length = self.room
            payload = payload[: length - CMSGHDR.size]
        self.data += CMSGHDR.pack(length, level, kind) + payload
        padding = min(-length % _ALIGNMENT, self.room - length)
        self.data += bytes(padding)
        self.room -= length + padding


def build_control(
    task: Task, socket: Socket, message: Incoming, room: int, flags: int
) -> ControlWriter:
    """The control messages for what was received; files get their descriptors here."""
    writer = ControlWriter(room)
    if message.credentials is not None and socket.options.get((SOL_SOCKET, SO_PASSCRED)):
        sender = message.credentials
        ucred = UCRED.pack(sender.pid_for(task), sender.uid, sender.gid)
        writer.put(SOL_SOCKET, SCM_CREDENTIALS, ucred)
    if message.rights:
        _put_rights(task, message.rights, writer, bool(flags & MSG_CMSG_CLOEXEC))
        message.drop_rights()
    return writer


def _put_rights(
    task: Task, rights: list[OpenFile], writer: ControlWriter, close_on_exec: bool
) -> None:
    """Descriptors for as many files as fit; the rest is dropped (MSG_CTRUNC)."""
    room = max(0, writer.room - CMSGHDR.size) // _FD_SIZE
    descriptors: list[int] = []
    for file in rights[:room]:
        try:
            descriptors.append(task.files.add(file, close_on_exec))
        except EMFILE:
            break
    if len(descriptors) < len(rights):
        writer.flags |= MSG_CTRUNC
    if descriptors:
        payload = b"".join(fd.to_bytes(_FD_SIZE, "little") for fd in descriptors)
        writer.put(SOL_SOCKET, SCM_RIGHTS, payload)
