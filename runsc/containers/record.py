"""What is written down of a container: one JSON document in the state directory.

`state`, `kill` and `delete` are asked for often: nothing is imported here that takes its time.
"""

from runsc_py.runsc.containers.host_process import HostProcess
from runsc_py.runsc.containers.status import STATUSES, check_transition
from runsc_py.runsc.errors import RunscError
from runsc_py.runsc.json_text import decode, encode

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

VERSION = 1


class ContainerRecord:
    """A container, from `create` to `delete`."""

    __slots__ = (
        "bundle", "cgroups", "config", "created", "identifier", "owner", "process", "sandbox",
        "sandbox_id", "spec", "status",
    )  # fmt: skip

    def __init__(self, identifier: str, sandbox_id: str) -> None:
        self.identifier = identifier
        #: the container that began the sandbox; the same as `identifier` for that one
        self.sandbox_id = sandbox_id
        self.status = "creating"
        self.bundle = ""
        #: RFC 3339, UTC
        self.created = ""
        self.owner = ""
        #: the process that engines wait for: the sandbox, or one that waits for the container
        self.process: HostProcess | None = None
        #: while `creating`: the command that creates; afterwards the sandbox's process
        self.sandbox: HostProcess | None = None
        #: directories of control groups that were made for the container
        self.cgroups: list[str] = []
        #: Config.to_dict()
        self.config: dict[str, Any] = {}
        #: config.json, with absolute paths
        self.spec: dict[str, Any] = {}

    @property
    def is_root(self) -> bool:
        """Whether it owns the sandbox."""
        return self.identifier == self.sandbox_id

    @property
    def annotations(self) -> "dict[str, str]":
        """Of the specification."""
        return self.spec.get("annotations") or {}

    def hooks(self, phase: str) -> "list[dict[str, Any]]":
        """Of the specification, by the name of the phase."""
        return (self.spec.get("hooks") or {}).get(phase) or []

    @property
    def has_terminal(self) -> bool:
        """Whether its first process has one."""
        return bool((self.spec.get("process") or {}).get("terminal"))

    def become(self, status: str) -> None:
        """Change the status.  Raises IllegalTransition."""
        check_transition(self.status, status)
        self.status = status

    def current_status(self) -> str:
        """The status now: what has died since it was written down is stopped."""
        if self.status == "stopped":
            return "stopped"
        process = self.sandbox if self.status == "creating" else self.process
        return self.status if process is not None and process.is_alive() else "stopped"

    def encode(self) -> bytes:
        """As JSON."""
        document = {name: getattr(self, name) for name in self.__slots__}
        for name in ("process", "sandbox"):
            process = document[name]
            document[name] = process and {"pid": process.pid, "start_time": process.start_time}
        return encode({"version": VERSION, **document}).encode()

    @classmethod
    def decode(cls, content: bytes) -> "ContainerRecord":
        """What `encode` made.  Raises RunscError for anything else."""
        try:
            document = decode(content)
            if document["version"] != VERSION or document["status"] not in STATUSES:
                raise ValueError("of another version")
            record = cls(document["identifier"], document["sandbox_id"])
            for name in cls.__slots__:
                value = document[name]
                if name in ("process", "sandbox") and value is not None:
                    value = HostProcess(int(value["pid"]), int(value["start_time"]))
                setattr(record, name, value)
        except (ValueError, KeyError, TypeError) as error:
            raise RunscError(f"container state is damaged: {error}") from None
        return record

    def oci_state(self) -> "dict[str, Any]":
        """What the specification calls the container's state."""
        status = self.current_status()
        state = {
            "ociVersion": self.spec.get("ociVersion", ""),
            "id": self.identifier,
            "pid": self.process.pid if self.process is not None and status != "stopped" else 0,
            "status": status,
            "bundle": self.bundle,
        }
        if self.annotations:
            state["annotations"] = self.annotations
        return state

    def listed_state(self) -> "dict[str, Any]":
        """The same with what runc's `state` and `list` tell beside it."""
        return {
            **self.oci_state(),
            "rootfs": (self.spec.get("root") or {}).get("path", ""),
            "created": self.created,
            "owner": self.owner,
        }
