"""The process that writes an export to the host.

It holds the directory that the export goes to, and reads a tar stream (file_writer.py).  Who writes
that is taken for hostile: an archive is parsed while it is copied, a directory is filled by the
unpacker of images.  What it makes has another name until it is complete, which the stream's end
marker says; when the pipe is closed before, or anything is wrong, all of it is removed.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager

from runsc_py.runsc.archive.directories import remove_tree
from runsc_py.runsc.archive.errors import ArchiveError
from runsc_py.runsc.archive.reader import TarReader
from runsc_py.runsc.archive.unpacker import Unpacker
from runsc_py.runsc.errors import RunscError
from runsc_py.runsc.export.listing import DELETED, VERSION, describe, kind_of
from runsc_py.runsc.export.target import Target
from runsc_py.runsc.file_writer import FileWriter

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, BinaryIO

#: what a directory holds
FILES, CHANGES = "files", "changes.json"

_DIRECTORY = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_NEW_FILE = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
_CHUNK = 1 << 18


class Receiver(FileWriter):
    """The running process, as the one that started it has it."""

    def __init__(self, target: Target) -> None:
        """Fork it.  Errors: OSError."""
        directory = os.open(target.directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            super().__init__(lambda stream: _receive_all(target, directory, stream), {directory})
        finally:
            os.close(directory)


def _receive_all(target: Target, directory: int, stream: int) -> None:
    try:
        _receive(target, directory, stream)
    except ArchiveError as error:
        raise RunscError(str(error)) from None


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
