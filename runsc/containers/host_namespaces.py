"""Namespaces that a specification names by path.

A network namespace can be joined by a sandbox that uses the host's sockets, a PID namespace is that
of another container of the sandbox (loader/start.py).  Of a user namespace only the id maps count,
of a time namespace the offsets: they are read here.  The others cannot be shared with processes of
the host, which are another kernel's.
"""

import os

from runsc_py.runsc.errors import RunscError
from runsc_py.runsc.oci.spec import IdMapping, Namespace, Spec, TimeOffset
from runsc_py.runsc.runtime_log import RuntimeLog
from runsc_py.sentry.abi.ioctl import NS_GET_NSTYPE
from runsc_py.sentry.abi.process import (
    CLONE_NEWCGROUP,
    CLONE_NEWIPC,
    CLONE_NEWNET,
    CLONE_NEWNS,
    CLONE_NEWPID,
    CLONE_NEWTIME,
    CLONE_NEWUSER,
    CLONE_NEWUTS,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from runsc_py.runsc.containers.record import ContainerRecord
    from runsc_py.runsc.containers.store import StateDirectory

#: by type, as ioctl_nsfs(2) tells which one a file is
NAMESPACE_FLAGS = {
    "cgroup": CLONE_NEWCGROUP,
    "ipc": CLONE_NEWIPC,
    "mount": CLONE_NEWNS,
    "network": CLONE_NEWNET,
    "pid": CLONE_NEWPID,
    "time": CLONE_NEWTIME,
    "user": CLONE_NEWUSER,
    "uts": CLONE_NEWUTS,
}
#: of the initial namespace: every id is itself
EVERYTHING = [(0, 0, 0xFFFFFFFF)]


def check_paths(spec: Spec, log: RuntimeLog, *, is_root: bool) -> None:
    """What is named has to be there, and to be what it is said to be.  Raises RunscError."""
    for namespace in spec.linux.namespaces if spec.linux is not None else ():
        path = namespace.path
        if not path:
            continue
        try:
            os.stat(path)
        except OSError as error:
            reason = (error.strerror or "").lower()
            raise RunscError(f"{namespace.type} namespace: stat {path}: {reason}") from None
        _check_type(namespace)
        if is_root and namespace.type in ("ipc", "uts", "mount", "cgroup"):
            log.warning(
                f"{namespace.type} namespace {path} is not joined: the container has its own kernel"
            )


def _check_type(namespace: Namespace) -> None:
    import fcntl

    try:
        descriptor = os.open(namespace.path, os.O_RDONLY | os.O_CLOEXEC)
    except PermissionError:  # another user's; who joins it asks again
        return
    try:
        found = fcntl.ioctl(descriptor, NS_GET_NSTYPE)
    except OSError:
        found = 0
    finally:
        os.close(descriptor)
    if found != NAMESPACE_FLAGS[namespace.type]:
        raise RunscError(f"namespace path {namespace.path!r} is no {namespace.type} namespace")


def resolve_id_maps(spec: Spec, store: "StateDirectory") -> None:
    """Give the specification the maps of the user namespace that it names.  Raises RunscError."""
    namespace, linux = spec.namespace("user"), spec.linux
    if namespace is None or linux is None:
        return
    if namespace.path:
        uids, gids = _maps_of(namespace.path, store)
        given = _triples(linux.uid_mappings), _triples(linux.gid_mappings)
        if given != ([], []) and given != (uids, gids):
            raise RunscError(
                "user namespaces enabled, but both namespace path and non-matching mapping "
                "specified -- you may only provide one"
            )
        linux.uid_mappings, linux.gid_mappings = _mappings(uids), _mappings(gids)
    elif not linux.uid_mappings:
        raise RunscError(
            "user namespaces enabled, but no namespace path to join nor mappings to apply specified"
        )
    elif not linux.gid_mappings:
        raise RunscError("user namespaces enabled, but no gid mappings found")
    _check_user(spec)


def resolve_offsets(spec: Spec, store: "StateDirectory") -> None:
    """Give the specification the offsets of the time namespace it names.  Raises RunscError."""
    namespace, linux = spec.namespace("time"), spec.linux
    if namespace is None or linux is None or not namespace.path:
        return
    if linux.time_offsets:
        raise RunscError(
            "time namespace enabled, but both namespace path and time offsets specified"
        )
    pid = _process_of(namespace.path, "time")
    record = _container_of(pid, store)
    if record is not None:
        offsets = (record.spec.get("linux") or {}).get("timeOffsets") or {}
        linux.time_offsets = {
            name: TimeOffset(secs=one.get("secs", 0), nanosecs=one.get("nanosecs", 0))
            for name, one in offsets.items()
        }
    elif pid:
        linux.time_offsets = {
            name: TimeOffset(secs=seconds, nanosecs=nanoseconds)
            for name, seconds, nanoseconds in _read_offsets(f"/proc/{pid}/timens_offsets")
        }


def _read_offsets(path: str) -> list[tuple[str, int, int]]:
    try:
        with open(path) as file:
            rows = [line.split() for line in file]
    except OSError as error:
        raise RunscError(f"{path}: {error.strerror}") from None
    return [(name, int(seconds), int(nanoseconds)) for name, seconds, nanoseconds in rows]


def _process_of(path: str, kind: str) -> int:
    """The process that /proc/PID/ns/KIND names; 0 when the path is another."""
    parts = path.split("/")
    if parts[:2] == ["", "proc"] and parts[3:] == ["ns", kind] and parts[2].isdigit():
        return int(parts[2])
    return 0


def _container_of(pid: int, store: "StateDirectory") -> "ContainerRecord | None":
    """The container that this process stands for: it is ours, and its namespaces say nothing."""
    for identifier in store.identifiers() if pid else ():
        record = store.load(identifier)
        if record.process is not None and record.process.pid == pid:
            return record
    return None


def _check_user(spec: Spec) -> None:
    linux, process = spec.linux, spec.process
    assert linux is not None and process is not None
    for what, mappings, number in (
        ("uid", linux.uid_mappings, process.user.uid),
        ("gid", linux.gid_mappings, process.user.gid),
    ):
        if not mappings:
            continue
        for identifier, message in (
            (0, f"user namespaces enabled, but no mapping found for {what} 0"),
            (number, f"cannot set{what} to unmapped {what} {number} in user namespace"),
        ):
            if not any(
                one.container_id <= identifier < one.container_id + one.size for one in mappings
            ):
                raise RunscError(message)


def _triples(mappings: list[IdMapping]) -> list[tuple[int, int, int]]:
    return [(one.container_id, one.host_id, one.size) for one in mappings]


def _mappings(triples: list[tuple[int, int, int]]) -> list[IdMapping]:
    """The initial namespace has none that anybody would notice."""
    if triples == EVERYTHING:
        return []
    return [
        IdMapping(container_id=inside, host_id=outside, size=size)
        for inside, outside, size in triples
    ]


def _maps_of(
    path: str, store: "StateDirectory"
) -> tuple[list[tuple[int, int, int]], list[tuple[int, int, int]]]:
    """Of uids and of gids.  Raises RunscError."""
    pid = _process_of(path, "user")
    record = _container_of(pid, store)
    if record is not None:
        linux = record.spec.get("linux") or {}
        uids, gids = (
            [(one["containerID"], one["hostID"], one["size"]) for one in linux.get(key, ())]
            for key in ("uidMappings", "gidMappings")
        )
        return uids or EVERYTHING, gids or EVERYTHING
    if pid:
        return _read_map(f"/proc/{pid}/uid_map"), _read_map(f"/proc/{pid}/gid_map")
    if os.path.samestat(os.stat(path), os.stat("/proc/self/ns/user")):
        return EVERYTHING, EVERYTHING
    return _maps_by_joining(path)


def _read_map(path: str) -> list[tuple[int, int, int]]:
    try:
        with open(path) as file:
            rows = [line.split() for line in file]
    except OSError as error:
        raise RunscError(f"{path}: {error.strerror}") from None
    return [(int(inside), int(outside), int(size)) for inside, outside, size in rows]


def _maps_by_joining(
    path: str,
) -> tuple[list[tuple[int, int, int]], list[tuple[int, int, int]]]:
    """A namespace without a process that is known: a child of ours enters it and looks."""
    from runsc_py.runsc.confinement.host_calls import join_namespace

    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    entered, told = os.pipe2(os.O_CLOEXEC)
    looked, done = os.pipe2(os.O_CLOEXEC)
    child = os.fork()
    if child == 0:
        status = 1
        try:
            join_namespace(descriptor, CLONE_NEWUSER)
            os.write(told, b"0")
            os.close(done)
            os.read(looked, 1)
            status = 0
        finally:
            os._exit(status)
    for number in (descriptor, told, looked):
        os.close(number)
    try:
        if os.read(entered, 1) != b"0":
            raise RunscError(f"failed to join the user namespace {path}")
        return _read_map(f"/proc/{child}/uid_map"), _read_map(f"/proc/{child}/gid_map")
    finally:
        os.close(entered)
        os.close(done)
        os.waitpid(child, 0)
