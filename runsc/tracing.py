"""Where `--strace` writes: standard error, or a file opened before the sandbox starts."""

import os

from runsc_py.runsc.errors import RunscError
from runsc_py.sentry.kernel.kernel import Kernel
from runsc_py.sentry.strace.strace import Strace

STANDARD_ERROR = 2


def open_strace(kernel: Kernel, target: str) -> Strace:
    """A trace to the file `target`, which is emptied; to standard error when it is "".

    Raises RunscError.
    """
    descriptor = STANDARD_ERROR
    if target:
        flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_APPEND | os.O_NOCTTY | os.O_CLOEXEC
        try:
            descriptor = os.open(target, flags, 0o644)
        except OSError as error:
            raise RunscError(f"--strace={target}: {error.strerror}") from None
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

    return Strace(write, kernel)
