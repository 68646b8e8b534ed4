"""File systems that a specification mounts and no gofer serves, as mount(2) would make them.

The options are those of the table that mount(2) and fsconfig(2) have (vfs/filesystem_context.py);
what it does not know is refused, as it is for runc by the host.  A container has terminals of its
own, which its devpts shows, and a /dev that devices of its own are in.
"""

from __future__ import annotations

import os

from runsc_py.runsc.control.errors import GUEST, ControlError
from runsc_py.sentry.abi.mount_flags import MS_RDONLY
from runsc_py.sentry.errors import KernelError
from runsc_py.sentry.fs.devpts.mounting import DevptsType
from runsc_py.sentry.fs.tmpfs.mounting import TmpfsType, arguments
from runsc_py.sentry.vfs.filesystem_context import SUPER_BLOCK_FLAGS, FileSystemContext, type_called
from runsc_py.sentry.vfs.parameters import FLAG, STRING, Given, Refusal

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from runsc_py.sentry.fs.devpts.registry import TerminalRegistry
    from runsc_py.sentry.kernel.kernel_thread import KernelThread
    from runsc_py.sentry.kernel.task import Task
    from runsc_py.sentry.vfs.filesystem_context import FileSystemType
    from runsc_py.sentry.vfs.inode import FileSystem

#: types that a container may have mounted; `cgroup` was version 1
KINDS = frozenset(
    ("cgroup", "cgroup2", "devpts", "devtmpfs", "mqueue", "proc", "ramfs", "sysfs", "tmpfs")
)


class _OwnTerminals(DevptsType):
    """devpts with the terminals of a container."""

    def __init__(self, terminals: TerminalRegistry) -> None:
        self._terminals = terminals

    def registry(self, task: Task) -> TerminalRegistry:
        return self._terminals


class _Devices(TmpfsType):
    """A /dev with the devices that every container has: a tmpfs, unless a devtmpfs is wanted."""

    def __init__(self, kind: str) -> None:
        self._kind = kind

    def make(self, task: Task, context: FileSystemContext) -> FileSystem:
        from runsc_py.sentry.fs.dev.filesystem import DevFileSystem

        filesystem = DevFileSystem(task.kernel, of_container=True, **arguments(context.values))
        filesystem.type_name = self._kind
        return filesystem


def make_filesystem(
    walker: KernelThread,
    terminals: TerminalRegistry,
    kind: str,
    destination: str,
    options: Sequence[str],
    flags: int = 0,
) -> FileSystemContext:
    """A context that has made a file system, which lives as long as it or a mount does.

    Raises ControlError.
    """
    context = FileSystemContext(walker, _type(walker, terminals, kind, destination))
    # What is kept in memory becomes read-only when everything is there: loader/mounts.py.
    context.flags = flags & SUPER_BLOCK_FLAGS
    if isinstance(context.type, TmpfsType):
        context.flags &= ~MS_RDONLY
    try:
        for option in options:
            name, equals, value = os.fsencode(option).partition(b"=")
            if name:
                context.set(walker, name, Given(STRING, value) if equals else Given(FLAG))
        context.create(walker)
    except Refusal as refusal:
        reason = b"; ".join(dict.fromkeys(refusal.messages)).decode(errors="replace").strip()
        raise ControlError(
            f"mounting {kind} at {destination}: {reason}: Invalid argument", GUEST, refusal.number
        ) from None
    except KernelError as error:
        raise ControlError.of_kernel(f"mounting {kind} at {destination}", error) from None
    return context


def _type(
    walker: KernelThread, terminals: TerminalRegistry, kind: str, destination: str
) -> FileSystemType:
    if kind == "devpts":
        return _OwnTerminals(terminals)
    if kind == "devtmpfs" or (kind == "tmpfs" and destination == "/dev"):
        return _Devices(kind)
    return type_called(walker, b"cgroup2" if kind == "cgroup" else kind.encode())
