"""`--ref-leak-mode`: what of a sandbox is left when nothing should be; for tests.

Tasks, open files, mounts, dentries and inodes live as long as somebody refers to them, so one that
is left refers to a table that was not cleared: a sandbox that runs for weeks would fill up.  When
the last container has ended, all that containers own is let go, and what the interpreter still
finds is named in the log; with `log-traces` also where it was made.  At last the gofer is asked
how many nodes it holds, of which every one should have been given back.
"""

from __future__ import annotations

import gc
import tracemalloc

from runsc_py.sentry.abi.signals import SIGKILL
from runsc_py.sentry.fs.anonymous import anonymous_file_system
from runsc_py.sentry.kernel.exit import exit_thread_group
from runsc_py.sentry.kernel.kernel_thread import KernelThread
from runsc_py.sentry.kernel.task import Task
from runsc_py.sentry.kernel.thread_group import ThreadGroup
from runsc_py.sentry.vfs.inode import Inode
from runsc_py.sentry.vfs.mount import Mount, MountNamespace
from runsc_py.sentry.vfs.open_file import OpenFile
from runsc_py.sentry.vfs.path import Dentry

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from runsc_py.gofer.client import GoferClient
    from runsc_py.runsc.loader.loader import Loader
    from runsc_py.runsc.sandbox_log import SandboxLog
    from runsc_py.sentry.kernel.kernel import Kernel

#: callers that a trace has
DEPTH = 20
#: rounds of finding garbage, whose finalizers make more
_ROUNDS = 3
_KINDS = (Task, ThreadGroup, MountNamespace, Mount, Dentry, Inode, OpenFile)


class LeakCheck:
    """Made before anything else is, so that traces begin there."""

    def __init__(self, mode: str) -> None:
        self._traces = mode == "log-traces"
        self._kernel: Kernel
        self._client: GoferClient | None = None
        if self._traces:
            tracemalloc.start(DEPTH)

    def end(self, loader: Loader) -> None:
        """The run loop has ended, with whatever processes there were."""
        self._kernel = kernel = loader.kernel
        self._client = loader.root.client
        for identifier in list(loader.containers):
            loader.destroy(identifier)
        loader.root.disconnect()
        # Nobody serves them any more.
        for group in list(kernel.root_pid_namespace.thread_groups()):
            exit_thread_group(group, SIGKILL)
        kernel.doomed.clear()
        kernel.ready.clear()

    def report(self, log: SandboxLog) -> None:
        """Name in the log what is left once the loader is gone, too."""
        kernel, client = self._kernel, self._client
        del kernel.root_mount_namespace, kernel.current_task
        kernel.init = None
        gc.unfreeze()
        lines = self.find(_of_the_kernel(kernel))
        if client is not None and not client.broken and (nodes := client.count_nodes()):
            lines.append(f"leak: {nodes} nodes of the gofer")
        for line in lines:
            log.warning(line)
        log.info(f"leaks of containers: {len(lines)}")

    def find(self, expected: Iterable[object]) -> list[str]:
        """A line for each thing that is there and not expected."""
        for _ in range(_ROUNDS):
            gc.collect()
        kept = {id(one) for one in expected}
        return [
            self._line(one)
            for one in gc.get_objects()
            if isinstance(one, _KINDS) and id(one) not in kept
        ]

    def stop(self) -> None:
        """Nobody asks any more."""
        if self._traces:
            tracemalloc.stop()

    def _line(self, leaked: object) -> str:
        line = f"leak: {_describe(leaked)}"
        trace = tracemalloc.get_object_traceback(leaked) if self._traces else None
        if trace is None:
            return line
        # Not trace.format(): the sources may be out of reach.
        places = " < ".join(f"{frame.filename}:{frame.lineno}" for frame in reversed(list(trace)))
        return f"{line}, made at {places}"


def _of_the_kernel(kernel: Kernel) -> Iterator[object]:
    """What there is as long as the kernel."""
    mounts = (kernel.anonymous_mount, anonymous_file_system(kernel).memory_mount)
    for mount in mounts:
        if mount is None:
            continue
        yield mount
        yield mount.root
        yield mount.filesystem.root


def _describe(leaked: object) -> str:
    """Its kind, and the name that guests know it by."""
    kind = type(leaked).__name__
    if isinstance(leaked, KernelThread):
        return f"{kind} {leaked.name!r}"
    if isinstance(leaked, Task):
        return f"{kind} {leaked.identifier} {leaked.name!r}"
    if isinstance(leaked, ThreadGroup):
        return f"{kind} {leaked.identifier}"
    if isinstance(leaked, Mount):
        return f"{kind} of {leaked.filesystem.type_name}"
    if isinstance(leaked, Dentry):
        return f"{kind} {_name(leaked)!r}"
    if isinstance(leaked, OpenFile):
        return f"{kind} of {_name(leaked.path.dentry)!r}, {leaked.references} references"
    if isinstance(leaked, Inode):
        return f"{kind} of {leaked.filesystem.type_name}, mode {leaked.mode:o}"
    return kind


def _name(dentry: Dentry) -> bytes:
    names: list[bytes] = []
    place: Dentry | None = dentry
    while place is not None:
        names.insert(0, place.name)
        place = place.parent
    return b"/".join(names)
