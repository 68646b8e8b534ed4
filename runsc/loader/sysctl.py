"""`linux.sysctl`: settings of a container's namespaces, written where programs find them.

Which settings belong to a namespace was checked with the specification.  A setting that Linux has
and we do not is told in the log; a value that is none is an error.
"""

from __future__ import annotations

import os

from runsc_py.runsc.control.errors import ControlError
from runsc_py.sentry.errors import EACCES, ENOENT, ENOTDIR, EPERM, KernelError
from runsc_py.sentry.fs.proc.filesystem import ProcFileSystem
from runsc_py.sentry.kernel.kernel_thread import KernelThread
from runsc_py.sentry.vfs.mount import Mount
from runsc_py.sentry.vfs.open_file import O_WRONLY
from runsc_py.sentry.vfs.opening import open_file

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from runsc_py.sentry.kernel.kernel import Kernel
    from runsc_py.sentry.kernel.namespaces import Namespaces
    from runsc_py.sentry.kernel.pid_namespace import PidNamespace


def apply_sysctls(
    kernel: Kernel,
    settings: Mapping[str, str],
    namespaces: Namespaces,
    pid_namespace: PidNamespace,
) -> None:
    """Set them all.  Raises ControlError."""
    if not settings:
        return
    root = Mount(0, ProcFileSystem(kernel, pid_namespace)).root_path
    walker = KernelThread(kernel, namespaces, root, pid_namespace=pid_namespace)
    kernel.current_task = walker
    for name, value in settings.items():
        try:
            file = open_file(walker, b"/sys/" + sysctl_path(name), O_WRONLY).acquire()
            try:
                file.write(os.fsencode(value))
            finally:
                file.drop()
        except (ENOENT, ENOTDIR, EACCES, EPERM):
            kernel.log.warning(f"sysctl {name!r} cannot be changed here, and stays as it is")
        except KernelError as error:
            raise ControlError.of_kernel(f"sysctl {name}={value}", error) from None


def sysctl_path(name: str) -> bytes:
    """Its place below /proc/sys: the first separator, dot or slash, tells which one separates."""
    if "/" in name and name.find("/") < (name + ".").find("."):
        return os.fsencode(name)
    return os.fsencode(name.translate({ord("."): "/", ord("/"): "."}))
