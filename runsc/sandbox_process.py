"""Starting the process of a sandbox, and gofers for containers that come to it later.

`launch_sandbox` forks: no interpreter starts a second time, so there is no executable of ours to be
opened through /proc/self/exe (CVE-2019-5736), and nothing but what is passed on survives in the
child (CVE-2024-21626).  The sandbox is in a session of its own and becomes the child of whoever
reaps orphans when its starter ends (conmon, the shim); it ends with the status of the root
container's first process, or kills itself with the signal that did.

Everything before the root container's process exists is `created`; the control server
(runsc/control/server.py) answers from then on.
"""

from __future__ import annotations

from collections.abc import Callable

TYPE_CHECKING = False
if TYPE_CHECKING:
    from runsc_py.runsc.config import Config
    from runsc_py.runsc.oci.spec import Spec


class SandboxRequest:
    """What a sandbox is to be: its root container, and where it is found afterwards."""

    def __init__(self, container_id: str, spec: Spec, config: Config, bundle: str) -> None:
        self.container_id = container_id
        self.spec = spec
        self.config = config
        #: directory that relative paths of the spec begin at
        self.bundle = bundle
        #: where the control server listens; made by the sandbox, mode 0600
        self.socket_path = ""
        #: descriptors for the root container's 0, 1 and 2, -1 for none
        self.standard_files = (0, 1, 2)
        #: the container's end of its terminal, instead of standard files; -1 for none
        self.terminal = -1
        #: guest number → descriptor of ours
        self.passed_files: dict[int, int] = {}
        #: the sandbox writes its log here; -1 for none
        self.log_descriptor = -1
        #: called in the starter with the sandbox's process id before the sandbox goes on: cgroups
        self.join_resources: Callable[[int], None] | None = None
        #: paths of namespaces of the host that the sandbox's process joins, by OCI type (network)
        self.host_namespaces: dict[str, str] = {}


def launch_sandbox(request: SandboxRequest) -> int:
    """Start a sandbox; its process id once the root container is created and checked.

    Raises RunscError, with the last lines of the sandbox's log, when it does not come up: nothing
    is left behind then.
    """
    raise NotImplementedError


class SubcontainerGofer:
    """A gofer for one container: what StartSubcontainer needs of it."""

    def __init__(self, pid: int, descriptor: int, gofer_mounts: list[str]) -> None:
        #: of the gofer's process, which ends by itself when the sandbox closes the connection
        self.pid = pid
        #: connection to donate; the caller closes its copy
        self.descriptor = descriptor
        #: calls.StartSubcontainer.gofer_mounts
        self.gofer_mounts = gofer_mounts


def start_subcontainer_gofer(spec: Spec, config: Config, bundle: str) -> SubcontainerGofer:
    """Fork the gofer of a container that is to be started in a running sandbox."""
    raise NotImplementedError
