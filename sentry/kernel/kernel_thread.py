"""A task of the kernel's own (Linux's kthread): it names files, and never runs guest code.

runsc mounts and looks up through one before there is a process, as the kernel's init thread does.
It has no number and is in no table; its credentials are those of the namespace's superuser.
"""

from __future__ import annotations

from runsc_py.sentry.auth.credentials import Credentials, root_credentials
from runsc_py.sentry.kernel.fd_table import FdTable
from runsc_py.sentry.kernel.file_context import FileContext
from runsc_py.sentry.kernel.limits import Limits
from runsc_py.sentry.kernel.namespaces import Namespaces
from runsc_py.sentry.kernel.signals import SignalHandlers
from runsc_py.sentry.kernel.task import KERNEL, Task
from runsc_py.sentry.kernel.thread_group import ThreadGroup

TYPE_CHECKING = False
if TYPE_CHECKING:
    from runsc_py.sentry.kernel.kernel import Kernel
    from runsc_py.sentry.kernel.pid_namespace import PidNamespace
    from runsc_py.sentry.vfs.path import Path


class KernelThread(Task):
    """What path walks and file operations ask of a task, and no more."""

    __slots__ = ()

    def __init__(
        self,
        kernel: Kernel,
        namespaces: Namespaces,
        root: Path | None = None,
        *,
        credentials: Credentials | None = None,
        pid_namespace: PidNamespace | None = None,
        limits: Limits | None = None,
        umask: int = 0,
    ) -> None:
        """What is not given: the root of the mounts, the superuser, the first PID namespace."""
        limits = limits or Limits()
        root = root or namespaces.mount.root.root_path
        self.kernel = kernel
        self.pid_namespace = pid_namespace or kernel.root_pid_namespace
        self.pid_namespace_for_children = self.pid_namespace
        self.identifiers = {}
        self.identifier = 0
        self.name = b"runsc-py"
        self.namespaces = namespaces
        self.credentials = credentials or root_credentials(kernel.root_user_namespace)
        self.file_context = FileContext(root, root, umask)
        self.files = FdTable(limits)
        self.thread_group = ThreadGroup(kernel, self.pid_namespace, SignalHandlers(), limits, 0)
        self.thread_group.leader = self
        self.thread_group.tasks.append(self)
        self.no_new_privileges = False
        self.extras = {}
        self.state = KERNEL
        self.voluntary_switches = 0
        self.watched = False
        self.attention = False
        self.tracing = None
