"""Fs.Stat and its like: names of a container's files, looked at and changed from outside.

Everything is done as the container's superuser would, by the functions that the system calls have;
paths never lead out of the container.  Neighbour: files.py, the content of files.
"""

from __future__ import annotations

import os
from contextlib import contextmanager

from runsc_py.runsc.control import file_calls
from runsc_py.runsc.control.errors import ControlError
from runsc_py.runsc.services.walker import name_of, path_of, walker_in
from runsc_py.sentry.errors import EEXIST, ENOENT, ENOTDIR, KernelError
from runsc_py.sentry.vfs.open_file import O_DIRECTORY, O_RDONLY
from runsc_py.sentry.vfs.opening import open_file
from runsc_py.sentry.vfs.operations import make_directory, make_symlink, remove_directory, unlink
from runsc_py.sentry.vfs.renaming import rename
from runsc_py.sentry.vfs.walk import walk

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from runsc_py.runsc.control.calls import Call
    from runsc_py.runsc.control.server import Deferred, Handler
    from runsc_py.runsc.loader.loader import Loader
    from runsc_py.sentry.kernel.kernel_thread import KernelThread
    from runsc_py.sentry.vfs.path import Path

#: bytes of an answer of Fs.List, about; a frame has room for four times as many
PAGE = 1 << 20
#: bytes of an entry but for its names, about
ENTRY = 200


class FileTreeService:
    """Handlers of `Fs.*` that are about names."""

    def __init__(self, loader: Loader) -> None:
        self._loader = loader

    def handlers(self) -> list[tuple[type[Call], Handler]]:
        """All of them."""
        return [
            (file_calls.Stat, self.stat),
            (file_calls.ListDirectory, self.list_directory),
            (file_calls.MakeDirectory, self.make_directory),
            (file_calls.MakeSymlink, self.make_symlink),
            (file_calls.Rename, self.rename),
            (file_calls.Remove, self.remove),
        ]

    @contextmanager
    def _walker(self, identifier: str, path: str) -> Iterator[tuple[KernelThread, bytes]]:
        """Who works in a container, and the name as it has it.  Raises ControlError."""
        name = path_of(path)
        walker = walker_in(self._loader, identifier)
        try:
            yield walker, name
        except KernelError as error:
            raise ControlError.of_kernel(path, error) from None

    def stat(
        self, call: file_calls.Stat, files: list[int], later: Deferred
    ) -> file_calls.FileEntry:
        """stat(2), lstat(2)."""
        with self._walker(call.container_id, call.path) as (walker, name):
            return _entry(call.path, walk(walker, name, follow=call.follow))

    def list_directory(
        self, call: file_calls.ListDirectory, files: list[int], later: Deferred
    ) -> list[file_calls.FileEntry]:
        """A page of a directory."""
        with self._walker(call.container_id, call.path) as (walker, name):
            directory = open_file(walker, name, O_RDONLY | O_DIRECTORY).acquire()
            names: list[bytes] = []
            try:
                while entries := directory.directory_entries(walker):
                    names += [one.name for one in entries]
                    directory.position = entries[-1].next_offset
            finally:
                directory.drop()
            names.sort()
            after = name_of(call.after)
            found, room = [], PAGE
            for one in names:
                if one <= after or one in (b".", b".."):
                    continue
                try:
                    place = walk(walker, name + b"/" + one, follow=False)
                except ENOENT:
                    continue  # /proc: it is gone since
                entry = _entry(os.fsdecode(one), place)
                found.append(entry)
                room -= ENTRY + len(one) + len(entry.target)
                if room <= 0:
                    break
            return found

    def make_directory(
        self, call: file_calls.MakeDirectory, files: list[int], later: Deferred
    ) -> None:
        """mkdir -p."""
        with self._walker(call.container_id, call.path) as (walker, name):
            make_directories(walker, name.rstrip(b"/") + b"/", call.mode & 0o7777)
            if not walk(walker, name).inode.is_directory:
                raise ENOTDIR

    def make_symlink(self, call: file_calls.MakeSymlink, files: list[int], later: Deferred) -> None:
        """symlink(2)."""
        with self._walker(call.container_id, call.path) as (walker, name):
            make_symlink(walker, name_of(call.target), name)

    def rename(self, call: file_calls.Rename, files: list[int], later: Deferred) -> None:
        """rename(2)."""
        with self._walker(call.container_id, call.path) as (walker, name):
            rename(walker, name, path_of(call.new_path))

    def remove(self, call: file_calls.Remove, files: list[int], later: Deferred) -> None:
        """remove(3): unlink(2) or rmdir(2)."""
        with self._walker(call.container_id, call.path) as (walker, name):
            if walk(walker, name, follow=False).inode.is_directory:
                remove_directory(walker, name)
            else:
                unlink(walker, name)


def make_directories(walker: KernelThread, name: bytes, mode: int = 0o755) -> None:
    """Every directory of a path up to its last slash that is missing.

    Errors: those of mkdir(2), but for EEXIST.
    """
    parts = name.split(b"/")[1:-1]
    for count in range(1, len(parts) + 1):
        try:
            make_directory(walker, b"/" + b"/".join(parts[:count]), mode)
        except EEXIST:
            continue


def _entry(name: str, place: Path) -> file_calls.FileEntry:
    inode = place.inode
    attributes = inode.get_attributes()
    return file_calls.FileEntry(
        name=name,
        mode=attributes.mode,
        uid=attributes.uid,
        gid=attributes.gid,
        size=attributes.size,
        links=attributes.links,
        modified=attributes.modification_time,
        changed=attributes.change_time,
        target=os.fsdecode(inode.read_link()) if inode.is_symlink else "",
    )
