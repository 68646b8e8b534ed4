"""Where an export goes: looked at before the program starts, so that nothing runs in vain."""

import os

from runsc_py.runsc.errors import RunscError

ARCHIVES = (".tar",)
COMPRESSED = (".tar.gz", ".tgz")


class Target:
    """A directory that is new or empty, or an archive, which is replaced."""

    __slots__ = ("compressed", "directory", "is_archive", "name", "text")

    def __init__(self, text: str) -> None:
        """Raises RunscError for what cannot be written."""
        self.text = text
        path = os.path.realpath(text)
        self.directory, self.name = os.path.split(path)
        self.compressed = path.endswith(COMPRESSED)
        self.is_archive = path.endswith((*ARCHIVES, *COMPRESSED)) and not os.path.isdir(path)
        try:
            self._check(path)
        except OSError as error:
            raise self._failed(error.strerror or str(error)) from None

    def _check(self, path: str) -> None:
        if not self.name:
            raise self._failed("the root directory is not empty")
        if not os.path.isdir(self.directory):
            raise self._failed(f"there is no directory {self.directory}")
        if not os.access(self.directory, os.W_OK | os.X_OK):
            raise self._failed(f"{self.directory} is not writable")
        if self.is_archive:
            if os.path.lexists(path) and not os.path.isfile(path):
                raise self._failed("it is there, and no file")
        elif os.path.lexists(path):
            if not os.path.isdir(path):
                raise self._failed("it is a file; an archive's name ends in .tar or .tar.gz")
            if os.listdir(path):
                raise self._failed("it is not empty; name a new directory, or an empty one")
            if os.path.ismount(path):
                raise self._failed("it is a mount point; name a new directory in it")

    def _failed(self, why: str) -> RunscError:
        return RunscError(f"--export {self.text}: {why}")
