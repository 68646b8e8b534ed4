"""Where `--result` goes: checked before the program starts, written when it has ended.

A path is of no use to a confined sentry: a process that was forked before writes the file.
"""

import fcntl
import os
import stat

from runsc_py.runsc.errors import RunscError
from runsc_py.runsc.replacing import replace_file
from runsc_py.runsc.result import RunResult

TYPE_CHECKING = False
if TYPE_CHECKING:
    from runsc_py.runsc.file_writer import FileWriter


class ResultFile:
    """A file, which appears whole or not at all; a descriptor `fd:N`; or standard output `-`."""

    __slots__ = ("_descriptor", "_path", "_target", "_writer")

    def __init__(self, target: str) -> None:
        """Raises RunscError when nothing could be written there."""
        self._target = target
        self._descriptor = -1
        self._path = ""
        self._writer: FileWriter | None = None
        if target == "-" or target.startswith("fd:"):
            self._descriptor = self._open_descriptor("1" if target == "-" else target[3:])
            return
        self._path = os.path.realpath(target)
        try:
            mode = os.stat(self._path).st_mode
        except FileNotFoundError:
            mode = stat.S_IFREG
        except OSError as error:
            raise self._failed(error) from None
        if not stat.S_ISREG(mode):
            # A device, a pipe: it cannot be replaced by a file.
            try:
                self._descriptor = os.open(self._path, os.O_WRONLY | os.O_CLOEXEC | os.O_NOCTTY)
            except OSError as error:
                raise self._failed(error) from None
        else:
            self._check_directory()
            self._writer = self._start_writer()

    def _start_writer(self) -> "FileWriter":
        from runsc_py.runsc.file_writer import FileWriter

        return FileWriter(self._replace, set())

    def _open_descriptor(self, number: str) -> int:
        """A copy of a descriptor that we were given."""
        if not (number.isascii() and number.isdigit()):
            raise RunscError(f"--result {self._target}: use FILE, fd:N or -")
        try:
            if fcntl.fcntl(int(number), fcntl.F_GETFL) & os.O_ACCMODE == os.O_RDONLY:
                raise RunscError(f"--result {self._target}: descriptor {number} is read-only")
            copy: int = fcntl.fcntl(int(number), fcntl.F_DUPFD_CLOEXEC, 3)
        except (OSError, OverflowError):
            raise RunscError(f"--result {self._target}: no descriptor {number} is open") from None
        return copy

    def _check_directory(self) -> None:
        directory = os.path.dirname(self._path)
        if not os.path.isdir(directory):
            raise RunscError(f"--result {self._target}: there is no directory {directory}")
        if not os.access(directory, os.W_OK | os.X_OK):
            raise RunscError(f"--result {self._target}: {directory} is not writable")

    def write(self, result: RunResult) -> None:
        """Write the document.  Raises RunscError; no part of a file is left then."""
        import json

        data = json.dumps(result.as_dict()).encode() + b"\n"
        descriptor = self._descriptor if self._writer is None else self._writer.descriptor
        failure = ""
        try:
            _write_all(descriptor, data)
        except OSError as error:
            failure = error.strerror or str(error)
        if self._writer is not None:
            failure = self._writer.finish()
        if failure:
            raise RunscError(f"--result {self._target}: {failure}")

    def _replace(self, stream: int) -> None:
        """In the process that writes: put a file in the place of an older one."""
        with os.fdopen(stream, "rb") as reader:
            data = reader.read()
        if data:  # else the run ended without a word
            replace_file(self._path, data)

    def _failed(self, error: OSError) -> RunscError:
        return RunscError(f"--result {self._target}: {error.strerror}")


def _write_all(descriptor: int, data: bytes) -> None:
    while data:
        data = data[os.write(descriptor, data) :]
