"""Reading config.json: bytes to `Spec`, with an error that names the place, and back.

Members that nobody knows are reported and ignored, as the specification asks.  `null` stands for
a member that is not there: engines written in Go write it for empty lists.
"""

from __future__ import annotations

import os

from runsc_py.runsc import json_text
from runsc_py.runsc.control.codec import convert
from runsc_py.runsc.control.message import Rule, fields_of
from runsc_py.runsc.errors import RunscError
from runsc_py.runsc.oci.process import Process
from runsc_py.runsc.oci.spec import Spec
from runsc_py.runsc.oci.types import Structure

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any, TypeVar

    T = TypeVar("T", bound=Structure)

#: no configuration is larger
SIZE_LIMIT = 16 << 20

CONFIGURATION = "config.json"

#: of numbers, with and without a sign
SMALLEST, LARGEST = -(1 << 63), (1 << 64) - 1


def read_bundle(bundle: str) -> tuple[Spec, list[str]]:
    """The configuration of a bundle and what is to be warned about; nothing is checked yet.

    Relative paths of the host are those of the bundle.  Raises RunscError.
    """
    path = os.path.join(bundle, CONFIGURATION)
    spec, warnings = read_structure(Spec, path, "spec")
    if spec.root is not None and spec.root.path:
        spec.root.path = os.path.normpath(os.path.join(bundle, spec.root.path))
    for mount in spec.mounts:
        if mount.is_bind and mount.source:
            mount.source = os.path.normpath(os.path.join(bundle, mount.source))
    return spec, warnings


def read_process(path: str) -> tuple[Process, list[str]]:
    """The file of `exec --process`."""
    return read_structure(Process, path, "process")


def read_structure(kind: type[T], path: str, name: str) -> tuple[T, list[str]]:
    """A structure out of a JSON file, and warnings about members that it does not have."""
    try:
        with open(path, "rb") as file:
            content = file.read(SIZE_LIMIT + 1)
    except FileNotFoundError:
        raise RunscError(f"JSON specification file {path} not found") from None
    except OSError as error:
        raise RunscError(f"error opening {name} file {path!r}: {error.strerror}") from None
    if len(content) > SIZE_LIMIT:
        raise RunscError(f"{name} file {path!r} is larger than {SIZE_LIMIT >> 20} MiB")
    try:
        return decode(kind, content)
    except ValueError as error:
        raise RunscError(f"error unmarshaling {name} from file {path!r}: {error}") from None


def decode(kind: type[T], content: bytes) -> tuple[T, list[str]]:
    """A structure out of JSON.  Raises ValueError."""
    raw = _without_nulls(json_text.decode(content))
    unknown = list(_unknown(raw, kind, "$"))
    structure = convert(kind, raw, strict=False)
    return structure, [f"unknown member {path} is ignored" for path in unknown]


def decode_spec(content: bytes) -> Spec:
    """What `encode_structure` made of one.  Raises ValueError."""
    return decode(Spec, content)[0]


def encode_structure(structure: Structure) -> bytes:
    """A structure as JSON."""
    return json_text.encode(document_of(structure)).encode()


def document_of(value: Any) -> Any:
    """A structure, or what holds some, as plain values; defaults are left out."""
    fields = fields_of(value)
    if fields is not None:
        present = ((one, getattr(value, name)) for name, one in fields.items())
        return {
            one.name: document_of(member) for one, member in present if not one.is_default(member)
        }
    if isinstance(value, list):
        return [document_of(item) for item in value]
    if isinstance(value, dict):
        return {key: document_of(item) for key, item in value.items()}
    return value


def _without_nulls(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _without_nulls(item) for key, item in value.items() if item is not None}
    if isinstance(value, list):
        return [_without_nulls(item) for item in value]
    if isinstance(value, int) and not SMALLEST <= value <= LARGEST:
        raise ValueError(f"the number {value} does not fit into 64 bits")
    return value


def _unknown(value: Any, kind: Any, path: str) -> Iterator[str]:
    """Places of members that the structure has not of `value`, which is to become a `kind`.

    Members whose names differ in case only get the right ones: programs in Go do not mind, and
    neither does runc.
    """
    if isinstance(kind, Rule):
        return  # texts, numbers, and lists of them
    arguments: tuple[object, ...] = getattr(kind, "__args__", ())
    if isinstance(value, list):
        for index, item in enumerate(value if arguments else ()):
            yield from _unknown(item, arguments[0], f"{path}[{index}]")
    elif isinstance(value, dict):
        structure = next((one for one in (kind, *arguments) if _is_structure(one)), None)
        if structure is None:
            return
        if structure is not kind and getattr(kind, "__origin__", None) is dict:
            for key, item in value.items():
                yield from _unknown(item, structure, f"{path}.{key}")
            return
        members = {one.name: one.kind for one in (fields_of(structure) or {}).values()}
        for key, item in list(value.items()):
            name = key if key in members else _same(key, members)
            if name in members:
                if name != key:
                    value.setdefault(name, value.pop(key))
                yield from _unknown(item, members[name], f"{path}.{name}")
            else:
                yield f"{path}.{key}"


def _same(key: str, members: dict[str, Any]) -> str:
    """The member of this name in another case, or the name itself."""
    lower = key.lower()
    return next((name for name in members if name.lower() == lower), key)


def _is_structure(kind: Any) -> bool:
    return isinstance(kind, type) and issubclass(kind, Structure)
