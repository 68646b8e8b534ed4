"""What opening a terminal's device number gives: tty(4), console(4), ptmx(4), pts(4)."""

from runsc_py.sentry.errors import EIO, ENODEV, ENOENT, ENXIO
from runsc_py.sentry.fs.dev.registry import CONSOLE, PTMX, TTY
from runsc_py.sentry.fs.devpts.filesystem import DevptsFileSystem
from runsc_py.sentry.fs.devpts.registry import terminals_of
from runsc_py.sentry.fs.devpts.terminal import Terminal
from runsc_py.sentry.vfs.open_file import O_NOCTTY, OpenFile
from runsc_py.sentry.vfs.walk import cross_down

TYPE_CHECKING = False
if TYPE_CHECKING:
    from runsc_py.sentry.fs.devpts.registry import TerminalRegistry
    from runsc_py.sentry.kernel.task import Task
    from runsc_py.sentry.vfs.path import Path


def open_device(task: "Task", path: "Path", flags: int, device: int) -> OpenFile:
    """Open one of the terminal devices.  Errors: ENXIO, EIO, ENODEV, ENOSPC."""
    if device == TTY:
        return open_controlling(task, path, flags)
    terminals = _terminals_at(task, path, device)
    if device == PTMX:
        return terminals.new_pair().open_master(task, path, flags)
    if device == CONSOLE:
        if terminals.host is None:
            raise ENODEV
        return terminals.host.open(path, flags)
    terminal = terminals.get(device & 0xFF | device >> 12 & ~0xFF)
    if terminal is None:
        raise EIO
    file = terminal.open(path, flags)
    if not flags & O_NOCTTY:
        terminal.acquire_on_open(task)
    return file


def _terminals_at(task: "Task", path: "Path", device: int) -> "TerminalRegistry":
    """Those that a node is about: of the devpts it is in, or for ptmx of the `pts` beside it.

    Errors: ENODEV (there is none).
    """
    dentry = path.dentry
    filesystem = dentry.existing.filesystem
    if isinstance(filesystem, DevptsFileSystem):
        return filesystem.terminals
    if device != PTMX:
        return terminals_of(task)
    if dentry.parent is None or dentry is path.mount.root:
        raise ENODEV
    try:
        child = dentry.parent.children.get(b"pts") or dentry.parent.look_up(b"pts")
    except ENOENT:
        raise ENODEV from None
    mount, root = cross_down(path.mount, child)
    if not isinstance(mount.filesystem, DevptsFileSystem) or root is not mount.root:
        raise ENODEV
    return mount.filesystem.terminals


def open_controlling(task: "Task", path: "Path", flags: int) -> OpenFile:
    """/dev/tty: the terminal of the caller's session.  Errors: ENXIO when it has none."""
    session = task.thread_group.session
    if session is None or session.terminal is None:
        raise ENXIO
    terminal = session.terminal
    assert isinstance(terminal, Terminal)
    return terminal.open(path, flags)
