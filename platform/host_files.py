"""fallocate(2) and tee(2) on descriptors of the host, which Python's os module lacks.

In the compiled core, since a confined sentry cannot load ctypes any more.
"""

import os

from runsc_py.platform.ptrace._hot import lib


def allocate(descriptor: int, mode: int, offset: int, size: int) -> None:
    """fallocate(2) with its mode.  Raises OSError."""
    _check(lib.file_allocate(descriptor, mode, offset, size))


def tee(source: int, target: int, size: int) -> int:
    """tee(2) without waiting.  Raises OSError."""
    return _check(lib.file_tee(source, target, size))


def _check(result: int) -> int:
    if result < 0:
        raise OSError(-result, os.strerror(-result))
    return result
