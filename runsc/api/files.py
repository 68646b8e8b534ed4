"""Files of a `Sandbox`, read and written from outside of it as its root user would."""

from __future__ import annotations

import io
import os

from runsc_py.runsc.api.results import Change

TYPE_CHECKING = False
if TYPE_CHECKING:
    from runsc_py.runsc.api.sandbox import Sandbox


class Files:
    """`Sandbox.files`.  Paths are absolute; what goes wrong inside is an OSError, as for open()."""

    def __init__(self, sandbox: Sandbox) -> None:
        self._sandbox = sandbox

    def read(self, path: str) -> bytes:
        """The content of a regular file.  Raises OSError."""
        with self._sandbox.guest_errors(path), self._sandbox.client() as client:
            reader, writer = os.pipe2(os.O_CLOEXEC)
            with open(reader, "rb", 0) as source:
                try:
                    request = client.begin_read(self._sandbox.identifier, path, writer)
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
        with open(descriptor, "wb", 0) as file:
            for start in range(0, len(content), 1 << 24):
                file.write(content[start : start + (1 << 24)])
            with self._sandbox.guest_errors(path), self._sandbox.client() as client:
                client.write(self._sandbox.identifier, path, descriptor, mode)

    def changes(self) -> list[Change]:
        """What differs from the root directory that the sandbox began with."""
        from runsc_py.runsc.archive.reader import TarReader
        from runsc_py.runsc.export.listing import describe

        archive = io.BytesIO(self._upper())
        entries = [describe(member) for member in TarReader(archive)]
        return [Change(one["kind"], one["path"], one.get("size")) for one in entries]

    def export(self, path: str | os.PathLike[str]) -> None:
        """The changes as a tar archive of the host, a layer as images have them."""
        from runsc_py.runsc.replacing import replace_file

        replace_file(os.fspath(path), self._upper())

    def _upper(self) -> bytes:
        descriptor = os.memfd_create("rootfs-upper", os.MFD_CLOEXEC)
        with open(descriptor, "rb") as file, self._sandbox.client() as client:
            client.tar_rootfs_upper(self._sandbox.identifier, descriptor)
            file.seek(0)
            return file.read()
