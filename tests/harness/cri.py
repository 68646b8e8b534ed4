"""The container runtime interface (CRI v1) as the kubelet speaks it: gRPC on containerd's socket.

Requests and answers are dictionaries; MESSAGES has the fields of those messages that tests use, by
their numbers in the interface's api.proto.  What an answer has beside them is left out.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import grpc

Value = Any
#: int, str and bytes are themselves; another string is a message; a list is repeated
Kind = type | str | list[type | str]
Fields = dict[str, tuple[int, Kind]]

VARINT, FIXED64, LENGTH, FIXED32 = 0, 1, 2, 5
#: enum NamespaceMode
POD, CONTAINER, NODE = range(3)
#: enum ContainerState, and of pods
CREATED, RUNNING, EXITED = range(3)
READY, NOT_READY = range(2)
LIMIT = 60.0

MESSAGES: dict[str, Fields] = {
    "namespaces": {"network": (1, int), "pid": (2, int), "ipc": (3, int), "target_id": (4, str)},
    "metadata": {"name": (1, str), "uid": (2, str), "namespace": (3, str), "attempt": (4, int)},
    "pod_security": {"namespace_options": (1, "namespaces")},
    "pod_linux": {"security_context": (2, "pod_security")},
    "pod_config": {
        "metadata": (1, "metadata"), "hostname": (2, str), "log_directory": (3, str),
        "linux": (8, "pod_linux"),
    },
    "image": {"image": (1, str)},
    "variable": {"key": (1, str), "value": (2, str)},
    "mount": {"container_path": (1, str), "host_path": (2, str), "readonly": (3, int)},
    "resources": {"cpu_shares": (3, int), "memory_limit_in_bytes": (4, int)},
    "container_security": {"namespace_options": (3, "namespaces")},
    "container_linux": {
        "resources": (1, "resources"), "security_context": (2, "container_security"),
    },
    "container_name": {"name": (1, str), "attempt": (2, int)},
    "container_config": {
        "metadata": (1, "container_name"), "image": (2, "image"), "command": (3, [str]),
        "working_dir": (5, str), "envs": (6, ["variable"]), "mounts": (7, ["mount"]),
        "log_path": (11, str), "linux": (15, "container_linux"),
    },
    "container_status": {"state": (3, int), "exit_code": (7, int), "reason": (10, str)},
    "pod_status": {"state": (3, int), "runtime_handler": (9, str)},
    "stats_of": {"id": (1, str)},
    "processor": {"timestamp": (1, int)},
    "stats": {"attributes": (1, "stats_of"), "cpu": (2, "processor")},
}  # fmt: skip
_POD_ID: Fields = {"pod_sandbox_id": (1, str)}
_CONTAINER_ID: Fields = {"container_id": (1, str)}
#: method → fields of the request, and of the answer
METHODS: dict[str, tuple[Fields, Fields]] = {
    "RunPodSandbox": ({"config": (1, "pod_config"), "runtime_handler": (2, str)}, _POD_ID),
    "PodSandboxStatus": (_POD_ID, {"status": (1, "pod_status")}),
    "StopPodSandbox": (_POD_ID, {}),
    "RemovePodSandbox": (_POD_ID, {}),
    "CreateContainer": (
        {**_POD_ID, "config": (2, "container_config"), "sandbox_config": (3, "pod_config")},
        _CONTAINER_ID,
    ),
    "StartContainer": (_CONTAINER_ID, {}),
    "StopContainer": ({**_CONTAINER_ID, "timeout": (2, int)}, {}),
    "RemoveContainer": (_CONTAINER_ID, {}),
    "ContainerStatus": (_CONTAINER_ID, {"status": (1, "container_status")}),
    "ContainerStats": (_CONTAINER_ID, {"stats": (1, "stats")}),
    "UpdateContainerResources": ({**_CONTAINER_ID, "linux": (2, "resources")}, {}),
    "ExecSync": (
        {**_CONTAINER_ID, "cmd": (2, [str]), "timeout": (3, int)},
        {"stdout": (1, bytes), "stderr": (2, bytes), "exit_code": (3, int)},
    ),
    "PortForward": ({**_POD_ID, "port": (2, [int])}, {"url": (1, str)}),
}


def _varint(value: int) -> bytes:
    encoded = bytearray()
    while value > 0x7F:
        encoded.append(value & 0x7F | 0x80)
        value >>= 7
    encoded.append(value)
    return bytes(encoded)


def encode(fields: Fields, values: dict[str, Value]) -> bytes:
    """A protobuf message."""
    encoded = b""
    for name, value in values.items():
        number, kind = fields[name]
        for one in value if isinstance(kind, list) else [value]:
            single = kind[0] if isinstance(kind, list) else kind
            if single is int:
                encoded += _varint(number << 3 | VARINT) + _varint(one)
                continue
            if isinstance(single, str):
                data = encode(MESSAGES[single], one)
            else:
                data = one.encode() if single is str else one
            encoded += _varint(number << 3 | LENGTH) + _varint(len(data)) + data
    return encoded


def _parts(data: bytes) -> Iterator[tuple[int, int | bytes]]:
    """The number and the content of every field."""
    at = 0

    def varint() -> int:
        nonlocal at
        value = shift = 0
        while True:
            byte = data[at]
            at += 1
            value |= (byte & 0x7F) << shift
            shift += 7
            if byte < 0x80:
                return value

    while at < len(data):
        tag = varint()
        kind = tag & 7
        if kind == VARINT:
            yield tag >> 3, varint()
            continue
        size = {FIXED64: 8, FIXED32: 4}.get(kind)
        if size is None:
            size = varint()
        yield tag >> 3, data[at : at + size]
        at += size


def decode(fields: Fields, data: bytes) -> dict[str, Value]:
    """A protobuf message; what is not there is 0, empty, or {}."""
    names = {number: name for name, (number, _) in fields.items()}
    values: dict[str, Value] = {
        name: {} if isinstance(kind, str) else [] if isinstance(kind, list) else kind()
        for name, (_, kind) in fields.items()
    }
    for number, content in _parts(data):
        name = names.get(number)
        if name is None:
            continue
        kind = fields[name][1]
        if isinstance(kind, str):
            assert isinstance(content, bytes)
            values[name] = decode(MESSAGES[kind], content)
        elif kind is str:
            assert isinstance(content, bytes)
            values[name] = content.decode()
        else:
            values[name] = content
    return values


class RuntimeService:
    """`service(method, field=value, …)`; an answer's fields.  Raises grpc.RpcError."""

    def __init__(self, socket: Path) -> None:
        self._channel = grpc.insecure_channel(f"unix://{socket}")
        self._calls: dict[str, Any] = {}
        for method, (request, answer) in METHODS.items():
            self._calls[method] = self._channel.unary_unary(
                f"/runtime.v1.RuntimeService/{method}",
                request_serializer=lambda values, fields=request: encode(fields, values),
                response_deserializer=lambda data, fields=answer: decode(fields, data),
            )

    def __call__(self, method: str, **values: Value) -> dict[str, Value]:
        answer: dict[str, Value] = self._calls[method](values, timeout=LIMIT)
        return answer

    def close(self) -> None:
        """Hang up."""
        self._channel.close()
