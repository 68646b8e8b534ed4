"""Which sandbox a container belongs to: a new one, or one that runs already.

Kubernetes' engines say so with annotations.  podman says it with namespaces: a container that
joins those of another container's process belongs into that one's sandbox.
"""

from runsc_py.runsc.containers.host_process import HostProcess
from runsc_py.runsc.containers.store import StateDirectory
from runsc_py.runsc.errors import RunscError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from runsc_py.runsc.oci.spec import Spec

#: annotation of the type, of the sandbox: containerd's and CRI-O's
CRI = (
    ("io.kubernetes.cri.container-type", "io.kubernetes.cri.sandbox-id"),
    ("io.kubernetes.cri-o.ContainerType", "io.kubernetes.cri-o.SandboxID"),
)
#: namespaces that containers of one sandbox share
SHARED = ("pid", "ipc", "uts", "network")


def sandbox_of(spec: "Spec", identifier: str, store: StateDirectory) -> str:
    """The name of the sandbox; `identifier` itself for a new one.  Raises RunscError."""
    for kind_annotation, sandbox_annotation in CRI:
        kind = spec.annotations.get(kind_annotation)
        if kind is None:
            continue
        if kind == "sandbox":
            return identifier
        if kind != "container":
            raise RunscError(f"unknown container-type {kind!r}")
        sandbox = spec.annotations.get(sandbox_annotation, "")
        if not sandbox:
            raise RunscError("spec has container-type of container, but no sandbox ID set")
        return sandbox
    return _sandbox_of_namespaces(spec, store) or identifier


def is_pod(annotations: "Mapping[str, str]") -> bool:
    """Whether this is the container that Kubernetes' engines begin a pod with."""
    return any(annotations.get(kind) == "sandbox" for kind, _ in CRI)


def _sandbox_of_namespaces(spec: "Spec", store: StateDirectory) -> str | None:
    """The sandbox whose process the namespace paths name, if one of ours is meant."""
    pids = joined_processes(spec)
    if not pids:
        return None
    for identifier in store.identifiers():
        try:
            record = store.load(identifier)
        except RunscError:  # deleted meanwhile, or damaged: not the one
            continue
        process = record.process
        if process is not None and process.pid in pids and process.is_alive():
            return record.sandbox_id
    return None


def joined_processes(spec: "Spec") -> set[int]:
    """Ids of processes whose namespaces the container is to share."""
    found = set()
    for kind in SHARED:
        namespace = spec.namespace(kind)  # type: ignore[arg-type]  # each of SHARED is one
        pid = _process_of(namespace.path) if namespace is not None else 0
        if pid and HostProcess.find(pid) is not None:
            found.add(pid)
    return found


def _process_of(path: str) -> int:
    """The PID of `/proc/PID/ns/TYPE`; 0 for any other path."""
    match path.split("/"):
        case ["", "proc", pid, "ns", _] if pid.isascii() and pid.isdigit():
            return int(pid)
    return 0
