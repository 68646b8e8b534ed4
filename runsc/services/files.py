"""Fs.*: a container's files, read and written from outside.

A part of a file is copied piece by piece, between two rounds of the run loop; who reads slowly
holds up nobody.  The archive of what was changed is made in one go, so that it shows one moment:
for that the descriptor has to be a plain file, which never makes a writer wait.
"""

from __future__ import annotations

import os
import stat

from runsc_py.runsc.control.errors import GUEST, UNSUPPORTED, ControlError
from runsc_py.runsc.control.server import LATER
from runsc_py.runsc.services.file_tree import make_directories
from runsc_py.runsc.services.walker import path_of, walker_in
from runsc_py.sentry.errors import KernelError
from runsc_py.sentry.kernel.waiting import POLLERR, POLLOUT, WaitQueue
from runsc_py.sentry.vfs.attributes import S_IFMT, S_IFREG
from runsc_py.sentry.vfs.open_file import (
    O_CREAT,
    O_NONBLOCK,
    O_RDONLY,
    O_TRUNC,
    O_WRONLY,
    OpenFile,
)
from runsc_py.sentry.vfs.opening import open_file
from runsc_py.sentry.vfs.walk import walk

TYPE_CHECKING = False
if TYPE_CHECKING:
    from runsc_py.runsc.control import calls, inspection
    from runsc_py.runsc.control.server import Deferred
    from runsc_py.runsc.loader.loader import Loader
    from runsc_py.sentry.kernel.kernel_thread import KernelThread

#: bytes copied at a time, and pieces until guests have their turn
PIECE = 1 << 16
PIECES = 16


class FileService:
    """Handlers of `Fs.*`."""

    def __init__(self, loader: Loader) -> None:
        self._loader = loader

    def read(self, call: calls.Read, files: list[int], later: Deferred) -> object:
        """Copy a part of a file; answered when it is done."""
        if len(files) != 1:
            raise ControlError(f"read arguments must contain 1 FD, but got {len(files)}")
        if call.offset < 0 or call.size < -1:
            raise ControlError(f"invalid offset {call.offset} or size {call.size}")
        reader, file = self._open(call.container_id, call.path)
        _Copy(reader, [file], files.pop(), later, call.offset, call.size).step()
        return LATER

    def cat(self, call: inspection.Cat, files: list[int], later: Deferred) -> object:
        """Copy files whole, one after the other; answered when it is done."""
        if len(files) != 1:
            raise ControlError(f"cat arguments must contain 1 FD, but got {len(files)}")
        if not call.paths:
            raise ControlError("cat arguments must name files")
        opened: list[OpenFile] = []
        try:
            for path in call.paths:
                if not path.startswith("/"):
                    raise ControlError(f"{path!r} is not an absolute path")
                reader, file = self._open(call.container_id, path)
                opened.append(file)
        except BaseException:
            for file in opened:
                file.drop()
            raise
        _Copy(reader, opened, files.pop(), later).step()
        return LATER

    def write(self, call: calls.Write, files: list[int], later: Deferred) -> None:
        """Take a file's content over, in one go."""
        if len(files) != 1:
            raise ControlError(f"write arguments must contain 1 FD, but got {len(files)}")
        if not stat.S_ISREG(os.fstat(files[0]).st_mode):
            raise ControlError("the content must come from a regular file")
        name = path_of(call.path)
        walker = walker_in(self._loader, call.container_id)
        try:
            make_directories(walker, name)
            flags = O_WRONLY | O_CREAT | O_TRUNC | O_NONBLOCK
            file = open_file(walker, name, flags, call.mode & 0o7777).acquire()
            try:
                if file.inode.mode & S_IFMT != S_IFREG:
                    raise ControlError(f"{call.path}: not a regular file")
                _copy_in(files[0], file)
            finally:
                file.drop()
        except KernelError as error:
            raise ControlError.of_kernel(call.path, error) from None

    def _open(self, identifier: str, path: str) -> tuple[KernelThread, OpenFile]:
        """A regular file with a reference, and who opened it.

        Others would block, or have no beginning.
        """
        name = path_of(path)
        walker = walker_in(self._loader, identifier)
        try:
            if walk(walker, name).inode.mode & S_IFMT != S_IFREG:
                raise ControlError(f"{path}: not a regular file")
            return walker, open_file(walker, name, O_RDONLY).acquire()
        except KernelError as error:
            raise ControlError.of_kernel(path, error) from None

    def tar_rootfs_upper(
        self, call: calls.TarRootfsUpper, files: list[int], later: Deferred
    ) -> list[str]:
        """The changes of the root as an archive; names that have no place in one are answered."""
        from runsc_py.runsc.archive.errors import ArchiveError
        from runsc_py.runsc.export.layer import LayerStream
        from runsc_py.sentry.fs.overlay.changes import find_changes
        from runsc_py.sentry.fs.overlay.filesystem import Overlay

        if len(files) != 1:
            raise ControlError(f"tar arguments must contain 1 FD, but got {len(files)}")
        if not stat.S_ISREG(os.fstat(files[0]).st_mode):
            raise ControlError("the archive must be written to a regular file")
        walker = walker_in(self._loader, call.container_id)
        overlay = walker.namespaces.mount.root.filesystem
        if not isinstance(overlay, Overlay):
            raise ControlError(
                f'the root of container "{call.container_id}" has no upper layer',
                UNSUPPORTED,
                hint="what it writes is in the bundle's own root directory; "
                "--overlay2=root:memory gives it an upper layer",
            )
        stream = LayerStream(files[0])
        try:
            stream.write_all(find_changes(overlay))
        except ArchiveError as error:
            raise ControlError(str(error), GUEST) from None
        return [os.fsdecode(path) for path in stream.left_out]


def _copy_in(source: int, file: OpenFile) -> None:
    offset = 0
    while data := os.pread(source, PIECE, offset):
        while data:
            count = file.write_at(data, offset)
            offset += count
            data = data[count:]


class _Copy:
    """Files on their way to a descriptor, one after the other; all are closed at the end."""

    def __init__(
        self,
        reader: KernelThread,
        files: list[OpenFile],
        out: int,
        later: Deferred,
        offset: int = 0,
        size: int = -1,
    ) -> None:
        self._reader = reader
        self._kernel = reader.kernel
        self._files = files
        self._offset = offset
        #: bytes still to be read; -1: up to the end
        self._left = size
        self._out = out
        self._unwritten = b""
        self._copied = 0
        self._later = later
        self._queue = WaitQueue()
        self._queue.add(self)
        os.set_blocking(out, False)
        later.cancel = self._close

    def wake(self, events: int) -> None:
        """There is room again, or nobody reads any more (Waiter protocol)."""
        self._kernel.events.unwatch(self._out, self._queue)
        self.step()

    def step(self) -> None:
        """Copy a few pieces, and come back later for the rest."""
        if self._out < 0:
            return
        self._kernel.current_task = self._reader
        try:
            for _ in range(PIECES):
                if not self._piece():
                    self._close()
                    self._later.answer(self._copied)
                    return
        except BlockingIOError:
            self._kernel.events.watch(self._out, POLLOUT | POLLERR, self._queue)
        except KernelError as error:
            self._fail(ControlError.of_kernel("read", error))
        except OSError as error:
            self._fail(ControlError(f"read: {error.strerror}", GUEST, error.errno or 0))
        else:
            self._kernel.timers.at(self._kernel.clock.monotonic(), self.step)

    def _piece(self) -> bool:
        """False when everything is copied."""
        if not self._unwritten:
            size = PIECE if self._left < 0 else min(PIECE, self._left)
            self._unwritten = self._files[0].read_at(size, self._offset) if size else b""
            if not self._unwritten:
                return self._next_file()
            self._offset += len(self._unwritten)
            if self._left >= 0:
                self._left -= len(self._unwritten)
        count = os.write(self._out, self._unwritten)
        self._unwritten = self._unwritten[count:]
        self._copied += count
        return True

    def _next_file(self) -> bool:
        """False when there is none."""
        if len(self._files) == 1:
            return False
        self._files.pop(0).drop()
        self._offset = 0
        return True

    def _fail(self, error: ControlError) -> None:
        self._close()
        self._later.fail(error)

    def _close(self) -> None:
        if self._out < 0:
            return
        self._kernel.events.unwatch(self._out, self._queue)
        os.close(self._out)
        self._out = -1
        while self._files:
            self._files.pop().drop()
