"""Directories copied between the host and a container, name by name.

What a container answers is not to be trusted: names are checked before they become names of the
host's, everything is made new below directories that were opened, and never through a link.
"""

from __future__ import annotations

import os
import stat

from runsc_py.runsc.errors import RunscError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from runsc_py.runsc.control.client import ControlClient
    from runsc_py.runsc.control.file_calls import FileEntry

#: of a mode that a copy keeps: no set-id bits
PERMISSIONS = 0o777


def upload(client: ControlClient, container: str, source: str, path: str) -> None:
    """Copy a file or a tree into a container.  Raises OSError, ControlError."""
    status = os.lstat(source)
    if stat.S_ISLNK(status.st_mode):
        client.make_symlink(container, os.readlink(source), path)
    elif stat.S_ISDIR(status.st_mode):
        client.make_directory(container, path, status.st_mode & PERMISSIONS)
        for name in sorted(os.listdir(source)):
            upload(client, container, os.path.join(source, name), f"{path}/{name}")
    elif stat.S_ISREG(status.st_mode):
        descriptor = os.open(source, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK)
        try:
            client.write(container, path, descriptor, status.st_mode & PERMISSIONS)
        finally:
            os.close(descriptor)
    else:
        raise RunscError(f"{source}: neither a file nor a directory")


def download(client: ControlClient, container: str, path: str, destination: str) -> None:
    """Copy a file or a tree out of a container.  Raises OSError, ControlError."""
    parent, name = os.path.split(os.path.abspath(destination))
    directory = os.open(parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        entry = client.stat(container, path, follow=True)
        if not (stat.S_ISDIR(entry.mode) or stat.S_ISREG(entry.mode)):
            raise RunscError(f"{path}: neither a file nor a directory")
        _Download(client, container).copy(entry, path, directory, name)
    finally:
        os.close(directory)


class _Download:
    """One tree on its way out."""

    def __init__(self, client: ControlClient, container: str) -> None:
        self._client = client
        self._container = container

    def copy(self, entry: FileEntry, path: str, directory: int, name: str) -> None:
        """Make `name` in a directory of the host's what `path` is in the container."""
        if stat.S_ISDIR(entry.mode):
            os.mkdir(name, 0o700, dir_fd=directory)
            flags = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
            below = os.open(name, flags, dir_fd=directory)
            try:
                for one in self._client.list_directory(self._container, path):
                    _check_name(one.name)
                    self.copy(one, f"{path}/{one.name}", below, one.name)
                os.fchmod(below, entry.mode & PERMISSIONS)
            finally:
                os.close(below)
        elif stat.S_ISREG(entry.mode):
            flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
            file = os.open(name, flags, 0o600, dir_fd=directory)
            try:
                request = self._client.begin_read(self._container, path, file)
                self._client.finish(request, int)
                os.fchmod(file, entry.mode & PERMISSIONS)
            finally:
                os.close(file)
        elif stat.S_ISLNK(entry.mode):
            os.symlink(entry.target, name, dir_fd=directory)


def _check_name(name: str) -> None:
    """A name of one component, as no kernel but a broken one would not answer."""
    if name in ("", ".", "..") or "/" in name or "\0" in name:
        raise RunscError(f"the sandbox has answered with a name that is none: {name!r}")
