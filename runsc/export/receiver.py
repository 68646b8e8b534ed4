"""The process that writes an export to the host.

It is forked before anything of the sandbox exists, holds the directory that the export goes to,
and reads a tar stream from a pipe.  Who writes that stream has served a hostile program, so it is
taken for hostile itself: an archive is parsed while it is copied, a directory is filled by the
unpacker of images.  What it makes has another name until it is complete, which the stream's end
marker says; when the pipe is closed before, or anything is wrong, all of it is removed.
"""

import gc
import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from runsc_py.runsc.archive.directories import remove_tree
from runsc_py.runsc.archive.errors import ArchiveError
from runsc_py.runsc.archive.reader import TarReader
from runsc_py.runsc.archive.unpacker import Unpacker
from runsc_py.runsc.export.listing import DELETED, VERSION, describe, kind_of
from runsc_py.runsc.export.target import Target
from runsc_py.runsc.standard_files import close_others

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, BinaryIO

#: what a directory holds
FILES, CHANGES = "files", "changes.json"
SUCCESS = b"\0"

_DIRECTORY = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_NEW_FILE = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
_CHUNK = 1 << 18
#: of us; the end of the pipe says that it is over
_IGNORED = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT, signal.SIGTSTP)


class Receiver:
    """The running process, as the one that started it has it."""

    def __init__(self, target: Target) -> None:
        """Fork it.  Errors: OSError."""
        directory = os.open(target.directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        stream, self.descriptor = os.pipe2(os.O_CLOEXEC)
        self._reply, reply = os.pipe2(os.O_CLOEXEC)
        #: of the process
        self.pid = os.fork()
        if self.pid == 0:
            _run_child(target, directory, stream, reply)
        for ours in (directory, stream, reply):
            os.close(ours)

    def finish(self) -> str:
        """Close the stream and wait; returns what went wrong, empty when nothing did."""
        self._close_stream()
        words = b""
        while part := os.read(self._reply, 4096):
            words += part
        os.close(self._reply)
        # The platform reaps every child that ends while it waits.
        with suppress(ChildProcessError):
            os.waitpid(self.pid, 0)
        if words == SUCCESS:
            return ""
        return words.decode(errors="replace") or "the process that writes it was killed"

    def _close_stream(self) -> None:
        if self.descriptor >= 0:
            os.close(self.descriptor)
            self.descriptor = -1


def _run_child(target: Target, directory: int, stream: int, reply: int) -> None:
    """The whole life of the child; never returns."""
    # Garbage of the parent must not be finalized here, where its descriptors are others.
    gc.freeze()
    try:
        os.setsid()
        for number in _IGNORED:
            signal.signal(number, signal.SIG_IGN)
        _keep_only({directory, stream, reply})
        try:
            _receive(target, directory, stream)
            answer = SUCCESS
        except ArchiveError as error:
            answer = str(error).encode(errors="replace")
        except OSError as error:
            answer = (error.strerror or str(error)).encode(errors="replace")
        except Exception as error:
            answer = f"internal error: {type(error).__name__}: {error}".encode(errors="replace")
        os.write(reply, answer)
    finally:
        os._exit(0)


def _keep_only(kept: set[int]) -> None:
    """Close every other descriptor; 0, 1 and 2 become /dev/null."""
    null = os.open("/dev/null", os.O_RDWR)
    for standard in {0, 1, 2} - kept:
        os.dup2(null, standard, inheritable=False)
    close_others(kept)


class _Copied:
    """A stream that is written elsewhere as it is read."""

    def __init__(self, descriptor: int, copy: "BinaryIO | None" = None) -> None:
        self._stream = os.fdopen(descriptor, "rb", _CHUNK)
        self._copy = copy

    def read(self, size: int = -1, /) -> bytes:
        data = self._stream.read(_CHUNK if size < 0 else size)
        if self._copy is not None:
            self._copy.write(data)
        return data

    def seek(self, offset: int, whence: int = 0, /) -> int:
        raise ArchiveError("a pipe cannot be searched")

    def drain(self) -> None:
        """Read to the end."""
        while self.read(_CHUNK):
            pass


def _receive(target: Target, directory: int, stream: int) -> None:
    """Raises ArchiveError, OSError; nothing is left then."""
    temporary = f".{target.name[:200]}.{os.getpid()}.tmp"
    try:
        if target.is_archive:
            with _output(directory, temporary, target.compressed) as output:
                _copy_archive(_Copied(stream, output))
        else:
            os.mkdir(temporary, 0o700, dir_fd=directory)
            inner = os.open(temporary, _DIRECTORY, dir_fd=directory)
            try:
                _fill_directory(_Copied(stream), inner)
            finally:
                os.close(inner)
        # Over an archive, or over a directory that is still empty.
        os.rename(temporary, target.name, src_dir_fd=directory, dst_dir_fd=directory)
    except BaseException:
        remove_tree(directory, temporary)
        raise


@contextmanager
def _output(directory: int, name: str, compressed: bool) -> "Iterator[BinaryIO]":
    """A new file, on the disk when it is left."""
    descriptor = os.open(name, _NEW_FILE, 0o666, dir_fd=directory)
    with os.fdopen(descriptor, "wb", _CHUNK) as file:
        if compressed:
            import gzip

            with gzip.GzipFile("", "wb", fileobj=file, mtime=0) as packed:
                yield packed  # type: ignore[misc]
        else:
            yield file
        file.flush()
        os.fsync(descriptor)


def _copy_archive(stream: _Copied) -> None:
    reader = TarReader(stream)
    for member in reader:
        member.components()
    _check_end(reader, stream)


def _fill_directory(stream: _Copied, directory: int) -> None:
    os.mkdir(FILES, 0o700, dir_fd=directory)
    root = os.open(FILES, _DIRECTORY, dir_fd=directory)
    entries: list[dict[str, Any]] = []
    try:
        unpacker = Unpacker(root)
        try:
            reader = TarReader(stream)
            for member in reader:
                entries.append(describe(member))
                if kind_of(member) != DELETED:
                    unpacker.add(member, reader)
            _check_end(reader, stream)
            unpacker.finish()
        finally:
            unpacker.close()
    finally:
        os.close(root)
    _write_list(directory, entries)


def _check_end(reader: TarReader, stream: _Copied) -> None:
    if not reader.ended:
        raise ArchiveError("it was cut off")
    stream.drain()


def _write_list(directory: int, entries: "list[dict[str, Any]]") -> None:
    import json

    descriptor = os.open(CHANGES, _NEW_FILE, 0o666, dir_fd=directory)
    with os.fdopen(descriptor, "w", _CHUNK) as file:
        # One line a change: for diff(1), and for people.
        lines = ",\n ".join(json.dumps(entry) for entry in entries)
        file.write(f'{{"version": {VERSION}, "changes": [\n {lines}\n]}}\n')
