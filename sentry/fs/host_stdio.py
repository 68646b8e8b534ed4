"""The host's descriptors that `run` was given, as open files of the guest.

The guest shares the host's open file descriptions: offsets move on both sides, appending
appends.  Nothing here changes their flags (O_NONBLOCK least of all: the terminal or pipe may be
shared with the user's shell) and no call blocks: readiness is asked for first, and pipes and
sockets are read and written with RWF_NOWAIT besides, since somebody else may be quicker.

Terminals are in `fs/host_terminal.py`.
"""

import fcntl
import os
import select
from collections.abc import Sequence

from runsc_py.sentry.abi.ioctl import FIONREAD, INT
from runsc_py.sentry.errors import EACCES, EAGAIN, EINVAL, ENODEV, ENOTTY, EPERM
from runsc_py.sentry.fs.dev.registry import NULL
from runsc_py.sentry.fs.gofer.identity import IdMapper
from runsc_py.sentry.fs.host_file import HostFile
from runsc_py.sentry.fs.host_waiting import HostWaitQueue
from runsc_py.sentry.kernel.waiting import POLLERR, POLLHUP, POLLIN, POLLOUT
from runsc_py.sentry.vfs.attributes import (
    S_IFCHR,
    S_IFIFO,
    S_IFMT,
    S_IFREG,
    S_IFSOCK,
    AttributeChange,
    Attributes,
)
from runsc_py.sentry.vfs.inode import FileSystem, Inode
from runsc_py.sentry.vfs.open_file import (
    O_ACCMODE,
    O_APPEND,
    O_NONBLOCK,
    O_RDONLY,
    O_RDWR,
    O_TRUNC,
    OpenFile,
)
from runsc_py.sentry.vfs.path import Path

TYPE_CHECKING = False
if TYPE_CHECKING:
    from runsc_py.sentry.fs.devpts.registry import TerminalRegistry
    from runsc_py.sentry.kernel.kernel import Kernel
    from runsc_py.sentry.kernel.task import Task

#: preadv2(2): fail with EAGAIN instead of waiting
RWF_NOWAIT = 0x8
#: one read of a stream
LARGEST_READ = 1 << 18
#: one write after POLLOUT where RWF_NOWAIT is not supported: PIPE_BUF bytes fit
LARGEST_WRITE = 4096


def host_ids() -> IdMapper:
    """How owners on the host are shown: run by an ordinary user, he is the guest's root."""
    return IdMapper.rootless(os.getuid(), os.getgid()) if os.geteuid() != 0 else IdMapper()


class HostInode(Inode):
    """A file of the host that is known by a descriptor only.  It owns `descriptor`."""

    __slots__ = ("descriptor", "host_flags", "ids", "owner", "users", "wait_queue")

    def __init__(self, filesystem: FileSystem, descriptor: int) -> None:
        mode = os.fstat(descriptor).st_mode
        super().__init__(filesystem, filesystem.kernel.new_inode_number(), mode)
        self.descriptor = descriptor
        #: what fcntl(F_GETFL) said of the shared description
        self.host_flags: int = fcntl.fcntl(descriptor, fcntl.F_GETFL)
        self.ids = host_ids()
        #: global ids of the owner, where it is not the host's
        self.owner: tuple[int, int] | None = None
        self.wait_queue = HostWaitQueue(filesystem.kernel, descriptor)
        #: open files; the last one that goes closes the descriptor, so that a reader of our
        #: output sees its end when the guest has closed it
        self.users = 0

    def drop_user(self) -> None:
        """An open file of it is released."""
        self.users -= 1
        if not self.users and self.descriptor >= 0:
            self.wait_queue.close()
            os.close(self.descriptor)
            self.descriptor = -1

    def get_attributes(self) -> Attributes:
        status = os.fstat(self.descriptor)
        uid, gid = self.owner or (
            self.ids.guest_uid(status.st_uid),
            self.ids.guest_gid(status.st_gid),
        )
        return Attributes(
            device=self.filesystem.device,
            inode=self.number,
            mode=status.st_mode,
            links=status.st_nlink,
            uid=uid,
            gid=gid,
            special_device=status.st_rdev,
            size=status.st_size,
            block_size=status.st_blksize,
            blocks=status.st_blocks,
            access_time=status.st_atime_ns,
            modification_time=status.st_mtime_ns,
            change_time=status.st_ctime_ns,
        )

    def set_attributes(self, change: AttributeChange) -> None:
        """The size, when the description may write; owner, mode and times are the host's."""
        if change.mode is not None or change.uid is not None or change.gid is not None:
            raise EPERM
        if change.size is not None:
            os.ftruncate(self.descriptor, change.size)

    def open(self, task: "Task", path: Path, flags: int) -> OpenFile:
        """Opening /dev/stdout or /proc/self/fd/N: another description of the same object.

        The access cannot be more than what the host's description allows.
        """
        wanted = flags & O_ACCMODE
        if self.host_flags & O_ACCMODE not in (O_RDWR, wanted):
            raise EACCES
        if self.mode & S_IFMT == S_IFREG:
            if flags & O_TRUNC and wanted != O_RDONLY:
                os.ftruncate(self.descriptor, 0)
            return ReopenedHostFile(path, flags, self)
        return HostStream(path, flags, self)


class SharedHostFile(HostFile):
    """A regular file; the offset is that of the host's description."""

    __slots__ = ("host",)

    host: HostInode | None

    def __init__(self, path: Path, flags: int, host: HostInode) -> None:
        self.host = None
        super().__init__(path, flags)
        self.host = host
        host.users += 1

    @property
    def descriptor(self) -> int:
        assert self.host is not None
        return self.host.descriptor

    @property
    def position(self) -> int:
        return os.lseek(self.descriptor, 0, os.SEEK_CUR)

    @position.setter
    def position(self, value: int) -> None:
        if self.host is not None:
            os.lseek(self.descriptor, value, os.SEEK_SET)

    def read(self, size: int) -> bytes:
        return os.read(self.descriptor, size)

    def write(self, data: bytes) -> int:
        host = self.host
        if self.flags & O_APPEND and host is not None and not host.host_flags & O_APPEND:
            os.lseek(self.descriptor, 0, os.SEEK_END)
        return os.write(self.descriptor, data)

    def seek(self, offset: int, whence: int) -> int:
        if not 0 <= whence <= 4:
            raise EINVAL
        return os.lseek(self.descriptor, offset, whence)

    def release(self) -> None:
        if self.host is not None:
            self.host.drop_user()


class ReopenedHostFile(HostFile):
    """A regular file opened again by way of its descriptor: it has an offset of its own."""

    __slots__ = ("host",)

    def __init__(self, path: Path, flags: int, host: HostInode) -> None:
        super().__init__(path, flags)
        self.host = host
        host.users += 1

    @property
    def descriptor(self) -> int:
        return self.host.descriptor

    def release(self) -> None:
        self.host.drop_user()


class HostStream(OpenFile):
    """A pipe, a socket or a character device that is no terminal."""

    __slots__ = ("host", "no_wait", "poller", "sends_sigpipe")

    writes_whole = True

    def __init__(self, path: Path, flags: int, host: HostInode) -> None:
        super().__init__(path, flags)
        self.host = host
        self.poller = select.poll()
        self.poller.register(host.descriptor, POLLIN | POLLOUT)
        #: whether the host's file takes RWF_NOWAIT
        self.no_wait = True
        self.sends_sigpipe = host.mode & S_IFMT in (S_IFIFO, S_IFSOCK)
        self.wait_queue = host.wait_queue
        host.users += 1

    def host_descriptor(self) -> int | None:
        return self.host.descriptor

    def map_descriptor(self, task: "Task", protection: int, shared: bool) -> int:
        raise ENODEV

    def read(self, size: int) -> bytes:
        size = min(size, LARGEST_READ)
        if self.no_wait:
            buffer = bytearray(size)
            try:
                count = os.preadv(self.host.descriptor, [buffer], -1, RWF_NOWAIT)
                return bytes(memoryview(buffer)[:count])
            except BlockingIOError:
                raise EAGAIN from None
            except OSError as error:
                if error.errno not in _NO_WAIT_UNSUPPORTED:
                    raise
                self.no_wait = False
        if not self.poll() & (POLLIN | POLLHUP | POLLERR):
            raise EAGAIN
        return os.read(self.host.descriptor, size)

    def write(self, data: bytes) -> int:
        if self.no_wait:
            try:
                return os.pwritev(self.host.descriptor, [data], -1, RWF_NOWAIT)
            except BlockingIOError:
                raise EAGAIN from None
            except OSError as error:
                if error.errno not in _NO_WAIT_UNSUPPORTED:
                    raise
                self.no_wait = False
        if not self.poll() & (POLLOUT | POLLHUP | POLLERR):
            raise EAGAIN
        return os.write(self.host.descriptor, data[:LARGEST_WRITE])

    def poll(self) -> int:
        ready = self.poller.poll(0)
        return ready[0][1] if ready else 0

    def ioctl(self, task: "Task", request: int, argument: int) -> int:
        if request != FIONREAD or self.host.mode & S_IFMT == S_IFCHR:
            raise ENOTTY
        answer = fcntl.ioctl(self.host.descriptor, FIONREAD, bytes(INT.size))
        task.memory.copy_out(argument, answer)
        return 0

    def release(self) -> None:
        self.host.drop_user()


#: EOPNOTSUPP, EINVAL and ESPIPE: the file or an old kernel does not know RWF_NOWAIT
_NO_WAIT_UNSUPPORTED = frozenset((95, 22, 29))


def open_standard_files(
    terminals: "TerminalRegistry",
    descriptors: Sequence[int],
    owner: tuple[int, int] | None = None,
) -> list[OpenFile | None]:
    """Open files for host descriptors, which from then on belong to them; None for closed ones.

    Descriptors of one terminal with the same flags give one open file, since they are nearly
    always duplicates.  The first terminal becomes `terminals.host`; the caller makes it the
    controlling one.  `owner` is whose pipes, sockets and terminals are, so that a program which
    runs as another user may open /dev/stdin again; regular files stay their owner's.
    """
    kernel = terminals.kernel
    files: list[OpenFile | None] = []
    known: dict[tuple[int, int], OpenFile] = {}
    for descriptor in descriptors:
        if not _is_open(descriptor):
            files.append(None)
        elif not os.isatty(descriptor):
            files.append(_open_other(kernel, descriptor, owner))
        else:
            key = (os.fstat(descriptor).st_rdev, _status_flags(descriptor))
            if key not in known:
                known[key] = _open_terminal(terminals, descriptor, known, owner)
            files.append(known[key])
    return files


def _is_open(descriptor: int) -> bool:
    try:
        os.fstat(descriptor)
    except OSError:
        return False
    return True


def _status_flags(descriptor: int) -> int:
    flags: int = fcntl.fcntl(descriptor, fcntl.F_GETFL)
    return flags & (O_ACCMODE | O_APPEND | O_NONBLOCK)


def _open_other(kernel: "Kernel", descriptor: int, owner: tuple[int, int] | None) -> OpenFile:
    status = os.fstat(descriptor)
    if status.st_mode & S_IFMT == S_IFCHR and status.st_rdev == NULL:
        flags = _status_flags(descriptor)
        os.close(descriptor)
        return _open_null(kernel, flags)
    inode = HostInode(kernel.anonymous_mount.filesystem, descriptor)
    kind = inode.mode & S_IFMT
    name = {S_IFIFO: b"pipe", S_IFSOCK: b"socket"}.get(kind, b"host")
    path = kernel.anonymous_path(inode, b"%s:[%d]" % (name, inode.number))
    if kind == S_IFREG:
        return SharedHostFile(path, _status_flags(descriptor), inode)
    inode.owner = owner
    return HostStream(path, _status_flags(descriptor), inode)


def _open_null(kernel: "Kernel", flags: int) -> OpenFile:
    """The guest's own /dev/null in the place of the host's."""
    from runsc_py.sentry.fs.dev.filesystem import DevFileSystem
    from runsc_py.sentry.fs.dev.memory import MemoryDevice

    for mount in kernel.root_mount_namespace.mounts:
        filesystem = mount.filesystem
        if isinstance(filesystem, DevFileSystem) and mount.root.inode is filesystem.root:
            return MemoryDevice(Path(mount, mount.root.look_up(b"null")), flags)
    inode = DevFileSystem(kernel).root.lookup(b"null")
    return MemoryDevice(kernel.anonymous_path(inode, b"/dev/null"), flags)


def _open_terminal(
    terminals: "TerminalRegistry",
    descriptor: int,
    known: dict[tuple[int, int], OpenFile],
    owner: tuple[int, int] | None,
) -> OpenFile:
    """An open file of a terminal of the host; `known` has those made so far."""
    from runsc_py.sentry.fs.devpts.filesystem import terminal_path
    from runsc_py.sentry.fs.host_terminal import HostTerminal, HostTerminalFile

    status = os.fstat(descriptor)
    flags = _status_flags(descriptor)
    for (device, _), file in known.items():
        if device == status.st_rdev:
            assert isinstance(file, HostTerminalFile)
            file.terminal.add(descriptor)
            return file.terminal.open(file.path, flags)
    uid = host_ids().guest_uid(status.st_uid) if owner is None else owner[0]
    terminal = HostTerminal(terminals, descriptor, uid)
    terminal.add(descriptor)
    terminals.add_host(terminal)
    return terminal.open(terminal_path(terminals, terminal.number), flags)
