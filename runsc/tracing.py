"""Where `--strace` writes: standard error, or a file opened before the sandbox starts."""

from __future__ import annotations

import os

from runsc_py.runsc.errors import RunscError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from runsc_py.sentry.kernel.kernel import Kernel
    from runsc_py.sentry.strace.strace import Strace

STANDARD_ERROR = 2


def open_trace_file(target: str) -> int:
    """A file, which is emptied; standard error when the target is "".  Raises RunscError."""
    if not target:
        return STANDARD_ERROR
    flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_APPEND | os.O_NOCTTY | os.O_CLOEXEC
    try:
        return os.open(target, flags, 0o644)
    except OSError as error:
        raise RunscError(f"--strace={target}: {error.strerror}") from None


def make_strace(kernel: Kernel, descriptor: int) -> Strace:
    """A trace that is written to a descriptor."""
    broken = False

    def write(text: str) -> None:
        nonlocal broken
        data = text.encode(errors="surrogateescape")
        try:
            while data and not broken:
                data = data[os.write(descriptor, data) :]
        except OSError as error:
            # The program goes on without its trace; its calls must not get this errno.
            broken = True
            kernel.log.warning(f"--strace stopped: {error.strerror}")

    from runsc_py.sentry.strace.strace import Strace

    return Strace(write, kernel)
