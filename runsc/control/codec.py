"""Messages as maps and back, checked: the arguments and results of control calls.

Types that a field may have: None, bool, int, float, str, bytes, object (any plain value), another
message, `list[T]`, `dict[str, T]` and `T | None`.  Nothing else is accepted from the wire, and
nothing is converted: an unknown field, a missing one without a default or a wrong type is an error.
"""

from types import GenericAlias, NoneType, UnionType

from runsc_py.runsc.control.errors import ControlError
from runsc_py.runsc.control.message import Field, fields_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, TypeVar

    T = TypeVar("T")

_PLAIN = (bool, int, float, str, bytes, NoneType)


def encode(value: object) -> object:
    """A value as msgpack takes it."""
    fields = fields_of(value)
    if fields is not None:
        return {name: encode(getattr(value, name)) for name in fields}
    if isinstance(value, list | tuple):
        return [encode(item) for item in value]
    if isinstance(value, dict):
        return {key: encode(item) for key, item in value.items()}
    return value


def decode(kind: "type[T]", value: object, where: str = "") -> "T":
    """The value of type `kind` that a plain one stands for.  Raises ControlError."""
    decoded: Any = _decode(kind, value, where)
    return decoded  # type: ignore[no-any-return]


def _decode(kind: object, value: object, where: str) -> object:
    if kind is None:
        kind = NoneType
    if kind is object:
        return value
    if isinstance(kind, UnionType):
        return _decode_union(kind, value, where)
    if isinstance(kind, GenericAlias):
        return _decode_container(kind, value, where)
    assert isinstance(kind, type), kind
    fields = fields_of(kind)
    if fields is not None:
        return _decode_message(kind, fields, value, where)
    if kind is float and type(value) is int:
        return float(value)
    if kind not in _PLAIN or type(value) is not kind:
        raise ControlError(f"{where or 'value'}: {kind.__name__} expected")
    return value


def _decode_union(kind: UnionType, value: object, where: str) -> object:
    """`T | None`."""
    if value is None:
        return None
    (other,) = (option for option in kind.__args__ if option is not NoneType)
    return _decode(other, value, where)


def _decode_container(kind: GenericAlias, value: object, where: str) -> object:
    if kind.__origin__ is list:
        if type(value) is not list:
            raise ControlError(f"{where}: list expected")
        return [_decode(kind.__args__[0], item, f"{where}[]") for item in value]
    assert kind.__origin__ is dict, kind
    if type(value) is not dict or not all(type(key) is str for key in value):
        raise ControlError(f"{where}: map expected")
    return {key: _decode(kind.__args__[1], item, f"{where}.{key}") for key, item in value.items()}


def _decode_message(kind: type, fields: dict[str, Field], value: object, where: str) -> object:
    if type(value) is not dict:
        raise ControlError(f"{where or kind.__name__}: map expected")
    for name in value:
        if name not in fields:
            raise ControlError(f"{where or kind.__name__}: unknown field {name!r}")
    arguments = {}
    for name, field in fields.items():
        if name in value:
            arguments[name] = _decode(field.kind, value[name], f"{where}.{name}".lstrip("."))
        elif field.is_required:
            raise ControlError(f"{where or kind.__name__}: field {name!r} is missing")
    return kind(**arguments)
