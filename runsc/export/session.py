"""One run's export: what was there before the program, and what is told after it."""

import os
import signal

from runsc_py.runsc.errors import EXIT_FAILURE, RunscError
from runsc_py.runsc.export.listing import line
from runsc_py.runsc.export.receiver import Receiver
from runsc_py.runsc.export.target import Target
from runsc_py.runsc.log import TextLog
from runsc_py.runsc.options import RunOptions
from runsc_py.runsc.result import RunResult

TYPE_CHECKING = False
if TYPE_CHECKING:
    from runsc_py.sentry.fs.overlay.changes import Change
    from runsc_py.sentry.fs.overlay.filesystem import Overlay
    from runsc_py.sentry.fs.overlay.node import OverlayInode
    from runsc_py.sentry.kernel.kernel import Kernel


class ExportSession:
    """`--export` and `--diff` of one run.  To be made before the sandbox starts a process."""

    def __init__(self, options: RunOptions, log: TextLog) -> None:
        """Raises RunscError for what could not be written."""
        self._log = log
        self._overlay: Overlay | None = None
        #: what we made ourselves before the program started, and when that was changed last
        self._made: dict[bytes, tuple[OverlayInode | None, int]] = {}
        self._list = _open_list(options.diff) if options.diff is not None else -1
        self._receiver: Receiver | None = None
        if options.export is not None:
            self._target = Target(options.export)
            self._receiver = Receiver(self._target)

    def begin(self, kernel: "Kernel") -> None:
        """The program is about to start: what was changed so far, mount points, was not by it."""
        from runsc_py.sentry.fs.overlay.filesystem import Overlay

        filesystem = kernel.root_mount_namespace.root.filesystem
        assert isinstance(filesystem, Overlay)
        self._overlay = filesystem
        self._made = {change.path: _state(change) for change in self._find()}

    def finish(self, result: RunResult) -> None:
        """The program has ended: hand back what it changed, and note that in the result."""
        # From here on nothing passes signals on to a program.
        signal.signal(signal.SIGINT, signal.default_int_handler)
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        changes = [
            change for change in self._find() if self._made.get(change.path) != _state(change)
        ]
        result.files_changed = len(changes)
        if self._list >= 0:
            self._write_list(changes)
        if self._receiver is not None:
            error = self._send(changes, self._receiver)
            if error:
                result.export_error = f"--export {self._target.text}: {error}"
                result.exit_status = EXIT_FAILURE

    def close(self) -> None:
        """Let go of it; an export that was not finished is as if it had never been begun."""
        if self._receiver is not None:
            self._receiver.finish()
            self._receiver = None

    def _find(self) -> "list[Change]":
        from runsc_py.sentry.fs.overlay.changes import find_changes

        assert self._overlay is not None
        return list(find_changes(self._overlay))

    def _write_list(self, changes: "list[Change]") -> None:
        text = "".join(line(change.kind, os.fsdecode(change.path)) for change in changes)
        data = text.encode(errors="backslashreplace")
        try:
            while data:
                data = data[os.write(self._list, data) :]
        except OSError as error:
            self._log.report(f"--diff: {error.strerror}")

    def _send(self, changes: "list[Change]", receiver: Receiver) -> str:
        """Write the stream; returns what went wrong."""
        from runsc_py.gofer.client import GoferError
        from runsc_py.runsc.archive.errors import ArchiveError
        from runsc_py.runsc.export.layer import LayerStream
        from runsc_py.sentry.errors import KernelError

        stream = LayerStream(receiver.descriptor)
        error = ""
        try:
            stream.write_all(changes)
        except BrokenPipeError:
            pass  # the receiver tells why
        except KernelError as failure:
            error = os.strerror(failure.number)
        except OSError as failure:
            error = failure.strerror or str(failure)
        except (ArchiveError, GoferError) as failure:
            error = str(failure)
        self._receiver = None
        answer = receiver.finish()
        for path in stream.left_out:
            self._log.warning(f"--export: {os.fsdecode(path)} has no place in an archive")
        return error or answer


def _state(change: "Change") -> "tuple[OverlayInode | None, int]":
    """What tells whether somebody changed it again."""
    if change.inode is None:
        return None, 0
    return change.inode, change.inode.get_attributes().change_time


def _open_list(path: str) -> int:
    """Where `--diff` writes; empty: standard error."""
    if not path:
        return 2
    flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOCTTY | os.O_CLOEXEC
    try:
        return os.open(path, flags, 0o666)
    except OSError as error:
        raise RunscError(f"--diff {path}: {error.strerror}") from None
