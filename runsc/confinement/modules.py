"""Where modules of ours are imported from, and which must not be late."""

import os
import sys

#: where pip and Debian put packages
_PACKAGE_DIRECTORIES = ("site-packages", "dist-packages")
_OURS = ("runsc_py.runsc", "runsc_py.sentry", "runsc_py.platform", "runsc_py.gofer")
_EXTENSIONS = (
    "_bisect", "_heapq", "_json", "_struct", "_typing", "array", "binascii", "fcntl", "math",
    "resource", "select", "termios", "zlib",
)  # fmt: skip


def library_paths() -> list[str]:
    """The directories that modules of ours are imported from."""
    paths = [os.path.dirname(os.__file__)]
    paths += [path for path in sys.path if os.path.basename(path) in _PACKAGE_DIRECTORIES]
    for name in _OURS:
        __import__(name)
        paths += sys.modules[name].__path__
    return [path for path in dict.fromkeys(paths) if os.path.isdir(path)]


def import_extensions() -> None:
    """Extension modules, that something is made of that is imported late.

    The dynamic linker opens them by path and maps them as code, which a confined sandbox for
    containers refuses.
    """
    for name in _EXTENSIONS:
        try:
            __import__(name)
        except ImportError:
            continue  # this interpreter is made without it
