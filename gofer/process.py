"""Starting and ending the gofer process.

start_gofer forks this interpreter: no second start-up is paid for, and nothing but the mounts'
roots is open in the child.  It must be called before the sentry opens anything, while the
process has one thread; the kernel kills the gofer when that thread ends.  The parent reaps:
`Connection.wait`, or whoever waits for all children of the process and meets `Connection.pid`.

Neighbours: server.py runs in the child, client.py talks to it from the parent.
"""

import gc
import os
import resource
from _socket import AF_UNIX, SO_SNDBUF, SOCK_CLOEXEC, SOCK_SEQPACKET, SOL_SOCKET, socketpair
from _socket import socket as Socket
from collections.abc import Callable, Sequence

from runsc_py.gofer import host
from runsc_py.gofer.nodes import Gofer, Mount, MountSpec
from runsc_py.gofer.server import report, serve

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import TypeAlias

    #: what a gofer does to itself when its mounts are open and nobody has asked for anything
    Confine: TypeAlias = Callable[[Sequence[Mount]], None]

__all__ = [
    "Connection",
    "MountSpec",
    "raise_descriptor_limit",
    "start_detached_gofer",
    "start_gofer",
]

#: room for the largest reply, where the host's net.core.wmem_max grants it
_SEND_BUFFER = 1 << 18


class Connection:
    """A running gofer: its socket, its process id, and the specs it serves (MOUNT's indices)."""

    __slots__ = ("mounts", "pid", "socket")

    def __init__(self, socket: Socket, pid: int, mounts: Sequence[MountSpec]) -> None:
        self.socket = socket
        self.pid = pid
        self.mounts = mounts

    def close(self) -> None:
        """Close the socket, upon which the gofer ends."""
        self.socket.close()

    def wait(self) -> int | None:
        """Reap the gofer after close(): its exit status as os.waitstatus_to_exitcode has it.

        None when somebody else reaped it, such as the platform, which waits for any child.
        """
        try:
            _, status = os.waitpid(self.pid, 0)
        except ChildProcessError:
            return None
        return os.waitstatus_to_exitcode(status)


def start_gofer(mounts: Sequence[MountSpec], confine: "Confine | None" = None) -> Connection:
    """Fork a gofer that serves `mounts`, whose sources it opens at once.

    A source that cannot be opened is told by GoferClient.mount of its index.  When all are open it
    calls `confine`.
    """
    ours, theirs = socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC)
    for end in (ours, theirs):
        end.setsockopt(SOL_SOCKET, SO_SNDBUF, _SEND_BUFFER)
    parent = os.getpid()
    pid = os.fork()
    if pid == 0:
        _run_child(theirs.detach(), parent, mounts, confine)
    theirs.close()
    return Connection(ours, pid, mounts)


def start_detached_gofer(
    mounts: Sequence[MountSpec], confine: "Confine | None" = None
) -> Connection:
    """A gofer that outlives this process: its connection is for another one, and ends it.

    It is the child of whoever reaps orphans here.
    """
    ours, theirs = socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC)
    for end in (ours, theirs):
        end.setsockopt(SOL_SOCKET, SO_SNDBUF, _SEND_BUFFER)
    reader, writer = os.pipe2(os.O_CLOEXEC)
    parent = os.getpid()
    first = os.fork()
    if first == 0:
        _run_child(theirs.detach(), parent, mounts, confine, writer)
    theirs.close()
    os.close(writer)
    told = os.read(reader, 16)
    os.close(reader)
    os.waitpid(first, 0)
    return Connection(ours, int(told or b"0"), mounts)


def _run_child(
    fd: int,
    parent: int,
    mounts: Sequence[MountSpec],
    confine: "Confine | None",
    detached_report: int = -1,
) -> None:
    """The whole life of the child; never returns, whatever happens."""
    status = 1
    # Garbage of the parent must not be finalized here, where its descriptors are others.
    gc.freeze()
    gc.enable()
    try:
        host.become_service(parent)
        if detached_report >= 0:
            # A child of ours is not killed when its parent ends (PR_SET_PDEATHSIG of prctl(2)).
            second = os.fork()
            if second:
                os.write(detached_report, b"%d" % second)
                os._exit(0)
        connection = _keep_only(fd)
        try:
            host.select_openat2(True)
            gofer = Gofer(mounts, raise_descriptor_limit())
            if confine is not None:
                confine(gofer.mounts)
            serve(gofer, connection)
            status = 0
        except (BrokenPipeError, ConnectionResetError):
            status = 0  # the client went while we answered
        except Exception as error:
            report(connection, error)
    finally:
        os._exit(status)


def _keep_only(fd: int) -> Socket:
    """Close every descriptor but the connection; 0, 1 and 2 become /dev/null.

    Left closed, they would be given to files, and a stray print would write into one.
    """
    null = os.open("/dev/null", os.O_RDWR)
    for standard in range(3):
        if standard != fd:
            os.dup2(null, standard, inheritable=False)
    for name in os.listdir("/proc/self/fd"):
        number = int(name)
        if number > 2 and number != fd:
            try:
                os.close(number)
            except OSError:
                continue  # the listing's own descriptor, closed already
    return Socket(AF_UNIX, SOCK_SEQPACKET, 0, fd)


def raise_descriptor_limit(limit: int = -1) -> int:
    """Raise RLIMIT_NOFILE to its hard limit: a node costs a descriptor.  Returns the new one.

    `limit`: not further, and never again, also of what is forked from here; -1: no limit.
    """
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if limit >= 0 and (limit < hard or hard == resource.RLIM_INFINITY):
        hard = limit
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    return hard
