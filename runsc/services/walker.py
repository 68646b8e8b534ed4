"""Who opens files for a service: the superuser of a container, in its mounts."""

from __future__ import annotations

import errno
import os

from runsc_py.runsc.control.errors import GUEST, INVALID, ControlError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from runsc_py.runsc.loader.loader import Loader
    from runsc_py.sentry.kernel.kernel_thread import KernelThread


#: bytes of a path with its NUL
PATH_MAX = 4096


def path_of(text: str) -> bytes:
    """An absolute path as the sandbox's kernel takes it.  Raises ControlError."""
    if not text.startswith("/"):
        raise ControlError(f"{text!r} is not an absolute path", INVALID, errno.EINVAL)
    return name_of(text)


def name_of(text: str) -> bytes:
    """The same for what may be relative: the target of a symbolic link.  Raises ControlError."""
    name = os.fsencode(text)
    if b"\0" in name:
        raise ControlError(f"{text!r} has a null character", INVALID, errno.EINVAL)
    if len(name) >= PATH_MAX:
        raise ControlError(os.strerror(errno.ENAMETOOLONG), GUEST, errno.ENAMETOOLONG)
    return name


def walker_in(loader: Loader, identifier: str) -> KernelThread:
    """Somebody who names files as the container does.  Raises ControlError."""
    return loader.walker(loader.container(identifier))
