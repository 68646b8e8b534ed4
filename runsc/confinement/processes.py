"""A PID namespace of the host for a sandbox, whose first process it is.

When that ends, however it ends, so do its stubs and its gofer, by the host's own doing; and for it
no other process of the host has a number.  Root may make one, and who is in a user namespace of
their own, as with rootless podman; anybody else's sandbox is among the host's processes as ever.
"""

import os

from runsc_py.runsc.confinement import host_calls
from runsc_py.runsc.confinement._walls import lib

_CLONE_NEWPID = 0x20000000
_READY = b"0"
#: how a child ends that is of no use
_NO_PROC = 3


def new_proc() -> int:
    """A mount of procfs(5) for the PID namespace of this process, which shows only processes that
    it may trace; its descriptor.  Raises OSError.
    """
    attributes = (
        host_calls.MOUNT_ATTR_NOSUID | host_calls.MOUNT_ATTR_NODEV | host_calls.MOUNT_ATTR_NOEXEC
    )
    return host_calls.new_mount(b"proc", {b"subset": b"pid", b"hidepid": b"ptraceable"}, attributes)


def fork_sandbox() -> tuple[int, int]:
    """fork(2), into a PID namespace where that can be made.

    The child gets 0 and a descriptor of the namespace's /proc, or -1 where there is no namespace.
    """
    reader, writer = os.pipe2(os.O_CLOEXEC)
    pid: int = lib.walls_fork(_CLONE_NEWPID)
    if pid == 0:
        os.close(reader)
        try:
            processes = new_proc()
        except OSError:
            os._exit(_NO_PROC)
        os.write(writer, _READY)
        os.close(writer)
        return 0, processes
    os.close(writer)
    ready = pid > 0 and os.read(reader, 1) == _READY
    os.close(reader)
    if ready or (pid > 0 and not _has_no_proc(pid)):
        return pid, -1
    return os.fork(), -1


def _has_no_proc(pid: int) -> bool:
    """Why a child has ended before it was ready; reaped only if it was for that."""
    ended = os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT)
    if ended is None or (ended.si_code, ended.si_status) != (os.CLD_EXITED, _NO_PROC):
        return False  # somebody killed it
    os.waitpid(pid, 0)
    return True
