"""Files of a `Container`, as its root user would read and change them, from outside of it."""

from __future__ import annotations

import os

from runsc_py.runsc.api.results import FileInfo

TYPE_CHECKING = False
if TYPE_CHECKING:
    from runsc_py.runsc.api.container import Container
    from runsc_py.runsc.control.client import ControlClient
    from runsc_py.runsc.control.file_calls import FileEntry

SECOND = 1_000_000_000


class Files:
    """`Container.files`.  Paths are absolute; what goes wrong inside is an OSError, as for open().

    Paths that end in symbolic links lead where those lead inside.
    """

    def __init__(self, container: Container) -> None:
        self._container = container

    # -- content -------------------------------------------------------------------------------

    def read(self, path: str) -> bytes:
        """The content of a regular file.  Raises OSError."""
        container = self._container
        with container.guest_errors(path), container.client() as client:
            reader, writer = os.pipe2(os.O_CLOEXEC)
            with open(reader, "rb", 0) as source:
                try:
                    request = client.begin_read(container.identifier, path, writer)
                finally:
                    os.close(writer)
                data = source.readall()
            client.finish(request, int)
        return data

    def read_text(self, path: str, encoding: str = "utf-8") -> str:
        """The same as text."""
        return self.read(path).decode(encoding)

    def write(self, path: str, data: bytes | str, mode: int = 0o644) -> None:
        """Make a file, or replace its content; directories that are missing are made, too.

        Raises OSError.
        """
        content = data.encode() if isinstance(data, str) else data
        descriptor = os.memfd_create("content", os.MFD_CLOEXEC)
        container = self._container
        with open(descriptor, "wb", 0) as file:
            for start in range(0, len(content), 1 << 24):
                file.write(content[start : start + (1 << 24)])
            with container.guest_errors(path), container.client() as client:
                client.write(container.identifier, path, descriptor, mode)

    # -- names ---------------------------------------------------------------------------------

    def stat(self, path: str, *, follow: bool = True) -> FileInfo:
        """What a name leads to.  Raises OSError."""
        container = self._container
        with container.guest_errors(path), container.client() as client:
            return _information(client.stat(container.identifier, path, follow=follow))

    def exists(self, path: str) -> bool:
        """Whether a name leads to something."""
        try:
            self.stat(path)
        except (FileNotFoundError, NotADirectoryError):
            return False
        return True

    def list(self, path: str) -> list[FileInfo]:
        """What is in a directory, by name.  Raises OSError."""
        container = self._container
        with container.guest_errors(path), container.client() as client:
            return [_information(e) for e in client.list_directory(container.identifier, path)]

    def make_directory(self, path: str, mode: int = 0o755) -> None:
        """Make a directory and those on the way to it, unless they are there.  Raises OSError."""
        container = self._container
        with container.guest_errors(path), container.client() as client:
            client.make_directory(container.identifier, path, mode)

    def rename(self, path: str, new_path: str) -> None:
        """Give a file another name, replacing what has it.  Raises OSError."""
        container = self._container
        with container.guest_errors(path), container.client() as client:
            client.rename(container.identifier, path, new_path)

    def remove(self, path: str, *, recursive: bool = False) -> None:
        """Remove a file or an empty directory, or all that is below it as well.  Raises OSError."""
        container = self._container
        with container.guest_errors(path), container.client() as client:
            if recursive:
                self._empty(client, path)
            client.remove(container.identifier, path)

    def _empty(self, client: ControlClient, path: str) -> None:
        """Remove what is below a directory."""
        name = self._container.identifier
        if not _information(client.stat(name, path)).is_directory:
            return
        for entry in client.list_directory(name, path):
            below = f"{path}/{entry.name}"
            if _information(entry).is_directory:
                self._empty(client, below)
            client.remove(name, below)

    # -- trees ---------------------------------------------------------------------------------

    def upload(self, source: str | os.PathLike[str], path: str) -> None:
        """Copy a file or a directory of the host's to `path`; symbolic links stay such.

        Raises OSError.
        """
        from runsc_py.runsc.api.trees import upload

        with self._container.guest_errors(path), self._container.client() as client:
            upload(client, self._container.identifier, os.fspath(source), path)

    def download(self, path: str, destination: str | os.PathLike[str]) -> None:
        """Copy a file or a directory to a name of the host's that is new.

        Symbolic links stay such, set-id bits go, devices and the like are left out.  Raises
        OSError; what was copied until then stays.
        """
        from runsc_py.runsc.api.trees import download

        with self._container.guest_errors(path), self._container.client() as client:
            download(client, self._container.identifier, path, os.fspath(destination))

    # -- changes -------------------------------------------------------------------------------

    def export(self, path: str | os.PathLike[str]) -> None:
        """The changes as a tar archive of the host, a layer as images have them."""
        from runsc_py.runsc.replacing import replace_file

        replace_file(os.fspath(path), self.upper_layer())

    def upper_layer(self) -> bytes:
        """The same in memory."""
        descriptor = os.memfd_create("rootfs-upper", os.MFD_CLOEXEC)
        with open(descriptor, "rb") as file, self._container.client() as client:
            client.tar_rootfs_upper(self._container.identifier, descriptor)
            file.seek(0)
            return file.read()


def _information(entry: FileEntry) -> FileInfo:
    return FileInfo(
        entry.name,
        entry.mode,
        entry.uid,
        entry.gid,
        entry.size,
        entry.modified / SECOND,
        entry.target,
    )
