"""Importing Python modules when their paths lead somewhere else.

A process that has entered a container's root directory must not import from there.  What it still
has to import (families of system calls are imported when a guest first uses them) it reads by way
of descriptors of the directories that modules are in.  Each is a copy of a mount with nothing above
it, so that no `..` leads from the library to the rest of the host.

Extension modules are opened by the dynamic linker, by path: those have to be imported before.
"""

from __future__ import annotations

import os
import sys
from importlib.machinery import BuiltinImporter, FrozenImporter, ModuleSpec, SourceFileLoader
from importlib.util import spec_from_file_location

from runsc_py.runsc.confinement import host_calls
from runsc_py.runsc.confinement.modules import library_paths

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from types import ModuleType


class Library:
    """Directories of Python modules by their former paths; finds what is imported from them."""

    def __init__(self, directories: Mapping[str, int]) -> None:
        self._directories = directories

    def find_spec(
        self, name: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """The module or package `name` (importlib's finder protocol)."""
        last = name.rpartition(".")[2]
        for directory in self._directories if path is None else path:
            package = f"{directory}/{last}"
            for file, places in ((f"{package}/__init__.py", [package]), (f"{package}.py", None)):
                if self.has(file):
                    return spec_from_file_location(
                        name,
                        file,
                        loader=_Loader(name, file, self),
                        submodule_search_locations=places,
                    )
        return None

    def open(self, path: str) -> int:
        """A file below one of the directories.  Raises OSError."""
        for directory, descriptor in self._directories.items():
            if path.startswith(directory + "/"):
                flags = os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW
                return os.open(path[len(directory) + 1 :], flags, dir_fd=descriptor)
        raise FileNotFoundError(path)

    def has(self, path: str) -> bool:
        """Whether there is such a file."""
        try:
            os.close(self.open(path))
        except OSError:
            return False
        return True


class _Loader(SourceFileLoader):
    """Reads source and compiled code from a library; writes nothing."""

    def __init__(self, name: str, path: str, library: Library) -> None:
        super().__init__(name, path)
        self._library = library

    def get_data(self, path: str | bytes) -> bytes:
        """The content of a file."""
        with open(self._library.open(os.fsdecode(path)), "rb") as file:
            return file.read()

    def path_stats(self, path: str | bytes) -> dict[str, float]:
        """What tells whether compiled code is older than its source."""
        descriptor = self._library.open(os.fsdecode(path))
        try:
            status = os.fstat(descriptor)
        finally:
            os.close(descriptor)
        return {"mtime": status.st_mtime, "size": status.st_size}

    def set_data(self, path: str | bytes, data: object, *, _mode: int = 0o666) -> None:
        """Compiled code is not kept."""


def open_library() -> Library:
    """The library of this interpreter, while paths still lead there.  Raises OSError."""
    return Library({path: host_calls.open_tree(os.fsencode(path)) for path in library_paths()})


def import_only_from(library: Library) -> None:
    """From now on nothing is imported by a path of the host's file system."""
    for module in list(sys.modules.values()):
        if not isinstance(getattr(module, "__path__", []), list):
            module.__path__ = list(module.__path__)  # namespaces look for more of them by path
    sys.meta_path[:] = [BuiltinImporter, FrozenImporter, library]
    sys.path.clear()
    sys.path_hooks.clear()
    sys.path_importer_cache.clear()
